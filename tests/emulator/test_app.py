from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import tazapay_lightning_emulator.invoices.book
from tazapay_lightning_emulator import Emulator, create_app
from tazapay_lightning_emulator.clock import utc_now
from tests.support.emulator_replies import problems
from tests.support.plain_http import NO_TLS

if TYPE_CHECKING:
    from tests.emulator.conftest import RawClient

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

INVOICES = "/v3/lightning_invoice_bolt11"
CLOCK = "/_emulator/clock"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_date_of_every_reply_is_by_the_emulators_clock(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    emulator.advance_clock(timedelta(days=400))
    invoice = create()
    replies = [
        client.get(f"{INVOICES}/{invoice['id']}"),
        client.get(f"{INVOICES}/l11_absent"),
        client.get("/nothing"),
        client.get("/_emulator/invoices"),
    ]
    for reply in replies:
        [date] = reply.headers.get_list("date")
        assert abs(parsedate_to_datetime(date) - emulator.now()) < timedelta(minutes=1)
        assert parsedate_to_datetime(date) > utc_now() + timedelta(days=399)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("status_before_commit", {}),
        ("html_after_commit", {}),
        ("close_mid_body", {}),
        ("wrong_content_length", {}),
        ("drip", {"pause": 0, "drip_head": True}),
    ],
)
def test_replies_of_faults_have_one_date_and_it_is_the_emulators(
    emulator: Emulator, raw: RawClient, kind: Any, parameters: dict[str, Any]
) -> None:
    emulator.advance_clock(timedelta(days=400))
    emulator.fail_next(kind, **parameters)
    received = raw.create()
    assert received.head.lower().count(b"\r\ndate: ") == 1
    assert parsedate_to_datetime(received.header("date") or "") > utc_now() + timedelta(days=399)


def test_a_reply_to_an_unforeseen_failure_has_the_date_as_well(call_app: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("tazapay_lightning_emulator.invoices.book.new_invoice", fail)
    reply = call_app(create_app(now=lambda: NOON), json={"amount": 1})
    assert (reply.status_code, reply.headers["date"]) == (500, "Sun, 01 Mar 2026 12:00:00 GMT")


def test_another_server_tells_the_date_itself_as_long_as_the_clock_is_the_machines(call_app: Post) -> None:
    app = create_app()
    assert "date" not in call_app(app, "GET", CLOCK).headers
    assert call_app(app, "POST", CLOCK, json={"seconds": 86_400}).headers["date"]


@pytest.mark.parametrize(
    "path",
    [
        "/v3",
        "/v3/lightning_invoice_bolt11/",
        "/v3/lightning_invoice_bolt11/l11_1/more",
        "/V3/LIGHTNING_INVOICE_BOLT11",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_and_never_a_redirect(client: httpx.Client, method: str, path: str) -> None:
    problems(client.request(method, path), 404, 105)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_an_unknown_method_is_405_and_tells_the_known_one(client: httpx.Client, method: str) -> None:
    reply = client.request(method, "/v3/lightning_invoice_bolt11")
    problems(reply, 405, 105)
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_an_unknown_method_of_an_invoice_is_405_and_tells_the_known_ones(client: httpx.Client, method: str) -> None:
    reply = client.request(method, "/v3/lightning_invoice_bolt11/l11_1")
    problems(reply, 405, 105)
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}


def test_an_unforeseen_failure_is_500_without_details(call_app: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("details for the log only")

    monkeypatch.setattr(tazapay_lightning_emulator.invoices.book, "new_invoice", fail)
    reply = call_app(create_app(), json={"amount": 1})
    problems(reply, 500, 101)
    assert "details" not in reply.text


def test_an_application_of_ones_own_server_needs_nothing_else() -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(create_app(), port=0, lifespan="on", log_config=None))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        host, port = listener.getsockname()
        assert httpx.get(f"http://{host}:{port}/_emulator/invoices", trust_env=False, verify=NO_TLS).json() == []
    finally:
        server.should_exit = True
        thread.join()
