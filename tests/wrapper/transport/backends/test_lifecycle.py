"""Calls that are cancelled, clients that are closed in the middle of one, and clients that are never closed."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
import trustme

from tazapay_lightning import (
    APIConnectionError,
    APITimeoutError,
    AsyncLightningClient,
    ConfigurationError,
    Invoice,
    LightningClient,
    UnexpectedResponseError,
)
from tests.support.clients import ASYNC_KINDS, async_client, each_async_kind
from tests.support.service import API_KEY, API_SECRET, Answering, Listener, read_request
from tests.support.wire import Recorder, reply

Listen = Callable[[Callable[[socket.socket], None]], Listener]
GOOD = reply()


class Holding:
    """Answers when it is told to; until then a request is under way."""

    def __init__(self, *, before: bytes = b"") -> None:
        self._before = before
        self.arrived = threading.Event()
        self.go_on = threading.Event()
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            self.requests.append(request)
            connection.sendall(self._before)
            self.arrived.set()
            self.go_on.wait(10)
            connection.sendall(GOOD[len(self._before) :])


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


@each_async_kind
@pytest.mark.parametrize("before", [b"", GOOD[:30], GOOD[:-20]], ids=["no reply", "half a head", "half a body"])
def test_a_cancelled_call_is_cancelled_and_its_connection_not_used_again(
    before: bytes, kind: str, listen: Listen
) -> None:
    server = Holding(before=before)

    async def run(base_url: str) -> Invoice:
        async with async_client(kind, base_url, max_retries=0) as client:
            task = asyncio.create_task(client.create_invoice(amount_sats=1))
            await until(server.arrived)
            await asyncio.sleep(0.02)  # what was said so far has to come through the kernel
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            server.go_on.set()  # the late rest of that reply is for no call
            return await client.create_invoice(amount_sats=1)

    listener = listen(server)
    assert asyncio.run(run(f"http://127.0.0.1:{listener.port}")).id == "l11_abc123xyz"
    assert len(server.requests) == 2


@each_async_kind
def test_a_call_that_is_cancelled_before_it_runs_sends_nothing(kind: str, listen: Listen) -> None:
    server = Recorder(GOOD)

    async def run(base_url: str) -> None:
        async with async_client(kind, base_url) as client:
            task = asyncio.create_task(client.create_invoice(amount_sats=1))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run(f"http://127.0.0.1:{listen(server).port}"))
    assert server.requests == []


@each_async_kind
def test_whichever_step_is_cancelled_the_client_stays_usable(kind: str, listen: Listen) -> None:
    server = Recorder(GOOD)

    async def run(base_url: str) -> None:
        async with async_client(kind, base_url, max_retries=0) as client:
            for steps in range(30):
                task = asyncio.create_task(client.create_invoice(amount_sats=1, idempotency_key="order-1"))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            assert (await client.create_invoice(amount_sats=1, idempotency_key="order-1")).amount_sats == 1

    asyncio.run(run(f"http://127.0.0.1:{listen(server).port}"))


@each_async_kind
@pytest.mark.parametrize("before", [b"", GOOD[:30], GOOD[:-20]], ids=["no reply", "half a head", "half a body"])
def test_closing_a_client_ends_the_call_that_it_is_in_and_leaves_its_outcome_unknown(
    before: bytes, kind: str, listen: Listen
) -> None:
    server = Holding(before=before)

    async def run(base_url: str) -> None:
        client = async_client(kind, base_url)
        task = asyncio.create_task(client.create_invoice(amount_sats=1, idempotency_key="order-1"))
        await until(server.arrived)
        await asyncio.sleep(0.02)  # what was said so far has to come through the kernel
        await client.aclose()
        with pytest.raises((APIConnectionError, ConfigurationError)) as caught:
            await asyncio.wait_for(task, 10)
        assert isinstance(caught.value, ConfigurationError) or caught.value.outcome_unknown

    try:
        asyncio.run(run(f"http://127.0.0.1:{listen(server).port}"))
    finally:
        server.go_on.set()
    assert len(server.requests) == 1


def test_closing_a_client_that_looks_up_a_name_is_no_cancellation_and_has_sent_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Aiohttp cancels its lookups when it closes."""

    async def run() -> None:
        looking_up = asyncio.Event()

        async def never(*_: object, **options: object) -> None:
            looking_up.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        client = async_client("aiohttp", "http://localhost:9")
        task = asyncio.create_task(client.create_invoice(amount_sats=1))
        await looking_up.wait()
        await client.aclose()
        with pytest.raises(APIConnectionError, match="closed meanwhile") as caught:
            await asyncio.wait_for(task, 10)
        assert (caught.value.outcome_unknown, task.cancelling()) == (False, 0)

    asyncio.run(run())


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("aiohttp", "connections"):
        monkeypatch.setattr(f"tazapay_lightning.transport.backends.{module}.MAX_CONNECTIONS", 1)


@each_async_kind
@pytest.mark.usefixtures("one_connection")
def test_a_call_that_waits_for_a_connection_ends_with_the_client_and_has_sent_nothing(
    kind: str, listen: Listen
) -> None:
    server = Holding()

    async def run(base_url: str) -> None:
        client = async_client(kind, base_url, max_retries=0)
        calls = [asyncio.create_task(client.create_invoice(amount_sats=1)) for _ in range(2)]
        await until(server.arrived)
        await client.aclose()
        under_way, waiting = await asyncio.gather(*calls, return_exceptions=True)
        server.go_on.set()
        assert isinstance(under_way, APIConnectionError)
        assert isinstance(waiting, APIConnectionError)
        assert (under_way.outcome_unknown, waiting.outcome_unknown) == (True, False)

    asyncio.run(run(f"http://127.0.0.1:{listen(server).port}"))
    assert len(server.requests) == 1


@each_async_kind
@pytest.mark.usefixtures("one_connection")
def test_no_call_overtakes_those_that_wait_for_a_connection(kind: str, listen: Listen) -> None:
    ended = []

    async def run(base_url: str) -> None:
        async with async_client(kind, base_url) as client:

            async def call(name: str) -> None:
                for _ in range(3):
                    await client.create_invoice(amount_sats=1, idempotency_key="order-1")
                    ended.append(name)

            await asyncio.gather(*map(call, "abc"))

    asyncio.run(run(f"http://127.0.0.1:{listen(Recorder(GOOD)).port}"))
    assert ended == list("abc" * 3)


def test_closing_a_blocking_client_in_the_middle_of_a_call_claims_nothing(listen: Listen) -> None:
    server = Holding()
    client = LightningClient(
        API_KEY, API_SECRET, base_url=f"http://127.0.0.1:{listen(server).port}", max_retries=0, timeout=2
    )
    ends: list[object] = []

    def create() -> None:
        try:
            ends.append(client.create_invoice(amount_sats=1))
        except APIConnectionError as error:
            ends.append(error.outcome_unknown)

    working = threading.Thread(target=create)
    working.start()
    assert server.arrived.wait(10)
    client.close()
    server.go_on.set()
    working.join(10)
    assert ends == [True]


@pytest.fixture
def slow_handshake(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    arrived, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        arrived.set()
        go_on.wait(10)
        try:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                if read_request(encrypted):
                    encrypted.sendall(GOOD)
                    encrypted.recv(1)  # until the client closes
        finally:
            ended.set()

    return serve, arrived, go_on, ended


async def no_socket_is_watched() -> None:
    """Wait until the event loop watches nothing but the pipe that wakes it."""
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]  # private, and the only one to know
    while len(selector.get_map()) > 1:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.001)


@each_async_kind
def test_a_connection_that_was_being_opened_when_the_client_closed_does_not_stay_open(
    kind: str, slow_handshake: Any, listen: Listen
) -> None:
    serve, arrived, go_on, ended = slow_handshake

    async def run(base_url: str) -> None:
        client = async_client(kind, base_url, max_retries=0)
        task = asyncio.create_task(client.create_invoice(amount_sats=1))
        await until(arrived)
        await client.aclose()
        go_on.set()
        with suppress(APIConnectionError):
            await asyncio.wait_for(task, 10)
        await until(ended)
        await asyncio.wait_for(no_socket_is_watched(), 10)  # TLS says goodbye in several turns of the event loop

    asyncio.run(run(f"https://localhost:{listen(serve).port}"))
    gc.collect()  # an open socket would be a ResourceWarning, which is an error here


def test_nor_does_one_of_a_blocking_client(slow_handshake: Any, listen: Listen) -> None:
    serve, arrived, go_on, ended = slow_handshake
    client = LightningClient(API_KEY, API_SECRET, base_url=f"https://localhost:{listen(serve).port}", max_retries=0)
    working = threading.Thread(target=lambda: suppressed(client))
    working.start()
    assert arrived.wait(10)
    client.close()
    go_on.set()
    working.join(10)
    assert ended.wait(10)
    gc.collect()


def suppressed(client: LightningClient) -> None:
    with suppress(APIConnectionError):
        client.create_invoice(amount_sats=1)


@pytest.mark.parametrize("kind", [*ASYNC_KINDS, "httpx client of the caller's"])
def test_a_client_whose_library_was_closed_behind_its_back_says_so(kind: str, listen: Listen) -> None:
    server = Recorder(GOOD)

    async def run(base_url: str) -> None:
        own = httpx.AsyncClient(transport=httpx.MockTransport(Answering()))
        client = (
            async_client(kind, base_url)
            if kind in ASYNC_KINDS
            else AsyncLightningClient("k", "s", base_url=base_url, http_client=own)
        )
        await own.aclose()
        await client._calls._backend().aclose()  # as another task does in `aclose`
        with pytest.raises(APIConnectionError, match="closed meanwhile") as caught:
            await client.create_invoice(amount_sats=1)
        assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)

    asyncio.run(run(f"http://127.0.0.1:{listen(server).port}"))
    assert server.requests == []


@each_async_kind
def test_the_warning_of_a_client_that_was_never_closed_shows_no_credentials(
    kind: str, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the library's own ResourceWarning, as for a file that was never closed."""

    async def run(base_url: str) -> None:
        await async_client(kind, base_url).create_invoice(amount_sats=1)

    base_url = f"http://127.0.0.1:{listen(Recorder(GOOD)).port}"
    said = []
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        asyncio.run(run(base_url))
        gc.collect()
        while warned:  # each keeps what it is about, which may have more to say when it goes
            assert warned[0].category is ResourceWarning
            said.append(str(warned.pop(0).message))
            gc.collect()
    assert said
    assert not [secret for secret in (API_KEY, API_SECRET) if secret in caplog.text + "".join(said)]


@pytest.mark.parametrize("closing", [True, False], ids=["while it is closed", "otherwise"])
@each_async_kind
def test_a_runtime_error_is_the_end_of_a_closed_client_and_otherwise_unexpected(
    closing: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        client = async_client(kind, "http://127.0.0.1:9", max_retries=0)
        library: Any = client._calls._backend()

        async def fail(*given: object, **arguments: object) -> None:
            if closing and kind == "async":
                await library.aclose()
            elif closing:
                library._closed = True  # as another task has it, which has not closed the connections yet
            raise RuntimeError("the handler is closed")

        if kind == "async":
            monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
        else:
            monkeypatch.setattr("aiohttp.TCPConnector.connect", fail)
        with pytest.raises(APIConnectionError if closing else UnexpectedResponseError) as caught:
            await client.create_invoice(amount_sats=1)
        assert caught.value.outcome_unknown
        assert isinstance(caught.value.__cause__, RuntimeError)
        await client.aclose()

    asyncio.run(run())


@each_async_kind
def test_each_of_many_requests_ends_at_its_own_time(kind: str, listen: Listen) -> None:
    service = Holding()

    async def run() -> list[tuple[float, int]]:
        async with async_client(kind, f"http://127.0.0.1:{listen(service).port}", max_retries=0) as client:

            async def late(seconds: float) -> tuple[float, int]:
                with pytest.raises(APITimeoutError):
                    await client.create_invoice(amount_sats=1, timeout=seconds)
                task = asyncio.current_task()
                assert task is not None
                return seconds, task.cancelling()

            lasting = asyncio.create_task(client.create_invoice(amount_sats=1))
            ended = [await each for each in asyncio.as_completed([late(0.6), late(0.2), late(0.4)])]
            service.go_on.set()
            await lasting
            return ended

    assert asyncio.run(run()) == [(0.2, 0), (0.4, 0), (0.6, 0)]
