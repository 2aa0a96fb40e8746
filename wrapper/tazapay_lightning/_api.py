"""The one door to httpx: requests out, replies and failures in, attempts around both.

Operations come from `_operations` and are given an `exchange.Door` for a client, so no default of the generated code
(no timeout, closed status list, token in the ``repr``) takes part. No httpx type leaves this module, apart from the
optional ``http_client``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn, TypeVar

import anyio.lowlevel
import httpx

from tazapay_lightning._operations import Operation
from tazapay_lightning.attempts import Attempts
from tazapay_lightning.configuration import Configuration
from tazapay_lightning.deadlines import bound_reads, reads_end_at
from tazapay_lightning.errors import APIConnectionError, APIError, APITimeoutError, ConfigurationError
from tazapay_lightning.exchange import Answer, Body, Call, Door, Reply, log_attempt
from tazapay_lightning.http_settings import advice_on, forget_location, forget_location_async, is_distrust, settings

__all__ = ["AsyncApi", "AsyncHTTPClient", "HTTPClient", "SyncApi"]

HTTPClient = httpx.Client
AsyncHTTPClient = httpx.AsyncClient

_Result = TypeVar("_Result")
_WRONG_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, *_WRONG_ADDRESS)
# UnicodeError: httpx reads where a redirect leads even if it is not to follow it, and not every address can be read
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)


class _Shared:
    """What the blocking and the asynchronous class have in common."""

    def __init__(self, configuration: Configuration, *, owned: bool) -> None:
        self._configuration = configuration
        self._owned = owned
        self._closed = False

    def check_open(self) -> None:
        """Refuse to go on once the client is closed."""
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")


class SyncApi(_Shared):
    """The operations over a blocking httpx client. Safe to share between threads."""

    def __init__(self, configuration: Configuration, http_client: HTTPClient | None) -> None:
        super().__init__(configuration, owned=http_client is None)
        if http_client is not None and not isinstance(http_client, httpx.Client):
            raise ConfigurationError(f"http_client must be an httpx.Client; got {type(http_client).__name__}")
        with _setting_up(configuration):
            options = settings(configuration, forget_location)
            self._http = httpx.Client(**options) if http_client is None else http_client
        self._closing = threading.Event()

    def run(self, operation: Operation, call: Call, read: Callable[[Answer], _Result]) -> _Result:
        """Carry out an operation, in as many attempts as it takes, and return what `read` makes of the answer."""
        self.check_open()
        attempts = Attempts(call.limits, idempotency_key=call.idempotency_key, now=time.monotonic())
        while True:
            ends = attempts.begin(time.monotonic())
            try:
                return read(Answer.of(operation.blocking(Door(partial(self._request, call, attempts, ends)))))
            except APIError as error:
                wait = attempts.wait_after(error, time.monotonic())
                if wait is None:
                    raise
            self._closing.wait(wait)  # closing the client ends it: the next attempt says so

    def pause(self, seconds: float) -> None:
        """Do nothing for a time, or until another thread closes the client, which is an error then."""
        if self._closing.wait(seconds):
            self.check_open()

    def close(self) -> None:
        self._closed = True
        self._closing.set()
        if self._owned:
            self._http.close()

    def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        outcome: object = None
        try:
            with reads_end_at(ends):
                request = _build(self._http, call, ends, **generated)
                request.extensions["trace"] = bound_reads
                response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
                outcome = response.status_code
                body = Body(response.status_code, ends)
                try:
                    if response.is_stream_consumed:
                        body.add_plain(response.content)
                    else:
                        for chunk in response.iter_raw():
                            if not body.add(chunk):
                                break
                except _FAILURES as failure:
                    body.broke_off(failure)
                finally:
                    response.close()
        except (*_FAILURES, RuntimeError) as failure:
            outcome = type(failure).__name__
            if isinstance(failure, RuntimeError) and not self._http.is_closed:
                raise  # not what httpx says of a closed client
            _raise_translated(failure, call)
        finally:
            log_attempt(call, attempts, generated, outcome, started)
        return call.read(response.status_code, dict(response.headers), body)


class AsyncApi(_Shared):
    """The operations over an asynchronous httpx client. Safe to share between the tasks of one event loop."""

    def __init__(self, configuration: Configuration, http_client: AsyncHTTPClient | None) -> None:
        super().__init__(configuration, owned=http_client is None)
        if http_client is not None and not isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError(f"http_client must be an httpx.AsyncClient; got {type(http_client).__name__}")
        with _setting_up(configuration):
            options = settings(configuration, forget_location_async)
            self._http = httpx.AsyncClient(**options) if http_client is None else http_client
        self._loop: object = None
        self._closing: anyio.Event

    async def run(self, operation: Operation, call: Call, read: Callable[[Answer], _Result]) -> _Result:
        """Carry out an operation, in as many attempts as it takes, and return what `read` makes of the answer."""
        self._stay_in_one_loop()
        self.check_open()
        attempts = Attempts(call.limits, idempotency_key=call.idempotency_key, now=time.monotonic())
        while True:
            ends = attempts.begin(time.monotonic())
            try:
                return read(Answer.of(await operation.waiting(Door(partial(self._request, call, attempts, ends)))))
            except APIError as error:
                wait = attempts.wait_after(error, time.monotonic())
                if wait is None:
                    raise
            with anyio.move_on_after(wait):
                await self._closing.wait()  # closing the client ends it: the next attempt says so

    async def pause(self, seconds: float) -> None:
        """Do nothing for a time, or until another task closes the client, which is an error then."""
        with anyio.move_on_after(seconds):
            await self._closing.wait()
        self.check_open()

    async def aclose(self) -> None:
        self._closed = True
        if self._loop is not None:
            self._closing.set()
        if self._owned:
            await self._http.aclose()

    def _stay_in_one_loop(self) -> None:
        loop = anyio.lowlevel.current_token()
        if self._loop is None:
            self._loop = loop
            self._closing = anyio.Event()  # belongs to the loop, which is not known before
        elif self._loop != loop:  # its connections would wait for a loop that does not run
            raise ConfigurationError("this client belongs to another event loop; make one client in each")

    async def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        outcome: object = None
        try:
            with anyio.fail_after(ends - started):
                request = _build(self._http, call, ends, **generated)
                response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
            outcome = response.status_code
            body = Body(response.status_code, ends)
            try:
                with anyio.fail_after(ends - time.monotonic()):
                    if response.is_stream_consumed:
                        body.add_plain(response.content)
                    else:
                        async for chunk in response.aiter_raw():
                            if not body.add(chunk):
                                break
            except _FAILURES as failure:
                body.broke_off(failure)
            finally:
                await response.aclose()
        except (*_FAILURES, RuntimeError) as failure:
            outcome = type(failure).__name__
            if isinstance(failure, RuntimeError) and not self._http.is_closed:
                raise  # not what httpx says of a closed client
            _raise_translated(failure, call)
        finally:
            log_attempt(call, attempts, generated, outcome, started)
        return call.read(response.status_code, dict(response.headers), body)


@contextmanager
def _setting_up(configuration: Configuration) -> Iterator[None]:
    """Say what is wrong with the address, or with a proxy or certificates that the environment names."""
    try:
        _ = httpx.URL(configuration.base_url).host  # reading the host is what decodes it
        yield
    except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
        raise ConfigurationError(
            f"no HTTP client can be made for {configuration.base_url}: {error} (see base_url, and the environment "
            "variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE)"
        ) from error


def _build(
    http: httpx.Client | httpx.AsyncClient,
    call: Call,
    ends: float,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    json: object = None,
) -> httpx.Request:
    timeout = max(ends - time.monotonic(), 0.001)  # httpx takes 0 for "at once", which is what is left then
    return http.build_request(
        method.upper(), call.base_url + url, headers={**call.headers, **(headers or {})}, json=json, timeout=timeout
    )


def _raise_translated(failure: Exception, call: Call) -> NoReturn:
    """Raise the documented error that a failure of the connection amounts to."""
    what = call.redaction.text(str(failure)) or type(failure).__name__
    if isinstance(failure, RuntimeError):
        raise APIConnectionError("the client was closed meanwhile", nothing_sent=True, permanent=True) from failure
    nothing_sent = isinstance(failure, _NEVER_SENT)
    if isinstance(failure, httpx.TimeoutException | TimeoutError):
        raise APITimeoutError(
            f"no complete reply from {call.base_url} in time ({what})", nothing_sent=nothing_sent
        ) from failure
    raise APIConnectionError(
        f"no complete reply from {call.base_url}: {what}{advice_on(failure)}",
        nothing_sent=nothing_sent,
        permanent=isinstance(failure, _WRONG_ADDRESS) or is_distrust(failure),
    ) from failure
