from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

import tazapay_lightning_emulator.serving.uvicorn_thread
from tazapay_lightning_emulator import Emulator, Fault, running_emulator
from tests.emulator.conftest import RawClient

LASTING = [
    Fault("delay_before_commit", seconds=3600),
    Fault("delay_after_commit", seconds=3600),
    Fault("drip", pause=60),
    Fault("drip", pause=60, drip_head=True),
    Fault("drip", pause=0.01),
    Fault("huge_body", size=100_000_000_000),
    Fault("gzip_bomb", size=100_000_000_000),
]


@contextmanager
def under_way(fault: Fault) -> Iterator[tuple[Emulator, RawClient]]:
    """An emulator that stops at the end of the block, and has to do so at once."""
    threads = threading.active_count()
    with ExitStack() as stack:
        with running_emulator() as emulator:
            raw = RawClient(emulator, stack)
            emulator.fail_next(fault)
            yield emulator, raw
            ending = time.monotonic()
        assert time.monotonic() - ending < tazapay_lightning_emulator.serving.uvicorn_thread._GRACE_SECONDS
    assert threading.active_count() <= threads


@pytest.fixture(autouse=True)
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long that it would show if the end were waited for, even on a busy machine."""
    monkeypatch.setattr(tazapay_lightning_emulator.serving.uvicorn_thread, "_GRACE_SECONDS", 10)


@pytest.mark.parametrize("fault", LASTING, ids=str)
def test_the_end_of_the_block_does_not_wait_for_a_fault(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    with under_way(fault) as (emulator, raw):
        raw.send(raw.connect())
        while not emulator.requests():
            time.sleep(0.001)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize("fault", LASTING, ids=str)
def test_the_end_of_the_block_does_not_wait_for_a_client_that_left(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    with under_way(fault) as (emulator, raw):
        with raw.connect() as connection:
            raw.send(connection)
        while not emulator.requests():
            time.sleep(0.001)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def test_what_would_have_been_stored_after_a_delay_is_not_stored_when_the_emulator_stops(
    tmp_path: pytest.TempPathFactory,
) -> None:
    with ExitStack() as stack:
        with running_emulator(database=f"{tmp_path}/emulator.db") as emulator:
            raw = RawClient(emulator, stack)
            emulator.fail_next("delay_before_commit", seconds=3600)
            connection = raw.connect()
            raw.send(connection)
            while not emulator.requests():
                time.sleep(0.001)
        assert raw.receive(connection).data == b""
    with running_emulator(database=f"{tmp_path}/emulator.db") as emulator:
        assert emulator.invoices() == []


def test_many_faults_under_way_are_as_quick_to_stop() -> None:
    with under_way(Fault("drip")) as (emulator, raw):
        emulator.fail_randomly(1, seed=1, kinds=LASTING)
        for n in range(50):
            raw.send(raw.connect(), f"order-{n}")
        while len(emulator.requests()) < 50:
            time.sleep(0.001)
