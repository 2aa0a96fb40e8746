"""Webhooks to the shop: only the service's own word releases goods, and nothing that came is lost."""

from __future__ import annotations

import json
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tazapay_lightning import AsyncLightningClient, sign_webhook
from tazapay_lightning_emulator import Emulator
from tests.examples.conftest import OpenShop
from tests.support.shop import SECRET, Customer
from tests.support.thorough import sample

PATH = "/webhooks/tazapay"


def event(collect_id: str | None, **changes: Any) -> bytes:
    payload = {
        "type": "collect.succeeded",
        "id": "evt_1",
        "object": "event",
        "created_at": "2026-03-01T12:00:00Z",
        "data": {"id": collect_id, "object": "collect"},
    }
    return json.dumps(payload | changes).encode()


def notify(customer: Customer, body: bytes, signature: str | None = None) -> httpx.Response:
    return customer.http.post(PATH, content=body, headers={"signature": signature or sign_webhook(body, SECRET)})


def collect_id(emulator: Emulator, number: int = -1) -> str:
    return str(emulator.invoices()[number]["collect"])


def pay(emulator: Emulator, number: int = -1, **options: Any) -> str:
    """Pay an invoice past the shop; return the id under which the webhook comes."""
    emulator.pay(emulator.invoices()[number]["id"], **options)
    return collect_id(emulator, number)


def fetches(emulator: Emulator) -> int:
    return sum(record.method == "GET" for record in emulator.requests())


def test_a_webhook_makes_the_order_paid(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    reply = notify(customer, event(pay(emulator)))
    assert reply.status_code == 200
    assert customer.state(order) == "paid"
    assert "Pick-up code" in customer.http.get(order).text


def test_a_forged_webhook_is_refused_and_changes_nothing(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    body = event(pay(emulator))
    assert notify(customer, body, sign_webhook(body, "another secret")).status_code == 400
    assert customer.state(order) == "waiting"


def test_a_webhook_that_was_written_anew_is_refused(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    body = event(pay(emulator))
    rewritten = json.dumps(json.loads(body), indent=1).encode()
    assert notify(customer, rewritten, sign_webhook(body, SECRET)).status_code == 400
    assert customer.state(order) == "waiting"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"id": "evt_1", "id": "evt_2"}'])
def test_a_body_that_is_no_event_is_refused(customer: Customer, body: bytes) -> None:
    assert notify(customer, body, "c2lnbmVk").status_code == 400


def test_a_webhook_without_a_signature_is_refused(customer: Customer) -> None:
    assert customer.http.post(PATH, content=event("col_1")).status_code == 400


def test_a_true_webhook_is_not_believed_before_the_service_shows_the_payment(
    customer: Customer, emulator: Emulator
) -> None:
    order = customer.order()
    body = event(collect_id(emulator))
    assert notify(customer, body).status_code == 409  # which Tazapay repeats
    assert customer.state(order) == "waiting"
    pay(emulator)
    assert notify(customer, body).status_code == 200
    assert customer.state(order) == "paid"


@pytest.mark.parametrize(
    "kind", sample(["collect.failed", "collect.on_hold", "collect.detected", "collect.of_tomorrow"], 3)
)
def test_an_event_that_tells_of_no_success_changes_nothing(customer: Customer, emulator: Emulator, kind: str) -> None:
    order = customer.order()
    assert notify(customer, event(collect_id(emulator), type=kind)).status_code == 200
    assert customer.state(order) == "waiting"


def test_a_replayed_webhook_changes_nothing_and_asks_nobody(customer: Customer, emulator: Emulator) -> None:
    customer.order()
    body = event(pay(emulator))
    notify(customer, body)
    before = len(emulator.requests())
    reply = notify(customer, body)
    assert (reply.status_code, reply.text) == (200, "dealt with before")
    assert len(emulator.requests()) == before


def test_an_event_about_something_else_is_accepted(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    assert notify(customer, event("col_of_a_card_payment")).status_code == 200
    assert notify(customer, event(None, id="evt_2", type="payout.succeeded", data={})).status_code == 200
    assert customer.state(order) == "waiting"


def test_a_webhook_comes_again_while_the_service_cannot_be_asked(customer: Customer, emulator: Emulator) -> None:
    order = customer.order()
    body = event(pay(emulator))
    emulator.fail_next("status_before_commit", status=503)
    assert notify(customer, body).status_code == 500  # which Tazapay repeats, unlike 503
    assert customer.state(order) == "waiting"
    assert notify(customer, body).status_code == 200
    assert customer.state(order) == "paid"


def test_a_payment_after_the_expiry_is_a_payment(
    open_shop: OpenShop, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    emulator.advance_clock(901)
    customer.wait_until(order, "expired")
    assert notify(customer, event(pay(emulator, even_if_expired=True))).status_code == 200
    assert customer.state(order) == "paid"
    assert "refund" not in caplog.text


def test_a_late_payment_next_to_a_new_invoice_pays_the_order_once(
    open_shop: OpenShop, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    emulator.advance_clock(901)
    customer.wait_until(order, "expired")
    customer.new_invoice(order)
    customer.wait_until(order, "waiting")

    notify(customer, event(pay(emulator, 0, even_if_expired=True)))
    assert customer.state(order) == "paid"
    assert "Payment request" not in customer.http.get(order).text  # nobody should pay the second one now

    with caplog.at_level(logging.ERROR, "checkout"):
        pay(emulator, 1)  # but somebody does
        for number in range(3):
            assert notify(customer, event(collect_id(emulator, 1), id=f"evt_again_{number}")).status_code == 200
    told = [message for message in caplog.messages if "refund needed" in message]
    assert len(told) == 1
    assert f"order {order.rpartition('/')[2]} was paid twice" in told[0]
    assert customer.state(order) == "paid"


def test_a_payment_over_another_amount_releases_nothing(
    customer: Customer, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    order = customer.order()
    body = event(pay(emulator))
    emulator.fail_next("wrong_amount", difference=-1)
    assert notify(customer, body).status_code == 200
    assert customer.state(order) == "held"
    page = customer.http.get(order).text
    assert "Pick-up code" not in page
    assert "Do not pay again" in page
    assert "a person must look" in caplog.text


def test_without_a_secret_every_webhook_is_refused(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(webhook_secret=None)
    order = customer.order()
    assert notify(customer, event(pay(emulator))).status_code == 400
    assert customer.state(order) == "waiting"


def test_ten_megabytes_are_refused_before_they_are_sent(customer: Customer) -> None:
    address = urlsplit(str(customer.http.base_url))
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: shop\r\nSignature: c2ln\r\nContent-Length: 10485760\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_ten_megabytes_of_unknown_length_are_refused_on_the_way(customer: Customer) -> None:
    address = urlsplit(str(customer.http.base_url))
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: shop\r\nSignature: c2ln\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(17):  # of 160: the reply comes after a tenth
            connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


class LateCollect:
    """A service that tells the id of a payment only once there is one."""

    def __init__(self) -> None:
        self.paid = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        invoice = {"id": "l11_1", "amount": 21_000, "status": "active", "payment_status": "unpaid"}
        if request.method == "POST":
            invoice["d_tag_memo"] = json.loads(request.content)["d_tag_memo"]
            invoice["expiry_interval"] = 900
        if self.paid:
            invoice |= {"payment_status": "paid", "collect": "col_late"}
        return httpx.Response(200, json={"status": "success", "data": invoice})


def test_an_unknown_payment_is_looked_for_among_the_open_invoices(open_shop: OpenShop) -> None:
    service = LateCollect()
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(service))
    customer = open_shop(AsyncLightningClient("key", "secret", http_client=http_client))
    order = customer.order()
    service.paid = True
    assert notify(customer, event("col_late")).status_code == 200
    assert customer.state(order) == "paid"


def test_the_secret_is_in_no_log(open_shop: OpenShop, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        customer = open_shop()
        customer.order()
        body = event(pay(emulator))
        notify(customer, body, "c2lnbmVk")
        notify(customer, body)
    assert SECRET not in caplog.text
