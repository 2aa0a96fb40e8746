"""The clients that are compared: each as a function that makes one call with a kept connection, as its users would."""

from __future__ import annotations

import http.client
import importlib
import inspect
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from benchmarks.payload import ARGUMENTS, BODY, CREDENTIALS, HEADERS, KEY, PATH, STRIPE_BODY

__all__ = [
    "ASYNCHRONOUS",
    "HTTP_CLIENT",
    "OURS",
    "OURS_ON_AIOHTTP",
    "OURS_WITH_REQUEST",
    "SYNCHRONOUS",
    "THREADED",
    "has_backend",
]

HTTP_CLIENT = "http.client"
OURS = "tazapay-lightning"
OURS_WITH_REQUEST = "tazapay-lightning, the reply with a payment request"
OURS_ON_AIOHTTP = 'tazapay-lightning, backend="aiohttp"'

_MANY_SECONDS = 60  # httpx would give up after 5, which 500 calls at once can take


_Blocking = tuple[Callable[[], object], Callable[[], object]]  # a call, and closing
_Asynchronous = tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]


def _like_httpx(package: str, name: str = "Client") -> Callable[[str], _Blocking]:
    def make(url: str) -> _Blocking:
        client = getattr(importlib.import_module(package), name)()
        return lambda: client.post(url + PATH, json=BODY, headers=HEADERS).json(), client.close

    return make


def _generated(url: str) -> _Blocking:
    from tazapay_lightning_api.api.default import create_lightning_invoice
    from tazapay_lightning_api.client import Client
    from tazapay_lightning_api.models import CreateLightningInvoiceRequest

    client = Client(base_url=url, headers={"Authorization": HEADERS["Authorization"]})

    def call() -> object:
        body = CreateLightningInvoiceRequest(**BODY)
        return create_lightning_invoice.sync(client=client, body=body, idempotency_key=KEY)

    return call, client.get_httpx_client().close


def _stripe(url: str) -> _Blocking:
    client = importlib.import_module("stripe").StripeClient("sk_test_benchmark", base_addresses={"api": url})
    return lambda: client.v1.payment_intents.create(STRIPE_BODY, {"idempotency_key": KEY}), lambda: None


def _openai(url: str) -> _Blocking:
    client = importlib.import_module("openai").OpenAI(api_key="benchmark", base_url=url)
    return lambda: client.post(PATH, cast_to=object, body=BODY, options={"headers": HEADERS}), client.close


def _ours(url: str) -> _Blocking:
    from tazapay_lightning import LightningClient

    client = LightningClient(*CREDENTIALS, base_url=url)
    return lambda: client.create_invoice(**ARGUMENTS, idempotency_key=KEY), client.close


def _http_client(url: str) -> _Blocking:
    """The least that Python's own library needs: the bytes of the body ready, a kept connection for each thread."""
    kept = threading.local()
    opened: list[http.client.HTTPConnection] = []
    headers, content = {**HEADERS, "Content-Type": "application/json"}, json.dumps(BODY, separators=(",", ":")).encode()
    address = urlsplit(url)

    def connect() -> http.client.HTTPConnection:
        connection = kept.connection = http.client.HTTPConnection(address.netloc)  # with TCP_NODELAY by itself
        opened.append(connection)
        return connection

    def call() -> object:
        connection = getattr(kept, "connection", None) or connect()
        connection.request("POST", address.path + PATH, content, headers)
        return json.loads(connection.getresponse().read())

    def close() -> None:
        for connection in opened:
            connection.close()

    return call, close


SYNCHRONOUS: dict[str, Callable[[str], _Blocking]] = {
    HTTP_CLIENT: _http_client,
    "httpx": _like_httpx("httpx"),
    "httpx2": _like_httpx("httpx2"),
    "requests": _like_httpx("requests", "Session"),
    "generated client": _generated,
    "stripe": _stripe,
    "openai": _openai,
    OURS: _ours,
    OURS_WITH_REQUEST: lambda url: _ours(url + "/requested"),
}


THREADED = {name: SYNCHRONOUS[name] for name in (HTTP_CLIENT, "httpx", OURS)}


def _asynchronous_like_httpx(package: str, name: str = "AsyncClient") -> Callable[[str], _Asynchronous]:
    def make(url: str) -> _Asynchronous:
        client = getattr(importlib.import_module(package), name)(timeout=_MANY_SECONDS)

        async def call() -> object:
            return (await client.post(url + PATH, json=BODY, headers=HEADERS)).json()

        return call, client.aclose

    return make


def _aiohttp(url: str) -> _Asynchronous:
    session = importlib.import_module("aiohttp").ClientSession()

    async def call() -> object:
        async with session.post(url + PATH, json=BODY, headers=HEADERS) as response:
            return await response.json()

    return call, session.close


def _ours_asynchronous(**options: Any) -> Callable[[str], _Asynchronous]:
    def make(url: str) -> _Asynchronous:
        from tazapay_lightning import AsyncLightningClient

        client = AsyncLightningClient(*CREDENTIALS, base_url=url, **options)
        return lambda: client.create_invoice(**ARGUMENTS, idempotency_key=KEY), client.aclose

    return make


def has_backend() -> bool:
    """Tell whether the client can be told which library to speak HTTP through."""
    from tazapay_lightning import AsyncLightningClient

    return "backend" in inspect.signature(AsyncLightningClient).parameters


ASYNCHRONOUS: dict[str, Callable[[str], _Asynchronous]] = {
    "httpx": _asynchronous_like_httpx("httpx"),
    "httpx2": _asynchronous_like_httpx("httpx2"),
    "aiohttp": _aiohttp,
    "httpx-aiohttp": _asynchronous_like_httpx("httpx_aiohttp", "HttpxAiohttpClient"),
    OURS: _ours_asynchronous(),
    OURS_ON_AIOHTTP: _ours_asynchronous(backend="aiohttp"),
}
