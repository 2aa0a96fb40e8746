"""A thread with an event loop of its own, which can be woken and ended from every other thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""What the thread does, until it is cancelled; the event is set when it is woken."""


class LoopThread:
    """A running thread; from the end of `stop` on there is none.

    Args:
        work: what it does.
    """

    def __init__(self, work: Work) -> None:
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name="tazapay-emulator-webhooks", daemon=True)
        self._thread.start()
        self._begun.wait()

    def wake(self) -> None:
        """Set the event that the work waits for."""
        self._call(self._woken.set)

    def stop(self) -> None:
        """Cancel the work, and wait for the end of the thread, which cannot be this one."""
        self._call(self._task.cancel)
        self._thread.join()

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(function)

    def _run(self, work: Work) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._main(work))

    async def _main(self, work: Work) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(work(woken := asyncio.Event()))
        self._woken = woken
        self._begun.set()
        await self._task
