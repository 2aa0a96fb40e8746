"""No step of a bounded socket goes on after the deadline of its thread: neither a read, nor a write, nor TLS."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from tazapay_lightning.transport.backends.guards import bound_steps, disconnect, steps_end_at


@pytest.fixture
def bounded() -> Iterator[socket.socket]:
    """A socket with a peer that neither reads nor writes."""
    ours, peer = socket.socketpair()
    bound_steps({"return_value": SimpleNamespace(get_extra_info={"socket": ours}.get)})
    with ours, peer:
        yield ours


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    stopped = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: stopped.now)
    return stopped


@pytest.mark.parametrize(
    ("timeout", "granted"), [(None, 10.0), (30.0, 10.0), (3.0, 3.0)], ids=["no limit", "a longer one", "a shorter one"]
)
def test_a_step_may_take_what_is_left_or_its_own_limit(
    timeout: float | None, granted: float, bounded: socket.socket, clock: SimpleNamespace
) -> None:
    with steps_end_at(1010.0):
        bounded.settimeout(timeout)
    assert bounded.gettimeout() == granted


@pytest.mark.parametrize("now", [1010.0, 1011.0])
def test_no_step_begins_at_or_after_the_deadline(now: float, bounded: socket.socket, clock: SimpleNamespace) -> None:
    clock.now = now
    with steps_end_at(1010.0), pytest.raises(TimeoutError, match=r"^the time was up$"):
        bounded.settimeout(7)


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_without_a_deadline_a_step_keeps_its_own_limit(timeout: float | None, bounded: socket.socket) -> None:
    bounded.settimeout(timeout)
    assert bounded.gettimeout() == timeout


def test_a_deadline_ends_with_its_block(bounded: socket.socket, clock: SimpleNamespace) -> None:
    with pytest.raises(RuntimeError), steps_end_at(1001.0):
        raise RuntimeError
    clock.now = 1002.0
    bounded.settimeout(None)
    assert bounded.gettimeout() is None


class Interrupted(BaseException):
    """What a signal handler raises, at a bytecode given by its number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        self.left -= event == "opcode"
        if event == "opcode" and not self.left:
            raise self
        return self.trace


def test_an_interruption_at_any_bytecode_leaves_no_deadline_behind(
    bounded: socket.socket, clock: SimpleNamespace
) -> None:
    def sweep() -> int:
        sys._getframe().f_trace_opcodes = True  # Python 3.12 heeds it in other frames only if one had it before
        for at in range(1, 1000):
            interruption = Interrupted(at)
            try:
                sys.settrace(interruption.trace)
                with suppress(KeyError), steps_end_at(1001.0):
                    bounded.settimeout(1)
            except Interrupted as error:
                error.__traceback__ = None  # which would keep the block's frame
            finally:
                sys.settrace(None)
            bounded.settimeout(None)
            assert bounded.gettimeout() is None, at
            if interruption.left > 0:
                break
        return at

    # An exception within the `except` of a library leaves its thread with that one as the exception being handled: of a
    # thread of its own, so that it is the context of no error in another test.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(sweep).result() > 50
    assert sys.exc_info() == (None, None, None)


def test_a_call_within_a_call_leaves_the_outer_one_its_deadline(bounded: socket.socket, clock: SimpleNamespace) -> None:
    with steps_end_at(1010.0):
        with steps_end_at(1001.0):
            pass
        bounded.settimeout(30)
    assert bounded.gettimeout() == 10.0


def test_a_deadline_holds_in_its_own_thread_only(bounded: socket.socket, clock: SimpleNamespace) -> None:
    with steps_end_at(1000.0):
        other = threading.Thread(target=bounded.settimeout, args=(7,))
        other.start()
        other.join()
    assert bounded.gettimeout() == 7


def test_a_connection_that_was_ended_is_not_written_to(bounded: socket.socket) -> None:
    stream = SimpleNamespace(get_extra_info=lambda name: bounded)
    disconnect({"network_stream": stream})
    with pytest.raises(OSError, match="was ended, because a reply on it was another request's"):
        stream.write(b"POST", timeout=5)
    assert bounded.recv(1) == b""


@pytest.mark.parametrize(
    "value", [None, b"bytes", SimpleNamespace(get_extra_info=lambda name: None)], ids=["nothing", "bytes", "no socket"]
)
def test_what_is_no_connection_is_left_alone(value: Any) -> None:
    bound_steps({"return_value": value})
    bound_steps({})
