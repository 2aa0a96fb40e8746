"""Files of one JSON object per line that survive being killed: whole lines, mended ends, one writer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.values.safe_text import shown

__all__ = ["append", "lock", "mend", "moment", "number", "objects", "size", "text"]

_BLOCK = 65536


def append(file: BinaryIO, line: Mapping[str, object]) -> None:
    """Write an object as a line, and return once the system has all of it.

    Args:
        file: opened unbuffered, for appending.
        line: what JSON can hold.

    Raises:
        OSError: it could not, or only a part of it.
    """
    left = json.dumps(line).encode() + b"\n"  # ASCII only: half a line is still text
    while left:
        left = left[file.write(left) :]


def objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Read the objects, each with its line number.

    Raises:
        ConfigurationError: a line is not an object.
    """
    with path.open("rb") as file:
        for number_, content in enumerate(file, 1):
            try:
                line = json.loads(content)
            except ValueError:
                line = None
            if not isinstance(line, dict):
                raise ConfigurationError(f"line {number_} of {path} is not a JSON object; put it right, or remove it")
            yield number_, line


def text(line: Mapping[str, object], name: str) -> str:
    """Return a field that has to be text.

    Raises:
        ValueError: it is not.
    """
    value = line.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} {shown(value)}")  # noqa: TRY004 - a file's content, not an argument's type
    return value


def number(line: Mapping[str, object], name: str) -> int:
    """Return a field that has to be a whole number from 0 to 2**62.

    Raises:
        ValueError: it is not.
    """
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**62:
        raise ValueError(f"{name} {shown(value)}")
    return value


def moment(line: Mapping[str, object], name: str) -> str:
    """Return a field that has to be a moment with its time zone (ISO 8601).

    Raises:
        ValueError: it is not.
    """
    value = text(line, name)
    if datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(f"{name} {shown(value)}, which has no time zone")
    return value


def mend(path: Path) -> bool:
    """Finish a last line that lacks nothing but its end, and cut off one that was half written; tell if it was cut."""
    with path.open("r+b") as file:
        start = end = file.seek(0, os.SEEK_END)
        tail = b""
        while start and b"\n" not in tail:
            length = min(_BLOCK, start)
            start = file.seek(start - length)
            tail = file.read(length) + tail
        tail = tail[tail.rfind(b"\n") + 1 :]
        if not tail:
            return False
        try:
            json.loads(tail)
        except ValueError:
            file.truncate(end - len(tail))
            return True
        file.seek(end)
        file.write(b"\n")
        return False


def size(path: Path) -> int:
    """Return how long a file is; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed or the program ends, and tell whether nobody else had. Not done on Windows."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
