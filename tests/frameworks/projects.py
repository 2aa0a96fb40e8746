"""A reader's project: a guide's files in a folder, and its commands run there, with what is installed here."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from tests.frameworks.guides import PORT, File, Guide

PROGRAMS = Path(sys.executable).parent
PATIENCE = 60.0
"""Seconds to wait for what takes one where nothing else runs."""


def until(true: Callable[[], object], *, within: float = PATIENCE) -> None:
    """Wait for a condition."""
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends, "it did not become true"
        time.sleep(0.02)


@frozen
class Project:
    """A folder with a guide's files.

    Attributes:
        guide: whose.
        folder: where its commands run.
        variables: of the environment, beside PATH: those of this process are not passed on.
    """

    guide: Guide
    folder: Path
    variables: Mapping[str, str]

    def prepare(self) -> None:
        """Do what the guide says, up to the first server."""
        for step in self.guide.preparations:
            if isinstance(step, File):
                step.write(self.folder)
            else:
                done = self.run(step)
                assert done.returncode == 0, done.stdout

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,  # seconds; the strict type check takes more than a minute where others work, too
            check=False,
        )

    @contextmanager
    def serving(self, server: str, log: Path) -> Iterator[str]:
        """Run a server on a free port, and give its address."""
        with reserved_port() as port, log.open("w") as output:
            process = subprocess.Popen(
                shlex.split(server.replace(PORT, str(port))),
                cwd=self.folder,
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its workers and reloaders are stopped with it
            )
            try:
                until(lambda: process.poll() is not None or _accepts(port))
                assert process.poll() is None, log.read_text()
                yield f"http://127.0.0.1:{port}"
            finally:
                _stop(process)

    def _environment(self) -> dict[str, str]:
        return {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1", **self.variables}


@contextmanager
def reserved_port() -> Iterator[int]:
    """Hold a port that the system gives to nobody else; a server that reuses addresses, as all here do, can take it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # all of the group have ended
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=15)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
