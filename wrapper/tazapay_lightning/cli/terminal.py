"""What a terminal can show: colours, whole words, blocks of a QR code, and what moves while a command waits.

Rich takes longer to load than a command without a terminal needs, so it is imported where there is one.
"""

from __future__ import annotations

import io
import locale
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

BLOCKS = " \u2580\u2584\u2588"
"""What a QR code is drawn with."""


def coloured(text: str, colour: str) -> str:
    """Return a text in a colour of the terminal's own theme; `typer.echo` leaves it out where there is no terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else typer.style(text, fg=colour, bold=True)


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal; one that is closed is none."""
    with suppress(AttributeError, ValueError):  # None, as by `>&-`; or closed
        return stream.isatty()
    return False


def wrapped(message: str) -> str:
    """Break a message for stderr between words, if that is a terminal; a longer word stays whole, to be copied."""
    if not is_terminal(sys.stderr):
        return message
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    lines = Text(message, overflow="ignore").wrap(console, console.width)
    return "\n".join(line.plain.rstrip() for line in lines)


def settle_encodings() -> None:
    """Have stdout and stderr escape what cannot be shown: a letter is no reason to lose an invoice."""
    # in the locale C Python writes UTF-8 unless told otherwise (PEP 540), whether the terminal reads it or not
    is_guessed = sys.flags.utf8_mode and not {"PYTHONUTF8", "PYTHONIOENCODING"} & os.environ.keys()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = locale.getencoding() if is_guessed else None
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def has_blocks(stream: TextIO) -> bool:
    """Tell whether a stream's encoding has the blocks of a QR code."""
    try:
        BLOCKS.encode(stream.encoding)
    except (AttributeError, LookupError, UnicodeEncodeError):  # it is closed, or has other letters
        return False
    return True


def stdout_size() -> tuple[int, int]:
    """Return the columns and rows of the terminal that stdout is; 0 for what is not known or limits nothing."""
    columns, rows = shutil.get_terminal_size((0, 0)) if is_terminal(sys.stdout) else (0, 0)
    return columns, rows


class Moving(Protocol):
    """What Rich shows in frames: a spinner, a bar, a countdown."""

    def start(self) -> None:
        """Show the first one."""

    def stop(self) -> None:
        """Remove the last one."""


def has_moving() -> bool:
    """Tell whether something may move on stderr: it is a terminal, and no log is written between the frames."""
    return is_terminal(sys.stderr) and not os.environ.get("TAZAPAY_LOG")


Frames = TypeVar("Frames", bound=Moving)


@contextmanager
def moving(make: Callable[[Console], Frames], *, no_color: bool | None = None) -> Iterator[Frames | None]:
    """Show something on stderr within the block, and yield it; None where nothing may move.

    Args:
        make: returns it, for a console.
        no_color: whether it has no colours; None for what NO_COLOR says.
    """
    if not has_moving():
        yield None
        return
    from rich.console import Console

    shown = make(Console(stderr=True, no_color=no_color))
    with suppress(OSError):  # the terminal is closed
        shown.start()
    try:
        yield shown
    finally:
        with suppress(OSError):
            shown.stop()


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Show that a command waits for the network, and for what."""

    def make(console: Console) -> Moving:
        from rich.text import Text

        kind = "dots" if has_blocks(sys.stderr) else "line"
        return console.status(Text(text, no_wrap=True, overflow="ellipsis"), spinner=kind, spinner_style="none")

    with moving(make):
        yield
