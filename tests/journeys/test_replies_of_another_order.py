"""No order is given another one's invoice in silence, whatever a peer sends, on whichever connection."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest

from tazapay_lightning import (
    AsyncLightningClient,
    Invoice,
    InvoiceMismatchError,
    LightningClient,
    TazapayError,
    UnexpectedResponseError,
    bulk,
)
from tests.support.service import API_KEY, API_SECRET, Listener, read_request
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH

Listen = Callable[[Callable[[socket.socket], None]], Listener]
Ends = dict[str, Invoice | TazapayError]

KEYS = [f"order-{number}" for number in range(100)]
SOME = KEYS if THOROUGH else KEYS[:30]


class Twice:
    """Answers each request as a service with idempotency keys does, and once more a moment after the next one came.

    So no look for unread bytes before a request finds the second answer.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}  # of each key, the truth
        self.connections = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        again = b""
        while request := read_request(connection):
            connection.sendall(again)
            again = self.answer(request)
            connection.sendall(again)

    def answer(self, request: bytes) -> bytes:
        named = re.search(rb"(?i)idempotency-key: (\S+)", request)
        assert named
        key = named[1].decode()
        with self._lock:
            self.ids.setdefault(key, f"l11_{len(self.ids)}")
        body = json.dumps({"data": {"id": self.ids[key], "amount": 5000}}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextmanager
def blocking_client(base_url: str, way: str, **options: Any) -> Iterator[LightningClient]:
    with httpx.Client() as own:
        if way == "own blocking":
            options["http_client"] = own
        with LightningClient(API_KEY, API_SECRET, base_url=base_url, **options) as client:
            yield client


@asynccontextmanager
async def waiting_client(base_url: str, way: str, **options: Any) -> Any:
    async with httpx.AsyncClient() as own:
        if way == "own async":
            options["http_client"] = own
        elif way == "aiohttp":
            options["backend"] = "aiohttp"
        async with AsyncLightningClient(API_KEY, API_SECRET, base_url=base_url, **options) as client:
            yield client


async def end_of(call: Awaitable[Invoice]) -> Invoice | TazapayError:
    try:
        return await call
    except TazapayError as error:
        return error


BLOCKING, WAITING = ("blocking", "own blocking"), ("async", "own async", "aiohttp")
each_way = pytest.mark.parametrize("way", [*BLOCKING, *WAITING])


def bill(
    base_url: str, way: str, *, orders: list[str] = SOME, at_once: int = 1, rounds: int = 1, **options: Any
) -> Ends:
    """Bill orders with one client, those that failed once more in each further round; return how each ended."""
    ends: Ends = {}

    def left() -> list[str]:
        return [key for key in orders if not isinstance(ends.get(key), Invoice)]

    if way in BLOCKING:
        with blocking_client(base_url, way, **options) as client, ThreadPoolExecutor(at_once) as threads:

            def ask(key: str) -> Invoice | TazapayError:
                try:
                    return client.create_invoice(amount_sats=5000, idempotency_key=key)
                except TazapayError as error:
                    return error

            for _ in range(rounds):
                keys = left()
                ends |= dict(zip(keys, threads.map(ask, keys), strict=True))
        return ends

    async def run() -> None:
        async with waiting_client(base_url, way, **options) as client:
            places = asyncio.Semaphore(at_once)

            async def ask(key: str) -> Invoice | TazapayError:
                async with places:
                    return await end_of(client.create_invoice(amount_sats=5000, idempotency_key=key))

            for _ in range(rounds):
                keys = left()
                ends.update(zip(keys, await asyncio.gather(*map(ask, keys)), strict=True))

    asyncio.run(run())
    return ends


@each_way
@pytest.mark.parametrize(("at_once", "orders"), [(1, SOME), (8, KEYS)], ids=["1", "8"])
def test_a_peer_that_answers_twice_gives_no_order_the_invoice_of_another(
    at_once: int, orders: list[str], way: str, listen: Listen
) -> None:
    peer = Twice()
    ends = bill(f"http://127.0.0.1:{listen(peer).port}", way, orders=orders, at_once=at_once)
    given = {key: end.id for key, end in ends.items() if isinstance(end, Invoice)}
    assert given == {key: peer.ids[key] for key in given}
    failed = [end for end in ends.values() if not isinstance(end, Invoice)]
    assert failed
    assert {type(end) for end in failed} == {InvoiceMismatchError}


@each_way
def test_each_order_gets_its_own_invoice_when_it_is_asked_for_again(way: str, listen: Listen) -> None:
    peer = Twice()
    ends = bill(f"http://127.0.0.1:{listen(peer).port}", way, rounds=10)
    assert {key: end.id for key, end in ends.items() if isinstance(end, Invoice)} == peer.ids
    assert len(set(peer.ids.values())) == len(SOME)


@each_way
def test_without_check_echo_the_invoice_of_another_order_is_listed_and_shifts_no_more_than_that(
    way: str, listen: Listen
) -> None:
    peer = Twice()
    ends = bill(f"http://127.0.0.1:{listen(peer).port}", way, check_echo=False)
    for key, end in ends.items():
        assert isinstance(end, Invoice)
        assert (end.id == peer.ids.get(key)) == (end.differences == ())  # the last may not have been read yet
        assert [each.field for each in end.differences] in ([], ["id"])
    assert any(end.differences for end in ends.values() if isinstance(end, Invoice))


def test_in_bulk_each_row_has_its_own_invoice_or_is_a_mismatch(listen: Listen) -> None:
    peer = Twice()
    rows = [{"order_id": key, "amount_sats": 5000} for key in KEYS]

    async def run() -> list[bulk.Result]:
        async with waiting_client(f"http://127.0.0.1:{listen(peer).port}", "async") as client:
            return [each async for each in bulk.create_invoices(client, rows, key=str, concurrency=4)]

    results = asyncio.run(run())
    assert {result.state for result in results} == {"created", "mismatch"}
    for result in results:
        assert (result.invoice is None) or result.invoice.id == peer.ids[str(result.idempotency_key)]


FOREIGN: dict[str, tuple[str, dict[str, Any]]] = {
    "amount": ("create_invoice", {"amount": 7}),
    "memo": ("create_invoice", {"d_tag_memo": "another"}),
    "metadata": ("create_invoice", {"metadata": {"order": "2"}}),
    "no invoice": ("create_invoice", {"id": None}),
    "id": ("get_invoice", {"id": "l11_another"}),
}


@each_way
@each_row(("method", "fields"), FOREIGN.values(), ids=FOREIGN)
def test_a_reply_to_another_request_ends_its_connection(
    method: str, fields: dict[str, Any], way: str, listen: Listen
) -> None:
    shown = {"id": "l11_1", "amount": 5000, "d_tag_memo": "one", "metadata": {"order": "1"}}
    replies = [shown | fields, shown, shown]
    connections: list[int] = []

    def serve(connection: socket.socket) -> None:
        connections.append(0)
        while read_request(connection):
            connections[-1] += 1
            body = json.dumps({"data": replies.pop(0)}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    asked: dict[str, Any] = {"amount_sats": 5000, "memo": "one", "metadata": {"order": "1"}, "idempotency_key": "1"}
    arguments = asked if method == "create_invoice" else {"invoice_id": "l11_1"}
    base_url = f"http://127.0.0.1:{listen(serve).port}"
    ends: list[Invoice | TazapayError] = []
    if way in BLOCKING:
        with blocking_client(base_url, way) as client:
            for _ in range(3):
                try:
                    ends.append(getattr(client, method)(**arguments))
                except TazapayError as error:
                    ends.append(error)
    else:

        async def run() -> None:
            async with waiting_client(base_url, way) as client:
                for _ in range(3):
                    ends.append(await end_of(getattr(client, method)(**arguments)))  # noqa: PERF401 - one after the other

        asyncio.run(run())
    assert [isinstance(end, InvoiceMismatchError | UnexpectedResponseError) for end in ends] == [True, False, False]
    assert connections == [1, 2]


@each_way
@each_row("status", [400, 429, 500])
def test_a_success_that_follows_an_error_is_not_given_to_the_next_order(status: int, way: str, listen: Listen) -> None:
    def serve(connection: socket.socket) -> None:
        late = b""
        while request := read_request(connection):
            connection.sendall(late)
            connection.sendall(b"HTTP/1.1 %d Too Early\r\nContent-Length: 2\r\n\r\n{}" % status)
            late = Twice().answer(request)

    ends = bill(f"http://127.0.0.1:{listen(serve).port}", way, max_retries=0)
    assert not [end for end in ends.values() if isinstance(end, Invoice)]
