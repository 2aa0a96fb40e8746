"""Worker processes on this machine, as they would run on many; and their violent end."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import field, frozen

from examples.distributed_bulk.ledger import Ledger

__all__ = ["Fleet", "Worker"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_PEACEFUL_SECONDS = 10.0
_HUNT_SECONDS = 5.0
_BETWEEN_LOOKS = 0.003


@frozen
class Worker:
    """A running worker: Celery's process and its pool, a process group of their own."""

    name: str
    process: subprocess.Popen[bytes] = field(repr=False)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes, as if to the machine."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)


class Fleet:
    """Starts workers, kills them, replaces them, and leaves none behind.

    Args:
        number: of workers at a time; 0 if they run elsewhere.
        environment: added to this process's for the workers, and only there: settings and credentials.
        log: the file that they write to.
    """

    def __init__(self, number: int, environment: Mapping[str, str], log: Path) -> None:
        self._number = number
        self._environment = {**os.environ, **environment}
        self._log = log
        self._names = (f"worker-{number}" for number in itertools.count(1))
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        for _ in range(self._number):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)  # Celery ends what it works at, and then itself
        ends = time.monotonic() + _PEACEFUL_SECONDS
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.signal(signal.SIGKILL)
                worker.process.wait()

    def catch_and_kill(self, ledger: Ledger) -> str | None:
        """Kill the oldest worker while it asks for an order, and put a new one in its place.

        It is stopped before it is looked at, so that it cannot finish in between: it dies in the middle of its work.

        Returns:
            The order that it held; None if it held none for a while, and lives on.
        """
        victim = self.workers[0]
        ends = time.monotonic() + _HUNT_SECONDS
        while time.monotonic() < ends:
            victim.signal(signal.SIGSTOP)
            in_hand = [order_id for order_id, worker in ledger.held().items() if worker == victim.name]
            if in_hand:
                victim.signal(signal.SIGKILL)
                victim.process.wait()
                self.workers.remove(victim)
                self._start()
                return in_hand[0]
            victim.signal(signal.SIGCONT)
            time.sleep(_BETWEEN_LOOKS)
        return None

    def dead(self) -> Worker | None:
        """Return a worker that ended by itself, which none should."""
        return next((worker for worker in self.workers if worker.process.poll() is not None), None)

    def _start(self) -> None:
        name = next(self._names)
        command = [sys.executable, "-m", "celery", "-A", "examples.distributed_bulk.worker", "worker"]
        command += ["--pool", "prefork", "--concurrency", "1", "--hostname", f"{name}@%h", "--loglevel", "WARNING"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=_REPOSITORY,
                env=self._environment | {"BULK_WORKER": name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(Worker(name, process))
