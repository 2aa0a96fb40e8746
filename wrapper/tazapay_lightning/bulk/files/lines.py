"""The lines of a file of orders as text, bounded in length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_LONGEST_LINE = 1_000_000


class LineError(Exception):
    """Why a line cannot be used."""


class Lines(Iterator[str]):
    """The lines of a file as text; unlike a generator, it goes on after a line that could not be read.

    Attributes:
        number: of the line that was read last, from 1.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def __next__(self) -> str:
        content = self._file.readline(_LONGEST_LINE + 1)
        if not content:
            raise StopIteration
        self.number += 1
        if len(content) > _LONGEST_LINE:
            while content and not content.endswith(b"\n"):
                content = self._file.readline(_LONGEST_LINE)
            raise LineError(f"the line is longer than {_LONGEST_LINE} bytes")
        try:
            return content.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise LineError(f"byte {error.start + 1} is not UTF-8: save the file as UTF-8 (Excel: CSV UTF-8)") from None
