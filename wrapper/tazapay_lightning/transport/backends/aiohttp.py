"""The one door to aiohttp: what `httpx` beside it is to httpx, for a third of its time (extra ``[aiohttp]``).

A transport for httpx on aiohttp exists (httpx-aiohttp 0.2.0), but to it a connection that was lost after sending is a
timeout of connecting: an invoice that may exist would be called not created.
"""

from __future__ import annotations

import asyncio
import base64
import math
import select
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NoReturn
from weakref import WeakSet

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.backends.connections import KEEP_SECONDS, MOST_CONNECTIONS, client_closed_error
from tazapay_lightning.transport.backends.failures import not_reached
from tazapay_lightning.transport.backends.proxies import proxy_for
from tazapay_lightning.transport.bodies import Body
from tazapay_lightning.transport.exchange import Request, Response
from tazapay_lightning.transport.settings import Settings

__all__ = ["AsyncAiohttp"]

_WRONG_ADDRESS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)
# with a proxy that refuses, as with one that is not there, the service was not reached
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    *_WRONG_ADDRESS,
)
_FAILURES = (aiohttp.ClientError, OSError, UnicodeError)
_LONGEST_HEAD = 100 * 1024  # bytes; what httpx reads


class _LostError(aiohttp.ClientError):
    """Stands for a failure that aiohttp would answer with a second request; that one is its cause."""


class _Connector(aiohttp.TCPConnector):
    """Keeps connections, but none on which the other side has said something unasked since its last reply.

    The next request would take it for the answer to itself, and an order would be given another one's invoice. Nor is
    one used that has come to its end, which aiohttp learns only when it is the event loop's turn.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakSet[object] = WeakSet()
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    async def connect(self, *request: Any, **options: Any) -> aiohttp.connector.Connection:
        """Return a connection that is new, or silent since it was used."""
        while True:
            connection = await super().connect(*request, **options)
            if connection.transport is not None:
                self._transports.add(connection.transport)
            if connection.protocol not in self._used or _is_silent(connection):
                self._used.add(connection.protocol)
                return connection
            connection.close()

    async def abort(self) -> None:
        """End the connections that aiohttp has closed and no longer knows, but whose other side has not agreed.

        Over TLS that takes as long as the other side likes, and they would outlive the event loop.
        """
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(0)  # the event loop closes their sockets in its next turn


def _is_silent(connection: aiohttp.connector.Connection) -> bool:
    if connection.protocol is None or connection.protocol.should_close or connection.transport is None:
        return False
    at_the_moment = 0
    arrivals = select.poll() if hasattr(select, "poll") else None
    socket = connection.transport.get_extra_info("socket")
    if arrivals is None:  # pragma: no cover - Windows
        return not select.select([socket], [], [], at_the_moment)[0]
    arrivals.register(socket, select.POLLIN)
    return not arrivals.poll(at_the_moment)


class AsyncAiohttp:
    """Asynchronous requests. Safe to share between the tasks of one event loop.

    Args:
        settings: where to.
        certificates: whom to trust.

    Raises:
        ConfigurationError: the environment names a proxy that aiohttp does not speak to.
    """

    def __init__(self, settings: Settings, certificates: ssl.SSLContext) -> None:
        named = proxy_for(settings)
        proxy = None if named is None else URL(named)
        if proxy is not None and proxy.scheme not in {"http", "https"}:
            raise ConfigurationError(
                'backend="aiohttp" speaks to http and https proxies only; the environment names another kind for '
                f'{settings.base_url} (HTTPS_PROXY, ALL_PROXY): take backend="httpx"'
            )
        self._proxy = None if proxy is None else proxy.with_user(None)  # and without a password: messages name it
        self._proxy_headers = None if proxy is None else _proxy_headers(proxy)
        self._certificates = certificates
        self._session: aiohttp.ClientSession | None = None  # belongs to the loop, which is not known before
        self._closed = False

    async def exchange(self, request: Request, ends: float) -> Response:
        """Send a request and wait for the whole reply, until `ends` at most."""
        if self._closed:
            raise client_closed_error()
        session = self._session = self._session or self._open()
        body, headers, progress = None, {}, SimpleNamespace(is_connected=False)
        left = ends - time.monotonic()
        try:
            async with (
                asyncio.timeout(left),
                session.request(
                    request.method,
                    _address(request.url),
                    headers=request.headers,
                    data=request.content,
                    allow_redirects=False,
                    proxy=self._proxy,
                    proxy_headers=self._proxy_headers,
                    trace_request_ctx=progress,
                ) as response,
            ):
                body, headers = Body(response.status, ends), _joined(response.raw_headers)
                async for chunk in response.content.iter_any():
                    if not body.add(chunk):
                        break
        except (*_FAILURES, RuntimeError) as failure:
            if body is None or isinstance(failure, RuntimeError):
                _raise_translated(failure, request, session, progress.is_connected)
            try:
                body.broke_off(failure)
            except _FAILURES:
                _raise_translated(failure, request, session, progress.is_connected)
        return Response(response.status, headers, body.decoded(headers.get("content-encoding", "")))

    async def aclose(self) -> None:
        """Close the connections; a second time does nothing."""
        self._closed = True
        if self._session is not None:
            connector = self._session.connector
            await self._session.close()
            if isinstance(connector, _Connector):
                await connector.abort()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_Connector(
                ssl=self._certificates,
                limit=MOST_CONNECTIONS,
                keepalive_timeout=KEEP_SECONDS,
                timeout_ceil_threshold=math.inf,  # aiohttp rounds limits above 5 seconds up
            ),
            cookie_jar=aiohttp.DummyCookieJar(),  # cookies would go out again with the next call
            auto_decompress=False,  # a few kilobytes of gzip can be gigabytes; see `bodies`
            timeout=aiohttp.ClientTimeout(),
            middlewares=[_once],
            trace_configs=[_noting_connections()],
            max_line_size=_LONGEST_HEAD,
            max_field_size=_LONGEST_HEAD,
        )


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating GET and PUT, unasked and uncounted, when a kept connection turns out to be lost."""
    try:
        return await send(request)
    except _NEVER_SENT:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
        raise _LostError from failure


def _noting_connections() -> aiohttp.TraceConfig:
    """Have it noted for each request that it has a connection: before that, nothing of it can have been sent."""

    async def note(session: object, context: SimpleNamespace, event: object) -> None:
        context.trace_request_ctx.is_connected = True

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(note)
    config.on_connection_reuseconn.append(note)
    return config


@lru_cache(maxsize=64)  # most calls go to the one address of the operation that creates
def _address(url: str) -> URL:
    return URL(url, encoded=True)


def _proxy_headers(proxy: URL) -> dict[str, str] | None:
    """Return the credentials of a proxy's URL (RFC 7617), in UTF-8 like those that httpx sends."""
    if proxy.user is None and proxy.password is None:
        return None
    pair = f"{proxy.user or ''}:{proxy.password or ''}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case, repeated ones joined (RFC 9110, section 5.3)."""
    joined: dict[str, str] = {}
    for name, value in ((_text(name).lower(), _text(value)) for name, value in headers):
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _raise_translated(
    failure: Exception, request: Request, session: aiohttp.ClientSession, is_connected: bool
) -> NoReturn:
    """Raise the documented error that a failure of the connection amounts to."""
    if isinstance(failure, RuntimeError):
        if not session.closed:
            raise failure  # not what aiohttp says of a closed session
        raise client_closed_error(nothing_sent=False) from failure
    if isinstance(failure, _LostError) and isinstance(failure.__cause__, Exception):
        failure = failure.__cause__
    raise not_reached(
        failure,
        _words(failure),
        request,
        late=isinstance(failure, TimeoutError),
        nothing_sent=not is_connected or isinstance(failure, _NEVER_SENT),
        permanent=isinstance(failure, _WRONG_ADDRESS),
    ) from failure


def _words(failure: Exception) -> str:
    """Return what aiohttp says of a failure, and take the credentials off it, which it keeps with the request."""
    if isinstance(failure, aiohttp.ServerDisconnectedError):
        failure.message = "the connection was closed"  # and not half of a head, with whatever stands in it
        failure.args = (failure.message,)
    if not isinstance(failure, aiohttp.ClientResponseError):
        return str(failure)
    failure.request_info = failure.request_info._replace(headers=CIMultiDictProxy(CIMultiDict[str]()))
    failure.args = (failure.request_info, failure.history)
    if isinstance(failure, aiohttp.ClientHttpProxyError):
        return f"{failure.status} {failure.message}"
    return failure.message  # without the 400 that aiohttp gives to whatever is no HTTP
