"""When an order may be sent again: by the clock at the moment of each attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.position import Position
from tazapay_lightning.bulk.files.record import BulkRecord
from tazapay_lightning.bulk.files.rows import Row, read_orders
from tazapay_lightning.bulk.files.session import Session
from tazapay_lightning.transport.settings import Credentials, Settings
from tests.support.bulk import Answer, Service, client_of, key
from tests.support.service import API_KEY, API_SECRET


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **time: float) -> None:
        self.time += timedelta(**time)


class Run:
    """A folder with orders, run by a clock of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.sent: list[httpx.Request] = []

    def write(self, count: int) -> None:
        rows = "".join(f"{number},{1000 + number}\n" for number in range(count))
        (self.folder / "orders.csv").write_text(f"order_id,amount_sats\n{rows}")

    def __call__(self, answer: Answer, *, retries: int = 0, rate: float | None = None) -> dict[str, int]:
        """Run once, and return how the orders ended."""
        credentials = Credentials(API_KEY, API_SECRET)
        settings = Settings.build(credentials=credentials, environment=None, base_url=None, variables={})
        service = Service(answer)
        with closing(OrderIndex()) as index:
            for row in read_orders(self.folder / "orders.csv"):
                assert isinstance(row, Row)
                index.add(row)
            results = self.folder / "results.jsonl"
            with closing(BulkRecord(results, namespace="shop-1", settings=settings)) as record:
                record.replay(index, Position.at_start(results))
                session = Session(index=index, record=record, key=key, on_result=lambda states: None, now=self.clock)

                async def run() -> None:
                    async with client_of(service, max_retries=retries) as client:
                        await session.run(client, concurrency=2, rate=rate)

                asyncio.run(run())
        self.sent = service.requests
        assert session.ended_by is None
        return dict(session.states)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def lost(request: httpx.Request) -> httpx.Response:
    return httpx.Response(500)


def moving(run: Run, answer: Callable[[], httpx.Response | None] = lambda: None, **time: float) -> Answer:
    """Return what moves the clock with each request."""

    def move(request: httpx.Request) -> httpx.Response | None:
        run.clock.move(**time)
        return answer()

    return move


@pytest.mark.parametrize(("status", "retries"), [(429, 0), (500, 1), (429, 1)], ids=str)
def test_an_order_that_grows_too_old_between_two_attempts_is_left_to_a_person(
    run: Run, status: int, retries: int
) -> None:
    run.write(1)
    run(lost)
    run.clock.move(hours=23)
    again = moving(run, lambda: httpx.Response(status, headers={"Retry-After": "0"}), hours=1)
    assert run(again, retries=retries) == {"to_settle": 1}
    assert len(run.sent) == 1


def test_an_order_that_grows_too_old_while_it_waits_for_its_turn_is_left_to_a_person(run: Run) -> None:
    run.write(2)
    run(lost)
    run.clock.move(hours=23, minutes=29)
    assert run(moving(run, minutes=2), rate=20) == {"created": 1, "to_settle": 1}
    assert len(run.sent) == 1


def test_a_new_order_is_not_tried_again_once_its_key_may_be_forgotten(run: Run) -> None:
    run.write(1)
    assert run(moving(run, lambda: httpx.Response(500), hours=24), retries=2) == {"to_settle": 1}
    assert len(run.sent) == 1


def test_a_new_order_that_waited_too_long_and_was_never_sent_is_sent_by_the_next_run(run: Run) -> None:
    run.write(2)
    assert run(moving(run, hours=24), rate=20) == {"created": 1}
    assert run(moving(run)) == {"created": 1}


@pytest.mark.parametrize(
    ("minutes", "requests"), [(23 * 60 + 29, 1), (23 * 60 + 31, 0), (-4, 1), (-6, 0), (60 * 24 * 365 * 5000, 0)]
)
def test_an_unknown_outcome_is_asked_for_again_within_23_and_a_half_hours(
    run: Run, minutes: float, requests: int
) -> None:
    run.write(1)
    run(lost)
    run.clock.move(minutes=minutes)
    assert run(moving(run)) == ({"created": 1} if requests else {"to_settle": 1})
    assert len(run.sent) == requests
