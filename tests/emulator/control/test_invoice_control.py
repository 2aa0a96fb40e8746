from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app
from tazapay_lightning_emulator.clock import utc_now
from tests.support.emulator_replies import refusal
from tests.support.plain_http import NO_TLS

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

CLOCK = "/_emulator/clock"


def test_the_control_endpoint_shows_and_moves_the_clock(client: httpx.Client, emulator: Emulator) -> None:
    before = client.get(CLOCK).json()
    assert before["ahead"] == 0
    assert abs(datetime.fromisoformat(before["now"]) - utc_now()) < timedelta(minutes=1)
    moved = client.post(CLOCK, json={"seconds": 3600.5})
    assert (moved.status_code, moved.json()["ahead"]) == (200, 3600.5)
    assert abs(datetime.fromisoformat(moved.json()["now"]) - emulator.now()) < timedelta(minutes=1)
    assert client.get(CLOCK).json()["ahead"] == 3600.5


@pytest.mark.parametrize("seconds", [0, -1, 3153600001, 10**80, True, "60", None, [60]])
def test_the_control_endpoint_refuses_a_time_that_is_not_forward(client: httpx.Client, seconds: Any) -> None:
    assert refusal(client.post(CLOCK, json={"seconds": seconds})).startswith("seconds: a number greater than 0")
    assert client.get(CLOCK).json()["ahead"] == 0


@pytest.mark.parametrize("body", [{}, {"hours": 1}, {"seconds": 1, "planted": 1}])
def test_the_control_endpoint_takes_seconds_and_nothing_else(client: httpx.Client, body: Any) -> None:
    reply = client.post(CLOCK, json=body)
    assert refusal(reply) == "fields: seconds, and nothing else"
    assert "planted" not in reply.text


def test_a_web_page_cannot_move_the_clock_with_a_form(client: httpx.Client) -> None:
    reply = client.post(CLOCK, content=b'{"seconds": 1}', headers={"Content-Type": "text/plain"})
    assert refusal(reply).startswith("Content-Type")


@pytest.mark.parametrize("body", [None, {}, {"even_if_expired": False}])
def test_the_control_endpoint_pays_and_replies_the_invoice(
    client: httpx.Client, emulator: Emulator, create: Create, body: Any
) -> None:
    created = create()
    reply = client.post(f"/_emulator/invoices/{created['id']}/pay", json=body)
    assert reply.status_code == 200
    assert [reply.json()] == emulator.invoices()
    assert reply.json()["payment_status"] == "paid"


def test_the_control_endpoint_takes_no_credentials_for_a_payment(emulator: Emulator, create: Create) -> None:
    url = f"{emulator.base_url}/_emulator/invoices/{create()['id']}/pay"
    assert httpx.post(url, trust_env=False, verify=NO_TLS).status_code == 200


def test_the_control_endpoint_says_why_an_invoice_cannot_be_paid(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=60)
    path = f"/_emulator/invoices/{created['id']}/pay"
    emulator.advance_clock(60)
    replies = [client.post(path), client.post(path, json={"even_if_expired": True}), client.post(path)]
    assert [reply.status_code for reply in replies] == [409, 200, 409]
    assert "even_if_expired" in replies[0].json()["errors"][0]["remarks"]
    assert "paid already" in replies[2].json()["errors"][0]["remarks"]


@pytest.mark.parametrize("invoice_id", ["l11_absent", "%20", "%FF", "%00"])
def test_the_control_endpoint_does_not_pay_what_is_not_there(client: httpx.Client, invoice_id: str) -> None:
    reply = client.post(f"/_emulator/invoices/{invoice_id}/pay")
    assert reply.status_code == 404
    assert [problem["code"] for problem in reply.json()["errors"]] == [105]


@pytest.mark.parametrize("body", [{"even_if_expired": 1}, {"even_if_expired": None}, {"planted": True}])
def test_the_control_endpoint_refuses_to_pay_in_a_way_it_does_not_know(
    client: httpx.Client, emulator: Emulator, create: Create, body: Any
) -> None:
    reply = client.post(f"/_emulator/invoices/{create()['id']}/pay", json=body)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["remarks"] == "fields: even_if_expired, true or false, or nothing"
    assert "planted" not in reply.text
    assert [stored["payment_status"] for stored in emulator.invoices()] == ["unpaid"]


def test_a_payment_and_the_clock_work_under_another_server_too(call_app: Post) -> None:
    app = create_app()
    created = call_app(app, json={"amount": 1, "expiry_interval": 60}).json()["data"]
    call_app(app, "POST", "/_emulator/clock", json={"seconds": 60})
    path = f"/_emulator/invoices/{created['id']}/pay"
    assert call_app(app, "POST", path).status_code == 409
    assert call_app(app, "POST", path, json={"even_if_expired": True}).json()["payment_status"] == "paid"


def test_the_control_endpoint_lists_what_was_stored_in_order_and_without_credentials(
    post: Post, emulator: Emulator
) -> None:
    replied = [post({"amount": amount}).json()["data"] for amount in (3, 1, 2)]
    reply = httpx.get(f"{emulator.base_url}/_emulator/invoices", trust_env=False, verify=NO_TLS)
    listed = reply.json()
    assert listed == [{**invoice, "idempotency_key": None, "replays": 0} for invoice in replied]
    assert emulator.invoices() == listed
