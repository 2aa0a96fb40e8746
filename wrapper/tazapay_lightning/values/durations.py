"""Durations: the one place that reads seconds, from a number or a timedelta."""

from __future__ import annotations

from datetime import timedelta

from tazapay_lightning.values.refusals import check_int, refused
from tazapay_lightning.values.safe_text import shown

DAY_SECONDS = 86_400
MAX_TIMEDELTA_SECONDS = 999_999_999 * DAY_SECONDS + 86_399
"""`timedelta.max` in whole seconds."""


def seconds(value: object, *, argument: str, most: int = DAY_SECONDS) -> float:
    """Return a duration in seconds, greater than 0.

    Args:
        value: a number, or a timedelta.
        argument: the name by which a value is refused.
        most: the longest duration that is accepted.

    Raises:
        InvalidArgumentError: naming the argument and what would be accepted. For None too: nothing waits for ever.

    Example:
        >>> seconds(timedelta(minutes=1), argument="timeout")
        60.0
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= most:
        accepted = f"seconds as a number, or a timedelta, greater than 0 and at most {most}"
        raise refused(argument, accepted, shown(value))
    return float(number)


def whole_seconds(value: object, *, argument: str, most: int = MAX_TIMEDELTA_SECONDS) -> int:
    """Return a duration in whole seconds, greater than 0, from an int or a timedelta: see `seconds`.

    Example:
        >>> whole_seconds(timedelta(minutes=1), argument="expires_in")
        60
    """
    number = value // timedelta(seconds=1) if isinstance(value, timedelta) and not value.microseconds else value
    return check_int(number, argument=argument, least=1, most=most, unit=" seconds, or a timedelta of whole seconds")
