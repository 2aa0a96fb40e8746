"""Measure the client against what a user would take instead, and judge it by its limits.

    python -m benchmarks [--only A,B] [--quick] [--again] [--write docs/performance.md] [--check]

A: cold start, B: one call, C: many calls in flight, D: payment requests and webhooks, E: memory,
F: the emulator.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.calls import per_call, pure_functions
from benchmarks.concurrency import LEVELS, SLOW_LEVELS, concurrency
from benchmarks.emulator import emulator
from benchmarks.limits import LIMITS
from benchmarks.machine import ROOT, Server, describe, forget_environment, pin_to_first_core, running_server
from benchmarks.page import GROUPS, performance_page
from benchmarks.peers import HTTP_CLIENT, OURS_ON_AIOHTTP, has_backend
from benchmarks.pictures import write_page
from benchmarks.processes import GROWTH, cold_start, memory
from benchmarks.results import read_results, write_results
from benchmarks.rounds import Measured, Verdict, judge
from benchmarks.tables import as_text, group_rows, level_rows, limit_rows, value_rows, verdict_rows, with_shares
from benchmarks.threads import THREADS, threads

FULL = {"A": 15, "B": 40, "C": 7, "D": 40, "E": 5, "F": 40}
QUICK = dict.fromkeys(FULL, 2)
RESULTS = ROOT / ".bench"


def main() -> int:
    """Measure, print, write, judge; return 1 if a limit is missed and 2 if one cannot be judged."""
    arguments = _arguments()
    if arguments.again:
        measured, about = read_results(RESULTS)
    else:
        rounds = QUICK if arguments.quick else FULL
        measured, about = _run(arguments.only, rounds)
        if not arguments.quick:
            write_results(RESULTS, measured, about)
    verdicts = [judge(limit, measured) for limit in LIMITS if arguments.again or limit.part in arguments.only]
    print(report(measured, verdicts, about))
    if arguments.write:
        complete = len(verdicts) == len(LIMITS) and all(verdict.found for verdict in verdicts)
        if complete and not arguments.quick:
            write_page(arguments.write, performance_page(measured, verdicts, about, FULL))
        else:
            print(f"{arguments.write.name} is left as it is: not everything was measured", file=sys.stderr)
    return checked(verdicts) if arguments.check else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=",".join(FULL), help="the parts to run, such as A,B")
    parser.add_argument("--quick", action="store_true", help="two rounds of everything, for a look at whether it runs")
    parser.add_argument("--again", action="store_true", help="do not measure: show and judge what was measured last")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page about it, if all was measured")
    parser.add_argument("--check", action="store_true", help="exit 1 if a limit is missed, 2 if one cannot be judged")
    arguments = parser.parse_args()
    arguments.only = [part.strip().upper() for part in arguments.only.split(",")]
    if unknown := sorted(set(arguments.only) - set(FULL)):
        parser.error(f"--only takes {', '.join(FULL)}; got {', '.join(unknown)}")
    if arguments.again and not (RESULTS / "results.json").is_file():
        parser.error("--again has nothing to show: nothing was measured yet")
    return arguments


def _run(parts: Sequence[str], rounds: Mapping[str, int]) -> tuple[Measured, dict[str, str]]:
    started = time.monotonic()
    pin_to_first_core()
    forget_environment()
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server:
        measured, costs = measure(server, parts, rounds)
    about = describe(datetime.datetime.now(datetime.UTC).date())
    return measured, about | {"server": told(costs), "minutes": f"{(time.monotonic() - started) / 60:.0f}"}


def measure(server: Server, parts: Sequence[str], rounds: Mapping[str, int]) -> tuple[Measured, dict[str, float]]:
    """Run the parts, and return what they measured, and what a request cost the server.

    Returns:
        The measurements, and microseconds of the server's processor for each request, by part.
    """
    quick = rounds is QUICK
    running: dict[str, Callable[[], Measured]] = {
        "A": lambda: cold_start(server, rounds["A"]),
        "B": lambda: per_call(server, rounds["B"]),
        "C": lambda: {
            **concurrency(
                server,
                rounds["C"],
                levels=LEVELS[:3] if quick else LEVELS,
                slow_levels=SLOW_LEVELS[: 1 if quick else 2],
            ),
            **threads(server, rounds["C"], numbers=THREADS[:3] if quick else THREADS),
        },
        "D": lambda: pure_functions(rounds["D"]),
        "E": lambda: memory(server, rounds["E"], number=500 if quick else GROWTH),
        "F": lambda: emulator(rounds["F"]),
    }
    measured: dict[str, Mapping[str, Sequence[float]]] = {}
    costs: dict[str, float] = {}
    if "C" in parts and not has_backend():
        print(f"not measured: {OURS_ON_AIOHTTP} (the client does not take it yet)", file=sys.stderr)
    for part in parts:
        print(f"measuring part {part} ...", file=sys.stderr, flush=True)
        answered, seconds = server.cost()
        measured |= running[part]()
        more, in_all = server.cost()
        if part in {"B", "C"}:
            costs[part] = 1e6 * (in_all - seconds) / (more - answered)
    return measured, costs


def told(costs: Mapping[str, float]) -> str:
    """Tell what the server cost.

    Example:
        >>> told({"B": 40.2, "C": 30.0})
        'For a request it needed of its core 40 us in part B and 30 us in part C.'
        >>> told({})
        'What it cost was not measured.'
    """
    each = " and ".join(f"{cost:.0f} us in part {part}" for part, cost in costs.items())
    return f"For a request it needed of its core {each}." if each else "What it cost was not measured."


def report(measured: Measured, verdicts: Sequence[Verdict], about: Mapping[str, str]) -> str:
    """Return what the terminal shows: the machine, each group by client, and the verdicts last."""
    measured = with_shares(measured)
    tables = [(group.name, group_rows(group, measured)) for group in GROUPS]
    tables += [("growth", value_rows("growth", "KiB", measured))]
    tables += [("calls, how far from the limit", limit_rows("calls", HTTP_CLIENT, measured))]
    rates, costs = "requests per second", "CPU of a request"
    levels: list[tuple[str, str | None]] = [
        (group, None) for group in (rates, costs, f"{rates}, slow", f"{rates}, threads", f"{costs}, threads")
    ]
    levels += [(rates, "httpx"), (costs, "aiohttp"), (f"{rates}, threads", "httpx"), (f"{costs}, threads", HTTP_CLIENT)]
    levels += [(f"{group}, the server's share", None) for group in (costs, f"{costs}, threads")]
    tables += [
        (f"{group}, in units of {base}" if base else group, level_rows(group, measured, base=base))
        for group, base in levels
    ]
    blocks = ["\n".join(f"{name}: {value}" for name, value in about.items())]
    blocks += [f"{name}\n{as_text(rows)}" for name, rows in tables if rows]
    return "\n\n".join([*blocks, as_text(verdict_rows(verdicts))])


def checked(verdicts: Sequence[Verdict]) -> int:
    """Say a sentence for each limit that is not met, and return the exit code: 1 if one is missed, else 2.

    Example:
        >>> checked([])
        0
    """
    failed = [verdict for verdict in verdicts if verdict.word != "met"]
    for verdict in failed:
        print(f"error: {verdict}", file=sys.stderr)
    if any(verdict.word == "missed" for verdict in failed):
        return 1
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
