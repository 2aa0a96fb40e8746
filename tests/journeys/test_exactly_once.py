"""Exactly once, measured: many invoices while the network fails, counted where they are stored.

150 calls in each way to call, and 2,000 if it is to be thorough.

The emulator loses 30 % of the requests, half of them after it has stored the invoice. Every call has to end in an
`Invoice` or in an honest `outcome_unknown`, and every unknown one, resumed with its key, in exactly one invoice.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from tazapay_lightning import APIError, Invoice, LightningClient
from tazapay_lightning_emulator import FAULT_KINDS, Fault, running_emulator
from tests.support.clients import ASYNC_KINDS, async_client
from tests.support.thorough import THOROUGH

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

CALLS = 2000 if THOROUGH else 150
FAILING = 0.3
AT_ONCE = {"retry_after": 0}  # keeps the test fast; the waits have tests of their own
FAULTS = {
    # half of the weight before the commit
    Fault("reset_before_commit"): 3,
    Fault("status_before_commit", status=503, **AT_ONCE): 1,
    Fault("status_before_commit", status=429, **AT_ONCE): 1,
    Fault("html_before_commit", status=502): 1,
    # and half after it
    Fault("reset_after_commit"): 2,
    Fault("close_mid_body"): 1,
    Fault("status_after_commit", status=500, **AT_ONCE): 1,
    Fault("status_after_commit", status=504, **AT_ONCE): 1,
    Fault("truncated_json"): 1,
}


@frozen
class Ended:
    """How the call for one order ended."""

    order: int
    invoice: Invoice | None
    error: APIError | None


CreateAll = Callable[["Emulator", list[int]], list[Ended]]


def amount_of(order: int) -> int:
    return 1000 + order


def key_of(order: int) -> str:
    return f"order-{order}"


@pytest.fixture
def lossy() -> Iterator[Emulator]:
    with running_emulator() as emulator:
        emulator.fail_randomly(FAILING, seed=7890, kinds=FAULTS)
        yield emulator


def create_from_threads(emulator: Emulator, orders: list[int]) -> list[Ended]:
    def create(order: int) -> Ended:
        try:
            return Ended(
                order, client.create_invoice(amount_sats=amount_of(order), idempotency_key=key_of(order)), None
            )
        except APIError as error:
            return Ended(order, None, error)

    with (
        LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        return list(threads.map(create, orders))


def create_from_tasks(kind: str, emulator: Emulator, orders: list[int]) -> list[Ended]:
    async def run() -> list[Ended]:
        places = asyncio.Semaphore(32)
        credentials = {"api_key": emulator.api_key, "api_secret": emulator.api_secret}
        async with async_client(kind, emulator.base_url, **credentials) as client:

            async def create(order: int) -> Ended:
                async with places:
                    try:
                        invoice = await client.create_invoice(
                            amount_sats=amount_of(order), idempotency_key=key_of(order)
                        )
                    except APIError as error:
                        return Ended(order, None, error)
                    return Ended(order, invoice, None)

            return await asyncio.gather(*(create(order) for order in orders))

    return asyncio.run(run())


@pytest.mark.parametrize(
    "create_all",
    [create_from_threads, *(partial(create_from_tasks, kind) for kind in ASYNC_KINDS)],
    ids=["threads", "tasks", "tasks on aiohttp"],
)
def test_invoices_under_30_percent_faults_are_each_made_exactly_once(create_all: CreateAll, lossy: Emulator) -> None:
    ended = create_all(lossy, list(range(CALLS)))
    stored = {invoice["idempotency_key"]: invoice for invoice in lossy.invoices()}
    assert len(stored) == len(lossy.invoices()), "doubled"

    proven = [each for each in ended if each.invoice is not None]
    for each in proven:
        assert stored[key_of(each.order)]["id"] == each.invoice.id
        assert each.invoice.amount_sats == amount_of(each.order)

    failed = [each for each in ended if each.error is not None]
    refused = [each for each in failed if not each.error.outcome_unknown]
    assert all(key_of(each.order) not in stored for each in refused), "lost"
    unknown = [each for each in failed if each.error.outcome_unknown]
    assert all(each.error.idempotency_key == key_of(each.order) for each in unknown)

    injected = lossy.faults_injected()
    share = len(injected) / len(lossy.requests())
    spread = 0.03 if THOROUGH else 0.1  # of a choice between a thousand requests, or between two hundred
    assert FAILING - spread < share < FAILING + spread
    assert 0.5 - 3 * spread < sum(record.committed for record in injected) / len(injected) < 0.5 + 3 * spread

    lossy.stop_failing()
    resumed = create_all(lossy, [each.order for each in failed])
    assert all(each.invoice is not None for each in resumed)
    once = Counter(invoice["idempotency_key"] for invoice in lossy.invoices())
    assert once == Counter(key_of(order) for order in range(CALLS))
    for each in resumed:
        before = stored.get(key_of(each.order))
        assert before is None or before["id"] == each.invoice.id


PROGRAM = """
import os, sys
from tazapay_lightning import APIError, LightningClient
with LightningClient(max_retries=5) as client:
    for order in range(int(sys.argv[1])):
        while True:
            try:
                client.create_invoice(amount_sats=1000 + order, idempotency_key=f"order-{order}")
                break
            except APIError as error:
                if not error.outcome_unknown and error.attempts < 6:
                    raise
        print(order, flush=True)
"""


def test_a_program_that_is_killed_and_started_again_makes_one_invoice_for_each_order(lossy: Emulator) -> None:
    orders = 60 if THOROUGH else 30
    environment = {
        **os.environ,
        "TAZAPAY_API_KEY": lossy.api_key,
        "TAZAPAY_API_SECRET": lossy.api_secret,
        "TAZAPAY_BASE_URL": lossy.base_url,
    }
    command = [sys.executable, "-c", PROGRAM, str(orders)]
    for killed_at in (10, 30, 50) if THOROUGH else (20,):
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            before, deadline = len(lossy.requests()), time.monotonic() + 60
            while len(lossy.requests()) - before < killed_at and time.monotonic() < deadline:
                time.sleep(0.001)  # until it is in the middle of its work
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120)
    once = Counter(invoice["idempotency_key"] for invoice in lossy.invoices())
    assert once == Counter(key_of(order) for order in range(orders))


def test_the_documented_table_covers_every_fault_and_counts_nothing_doubled_lost_foreign_or_leaked() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text()
    rows = [line.strip("| \n").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    clients = {(row[0].strip("`").partition("(")[0], row[1]) for row in rows}
    assert clients == {(kind, client) for kind in FAULT_KINDS for client in ("blocking", "async", "aiohttp")}
    assert {tuple(row[-4:]) for row in rows} == {("0",) * 4}
    assert all(int(met) > 0 for _, _, met, *_ in rows)
