"""How long to wait before a failed attempt is repeated, and whether an invoice may exist after it. Pure.

Which errors may pass is in `errors.may_be_repeated`, since `invoices.waiting` asks too. Attempts are counted in
`exchange.Call`; the loop itself is a few lines in `calls` and in `async_calls`. A library was considered for it: none
of them keeps a deadline over all attempts *and* reads ``Retry-After`` *and* tells afterwards whether an invoice may
exist.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime

from tazapay_lightning import errors
from tazapay_lightning.values.moments import read_http_date

_FIRST_WAIT_SECONDS = 0.5
_MAX_WAIT_SECONDS = 8.0


def full_jitter(most: float) -> float:
    """Return any time up to the longest, so that many calls that failed at once do not come again at once."""
    return random.uniform(0, most)  # noqa: S311 - spreads retries over time, guards nothing


def wait_after(error: errors.APIError, number: int, jitter: Callable[[float], float]) -> float:
    """Return how many seconds to wait after a failed attempt, the first of which has the number 1."""
    own = jitter(min(_MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (number - 1)))
    # what is asked may be no time at all: then all attempts would be made at once
    return max(own, getattr(error, "retry_after", None) or 0.0)


def may_have_created(error: errors.APIError) -> bool:
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
