"""Record the command line on a terminal of its own, as pictures for the documents.

    python -m tools.recording docs/images

The commands are real, against an emulator, and a terminal emulator keeps what each line of the screen showed, and when.
"""

from __future__ import annotations

import importlib
import os
import pty
import sys
import sysconfig
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from shlex import quote
from subprocess import Popen
from threading import Timer
from typing import Any

from tazapay_lightning_emulator import Emulator, running_emulator
from tools.terminal_picture import INK, PAPER, Run, Shown, drawn

COLUMNS, ROWS = 80, 60
PROMPT, TYPING = "$ ", 0.8  # and how long the reader is given to read the command, in seconds
COMMAND = "tazapay-lightning"
OnScreen = Callable[[str], None]
"""Called with the text of the screen whenever it changed, while a command runs."""


def record(
    command: Sequence[str],
    environment: dict[str, str],
    began: float,
    top: int,
    on_screen: OnScreen = lambda _: None,
    *,
    longest: float = 120,
) -> Iterator[Shown]:
    """Run a command on a terminal, and yield what each line showed, the command itself above it.

    Args:
        command: what is typed.
        environment: variables for it, beside those of this process.
        began: the time at which it is typed, in the recording.
        top: the line on which it is typed.
        on_screen: may act on what the terminal shows, as a person would.
        longest: seconds after which the command is killed.

    Raises:
        RuntimeError: it failed, or was killed. The message holds what the terminal showed.
    """
    screen = importlib.import_module("pyte").Screen(COLUMNS, ROWS)
    yield Shown(top, (Run(PROMPT, "green", bold=True), Run(" ".join(map(quote, command)), bold=True)), began, None)
    states: dict[int, list[tuple[float, tuple[Run, ...]]]] = {}
    for moment in _moments(command, environment, screen, longest):
        for row in sorted(screen.dirty):
            seen = states.setdefault(row, [(0.0, ())])
            if (runs := _runs(screen.buffer[row])) != seen[-1][1]:
                seen.append((began + TYPING + moment, runs))
        screen.dirty.clear()
        on_screen("\n".join(screen.display))
    for row, seen in sorted(states.items()):
        ends: list[float | None] = [begin for begin, _ in seen[1:]]
        for (begin, runs), end in zip(seen, [*ends, None], strict=True):
            if runs:
                yield Shown(top + 1 + row, runs, begin, end)


def _moments(command: Sequence[str], environment: dict[str, str], screen: Any, longest: float) -> Iterator[float]:
    """Run a command, and yield the seconds since its start each time that the screen has changed."""
    stream = importlib.import_module("pyte").ByteStream(screen)
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (ROWS, COLUMNS))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TAZAPAY_", "NO_COLOR"))}
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{inherited.get('PATH', '')}"
    variables = inherited | {"PATH": path, "TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
    began = time.monotonic()
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a file descriptor has no path
        with Popen(command, stdin=its, stdout=its, stderr=its, env=variables, start_new_session=True) as process:
            os.close(its)
            overdue = Timer(longest, process.kill)
            overdue.daemon = True
            overdue.start()
            with suppress(OSError):  # how Linux tells that nobody holds the other side any more
                while written := terminal.read(65_536):
                    stream.feed(written)
                    yield time.monotonic() - began
            overdue.cancel()
        if process.returncode:
            shown = "\n".join(line.rstrip() for line in screen.display).strip()
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}\n{shown}")


def _runs(row: Any) -> tuple[Run, ...]:
    """Return what a line of the screen shows, without the blanks at its end."""
    cells = [row[column] for column in range(COLUMNS)]
    while cells and cells[-1].data == " " and cells[-1].bg == "default" and not cells[-1].reverse:
        cells.pop()
    looks = groupby(cells, key=lambda cell: (cell.fg, cell.bg, cell.bold, cell.reverse))
    runs = []
    for (colour, background, bold, is_reversed), same in looks:
        run = Run("".join(cell.data for cell in same), colour, background, bold)
        if is_reversed:
            swapped = PAPER if background == "default" else background, INK if colour == "default" else colour
            run = run._replace(colour=swapped[0], background=swapped[1])
        runs.append(run)
    return tuple(runs)


def demo() -> str:
    """Record the demonstration."""
    shown = record([COMMAND, "demo"], {}, 0.0, 0)
    return drawn("A terminal: the demonstration of tazapay-lightning", COLUMNS, list(shown))


def wait() -> str:
    """Record an invoice that is created and, while the command waits for it, paid."""
    with running_emulator() as tazapay:
        environment = {
            "TAZAPAY_BASE_URL": tazapay.base_url,
            "TAZAPAY_API_KEY": tazapay.api_key,
            "TAZAPAY_API_SECRET": tazapay.api_secret,
        }
        order = ["--amount-sats", "5000", "--memo", "Order #7890", "--no-qr"]
        shown = list(record([COMMAND, "create", *order], environment, 0.0, 0))
        invoice_id = tazapay.invoices()[0]["id"]
        began, top = max(each.begin for each in shown) + 1, 2 + max(each.line for each in shown)
        shown += record([COMMAND, "wait", invoice_id, "--no-qr"], environment, began, top, _payer(tazapay, invoice_id))
    return drawn("A terminal: an invoice is created, and waited for until it is paid", COLUMNS, shown)


def _payer(tazapay: Emulator, invoice_id: str) -> OnScreen:
    """Pay an invoice when the third line about it was seen: the reader shall see that the command waits."""
    seen: set[str] = set()

    def pay(screen: str) -> None:
        if invoice_id in screen:
            seen.add(screen)
        if len(seen) >= 3 and tazapay.invoices()[0]["payment_status"] == "unpaid":
            tazapay.pay(invoice_id)

    return pay


RECORDINGS = {"demo.svg": demo, "wait.svg": wait}


def main() -> None:
    """Write the pictures into the folder that the command line names."""
    for name, recording in RECORDINGS.items():
        (Path(sys.argv[1]) / name).write_text(recording(), "utf-8")


if __name__ == "__main__":
    main()
