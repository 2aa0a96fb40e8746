"""The machine that measures: which core does what, what it is, and the server beside it."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PEERS", "Server", "describe", "forget_environment", "pin_to_first_core", "running_server"]

ROOT = Path(__file__).resolve().parent.parent
PEERS = (
    "httpx", "httpcore", "httpx2", "requests", "aiohttp", "httpx-aiohttp", "stripe", "openai", "bolt11", "coincurve",
)  # fmt: skip
_CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []  # before anything is pinned


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: of it, by http.
        secure_url: of it, by https; None if no certificate could be made.
        authorities: a file with the authorities that clients usually trust, and the server's own.
    """

    url: str
    secure_url: str | None
    authorities: Path

    def cost(self) -> tuple[int, float]:
        """Return how many requests it has answered, and the seconds of the processor that it has used."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url + "/", timeout=10) as reply:
            told = json.load(reply)
        return told["answered"], told["cpu_seconds"]

    @contextmanager
    def costs(self, measured: list[float]) -> Iterator[None]:
        """Append how many microseconds of its processor each request within the block takes the server."""
        answered, seconds = self.cost()
        yield
        more, in_all = self.cost()
        measured.append(1e6 * (in_all - seconds) / (more - answered))


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start the server on the last core, and end it afterwards."""
    from benchmarks.certificate import write_certificate

    authorities = folder / "authorities.pem"
    certificate = write_certificate(folder / "certificate.pem", authorities)
    command = [sys.executable, "-m", "benchmarks.server", *([str(certificate)] if certificate else [])]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a module of ours
        _pin(process.pid, last=True)
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - they are pipes
            ports = process.stdout.readline().split()
            if not ports:
                raise SystemExit("error: the server of the benchmarks did not start; its own message is above")
            secure_url = f"https://127.0.0.1:{ports[1]}" if len(ports) > 1 else None
            yield Server(f"http://127.0.0.1:{ports[0]}", secure_url, authorities)
        finally:
            process.kill()


def pin_to_first_core() -> None:
    """Keep this process, and those that it starts, off the server's core."""
    _pin(0, last=False)


def forget_environment() -> None:
    """Remove what would make some clients use a proxy, other certificates or another service."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("SSL_CERT_", "TAZAPAY_")):
            del os.environ[name]


def _pin(process: int, *, last: bool) -> None:
    if sys.platform == "linux" and len(_CORES) > 1:
        os.sched_setaffinity(process, {_CORES[-1 if last else 0]})


def describe(today: datetime.date, packages: Iterable[str] = PEERS) -> dict[str, str]:
    """Return what a reader has to know about where the figures come from."""
    cores = len(_CORES) or os.cpu_count() or 1
    apart = "the server on one, what is measured on another" if len(_CORES) > 1 else "not pinned: figures vary more"
    return {
        "machine": f"{_processor()}, {cores} cores, {apart}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{name} {version}" for name in packages if (version := _version(name))),
        "date": today.isoformat(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
