"""Programs that talk to a terminal, and what its screen shows of what they wrote to it."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from attrs import define, field

_PARTS = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


class Cell(NamedTuple):
    """A character on the screen, with the codes of its colours."""

    character: str = " "
    colours: str = ""

    @property
    def is_white_on_black(self) -> bool:
        """Tell whether it is part of a QR code."""
        return self.colours == "38;5;231;48;5;16"


class Screen:
    """What a terminal shows, as far as the command line writes to it: lines, colours, and cursors that go up.

    It has as many rows as were written, so that nothing scrolls out of it.
    """

    def __init__(self, written: str) -> None:
        self._rows: list[list[Cell]] = [[]]
        self._row = self._column = 0
        self._colours = ""
        for parameters, command, line, character in _PARTS.findall(written):
            if command:
                self._control(command, parameters)
            elif line == "\r":
                self._column = 0
            elif line == "\n":
                self._row += 1
            else:
                self._write(Cell(character, self._colours))

    def _control(self, command: str, parameters: str) -> None:
        if command == "m":
            self._colours = "" if parameters in {"", "0"} else parameters
        elif command == "A":
            self._row -= int(parameters or 1)
        elif command == "K":
            self._line().clear()

    def _line(self) -> list[Cell]:
        self._rows += [[] for _ in range(self._row + 1 - len(self._rows))]
        return self._rows[self._row]

    def _write(self, cell: Cell) -> None:
        line = self._line()
        line += [Cell()] * (self._column + 1 - len(line))
        line[self._column] = cell
        self._column += 1

    def cells(self) -> list[list[Cell]]:
        """Return its rows."""
        return self._rows

    def lines(self) -> list[str]:
        """Return its text, without what is blank at the end of a line."""
        return ["".join(cell.character for cell in row).rstrip() for row in self._rows]

    def code(self) -> list[list[Cell]]:
        """Return the part that a QR code covers: the cells that are white on black."""
        rows = [[cell for cell in row if cell.is_white_on_black] for row in self._rows]
        return [row for row in rows if row]


@define
class Terminal:
    """A program that believes to talk to a terminal, and what it wrote to it so far."""

    process: subprocess.Popen[str]
    master: int
    written: str = field(default="", init=False)
    _decoder: codecs.IncrementalDecoder = field(factory=codecs.getincrementaldecoder("utf-8"), init=False)

    def read_until(self, part: str | Callable[[str], object]) -> None:
        """Read until something has been written: a text, or what a function of all that was written accepts."""
        is_there = part if callable(part) else lambda written: part in written
        deadline = time.monotonic() + 20
        while not is_there(self.written):
            assert self._read(), f"it ended without {part!r}: {self.written!r}"
            assert time.monotonic() < deadline, f"waited in vain for {part!r} in {self.written[-9000:]!r}"

    def read_to_the_end(self) -> str:
        """Read all that the program writes until it ends, and return everything that it wrote."""
        while self._read():
            pass
        return self.written

    def close(self) -> None:
        """Close the terminal, as its window does: the program gets SIGHUP."""
        os.close(self.master)
        self.master = -1

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 30)
        assert ready, f"nothing more came in 30 seconds after {self.written!r}"
        try:
            more = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other end open any more
            return False
        self.written += self._decoder.decode(more)
        return bool(more)


@contextmanager
def in_a_terminal(
    *arguments: str, columns: int = 200, rows: int = 50, output: bool = True, **variables: str
) -> Iterator[Terminal]:
    """Run a command with a terminal for its stderr, and the terminal too, or a pipe, for its stdout."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whatever the shell said
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"  # it is the terminal of this session
        f"from tazapay_lightning.cli.app import app; app({list(arguments)!r}, prog_name='tazapay-lightning')"
    )
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    unset = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **variables}
    command = [sys.executable, "-c", program]
    streams: dict[str, Any] = {"stdin": slave, "stdout": slave if output else subprocess.PIPE, "stderr": slave}
    with subprocess.Popen(command, env=environment, text=True, start_new_session=True, **streams) as process:
        os.close(slave)
        terminal = Terminal(process, master)
        try:
            yield terminal
        finally:
            process.kill()
            if terminal.master >= 0:
                terminal.close()
