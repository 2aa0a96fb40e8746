"""The one door to httpx: a request out, a reply in, and failures as the documented errors.

Of httpx we use the connections (its transports) and not the client around them, which keeps cookies, reads where
redirects lead, and takes a third of a call's time. A client that the caller brings is used as it is, with all that it
adds. No httpx type leaves this module, apart from that one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from functools import lru_cache, partial
from typing import Any, NoReturn, TypeVar

import anyio
import httpx

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.backends.connections import AsyncConnections, Connections, Pool
from tazapay_lightning.transport.backends.failures import client_closed_error, raise_documented
from tazapay_lightning.transport.backends.guards import bound_reads, disconnect, has_unread_bytes, reads_end_at
from tazapay_lightning.transport.backends.proxies import proxy_for
from tazapay_lightning.transport.bodies import Body
from tazapay_lightning.transport.exchange import Request, Response
from tazapay_lightning.transport.settings import Settings

HTTPClient = httpx.Client
AsyncHTTPClient = httpx.AsyncClient

_Result = TypeVar("_Result")
_Transport = TypeVar("_Transport", httpx.HTTPTransport, httpx.AsyncHTTPTransport)
# With a caller's client these alone prove it: it may carry requests in a way of its own, which is not traced
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# UnicodeError: a caller's client reads where a redirect leads even if it is not to follow it, whatever stands there
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class _Trace:
    """Follows the steps of a request, which httpcore traces: they prove whether the service may have got any of it.

    Attributes:
        has_sent: True from the moment at which the request's first byte may be on its way.
    """

    has_sent = False

    def blocking(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a step, and bound the reads of a new connection, which asynchronous code is cancelled from."""
        if not self.has_sent:  # afterwards no connection is opened
            self._note(event, info)
            bound_reads(info)

    async def asynchronous(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a step."""
        self._note(event, info)

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":  # to a proxy
            self.has_sent = True


class BlockingHttpx:
    """Blocking requests. Safe to share between threads."""

    def __init__(self, settings: Settings, http_client: HTTPClient | None) -> None:
        if http_client is not None and not isinstance(http_client, httpx.Client):
            raise ConfigurationError(f"http_client must be an httpx.Client; got {type(http_client).__name__}")
        self._connections = http_client or Connections(
            _opening(httpx.HTTPTransport, settings), httpx.HTTPTransport.close
        )

    def exchange(self, request: Request, ends: float, read: Callable[[Response], _Result]) -> _Result:
        """Send a request, wait for the whole reply, until `ends` at most, and return what `read` makes of it."""
        trace, connections = _Trace(), self._connections
        if connections.is_closed:
            raise client_closed_error()
        try:
            with reads_end_at(ends):
                if isinstance(connections, httpx.Client):
                    message = _message(connections.build_request, request, ends, trace.blocking)
                    sent = connections.send(message, stream=True, auth=None, follow_redirects=False)
                    with closing(sent) as response:
                        return read(_received(response, ends))
                with connections.one(ends) as connection:
                    message = _message(httpx.Request, request, ends, trace.blocking)
                    with closing(connection.handle_request(message)) as response:
                        received = _received(response, ends)
                    # closed while this one was being opened: so it was not among them
                    if connections.is_closed or has_unread_bytes(connection, response):
                        response.extensions["network_stream"].close()
                    if received.status <= 299:  # after an error the connection is kept
                        return read(received)
            return read(received)
        except (*_FAILURES, RuntimeError) as failure:
            _raise_documented(failure, request, trace, connections)

    def close(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        if isinstance(self._connections, Connections):
            self._connections.close()


class AsyncHttpx:
    """Asynchronous requests. Safe to share between the tasks of one event loop."""

    def __init__(self, settings: Settings, http_client: AsyncHTTPClient | None) -> None:
        if http_client is not None and not isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError(f"http_client must be an httpx.AsyncClient; got {type(http_client).__name__}")
        self._connections = http_client or AsyncConnections(
            _opening(httpx.AsyncHTTPTransport, settings), httpx.AsyncHTTPTransport.aclose
        )

    async def exchange(self, request: Request, ends: float, read: Callable[[Response], _Result]) -> _Result:
        """Send a request, wait for the whole reply, until `ends` at most, and return what `read` makes of it."""
        trace, connections = _Trace(), self._connections
        if connections.is_closed:
            raise client_closed_error()
        try:
            if isinstance(connections, httpx.AsyncClient):
                message = _message(connections.build_request, request, ends)
                with anyio.fail_after(ends - time.monotonic()):
                    sent = await connections.send(message, stream=True, auth=None, follow_redirects=False)
                async with aclosing(sent) as response:
                    return read(await _received_async(response, ends))
            async with connections.one(ends) as connection:
                message = _message(httpx.Request, request, ends, trace.asynchronous)
                with anyio.fail_after(ends - time.monotonic()):
                    sent = await connection.handle_async_request(message)
                async with aclosing(sent) as response:
                    received = await _received_async(response, ends)
                # closed while this one was being opened: so it was not among them
                if connections.is_closed or has_unread_bytes(connection, response):
                    await response.extensions["network_stream"].aclose()
                if received.status <= 299:  # after an error the connection is kept
                    return read(received)
            return read(received)
        except (*_FAILURES, RuntimeError) as failure:
            _raise_documented(failure, request, trace, connections)

    async def aclose(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        if isinstance(self._connections, AsyncConnections):
            await self._connections.aclose()


def certificates(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings: certificates are verified, against the authorities that httpx trusts.

    For plain http none are loaded, which takes 15 ms.

    Raises:
        ConfigurationError: the environment names certificates that cannot be read, or base_url is no URL.
    """
    with _setting_up(settings):
        return httpx.create_ssl_context() if settings.is_encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _opening(transport: Callable[..., _Transport], settings: Settings) -> Callable[[], _Transport]:
    """Return what makes a connection, tried once: the environment may name a proxy that cannot be used."""
    opening = partial(transport, verify=certificates(settings), proxy=proxy_for(settings), limits=_ONE, trust_env=False)
    with _setting_up(settings):
        opening()
    return opening


@contextmanager
def _setting_up(settings: Settings) -> Iterator[None]:
    """Name what is wrong with the address, or with a proxy or certificates that the environment names."""
    try:
        _ = _address(settings.base_url).host  # reading the host is what decodes it
        yield
    except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
        see = "see base_url, and the environment variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
        raise ConfigurationError(f"no HTTP client can be made for {settings.base_url}: {error} ({see})") from error


@lru_cache(maxsize=64)  # most calls go to the one address of the operation that creates
def _address(url: str) -> httpx.URL:
    return httpx.URL(url)


def _message(
    build: Callable[..., httpx.Request], request: Request, ends: float, trace: Callable[..., object] | None = None
) -> httpx.Request:
    left = max(ends - time.monotonic(), 0.001)  # httpx takes 0 for "at once", which is what is left then
    # connecting ends shortly before the rest: a failure to connect proves that nothing was sent
    limits = {"connect": 0.99 * left, "pool": 0.99 * left, "write": left, "read": left}
    extensions = {"timeout": limits, "trace": trace}
    return build(
        request.method, _address(request.url), headers=request.headers, content=request.content, extensions=extensions
    )


def _received(response: httpx.Response, ends: float) -> Response:
    body = Body(response.status_code, ends)
    try:
        if response.is_stream_consumed:
            body.add_decoded(response.content)
        else:
            for chunk in response.stream:  # type: ignore[union-attr]  # `iter_raw` gives the connection back at the end
                if not body.add(chunk):
                    break
    except _FAILURES as failure:
        body.broke_off(failure)
    return _complete(response, body)


async def _received_async(response: httpx.Response, ends: float) -> Response:
    body = Body(response.status_code, ends)
    try:
        with anyio.fail_after(ends - time.monotonic()):
            if response.is_stream_consumed:
                body.add_decoded(response.content)
            else:
                async for chunk in response.stream:  # type: ignore[union-attr]  # as in `_received`
                    if not body.add(chunk):
                        break
    except _FAILURES as failure:
        body.broke_off(failure)
    return _complete(response, body)


def _complete(response: httpx.Response, body: Body) -> Response:
    headers = dict(response.headers.items())
    content = body.decoded(headers.get("content-encoding", ""))
    return Response(response.status_code, headers, content, partial(disconnect, response.extensions))


def _raise_documented(
    failure: Exception, request: Request, trace: _Trace, connections: Pool[Any] | HTTPClient | AsyncHTTPClient
) -> NoReturn:
    is_own = isinstance(connections, Pool)
    raise_documented(
        failure,
        request,
        nothing_sent=not trace.has_sent if is_own else isinstance(failure, _NEVER_SENT),
        closed=connections.is_closed,
        late=isinstance(failure, httpx.TimeoutException),
        final=isinstance(failure, httpx.UnsupportedProtocol | httpx.InvalidURL),
    )
