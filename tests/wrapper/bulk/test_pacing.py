"""The pace of a bulk run: a rate, less of it after each 429, and an end to waiting."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tazapay_lightning import APIConnectionError, RateLimitError
from tazapay_lightning.bulk.pacing import MAX_429_SECONDS, Pace


def pace(**options: Any) -> Pace:
    return Pace(**{"concurrency": 16, "jitter": lambda least: least, **options})


def test_without_a_rate_every_turn_is_at_once() -> None:
    free = pace()
    assert [free.reserve(5.0) for _ in range(3)] == [5.0, 5.0, 5.0]


def test_a_rate_spaces_turns_evenly() -> None:
    even = pace(rate=4)
    assert [even.reserve(5.0) for _ in range(4)] == [5.0, 5.25, 5.5, 5.75]


def test_turns_that_nobody_took_are_not_saved_up() -> None:
    even = pace(rate=4)
    even.reserve(5.0)
    assert [even.reserve(60.0) for _ in range(2)] == [60.0, 60.25]


def test_a_429_pauses_everybody_for_as_long_as_it_asks() -> None:
    held = pace()
    held.failed(RateLimitError(retry_after=7.0), 100.0)
    assert held.reserve(101.0) == 107.0


def test_the_longest_pause_asked_for_counts() -> None:
    held = pace()
    for asked in (3.0, 9.0, 5.0):
        held.failed(RateLimitError(retry_after=asked), 100.0)
    assert held.reserve(101.0) == 109.0


def test_without_retry_after_the_pause_grows_with_each_429_in_a_row() -> None:
    held, now, pauses = pace(), 100.0, []
    for _ in range(8):
        held.failed(RateLimitError(), now)
        pauses.append(held.reserve(now) - now)
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_retry_after_that_was_obeyed_in_vain_is_not_believed_again() -> None:
    held = pace()
    held.failed(RateLimitError(retry_after=0.0), 100.0)
    assert held.reserve(100.0) == 100.0
    held.failed(RateLimitError(retry_after=0.0), 101.0)
    assert held.reserve(101.0) == 103.0
    held.failed(RateLimitError(retry_after=30.0), 103.0)
    assert held.reserve(103.0) == 133.0


def test_a_success_makes_the_next_pause_short_again() -> None:
    held = pace()
    held.failed(RateLimitError(), 100.0)
    held.failed(RateLimitError(), 101.0)
    held.succeeded()
    held.failed(RateLimitError(), 110.0)
    assert held.reserve(110.0) == 111.0


def test_the_pause_is_spread_by_chance_between_once_and_twice() -> None:
    ends = set()
    for _ in range(50):
        held = Pace(concurrency=16)
        held.failed(RateLimitError(), 100.0)
        ends.add(held.reserve(100.0))
    assert len(ends) > 1
    assert all(101.0 <= end <= 102.0 for end in ends)


def test_a_429_halves_what_is_in_flight_and_the_rate() -> None:
    held = pace(rate=10)
    held.failed(RateLimitError(retry_after=5.0), 100.0)
    assert held.in_flight == 8
    assert [held.reserve(100.0) for _ in range(2)] == [105.0, 105.2]


def test_the_replies_of_one_crowd_halve_once() -> None:
    held = pace()
    for moment in (100.0, 100.1, 100.9):
        held.failed(RateLimitError(retry_after=0.0), moment)
    assert held.in_flight == 8
    held.failed(RateLimitError(retry_after=0.0), 101.0)
    assert held.in_flight == 4


def test_a_429_during_the_pause_halves_nothing() -> None:
    held = pace()
    held.failed(RateLimitError(retry_after=30.0), 100.0)
    held.failed(RateLimitError(), 120.0)
    assert held.in_flight == 8
    assert held.reserve(120.0) == 130.0


def test_one_row_is_always_allowed_in_flight() -> None:
    held = pace()
    for moment in range(100, 200, 2):
        held.failed(RateLimitError(retry_after=0.0), float(moment))
    assert held.in_flight == 1


@pytest.mark.parametrize(("concurrency", "successes"), [(1, 64), (16, 64), (100, 400)])
def test_half_the_pace_is_regained_by_four_times_as_many_successes_as_may_be_in_flight(
    concurrency: int, successes: int
) -> None:
    held = pace(concurrency=concurrency, rate=8)
    held.failed(RateLimitError(retry_after=0.0), 100.0)
    for _ in range(successes - 1):
        held.succeeded()
    held.reserve(200.0)
    assert held.reserve(200.0) > 200.125
    held.succeeded()
    held.reserve(300.0)
    assert held.reserve(300.0) == pytest.approx(300.125)
    assert held.in_flight == concurrency


def test_429_for_ten_minutes_without_a_success_is_hopeless() -> None:
    held = pace()
    held.failed(RateLimitError(), 100.0)
    assert not held.must_give_up(100.0 + MAX_429_SECONDS)
    assert held.must_give_up(100.1 + MAX_429_SECONDS)


def test_a_success_gives_ten_minutes_more() -> None:
    held = pace()
    held.failed(RateLimitError(), 100.0)
    held.succeeded()
    assert not held.must_give_up(9999.0)


def test_to_be_asked_to_wait_longer_than_ten_minutes_is_hopeless_at_once() -> None:
    held = pace()
    held.failed(RateLimitError(retry_after=MAX_429_SECONDS), 100.0)
    assert not held.must_give_up(100.0)
    held.failed(RateLimitError(retry_after=MAX_429_SECONDS + 1), 100.0)
    assert held.must_give_up(100.0)


def test_waiting_for_a_turn_takes_as_long_as_reserved() -> None:
    async def three_turns() -> float:
        even, began = pace(rate=50), time.monotonic()
        for _ in range(3):
            await even.first_turn()
        return time.monotonic() - began

    assert 0.039 <= asyncio.run(three_turns()) < 5


def test_a_turn_reserved_before_a_pause_waits_for_its_end() -> None:
    async def waited() -> float:
        even, began = pace(rate=50), time.monotonic()
        even.reserve(began)
        turn = asyncio.create_task(even.first_turn())
        await asyncio.sleep(0)
        even.failed(RateLimitError(retry_after=0.1), began)
        await turn
        return time.monotonic() - began

    assert 0.1 <= asyncio.run(waited()) < 5


def test_a_turn_that_would_come_after_the_deadline_is_not_waited_for() -> None:
    held = pace()
    held.failed(RateLimitError(retry_after=60.0), time.monotonic())
    assert asyncio.run(held.further_turn(before=time.monotonic() + 30)) is False


def test_a_stopped_run_gives_no_turns() -> None:
    async def stopped_while_waiting() -> None:
        held = pace()
        held.failed(RateLimitError(retry_after=60.0), time.monotonic())
        turn = asyncio.create_task(held.first_turn())
        await asyncio.sleep(0)
        held.stopped.set()
        with pytest.raises(APIConnectionError, match="not sent: the run was stopped before") as caught:
            await turn
        assert caught.value.nothing_sent
        assert not await held.further_turn(before=time.monotonic() + 60)

    asyncio.run(stopped_while_waiting())


def test_a_run_tells_for_how_long_it_pauses() -> None:
    held = pace()
    assert held.paused_for(100.0) == 0.0
    held.failed(RateLimitError(retry_after=5.0), 100.0)
    assert [held.paused_for(now) for now in (100.0, 104.5, 105.0, 200.0)] == [5.0, 0.5, 0.0, 0.0]
