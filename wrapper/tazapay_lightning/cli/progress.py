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
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(_note({}, 0.0), total=total)

    def update(states: Mapping[str, int]) -> None:
        bar.update(task, completed=sum(states.values()), description=_note(states, time.monotonic() - began))

    bar.start()
    try:
        yield update
    finally:
        with suppress(OSError):  # the terminal is closed
            bar.stop()


def _note(states: Mapping[str, int], seconds: float) -> str:
    """Return rate and failures as a line.

    Example:
        >>> _note({"created": 90, "refused": 9, "unknown": 1}, 4.0)
        '25.0/s, 10 failed'
    """
    done = sum(states.values())
    return f"{done / seconds if seconds else 0.0:.1f}/s, {done - states.get('created', 0)} failed"
