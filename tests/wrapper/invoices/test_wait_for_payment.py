"""Waiting for a payment with both clients: against scripted replies, and against the emulator."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tazapay_lightning import (
    AsyncLightningClient,
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    Invoice,
    InvoiceExpiredError,
    InvoiceMismatchError,
    LightningClient,
    PaymentTimeoutError,
)
from tazapay_lightning import async_client as async_client_module
from tazapay_lightning import client as client_module
from tests.support.service import API_KEY, API_SECRET, CallMethod, call_async, call_sync, envelope, invoice_object
from tests.support.tables import each_row

ID = "l11_abc123xyz"
FAST: dict[str, Any] = {"poll_interval": 0.001}


def reply(http_status: int = 200, /, **fields: Any) -> httpx.Response:
    body = envelope(invoice_object(created_at=datetime.now(UTC).isoformat(timespec="seconds"), **fields))
    return httpx.Response(http_status, content=body if http_status == 200 else b"")


UNPAID: Callable[[], httpx.Response] = reply
PAID: Callable[[], httpx.Response] = lambda: reply(payment_status="paid")  # noqa: E731 - a row of tables below


class Script:
    """Gives these replies in order, and the last one for ever."""

    def __init__(self, *replies: Callable[[], httpx.Response]) -> None:
        self._replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return (self._replies.pop(0) if len(self._replies) > 1 else self._replies[0])()


def failure(error: Exception) -> Callable[[], httpx.Response]:
    def fail() -> httpx.Response:
        raise error

    return fail


def known(**fields: Any) -> Invoice:
    return Invoice.from_payload(invoice_object(created_at=datetime.now(UTC).isoformat(timespec="seconds"), **fields))


@each_row("subject", [ID, known()], ids=["id", "invoice"])
def test_the_invoice_is_fetched_until_it_is_paid(subject: Any, call_everywhere: CallMethod) -> None:
    service = Script(UNPAID, UNPAID, PAID)
    assert call_everywhere(service, "wait_for_payment", subject, **FAST).is_paid
    assert [(request.method, request.url.path) for request in service.requests] == [
        ("GET", f"/v3/lightning_invoice_bolt11/{ID}")
    ] * 3


def test_each_look_that_shows_the_invoice_is_told(call_everywhere: CallMethod) -> None:
    seen: list[str | None] = []
    service = Script(UNPAID, lambda: reply(503), UNPAID, PAID)
    call_everywhere(
        service,
        "wait_for_payment",
        ID,
        on_poll=lambda invoice: seen.append(invoice.payment_status),
        client={"max_retries": 0},
        **FAST,
    )
    assert seen == ["unpaid", "unpaid", "paid"]


def test_what_is_told_may_be_told_to_a_coroutine() -> None:
    seen: list[bool] = []

    async def tell(invoice: Invoice) -> None:
        await asyncio.sleep(0)
        seen.append(invoice.is_paid)

    async def run() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(Script(UNPAID, PAID))) as http_client,
            AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
        ):
            await client.wait_for_payment(ID, on_poll=tell, **FAST)

    asyncio.run(run())
    assert seen == [False, True]


def test_what_the_callback_raises_ends_the_wait(call: CallMethod) -> None:
    class EnoughError(Exception):
        pass

    def stop(invoice: Invoice) -> None:
        raise EnoughError

    service = Script(UNPAID)
    with pytest.raises(EnoughError):
        call(service, "wait_for_payment", ID, on_poll=stop, **FAST)
    assert len(service.requests) == 1


@each_row(
    "passing",
    [
        lambda: reply(404), lambda: reply(408), lambda: reply(429), lambda: reply(500), lambda: reply(503),
        lambda: reply(520), lambda: httpx.Response(200, content=b"<html>"),
        lambda: httpx.Response(200, content=b'{"status": "error", "message": "not now"}'),
        lambda: httpx.Response(200, content=envelope(invoice_object(id="l11_another"))),
    ],
    ids=["404", "408", "429", "500", "503", "520", "HTML", "failed", "another"],
)  # fmt: skip
def test_a_failure_in_passing_does_not_end_the_wait(passing: Callable[[], httpx.Response], call: CallMethod) -> None:
    check_passing(passing, call)


@each_row("error", [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ReadTimeout("slow")], ids=str)
def test_a_connection_lost_in_passing_does_not_end_the_wait(error: Exception, call: CallMethod) -> None:
    check_passing(failure(error), call)


def check_passing(passing: Callable[[], httpx.Response], call: CallMethod) -> None:
    service = Script(UNPAID, passing, PAID)
    assert call(service, "wait_for_payment", known(), client={"max_retries": 0}, **FAST).is_paid
    assert len(service.requests) == 3


def test_refused_credentials_end_the_wait(call: CallMethod) -> None:
    service = Script(UNPAID, lambda: reply(401))
    with pytest.raises(AuthenticationError):
        call(service, "wait_for_payment", ID, **FAST)
    assert len(service.requests) == 2


def test_an_expired_invoice_ends_the_wait(call: CallMethod) -> None:
    with pytest.raises(InvoiceExpiredError) as caught:
        call(Script(UNPAID, lambda: reply(status="expired")), "wait_for_payment", ID, **FAST)
    assert caught.value.invoice is not None
    assert caught.value.invoice.status == "expired"


def test_the_service_says_by_its_date_that_the_time_is_up(call_everywhere: CallMethod) -> None:
    def an_hour_later() -> httpx.Response:
        response = reply()
        response.headers["Date"] = format_datetime(datetime.now(UTC) + timedelta(hours=1, seconds=5), usegmt=True)
        return response

    with pytest.raises(InvoiceExpiredError):
        call_everywhere(Script(UNPAID, an_hour_later), "wait_for_payment", ID, **FAST)


def test_a_changed_amount_ends_the_wait(call: CallMethod) -> None:
    with pytest.raises(InvoiceMismatchError, match="was over 123456 satoshi and is over 12345600 satoshi now"):
        call(Script(UNPAID, lambda: reply(amount=12345600)), "wait_for_payment", ID, **FAST)


def test_the_time_is_up(call: CallMethod) -> None:
    with pytest.raises(PaymentTimeoutError) as caught:
        call(Script(UNPAID), "wait_for_payment", ID, timeout=0.05, **FAST)
    assert caught.value.invoice is not None
    assert caught.value.invoice.id == ID


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_time_is_up_although_the_clock_stands_still(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    still = SimpleNamespace(monotonic=lambda: 1000.0)  # as tests make it that freeze time
    monkeypatch.setattr(client_module, "time", still)
    monkeypatch.setattr(async_client_module, "time", still)
    service = Script(UNPAID)
    began = time.monotonic()
    with pytest.raises(PaymentTimeoutError):
        (call_sync if kind == "sync" else call_async)(service, "wait_for_payment", ID, timeout=0.3, poll_interval=0.1)
    assert 0.3 <= time.monotonic() - began < 3
    assert 3 <= len(service.requests) <= 8


def test_the_time_is_up_and_nobody_knows(call: CallMethod) -> None:
    with pytest.raises(PaymentTimeoutError, match="it may be paid: fetch it again") as caught:
        call(Script(lambda: reply(503)), "wait_for_payment", ID, timeout=0.05, client={"max_retries": 0}, **FAST)
    assert caught.value.invoice is None


@each_row(
    ("argument", "value"),
    [("invoice", 7), ("invoice_id", ""), ("timeout", 0), ("poll_interval", 0), ("on_poll", "print")],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(argument: str, value: Any, call: CallMethod) -> None:
    service = Script(PAID)
    arguments: dict[str, Any] = {} if argument.startswith("invoice") else {argument: value}
    with pytest.raises(InvalidArgumentError) as caught:
        call(service, "wait_for_payment", value if argument.startswith("invoice") else ID, **arguments)
    assert (caught.value.argument, service.requests) == (argument, [])


# Ended from outside


def test_closing_the_client_from_another_thread_ends_the_wait_at_once() -> None:
    looked = threading.Event()
    with httpx.Client(transport=httpx.MockTransport(Script(UNPAID))) as http_client:
        client = LightningClient(API_KEY, API_SECRET, http_client=http_client)
        closing = threading.Thread(target=lambda: (looked.wait(10), client.close()))
        closing.start()
        began = time.monotonic()
        with pytest.raises(ConfigurationError, match="this client is closed"):
            client.wait_for_payment(ID, poll_interval=3000, on_poll=lambda invoice: looked.set())
        closing.join()
    assert time.monotonic() - began < 60  # and not an hour


def test_closing_the_client_from_another_task_ends_the_wait_at_once() -> None:
    async def run() -> None:
        looked = asyncio.Event()
        async with httpx.AsyncClient(transport=httpx.MockTransport(Script(UNPAID))) as http_client:
            client = AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client)
            waiting = asyncio.create_task(
                client.wait_for_payment(ID, poll_interval=3000, on_poll=lambda invoice: looked.set())
            )
            await looked.wait()
            await client.aclose()
            with pytest.raises(ConfigurationError, match="this client is closed"):
                await asyncio.wait_for(waiting, 60)

    asyncio.run(run())


def test_cancelling_the_task_ends_the_wait_and_leaves_the_client_usable() -> None:
    async def run() -> None:
        looked = asyncio.Event()
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(Script(UNPAID))) as http_client,
            AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
        ):
            waiting = asyncio.create_task(
                client.wait_for_payment(ID, poll_interval=3000, on_poll=lambda invoice: looked.set())
            )
            await looked.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not (await client.get_invoice(ID)).is_paid

    asyncio.run(run())


def test_many_waits_share_one_client() -> None:
    async def run() -> list[Invoice]:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(Script(*[UNPAID] * 40, PAID))) as http_client,
            AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
        ):
            return await asyncio.gather(*(client.wait_for_payment(ID, **FAST) for _ in range(20)))

    assert all(invoice.is_paid for invoice in asyncio.run(run()))
