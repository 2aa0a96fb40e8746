"""The stream that tells an open page to look again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.dashboard import stream
from tests.support.emulator_receiver import Receiver
from tests.support.plain_http import NO_TLS

EVENTS = "/_emulator/page/events"


@contextmanager
def listening(emulator: Emulator) -> Iterator[Iterator[str]]:
    """Open the stream, and skip the event that comes at once."""
    with (
        httpx.Client(base_url=emulator.base_url, trust_env=False, verify=NO_TLS, timeout=10) as client,
        client.stream("GET", EVENTS) as reply,
    ):
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        events = (line for line in reply.iter_lines() if line == "data: changed")
        next(events)
        yield events


CHANGES: dict[str, Callable[..., object]] = {
    "a request": lambda emulator, post: post({"amount": 1}),
    "a payment": lambda emulator, post: emulator.pay(emulator.invoices()[0]["id"]),
    "the clock": lambda emulator, post: emulator.advance_clock(1),
    "a fault": lambda emulator, post: emulator.fail_next("drip"),
    "a rate": lambda emulator, post: emulator.fail_randomly(0.5, seed=1),
    "no more faults": lambda emulator, post: emulator.stop_failing(),
    "an address for webhooks": lambda emulator, post: emulator.send_webhooks_to("http://127.0.0.1:1/"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_told(emulator: Emulator, post: Any, change: str) -> None:
    post({"amount": 1})
    with listening(emulator) as events:
        CHANGES[change](emulator, post)
        assert next(events)


def test_an_attempt_of_a_webhook_is_told(told: Emulator, create: Any, receiver: Receiver) -> None:
    receiver.hold = True
    told.pay(create()["id"])
    assert receiver.arrived.wait(timeout=10)
    with listening(told) as events:
        receiver.release.set()
        assert next(events)


def test_a_crowd_of_changes_is_told_in_a_few_events(emulator: Emulator) -> None:
    with listening(emulator) as events:
        for _ in range(1_000):
            emulator.fail_next("drip")
        began = time.monotonic()
        next(events)
        emulator.stop_failing()
        next(events)
        assert time.monotonic() - began < 5


def test_who_leaves_is_told_nothing_any_more(emulator: Emulator) -> None:
    with listening(emulator):
        listeners = emulator._book.activity._listeners
        assert len(listeners) == 1
    deadline = time.monotonic() + 10
    while listeners and time.monotonic() < deadline:
        time.sleep(0.01)
    assert listeners == []


def test_an_open_page_does_not_hold_up_a_server_that_stops() -> None:
    ended = threading.Event()

    def listen(emulator: Emulator, opened: threading.Event) -> None:
        try:
            with listening(emulator) as events:
                opened.set()
                for _ in events:
                    pass
        except httpx.HTTPError:  # the server resets it
            pass
        ended.set()

    opened = threading.Event()
    with running_emulator() as emulator:
        thread = threading.Thread(target=listen, args=(emulator, opened))
        thread.start()
        assert opened.wait(timeout=10)
        began = time.monotonic()
    assert time.monotonic() - began < 0.9, "within the second that requests in flight are given"
    assert ended.wait(timeout=10)
    thread.join()


async def read_until_it_ends(stream: AsyncIterator[str]) -> list[str]:
    return [event async for event in stream]


def test_under_another_server_a_quiet_stream_ends_so_that_the_server_can_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SIGN_OF_LIFE_SECONDS", 0.01)
    events = asyncio.run(read_until_it_ends(stream.changes(create_app().parts, None)))
    assert events == ["retry: 1000\n\n", "data: changed\n\n"]


def test_a_quiet_stream_gives_a_sign_of_life(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SIGN_OF_LIFE_SECONDS", 0.01)
    with (
        httpx.Client(base_url=emulator.base_url, trust_env=False, verify=NO_TLS, timeout=10) as client,
        client.stream("GET", EVENTS) as reply,
    ):
        assert ": still here" in reply.iter_lines()


def test_the_page_loads_its_templates_with_the_first_visit_only() -> None:
    program = (
        "import sys, httpx\n"
        "from tazapay_lightning_emulator import running_emulator\n"
        "with running_emulator() as emulator:\n"
        "    print({'jinja2', 'segno'} & set(sys.modules))\n"
        "    httpx.get(emulator.base_url, trust_env=False)\n"
        "    print(sorted({'jinja2', 'segno'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n['jinja2', 'segno']\n"
