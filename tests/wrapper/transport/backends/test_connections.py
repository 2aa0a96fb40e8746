"""Connections are lent to one request at a time, in turn, and none is lost, whatever becomes of the request."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tazapay_lightning import APIConnectionError, APITimeoutError, LightningClient
from tazapay_lightning.transport.backends.connections import (
    KEEPALIVE_SECONDS,
    MAX_CONNECTIONS,
    AsyncConnections,
    Connections,
    _Places,
)
from tazapay_lightning.transport.backends.failures import client_closed_error
from tazapay_lightning_emulator import running_emulator
from tests.support.thorough import THOROUGH

LATER = time.monotonic() + 10_000


class Connection:
    """Stands for a connection, and tells when two use it at once."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = 0
        self._in_use = threading.Lock()

    @contextmanager
    def used(self) -> Iterator[None]:
        assert self._in_use.acquire(blocking=False), "used by two at once"
        try:
            yield
        finally:
            self._in_use.release()


class Network:
    """Opens connections, and remembers all of them."""

    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.now = 1000.0
        self.trouble: Exception | None = None

    def connect(self) -> Connection:
        connection = Connection(len(self.opened))
        self.opened.append(connection)
        return connection

    def disconnect(self, connection: Connection) -> None:
        connection.closed += 1
        if self.trouble is not None:
            raise self.trouble

    async def disconnect_async(self, connection: Connection) -> None:
        self.disconnect(connection)
        await asyncio.sleep(0)

    def clock(self) -> float:
        return self.now

    @property
    def still_open(self) -> list[int]:
        return [connection.number for connection in self.opened if not connection.closed]


class Blocking:
    """Drives `Connections` with the words that `Waiting` has for `AsyncConnections`."""

    def __init__(self, network: Network) -> None:
        self.connections = Connections(network.connect, network.disconnect, network.clock)

    @asynccontextmanager
    async def one(self, ends: float = LATER) -> AsyncIterator[Connection]:
        with self.connections.one(ends) as connection:
            yield connection

    async def close(self) -> None:
        self.connections.close()


class Waiting:
    def __init__(self, network: Network) -> None:
        self.connections = AsyncConnections(network.connect, network.disconnect_async, network.clock)

    @asynccontextmanager
    async def one(self, ends: float = LATER) -> AsyncIterator[Connection]:
        async with self.connections.one(ends) as connection:
            yield connection

    async def close(self) -> None:
        await self.connections.aclose()


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture(params=[Blocking, Waiting], ids=["threads", "tasks"])
def lender(request: pytest.FixtureRequest, network: Network) -> Any:
    return request.param(network)


def runs(test: Callable[..., Any]) -> Callable[..., None]:
    """Run a coroutine function as a test, in an event loop of its own."""

    def run(lender: Any, network: Network) -> None:
        asyncio.run(test(lender, network))

    run.__doc__ = test.__doc__
    return run


@runs
async def test_a_connection_is_used_again(lender: Any, network: Network) -> None:
    for _ in range(3):
        async with lender.one() as connection:
            assert connection.number == 0
    assert (len(network.opened), network.still_open) == (1, [0])


@runs
async def test_the_one_used_last_is_lent_first(lender: Any, network: Network) -> None:
    async with lender.one() as first, lender.one() as second:
        assert (first.number, second.number) == (0, 1)
    async with lender.one() as again:
        assert again.number == 0  # given back last


@runs
async def test_one_whose_request_failed_is_closed_and_not_used_again(lender: Any, network: Network) -> None:
    with pytest.raises(KeyError):
        async with lender.one():
            raise KeyError
    async with lender.one() as another:
        assert another.number == 1
    assert [connection.closed for connection in network.opened] == [1, 0]


@runs
async def test_a_failure_matters_more_than_what_goes_wrong_when_its_connection_is_closed(
    lender: Any, network: Network
) -> None:
    network.trouble = OSError("cannot even be closed")
    with pytest.raises(KeyError):
        async with lender.one():
            raise KeyError
    async with lender.one(), lender.one():
        pass
    network.now += KEEPALIVE_SECONDS + 1
    async with lender.one():  # closes the old one, which fails, but the request was well
        pass


@runs
async def test_one_that_was_idle_for_5_seconds_is_closed_when_another_is_given_back(
    lender: Any, network: Network
) -> None:
    async with lender.one(), lender.one():
        pass
    network.now += KEEPALIVE_SECONDS
    async with lender.one():
        pass
    assert network.still_open == [0, 1]  # just so long
    network.now += 0.001
    async with lender.one():
        pass
    assert network.still_open == [0]


@runs
async def test_closing_closes_the_used_ones_too_and_lends_no_more(lender: Any, network: Network) -> None:
    async with lender.one():
        pass
    async with lender.one(), lender.one():
        await lender.close()
        assert network.still_open == []
    await lender.close()
    with pytest.raises(APIConnectionError, match="closed meanwhile") as caught:
        async with lender.one():
            pass
    assert (caught.value.nothing_sent, caught.value.permanent) == (True, True)
    assert (len(network.opened), network.still_open) == (2, [])


@runs
async def test_one_that_was_opened_while_the_others_were_closed_is_closed_when_it_comes_back(
    lender: Any, network: Network
) -> None:
    async with lender.one():
        await lender.close()
        lender.connections._all.add(late := network.connect())
    assert late.closed == 1


@runs
async def test_one_that_cannot_be_opened_takes_no_turn(lender: Any, network: Network) -> None:
    lender.connections._connect = lambda: (_ for _ in ()).throw(OSError("no"))
    for _ in range(MAX_CONNECTIONS + 1):
        with pytest.raises(OSError, match="no"):
            async with lender.one(time.monotonic()):
                pass
    assert network.opened == []


@runs
async def test_the_101st_request_fails_when_no_connection_gets_free_in_its_time(lender: Any, network: Network) -> None:
    async with AsyncExitStack() as all_of_them:
        for _ in range(MAX_CONNECTIONS):
            await all_of_them.enter_async_context(lender.one())
        for ends in (time.monotonic() - 1, time.monotonic() + 0.05):
            with pytest.raises(APITimeoutError, match="all 100 connections were in use") as caught:
                async with lender.one(ends):
                    pass
            assert (caught.value.nothing_sent, caught.value.permanent) == (True, False)
    async with lender.one():
        pass
    assert len(network.opened) == MAX_CONNECTIONS


def test_waiting_tasks_have_their_turns_in_order(network: Network) -> None:
    order: list[int] = []

    async def run() -> None:
        connections = AsyncConnections(network.connect, network.disconnect_async)

        async def use(number: int) -> None:
            async with connections.one(LATER):
                order.append(number)
                await asyncio.sleep(0)

        async with AsyncExitStack() as all_of_them:
            for _ in range(MAX_CONNECTIONS - 1):
                await all_of_them.enter_async_context(connections.one(LATER))
            async with connections.one(LATER):
                tasks = []
                for number in range(20):
                    tasks.append(asyncio.create_task(use(number)))
                    await asyncio.sleep(0)
                assert order == []
            await asyncio.gather(*tasks)

    asyncio.run(run())
    assert order == list(range(20))


def test_a_wait_of_hardly_any_time_ends() -> None:
    """A queue of Python's would wait for ever, before Python 3.13: its time is up as it begins to wait."""

    def wait() -> None:
        for _ in range(30_000):
            assert _Places(0).take(time.monotonic() + 1e-6) is None

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(60)
    assert not waiting.is_alive()


def test_no_thread_waits_while_a_place_is_free() -> None:
    """One that did would wait until the end: all others are done by then."""
    places, ends = _Places(3), time.monotonic() + 60

    def take_turns(_: int) -> None:
        for _ in range(300):
            place = places.take(ends)
            assert place is not None
            if random.random() < 0.1:
                time.sleep(0.0001)
            places.give_back(place)

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(take_turns, range(32)))
    assert time.monotonic() < ends
    assert len(places) == 3


def test_a_waiting_thread_has_its_turn_when_another_is_done(network: Network) -> None:
    connections = Connections(network.connect, network.disconnect)
    with ExitStack() as all_but_one, ThreadPoolExecutor(1) as thread:
        for _ in range(MAX_CONNECTIONS - 1):
            all_but_one.enter_context(connections.one(LATER))
        with connections.one(LATER) as last:
            waiting = thread.submit(lambda: use(connections))
            time.sleep(0.05)
            assert not waiting.done()
        assert waiting.result(10) is last


def use(connections: Connections[Connection]) -> Connection:
    with connections.one(LATER) as connection:
        return connection


@settings(max_examples=100 if THOROUGH else 10, deadline=None)
@given(seed=st.integers(0, 2**32), slow_goodbye=st.booleans())
def test_whatever_is_cancelled_no_connection_stays_lent(seed: int, slow_goodbye: bool) -> None:
    chance = random.Random(seed)
    network = Network()

    async def disconnect(connection: Connection) -> None:
        network.disconnect(connection)
        for _ in range(chance.randrange(4) if slow_goodbye else 0):
            await asyncio.sleep(0)

    async def run() -> None:
        connections = AsyncConnections(network.connect, disconnect, network.clock)

        async def request(ends: float) -> None:
            async with connections.one(ends) as connection:
                with connection.used():
                    for _ in range(chance.randrange(5)):
                        await asyncio.sleep(0)
                    if chance.random() < 0.1:
                        raise KeyError

        tasks = [
            asyncio.create_task(request(time.monotonic() + chance.choice([-1, 0, 0.001, 100]))) for _ in range(200)
        ]
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
            network.now += chance.random() * KEEPALIVE_SECONDS
            for task in chance.sample(tasks, 20):
                task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} <= {type(None), KeyError, APITimeoutError, asyncio.CancelledError}
        async with AsyncExitStack() as all_of_them:
            lent = [
                await all_of_them.enter_async_context(connections.one(time.monotonic())) for _ in range(MAX_CONNECTIONS)
            ]
        assert len(set(lent)) == MAX_CONNECTIONS
        assert not [connection for connection in lent if connection.closed]
        await connections.aclose()
        assert network.still_open == []

    asyncio.run(run())


def test_a_connection_is_closed_to_the_end_also_when_everything_around_it_is_cancelled() -> None:
    closed: list[str] = []

    async def disconnect(connection: str) -> None:
        await anyio.lowlevel.checkpoint()
        closed.append(connection)

    async def run() -> None:
        connections = AsyncConnections(lambda: "connection", disconnect)
        with anyio.CancelScope() as scope:
            async with connections.one(LATER):
                scope.cancel()
                await anyio.sleep(3600)
        assert scope.cancelled_caught

    asyncio.run(run())
    assert closed == ["connection"]


def test_a_connection_that_does_not_close_holds_up_its_request_for_a_second_at_most(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tazapay_lightning.transport.backends.connections.CLOSE_TIMEOUT", 0.01)

    async def never(connection: Connection) -> None:
        await asyncio.sleep(3600)

    async def run() -> None:
        connections = AsyncConnections(network.connect, never)
        with pytest.raises(KeyError):
            async with connections.one(LATER):
                raise KeyError
        async with connections.one(LATER) as another:
            assert another.number == 1

    asyncio.run(asyncio.wait_for(run(), 10))


def test_closing_from_many_threads_while_others_work_closes_everything_once_and_raises_nothing() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20 if THOROUGH else 5):
            network = Network()
            connections = Connections(network.connect, network.disconnect)
            with ThreadPoolExecutor(12) as threads:
                working = [threads.submit(work, connections) for _ in range(8)]
                closing = [threads.submit(connections.close) for _ in range(4)]
            assert [done.result() for done in closing] == [None] * 4
            assert {done.result() for done in working} <= {"done", "closed"}
            assert network.still_open == []
    finally:
        sys.setswitchinterval(interval)


def work(connections: Connections[Connection]) -> str:
    try:
        for _ in range(50):
            with connections.one(LATER) as connection, connection.used():
                pass
    except APIConnectionError:
        return "closed"
    return "done"


def test_threads_that_close_the_same_old_connections_share_them_out(network: Network) -> None:
    connections = Connections(network.connect, network.disconnect, network.clock)
    for _ in range(1000):
        connections._idle.append((network.now, network.connect()))
    network.now += KEEPALIVE_SECONDS + 1
    with ThreadPoolExecutor(8) as threads:
        old = list(threads.map(lambda _: connections._give_back(network.connect()), range(8)))
    assert sorted(connection.number for part in old for connection in part) == list(range(1000))


@pytest.mark.parametrize("nothing_sent", [True, False])
def test_what_a_closed_client_knows_about_the_request_is_said(nothing_sent: bool) -> None:
    assert client_closed_error(nothing_sent=nothing_sent).nothing_sent == nothing_sent


def test_32_threads_never_share_a_connection() -> None:
    """Each request says which connection it went over, and no two requests of a connection overlap."""
    count = 32 * (30 if THOROUGH else 4)
    with running_emulator() as emulator:
        client = LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url)
        in_use: set[int] = set()
        seen = SimpleNamespace(most=0)
        connections = client._calls._backend()._connections
        lend = connections.one

        @contextmanager
        def watched(ends: float) -> Iterator[Any]:
            with lend(ends) as connection:
                assert id(connection) not in in_use
                in_use.add(id(connection))
                seen.most = max(seen.most, len(in_use))
                try:
                    yield connection
                finally:
                    in_use.discard(id(connection))

        connections.one = watched  # type: ignore[method-assign]  # looks on, and changes nothing
        with client, ThreadPoolExecutor(32) as threads:
            invoices = list(threads.map(lambda n: client.create_invoice(amount_sats=n), range(1, count + 1)))
        assert [invoice.amount_sats for invoice in invoices] == list(range(1, count + 1))
        assert len({invoice.id for invoice in invoices}) == count
        assert 1 < seen.most <= 32
