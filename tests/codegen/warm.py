"""Checkouts whose runs are forked from a process that has imported everything; see `tests.codegen.warm_server`."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import REPOSITORY, Checkout, made_environment

LONGEST_RUN = 120  # seconds


class WarmServer:
    """Starts runs in the process that is ready for them, one at a time."""

    def __init__(self, channel: socket.socket, kept: Path) -> None:
        self._channel = channel
        self._kept = kept

    def run(
        self, root: Path, arguments: tuple[str, ...], cwd: Path, kill_after: float | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run to the end, or to the moment, in seconds from its start, at which it is killed with all it started."""
        kept = str(self._kept) if kill_after is None else None
        request = json.dumps({"root": str(root), "arguments": arguments, "cwd": str(cwd), "kept": kept}).encode()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
            socket.send_fds(self._channel, [request], [nothing.fileno(), out.fileno(), err.fileno()])
            self._channel.settimeout(LONGEST_RUN)
            child = int(self._channel.recv(32))
            self._channel.settimeout(LONGEST_RUN if kill_after is None else max(kill_after, 1e-6))  # 0: no waiting
            try:
                code = int(self._channel.recv(32))
            except TimeoutError:
                with suppress(ProcessLookupError):  # it has just ended
                    os.killpg(child, signal.SIGKILL)
                self._channel.settimeout(LONGEST_RUN)
                code = int(self._channel.recv(32))
                if kill_after is None:
                    raise
            said = []
            for stream in (out, err):
                stream.seek(0)
                said.append(stream.read().decode())
        return subprocess.CompletedProcess(["generate.sh", *arguments], code, *said)


@dataclass(frozen=True)
class WarmCheckout(Checkout):
    """A checkout whose `run` is forked; `start` starts the script, as always."""

    server: WarmServer

    def run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        script: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        assert variables is None, "variables are the script's business: use a plain checkout"
        assert script is None, "another script is no business of this one: use a plain checkout"
        return self.server.run(self.root, arguments, cwd or self.root)

    def run_killed_after(self, seconds: float, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run, and kill it with everything that it started after so many seconds, unless it has ended by then."""
        return self.server.run(self.root, arguments, self.root, seconds)


@contextmanager
def warm_server() -> Iterator[WarmServer]:
    """Start the process as generate.sh would start its program, and end it with the block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [made_environment() / "bin/python", "-P", "-m", "tests.codegen.warm_server", str(theirs.fileno())]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        **dict.fromkeys(("PYTHONUTF8", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE"), "1"),
    }
    with (
        tempfile.TemporaryDirectory() as kept,
        ours,
        subprocess.Popen(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        ) as process,
    ):
        theirs.close()
        try:
            ours.settimeout(30)
            assert ours.recv(32) == b"ready", "it ended while it imported"
            yield WarmServer(ours, Path(kept))
        finally:
            ours.close()
            process.wait(timeout=30)
