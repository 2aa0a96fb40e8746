"""Sends requests for asynchronous code: attempts around requests. Its twin is in `calls`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, get_args

import anyio.lowlevel

from tazapay_lightning._loading import load, loading
from tazapay_lightning.errors import APIError, ConfigurationError
from tazapay_lightning.transport.backends import HTTPX
from tazapay_lightning.transport.backends.environment import environment_names_proxy
from tazapay_lightning.transport.exchange import Call, Request
from tazapay_lightning.transport.replies import Reply
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.values.safe_text import shown

if TYPE_CHECKING:  # httpx is not loaded before it is needed
    from tazapay_lightning.transport.backends.aiohttp import AsyncAiohttp
    from tazapay_lightning.transport.backends.httpx import AsyncHTTPClient, AsyncHttpx

Backend = Literal["httpx", "aiohttp"]

_Result = TypeVar("_Result")


class Turns(Protocol):
    """What a client waits for before each attempt, where something above it says how fast many calls may go."""

    async def first_turn(self) -> None:
        """Wait until a call may make its first attempt, or raise the error that it ends with."""

    async def further_turn(self, *, before: float) -> bool:
        """Wait until a call may make another attempt; False, without waiting, if that is not `before` a time."""

    def failed(self, error: APIError) -> None:
        """Learn that an attempt failed."""


class AsyncCalls:
    """Makes calls, asynchronously.

    Safe to share between the tasks of one event loop, and between clients that differ in their options.
    """

    def __init__(self, settings: Settings, http_client: AsyncHTTPClient | None, backend: Backend) -> None:
        if not isinstance(backend, str) or backend not in get_args(Backend):
            raise ConfigurationError(f'backend must be "httpx" or "aiohttp"; got {shown(backend)}')
        self._backend = cache(partial(_load, settings, http_client, backend))  # what is loaded is kept
        self._closed = False
        self._loop: object = None
        self._closing: anyio.Event
        if http_client is not None or backend != "httpx" or environment_names_proxy(settings):
            self._backend()  # fail at construction, not on the first call

    async def run(self, request: Request, read: Callable[[Reply], _Result], turns: Turns | None = None) -> _Result:
        """Send a request, in as many attempts as it takes, and return what `read` makes of the reply."""
        self._stay_in_one_loop()
        if turns is not None:
            await turns.first_turn()  # no part of the call's deadline
        self.check_open()
        call = Call(request, time.monotonic())
        try:
            backend = self._backend()  # loaded before an attempt begins: until then nothing is in doubt
            while True:
                ends = call.begin(time.monotonic())
                try:
                    return await backend.exchange(request, ends, partial(call.read, read=read))
                except APIError as error:
                    wait = call.failed(error, time.monotonic())
                    if turns is not None:
                        turns.failed(error)
                    if wait is None:
                        raise
                    with anyio.move_on_after(wait):
                        await self._closing.wait()  # closing the client ends it: the next attempt fails then
                    if turns is not None and not await turns.further_turn(before=call.ends):
                        raise
        except BaseException as leaving:  # noqa: BLE001 - the one boundary: it lets nothing go without the key
            raise call.left_by(leaving)  # noqa: B904 - its cause is chained already

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
        if self._backend.cache_info().currsize and self._loop in {None, _running_loop()}:
            await self._backend().aclose()  # in another loop there is nothing to close: connections end with theirs

    def _stay_in_one_loop(self) -> None:
        if self._loop is None:
            with loading:  # anyio loads what it runs on
                self._loop, self._closing = _running_loop(), anyio.Event()  # which belongs to the loop
        elif self._loop != _running_loop():  # its connections would wait for a loop that does not run
            raise ConfigurationError("this client belongs to another event loop; make one client in each")


def _running_loop() -> object:
    asyncio = load("asyncio", "concurrent.futures.thread")  # the other one looks up names
    try:
        return asyncio.get_running_loop()  # in a tenth of the time that anyio takes
    except RuntimeError:
        return anyio.lowlevel.current_token()


def _load(settings: Settings, http_client: AsyncHTTPClient | None, backend: Backend) -> AsyncHttpx | AsyncAiohttp:
    """Load what carries the requests.

    Raises:
        ConfigurationError: the backend is not installed, or the caller's client is not of its kind.
    """
    load(*HTTPX)
    from tazapay_lightning.transport.backends.httpx import AsyncHttpx, certificates

    if backend == "httpx":
        return AsyncHttpx(settings, http_client)
    if http_client is not None:
        raise ConfigurationError('http_client is an httpx.AsyncClient: leave it out, or take backend="httpx"')
    try:  # an extra, and more to load than all of httpx
        load("tazapay_lightning.transport.backends.aiohttp")
        from tazapay_lightning.transport.backends.aiohttp import AsyncAiohttp
    except ModuleNotFoundError as error:
        install = 'pip install "tazapay-lightning[aiohttp]"'
        raise ConfigurationError(f'backend="aiohttp" needs {error.name}: {install}') from error
    return AsyncAiohttp(settings, certificates(settings))
