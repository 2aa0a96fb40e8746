"""How fast a bulk run goes: a rate that was asked for, and less than that for a while after each 429.

`Pace` decides, told the time; its two coroutines only wait. The client of a run asks it for a turn before each attempt
(`async_calls.Turns`), so a rate counts requests, not rows, and a 429 to one request holds back all others.

Tazapay documents that 429 exists, and neither limits nor a ``Retry-After`` (which counts if it comes). So the numbers
here are our own choice:

- a 429 without ``Retry-After`` pauses the run for 1 to 2 seconds, twice that after each further one without a success
  in between, 60 to 120 seconds at most: the first pause is short against a run, the longest long against any counting
  of requests by the second or the minute, and the random part keeps several machines from coming back together. So it
  is with a ``Retry-After`` that was obeyed and met with 429 once more: the longer of the two pauses counts;
- each 429 also halves the pace, that is the rate and what is in flight, down to 1/64 of the whole (one in flight); a
  further one within a second, or during the pause, is about the same burst and halves nothing;
- each success regains an equal part: from half of the pace to all of it takes four times as many successes as rows may
  be in flight, at least 64: what was too fast is not tried again at once, and one 429 costs a long run nothing;
- ten minutes of 429 without a success, or being asked to wait longer than that, end the run: it needs a person then.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import anyio
from attrs import define, field

from tazapay_lightning.errors import APIConnectionError, RateLimitError

MAX_429_SECONDS = 600.0
"""Seconds of 429, without a success in between, after which a run is given up."""

_FIRST_PAUSE = 1.0
_MAX_PAUSE = 60.0
_MIN_SHARE = 1 / 64
_REGAIN_FACTOR = 8  # successes, times what may be in flight, that regain the whole pace
_LEAST_COUNTED = 16  # in flight: with fewer it would be regained too soon
_SAME_BURST_SECONDS = 1.0


@define(eq=False, kw_only=True)
class Pace:
    """The pace of one bulk run. All times are of one monotonic clock.

    Args:
        concurrency: how many rows may be in flight at most.
        rate: requests per second at most; None for as many as come.
        jitter: given the least pause, returns the pause.

    Attributes:
        stopped: set it, and there is no further turn, but for what is in doubt; calls that wait for one stop waiting.

    Example:
        >>> pace = Pace(concurrency=16, rate=10)
        >>> [pace.reserve(100.0) for _ in range(3)]
        [100.0, 100.1, 100.19999999999999]
        >>> pace.failed(RateLimitError(retry_after=5.0), 101.0)
        >>> pace.in_flight, pace.reserve(101.5), pace.reserve(101.5)
        (8, 106.0, 106.2)
    """

    concurrency: int
    rate: float | None = None
    jitter: Callable[[float], float] = lambda least: random.uniform(least, 2 * least)  # noqa: S311 - guards nothing
    _share: float = field(default=1.0, init=False)  # of the whole pace
    _paused_until: float = field(default=-math.inf, init=False)
    _next_turn: float = field(default=-math.inf, init=False)
    _halved_at: float = field(default=-math.inf, init=False)
    _pauses_in_a_row: int = field(default=0, init=False)
    _trouble_began: float | None = field(default=None, init=False)
    stopped: anyio.Event = field(factory=anyio.Event, init=False)

    @property
    def in_flight(self) -> int:
        """How many rows may be in flight, at least 1."""
        return max(1, math.floor(self.concurrency * self._share + 1e-9))  # 99.9... is 100

    def reserve(self, now: float) -> float:
        """Take the next turn and return when it is."""
        turn = self._earliest(now)
        self._next_turn = turn + 1 / ((self.rate or math.inf) * self._share)
        return turn

    def failed(self, error: RateLimitError, now: float | None = None) -> None:
        """Learn that an attempt met 429, now unless another time is given."""
        now = time.monotonic() if now is None else now
        self._trouble_began = now if self._trouble_began is None else self._trouble_began
        pause = error.retry_after or 0.0
        if now >= max(self._paused_until, self._halved_at + _SAME_BURST_SECONDS):
            self._share = max(_MIN_SHARE, self._share / 2)
            self._halved_at = now
            self._pauses_in_a_row += 1
            if error.retry_after is None or self._pauses_in_a_row > 1:
                ours = self.jitter(min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(self._pauses_in_a_row - 1, 16)))
                pause = max(pause, ours)
        if now + pause > self._paused_until and (pause or error.retry_after is not None):
            self._paused_until = self._next_turn = now + pause

    def succeeded(self) -> None:
        """Learn that an invoice was made."""
        self._trouble_began = None
        self._pauses_in_a_row = 0
        self._share = min(1.0, self._share + 1 / (_REGAIN_FACTOR * max(self.concurrency, _LEAST_COUNTED)))

    def must_give_up(self, now: float) -> bool:
        """Tell whether 429 has lasted, or is to last, longer than `MAX_429_SECONDS`."""
        return self._trouble_began is not None and max(now, self._paused_until) - self._trouble_began > MAX_429_SECONDS

    def paused_for(self, now: float) -> float:
        """Return for how many seconds more the run pauses; 0 where it does not."""
        return max(0.0, self._paused_until - now)

    async def first_turn(self) -> None:
        """Wait until a call may make its first attempt, however long that takes, unless the run is `stopped`.

        Raises:
            APIConnectionError: the run was stopped; nothing was sent.
        """
        if not await self.further_turn(before=math.inf):
            raise APIConnectionError("not sent: the run was stopped before", nothing_sent=True, permanent=True)

    async def further_turn(self, *, before: float, in_doubt: bool = False) -> bool:
        """Wait until a call may make another attempt.

        Args:
            before: the call's deadline.
            in_doubt: whether an invoice may exist: another attempt may prove it, also once the run is `stopped`.

        Returns:
            False, without waiting for it, if that is not before the deadline; also if the run was stopped.
        """
        stopped = anyio.Event() if in_doubt else self.stopped
        while not stopped.is_set():
            now = time.monotonic()
            if self._earliest(now) >= before:
                return False
            paused_until, turn = self._paused_until, self.reserve(now)
            if turn > now:
                with anyio.move_on_after(turn - now):
                    await stopped.wait()
            if paused_until == self._paused_until and not stopped.is_set():
                return True
        return False

    def _earliest(self, now: float) -> float:
        return max(now, self._next_turn, self._paused_until)
