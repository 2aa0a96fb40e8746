"""How values appear on the page: texts of strangers, amounts, times. Pure."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_TURNS_THE_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, ends of lines and paragraphs


def visible(text: str, most: int = 1_000) -> str:
    r"""A text in which every character can be seen: control characters and those that turn its direction as escapes.

    Args:
        text: of whoever sent it; HTML is escaped later, by the templates.
        most: the rest is counted, and not shown.

    Example:
        >>> print(visible("\x1b[2J pay\u202e 1000"), visible("abcdef", most=3))
        \x1b[2J pay\u202e 1000 abc… (3 more characters)
    """
    shown = "".join(_escaped(each) if _is_unseen(each) else each for each in text[:most])
    return shown if len(text) <= most else f"{shown}… ({len(text) - most:,} more characters)"


def _is_unseen(character: str) -> bool:
    return (unicodedata.category(character) in _UNSEEN and character != "\n") or character in _TURNS_THE_TEXT


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def satoshi(amount: int) -> str:
    """An amount in satoshi, with groups of three digits.

    Example:
        >>> satoshi(123456)
        '123,456 sat'
    """
    return f"{amount:,} sat"


def bitcoin(amount: int) -> str:
    """An amount of satoshi in bitcoin, exactly.

    Example:
        >>> bitcoin(123456), bitcoin(2_100_000_000_000_000)
        ('0.00123456 BTC', '21000000.00000000 BTC')
    """
    return f"{Decimal(amount).scaleb(-8):f} BTC"


def span(duration: timedelta) -> str:
    """A duration as a countdown shows it; `page.js` counts on in the same form.

    Example:
        >>> [span(timedelta(seconds=seconds)) for seconds in (-1, 59.5, 3599, 3661, 90061)]
        ['0:00', '1:00', '59:59', '1:01:01', '1 d 1:01:01']
    """
    seconds = max(0, -(-duration // timedelta(seconds=1)))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    below_a_day = f"{hours}:{minutes:02}:{seconds:02}" if hours or days else f"{minutes}:{seconds:02}"
    return f"{days} d {below_a_day}" if days else below_a_day


def moment(time: datetime) -> str:
    """A date and time in UTC.

    Example:
        >>> moment(datetime(2026, 3, 1, 12, tzinfo=UTC))
        '2026-03-01 12:00:00'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
