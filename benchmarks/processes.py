"""Whole processes: how long they take from start to end, and how large they become (parts A and E)."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from benchmarks.machine import Server
from benchmarks.rounds import Measured
from benchmarks.scripts import CONSTRUCTIONS, IMPORTS, NOTHING, PLAIN, RESIDENT, first_invoices, growth

__all__ = ["GROWTH", "GROWTH_CALLS", "cold_start", "memory"]

GROWTH_CALLS = 10_000
GROWTH = "growth"


def cold_start(server: Server, rounds: int) -> Measured:
    """Measure start-up: seconds of the processor, those of the clock, and those without a bare interpreter's."""
    programs = {("bare", NOTHING): ""}
    programs |= {("import", name): program for name, program in IMPORTS.items()}
    programs |= {("construct", name): program for name, program in CONSTRUCTIONS.items()}
    programs |= {("first", name): program for name, program in first_invoices(server.url).items()}
    if server.secure_url is not None:
        programs |= {("first-https", name): program for name, program in first_invoices(server.secure_url).items()}
    trusting = {**os.environ, "SSL_CERT_FILE": str(server.authorities)}

    def run(key: tuple[str, str]) -> tuple[float, float]:
        return _run(programs[key], trusting if key[0] == "first-https" else os.environ)

    for key in programs:
        run(key)  # compiles what was never imported here, and warms the file system's cache
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        seconds = {key: run(key) for key in list(programs)[:: -1 if number % 2 else 1]}
        bare = seconds["bare", NOTHING]
        for (group, name), (cpu, wall) in seconds.items():
            measured[f"{group}, CPU"][name].append(cpu)
            measured[f"{group}, wall"][name].append(wall)
            if group in {"import", "construct"}:
                measured["start"][f"{group} {name}"].append(cpu - bare[0])
                measured["start, wall"][f"{group} {name}"].append(wall - bare[1])
    return measured


def memory(server: Server, rounds: int, *, calls: int = GROWTH_CALLS) -> Measured:
    """Measure the resident size in KiB after a first invoice, and by how much many invoices make it grow."""
    if sys.platform != "linux":
        print("memory is not measured: this system has no /proc", file=sys.stderr)
        return {}
    programs = {NOTHING: RESIDENT}
    measured: dict[str, list[float]] = defaultdict(list)
    programs |= {name: program + RESIDENT for name, program in first_invoices(server.url).items()}
    for _ in range(rounds):
        for name, program in programs.items():
            measured[name].append(_printed(program))
    growing = growth(server.url, before=200, calls=calls)
    return {"resident": measured, GROWTH: {GROWTH: [_printed(growing) for _ in range(min(rounds, 3))]}}


def _printed(program: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "printed"
        _run(program, os.environ, file)
        return float(file.read_text())


def _run(program: str, environment: Mapping[str, str], output: Path | None = None) -> tuple[float, float]:
    """Run a program in a new interpreter, apart from this folder; return seconds of the processor and of the clock."""
    command = [sys.executable, "-I", "-c", PLAIN + program]
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(output or os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    started = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - started
    if status != 0:
        raise SystemExit(f"error: a program of the benchmarks failed (its message is above):\n{program.strip()}")
    return used.ru_utime + used.ru_stime, wall
