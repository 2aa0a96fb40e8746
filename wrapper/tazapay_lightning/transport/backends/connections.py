"""Connections that requests take turns on: each serves one request at a time.

httpx's own pool looks at every connection and every waiting request whenever one of them changes, which is quadratic:
with 50 requests in flight it spends more time on that than on all else. So each connection is a pool of one, and who
wants one takes the one that was used last, or opens another, up to `MOST_CONNECTIONS`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from tazapay_lightning.errors import APIConnectionError, APITimeoutError

__all__ = ["KEEP_SECONDS", "MOST_CONNECTIONS", "Connections", "Idle", "client_closed_error", "pool_exhausted_error"]

MOST_CONNECTIONS = 100  # what httpx allows by default
KEEP_SECONDS = 5.0  # how long httpx keeps a connection that is not in use

_Connection = TypeVar("_Connection")


class Idle(Generic[_Connection]):
    """Connections that are not in use; those on top were used last, so the others grow old.

    Example:
        >>> idle = Idle[str]()
        >>> idle.put("first", now=0.0)
        >>> idle.put("second", now=4.0)
        >>> idle.take_old(now=6.0), idle.take(), idle.take()
        (['first'], 'second', None)
    """

    def __init__(self) -> None:
        self._unused: deque[tuple[float, _Connection]] = deque()

    def put(self, connection: _Connection, now: float) -> None:
        """Keep a connection from now on."""
        self._unused.append((now, connection))

    def take(self) -> _Connection | None:
        """Take the connection that was used last; None if there is none."""
        try:
            return self._unused.pop()[1]
        except IndexError:
            return None

    def take_old(self, now: float) -> list[_Connection]:
        """Take the connections that have not been used for `KEEP_SECONDS`: they are to be closed."""
        old = []
        # another thread may take what was looked at: then a younger one is closed, which costs it no more than time
        with suppress(IndexError):  # there is none, or another thread took the last one in between
            while now - self._unused[0][0] > KEEP_SECONDS:
                old.append(self._unused.popleft()[1])
        return old


class Connections(Generic[_Connection]):
    """Lends connections to threads.

    Args:
        connect: prepares a connection, which need not be open yet.
        disconnect: closes one; may be called while it is used, and twice.
        clock: tells how long a connection has not been used.
    """

    def __init__(
        self,
        connect: Callable[[], _Connection],
        disconnect: Callable[[_Connection], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._clock = clock
        self.is_closed = False
        self._start_anew()

    def _start_anew(self) -> None:
        self._idle = Idle[_Connection]()
        self._all: set[_Connection] = set()
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._process = os.getpid()

    @contextmanager
    def one(self, ends: float) -> Iterator[_Connection]:
        """Lend a connection for one request. One whose request failed is closed: bytes may be left in it.

        Raises:
            APITimeoutError: none was free until `ends`.
            APIConnectionError: all were closed, for good.
        """
        if self._process != os.getpid():  # forked: the other process reads from the same sockets, and its replies
            self._start_anew()
        free = self._free
        if not free.acquire(timeout=max(0.0, ends - time.monotonic())):
            raise pool_exhausted_error()
        try:
            connection = self._idle.take() or self._add()
            try:
                yield connection
            except BaseException:
                self._drop(connection)
                raise
            now = self._clock()
            self._idle.put(connection, now)
            for old in self._idle.take_old(now):
                self._drop(old)
        finally:
            free.release()
        if self.is_closed:
            self.close()

    def prepare(self) -> None:
        """Prepare a connection for the first request, which shows whether it can be done."""
        self._idle.put(self._add(), self._clock())

    def _add(self) -> _Connection:
        if self.is_closed:
            raise client_closed_error()
        connection = self._connect()
        self._all.add(connection)
        return connection

    def close(self) -> None:
        """Close all connections, used ones too; none can be had afterwards."""
        self.is_closed = True
        while self._idle.take() is not None:
            pass  # or a request could still find it
        while (connection := _any_of(self._all)) is not None:
            self._disconnect(connection)

    def _drop(self, connection: _Connection) -> None:
        self._all.discard(connection)
        with suppress(Exception):  # the request has an outcome of its own, which matters more
            self._disconnect(connection)


def _any_of(connections: set[_Connection]) -> _Connection | None:
    try:
        return connections.pop()
    except KeyError:  # also when another thread closes as well
        return None


def pool_exhausted_error() -> APITimeoutError:
    """Return the error for a request that waited in vain for a connection."""
    return APITimeoutError(
        f"all {MOST_CONNECTIONS} connections were in use until the time was up: fewer calls at once, or more time",
        nothing_sent=True,
    )


def client_closed_error(*, nothing_sent: bool = True) -> APIConnectionError:
    """Return the error for a request that found its client closed."""
    return APIConnectionError("the client was closed meanwhile", nothing_sent=nothing_sent, permanent=True)
