"""Connections that requests take turns on: each serves one request at a time.

httpx's own pool looks at every connection and every waiting request whenever one of them changes, which is quadratic:
with 50 requests in flight it spends more time on that than on all else. So each connection is a pool of one, and a
request takes the one that was used last, or opens another, up to `MAX_CONNECTIONS`.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Lock
from typing import Any, Generic, TypeVar

import anyio

from tazapay_lightning.errors import APITimeoutError
from tazapay_lightning.transport.backends.failures import client_closed_error

MAX_CONNECTIONS = 100  # what httpx allows by default
KEEPALIVE_SECONDS = 5.0  # how long httpx keeps a connection that is not in use
CLOSE_TIMEOUT = 1.0  # seconds; a broken connection has nothing more to send

_Connection = TypeVar("_Connection")


class Pool(Generic[_Connection]):
    """What threads and tasks share: the idle connections, and all of them, to be closed with the client.

    Args:
        connect: makes a connection, which need not be open yet.
        disconnect: closes one, for tasks asynchronously; may be called while it is used, and twice.
        clock: measures how long a connection has not been used.
    """

    def __init__(
        self,
        connect: Callable[[], _Connection],
        disconnect: Callable[[_Connection], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._clock = clock
        self.is_closed = False
        self._start()

    def _start(self) -> None:
        self._idle: deque[tuple[float, _Connection]] = deque()  # the last was used last, so the first is the oldest
        self._all: set[_Connection] = set()

    def _take(self) -> _Connection:
        if self.is_closed:
            raise client_closed_error()
        with suppress(IndexError):  # there is none, or another thread took the last one
            return self._idle.pop()[1]
        connection = self._connect()
        self._all.add(connection)
        return connection

    def _give_back(self, connection: _Connection) -> list[_Connection]:
        """Keep a connection for the next request, and return those that are to be closed now."""
        now = self._clock()
        self._idle.append((now, connection))
        if self.is_closed:  # in the meantime: this one may have been opened after the others were closed
            return list(self._all)
        old = []
        # another thread may take what was looked at: then a younger one is closed, which costs it no more than time
        with suppress(IndexError):
            while now - self._idle[0][0] > KEEPALIVE_SECONDS:
                old.append(self._idle.popleft()[1])
        return old


class _Places:
    """Places among the connections in use, which threads wait for.

    Of Python's own classes none will do: a semaphore that a signal handler raises in stays locked for ever, and before
    Python 3.13 a queue waits for ever if the time is up just as the wait begins. The lock here protects nothing: a
    thread waits by acquiring it, and it is released, which wakes one thread, whenever a place may be free.
    """

    def __init__(self, number: int) -> None:
        self._may_be_free = Lock()
        self._free = deque(_Place(self) for _ in range(number))

    def __len__(self) -> int:
        return len(self._free)

    def take(self, ends: float) -> _Place | None:
        """Return a place, or None if none was free until `ends`."""
        while True:
            with suppress(IndexError):
                place = self._free.pop()
                if self._free:
                    self._wake_one()
                return place
            if not self._may_be_free.acquire(timeout=max(0.0, ends - time.monotonic())):
                return None

    def give_back(self, place: _Place | None) -> None:
        """Let another thread have a place, or look for one."""
        if place is not None:
            self._free.append(place)
        self._wake_one()

    def _wake_one(self) -> None:
        if self._may_be_free.locked():
            with suppress(RuntimeError):  # another thread has released it
                self._may_be_free.release()


class _Place:
    """A place among the connections in use.

    A signal handler can raise after a place was taken and before anything could be done to give it back: then it gives
    itself back, as another, when nothing refers to it any more.
    """

    def __init__(self, places: _Places) -> None:
        self._places = weakref.ref(places)  # or neither would ever go

    def __del__(self) -> None:
        places = self._places()
        if places is not None:
            places.give_back(_Place(places))


class Connections(Pool[_Connection]):
    """Lends connections to threads. A fork begins with places of its own."""

    def _start(self) -> None:
        super()._start()
        self._places = _Places(MAX_CONNECTIONS)
        self._process = os.getpid()

    @contextmanager
    def one(self, ends: float) -> Iterator[_Connection]:
        """Lend a connection for one request. One whose request failed is closed: bytes may be left in it.

        Raises:
            APITimeoutError: none was free until `ends`.
            APIConnectionError: all were closed, for good.
        """
        if self._process != os.getpid():  # forked: the other process reads from the same sockets, and its replies
            self._start()
        places, place = self._places, None
        try:
            place = places.take(ends)
            if place is None:
                raise _pool_exhausted_error()
            connection = self._take()
            try:
                yield connection
            except BaseException:
                self._close([connection])
                raise
            self._close(self._give_back(connection))
        finally:
            places.give_back(place)

    def close(self) -> None:
        """Close all connections, used ones too; none can be had afterwards."""
        self.is_closed = True
        self._close(list(self._all))

    def _close(self, connections: Iterable[_Connection]) -> None:
        for connection in connections:
            self._all.discard(connection)
            with suppress(Exception):  # the request has an outcome of its own, which matters more
                self._disconnect(connection)


class AsyncConnections(Pool[_Connection]):
    """Lends connections to the tasks of one event loop."""

    def _start(self) -> None:
        super()._start()
        self._free = anyio.Semaphore(MAX_CONNECTIONS)

    @asynccontextmanager
    async def one(self, ends: float) -> AsyncIterator[_Connection]:
        """Lend a connection, as `Connections.one` does."""
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(ends - time.monotonic()) as waiting:
                await self._free.acquire()
            if waiting.cancelled_caught:
                raise _pool_exhausted_error() from None
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                await self._close([connection])
                raise
            await self._close(self._give_back(connection))
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """Close all connections, used ones too; none can be had afterwards."""
        self.is_closed = True
        await self._close(list(self._all))

    async def _close(self, connections: Iterable[_Connection]) -> None:
        for connection in connections:
            self._all.discard(connection)
            # also when the request was cancelled; it has an outcome of its own, which matters more
            with suppress(Exception), anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await self._disconnect(connection)


def _pool_exhausted_error() -> APITimeoutError:
    message = f"all {MAX_CONNECTIONS} connections were in use until the time was up: fewer calls at once, or more time"
    return APITimeoutError(message, nothing_sent=True)
