"""The one door to httpx: a request out, a reply in, and failures as the documented errors.

Of httpx we use the connections (its transports) and not the client around them, which keeps cookies, reads where
redirects lead, and takes a third of a call's time. A client that the caller brings is used as it is, with all that it
adds. No httpx type leaves this module, apart from that one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, closing, nullcontext, suppress
from functools import lru_cache, partial
from typing import Any, TypeVar

import anyio
import httpx

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.backends import guards
from tazapay_lightning.transport.backends.connections import CLOSE_TIMEOUT, AsyncConnections, Connections, Pool
from tazapay_lightning.transport.backends.environment import authorities, proxy_address, proxy_for, setting_up
from tazapay_lightning.transport.backends.failures import client_closed_error, documented
from tazapay_lightning.transport.bodies import Body
from tazapay_lightning.transport.exchange import Request, Response
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.transport.tracebacks import chain

HTTPClient = httpx.Client
AsyncHTTPClient = httpx.AsyncClient
Headers = httpx.Headers

_AnyConnections = Pool[Any] | HTTPClient | AsyncHTTPClient
_Result = TypeVar("_Result")
_Transport = TypeVar("_Transport", bound=httpx.HTTPTransport | httpx.AsyncHTTPTransport)
# With a caller's client or a mock these alone prove it: both may carry requests in a way of their own, untraced
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# UnicodeError: a caller's client reads where a redirect leads even if it is not to follow it, whatever stands there
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
# made while this module is loaded, as OpenSSL makes itself ready for the first: see `_loading`
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class _Connection(httpx.HTTPTransport):
    """One connection for blocking requests, which may be closed at any moment: by another thread, by a signal handler.

    httpcore's lock may be held then, and it stays locked for ever when a signal handler raises in the middle of it. A
    connection serves one request at a time, so that it protects nothing.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        pool: Any = self._pool  # what is set here is private; if it is renamed one day, a test fails
        pool._optional_thread_lock = nullcontext()  # noqa: SLF001 - see above
        pool._network_backend = guards.AddressesInTime(pool._network_backend)  # noqa: SLF001 - see above


class _Exchange:
    """A request on its way. httpcore traces its steps, which prove whether the service may have got any of it.

    Args:
        request: what is to be sent.
        ends: when its time is up.
        connections: what it goes over: ours, or the client that the caller brought.
        proxy: host and port of the proxy that is between.

    Attributes:
        has_sent: True from the moment at which the request's first byte may be on its way; None while no step was
            traced, as none is of a request that a mock answers.
    """

    has_sent: bool | None = None
    _opened: Any = None

    def __init__(self, request: Request, ends: float, connections: _AnyConnections, proxy: str | None) -> None:
        self._request, self._ends, self._connections, self._proxy = request, ends, connections, proxy
        if connections.is_closed:
            raise client_closed_error()

    def time_left(self) -> float:
        """Return how many seconds there are, if any: a process can be stopped for as long as it likes."""
        if (left := self._ends - time.monotonic()) <= 0:
            raise httpx.PoolTimeout("the time was up before the request was sent")
        return left

    def message(self, build: Callable[..., httpx.Request], trace: Callable[..., object]) -> httpx.Request:
        """Return the request as httpx sends it."""
        request, left = self._request, self.time_left()
        # connecting ends shortly before the rest: a failure to connect proves that nothing was sent
        limits = {"connect": 0.99 * left, "pool": 0.99 * left, "write": left, "read": left}
        if trace == self.asynchronous and isinstance(self._connections, Pool):  # cancelled from outside
            del limits["write"], limits["read"]
        extensions = {"timeout": limits, "trace": trace}
        url = _address(request.url)
        return build(request.method, url, headers=request.headers, content=request.content, extensions=extensions)

    def blocking(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a step, and bound the steps of a new connection, which asynchronous code is cancelled from."""
        if not self.has_sent:  # afterwards no connection is opened
            self._note(event, info)
            guards.bound_steps(info)

    async def asynchronous(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a step, and keep the stream of a new connection."""
        self._note(event, info)
        if not self.has_sent and hasattr(info.get("return_value"), "start_tls"):
            self._opened = info["return_value"]

    async def abandon(self) -> None:
        """Close what was opened for a request that did not go out: httpcore forgets it if a handshake is cancelled."""
        if self._opened is not None and not self.has_sent:
            with suppress(Exception), anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await self._opened.aclose()

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        # CONNECT is for a proxy
        if begins := event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            self.time_left()
            if isinstance(self._connections, Pool):
                info["request"].extensions.pop("trace", None)  # no later step proves anything
        self.has_sent = self.has_sent or begins

    def failed(self, failure: Exception) -> Response:
        """Raise the documented error; or return the response that a hook of the caller's client raised something about.

        Such a hook is often ``raise_for_status``. httpx has closed the response then, so its body is there only if the
        hook has read it.
        """
        for link in chain(failure):
            response = getattr(link, "response", None)
            with suppress(RuntimeError):  # it was made without a request
                trace = response.request.extensions.get("trace") if isinstance(response, httpx.Response) else None
                if response is not None and trace in (self.blocking, self.asynchronous):
                    body = Body(response.status_code, self._ends)
                    body.add_decoded(response.content if response.is_stream_consumed else b"")
                    return _complete(response, body)
        if isinstance(failure, RuntimeError) and self._connections.is_closed:
            raise client_closed_error(nothing_sent=False) from failure
        if not isinstance(failure, _FAILURES):
            raise failure
        is_mocked = self.has_sent is None and isinstance(failure, httpx.HTTPError)
        is_traced = isinstance(self._connections, Pool) and not is_mocked
        raise documented(
            failure,
            self._request,
            self._proxy,
            nothing_sent=not self.has_sent if is_traced else isinstance(failure, _NEVER_SENT),
            late=isinstance(failure, httpx.TimeoutException),
            final=isinstance(failure, httpx.UnsupportedProtocol | httpx.InvalidURL),
        ) from failure


class BlockingHttpx:
    """Blocking requests. Safe to share between threads."""

    def __init__(self, settings: Settings, http_client: HTTPClient | None) -> None:
        if http_client is not None and not isinstance(http_client, httpx.Client):
            raise ConfigurationError(f"http_client must be an httpx.Client; got {type(http_client).__name__}")
        self._connections = http_client or Connections(_opening(_Connection, settings), _Connection.close)
        self._proxy = None if http_client else proxy_address(settings)

    def exchange(self, request: Request, ends: float, read: Callable[[Response], _Result]) -> _Result:
        """Send a request, wait for the whole reply, until `ends` at most, and return what `read` makes of it."""
        connections = self._connections
        exchange = _Exchange(request, ends, connections, self._proxy)
        try:
            with guards.steps_end_at(ends):
                if isinstance(connections, httpx.Client):
                    message = exchange.message(connections.build_request, exchange.blocking)
                    sent = connections.send(message, stream=True, auth=None, follow_redirects=False)
                    with closing(sent) as response:
                        return read(_received(response, ends))
                with connections.one(ends) as connection:
                    message = exchange.message(_message, exchange.blocking)
                    with closing(connection.handle_request(message)) as response:
                        received = _received(response, ends)
                    # closed while this one was being opened: so it was not among them
                    stream = response.extensions.get("network_stream")  # which a mock has not
                    if stream is not None and (connections.is_closed or guards.has_unread_bytes(connection, stream)):
                        stream.close()
                    return read(received)
        except Exception as failure:  # noqa: BLE001 - a hook may raise anything; what is not expected is raised again
            received = exchange.failed(failure)
        return read(received)

    def close(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        if isinstance(self._connections, Connections):
            self._connections.close()


class AsyncHttpx:
    """Asynchronous requests. Safe to share between the tasks of one event loop."""

    def __init__(self, settings: Settings, http_client: AsyncHTTPClient | None) -> None:
        if http_client is not None and not isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError(f"http_client must be an httpx.AsyncClient; got {type(http_client).__name__}")
        transport = httpx.AsyncHTTPTransport
        self._connections = http_client or AsyncConnections(_opening(transport, settings), transport.aclose)
        self._proxy = None if http_client else proxy_address(settings)

    async def exchange(self, request: Request, ends: float, read: Callable[[Response], _Result]) -> _Result:
        """Send a request, wait for the whole reply, until `ends` at most, and return what `read` makes of it."""
        connections = self._connections
        exchange = _Exchange(request, ends, connections, self._proxy)
        try:
            if isinstance(connections, httpx.AsyncClient):
                message = exchange.message(connections.build_request, exchange.asynchronous)
                with anyio.fail_after(exchange.time_left()):
                    sent = await connections.send(message, stream=True, auth=None, follow_redirects=False)
                async with aclosing(sent) as response:
                    return read(await _received_async(response, ends))
            async with connections.one(ends) as connection:
                message = exchange.message(_message, exchange.asynchronous)
                with anyio.fail_after(exchange.time_left()):
                    sent = await connection.handle_async_request(message)
                async with aclosing(sent) as response:
                    received = await _received_async(response, ends)
                # closed while this one was being opened: so it was not among them
                stream = response.extensions.get("network_stream")  # which a mock has not
                if stream is not None and (connections.is_closed or guards.has_unread_bytes(connection, stream)):
                    await stream.aclose()
                return read(received)
        except Exception as failure:  # noqa: BLE001 - a hook may raise anything; what is not expected is raised again
            received = exchange.failed(failure)
        finally:
            await exchange.abandon()
        return read(received)

    async def aclose(self) -> None:
        """Close what is ours: not a client that the caller brought."""
        if isinstance(self._connections, AsyncConnections):
            await self._connections.aclose()


def certificates(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings: certificates are verified, against the authorities that httpx trusts.

    For plain http no authorities are loaded, and clients share those that are: see `authorities`.

    Raises:
        ConfigurationError: the environment names certificates that cannot be read, or base_url is no URL.
    """
    with setting_up(settings, httpx.InvalidURL):
        _ = _address(settings.base_url).host  # reading the host is what decodes it
        named = authorities(httpx.create_ssl_context) if settings.is_encrypted else None
        return named or _NO_AUTHORITIES


def _opening(transport: Callable[..., _Transport], settings: Settings) -> Callable[[], _Transport]:
    """Return what makes a connection, tried once: the environment may name a proxy that cannot be used."""
    opening = partial(transport, verify=certificates(settings), proxy=proxy_for(settings), limits=_ONE, trust_env=False)
    with setting_up(settings, httpx.InvalidURL):
        opening()
    return opening


@lru_cache(maxsize=64)  # most calls go to the one address of the operation that creates
def _address(url: str) -> httpx.URL:
    return httpx.URL(url)


def _message(
    method: str, url: httpx.URL, *, headers: dict[str, str], content: bytes | None, **options: Any
) -> httpx.Request:
    """Return the request that httpx makes of the same arguments, in a third of the time."""
    headers = {"Host": url.netloc.decode(), **headers}
    if content or method in {"POST", "PUT", "PATCH"}:
        headers["Content-Length"] = str(len(content or b""))
    return httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(content or b""), **options)


def _received(response: httpx.Response, ends: float) -> Response:
    body = Body(response.status_code, ends)
    with body.breaking_off(*_FAILURES):
        if response.is_stream_consumed:
            body.add_decoded(response.content)
        else:
            for chunk in response.stream:  # type: ignore[union-attr]  # `iter_raw` gives the connection back at the end
                if not body.add(chunk):
                    break
    return _complete(response, body)


async def _received_async(response: httpx.Response, ends: float) -> Response:
    body = Body(response.status_code, ends)
    with body.breaking_off(*_FAILURES), anyio.fail_after(ends - time.monotonic()):
        if response.is_stream_consumed:
            body.add_decoded(response.content)
        else:
            async for chunk in response.stream:  # type: ignore[union-attr]  # as in `_received`
                if not body.add(chunk):
                    break
    return _complete(response, body)


def _complete(response: httpx.Response, body: Body) -> Response:
    headers = dict(response.headers.items())
    content = body.decoded(headers.get("content-encoding", ""))
    return Response(response.status_code, headers, content, partial(guards.disconnect, response.extensions))
