"""Carries out operations: attempts around requests, for blocking code. Its twin is in `async_calls`.

Operations come from `operations` and are given an `exchange.Door` for a client, so no default of the generated code
(no timeout, closed status list, token in the ``repr``) takes part. Requests go out through `backends.httpx`, which is
loaded for the first of them: httpx takes longer to load than all else here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tazapay_lightning.errors import APIError, ConfigurationError
from tazapay_lightning.operations import Operation
from tazapay_lightning.transport.backends.http_settings import is_told_by_the_environment
from tazapay_lightning.transport.exchange import Answer, Call, Door, Reply, log_attempt
from tazapay_lightning.transport.retries import Attempts
from tazapay_lightning.transport.settings import Configuration

if TYPE_CHECKING:
    from tazapay_lightning.transport.backends.httpx import BlockingHttpx, HTTPClient

__all__ = ["SyncApi"]

_Result = TypeVar("_Result")


class SyncApi:
    """The operations, blocking. Safe to share between threads."""

    def __init__(self, configuration: Configuration, http_client: HTTPClient | None) -> None:
        self._configuration = configuration
        self._http_client = http_client
        self._loading = threading.RLock()  # a signal handler may close in the middle of it
        self._loaded: BlockingHttpx | None = None
        self._closing = threading.Event()
        if http_client is not None or is_told_by_the_environment(configuration):
            self._library()  # what may be wrong with it is said now, and not at night

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

    def check_open(self) -> None:
        """Refuse to go on once the client is closed."""
        if self._closing.is_set():
            raise ConfigurationError("this client is closed; make a new one")

    def close(self) -> None:
        """Close the connections, apart from those of a client that the caller brought; a second time does nothing."""
        self._closing.set()
        with self._loading:
            if self._loaded is not None:
                self._loaded.close()

    def _library(self) -> BlockingHttpx:
        with self._loading:
            if self._loaded is None:
                from tazapay_lightning.transport.backends.httpx import BlockingHttpx

                self._loaded = BlockingHttpx(self._configuration, self._http_client)
                if self._closing.is_set():
                    self._loaded.close()
            return self._loaded

    def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        request = call.request(**generated)
        outcome: object = None
        try:
            arrived = self._library().exchange(request, ends)
            outcome = arrived.status
        except APIError as error:
            outcome = type(error.__cause__ or error).__name__
            raise
        finally:
            log_attempt(call, attempts, request, outcome, started)
        return call.read(arrived)
