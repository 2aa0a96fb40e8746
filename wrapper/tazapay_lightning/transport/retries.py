"""Which failure may be tried again, how long to wait before, and what is left of the deadline. Pure: told the time.

The loop itself is a few lines in each of the two classes of `calls`. A library was considered for it: none of them
keeps a deadline over all attempts *and* reads ``Retry-After`` *and* tells afterwards whether an invoice may exist.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from attrs import frozen

from tazapay_lightning.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    ConfigurationError,
    InvalidArgumentError,
    RequestFailedError,
    UnexpectedResponseError,
)
from tazapay_lightning.values.durations import seconds
from tazapay_lightning.values.safe_text import shown

__all__ = ["Attempts", "Limits", "may_be_repeated"]

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0
_MOST_RETRIES = 20
_REQUEST_TIMEOUT = 408


@frozen(kw_only=True)
class Limits:
    """How long one attempt and the whole call may take, and how often a failed attempt may be tried again."""

    timeout: float
    deadline: float
    max_retries: int

    @classmethod
    def build(cls, *, timeout: object, deadline: object, max_retries: object) -> Limits:
        """Validate the limits of a client.

        Raises:
            ConfigurationError: naming the argument and what would be accepted.
        """
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or not 0 <= max_retries <= _MOST_RETRIES:
            raise ConfigurationError(f"max_retries must be an int from 0 to {_MOST_RETRIES}; got {shown(max_retries)}")
        try:
            return cls(
                timeout=seconds(timeout, argument="timeout"),
                deadline=seconds(deadline, argument="deadline"),
                max_retries=max_retries,
            )
        except InvalidArgumentError as error:
            raise ConfigurationError(str(error)) from None

    def for_call(self, *, timeout: object, deadline: object) -> Limits:
        """Return the limits of one call: its own where it names some, the client's otherwise."""
        return Limits(
            timeout=self.timeout if timeout is None else seconds(timeout, argument="timeout"),
            deadline=self.deadline if deadline is None else seconds(deadline, argument="deadline"),
            max_retries=self.max_retries,
        )


def _full_jitter(most: float) -> float:
    return random.uniform(0, most)  # noqa: S311 - spreads retries over time, guards nothing


class Attempts:
    """The attempts of one call, as they go.

    Whoever makes the requests asks `begin` before each attempt and `wait_after` after each failed one, and tells both
    the time of one monotonic clock.

    Args:
        limits: what the call may take.
        idempotency_key: the key that all attempts share; None for a call that creates nothing.
        now: the time at which the call began.
        jitter: given the longest wait, returns the wait (full jitter: anything from 0 to it).

    Attributes:
        number: how many attempts have begun.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        idempotency_key: str | None,
        now: float,
        jitter: Callable[[float], float] = _full_jitter,
    ) -> None:
        self._limits = limits
        self._key = idempotency_key
        self._ends = now + limits.deadline
        self._jitter = jitter
        self._may_exist = False
        self.number = 0

    def begin(self, now: float) -> float:
        """Count an attempt and return when it has to be over, on the clock that `now` is of."""
        self.number += 1
        return min(now + self._limits.timeout, self._ends)

    def wait_after(self, error: APIError, now: float) -> float | None:
        """Write the state of the call onto the error and tell what to do.

        Returns:
            Seconds to wait before the next attempt; None if the error is final.
        """
        if self._key is not None:
            self._may_exist = self._may_exist or _may_have_created(error)
        error.idempotency_key = self._key
        error.outcome_unknown = self._may_exist
        error.attempts = self.number
        if self.number > self._limits.max_retries or not may_be_repeated(error):
            return None
        asked = error.retry_after if isinstance(error, APIStatusError) else None
        wait = self._jitter(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self.number - 1))) if asked is None else asked
        return wait if now + wait < self._ends else None


def _may_have_created(error: APIError) -> bool:
    """Tell whether an invoice may exist after this failure: always, unless the failure proves the contrary."""
    if isinstance(error, APIConnectionError):
        return not error.nothing_sent
    if isinstance(error, APIStatusError):
        refused = 400 <= error.status_code <= 499 and error.status_code != _REQUEST_TIMEOUT
        return not refused
    if isinstance(error, RequestFailedError):
        return error.with_data  # it says that it failed, and comes with an object all the same
    return isinstance(error, UnexpectedResponseError)


def may_be_repeated(error: APIError) -> bool:
    """Tell whether another attempt may help.

    It cannot harm: attempts to create share one idempotency key, and to fetch or to set twice is as good as once.
    """
    if isinstance(error, APIConnectionError):
        return not error.permanent
    if isinstance(error, APIStatusError):
        return error.status_code in {_REQUEST_TIMEOUT, 429} or error.status_code >= 500
    return False
