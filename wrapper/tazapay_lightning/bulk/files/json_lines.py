"""Files of one JSON object per line that survive being killed: whole lines, mended ends, one writer."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from tazapay_lightning.errors import ConfigurationError, UnexpectedResponseError
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import shown


def append(file: BinaryIO, line: Mapping[str, object]) -> None:
    """Write an object as a line, and return once the system has all of it.

    Args:
        file: opened unbuffered, for appending.
        line: the object, with values that JSON can hold.

    Raises:
        OSError: it could not be written, or only a part of it.
    """
    left = json.dumps(line).encode() + b"\n"  # ASCII only: half a line is still text
    while left:
        left = left[file.write(left) :]


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the objects, each with its place ("line 3 of results.jsonl").

    Raises:
        ConfigurationError: a line is not an object.
    """
    with path.open("rb") as file:
        for number, content in enumerate(file, 1):
            place = f"line {number} of {path}"
            try:
                line = parse_json(content)
            except UnexpectedResponseError:
                line = None
            if not isinstance(line, dict):
                raise ConfigurationError(f"{place} is not a JSON object; put it right, or remove it")
            yield place, line


def require(line: Mapping[str, object], place: str, **kinds: Callable[[object], bool]) -> None:
    """Refuse a line that lacks one of the named fields, or holds it as another kind of value.

    Raises:
        ConfigurationError: naming the place and the field.
    """
    for name, is_of_kind in kinds.items():
        value = line.get(name)
        if not is_of_kind(value):
            raise ConfigurationError(f"{place} is not what this command writes: {name} is {shown(value)}; put it right")


def is_text(value: object) -> bool:
    """Tell whether a value is text without half a surrogate pair, which JSON can hold and SQLite cannot."""
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def is_number(value: object) -> bool:
    """Tell whether a value is a whole number from 0 to 2**62, which SQLite can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**62


def is_moment(value: object) -> bool:
    """Tell whether a value is a moment in ISO 8601 with its time zone."""
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


def mend(path: Path) -> bool:
    """Finish a last line that lacks only its line end, or cut off one that was half written; tell if it was cut."""
    with path.open("r+b") as file:
        last = b"".join(deque(file, maxlen=1))
        if not last or last.endswith(b"\n"):
            return False
        try:
            parse_json(last)
        except UnexpectedResponseError:
            file.truncate(file.tell() - len(last))
            return True
        file.write(b"\n")
        return False


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed or the program ends; False if another program has the lock. Not on Windows."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except BlockingIOError:
        return False
    return True
