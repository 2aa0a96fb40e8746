"""Sends requests for blocking code: attempts around requests. Its twin is in `async_calls`.

Requests go out through `backends.httpx`, which is loaded for the first of them: httpx takes longer to load than all
else here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from tazapay_lightning._loading import load
from tazapay_lightning.errors import APIError, ConfigurationError
from tazapay_lightning.transport.backends import HTTPX
from tazapay_lightning.transport.backends.environment import environment_names_proxy
from tazapay_lightning.transport.exchange import Call, Request
from tazapay_lightning.transport.replies import Reply
from tazapay_lightning.transport.settings import Settings

if TYPE_CHECKING:  # httpx is not loaded before it is needed
    from tazapay_lightning.transport.backends.httpx import BlockingHttpx, HTTPClient

_Result = TypeVar("_Result")


class Calls:
    """Makes calls, blocking. Safe to share between threads, and between clients that differ in their options."""

    def __init__(self, settings: Settings, http_client: HTTPClient | None) -> None:
        self._settings = settings
        self._http_client = http_client
        self._loaded: list[BlockingHttpx] = []  # the first counts, when several threads load at once
        self._closed = False
        # Held until the client is closed, so that a wait is an attempt to acquire it. An event of Python's stays locked
        # for ever if a signal handler raises in the middle of it.
        self._closing = Lock()
        self._closing.acquire()
        if http_client is not None or environment_names_proxy(settings):
            self._backend()  # fail at construction, not on the first call

    def run(self, request: Request, read: Callable[[Reply], _Result]) -> _Result:
        """Send a request, in as many attempts as it takes, and return what `read` makes of the reply."""
        self.check_open()
        call = Call(request, time.monotonic())
        try:
            backend = self._backend()  # loaded before an attempt begins: until then nothing is in doubt
            while True:
                ends = call.begin(time.monotonic())
                try:
                    return backend.exchange(request, ends, partial(call.read, read=read))
                except APIError as error:
                    wait = call.failed(error, time.monotonic())
                    if wait is None:
                        raise
                self._wait(wait)  # closing the client ends it: the next attempt fails then
        except BaseException as leaving:  # noqa: BLE001 - the one boundary: it lets nothing go without the key
            raise call.left_by(leaving)  # noqa: B904 - its cause is chained already

    def pause(self, seconds: float) -> None:
        """Do nothing for a time, or until another thread closes the client, which is an error then."""
        self._wait(seconds)
        self.check_open()

    def check_open(self) -> None:
        """Refuse to go on once the client is closed."""
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")

    def close(self) -> None:
        """Close the connections, apart from those of a client that the caller brought; a second time does nothing."""
        self._closed = True
        with suppress(RuntimeError):  # it is open
            self._closing.release()
        for backend in self._loaded:
            backend.close()

    def _wait(self, seconds: float) -> None:
        if self._closing.acquire(timeout=max(0.0, seconds)):
            self._closing.release()  # for all that wait

    def _backend(self) -> BlockingHttpx:
        if not self._loaded:
            load(*HTTPX)
            from tazapay_lightning.transport.backends.httpx import BlockingHttpx

            self._loaded.append(BlockingHttpx(self._settings, self._http_client))
            if self._closed:
                self._loaded[0].close()
        return self._loaded[0]
