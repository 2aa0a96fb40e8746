"""The applications of the guides, running as their readers run them: ordered from, paid, and let down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tazapay_lightning import sign_webhook
from tests.frameworks.conftest import SECRET, SERVERS, WEBHOOK_SECRET, Shop
from tests.frameworks.customers import order_id
from tests.frameworks.projects import PATIENCE


def key(order: str) -> str:
    """Return the idempotency key of an order: its framework may write the id with hyphens."""
    return f"order-{order_id(order)}"


def invoices(shop: Shop, order: str) -> list[str]:
    """Return the ids of the invoices that the service has for an order."""
    return [each["id"] for each in shop.emulator.invoices() if each["idempotency_key"] == key(order)]


def requests(shop: Shop, order: str) -> int:
    """Count the requests for an order's invoice."""
    return sum(each.idempotency_key == key(order) for each in shop.emulator.requests())


def invoice_of(shop: Shop, order: str) -> str:
    """Look at an order, and return the id of its invoice."""
    assert not shop.customer.is_paid(order)
    [invoice] = invoices(shop, order)
    return invoice


def paid(shop: Shop) -> tuple[str, str]:
    """Order and pay; return the path of the order and the id of its event."""
    order = shop.customer.order()
    known = {each.event_id for each in shop.emulator.webhooks()}
    shop.emulator.pay(invoice_of(shop, order))
    [event] = {each.event_id for each in shop.emulator.wait_for_webhooks(PATIENCE)} - known
    return order, event


def event_about(shop: Shop, order: str, **changes: object) -> bytes:
    """Return the body of an event that tells of an order's payment, which has not taken place."""
    invoice = invoice_of(shop, order)
    [collect] = [each["collect"] for each in shop.emulator.invoices() if each["id"] == invoice]
    event = {
        "id": f"evt_{order_id(order)}",
        "type": "collect.succeeded",
        "created_at": "2026-01-01T00:00:00Z",
        "data": {"id": collect, "object": "collect"},
    }
    return json.dumps(event | changes).encode()


@contextmanager
def without_webhooks(shop: Shop) -> Iterator[None]:
    shop.emulator.send_webhooks_to(None)
    try:
        yield
    finally:
        shop.emulator.send_webhooks_to(f"{shop.address}/webhooks/tazapay")


def test_the_page_of_an_order_shows_a_code_over_its_price(shop: Shop) -> None:
    order = shop.customer.order()
    assert shop.customer.scan(order).amount_msat == 5_000_000


def test_an_order_has_one_invoice_and_asks_for_it_once_however_often_its_page_is_loaded(shop: Shop) -> None:
    order = shop.customer.order()
    assert shop.customer.scan(order) == shop.customer.scan(order)
    assert requests(shop, order) == len(invoices(shop, order)) == 1


def test_pages_loaded_at_the_same_time_share_one_invoice(shop: Shop) -> None:
    order = shop.customer.order()
    with ThreadPoolExecutor(4) as windows:
        assert not any(windows.map(shop.customer.is_paid, [order] * 4))
    assert len(invoices(shop, order)) == 1


def test_a_payment_reaches_the_page_by_its_webhook(shop: Shop) -> None:
    order, event = paid(shop)
    [delivery] = [each for each in shop.emulator.webhooks() if each.event_id == event]
    assert [attempt.status for attempt in delivery.attempts] == [204]
    assert shop.customer.is_paid(order)


def test_a_webhook_that_comes_twice_counts_once(shop: Shop) -> None:
    order, event = paid(shop)
    shop.emulator.resend_webhook(event)
    [delivery] = [each for each in shop.emulator.wait_for_webhooks(PATIENCE) if each.event_id == event]
    assert [attempt.status for attempt in delivery.attempts] == [204, 204]
    assert shop.log.read_text().count(f"order {order_id(order)} is paid") == 1


def test_a_webhook_that_comes_several_times_at_once_counts_once(shop: Shop) -> None:
    order = shop.customer.order()
    body = event_about(shop, order)
    with without_webhooks(shop):
        shop.emulator.pay(*invoices(shop, order))
    with ThreadPoolExecutor(4) as deliveries:
        answers = [deliveries.submit(shop.deliver, body, sign_webhook(body, WEBHOOK_SECRET)) for _ in range(4)]
    assert {answer.result() for answer in answers} == {204}
    assert shop.log.read_text().count(f"order {order_id(order)} is paid") == 1


def test_a_webhook_with_a_wrong_signature_is_refused(shop: Shop) -> None:
    order = shop.customer.order()
    body = event_about(shop, order)
    with without_webhooks(shop):
        shop.emulator.pay(*invoices(shop, order))
    assert shop.deliver(body, sign_webhook(body, "another secret")) == 400
    assert not shop.customer.is_paid(order)


def test_a_signed_event_is_not_believed_before_the_service_says_paid(shop: Shop) -> None:
    order = shop.customer.order()
    body = event_about(shop, order)
    assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 409
    assert not shop.customer.is_paid(order)


def test_an_event_about_an_order_that_is_not_stored_is_asked_for_again(shop: Shop) -> None:
    body = event_about(shop, shop.customer.order(), data={"id": "col_of_somebody_else"})
    assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 409


def test_an_event_of_another_type_is_done_with(shop: Shop) -> None:
    body = event_about(shop, shop.customer.order(), type="collect.detected")
    assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 204


def test_an_event_about_no_payment_is_taken_for_no_order_of_this_shop(shop: Shop) -> None:
    body = event_about(shop, shop.customer.order(), data={"id": "pyt_1"})
    not_looked_at = shop.customer.order()
    assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 204
    assert invoices(shop, not_looked_at) == []


def test_a_webhook_comes_again_when_the_service_cannot_be_asked_about_it(shop: Shop) -> None:
    order = shop.customer.order()
    body = event_about(shop, order)
    with without_webhooks(shop):
        shop.emulator.pay(*invoices(shop, order))
    with shop.emulator.refuse_connections():
        assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 500
    assert shop.deliver(body, sign_webhook(body, WEBHOOK_SECRET)) == 204
    assert shop.customer.is_paid(order)


def test_a_lost_reply_bills_once_and_is_not_noticed(shop: Shop) -> None:
    order = shop.customer.order()
    shop.emulator.fail_next("reset_after_commit", idempotency_key=key(order))
    invoice_of(shop, order)
    assert requests(shop, order) == 2


def test_an_unknown_outcome_asks_the_customer_to_wait_and_gives_the_lost_invoice_on_reload(shop: Shop) -> None:
    order = shop.customer.order()
    shop.emulator.fail_next("reset_after_commit", times=3, idempotency_key=key(order))
    answer = shop.customer.look(order)
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Refresh"]) == (503, "5", "5")
    [lost] = invoices(shop, order)
    assert invoice_of(shop, order) == lost


def test_a_rate_limit_is_passed_on_as_the_time_to_wait(shop: Shop) -> None:
    order = shop.customer.order()
    shop.emulator.fail_next("status_before_commit", status=429, retry_after=30, idempotency_key=key(order))
    answer = shop.customer.look(order)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    invoice_of(shop, order)


def test_what_waiting_does_not_mend_is_an_error_of_the_shop(shop: Shop) -> None:
    order = shop.customer.order()
    shop.emulator.fail_next("status_before_commit", status=401, idempotency_key=key(order))
    assert shop.customer.look(order).status_code == 500


def test_an_expired_invoice_is_not_offered(shop: Shop) -> None:
    order = shop.customer.order()
    shop.service_is_behind = timedelta(hours=2)
    invoice_of(shop, order)
    shop.service_is_behind = timedelta()
    answer = shop.customer.look(order)
    assert (answer.status_code, "<svg" in answer.text) == (410, False)


def test_the_job_finds_a_payment_that_no_webhook_told_of(shop: Shop) -> None:
    order = shop.customer.order()
    with without_webhooks(shop):
        shop.emulator.pay(invoice_of(shop, order))
    assert not shop.customer.is_paid(order)
    job = shop.project.run(shop.project.guide.job)
    assert job.returncode == 0, job.stdout
    assert f"order {order_id(order)} is paid" in job.stdout
    assert shop.customer.is_paid(order)


def test_one_order_that_cannot_be_looked_at_does_not_keep_the_job_from_the_next(shop: Shop) -> None:
    first, second = shop.customer.order(), shop.customer.order()
    with without_webhooks(shop):
        for order in (first, second):
            shop.emulator.pay(invoice_of(shop, order))
    shop.emulator.fail_next("status_before_commit", status=404)
    job = shop.project.run(shop.project.guide.job)
    assert job.returncode == 0, job.stdout
    assert "could not be looked at" in job.stdout
    assert shop.customer.is_paid(first) or shop.customer.is_paid(second)


def test_an_order_that_is_not_there_is_not_found(shop: Shop) -> None:
    assert shop.customer.look("/orders/00000000-0000-4000-8000-000000000000").status_code == 404


def test_no_secret_is_written_to_the_log(shop: Shop) -> None:
    order = shop.customer.order()
    shop.emulator.fail_next("status_before_commit", status=401, idempotency_key=key(order))
    shop.customer.look(order)
    body = event_about(shop, shop.customer.order())
    shop.deliver(body, sign_webhook(body, "another secret"))
    written = shop.log.read_text()
    assert "AuthenticationError" in written
    assert not {secret for secret in (SECRET, WEBHOOK_SECRET) if secret in written}


@pytest.mark.parametrize("shop", [each for each in SERVERS if each.values[0][0] == "django"], indirect=True)
def test_django_wants_its_token_from_everybody_but_tazapay(shop: Shop) -> None:
    assert shop.customer.browser.post("/", data={"product": "coffee"}).status_code == 403
    assert shop.deliver(b"{}", "unsigned") == 400
