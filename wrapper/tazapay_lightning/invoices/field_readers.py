"""Readers of single values of the service's invoice. Which fields there are: `invoice.Invoice.from_payload`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from tazapay_lightning.errors import UnexpectedResponseError
from tazapay_lightning.values.amounts import MAX_SATS
from tazapay_lightning.values.safe_text import kind

_Value = TypeVar("_Value")
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


def essential(payload: Mapping[str, object], name: str, read: Callable[[object], _Value]) -> _Value:
    """Read a field without which there is no invoice.

    Raises:
        UnexpectedResponseError: it is missing, or `read` raises `ValueError` because it cannot read it.
    """
    value = payload.get(name)
    try:
        return read(value)
    except ValueError:
        problem = f"the invoice in the reply has no readable `{name}`: it is {kind(value)}"
    raise UnexpectedResponseError(problem)


def text(value: object) -> str:
    """Read a text."""
    if isinstance(value, str):
        return value
    raise ValueError("not a text")


def identity(value: object) -> str:
    """Read an id: a text that is not empty."""
    if value == "":
        raise ValueError("an empty text")
    return text(value)


def seconds(value: object) -> int:
    """Read a whole number, 0 or more, that came as a number, as digits, or as a float without a fraction."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not a whole number")
    return value


def amount(value: object) -> int:
    """Read an amount in satoshi, as `seconds` reads a number."""
    satoshi = seconds(value)
    if satoshi > MAX_SATS:
        raise ValueError("more than all bitcoin")
    return satoshi
