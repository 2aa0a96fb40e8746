"""What was measured, kept as JSON, and in pyperf's format for its own tools."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.emulator import FIXTURE
from benchmarks.rounds import Measured

__all__ = ["read_results", "write_results"]

# pyperf knows times only: the groups that hold some, and what makes seconds of them
_SECONDS = {
    **dict.fromkeys(("import, CPU", "construct, CPU", "first, CPU", "first-https, CPU", *FIXTURE), 1.0),
    **dict.fromkeys(("calls", "decode_bolt11", "verify_webhook"), 1e-6),
}


def write_results(folder: Path, measured: Measured, about: Mapping[str, str]) -> None:
    """Write ``results.json`` and, if pyperf is installed, ``pyperf.json``."""
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps({"about": about, "measured": measured}, indent=1), "utf-8")
    try:
        pyperf = importlib.import_module("pyperf")
    except ImportError:
        return
    benchmarks = [
        pyperf.Benchmark(
            [
                pyperf.Run(
                    [value * factor for value in values],
                    metadata={"name": f"{group}: {name}", **about},
                    collect_metadata=False,  # told in `about`, and slow to find out for each of them
                )
            ]
        )
        for group, factor in _SECONDS.items()
        for name, values in measured.get(group, {}).items()
        if min(values) > 0  # which it refuses
    ]
    if benchmarks:
        pyperf.BenchmarkSuite(benchmarks).dump(str(folder / "pyperf.json"), replace=True)


def read_results(folder: Path) -> tuple[Measured, dict[str, str]]:
    """Return what was written last: the measurements, and what they are about."""
    kept = json.loads((folder / "results.json").read_text("utf-8"))
    return kept["measured"], kept["about"]
