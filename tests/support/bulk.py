"""A service to run bulk orders against: answers each request by its body, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx

from tazapay_lightning import AsyncLightningClient, bulk
from tests.support.service import API_KEY, API_SECRET, envelope, invoice_object

key = partial(bulk.idempotency_key, "shop-1")

Answer = Callable[[httpx.Request], httpx.Response | None]


def rows(count: int) -> list[dict[str, Any]]:
    return [{"order_id": str(number), "amount_sats": 1000 + number} for number in range(count)]


def amount_in(request: httpx.Request) -> int:
    amount: int = json.loads(request.content)["amount"]
    return amount


class Service:
    """Makes invoices, unless `answer` returns a reply of its own; counts what is in flight."""

    def __init__(self, answer: Answer = lambda request: None, *, pause: float = 0) -> None:
        self._answer = answer
        self._pause = pause
        self.requests: list[httpx.Request] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._pause)
            reply = self._answer(request)
        finally:
            self.in_flight -= 1
        return made(request) if reply is None else reply

    def amounts(self) -> list[int]:
        return [amount_in(request) for request in self.requests]


def made(request: httpx.Request) -> httpx.Response:
    amount = amount_in(request)
    return httpx.Response(200, content=envelope(invoice_object(id=f"l11_{amount}", amount=amount)))


@asynccontextmanager
async def client_of(service: Service, **options: Any) -> AsyncIterator[AsyncLightningClient]:
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(service)) as http_client,
        AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client, **options) as client,
    ):
        yield client


class Ended:
    """The results of a run by order id, in the order they came, and the error that ended it."""

    def __init__(self) -> None:
        self.results: dict[str, bulk.Result] = {}
        self.error: Exception | None = None

    def states(self) -> dict[str, str]:
        return {order_id: result.state for order_id, result in self.results.items()}


def run(
    service: Service,
    orders: Iterable[Any] | AsyncIterable[Any],
    *,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> Ended:
    """Run to the end, without retries within a call unless told otherwise."""
    ended = Ended()

    async def all_of() -> None:
        async with client_of(service, **{"max_retries": 0, **(client or {})}) as lightning:
            try:
                async for result in bulk.create_invoices(lightning, orders, **{"key": key, **options}):
                    ended.results[result.order.order_id if result.order else repr(result.row)] = result
            except Exception as error:  # noqa: BLE001 - which one, the tests say
                ended.error = error

    asyncio.run(all_of())
    return ended
