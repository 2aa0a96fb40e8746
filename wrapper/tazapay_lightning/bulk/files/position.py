"""How far an index has taken in the files of a run, so that it can go on from there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define, field

from tazapay_lightning.bulk.files.lines import parsed
from tazapay_lightning.errors import ConfigurationError


@define(eq=False)
class ReadFile:
    """What has been read of a file of objects: its lines and bytes, and their digest; reading goes on behind it."""

    path: Path
    lines: int = 0
    size: int = 0
    digest: Any = field(factory=hashlib.sha256)

    def objects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Read the objects that follow, each with its place ("line 3 of results.jsonl").

        Raises:
            ConfigurationError: a line is not an object.
        """
        with self.path.open("rb") as file:
            file.seek(self.size)
            for content in file:
                self.passed(content)
                place, line = f"line {self.lines} of {self.path}", parsed(content)
                if not isinstance(line, dict):
                    raise ConfigurationError(f"{place} is not a JSON object; put it right, or remove it")
                yield place, line

    def passed(self, content: bytes) -> None:
        """Take a line for read."""
        self.lines, self.size = self.lines + 1, self.size + len(content)
        self.digest.update(content)

    def skip(self, lines: int, size: int, digest: str) -> bool:
        """Go on behind lines that were read before; tell whether the file still begins with them."""
        with self.path.open("rb") as file:
            while content := file.read(min(size - self.size, 2**20)):
                self.digest.update(content)
                self.size += len(content)
        self.lines = lines
        return (self.size, self.digest.hexdigest()) == (size, digest)

    def told(self) -> tuple[int, int, str]:
        """Return the arguments of `skip`."""
        return self.lines, self.size, self.digest.hexdigest()


@define(eq=False)
class Position:
    """How far an index has come: what it has taken in of results and journal, and the number of the last sending."""

    results: ReadFile
    journal: ReadFile
    last: int = 0

    @classmethod
    def at_start(cls, results: Path) -> Position:
        """Return the position from which all is read."""
        path = Path(os.path.realpath(results))  # the file itself, by whichever link it is named
        return cls(ReadFile(path), ReadFile(path.with_name(path.name + ".journal")))

    @property
    def is_at_start(self) -> bool:
        """True if nothing has been taken in."""
        return not self.journal.size

    def told(self) -> tuple[object, ...]:
        """Return the arguments of `move`, as JSON can hold them."""
        return self.last, self.results.told(), self.journal.told()

    def move(self, last: int, results: tuple[int, int, str], journal: tuple[int, int, str]) -> bool:
        """Move on from the start; tell whether both files still begin with what was taken in."""
        self.last = last
        return self.results.skip(*results) and self.journal.skip(*journal)
