"""Read one field of the service's invoice: strict about the id and the amount, generous about everything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from tazapay_lightning.errors import UnexpectedResponseError
from tazapay_lightning.values.amounts import MAX_SATS

__all__ = ["essential_amount", "essential_id", "optional", "seconds", "text"]

_Value = TypeVar("_Value")
_logger = logging.getLogger("tazapay_lightning")
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


def essential_id(value: object) -> str:
    """Read an id, without which there is no invoice (`UnexpectedResponseError`)."""
    if isinstance(value, str) and value:
        return value
    raise UnexpectedResponseError(f"the invoice in the reply has no id: `id` is {_shape(value)}")


def essential_amount(value: object) -> int:
    """Read an amount in satoshi, without which there is no invoice (`UnexpectedResponseError`)."""
    amount = _whole_number(value)
    if amount is None or not 0 <= amount <= MAX_SATS:
        raise UnexpectedResponseError(f"the invoice in the reply has no amount in satoshi: `amount` is {_shape(value)}")
    return amount


def _whole_number(value: object) -> int | None:
    """Read an integer that came as a number, as digits, or as a float without a fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def optional(payload: Mapping[str, object], name: str, read: Callable[[object], _Value]) -> _Value | None:
    """Read a field that may be absent, null or of a form that this version does not know."""
    value = payload.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except (ValueError, UnexpectedResponseError):
        _logger.warning(
            "the service sent `%s` in a form that cannot be read (%s); see Invoice.raw", name, _shape(value)
        )
        return None


def text(value: object) -> str:
    """Read a text, for `optional`."""
    if not isinstance(value, str):
        raise UnexpectedResponseError("not a text")
    return value


def seconds(value: object) -> int:
    """Read a number of whole seconds, for `optional`."""
    seconds = _whole_number(value)
    if seconds is None or seconds < 0:
        raise UnexpectedResponseError("not a number of seconds")
    return seconds


def _shape(value: object) -> str:
    """Name the kind of a value without repeating it: it may hold what does not belong into a log."""
    return "missing" if value is None else f"of type {type(value).__name__}, not readable"
