"""What interrupts a call leaves it as it is, and the idempotency key leaves with it: in a note, or in the log."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

from tazapay_lightning import AsyncLightningClient, LightningClient
from tests.support.clients import async_client, each_async_kind
from tests.support.served import HandlerServer
from tests.support.service import API_KEY, API_SECRET, envelope, invoice_object

KEY = re.compile(r"idempotency_key='([^']+)'")
Way = Callable[[Awaitable[object], Callable[[Callable[[], object]], None]], Awaitable[object]]

UNREACHABLE = "http://127.0.0.1:9"
"""Nobody listens there: a request never goes out."""


class Service:
    """Plays the service, and tells of each request when it is there.

    Args:
        interrupt: called when a phase has come.
        phase: "reply": the service has the request and says nothing; "wait": it has failed, and the next attempt waits.
        status: what the service answers in the phase "wait".
    """

    def __init__(self, phase: str, status: int = 503) -> None:
        self.phase = phase
        self.status = status
        self.interrupt: Callable[[], object] = lambda: None
        self.keys: list[str] = []
        self.over = threading.Event()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["idempotency-key"])
        if self.phase == "reply":
            self.interrupt()
            self.over.wait(30)
        return httpx.Response(self.status, headers={"Retry-After": "60"}, stream=httpx.ByteStream(b"{}"))

    def emit(self, record: logging.LogRecord) -> bool:
        """Take a line of the log: the one of INFO says that the call begins to wait."""
        if self.phase == "wait" and "trying again" in record.getMessage():
            self.interrupt()
        return True


@pytest.fixture
def service(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Service]:
    played = Service(*request.param)
    caplog.set_level(logging.INFO, "tazapay_lightning")
    logger = logging.getLogger("tazapay_lightning")
    logger.addFilter(played.emit)
    yield played
    logger.removeFilter(played.emit)
    played.over.set()


each_phase = pytest.mark.parametrize("service", [("reply",), ("wait",)], indirect=True, ids=["reply", "wait"])


def notes_of(error: BaseException | None) -> list[str]:
    """Return what a traceback shows: the notes of an exception and of those that led to it."""
    notes: list[str] = []
    while error is not None:
        notes += getattr(error, "__notes__", [])
        error = error.__cause__ or error.__context__
    return notes


@each_phase
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_signal_leaves_a_blocking_call_with_the_key(
    kind: type[BaseException], service: Service, handler_server: HandlerServer, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_it(number: int, frame: object) -> None:
        raise kind

    before = signal.signal(signal.SIGUSR1, raise_it)
    service.interrupt = lambda: os.kill(os.getpid(), signal.SIGUSR1)
    try:
        with (
            handler_server.serving(service) as base_url,
            LightningClient(API_KEY, API_SECRET, base_url=base_url) as client,
            pytest.raises(kind) as caught,
        ):
            client.create_invoice(amount_sats=1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    (note,) = notes_of(caught.value)
    assert KEY.findall(note) == service.keys
    assert "an invoice may exist" in note
    assert "was cancelled" not in caplog.text, "a program that ends says it once"


async def cancelled(call: Awaitable[object], when: Callable[[Callable[[], object]], None]) -> object:
    task = asyncio.ensure_future(call)
    when(task.cancel)
    return await task


async def timed_out(call: Awaitable[object], when: Callable[[Callable[[], object]], None]) -> object:
    async with asyncio.timeout(None) as limit:
        when(lambda: limit.reschedule(0))
        return await call


async def failed_after(call: Awaitable[object], when: Callable[[Callable[[], object]], None]) -> object:
    with anyio.fail_after(None) as scope:
        when(lambda: setattr(scope, "deadline", 0))
        return await call


async def left_by_its_group(call: Awaitable[object], when: Callable[[Callable[[], object]], None]) -> None:
    async def fail(now: asyncio.Event) -> None:
        await now.wait()
        raise RuntimeError("another task failed")

    now = asyncio.Event()
    when(now.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(now))
        await call


async def interrupted(service: Service, way: Way, client: AsyncLightningClient) -> list[str]:
    """Interrupt a call in a way, and return the notes of what comes out."""
    loop = asyncio.get_running_loop()

    def when(interrupt: Callable[[], object]) -> None:
        service.interrupt = lambda: loop.call_soon_threadsafe(interrupt)

    async with client:
        try:
            await way(client.create_invoice(amount_sats=1), when)
        except BaseException as error:  # noqa: BLE001 - which kind comes out is up to the way
            return notes_of(error)
        raise AssertionError("nothing came out")


@each_phase
@each_async_kind
@pytest.mark.parametrize("way", [cancelled, timed_out, failed_after, left_by_its_group])
def test_cancelling_leaves_an_asynchronous_call_with_the_key(
    way: Way, kind: str, service: Service, handler_server: HandlerServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What comes out of asyncio has the note; anyio and task groups raise errors of their own: see the log."""
    with handler_server.serving(service) as base_url:
        notes = asyncio.run(interrupted(service, way, async_client(kind, base_url)))
        service.over.set()
    if way in {cancelled, timed_out}:
        assert [KEY.findall(note) for note in notes] == [service.keys]
    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert KEY.findall(line.getMessage()) == service.keys
    assert "was cancelled; idempotency key" in line.getMessage()


@pytest.mark.parametrize("service", [("wait",), ("wait", 429)], indirect=True, ids=["nobody there", "429"])
@each_async_kind
def test_a_call_that_made_nothing_says_so_when_it_is_cancelled(
    kind: str,
    service: Service,
    handler_server: HandlerServer,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with handler_server.serving(service) as base_url:
        address = base_url if service.status == 429 else UNREACHABLE
        (note,) = asyncio.run(interrupted(service, cancelled, async_client(kind, address)))
    assert note.endswith(": no invoice was made")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_an_interrupted_load_says_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until httpx is loaded, the first call, nothing is in doubt."""
    client = LightningClient(API_KEY, API_SECRET, base_url=UNREACHABLE)

    def interrupt() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(client._calls, "_backend", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.create_invoice(amount_sats=1, idempotency_key="order-1")
    assert notes_of(caught.value) == ["idempotency key order-1: nothing was sent"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_while_the_reply_is_read_has_the_key(kind: type[BaseException]) -> None:
    class Reply(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield envelope(invoice_object(amount=1))[:20]
            raise kind

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Reply()))
    with (
        httpx.Client(transport=transport) as http_client,
        LightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
        pytest.raises(kind) as caught,
    ):
        client.create_invoice(amount_sats=1, idempotency_key="order-1")
    assert KEY.findall(notes_of(caught.value)[0]) == ["order-1"]


def test_ctrl_c_in_a_program_of_asyncio_shows_the_key(handler_server: HandlerServer) -> None:
    """The main task is cancelled, and asyncio raises KeyboardInterrupt out of that."""
    service = Service("reply")
    service.interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)

    async def main(base_url: str) -> None:
        async with async_client("async", base_url) as client:
            await client.create_invoice(amount_sats=1)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with handler_server.serving(service) as base_url, pytest.raises(KeyboardInterrupt) as caught:
            asyncio.run(main(base_url))
    finally:
        signal.signal(signal.SIGINT, before)
        service.over.set()
    assert KEY.findall(" ".join(notes_of(caught.value))) == service.keys


class Interrupted(BaseException):
    """What a signal handler raises."""


class At:
    """Raises `Interrupted` at one of the lines of the wrapper that run once the request is out."""

    def __init__(self, line: int, sent: list[str]) -> None:
        self.left = line
        self.sent = sent

    def __call__(self, frame: FrameType, event: str, arg: object) -> At | None:
        if not frame.f_globals.get("__name__", "").startswith("tazapay_lightning."):
            return None
        # what is raised in a finalizer, of another test's objects for instance, Python does not let out of it
        if self.sent and event == "line" and frame.f_code.co_name != "__del__":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                raise Interrupted
        return self


def test_an_interruption_at_any_line_after_the_request_loses_no_key() -> None:
    sent: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["idempotency-key"])
        return httpx.Response(200, content=envelope(invoice_object(id=f"l11_{sent[-1]}", amount=1)))

    before, lines = sys.gettrace(), 0
    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as http_client,
        LightningClient(API_KEY, API_SECRET, http_client=http_client) as client,
    ):
        client.create_invoice(amount_sats=1)  # loads everything
        for lines in range(10_000):
            sent.clear()
            sys.settrace(At(lines, sent))
            try:
                client.create_invoice(amount_sats=1)
                break
            except Interrupted as error:
                noted = KEY.findall(" ".join(notes_of(error)))
            finally:
                sys.settrace(before)
            assert noted == sent
    assert 100 < lines < 10_000
