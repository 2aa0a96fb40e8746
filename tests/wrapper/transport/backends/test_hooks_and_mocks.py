"""Clients whose hooks raise, HTTP mocks that stand where the network would, and event loops that are not asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sniffio

from tazapay_lightning import (
    APIConnectionError,
    APIStatusError,
    AsyncLightningClient,
    AuthenticationError,
    ConfigurationError,
    Invoice,
    LightningClient,
    ServerError,
    UnexpectedResponseError,
)
from tests.support.service import API_KEY, API_SECRET, Answering, envelope, invoice_object
from tests.support.tables import each_row

KINDS = pytest.mark.parametrize("kind", ["sync", "async"])
REFUSED = b'{"status": "error", "errors": [{"code": 111, "message": "no such key"}]}'

Hook = Callable[[httpx.Response], None]


def create(kind: str, handler: Answering, hook: Hook, *, reads: bool = False) -> Invoice:
    """Create an invoice with a client of the caller's, whose hook reads the response or not, and then does this."""

    def blocking(response: httpx.Response) -> None:
        if reads:
            response.read()
        hook(response)

    async def waiting(response: httpx.Response) -> None:
        if reads:
            await response.aread()
        hook(response)

    async def run() -> Invoice:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(transport=transport, event_hooks={"response": [waiting]}) as http_client:
            client = AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client, max_retries=1)
            return await client.create_invoice(amount_sats=123456, idempotency_key="order-1")

    if kind == "async":
        return asyncio.run(run())
    with httpx.Client(transport=httpx.MockTransport(handler), event_hooks={"response": [blocking]}) as http_client:
        client = LightningClient(API_KEY, API_SECRET, http_client=http_client, max_retries=1)
        return client.create_invoice(amount_sats=123456, idempotency_key="order-1")


def raise_for_status(response: httpx.Response) -> None:
    response.raise_for_status()


def raise_another(response: httpx.Response) -> None:
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise LookupError("refused") from error


@KINDS
@pytest.mark.parametrize("hook", [raise_for_status, raise_another])
@pytest.mark.parametrize("reads", [True, False], ids=["with its body", "without"])
def test_a_status_that_a_hook_raises_for_is_the_error_of_that_status(hook: Hook, reads: bool, kind: str) -> None:
    handler = Answering(401, REFUSED)
    with pytest.raises(AuthenticationError) as caught:
        create(kind, handler, hook, reads=reads)
    error = caught.value
    assert (error.outcome_unknown, error.idempotency_key, len(handler.requests)) == (False, "order-1", 1)
    assert error.message == ("no such key" if reads else "")


@pytest.mark.usefixtures("quick_retries")
@KINDS
@each_row("status", [301, 400, 404, 409, 429, 500, 503])
def test_each_status_is_tried_again_as_without_the_hook(status: int, kind: str) -> None:
    handlers = Answering(status, b""), Answering(status, b"")
    known = []
    for handler, hook in zip(handlers, (raise_for_status, lambda response: None), strict=True):
        with pytest.raises(APIStatusError) as caught:
            create(kind, handler, hook)
        known.append((type(caught.value), caught.value.outcome_unknown, caught.value.attempts, len(handler.requests)))
    assert known[0] == known[1]


@KINDS
def test_a_hook_that_raises_for_a_success_leaves_the_outcome_unknown(kind: str) -> None:
    def refuse(response: httpx.Response) -> None:
        raise httpx.HTTPStatusError("not as I like it", request=response.request, response=response)

    with pytest.raises(UnexpectedResponseError) as caught:
        create(kind, Answering(200), refuse)
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (True, "order-1")


@KINDS
def test_the_status_of_a_hooks_own_request_is_no_status_of_the_call(kind: str) -> None:
    def ask_elsewhere(response: httpx.Response) -> None:
        httpx.Response(404, request=httpx.Request("GET", "https://elsewhere.example")).raise_for_status()

    with pytest.raises(APIConnectionError) as caught:
        create(kind, Answering(200), ask_elsewhere)
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (True, "order-1")


@KINDS
def test_whatever_else_a_hook_raises_is_one_documented_error_and_tried_once(kind: str) -> None:
    def fail(response: httpx.Response) -> None:
        raise ValueError("a mistake in the hook")

    handler = Answering(200)
    with pytest.raises(UnexpectedResponseError, match="ValueError") as caught:
        create(kind, handler, fail)
    assert (caught.value.outcome_unknown, len(handler.requests)) == (True, 1)


def call_mocked(kind: str, response: httpx.Response, monkeypatch: pytest.MonkeyPatch) -> Invoice:
    """Create an invoice where the transports answer by themselves, as respx, pytest-httpx and vcrpy have it."""

    async def answer(*_: object) -> httpx.Response:
        return response

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: response)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    return create_by_itself(kind)


def create_by_itself(kind: str) -> Invoice:
    """Create an invoice with a client that has connections of its own."""
    if kind == "sync":
        with LightningClient(API_KEY, API_SECRET, max_retries=0) as client:
            return client.create_invoice(amount_sats=123456)

    async def run() -> Invoice:
        async with AsyncLightningClient(API_KEY, API_SECRET, max_retries=0) as client:
            return await client.create_invoice(amount_sats=123456)

    return asyncio.run(run())


@KINDS
def test_a_mock_of_the_transport_needs_no_network_stream(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    response = httpx.Response(200, content=envelope(invoice_object()))
    assert call_mocked(kind, response, monkeypatch).amount_sats == 123456


@KINDS
def test_so_does_one_of_an_error(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerError, match="out of order"):
        call_mocked(kind, httpx.Response(503, json={"message": "out of order"}), monkeypatch)


@KINDS
@each_row(
    ("failure", "outcome_unknown"),
    [
        (httpx.ReadTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
        (httpx.WriteError, True),
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
    ],
    ids=str,
)
def test_a_failure_that_a_mock_raises_leaves_the_outcome_as_the_real_one_would(
    kind: str, failure: type[httpx.TransportError], outcome_unknown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing traces the steps of a request that a mock answers."""

    def fail(*_: object) -> httpx.Response:
        raise failure("as a mock raises it")

    async def fail_async(*_: object) -> httpx.Response:
        return fail()

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", fail)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail_async)
    with pytest.raises(APIConnectionError) as caught:
        create_by_itself(kind)
    assert caught.value.outcome_unknown is outcome_unknown


def test_under_trio_aiohttp_is_refused_with_what_to_do() -> None:
    client = AsyncLightningClient(API_KEY, API_SECRET, base_url="http://127.0.0.1:9", backend="aiohttp")
    backend: Any = client._calls._backend()
    token = sniffio.current_async_library_cvar.set("trio")
    try:
        with pytest.raises(ConfigurationError, match='backend="aiohttp" runs under asyncio only.*take backend="httpx"'):
            backend._open()
    finally:
        sniffio.current_async_library_cvar.reset(token)


@KINDS
def test_a_group_of_failures_is_the_failure_of_the_connection_that_it_is(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As trio raises it, after it has tried all addresses of a host."""
    group = OSError("all attempts to connect failed")
    group.__cause__ = ExceptionGroup("attempts", [ConnectionRefusedError("refused")])

    def refuse(*_: object) -> httpx.Response:
        raise httpx.ConnectError("all attempts to connect failed") from group

    async def refuse_async(*_: object) -> httpx.Response:
        return refuse()

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refuse_async)
    with pytest.raises(APIConnectionError, match="nothing listens there") as caught:
        create_by_itself(kind)
    assert not caught.value.outcome_unknown
