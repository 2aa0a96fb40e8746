"""Blocking calls from many threads that share one client: requests per second, and what each costs (part C)."""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Barrier, Thread

from benchmarks.machine import Server
from benchmarks.peers import THREADED
from benchmarks.rounds import Measured

__all__ = ["THREADS", "threads"]

THREADS = (1, 10, 32, 100)
CALLS = 1500  # by all threads together: three quarters of a second
_TRIES = 10  # of a call that fails


def threads(server: Server, rounds: int, *, numbers: Sequence[int] = THREADS, calls: int = CALLS) -> Measured:
    """Measure each client with each number of threads, in turns; a fresh client, its connections opened before."""
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for round_number in range(rounds):
        for number in numbers:
            for name in list(THREADED)[:: -1 if round_number % 2 else 1]:
                each = calls // number
                with server.costs(measured["CPU of a request, threads, server"][f"{name} at {number}"]):
                    wall, cpu, failures = timed(name, server.url, threads=number, each=each)
                measured["requests per second, threads"][f"{name} at {number}"].append(each * number / wall)
                measured["CPU of a request, threads"][f"{name} at {number}"].append(1e6 * cpu / each / number)
                measured["failed calls, threads"][f"{name} at {number}"].append(failures)
    return measured


def timed(name: str, url: str, *, threads: int, each: int) -> tuple[float, float, int]:
    """Return the seconds of the clock and of the processor that calls from threads take, and how many of them failed.

    A call that failed is made again, as its caller would: bare httpx now and then closes a connection that another
    thread was given just before, when it has more than the 20 that it keeps.
    """
    call, close = THREADED[name](url)
    failures: list[Exception] = []
    clocks: list[tuple[float, float]] = []

    def look() -> None:  # by the last of the threads that arrives, while the others still wait
        clocks.append((time.perf_counter(), time.process_time()))

    begun, ended = Barrier(threads, look), Barrier(threads, look)

    def work() -> None:
        try:
            for _ in range(3):  # opens the connections
                _made(call, failures)
            begun.wait()
            for _ in range(each):
                _made(call, failures)
            ended.wait()
        except Exception:  # noqa: BLE001 - raised below, once all have ended
            begun.abort()
            ended.abort()

    workers = [Thread(target=work) for _ in range(threads)]
    gc.collect()
    gc.freeze()  # what exists by now is nothing of this client's
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        gc.unfreeze()
        close()
    if ended.broken:
        raise failures[-1]
    [(wall, cpu), (wall_after, cpu_after)] = clocks
    return wall_after - wall, cpu_after - cpu, len(failures)


def _made(call: Callable[[], object], failures: list[Exception]) -> None:
    for _ in range(_TRIES):
        try:
            call()
        except Exception as failure:  # noqa: BLE001 - of whichever library
            failures.append(failure)
        else:
            return
    raise failures[-1]
