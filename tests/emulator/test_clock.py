from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, running_emulator
from tazapay_lightning_emulator.clock import LAST_MOMENT, MAX_ADVANCE, Clock, utc_now
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOT_FORWARD: list[Any] = [0, -1, -0.5, float("nan"), float("inf"), 3153600001, True, "60", None, [60]]


def test_the_clock_goes_on_by_itself_from_where_it_was_moved_to() -> None:
    moment = NOON
    clock = Clock(lambda: moment)
    clock.advance(3600)
    moment += timedelta(seconds=1)
    assert clock.now() == NOON + timedelta(seconds=3601)
    assert clock.ahead == timedelta(hours=1)


def test_the_time_is_told_in_utc_whatever_the_base_tells() -> None:
    clock = Clock(lambda: NOON.astimezone(timezone(timedelta(hours=2))))
    assert clock.now().isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_moved_clock_is_for_one_emulator_only(emulator: Emulator) -> None:
    emulator.advance_clock(timedelta(days=1))
    with running_emulator() as another:
        assert another.now() < emulator.now() - timedelta(hours=23)


@each_row("by", [*NOT_FORWARD, timedelta(), timedelta(seconds=-1), MAX_ADVANCE + timedelta(seconds=1)])
def test_the_clock_only_goes_forward_and_not_too_far_at_a_time(by: Any) -> None:
    clock = Clock(lambda: NOON)
    with pytest.raises(ValueError, match="a number greater than 0, at most 3153600000; the clock only goes forward"):
        clock.advance(by)
    assert clock.now() == NOON


def test_the_clock_does_not_come_to_the_year_3000() -> None:
    clock = Clock(lambda: LAST_MOMENT - timedelta(seconds=10))
    with pytest.raises(ValueError, match="the clock ends with the year 2999"):
        clock.advance(10)
    assert clock.advance(9) < LAST_MOMENT


def test_the_emulators_clock_can_be_set() -> None:
    moment = utc_now().replace(microsecond=0) + timedelta(days=400)
    with running_emulator(now=lambda: moment) as emulator:
        httpx.post(
            f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            auth=(emulator.api_key, emulator.api_secret),
            json={"amount": 1},
            trust_env=False,
            verify=NO_TLS,
        )
        assert [datetime.fromisoformat(stored["created_at"]) for stored in emulator.invoices()] == [moment]
