"""What the page's forms do, without JavaScript: they change something and lead back, or say why they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app
from tests.emulator.dashboard.conftest import read
from tests.support.emulator_receiver import Receiver, receiving
from tests.support.tables import each_row

Create = Callable[..., dict[str, Any]]
Send = Callable[..., httpx.Response]


@pytest.fixture
def send(client: httpx.Client, emulator: Emulator) -> Send:
    """Send a form as a browser does."""

    def sent(path: str, **fields: object) -> httpx.Response:
        headers = {"Origin": emulator.base_url, "Sec-Fetch-Site": "same-origin"}
        return client.post(f"/_emulator/page/{path}", data=fields, headers=headers)

    return sent


def assert_leads_to(reply: httpx.Response, part: str) -> None:
    assert (reply.status_code, reply.headers["location"]) == (303, f"/#{part}")


def problem(reply: httpx.Response, status: int) -> str:
    """The message on the page that came in place of a redirection."""
    assert reply.status_code == status
    return read(reply.text).one("p", role="alert").text


def test_pay_pays_and_leads_to_the_invoice(send: Send, create: Create, emulator: Emulator) -> None:
    invoice = create()["id"]
    assert_leads_to(send(f"invoices/{invoice}/pay"), invoice)
    assert emulator.invoices()[0]["payment_status"] == "paid"


def test_expire_moves_the_clock_to_the_expiry_and_no_further(send: Send, create: Create, emulator: Emulator) -> None:
    first, second = create(expiry_interval=900), create(expiry_interval=901)
    assert_leads_to(send(f"invoices/{first['id']}/expire"), first["id"])
    assert [each["status"] for each in emulator.invoices()] == ["expired", "active"]
    before = emulator.now()
    send(f"invoices/{first['id']}/expire")
    assert (emulator.now() - before).total_seconds() < 60, "what has expired does not expire again"
    assert second


def test_pay_late_pays_what_has_expired(send: Send, create: Create, emulator: Emulator) -> None:
    invoice = create(expiry_interval=1)["id"]
    emulator.advance_clock(1)
    assert "expired at" in problem(send(f"invoices/{invoice}/pay"), 409)
    assert_leads_to(send(f"invoices/{invoice}/pay-late"), invoice)
    assert emulator.invoices()[0]["payment_status"] == "paid"


@each_row("action", ["pay", "pay-late", "expire"])
def test_what_is_paid_is_left_alone_with_the_reason(
    send: Send, create: Create, emulator: Emulator, action: str
) -> None:
    invoice = create()["id"]
    emulator.pay(invoice)
    now = emulator.now()
    assert "paid" in problem(send(f"invoices/{invoice}/{action}"), 409)
    assert (emulator.now() - now).total_seconds() < 60


@each_row("action", ["pay", "pay-late", "expire"])
def test_an_unknown_invoice_is_said_to_be_none(send: Send, action: str) -> None:
    assert "there is no invoice with this id" in problem(send(f"invoices/l11_none/{action}"), 404)


def test_the_clock_is_moved(send: Send, emulator: Emulator) -> None:
    before = emulator.now()
    assert_leads_to(send("clock", seconds=900), "clock")
    assert 900 <= (emulator.now() - before).total_seconds() < 960


def test_a_fault_is_planned_with_all_that_was_filled_in(send: Send, emulator: Emulator) -> None:
    fields = {"kind": "status_before_commit", "parameters": "status=429 retry_after=2", "times": 2, "key": " order-1 "}
    assert_leads_to(send("faults/next", **fields), "faults")
    assert emulator._plan.to_dict()["next"] == [
        {
            "kind": "status_before_commit",
            "status": 429,
            "retry_after": 2,
            "retry_after_as_date": False,
            "times": 2,
            "idempotency_key": "order-1",
        }
    ]


def test_a_rate_is_planned_and_everything_is_cleared(send: Send, emulator: Emulator) -> None:
    assert_leads_to(send("faults/rate", percent="12.5", seed=7), "faults")
    assert emulator._plan.to_dict()["random"].items() >= {"probability": 0.125, "seed": 7}.items()
    emulator.fail_next("drip")
    assert_leads_to(send("faults/clear"), "faults")
    assert emulator._plan.to_dict() == {"next": [], "random": None}


def test_webhooks_get_an_address_and_lose_it(send: Send, create: Create, emulator: Emulator) -> None:
    with receiving() as receiver:
        assert_leads_to(send("webhooks/url", url=f" {receiver.url} "), "webhooks")
        emulator.pay(create()["id"])
        emulator.wait_for_webhooks()
        assert len(receiver.got) == 1
        send("webhooks/url", url="")
        emulator.pay(create()["id"])
        emulator.wait_for_webhooks()
        assert len(receiver.got) == 1


def test_a_webhook_is_sent_again(send: Send, create: Create, told: Emulator, receiver: Receiver) -> None:
    told.pay(create()["id"])
    [delivery] = told.wait_for_webhooks()
    assert_leads_to(send(f"webhooks/{delivery.event_id}/resend"), delivery.event_id)
    told.wait_for_webhooks()
    assert [each.body for each in receiver.got] == [delivery.body] * 2


def test_a_webhook_is_not_sent_again_without_an_address(send: Send, create: Create, told: Emulator) -> None:
    told.pay(create()["id"])
    [delivery] = told.wait_for_webhooks()
    told.send_webhooks_to(None)
    assert "there is no URL" in problem(send(f"webhooks/{delivery.event_id}/resend"), 409)
    assert "no event with this id" in problem(send("webhooks/evt_none/resend"), 404)


FAULT = {"kind": "drip", "times": 1}


@each_row(
    ("path", "fields", "says"),
    [
        ("clock", {}, "seconds: a number"),
        ("clock", {"seconds": "soon"}, "seconds: a number"),
        ("clock", {"seconds": "nan"}, "seconds: a number"),
        ("clock", {"seconds": "1e999"}, "seconds: a number"),
        ("clock", {"seconds": -1}, "the clock only goes forward"),
        ("faults/next", {**FAULT, "kind": "planted"}, "kind: one of refuse,"),
        ("faults/next", {"times": 1}, "kind: one of refuse,"),
        ("faults/next", {**FAULT, "times": 1.5}, "times: an integer"),
        ("faults/next", {**FAULT, "times": 0}, "times: an integer from 1 to"),
        ("faults/next", {**FAULT, "parameters": "pause"}, "parameters: NAME=VALUE"),
        ("faults/next", {**FAULT, "parameters": "kind=refuse"}, "parameters: NAME=VALUE"),
        ("faults/next", {**FAULT, "parameters": "pause='1"}, "No closing quotation"),
        ("faults/next", {**FAULT, "parameters": "pause=-1"}, "pause: a number from 0"),
        ("faults/next", {**FAULT, "parameters": "status=500"}, "parameters of drip: pause, drip_head"),
        ("faults/next", {**FAULT, "key": "k" * 256}, "idempotency_key: a string of 1 to 255"),
        ("faults/rate", {"percent": 101, "seed": 0}, "percent: a number from 0 to 100"),
        ("faults/rate", {"percent": "", "seed": 0}, "percent: a number"),
        ("faults/rate", {"percent": 1, "seed": "x"}, "seed: a number"),
        ("webhooks/url", {"url": "https://shop.example/"}, "url: http:// and a loopback address"),
        ("clock", {f"field{number}": 1 for number in range(30)}, "Max number of fields exceeded"),
    ],
    ids=lambda row: f"{row[0]} {str(row[1])[:60]}",
)
def test_what_is_not_accepted_is_told_and_changes_nothing(
    send: Send, emulator: Emulator, path: str, fields: dict[str, object], says: str
) -> None:
    now = emulator.now()
    assert says in problem(send(path, **fields), 400)
    assert emulator._plan.to_dict() == {"next": [], "random": None}
    assert (emulator.now() - now).total_seconds() < 60


def test_a_form_of_another_kind_is_told_what_is_missing(client: httpx.Client) -> None:
    assert "seconds: a number" in problem(client.post("/_emulator/page/clock", json={"seconds": 60}), 400)
    assert "seconds: a number" in problem(client.post("/_emulator/page/clock", content=b"\xff\x00%ff"), 400)


def test_a_form_over_all_bounds_is_refused(client: httpx.Client) -> None:
    reply = client.post("/_emulator/page/clock", content=b"x" * 2_000_000)
    assert reply.status_code == 400
    assert "body: at most 1048576 bytes" in read(reply.text).text


@each_row("path", ["clock", "invoices/l11_1/pay", "faults/clear"])
def test_a_form_is_not_sent_by_following_a_link(client: httpx.Client, path: str) -> None:
    assert client.get(f"/_emulator/page/{path}").status_code == 405


def test_under_another_server_a_fault_below_http_is_not_planned(call_app: Callable[..., httpx.Response]) -> None:
    app = create_app()
    path, data = "/_emulator/page/faults/next", {"kind": "reset_after_commit", "times": "1"}
    assert "only the emulator's own server can do this" in problem(call_app(app, path=path, data=data), 400)
    assert call_app(app, path=path, data={"kind": "html_after_commit", "times": "1"}).status_code == 303
