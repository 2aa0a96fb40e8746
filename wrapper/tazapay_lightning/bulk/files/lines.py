"""The lines of a file of orders as text, bounded in length."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

from tazapay_lightning.errors import InvalidArgumentError

__all__ = ["Lines", "UnreadableError"]

_LONGEST_LINE = 1_000_000
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class UnreadableError(Exception):
    """Why a line is no text."""


class Lines:
    """The lines of a file as text; unlike a generator, it goes on after one that could not be read."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.path = path
        self.number = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        content = self._file.readline(_LONGEST_LINE + 1)
        if not content:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            if content.startswith(_UTF_16):
                raise InvalidArgumentError(
                    f"{self.path} is UTF-16: save it as UTF-8 (in Excel: CSV UTF-8)", argument="orders"
                )
            content = content.removeprefix(codecs.BOM_UTF8)
        if len(content) > _LONGEST_LINE:
            while content and not content.endswith(b"\n"):
                content = self._file.readline(_LONGEST_LINE)
            raise UnreadableError(f"the line is longer than {_LONGEST_LINE} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise UnreadableError(
                f"byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8 (in Excel: CSV UTF-8)"
            ) from None
