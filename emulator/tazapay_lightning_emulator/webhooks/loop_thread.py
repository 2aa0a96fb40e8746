"""A thread with an event loop of its own, which other threads can wake and stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""A coroutine function that runs until it is cancelled; its argument is the event that `wake` sets."""


class LoopThread:
    """A thread that runs one coroutine from its construction until `stop`.

    Args:
        work: the coroutine function to run.
    """

    def __init__(self, work: Work) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name="tazapay-emulator-webhooks", daemon=True)
        self._thread.start()
        self._started.wait()

    def wake(self) -> None:
        """Set the event that the coroutine waits for."""
        self._call(self._woken.set)

    def stop(self) -> None:
        """Cancel the coroutine and join the thread. Must not be called from the thread itself."""
        self._call(self._task.cancel)
        self._thread.join()

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the event loop is closed already
            self._loop.call_soon_threadsafe(function)

    def _run(self, work: Work) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._main(work))

    async def _main(self, work: Work) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(work(woken := asyncio.Event()))
        self._woken = woken
        self._started.set()
        await self._task
