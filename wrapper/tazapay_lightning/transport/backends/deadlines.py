"""Deadlines of the requests of one event loop, by one timer for all: one of each would take a tenth of their time."""

from __future__ import annotations

import asyncio
import math
import time
from types import TracebackType
from typing import Any

_PAUSE_SECONDS = 0.005  # between two looks: thousands of requests, late one after the other, would ask for as many


class Deadlines:
    """Ends blocks that are late, each as ``asyncio.timeout`` ends its own. For one event loop.

    Attributes:
        blocks: those under way.
        looks_at: when it looks which of them are late.
    """

    def __init__(self) -> None:
        self.blocks: set[_Block] = set()
        self.looks_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def ends_at(self, ends: float) -> _Block:
        """Return a context manager whose block is cancelled at a time of the monotonic clock, and raises TimeoutError.

        A cancellation by others leaves the block as what it is.

        Example:
            >>> async def wait(seconds):
            ...     with Deadlines().ends_at(time.monotonic() + 0.01):
            ...         await asyncio.sleep(seconds)
            >>> asyncio.run(wait(0))
            >>> asyncio.run(wait(60))
            Traceback (most recent call last):
            ...
            TimeoutError
        """
        return _Block(self, ends)

    def look_at(self, ends: float) -> None:
        """Look for late blocks at a time of the monotonic clock instead of the one set before; at infinity, never."""
        if self._timer is not None:
            self._timer.cancel()
        self.looks_at, self._timer = ends, None
        if ends < math.inf:
            self._timer = asyncio.get_running_loop().call_later(ends - time.monotonic(), self._look)

    def end(self, now: float = math.inf) -> None:
        """End the blocks whose time is up by then: without a time, all."""
        for block in self.blocks:
            if not block.is_late and block.ends <= now:
                block.is_late = True
                block.task.cancel()

    def _look(self) -> None:
        now = time.monotonic()
        self.end(now)
        following = min((block.ends for block in self.blocks if not block.is_late), default=math.inf)
        self.look_at(max(following, now + _PAUSE_SECONDS))


class _Block:
    __slots__ = ("_cancelled_before", "_deadlines", "ends", "is_late", "task")

    def __init__(self, deadlines: Deadlines, ends: float) -> None:
        self._deadlines, self.ends, self.is_late = deadlines, ends, False

    def __enter__(self) -> None:
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]  # whatever runs, runs in one
        self._cancelled_before = self.task.cancelling()
        self._deadlines.blocks.add(self)
        if self.ends < self._deadlines.looks_at:
            self._deadlines.look_at(self.ends)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.blocks.remove(self)
        if not self._deadlines.blocks:
            self._deadlines.look_at(math.inf)
        if self.is_late and self.task.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
            raise TimeoutError from error
