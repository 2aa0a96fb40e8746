"""Server-sent events: an open page learns of a change without asking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import httpx
import pytest

from examples.checkout import streams
from examples.checkout.app import Settings, create_shop
from examples.checkout.changes import Changes
from examples.checkout.server import running_shop
from examples.checkout.streams import status_stream
from tazapay_lightning import AsyncLightningClient
from tazapay_lightning_emulator import Emulator
from tests.examples.conftest import OpenShop
from tests.support.plain_http import NO_TLS
from tests.support.shop import Customer


def statuses(reply: httpx.Response) -> Iterator[str]:
    """The states that a stream tells."""
    for line in reply.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line[6:])["state"]


def test_a_stream_tells_the_state_at_once_and_the_payment_when_it_arrives(
    open_shop: OpenShop, emulator: Emulator
) -> None:
    customer = open_shop(poll_interval=0.05)
    order = customer.order()
    with customer.http.stream("GET", f"{order}/events") as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["cache-control"] == "no-store"
        told = statuses(reply)
        assert next(told) == "waiting"
        emulator.pay(emulator.invoices()[0]["id"])
        assert next(told) == "paid"


def test_every_open_page_of_an_order_is_told_and_no_other(open_shop: OpenShop, emulator: Emulator) -> None:
    customer = open_shop(poll_interval=0.05)
    paid, other = customer.order(), customer.order()
    with (
        customer.http.stream("GET", f"{paid}/events") as first,
        customer.http.stream("GET", f"{paid}/events") as second,
        customer.http.stream("GET", f"{other}/events") as third,
    ):
        told = [statuses(reply) for reply in (first, second, third)]
        assert [next(each) for each in told] == ["waiting", "waiting", "waiting"]
        emulator.pay(emulator.invoices()[0]["id"])
        assert [next(each) for each in told[:2]] == ["paid", "paid"]
        emulator.pay(emulator.invoices()[1]["id"])
        assert next(told[2]) == "paid"


def test_a_shop_with_open_pages_can_be_closed(emulator: Emulator) -> None:
    client = AsyncLightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url)
    with (
        httpx.Client(trust_env=False, verify=NO_TLS, follow_redirects=True, timeout=30) as http,
        ExitStack() as running,
    ):
        http.base_url = running.enter_context(running_shop(create_shop(client, Settings(poll_interval=3600))))
        order = Customer(http).order()
        reply = http.send(http.build_request("GET", f"{order}/events"), stream=True)
        told = statuses(reply)
        assert next(told) == "waiting"
        closing = Thread(target=running.close)
        closing.start()
        closing.join(10)
        still_open = closing.is_alive()
        reply.close()  # without which a shop that waits for it would be waited for here
        closing.join()
    assert not still_open


async def _collect(stream: AsyncIterator[str], count: int) -> list[str]:
    return [await anext(stream) for _ in range(count)]


def test_a_stream_says_nothing_twice_and_stays_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LOOK_ANYWAY_SECONDS", 0.01)

    async def run() -> list[str]:
        states = iter(["waiting", "waiting", "paid"])
        return await _collect(status_stream(Changes(), "order", lambda: {"state": next(states)}), 4)

    assert asyncio.run(run()) == [
        "retry: 2000\n\n",
        'event: status\ndata: {"state": "waiting"}\n\n',
        ": still here\n\n",
        'event: status\ndata: {"state": "paid"}\n\n',
    ]


def test_a_change_during_a_look_is_not_missed() -> None:
    changes = Changes()
    states = iter(["asked", "waiting"])

    def read() -> dict[str, Any]:
        state = next(states)
        if state == "asked":
            changes.tell("order")  # just after the state was read
        return {"state": state}

    async def run() -> list[str]:
        return await asyncio.wait_for(_collect(status_stream(changes, "order", read), 3), 10)

    assert '"waiting"' in asyncio.run(run())[-1]


def test_a_stream_is_silent_between_changes() -> None:
    changes = Changes()

    async def run() -> None:
        stream = status_stream(changes, "order", lambda: {"state": "waiting"})
        await _collect(stream, 2)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)  # in which it begins to wait
        changes.tell("order")
        assert await waiting == ": still here\n\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.1)

    asyncio.run(run())


def test_nobody_is_remembered_who_went_away() -> None:
    changes = Changes()
    with changes.listening("order"), changes.listening("order"):
        pass
    assert not changes._listeners
