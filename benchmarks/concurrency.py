"""Many calls in flight from one event loop: requests per second, and what each costs the processor (part C)."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence

from benchmarks.machine import Server
from benchmarks.peers import ASYNCHRONOUS, OURS_ON_AIOHTTP, has_backend
from benchmarks.rounds import Measured

__all__ = ["LEVELS", "SLOW_LEVELS", "concurrency"]

LEVELS = (1, 10, 50, 100, 500)
SLOW_LEVELS = (50, 500)
_FEWEST_CALLS = 1200  # a third of a second for the fastest: less is mostly starting and stopping


def concurrency(
    server: Server, rounds: int, *, levels: Sequence[int] = LEVELS, slow_levels: Sequence[int] = SLOW_LEVELS
) -> Measured:
    """Measure each client at each level, in turns; a fresh client each time, whose connections are opened before."""
    names = [name for name in ASYNCHRONOUS if name != OURS_ON_AIOHTTP or has_backend()]
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for group, url, some_levels in (("", server.url, levels), (", slow", server.url + "/slow", slow_levels)):
            for level in some_levels:
                for name in names[:: -1 if number % 2 else 1]:
                    calls = 4 * level if group else max(_FEWEST_CALLS, 4 * level)
                    with server.costs(measured[f"CPU of a request{group}, server"][f"{name} at {level}"]):
                        wall, cpu = asyncio.run(_timed(name, url, in_flight=level, calls=calls))
                    measured[f"requests per second{group}"][f"{name} at {level}"].append(calls / wall)
                    measured[f"CPU of a request{group}"][f"{name} at {level}"].append(1e6 * cpu / calls)
    return measured


async def _timed(name: str, url: str, *, in_flight: int, calls: int) -> tuple[float, float]:
    """Return the seconds of the clock and of the processor that some calls take, with so many of them in flight."""
    call, close = ASYNCHRONOUS[name](url)
    try:
        await _all_of(call, in_flight=in_flight, calls=max(50, in_flight))  # opens connections
        gc.collect()
        gc.freeze()  # what exists by now is nothing of this client's
        wall, cpu = time.perf_counter(), time.process_time()
        await _all_of(call, in_flight=in_flight, calls=calls)
        return time.perf_counter() - wall, time.process_time() - cpu
    finally:
        gc.unfreeze()
        await close()


async def _all_of(call: Callable[[], Awaitable[object]], *, in_flight: int, calls: int) -> None:
    remaining = iter(range(calls))

    async def one_after_the_other(remaining: Iterator[int]) -> None:
        for _ in remaining:
            await call()

    await asyncio.gather(*(one_after_the_other(remaining) for _ in range(in_flight)))
