"""When SIGINT and SIGTERM may end a run: as long as nothing is written, and not after.

What a run says at its end must be true. So a signal ends it at once before anything is put in place; from the decision
on it waits; and when everything is in place, it can only keep the run from telling what it did.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class _State:
    held: bool = False
    came: bool = False


_STATE = _State()  # of the process, as its signal handlers are


def listen() -> None:
    """Let both signals raise KeyboardInterrupt, unless whoever started this process has them ignored."""
    _STATE.held = _STATE.came = False
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _receive)


def hold() -> None:
    """Let signals wait from now on: what follows is not to be interrupted."""
    _STATE.held = True


def came() -> bool:
    """Tell whether a signal came while it had to wait."""
    return _STATE.came


@contextmanager
def allowed() -> Iterator[None]:
    """Let signals raise in this block, and wait again from its end on.

    Raises:
        KeyboardInterrupt: A signal came in this block.
    """
    try:
        _STATE.held = False
        yield
    finally:
        _STATE.held = True


def _receive(_signal: int, _frame: FrameType | None) -> None:
    if not _STATE.held:
        raise KeyboardInterrupt
    _STATE.came = True
