"""Connections that tasks take turns on: the twin of `connections`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

import anyio

from tazapay_lightning.transport.backends.connections import (
    MOST_CONNECTIONS,
    Idle,
    client_closed_error,
    pool_exhausted_error,
)

__all__ = ["AsyncConnections"]

_Connection = TypeVar("_Connection")
CLOSE_TIMEOUT = 1.0  # seconds; a broken connection has nothing more to say


class AsyncConnections(Generic[_Connection]):
    """Lends connections to the tasks of one event loop.

    Args:
        connect: prepares a connection, which need not be open yet.
        disconnect: closes one; may be called while it is used, and twice.
        clock: tells how long a connection has not been used.
    """

    def __init__(
        self,
        connect: Callable[[], _Connection],
        disconnect: Callable[[_Connection], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._clock = clock
        self._idle = Idle[_Connection]()
        self._all: set[_Connection] = set()
        self._free = anyio.Semaphore(MOST_CONNECTIONS)
        self.is_closed = False

    @asynccontextmanager
    async def one(self, ends: float) -> AsyncIterator[_Connection]:
        """Lend a connection for one request. One whose request failed is closed: bytes may be left in it.

        Raises:
            APITimeoutError: none was free until `ends`.
            APIConnectionError: all were closed, for good.
        """
        await self._wait_for_a_free_one(ends)
        try:
            connection = self._idle.take() or self._add()
            try:
                yield connection
            except BaseException:
                await self._drop(connection)
                raise
            now = self._clock()
            self._idle.put(connection, now)
            for old in self._idle.take_old(now):
                await self._drop(old)
        finally:
            self._free.release()
        if self.is_closed:
            await self.aclose()

    async def _wait_for_a_free_one(self, ends: float) -> None:
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(ends - time.monotonic()):
                await self._free.acquire()
                return
            raise pool_exhausted_error() from None

    def prepare(self) -> None:
        """Prepare a connection for the first request, which shows whether it can be done."""
        self._idle.put(self._add(), self._clock())

    def _add(self) -> _Connection:
        if self.is_closed:
            raise client_closed_error()
        connection = self._connect()
        self._all.add(connection)
        return connection

    async def aclose(self) -> None:
        """Close all connections, used ones too; none can be had afterwards."""
        self.is_closed = True
        while self._idle.take() is not None:
            pass  # or a request could still find it
        while self._all:
            await self._disconnect(self._all.pop())

    async def _drop(self, connection: _Connection) -> None:
        self._all.discard(connection)
        # also when the request was cancelled; it has an outcome of its own, which matters more than what fails here
        with suppress(Exception), anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await self._disconnect(connection)
