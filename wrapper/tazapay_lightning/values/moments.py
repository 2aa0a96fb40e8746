"""Moments as text: the forms that Tazapay documents, and others that can be read in one way only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from tazapay_lightning._loading import load

_CLOCKS_DIFFER = timedelta(minutes=1)  # the service's among themselves
# RFC 3339 with 0 to 9 fractional digits, or `YYYY-MM-DD hh:mm:ss`: the forms that Tazapay's documentation shows
_DOCUMENTED = re.compile(r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_MAX_CHARACTERS = 64  # characters; the longest form known, Go's with its monotonic clock, has 60
# A whole date in ISO 8601 and a time. Where a part is missing, dateutil would fill in January, the 1st or midnight.
_ISO = r"(?a)\d{4}-?(?:\d\d-?\d\d|W\d\d-?\d|\d{3})[T ].+"
# Go's time.String(): date and time, then the offset after a space, the zone again, and perhaps the monotonic clock
_GO = r"(?a)(\d{4}-\d\d-\d\d \S+) ([+-]\d{4}) (?:[A-Z]{1,6}|[+-]\d{2,4})(?: M=[+-][\d.]+)?"

# What a text does not say is taken from the default, and the order of day and month is what is asked for: if two
# opposite readings agree, neither made a difference.
_OPPOSITE = ((datetime(2001, 1, 1, 1), False), (datetime(2004, 12, 31, 2), True))  # noqa: DTZ001 - no zone said


def read_moment(value: object) -> datetime:
    """Read a moment.

    Args:
        value: Text. RFC 3339 with 0 to 9 fractional digits, or ``YYYY-MM-DD hh:mm:ss``, as the documentation shows.
            Besides, whatever python-dateutil reads as a whole date with a time, and in one way only: the other forms of
            ISO 8601 (basic, week dates, 24:00), RFC 2822, and what Go's ``time.String()`` writes.

    Returns:
        An aware datetime; digits beyond microseconds are dropped. A moment without a zone is read as UTC (assumption:
        the documentation does not say).

    Raises:
        ValueError: for everything else: what lacks a year, a month, a day or an hour, ``01/02/2025 10:00`` (January
            or February?), a zone by a name that is not UTC. An integer too: it could be seconds or milliseconds.

    Example:
        >>> read_moment("2025-09-28T08:15:30.123456789Z").isoformat(), read_moment("2025-09-28 08:15:30").isoformat()
        ('2025-09-28T08:15:30.123456+00:00', '2025-09-28T08:15:30+00:00')
        >>> read_moment("Sun, 28 Sep 2025 08:15:30 GMT").isoformat()
        '2025-09-28T08:15:30+00:00'
    """
    if not isinstance(value, str) or not value.isascii() or len(value) > _MAX_CHARACTERS:
        raise ValueError("not a moment")
    try:
        moment = _read(value)
    except (ValueError, ArithmeticError, TypeError) as error:  # dateutil lets OverflowError and decimal's through
        raise ValueError("not a moment") from error
    if moment.year == 1:  # what Go writes for a moment that was not set
        raise ValueError("not set")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read(text: str) -> datetime:
    if _DOCUMENTED.fullmatch(text):
        return datetime.fromisoformat(text)
    if (plain := text.strip().upper()) != text:
        return _read(plain)
    load("dateutil.parser")  # here, since loading it takes longer than loading this package
    from dateutil import parser

    text = re.sub(_GO, r"\1\2", text)
    if re.fullmatch(_ISO, text):
        return parser.isoparse(text)
    one, other = (parser.parse(text, default=default, dayfirst=first, tzinfos=_zone) for default, first in _OPPOSITE)
    if one != other or f"{one.year:04}" not in text:
        raise ValueError
    return one


def _zone(name: str | None, offset_seconds: int | None) -> tzinfo | None:
    """Return the zone that a text names; dateutil itself would ask this machine what a name means."""
    if name is not None and offset_seconds is None:
        raise ValueError
    return None if offset_seconds is None else timezone(timedelta(seconds=offset_seconds))


@lru_cache(maxsize=8)  # all replies of a second have the same
def read_http_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it (RFC 9110, section 5.6.7), aware; None for anything else.

    Example:
        >>> read_http_date("Wed, 21 Oct 2026 07:28:00 GMT")
        datetime.datetime(2026, 10, 21, 7, 28, tzinfo=datetime.timezone.utc)
    """
    try:  # loaded here, since httpx loads it too, which comes with the first call
        date: datetime = load("email.utils").parsedate_to_datetime(text.strip())
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date
    except (ValueError, OverflowError):
        return None


def service_time(headers: Mapping[str, str], creation: datetime | None) -> datetime | None:
    """Return the moment of a reply by the service's clock: its ``Date``.

    None without one, or if it is more than a minute before the creation of what the reply is about.

    Example:
        >>> headers = {"date": "Wed, 21 Oct 2026 07:28:00 GMT"}
        >>> service_time(headers, read_moment("2026-10-21T07:30:00Z")) is None
        True
    """
    date = read_http_date(headers.get("date", ""))
    if date is None or date.year == 9999 or (creation is not None and creation - date > _CLOCKS_DIFFER):
        return None
    return date
