"""Files of one JSON object per line, as a run appends to them: each line whole, or cut off by the next run."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, get_args

from tazapay_lightning.bulk.orders import State
from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.values.json_fields import decoded
from tazapay_lightning.values.safe_text import shown

_encoder = json.JSONEncoder(check_circular=False)  # which takes time, and a line holds no circle


def appending(path: Path) -> BinaryIO:
    """Open a file to append to it; one that is not there is made for its owner alone, whatever the umask."""
    return open(path, "ab", buffering=0, opener=partial(os.open, mode=0o600))


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


def append(file: BinaryIO, line: Mapping[str, object]) -> str:
    """Write an object as a line, and return it once the system has all of it.

    Args:
        file: as `appending` opens it.
        line: the object, with values that JSON can hold.

    Raises:
        OSError: it could not be written, or only a part of it.
    """
    text = _encoder.encode(line) + "\n"  # ASCII only: half a line is still text
    left = text.encode()
    while left:
        left = left[file.write(left) :]
    return text


def mend(path: Path) -> bool:
    """Finish a last line that lacks only its line end, or cut off one that was half written; tell if it was cut."""
    with path.open("r+b") as file:
        last = b"".join(deque(file, maxlen=1))
        if not last or last.endswith(b"\n"):
            return False
        is_whole = isinstance(parsed(last), dict)
        if is_whole:
            file.write(b"\n")
        else:
            file.truncate(file.tell() - len(last))
        return not is_whole


def parsed(content: bytes) -> object:
    """Return the object of a line; whatever else it is, if it is none."""
    return decoded(content.decode("utf-8-sig", "surrogateescape"))  # what is not UTF-8 is no text to `require`


def require(line: Mapping[str, object], place: str, *names: str) -> None:
    """Refuse a line that lacks one of the named fields, or holds it as another kind of value than a run writes.

    Raises:
        ConfigurationError: naming the place and the field.
    """
    for name in names:
        value = line.get(name)
        if not _KINDS[name](value):
            raise ConfigurationError(f"{place} is not what this command writes: {name} is {shown(value)}; put it right")


def _is_text(value: object) -> bool:  # without half a surrogate pair, which JSON can hold and SQLite cannot
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def _is_moment(value: object) -> bool:  # in ISO 8601 with its time zone
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


def _is_invoice(value: object) -> bool:  # none, or an object with the list of its differences
    listed = value.get("differences", []) if isinstance(value, dict) else None if value else []
    return isinstance(listed, list) and all(isinstance(each, dict) for each in listed)


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "state": get_args(State).__contains__,
    "invoice": _is_invoice,
    **dict.fromkeys(("order_id", "fingerprint"), _is_text),
    # what SQLite can hold
    **dict.fromkeys(("sending", "amount_sats"), lambda value: type(value) is int and 0 <= value <= 2**62),
    **dict.fromkeys(("at", "unknown_since"), _is_moment),
}
