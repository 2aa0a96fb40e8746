"""The one door to httpx: a request out, a reply in, and failures as the documented errors.

Of httpx we use the connections (its transports) and not the client around them, which keeps cookies, reads where
redirects lead, and takes a third of a call's time. A client that the caller brings is used as it is, with all that it
adds. No httpx type leaves this module, apart from that one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from typing import Any, NoReturn, TypeVar

import anyio
import httpx

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.backends.async_connections import AsyncConnections
from tazapay_lightning.transport.backends.connections import Connections, client_closed_error
from tazapay_lightning.transport.backends.failures import not_reached
from tazapay_lightning.transport.backends.guards import bound_reads, has_unread_bytes, reads_end_at
from tazapay_lightning.transport.backends.proxies import is_told_by_the_environment, proxy_for
from tazapay_lightning.transport.bodies import Body
from tazapay_lightning.transport.exchange import Request, Response
from tazapay_lightning.transport.settings import Settings

__all__ = ["AsyncHTTPClient", "AsyncHttpx", "BlockingHttpx", "HTTPClient", "certificates"]

HTTPClient = httpx.Client
AsyncHTTPClient = httpx.AsyncClient

_Transport = TypeVar("_Transport", httpx.HTTPTransport, httpx.AsyncHTTPTransport)
_WRONG_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
# What proves it of a caller's client, which may carry requests in a way of its own
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# UnicodeError: a caller's client reads where a redirect leads even if it is not to follow it, whatever stands there
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class _Trace:
    """Learns from httpcore, which tells it of each step of a request, whether the service may have got any of it.

    Attributes:
        has_sent: True from the moment at which the request's first byte may be on its way.
    """

    def __init__(self) -> None:
        self.has_sent = False

    def blocking(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a step, and bound the reads of a new connection, which asynchronous code is cancelled from."""
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
        self._client = http_client
        self._connections = Connections(_opening(httpx.HTTPTransport, settings), httpx.HTTPTransport.close)
        with _setting_up(settings):
            if http_client is None and is_told_by_the_environment(settings):
                self._connections.prepare()

    def exchange(self, request: Request, ends: float) -> Response:
        """Send a request and wait for the whole reply, until `ends` at most."""
        trace = _Trace()
        try:
            with reads_end_at(ends):
                if self._client is not None:
                    _check_open(self._client)
                    message = _blocking_message(self._client.build_request, request, ends, trace)
                    return _received(self._client.send(message, stream=True, auth=None, follow_redirects=False), ends)
                with self._connections.one(ends) as connection:
                    response = connection.handle_request(_blocking_message(httpx.Request, request, ends, trace))
                    received = _received(response, ends)
                    if self._connections.is_closed:  # while this one was connecting, so it was not among them
                        response.extensions["network_stream"].close()
                    elif has_unread_bytes(connection, response):
                        connection.close()
                    return received
        except (*_FAILURES, RuntimeError) as failure:
            _raise_translated(failure, request, trace, self._client, self._connections)

    def close(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        self._connections.close()


class AsyncHttpx:
    """Asynchronous requests. Safe to share between the tasks of one event loop."""

    def __init__(self, settings: Settings, http_client: AsyncHTTPClient | None) -> None:
        if http_client is not None and not isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError(f"http_client must be an httpx.AsyncClient; got {type(http_client).__name__}")
        self._client = http_client
        self._connections = AsyncConnections(
            _opening(httpx.AsyncHTTPTransport, settings), httpx.AsyncHTTPTransport.aclose
        )
        with _setting_up(settings):
            if http_client is None and is_told_by_the_environment(settings):
                self._connections.prepare()

    async def exchange(self, request: Request, ends: float) -> Response:
        """Send a request and wait for the whole reply, until `ends` at most."""
        trace = _Trace()
        try:
            if self._client is not None:
                _check_open(self._client)
                send = partial(self._client.send, stream=True, auth=None, follow_redirects=False)
                received, _ = await _received_async(send, _message(self._client.build_request, request, ends), ends)
                return received
            async with self._connections.one(ends) as connection:
                message = _message(httpx.Request, request, ends)
                message.extensions["trace"] = trace.asynchronous
                received, response = await _received_async(connection.handle_async_request, message, ends)
                if self._connections.is_closed:  # while this one was connecting, so it was not among them
                    await response.extensions["network_stream"].aclose()
                elif has_unread_bytes(connection, response):
                    await connection.aclose()
                return received
        except (*_FAILURES, RuntimeError) as failure:
            _raise_translated(failure, request, trace, self._client, self._connections)

    async def aclose(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        await self._connections.aclose()


def certificates(settings: Settings) -> ssl.SSLContext:
    """Return whom to trust: certificates are verified, by the authorities that httpx takes.

    Where TLS has no part no authority is trusted, nor loaded, which takes 15 ms.

    Raises:
        ConfigurationError: the environment names certificates that cannot be read, or the address is none.
    """
    with _setting_up(settings):
        return httpx.create_ssl_context() if settings.is_encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _opening(transport: Callable[..., _Transport], settings: Settings) -> Callable[[], _Transport]:
    """Return what prepares a connection; certificates are read once, by the first one."""

    @cache
    def shared() -> dict[str, Any]:
        return {"verify": certificates(settings), "proxy": proxy_for(settings)}

    return lambda: transport(**shared(), limits=_ONE, trust_env=False)


@contextmanager
def _setting_up(settings: Settings) -> Iterator[None]:
    """Say what is wrong with the address, or with a proxy or certificates that the environment names."""
    try:
        _ = _address(settings.base_url).host  # reading the host is what decodes it
        yield
    except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
        raise ConfigurationError(
            f"no HTTP client can be made for {settings.base_url}: {error} (see base_url, and the environment "
            "variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE)"
        ) from error


@lru_cache(maxsize=64)  # most calls go to the one address of the operation that creates
def _address(url: str) -> httpx.URL:
    return httpx.URL(url)


def _message(build: Callable[..., httpx.Request], request: Request, ends: float) -> httpx.Request:
    left = max(ends - time.monotonic(), 0.001)  # httpx takes 0 for "at once", which is what is left then
    # who cannot connect is told so shortly before the time is up: it proves that nothing was sent
    limits = {"connect": 0.99 * left, "pool": 0.99 * left}
    return build(
        request.method,
        _address(request.url),
        headers=request.headers,
        content=request.content,
        extensions={"timeout": limits},
    )


def _blocking_message(
    build: Callable[..., httpx.Request], request: Request, ends: float, trace: _Trace
) -> httpx.Request:
    """Bound reading and writing too, which asynchronous code is cancelled from."""
    message = _message(build, request, ends)
    left = max(ends - time.monotonic(), 0.001)
    message.extensions["timeout"].update(write=left, read=left)
    message.extensions["trace"] = trace.blocking
    return message


def _check_open(client: HTTPClient | AsyncHTTPClient) -> None:
    if client.is_closed:
        raise client_closed_error()


def _received(response: httpx.Response, ends: float) -> Response:
    body = Body(response.status_code, ends)
    try:
        if response.is_stream_consumed:
            body.add_decoded(response.content)
        else:
            for chunk in response.iter_raw():
                if not body.add(chunk):
                    break
    except _FAILURES as failure:
        body.broke_off(failure)
    finally:
        response.close()
    return _complete(response, body)


async def _received_async(
    send: Callable[[httpx.Request], Awaitable[httpx.Response]], message: httpx.Request, ends: float
) -> tuple[Response, httpx.Response]:
    response, body = None, None
    try:
        with anyio.fail_after(ends - time.monotonic()):
            response = await send(message)
            body = Body(response.status_code, ends)
            try:
                if response.is_stream_consumed:
                    body.add_decoded(response.content)
                else:
                    async for chunk in response.aiter_raw():
                        if not body.add(chunk):
                            break
            finally:
                await response.aclose()
    except _FAILURES as failure:
        if response is None or body is None:
            raise
        body.broke_off(failure)
    return _complete(response, body), response


def _complete(response: httpx.Response, body: Body) -> Response:
    headers = dict(response.headers.items())
    return Response(response.status_code, headers, body.decoded(headers.get("content-encoding", "")))


def _raise_translated(
    failure: Exception,
    request: Request,
    trace: _Trace,
    client: HTTPClient | AsyncHTTPClient | None,
    own: Connections[Any] | AsyncConnections[Any],
) -> NoReturn:
    """Raise the documented error that a failure of the connection amounts to."""
    nothing_sent = not trace.has_sent if client is None else isinstance(failure, _NEVER_SENT)
    if isinstance(failure, RuntimeError):
        if not (own.is_closed if client is None else client.is_closed):
            raise failure  # not what a library says of a closed client
        raise client_closed_error(nothing_sent=False) from failure
    raise not_reached(
        failure,
        str(failure),
        request,
        late=isinstance(failure, httpx.TimeoutException | TimeoutError),
        nothing_sent=nothing_sent,
        permanent=isinstance(failure, _WRONG_ADDRESS),
    ) from failure
