"""Which failure may be tried again, how long to wait before, and what is left of the deadline. Pure: told the time.

Which errors may pass is in `errors.may_be_repeated`, since `invoices.waiting` asks too. The loop itself is a few lines
in `calls` and in `async_calls`. A library was considered for it: none of them keeps a deadline over all attempts *and*
reads ``Retry-After`` *and* tells afterwards whether an invoice may exist.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime

from tazapay_lightning import errors
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.values.moments import read_http_date

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0


def _full_jitter(most: float) -> float:
    return random.uniform(0, most)  # noqa: S311 - spreads retries over time, guards nothing


class Attempts:
    """The attempts of one call, as they go.

    The loop around the requests asks `begin` before each attempt and `wait_after` after each failed one, and tells both
    the time of one monotonic clock.

    Args:
        settings: what the call may take: `timeout`, `deadline` and `max_retries`.
        idempotency_key: the key that all attempts share; None for a call that creates nothing.
        now: the time at which the call began.
        jitter: given the longest wait, returns the wait (full jitter: anything from 0 to it).

    Attributes:
        number: how many attempts have begun.
        most: how many there may be.
        may_exist: whether there may be an invoice by now: always while an attempt is under way.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        idempotency_key: str | None,
        now: float,
        jitter: Callable[[float], float] = _full_jitter,
    ) -> None:
        self._settings = settings
        self._key = idempotency_key
        self._ends = now + settings.deadline
        self._jitter = jitter
        self.may_exist = self._existed_before = False
        self.number = 0
        self.most = settings.max_retries + 1

    def begin(self, now: float) -> float:
        """Count an attempt and return when it has to be over, on the clock that `now` is of."""
        self.number += 1
        self._existed_before, self.may_exist = self.may_exist, self._key is not None
        return min(now + self._settings.timeout, self._ends)

    def wait_after(self, error: errors.APIError, now: float) -> float | None:
        """Write the state of the call onto the error and tell what to do.

        Returns:
            Seconds to wait before the next attempt; None if the error is final.
        """
        self.may_exist = self._existed_before or (self._key is not None and _may_have_created(error))
        error.idempotency_key = self._key
        error.outcome_unknown = self.may_exist
        error.attempts = self.number
        if self.number >= self.most or not errors.may_be_repeated(error):
            return None
        asked = error.retry_after if isinstance(error, errors.APIStatusError) else None
        own = self._jitter(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self.number - 1)))
        wait = max(own, asked or 0.0)  # what is asked may be no time at all: then all attempts would be made at once
        return wait if now + wait < self._ends else None

    def note(self) -> str:
        """Say what is known of the call, for an exception of another kind that leaves it."""
        if not self.may_exist:
            return f"idempotency key {self._key}: {'no invoice was made' if self.number else 'nothing was sent'}"
        resume = f"to resume, call again with the same arguments and idempotency_key={self._key!r}"
        return f"idempotency key {self._key}: an invoice may exist; {resume}"


def _may_have_created(error: errors.APIError) -> bool:
    """Tell whether an invoice may exist after this failure: always, unless the failure proves the contrary."""
    if isinstance(error, errors.APIConnectionError):
        return not error.nothing_sent
    if isinstance(error, errors.APIStatusError):
        refused = 400 <= error.status_code <= 499 and error.status_code != 408
        return not refused
    if isinstance(error, errors.RequestFailedError):
        return error.with_data  # it says that it failed, and comes with an object all the same
    return isinstance(error, errors.UnexpectedResponseError)


def seconds_to_wait(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110, section 10.2.3): seconds, or a date.

    A date is taken relative to the reply's own ``Date``, so that a wrong clock on either side does not matter.

    Args:
        headers: the reply's headers, names in any case.
        now: the time to count from when the reply has no ``Date``.

    Returns:
        Seconds from now, never negative; None where the header is missing or cannot be read.

    Example:
        >>> from datetime import UTC
        >>> seconds_to_wait({"Retry-After": "2"}, now=datetime.now(UTC))
        2.0
        >>> seconds_to_wait(
        ...     {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
        ...     now=datetime.now(UTC),
        ... )
        30.0
    """
    lower = {name.lower(): value.strip() for name, value in headers.items() if name.lower() in {"retry-after", "date"}}
    asked = lower.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    until = read_http_date(asked)
    now = read_http_date(lower.get("date", "")) or now
    return None if until is None else max(0.0, (until - now).total_seconds())
