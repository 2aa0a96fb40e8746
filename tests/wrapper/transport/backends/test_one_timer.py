"""Blocks that one timer ends, as `asyncio.timeout` would end each of them."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress

import pytest

from tazapay_lightning.transport.backends.deadlines import Deadlines
from tests.support.tables import each_row


def in_seconds(seconds: float) -> float:
    return time.monotonic() + seconds


def test_each_block_ends_at_its_own_time_in_whatever_order_they_began() -> None:
    ended: list[float] = []

    async def wait(deadlines: Deadlines, seconds: float) -> None:
        with suppress(TimeoutError), deadlines.ends_at(in_seconds(seconds)):
            await asyncio.sleep(60)
        ended.append(seconds)
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one

    async def run() -> None:
        deadlines = Deadlines()
        await asyncio.gather(*(wait(deadlines, seconds) for seconds in (0.09, 0.03, 0.15, 0.0, -1.0)))
        assert (deadlines.blocks, deadlines.looks_at) == (set(), math.inf)

    asyncio.run(run())
    assert ended[2:] == [0.03, 0.09, 0.15]


def test_all_blocks_can_be_ended_at_once() -> None:
    async def wait(deadlines: Deadlines) -> None:
        with pytest.raises(TimeoutError), deadlines.ends_at(in_seconds(60)):
            await asyncio.sleep(60)

    async def run() -> None:
        deadlines = Deadlines()
        asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, deadlines.end)
        await asyncio.gather(wait(deadlines), wait(deadlines))
        assert deadlines._timer is None

    asyncio.run(run())


def test_a_block_that_is_in_time_leaves_no_timer() -> None:
    async def run() -> None:
        deadlines = Deadlines()
        with deadlines.ends_at(in_seconds(60)):
            await asyncio.sleep(0)
            timer = deadlines._timer
        assert timer is not None
        assert timer.cancelled()
        assert deadlines._timer is None

    asyncio.run(run())


@each_row("is_late", [True, False])
def test_a_cancellation_by_others_is_none_by_the_timer_even_at_the_same_time(is_late: bool) -> None:
    async def run() -> None:
        block = Deadlines().ends_at(in_seconds(0 if is_late else 60))

        async def wait() -> None:
            with block:
                await asyncio.sleep(60)

        task = asyncio.get_running_loop().create_task(wait())
        while not hasattr(block, "task") or (is_late and not block.is_late):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(task.cancel)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (task.cancelled(), block.is_late) == (True, is_late)

    asyncio.run(run())


def test_what_a_late_block_raises_by_itself_is_not_replaced() -> None:
    async def wait() -> None:
        with Deadlines().ends_at(in_seconds(0)):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise LookupError from None

    async def run() -> None:
        with pytest.raises(LookupError):
            await wait()
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one

    asyncio.run(run())
