"""One order, one invoice: whatever is clicked, lost or restarted."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from examples.checkout.app import Settings, create_shop
from examples.checkout.server import running_shop
from tazapay_lightning import AsyncLightningClient, LightningClient
from tazapay_lightning_emulator import Emulator
from tests.examples.conftest import OpenShop
from tests.support.elements import Elements
from tests.support.nightly import nightly
from tests.support.plain_http import NO_TLS
from tests.support.shop import Customer, eventually, paid_event
from tests.support.thorough import sample


def expire(customer: Customer, emulator: Emulator, order: str) -> None:
    emulator.advance_clock(901)
    customer.wait_until(order, "expired")


def test_the_amount_comes_from_the_catalogue_and_never_from_the_form(customer: Customer, emulator: Emulator) -> None:
    customer.http.post("/orders", data=customer.form() | {"amount_sats": "1", "price": "1", "amount": "1"})
    assert [invoice["amount"] for invoice in emulator.invoices()] == [21_000]


def test_the_invoice_is_what_the_page_says(customer: Customer, emulator: Emulator) -> None:
    page = Elements(customer.http.get(customer.order("course", "Ada")).text).text
    [invoice] = emulator.invoices()
    assert "0.00123456\xa0BTC" in page
    assert "123,456\xa0sat" in page
    assert invoice["d_tag_memo"] in page
    assert invoice["d_tag_memo"].endswith(", for Ada")
    assert invoice["expiry_interval"] == 900


def test_the_same_form_sent_twice_is_one_order_and_one_invoice(customer: Customer, emulator: Emulator) -> None:
    form = customer.form()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: customer.http.post("/orders", data=form), range(8)))
    assert len({reply.url.path for reply in replies}) == 1
    assert len(emulator.invoices()) == 1
    assert sum(record.method == "POST" for record in emulator.requests()) == 1


def test_a_reload_shows_the_same_invoice(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    pages = {customer.http.get(order).text.count(emulator.invoices()[0]["d_tag_memo"]) for _ in range(3)}
    assert pages == {1}
    assert len(emulator.invoices()) == 1


def test_two_showings_of_the_order_page_are_two_orders(customer: Customer, emulator: Emulator) -> None:
    assert customer.order() != customer.order()
    assert len(emulator.invoices()) == 2


def test_a_new_invoice_comes_after_the_old_one_expired(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    assert "New invoice" in customer.http.get(order).text
    customer.new_invoice(order)
    assert customer.state(order) == "waiting"
    keys = [invoice["idempotency_key"] for invoice in emulator.invoices()]
    assert keys == [f"checkout-{order.rpartition('/')[2]}-{number}" for number in (1, 2)]


def test_eight_clicks_on_new_invoice_in_several_tabs_make_one(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: customer.new_invoice(order), range(8)))
    assert {(reply.status_code, reply.url.path) for reply in replies} == {(200, order)}
    assert len(emulator.invoices()) == 2


def test_an_old_tab_makes_no_third_invoice(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    customer.new_invoice(order)
    expire(customer, emulator, order)
    customer.new_invoice(order, after=1)
    assert customer.state(order) == "expired"
    assert len(emulator.invoices()) == 2


def test_an_attempt_that_nobody_saw_has_no_successor(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    customer.new_invoice(order, after=7)
    assert customer.http.get(f"{order}/status").json()["version"] == "expired-1"


def test_there_is_no_new_invoice_while_the_old_one_can_be_paid(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    customer.new_invoice(order)
    assert len(emulator.invoices()) == 1


def test_there_is_no_new_invoice_if_the_old_one_was_paid_in_its_last_moment(
    open_shop: OpenShop, emulator: Emulator
) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    emulator.pay(emulator.invoices()[0]["id"], even_if_expired=True)  # and no webhook comes
    customer.new_invoice(order)
    assert customer.http.get(f"{order}/status").json()["version"] == "paid-1"
    assert len(emulator.invoices()) == 1


def test_there_is_no_new_invoice_while_nobody_knows_about_the_old_one(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    emulator.fail_next("status_before_commit", status=500)
    reply = customer.new_invoice(order)
    assert reply.status_code == 503
    assert "We cannot see whether the old invoice was paid" in reply.text
    assert f'href="{order}"' in reply.text  # the way back
    assert len(emulator.invoices()) == 1


def test_an_expired_order_that_was_paid_late_is_found_paid_when_its_page_is_opened(
    open_shop: OpenShop, emulator: Emulator
) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    emulator.pay(emulator.invoices()[0]["id"], even_if_expired=True)
    assert "Paid. Thank you!" in customer.http.get(order).text


def test_polling_finds_the_payment_when_no_webhook_comes(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    emulator.pay(emulator.invoices()[0]["id"])
    customer.wait_until(order, "paid")


def test_polling_survives_a_service_that_fails(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    for status in (500, 429, 404, 401):
        emulator.fail_next("status_before_commit", status=status)
    emulator.fail_next("wrong_amount", difference=1, times=2)
    eventually(lambda: len(emulator.faults_injected()) == 6, "the polls met every failure")
    assert customer.state(order) == "waiting"
    emulator.pay(emulator.invoices()[0]["id"])
    customer.wait_until(order, "paid")


def test_polling_holds_a_payment_over_another_amount(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    emulator.fail_next("wrong_amount", difference=-1, times=1_000)
    emulator.pay(emulator.invoices()[0]["id"])
    customer.wait_until(order, "held")
    assert "Pick-up code" not in customer.http.get(order).text


@pytest.mark.parametrize(
    "fault",
    [
        "reset_after_commit",
        pytest.param("close_mid_body", marks=nightly),
        pytest.param("html_after_commit", marks=nightly),
        pytest.param("status_after_commit", marks=nightly),
        "reset_before_commit",
        pytest.param("refuse", marks=nightly),
    ],
)
def test_an_unknown_outcome_is_resumed_with_the_same_key(open_shop: OpenShop, emulator: Emulator, fault: str) -> None:
    customer = open_shop(poll_interval=0.05)
    emulator.fail_next(fault)  # type: ignore[arg-type]  # the kinds are a Literal
    order = customer.order()
    customer.wait_until(order, "waiting")
    [invoice] = emulator.invoices()
    assert invoice["idempotency_key"] == f"checkout-{order.rpartition('/')[2]}-1"
    assert invoice["d_tag_memo"] in customer.http.get(order).text


def test_a_service_that_is_away_leaves_the_order_in_preparation(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(patience=0.1)
    with emulator.refuse_connections():
        order = customer.order()
        page = customer.http.get(order).text
    assert "Your invoice is being prepared" in page
    assert "Nothing was charged" in page


def test_an_invoice_that_could_not_be_made_in_its_lifetime_may_be_tried_anew(
    open_shop: OpenShop, emulator: Emulator
) -> None:
    customer = open_shop(poll_interval=0.05, expires_in=1)
    with emulator.refuse_connections():
        order = customer.order()
        customer.wait_until(order, "expired")
    customer.new_invoice(order)
    assert len(emulator.invoices()) == 1


def test_a_payment_request_that_the_service_tells_only_later_is_shown(open_shop: OpenShop, emulator: Emulator) -> None:
    with LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url) as client:
        invoice = dict(client.create_invoice(amount_sats=21_000, expires_in=900).raw)

    def service(request: httpx.Request) -> httpx.Response:
        hidden = {"payment_request": None} if request.method == "POST" else {}
        return httpx.Response(200, json={"status": "success", "data": invoice | hidden})

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(service))
    customer = open_shop(AsyncLightningClient("key", "secret", http_client=http_client), poll_interval=0.05)
    order = customer.order()
    eventually(lambda: invoice["payment_request"] in customer.http.get(order).text, "the request is on the page")
    assert customer.http.get(f"{order}/status").json()["version"] == "waiting-1"  # before, it was another one


def restarted(emulator: Emulator, stack: ExitStack, database: Path) -> Customer:
    client = AsyncLightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url, max_retries=0)
    url = stack.enter_context(
        running_shop(create_shop(client, Settings(database=database, poll_interval=0.05, patience=1)))
    )
    return Customer(
        stack.enter_context(
            httpx.Client(base_url=url, trust_env=False, verify=NO_TLS, follow_redirects=True, timeout=30)
        )
    )


def test_a_restart_with_the_same_database_loses_nothing(emulator: Emulator, tmp_path: Path) -> None:
    with ExitStack() as stack:
        customer = restarted(emulator, stack, tmp_path / "orders.db")
        orders = [customer.order() for _ in range(3)]
        emulator.pay(emulator.invoices()[0]["id"])
        customer.wait_until(orders[0], "paid")
    emulator.pay(emulator.invoices()[1]["id"])  # while the shop is closed
    with ExitStack() as stack:
        customer = restarted(emulator, stack, tmp_path / "orders.db")
        customer.wait_until(orders[1], "paid")
        assert [customer.state(order) for order in orders] == ["paid", "paid", "waiting"]
        assert len(emulator.invoices()) == 3


def test_a_shop_that_stopped_before_the_reply_asks_again_with_the_same_key(emulator: Emulator, tmp_path: Path) -> None:
    with ExitStack() as stack:
        customer = restarted(emulator, stack, tmp_path / "orders.db")
        emulator.fail_next("reset_after_commit", times=1)
        emulator.fail_next("status_before_commit", status=503, times=1_000_000)
        order = customer.order()
        assert customer.state(order) == "asked"
    emulator.stop_failing()
    [made] = emulator.invoices()
    with ExitStack() as stack:
        customer = restarted(emulator, stack, tmp_path / "orders.db")
        customer.wait_until(order, "waiting")
        assert [invoice["id"] for invoice in emulator.invoices()] == [made["id"]]


@pytest.mark.parametrize("after", sample(["", "-1", "1e3", "²", "12345"], 3))
def test_a_damaged_request_for_a_new_invoice_is_refused(customer: Customer, after: str) -> None:
    order = customer.order()
    assert customer.http.post(f"{order}/invoices", data={"after": after}).status_code == 400


@pytest.mark.parametrize("path", ["", "/status", "/events"])
def test_an_order_that_nobody_made_is_not_found_and_the_page_says_so(customer: Customer, path: str) -> None:
    reply = customer.http.get(f"/orders/{'0' * 32}{path}")
    assert reply.status_code == 404
    assert "This shop does not know this order" in reply.text


def test_there_are_no_emulator_buttons_without_an_emulator(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    assert "emulator" not in customer.http.get(order).text
    assert customer.http.post(f"{order}/emulator/pay").status_code == 404
    assert emulator.invoices()[0]["payment_status"] == "unpaid"


def test_a_paid_order_has_a_receipt_and_a_way_back(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order(name="Ada")
    [invoice] = emulator.invoices()
    before = datetime.now(UTC)
    emulator.pay(invoice["id"])
    customer.wait_until(order, "paid")
    page = customer.http.get(order).text
    elements = Elements(page)
    receipt = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert receipt["Order"] == order.rpartition("/")[2][:8]
    assert receipt["Invoice"] == f"<bdi>{invoice['id']}</bdi>"
    assert receipt["Name"] == "<bdi>Ada</bdi>"
    assert "21,000&nbsp;sat" in receipt["Amount"]
    [paid] = elements.named("time")
    assert before <= datetime.fromisoformat(str(paid["datetime"])) <= datetime.now(UTC)
    assert {"class": "button", "href": "/"} in elements.named("a")


def test_the_receipt_is_of_the_invoice_that_was_paid(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    expire(customer, emulator, order)
    customer.new_invoice(order)
    first, second = emulator.invoices()
    emulator.pay(first["id"], even_if_expired=True)
    customer.http.post("/webhooks/tazapay", **paid_event(first["collect"]))
    page = customer.http.get(order).text
    assert first["id"] in page
    assert second["id"] not in page


def test_a_shop_that_is_broken_says_so_within_its_own_limits(open_shop: OpenShop, tmp_path: Path) -> None:
    customer = open_shop(database=tmp_path / "orders.db")
    order = customer.order()
    with sqlite3.connect(tmp_path / "orders.db") as database:
        database.execute("ALTER TABLE attempts RENAME TO gone")
    reply = customer.http.get(order)
    assert reply.status_code == 500
    assert "What you have paid is not lost" in reply.text
    assert '<noscript><meta http-equiv="refresh" content="5">' in reply.text  # the order is there again some time
    assert "default-src 'self'" in reply.headers["content-security-policy"]
