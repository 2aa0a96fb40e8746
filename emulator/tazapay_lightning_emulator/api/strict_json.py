"""Read JSON strictly: exactly the grammar of RFC 8259, with bounds on depth and numbers.

`json.loads` accepts NaN, keeps the last of two equal keys, and returns lone surrogates, which no reply can carry. A
real service refuses all of these, so the emulator does too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import NoReturn

MAX_DEPTH = 64
"""The greatest depth of nested arrays and objects (assumption)."""

MAX_NUMBER_LENGTH = 100
"""The greatest length of a number in characters (assumption)."""


class NotStrictJSONError(ValueError):
    """The text is not JSON or exceeds a bound. The message names the reason and does not repeat the text."""


def read_json(text: str | bytes) -> object:
    """Parse JSON.

    Args:
        text: JSON; as bytes, in UTF-8.

    Raises:
        NotStrictJSONError: not JSON, not UTF-8, NaN or Infinity, a key twice in one object, a lone surrogate, a number
            of more than `MAX_NUMBER_LENGTH` characters or beyond a double, nested deeper than `MAX_DEPTH`.

    Example:
        >>> read_json('{"amount": 21}')
        {'amount': 21}
        >>> read_json('{"amount": 21, "amount": 2100}')
        Traceback (most recent call last):
        ...
        tazapay_lightning_emulator.api.strict_json.NotStrictJSONError: the same key twice in one object
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise NotStrictJSONError("not UTF-8") from None
    try:
        value: object = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise NotStrictJSONError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotStrictJSONError(f"nested deeper than {MAX_DEPTH} levels") from None
    try:
        for string in _strings(value):
            string.encode()
    except UnicodeEncodeError:
        raise NotStrictJSONError("a lone surrogate, which is no character") from None
    return value


def _integer(digits: str) -> int:
    _refuse_long(digits)
    return int(digits)


def _finite(digits: str) -> float:
    _refuse_long(digits)
    number = float(digits)
    if math.isinf(number):
        raise NotStrictJSONError("a number beyond the range of a double")
    return number


def _refuse_long(digits: str) -> None:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotStrictJSONError(f"a number of more than {MAX_NUMBER_LENGTH} characters")


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJSONError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJSONError("the same key twice in one object")
    return members


# Made once: `json.loads` makes a new one for each call that has any of these arguments.
_decoder = json.JSONDecoder(
    parse_int=_integer, parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_object
)


def _strings(value: object) -> Iterator[str]:
    """Every string in `value`, keys included. It does not recurse, so too much depth is a `NotStrictJSONError`."""
    waiting = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict | list):
            if depth == MAX_DEPTH:
                raise NotStrictJSONError(f"nested deeper than {MAX_DEPTH} levels")
            if isinstance(current, dict):
                yield from current
                current = list(current.values())
            waiting += [(each, depth + 1) for each in current]
