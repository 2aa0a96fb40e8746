"""Both clients against the emulator: a real server over a real socket."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tazapay_lightning import (
    AsyncLightningClient,
    AuthenticationError,
    ConfigurationError,
    Invoice,
    InvoiceMismatchError,
    LightningClient,
)
from tazapay_lightning_emulator import running_emulator
from tests.support.clients import ASYNC_KINDS, KINDS, async_client, each_async_kind
from tests.support.service import Answering
from tests.support.thorough import THOROUGH

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator, FaultKind


def client_of(emulator: Emulator) -> LightningClient:
    return LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url)


def async_client_of(emulator: Emulator, kind: str) -> AsyncLightningClient:
    return async_client(kind, emulator.base_url, api_key=emulator.api_key, api_secret=emulator.api_secret)


@pytest.mark.parametrize("data_as_string", [False, True])
def test_an_invoice_is_the_same_however_the_service_encodes_its_data(data_as_string: bool) -> None:
    with running_emulator(data_as_string=data_as_string) as emulator, client_of(emulator) as client:
        invoice = client.create_invoice(
            amount_btc="0.00123456", memo="Order", metadata={"order_id": "7890"}, expires_in=60
        )
    assert (invoice.amount_sats, invoice.memo, invoice.metadata) == (123456, "Order", {"order_id": "7890"})
    assert (invoice.status, invoice.payment_status, invoice.expiry_interval) == ("active", "unpaid", 60)
    assert invoice.differences == ()


def test_the_same_key_gives_the_same_invoice_and_another_key_another(tazapay_emulator: Emulator) -> None:
    with client_of(tazapay_emulator) as client:
        first, second = (client.create_invoice(amount_sats=1, idempotency_key="order-1") for _ in range(2))
        third = client.create_invoice(amount_sats=1, idempotency_key="order-2")
    assert first == second
    assert third.id != first.id
    assert len(tazapay_emulator.invoices()) == 2


def test_a_key_that_was_used_for_another_amount_is_noticed(tazapay_emulator: Emulator) -> None:
    with client_of(tazapay_emulator) as client:
        client.create_invoice(amount_sats=1, idempotency_key="order-1")
        with pytest.raises(InvoiceMismatchError, match="asked for 2 satoshi"):
            client.create_invoice(amount_sats=2, idempotency_key="order-1")


def test_wrong_credentials_are_an_authentication_error(tazapay_emulator: Emulator) -> None:
    with (
        LightningClient("someone", "else", base_url=tazapay_emulator.base_url) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.create_invoice(amount_sats=1)
    assert (caught.value.code, caught.value.outcome_unknown) == (111, False)


@each_async_kind
def test_many_tasks_of_one_loop_share_one_asynchronous_client(kind: str, tazapay_emulator: Emulator) -> None:
    async def run() -> list[Invoice]:
        async with async_client_of(tazapay_emulator, kind) as client:
            return await asyncio.gather(*(client.create_invoice(amount_sats=n) for n in range(1, 21)))

    invoices = asyncio.run(run())
    assert [invoice.amount_sats for invoice in invoices] == list(range(1, 21))
    assert len({invoice.id for invoice in invoices}) == len(tazapay_emulator.invoices()) == 20


@each_async_kind
def test_a_call_that_is_cancelled_while_the_service_works_leaves_the_client_usable(
    kind: str, tazapay_emulator: Emulator
) -> None:
    tazapay_emulator.fail_next("delay_before_commit", seconds=60)

    async def run() -> Invoice:
        async with async_client_of(tazapay_emulator, kind) as client:
            task = asyncio.create_task(client.create_invoice(amount_sats=1))
            while not tazapay_emulator.requests():  # noqa: ASYNC110 - the emulator is a thread, not a task
                await asyncio.sleep(0.001)  # until the request has arrived
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await client.create_invoice(amount_sats=2)

    assert asyncio.run(run()).amount_sats == 2


def test_an_asynchronous_client_used_by_a_second_event_loop_says_so() -> None:
    handler = Answering()
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    client = AsyncLightningClient("k", "s", http_client=http_client)
    asyncio.run(client.create_invoice(amount_sats=123456))
    with pytest.raises(ConfigurationError, match="belongs to another event loop; make one client in each"):
        asyncio.run(client.create_invoice(amount_sats=123456))
    assert len(handler.requests) == 1


def test_one_blocking_client_serves_32_threads_with_one_pool(tazapay_emulator: Emulator) -> None:
    count = 128 if THOROUGH else 64
    with client_of(tazapay_emulator) as client, ThreadPoolExecutor(32) as threads:
        invoices = list(threads.map(lambda n: client.create_invoice(amount_sats=n), range(1, count + 1)))
        connections = client._calls._backend()._connections._all  # nothing public tells
    assert [invoice.amount_sats for invoice in invoices] == list(range(1, count + 1))
    assert len({invoice.id for invoice in invoices}) == count
    assert len(connections) <= 32


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors where Linux lists them")
def test_many_clients_leave_no_descriptor_behind(tazapay_emulator: Emulator) -> None:
    many = 400 if THOROUGH else 20  # of each kind; if one in two left something, it would show
    before = descriptors()
    for _ in range(many):
        with client_of(tazapay_emulator) as client:
            client.create_invoice(amount_sats=1)

    async def run() -> None:
        for kind in ASYNC_KINDS:
            for _ in range(many):
                async with async_client_of(tazapay_emulator, kind) as client:
                    await client.create_invoice(amount_sats=1)

    asyncio.run(run())
    assert descriptors() - before < 10


BOUNDED = """if True:
    import asyncio, sys, tracemalloc
    from tazapay_lightning import AsyncLightningClient, LightningClient, UnexpectedResponseError

    async def create_async(**options):
        async with AsyncLightningClient("emulator-api-key", "emulator-api-secret", **options) as client:
            await client.create_invoice(amount_sats=1)

    tracemalloc.start()
    options = {"base_url": sys.argv[1], "max_retries": 0}
    try:
        if sys.argv[2] == "sync":
            LightningClient("emulator-api-key", "emulator-api-secret", **options).create_invoice(amount_sats=1)
        else:
            asyncio.run(create_async(**options, **({"backend": "aiohttp"} if sys.argv[2] == "aiohttp" else {})))
    except UnexpectedResponseError:
        print(tracemalloc.get_traced_memory()[1])
"""


ENDLESS = [(fault, kind) for fault in ("huge_body", "gzip_bomb") for kind in KINDS]


@pytest.mark.parametrize(("fault", "kind"), ENDLESS if THOROUGH else ENDLESS[::2])  # one of each kind
def test_a_body_without_end_is_an_error_in_bounded_memory(
    fault: FaultKind, kind: str, tazapay_emulator: Emulator
) -> None:
    more_than_it_may_take = 1_000_000_000 if THOROUGH else 70_000_000
    tazapay_emulator.fail_next(fault, size=more_than_it_may_take)
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, tazapay_emulator.base_url, kind], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60_000_000
