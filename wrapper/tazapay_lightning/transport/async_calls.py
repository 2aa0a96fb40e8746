"""Carries out operations: attempts around requests, for asynchronous code. Its twin is in `calls`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, get_args

import anyio.lowlevel

from tazapay_lightning.errors import APIError, ConfigurationError
from tazapay_lightning.operations import Operation
from tazapay_lightning.transport.backends.http_settings import is_told_by_the_environment
from tazapay_lightning.transport.exchange import Answer, Arrived, Call, Door, Reply, Request, log_attempt
from tazapay_lightning.transport.pacing import PACE
from tazapay_lightning.transport.retries import Attempts
from tazapay_lightning.transport.settings import Configuration
from tazapay_lightning.values.safe_text import shown

if TYPE_CHECKING:
    from tazapay_lightning.transport.backends.httpx import AsyncHTTPClient

__all__ = ["AsyncApi", "Backend"]

Backend = Literal["httpx", "aiohttp"]

_Result = TypeVar("_Result")


class AsyncApi:
    """The operations, asynchronous. Safe to share between the tasks of one event loop."""

    def __init__(self, configuration: Configuration, http_client: AsyncHTTPClient | None, backend: Backend) -> None:
        if not isinstance(backend, str) or backend not in get_args(Backend):
            raise ConfigurationError(f'backend must be "httpx" or "aiohttp"; got {shown(backend)}')
        self._load = partial(_load, configuration, http_client, backend)
        self._loaded: _Library | None = None
        self._closed = False
        self._loop: object = None
        self._closing: anyio.Event
        if http_client is not None or backend != "httpx" or is_told_by_the_environment(configuration):
            self._library()  # what may be wrong with it is said now, and not at night

    async def run(self, operation: Operation, call: Call, read: Callable[[Answer], _Result]) -> _Result:
        """Carry out an operation, in as many attempts as it takes, and return what `read` makes of the answer."""
        self._stay_in_one_loop()
        pace = PACE.get()
        if pace is not None:
            await pace.first_turn()  # no part of the call's deadline
        self.check_open()
        began = time.monotonic()
        attempts = Attempts(call.limits, idempotency_key=call.idempotency_key, now=began)
        while True:
            ends = attempts.begin(time.monotonic())
            try:
                return read(Answer.of(await operation.waiting(Door(partial(self._request, call, attempts, ends)))))
            except APIError as error:
                wait = attempts.wait_after(error, time.monotonic())
                if pace is not None:
                    pace.failed(error, time.monotonic())
                if wait is None:
                    raise
                with anyio.move_on_after(wait):
                    await self._closing.wait()  # closing the client ends it: the next attempt says so
                if pace is not None and not await pace.further_turn(before=began + call.limits.deadline):
                    raise

    async def pause(self, seconds: float) -> None:
        """Do nothing for a time, or until another task closes the client, which is an error then."""
        with anyio.move_on_after(seconds):
            await self._closing.wait()
        self.check_open()

    def check_open(self) -> None:
        """Refuse to go on once the client is closed."""
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")

    async def aclose(self) -> None:
        """Close the connections, apart from those of a client that the caller brought; a second time does nothing."""
        self._closed = True
        if self._loop is not None:
            self._closing.set()
        if self._loaded is not None and self._loop in {None, anyio.lowlevel.current_token()}:
            await self._loaded.aclose()  # in another loop there is nothing to close: connections end with theirs

    def _library(self) -> _Library:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _stay_in_one_loop(self) -> None:
        loop = anyio.lowlevel.current_token()
        if self._loop is None:
            self._loop = loop
            self._closing = anyio.Event()  # belongs to the loop, which is not known before
        elif self._loop != loop:  # its connections would wait for a loop that does not run
            raise ConfigurationError("this client belongs to another event loop; make one client in each")

    async def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        request = call.request(**generated)
        outcome: object = None
        try:
            arrived = await self._library().exchange(request, ends)
            outcome = arrived.status
        except APIError as error:
            outcome = type(error.__cause__ or error).__name__
            raise
        finally:
            log_attempt(call, attempts, request, outcome, started)
        return call.read(arrived)


class _Library(Protocol):
    async def exchange(self, request: Request, ends: float) -> Arrived: ...

    async def aclose(self) -> None: ...


def _load(configuration: Configuration, http_client: AsyncHTTPClient | None, backend: Backend) -> _Library:
    """Load what carries the requests.

    Raises:
        ConfigurationError: the backend is not installed, or the caller's client is not of its kind.
    """
    from tazapay_lightning.transport.backends.httpx import AsyncHttpx, certificates

    if backend == "httpx":
        return AsyncHttpx(configuration, http_client)
    if http_client is not None:
        raise ConfigurationError('http_client is an httpx.AsyncClient: leave it out, or take backend="httpx"')
    try:
        from tazapay_lightning.transport.backends.aiohttp import (
            AsyncAiohttp,  # an extra, and more to load than all of httpx
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'backend="aiohttp" needs {error.name}: pip install "tazapay-lightning[aiohttp]"'
        ) from error
    return AsyncAiohttp(configuration, certificates(configuration))
