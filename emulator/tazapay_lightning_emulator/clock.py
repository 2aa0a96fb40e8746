"""The emulator's clock: the machine's or a test's own, and ahead of it by as much as it was moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

MAX_ADVANCE = timedelta(days=365 * 100)
"""The longest move of the clock: longer than the longest expiry."""

LAST_MOMENT = datetime(3000, 1, 1, tzinfo=UTC)
"""The clock cannot be moved this far: soon after, the 35-bit timestamp of a BOLT11 payment request overflows."""


def utc_now() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


def to_rfc3339(moment: datetime, timespec: Literal["seconds", "microseconds"] = "seconds") -> str:
    """A moment in UTC in the format of Tazapay's examples; fractions of the `timespec` are cut off.

    Example:
        >>> to_rfc3339(datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC))
        '2025-09-28T08:15:30Z'
        >>> to_rfc3339(datetime(2026, 3, 1, 12, tzinfo=UTC), "microseconds")
        '2026-03-01T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"


class Clock:
    """A running clock that can be moved forward. Safe to share between threads.

    It cannot be moved back: what has expired stays expired, as in a real service.

    Args:
        base: returns the time to which the moves are added, with a time zone.

    Example:
        >>> clock = Clock(lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
        >>> clock.advance(timedelta(hours=1))
        datetime.datetime(2026, 3, 1, 13, 0, tzinfo=datetime.timezone.utc)
        >>> clock.advance(0.5)
        datetime.datetime(2026, 3, 1, 13, 0, 0, 500000, tzinfo=datetime.timezone.utc)
        >>> clock.advance(-1)
        Traceback (most recent call last):
        ...
        ValueError: seconds: a number greater than 0, at most 3153600000; the clock only goes forward
    """

    def __init__(self, base: Callable[[], datetime] = utc_now) -> None:
        self._base = base
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._base().astimezone(UTC) + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far it was moved in total."""
        return self._ahead

    @property
    def is_the_machines(self) -> bool:
        """Whether it shows the machine's time: it has the default base and was not moved."""
        return self._base is utc_now and not self._ahead

    def advance(self, by: float | timedelta) -> datetime:
        """Move it forward by seconds or a `timedelta`, and return the new time.

        Raises:
            ValueError: `by` is not greater than 0, is more than a hundred years, or leads beyond the year 2999.
        """
        if not isinstance(by, timedelta):
            is_number = isinstance(by, int | float) and not isinstance(by, bool)
            by = timedelta(seconds=by) if is_number and 0 < by <= MAX_ADVANCE.total_seconds() else timedelta()
        if not timedelta() < by <= MAX_ADVANCE:
            most = MAX_ADVANCE // timedelta(seconds=1)
            raise ValueError(f"seconds: a number greater than 0, at most {most}; the clock only goes forward")
        with self._lock:
            if self._base() + self._ahead + by >= LAST_MOMENT:
                raise ValueError(f"seconds: fewer, the clock ends with the year {LAST_MOMENT.year - 1}")
            self._ahead += by
        return self.now()
