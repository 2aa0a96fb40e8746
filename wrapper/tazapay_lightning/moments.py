"""Moments in the forms in which Tazapay writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["is_plausible", "read_moment"]

_CLOCKS_DIFFER = timedelta(minutes=1)  # the service's among themselves
# RFC 3339 with 0 to 9 fractional digits, or `YYYY-MM-DD hh:mm:ss`: the forms that Tazapay's documentation shows
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE)


def read_moment(value: object) -> datetime:
    """Read a moment.

    Args:
        value: RFC 3339 with 0 to 9 fractional digits, or ``YYYY-MM-DD hh:mm:ss``, as text.

    Returns:
        An aware datetime; digits beyond microseconds are dropped. A moment without a zone is read as UTC (assumption:
        the documentation does not say).

    Raises:
        ValueError: for everything else. An integer too: it could be seconds or milliseconds, and nobody says.

    Example:
        >>> read_moment("2025-09-28T08:15:30.123456789Z").isoformat(), read_moment("2025-09-28 08:15:30").isoformat()
        ('2025-09-28T08:15:30.123456+00:00', '2025-09-28T08:15:30+00:00')
    """
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("not a moment")
    moment = datetime.fromisoformat(value.upper())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def is_plausible(reply: datetime, creation: datetime | None) -> bool:
    """Tell whether a reply about something can be of this time: not before its creation, give or take a minute.

    Example:
        >>> is_plausible(read_moment("1996-01-01T00:00:00Z"), read_moment("2026-03-01T12:00:00Z"))
        False
    """
    return creation is None or reply >= creation - _CLOCKS_DIFFER
