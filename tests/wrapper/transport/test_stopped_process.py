"""A process can be stopped for as long as it likes: nothing goes out after the deadline of its call."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tazapay_lightning import APIError, APITimeoutError
from tests.support.clients import create_kind, each_kind
from tests.support.service import create_async, create_sync, read_request
from tests.support.wire import reply

BUSY = reply(b"{}", status=b"503 Busy")


class JumpingClock:
    """The monotonic clock, which jumps by a day when it is read for the `nth` time."""

    def __init__(self, nth: int) -> None:
        self._nth, self._reads, self._real = nth, 0, time.monotonic
        self._jumped_at = float("inf")

    def __call__(self) -> float:
        self._reads += 1
        if self._reads == self._nth:
            self._jumped_at = self._real()
        return self._real() + (86_400.0 if self.has_jumped else 0.0)

    @property
    def has_jumped(self) -> bool:
        return self._reads >= self._nth


@contextmanager
def running_by(clock: JumpingClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within the block, let the modules that decide by the clock look at this one, and not those that wait by it."""
    with monkeypatch.context() as patched:
        for module in ("calls", "async_calls", "exchange", "backends.httpx", "backends.aiohttp"):
            patched.setattr(f"tazapay_lightning.transport.{module}.time", SimpleNamespace(monotonic=clock))
        yield


@pytest.mark.parametrize("create", [create_sync, create_async])
def test_whenever_the_clock_jumps_over_the_deadline_no_request_goes_out_afterwards(
    create: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tazapay_lightning.transport.retries._FIRST_WAIT_SECONDS", 0.0001)
    untouched = 0
    for nth in range(2, 200):  # the first look is when the call begins
        clock = JumpingClock(nth)
        late: list[bool] = []

        def serve(request: httpx.Request, clock: JumpingClock = clock, late: list[bool] = late) -> httpx.Response:
            late.append(clock.has_jumped)
            return httpx.Response(503)

        with running_by(clock, monkeypatch), pytest.raises(APIError) as caught:
            create(serve, client={"max_retries": 3, "deadline": 60}, amount_sats=1, idempotency_key="order-1")
        assert not any(late), nth
        assert caught.value.idempotency_key == "order-1"
        assert caught.value.outcome_unknown == bool(late)
        assert caught.value.attempts - len(late) in {0, 1}  # one may have begun, and not gone out
        untouched += not clock.has_jumped
        if untouched == 2:  # the sweep went on to the end of the call
            return
    pytest.fail("the call looks at the clock more often than was tried")


@each_kind
def test_nor_does_one_that_was_waiting_for_its_connection(
    kind: str, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[bool] = []
    clock = JumpingClock(0)

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            late.append(clock.has_jumped)
            connection.sendall(reply())

    port, untouched = listen(serve).port, 0
    for nth in range(2, 20):
        clock = JumpingClock(nth)
        late.clear()
        with running_by(clock, monkeypatch):
            unknown = outcome_unknown(kind, f"http://127.0.0.1:{port}")
        assert unknown in {None, bool(late)}
        assert not any(late), nth
        untouched += not clock.has_jumped
        if untouched == 2:
            return
    pytest.fail("the call looks at the clock more often than was tried")


def outcome_unknown(kind: str, base_url: str) -> bool | None:
    """Create an invoice; return what the error says of it, or None if there was no error."""
    try:
        create_kind(kind, base_url, max_retries=0)
    except APITimeoutError as error:
        return error.outcome_unknown
    return None


STOPPED = """
import sys
from tazapay_lightning import APIError
from tests.support.clients import create_kind
try:
    create_kind(sys.argv[1], sys.argv[2], deadline=1.5, max_retries=5)
except APIError as error:
    print(error.attempts, error.outcome_unknown, bool(error.idempotency_key), type(error).__name__)
"""


@each_kind
def test_a_process_that_is_stopped_between_two_attempts_makes_no_further_one_after_its_deadline(
    kind: str, listen: Any
) -> None:
    requests: list[bytes] = []
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            requests.append(request)
            connection.sendall(reply(b"{}", b"Retry-After: 1", status=b"503 Busy"))
            answered.set()

    program = [sys.executable, "-c", STOPPED, kind, f"http://127.0.0.1:{listen(serve).port}"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert answered.wait(20)
        time.sleep(0.3)  # it waits for a second: any moment of it will do
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.5)  # its deadline
        os.kill(process.pid, signal.SIGCONT)
        told, _ = process.communicate(timeout=20)
    assert (len(requests), told.split()) == (1, ["1", "True", "True", "ServerError"])
