"""A Redis of our own for practice: on a socket in a scratch folder, never the system's service."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["RedisMissingError", "running_redis"]

_START_SECONDS = 20.0


class RedisMissingError(Exception):
    """There is no redis-server on this machine, or it does not start."""


@contextmanager
def running_redis(*, append_only: bool = False) -> Iterator[tuple[str, Path]]:
    """Run a Redis for the time of the block; nothing is left of it afterwards.

    It listens on a Unix socket alone, in a folder that only this user may enter: no port that others could reach or
    that somebody else could have, and no password to keep.

    Args:
        append_only: write every change to the folder, as a Redis that holds what is known about money should do.

    Yields:
        The address for `Settings.redis_url`, and the folder.

    Raises:
        RedisMissingError: it cannot be run.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise RedisMissingError("redis-server is not installed: apt-get install --no-install-recommends redis-server")
    folder = Path(tempfile.mkdtemp(prefix="bulk-redis-"))  # short: the path of a socket has about 100 characters
    try:
        options = {
            "port": "0",
            "unixsocket": str(folder / "socket"),
            "unixsocketperm": "700",
            "dir": str(folder),
            "save": "",
            "appendonly": "yes" if append_only else "no",
            "appendfsync": "always",
            "logfile": str(folder / "log"),
            "maxmemory-policy": "noeviction",
        }
        # no configuration file: neither the system's nor one that lies around
        command = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603 - see above
            try:
                _wait_until_ready(process, folder)
                yield f"redis+socket://{folder / 'socket'}", folder
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not _answers(folder / "socket"):
        if process.poll() is not None or time.monotonic() > ends:
            log = folder / "log"
            told = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
            raise RedisMissingError("redis-server does not start: " + " | ".join(told))
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
