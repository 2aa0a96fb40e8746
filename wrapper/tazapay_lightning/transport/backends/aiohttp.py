"""The one door to aiohttp: what `httpx` beside it is to httpx, for a third of its time (extra ``[aiohttp]``).

A transport for httpx on aiohttp exists (httpx-aiohttp 0.2.0), but to it a connection that was lost after sending is a
timeout of connecting: an invoice that may exist would be called not created.
"""

from __future__ import annotations

import asyncio
import base64
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import aiohttp
from sniffio import current_async_library
from yarl import URL

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.backends.connections import CLOSE_TIMEOUT, KEEPALIVE_SECONDS, MAX_CONNECTIONS
from tazapay_lightning.transport.backends.deadlines import Deadlines
from tazapay_lightning.transport.backends.environment import proxy_address, proxy_for
from tazapay_lightning.transport.backends.failures import client_closed_error, documented
from tazapay_lightning.transport.backends.httpx import Headers
from tazapay_lightning.transport.bodies import Body
from tazapay_lightning.transport.exchange import Request, Response
from tazapay_lightning.transport.settings import Settings

# HttpProcessingError: of aiohttp's parser in Python, from within a body
_FAILURES = (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError, UnicodeError)
_Result = TypeVar("_Result")
_LONG_BODY_BYTES = 1024 * 1024  # bytes; aiohttp warns of longer ones that it does not read by itself
_Arrivals = getattr(selectors, "PollSelector", selectors.SelectSelector)  # Windows has no poll
_MAX_HEAD_BYTES = 100 * 1024  # bytes; what httpx reads
_READING: dict[str, Any] = {
    "read_until_eof": True,  # a body without a length
    "auto_decompress": False,  # a few kilobytes of gzip can be gigabytes; see `bodies`
    "max_line_size": _MAX_HEAD_BYTES,
    "max_field_size": _MAX_HEAD_BYTES,
}
_NO_TIMEOUT = aiohttp.ClientTimeout()  # a call is bounded once, from outside


class _Connector(aiohttp.TCPConnector):
    """Keeps connections, and tells which of them are silent: on others a request must not be sent.

    What the other side has sent unasked would be taken for the reply, and an order be given another one's invoice. Nor
    is a connection silent that has come to its end, which aiohttp learns only when it is the event loop's turn.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(socket_factory=self._open, **options)
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._arrivals: WeakKeyDictionary[object, selectors.BaseSelector] = WeakKeyDictionary()

    def is_silent(self, connection: aiohttp.connector.Connection) -> bool:
        """Tell whether a connection is new, or silent since it was used.

        Raises:
            ClientConnectionError: it is new, and the other side has spoken already. On another it would do the same.
        """
        arrivals = self._arrivals.get(connection.protocol)
        if arrivals is not None:
            return not (connection.protocol.should_close or arrivals.select(0))  # type: ignore[union-attr]  # it has one
        arrivals = self._arrivals[connection.protocol] = _Arrivals()
        if connection.transport is not None:  # else it was lost at once, as aiohttp will find
            if connection.protocol.should_close:  # type: ignore[union-attr]  # it has one
                connection.close()
                raise aiohttp.ClientConnectionError("the other side spoke before it was asked")
            arrivals.register(connection.transport.get_extra_info("socket").fileno(), selectors.EVENT_READ)
        return True

    async def close(self, **options: Any) -> None:
        """Close the connections, also those that were given up while they were made, and wait until they are ended.

        Over TLS they last until the other side agrees, as long as it likes, and they would outlive the event loop.
        """
        await super().close(**options)
        ending = []
        for each in self._sockets:
            with suppress(OSError):  # it has ended, or has not begun
                each.shutdown(socket.SHUT_RDWR)
                ending.append(each)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while any(each.fileno() >= 0 for each in ending):  # noqa: ASYNC110 - the event loop sets no event
                    await asyncio.sleep(0)  # in its next turns it closes them

    def _open(self, address: tuple[Any, ...]) -> socket.socket:
        opened = socket.socket(*address[:3])
        self._sockets.add(opened)
        return opened


class AsyncAiohttp:
    """Asynchronous requests. Safe to share between the tasks of one event loop.

    Args:
        settings: of the client.
        certificates: the TLS settings.

    Raises:
        ConfigurationError: the environment names a proxy that aiohttp does not speak to.
    """

    def __init__(self, settings: Settings, certificates: ssl.SSLContext) -> None:
        self._proxy, self._proxy_address = _proxy(settings), proxy_address(settings)
        self._certificates, self._closed = certificates, False
        self._connector: _Connector | None = None  # belongs to the loop, which is not known before
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)  # aiohttp lets others overtake those that wait
        self._deadlines = Deadlines()

    async def exchange(self, request: Request, ends: float, read: Callable[[Response], _Result]) -> _Result:
        """Send a request, wait for the whole reply, until `ends` at most, and return what `read` makes of it.

        These are the steps of aiohttp's session, which takes others besides, and repeats a GET or PUT unasked.
        """
        connector = self._connector = self._connector or self._open()
        is_sent, failure = False, None
        response: Any = None
        body: Any = None
        try:
            with self._deadlines.ends_at(ends):
                async with self._places:
                    if self._closed:
                        raise client_closed_error()
                    while True:
                        asked = _message(request, self._proxy)  # anew: a proxy's headers are changed by connecting
                        connection = await connector.connect(asked, traces=[], timeout=_NO_TIMEOUT)
                        if connector.is_silent(connection):
                            break
                        connection.close()
                    try:
                        if time.monotonic() >= ends:  # a process can be stopped for as long as it likes
                            raise TimeoutError("the time was up before the request was sent")
                        is_sent = True
                        connection.protocol.set_response_params(skip_payload=request.method == "HEAD", **_READING)  # type: ignore[union-attr]  # it has one
                        response = await asked.send(connection)
                        await response.start(connection)
                        body = Body(response.status, ends)
                        while not response.content.at_eof() and body.add(await response.content.readany()):
                            pass
                    finally:
                        if response is None or not response.closed:  # as it is once all has come
                            (response or connection).close()
        except RuntimeError as closed:  # in one of several words, once the connector is closed
            if not self._closed:
                raise
            raise client_closed_error(nothing_sent=False) from closed
        except _FAILURES as found:
            failure = _without_request(found)
        if failure is not None and (body is None or body.is_success):  # out here it has no context: the request
            try:
                if self._closed:
                    raise client_closed_error(nothing_sent=not is_sent) from failure
                raise documented(failure, request, self._proxy_address, nothing_sent=not is_sent) from failure
            finally:
                del failure  # or this frame would hold it, and it this frame
        return read(_complete(response, body))

    async def aclose(self) -> None:
        """Close the connections, and end the requests under way; a second time does nothing."""
        self._closed = True
        self._deadlines.end()  # aiohttp would leave those that wait for more of a body, or have their lookups cancelled
        if self._connector is not None:
            await self._connector.close()

    def _open(self) -> _Connector:
        if current_async_library() != "asyncio":
            raise ConfigurationError('backend="aiohttp" runs under asyncio only: under trio take backend="httpx"')
        return _Connector(ssl=self._certificates, limit=0, keepalive_timeout=KEEPALIVE_SECONDS)


def _message(request: Request, proxy: Mapping[str, Any]) -> aiohttp.ClientRequest:
    content = request.content
    return aiohttp.ClientRequest(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        skip_auto_headers=None if content else ["Content-Type"],
        data=BytesIO(content) if content and len(content) > _LONG_BODY_BYTES else content,
        **proxy,
    )


def _without_request(failure: Exception) -> Exception:
    """Return a failure, or one of the same words if it holds the request with its headers, or half of a head."""
    if isinstance(failure, aiohttp.ServerDisconnectedError):
        return aiohttp.ClientConnectionError("the connection was closed")
    if isinstance(failure, aiohttp.ClientResponseError):  # aiohttp gives a status of 400 to what is no HTTP
        status = f"{failure.status} " if isinstance(failure, aiohttp.ClientHttpProxyError) else ""
        return aiohttp.ClientConnectionError(status + failure.message)
    return failure


def _complete(response: aiohttp.ClientResponse, body: Body) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if len(headers) < len(response.raw_headers) or not "".join(headers.values()).isascii():
        headers = dict(Headers(response.raw_headers).items())  # read as on the other backend
    content = body.decoded(headers.get("content-encoding", ""))
    return Response(response.status, headers, content, lambda: response._protocol.transport.abort())  # type: ignore[union-attr]  # noqa: SLF001 - nothing public tells of a connection that was given back


def _proxy(settings: Settings) -> dict[str, Any]:
    """Return the arguments for the environment's proxy: a URL that messages may name, and credentials (RFC 7617)."""
    named = proxy_for(settings)
    if named is None:
        return {}
    proxy = URL(named)
    if proxy.scheme not in {"http", "https"}:
        spoken = 'backend="aiohttp" speaks to http and https proxies only'
        named = f"the environment names another kind for {settings.base_url} (HTTPS_PROXY, ALL_PROXY)"
        raise ConfigurationError(f'{spoken}; {named}: take backend="httpx"')
    pair = f"{proxy.user or ''}:{proxy.password or ''}".encode()  # UTF-8, like those that httpx sends
    headers = {} if pair == b":" else {"Proxy-Authorization": "Basic " + base64.b64encode(pair).decode()}
    return {"proxy": proxy.with_user(None), "proxy_headers": headers}
