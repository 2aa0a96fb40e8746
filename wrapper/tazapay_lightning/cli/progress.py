"""The progress of a bulk run on stderr: a bar with rate and remaining time on a terminal, nothing anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(total: int) -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show a bar within the block, and yield the function that moves it, which takes how many ended in each state."""
    console, began = Console(stderr=True), time.monotonic()
    if not console.is_terminal:  # a bar that is disabled still prints an empty line, with rich 13.9
        yield lambda states: None
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("0.0/s, 0 failed", total=total)

    def update(states: Mapping[str, int]) -> None:
        done, seconds = sum(states.values()), time.monotonic() - began
        note = f"{done / max(seconds, 1e-9):.1f}/s, {done - states.get('created', 0)} failed"
        bar.update(task, completed=done, description=note)

    bar.start()
    try:
        yield update
    finally:
        with suppress(OSError):  # the terminal is closed
            bar.stop()
