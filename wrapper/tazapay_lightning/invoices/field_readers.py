"""Readers of single values of the service's invoice. Which fields there are: `invoice.Invoice.from_payload`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from tazapay_lightning.errors import UnexpectedResponseError
from tazapay_lightning.values.amounts import MAX_SATS
from tazapay_lightning.values.durations import LONGEST_TIMEDELTA
from tazapay_lightning.values.safe_text import kind

_Value = TypeVar("_Value")
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


def essential(payload: Mapping[str, object], name: str, read: Callable[[object], _Value]) -> _Value:
    """Read a field without which there is no invoice.

    Raises:
        UnexpectedResponseError: it is missing or empty, or `read` raises `ValueError` because it cannot read it.
    """
    value = payload.get(name)
    try:
        return read(value if value != "" else None)
    except ValueError:
        problem = f"the invoice in the reply has no readable `{name}`: it is {kind(value)}"
    raise UnexpectedResponseError(problem)


def text(value: object) -> str:
    """Read a text."""
    if isinstance(value, str):
        return value
    raise ValueError("not a text")


def seconds(value: object) -> int:
    """Read a number of whole seconds, of a length that a timedelta holds."""
    return _whole_number(value, most=LONGEST_TIMEDELTA)


def amount(value: object) -> int:
    """Read an amount in satoshi."""
    return _whole_number(value, most=MAX_SATS)


def _whole_number(value: object, *, most: int) -> int:
    """Read a number, 0 or more, that came as an integer, as digits, or as a float without a fraction."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return _whole_number(int(value), most=most)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"not a whole number up to {most}")
    return value
