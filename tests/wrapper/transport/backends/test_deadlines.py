"""No read of a bounded connection goes on after the deadline of its thread."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tazapay_lightning.transport.backends.guards import bound_reads, reads_end_at


class Stream:
    """Stands for a connection, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float | None]] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append((max_bytes, timeout))
        return b"read"

    def start_tls(self) -> None:
        raise AssertionError("not asked for")


def bounded() -> Any:
    stream = Stream()
    bound_reads({"return_value": stream})
    return stream


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    stopped = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: stopped.now)
    return stopped


@pytest.mark.parametrize(
    ("timeout", "granted"), [(None, 10.0), (30.0, 10.0), (3.0, 3.0)], ids=["no limit", "a longer one", "a shorter one"]
)
def test_a_read_may_take_what_is_left_or_its_own_limit(
    timeout: float | None, granted: float, clock: SimpleNamespace
) -> None:
    stream = bounded()
    with reads_end_at(1010.0):
        assert stream.read(7, timeout=timeout) == b"read"
    assert stream.asked == [(7, granted)]


@pytest.mark.parametrize("now", [1010.0, 1011.0])
def test_no_read_begins_at_or_after_the_deadline(now: float, clock: SimpleNamespace) -> None:
    stream = bounded()
    clock.now = now
    with reads_end_at(1010.0), pytest.raises(TimeoutError, match=r"^the reply came too slowly$"):
        stream.read(7)
    assert stream.asked == []


def test_a_read_may_begin_in_the_last_half_second(clock: SimpleNamespace) -> None:
    stream = bounded()
    with reads_end_at(1000.5):
        stream.read(7)
    assert stream.asked == [(7, 0.5)]


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_without_a_deadline_a_read_keeps_its_own_limit(timeout: float | None) -> None:
    stream = bounded()
    stream.read(7, timeout=timeout)
    assert stream.asked == [(7, timeout)]


def test_a_deadline_ends_with_its_block(clock: SimpleNamespace) -> None:
    stream = bounded()
    with pytest.raises(RuntimeError), reads_end_at(1001.0):
        raise RuntimeError
    clock.now = 1002.0
    stream.read(7)
    assert stream.asked == [(7, None)]


def test_a_deadline_holds_in_its_own_thread_only(clock: SimpleNamespace) -> None:
    stream = bounded()
    with reads_end_at(1000.0):
        other = threading.Thread(target=stream.read, args=(7,))
        other.start()
        other.join()
    assert stream.asked == [(7, None)]


@pytest.mark.parametrize(
    "info", [{}, {"return_value": None}, {"return_value": b"bytes"}, {"return_value": SimpleNamespace(read=1)}]
)
def test_what_is_no_connection_is_left_alone(info: dict[str, Any]) -> None:
    before = dict(info)
    bound_reads(info)
    assert info == before
