"""The progress of a bulk run on stderr: a bar with rate and remaining time on a terminal, nothing anywhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console

__all__ = ["Progress"]


class Progress:
    """A bar that follows the run within a ``with`` block, and is gone after it.

    Args:
        total: how many orders are to be sent.
    """

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        self._began = time.monotonic()
        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.description}"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(_note({}, 0.0), total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._bar.disable:  # rich 13 ends even a bar that was never shown with an empty line
            self._bar.stop()

    def update(self, states: Mapping[str, int]) -> None:
        """Show how many orders have ended in which state."""
        if not self._bar.disable:
            note = _note(states, time.monotonic() - self._began)
            self._bar.update(self._task, completed=sum(states.values()), description=note)

    def stopping(self, in_flight: int) -> None:
        """Say above the bar that the run was asked to stop."""
        message = f"stopping: {in_flight} in flight are waited for; once more (Ctrl-C) abandons them"
        self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)


def _note(states: Mapping[str, int], seconds: float) -> str:
    """Return rate and failures as a line.

    Example:
        >>> _note({"created": 90, "refused": 9, "unknown": 1}, 4.0)
        '25.0/s, 10 failed'
    """
    done = sum(states.values())
    return f"{done / seconds if seconds else 0.0:.1f}/s, {done - states.get('created', 0)} failed"
