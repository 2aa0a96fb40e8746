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
from benchmarks.peers import OURS
from benchmarks.rounds import Measured
from benchmarks.scripts import (
    CONSTRUCTIONS,
    CONSTRUCTIONS_OF_FILE,
    IMPORTS,
    NOTHING,
    OF_FILE,
    PLAIN,
    PRINT_RESIDENT,
    clients_made_and_closed,
    first_invoices,
    growth,
    idle_clients,
    kept_clients,
)

__all__ = ["GROWTH", "SOON", "cold_start", "memory"]

GROWTH = 10_000
IDLE_CLIENTS = 100
SOON = ", right after its call"


def cold_start(server: Server, rounds: int) -> Measured:
    """Measure start-up: seconds of the processor, those of the clock, and those without a bare interpreter's."""
    programs = {("bare", NOTHING): ""}
    programs |= {("import", name): program for name, program in IMPORTS.items()}
    programs |= {("construct", name): program for name, program in CONSTRUCTIONS.items()}
    programs |= {("first", name): program for name, program in first_invoices(server.url).items()}
    if server.secure_url is not None:
        programs |= {("first-https", name): program for name, program in first_invoices(server.secure_url).items()}
        programs |= {("construct", name): program for name, program in CONSTRUCTIONS_OF_FILE.items()}
    trusting = {**os.environ, "SSL_CERT_FILE": str(server.authorities)}

    def run(key: tuple[str, str]) -> tuple[float, float]:
        is_trusting = key[0] == "first-https" or key[1].endswith(OF_FILE)
        return _run(programs[key], trusting if is_trusting else os.environ)

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


def memory(server: Server, rounds: int, *, number: int = GROWTH) -> Measured:
    """Measure KiB of the resident size: after a first invoice, growth over invoices and clients, and idle clients.

    Args:
        server: what they call.
        rounds: of the first; three at most of growth, and one of idle clients, which varies little.
        number: of invoices, and of clients.
    """
    if sys.platform != "linux":
        print("memory is not measured: this system has no /proc", file=sys.stderr)
        return {}
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    programs = {NOTHING: PRINT_RESIDENT}
    programs |= {name: program + PRINT_RESIDENT for name, program in first_invoices(server.url).items()}
    for _ in range(rounds):
        for name, program in programs.items():
            measured["resident"][name] += _printed(program)
    kept = kept_clients(server.secure_url or server.url)
    trusting = {**os.environ, "SSL_CERT_FILE": str(server.authorities)}
    for _ in range(min(rounds, 3)):
        measured["growth"]["invoices"] += _printed(growth(server.url, calls=number))
        for name, program in kept.items():
            if name.startswith(OURS):
                first, second = _printed(clients_made_and_closed(program, number=number), trusting)
                measured["growth"][f"{name}: clients"].append(second)
                measured["growth"][f"{name}: clients, at first"].append(first)
    for name, program in kept.items():
        soon, later = _printed(idle_clients(program, number=IDLE_CLIENTS), trusting)
        measured["idle"][name], measured["idle"][name + SOON] = [later], [soon]
    return measured


def _printed(program: str, environment: Mapping[str, str] = os.environ) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "printed"
        _run(program, environment, file)
        return [float(word) for word in file.read_text().split()]


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
