"""Measure what becomes of calls while the network fails, and write the tables of docs/reliability.md.

    python tools/reliability.py docs/reliability.md [--from-page]

For each fault of the emulator, with the blocking client and with both backends of the asynchronous one, it makes a
number of calls, half of whose requests meet the fault, counts how they end, lets the faults stop, resumes every call
that did not end in an invoice with its key, and counts what is stored. The choice of requests depends on a seed only;
how often a limit is met depends on the machine. Doubled: invoices beyond one for an order. Lost: orders without one.
Foreign: calls that returned the invoice of another order. Leaked: errors that show the credentials in what an error
reporter sends, local variables of every frame included. With --from-page it measures nothing, and writes the tables
anew from the figures that the page holds.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import platform
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tazapay_lightning import (
    APIError,
    AsyncLightningClient,
    InvoiceMismatchError,
    LightningClient,
    TazapayError,
    __version__,
)
from tazapay_lightning_emulator import FAULT_KINDS, Emulator, Fault, running_emulator
from tools.reliability_page import Row, rows_of, with_rows

CALLS = 100
PROBABILITY = 0.5
SEED = 2026
THREADS, TASKS = 8, 32
LIMITS: dict[str, Any] = {"timeout": 0.5, "deadline": 10, "max_retries": 2}
PARAMETERS: dict[str, dict[str, Any]] = {
    "refuse": {"seconds": 0.05},
    "delay_before_commit": {"seconds": 1},
    "delay_after_commit": {"seconds": 1},
    "drip": {"pause": 0.05, "drip_head": True},
    "huge_body": {"size": 20_000_000},
    "gzip_bomb": {"size": 100_000_000},
    "answer_twice": {"pause": 0.001},
}
STATUSES = (408, 429, 500, 502, 503, 504, 520)

End = tuple[str, str | None, bool]
"""How a call ended; the id of its invoice, if there is one; and whether its error shows a secret."""

Ends = dict[int, End]
Backend = Literal["httpx", "aiohttp"]
Run = Callable[[Emulator, Iterable[int]], Ends]


def faults() -> list[Fault]:
    """List every fault, with the statuses spelled out."""
    listed: list[Fault] = []
    for kind in FAULT_KINDS:
        if kind == "status_before_commit":
            listed += [Fault(kind, status=status, retry_after=0) for status in STATUSES]
        elif kind in {"html_before_commit", "html_after_commit"}:
            listed += [Fault(kind, status=status) for status in (200, 502)]
        elif kind == "status_after_commit":  # not 429: no client can see through a refusal that was none
            listed += [Fault(kind, status=status, retry_after=0) for status in STATUSES if status != 429]
        else:
            listed.append(Fault(kind, **PARAMETERS.get(kind, {})))
    return listed


def of(order: int) -> dict[str, Any]:
    """Return what is asked for an order: orders differ in everything."""
    name = f"order-{order}"
    return {"amount_sats": 1000 + order, "memo": name, "metadata": {"order_id": name}, "idempotency_key": name}


def failure(error: TazapayError, emulator: Emulator) -> End:
    """Name the end of a call by what its caller knows."""
    reported = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    token = base64.b64encode(f"{emulator.api_key}:{emulator.api_secret}".encode()).decode()
    leaked = any(secret in reported for secret in (emulator.api_key, emulator.api_secret, token))
    if isinstance(error, InvoiceMismatchError):
        return "mismatch", None, leaked
    return "unknown" if isinstance(error, APIError) and error.outcome_unknown else "refused", None, leaked


def from_threads(emulator: Emulator, orders: Iterable[int]) -> Ends:
    """Make the calls with the blocking client."""
    with (
        LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url, **LIMITS) as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):

        def create(order: int) -> tuple[int, End]:
            try:
                return order, ("invoice", client.create_invoice(**of(order)).id, False)
            except TazapayError as error:
                return order, failure(error, emulator)

        return dict(threads.map(create, orders))


def from_tasks(backend: Backend, emulator: Emulator, orders: Iterable[int]) -> Ends:
    """Make the calls with the asynchronous client."""

    async def run() -> Ends:
        places = asyncio.Semaphore(TASKS)
        client = AsyncLightningClient(
            emulator.api_key, emulator.api_secret, base_url=emulator.base_url, backend=backend, **LIMITS
        )

        async def create(order: int) -> tuple[int, End]:
            async with places:
                try:
                    return order, ("invoice", (await client.create_invoice(**of(order))).id, False)
                except TazapayError as error:
                    return order, failure(error, emulator)

        async with client:
            return dict(await asyncio.gather(*(create(order) for order in orders)))

    return asyncio.run(run())


RUNS: dict[str, Run] = {
    "blocking": from_threads,
    "async": partial(from_tasks, "httpx"),
    "aiohttp": partial(from_tasks, "aiohttp"),
}


def measure(fault: Fault, run: Run) -> tuple[int, ...]:
    """Return the numbers of a row, in the order of its columns."""
    with running_emulator() as emulator:
        emulator.fail_randomly(PROBABILITY, seed=SEED, kinds=[fault])
        ends = run(emulator, range(CALLS))
        met = len(emulator.faults_injected())
        emulator.stop_failing()
        open_orders = [order for order, (end, _, _) in ends.items() if end != "invoice"]
        again = run(emulator, open_orders)
        keys = {invoice["id"]: invoice["idempotency_key"] for invoice in emulator.invoices()}
    kinds = Counter(end for end, _, _ in ends.values())
    resumed = sum(end == "invoice" for end, _, _ in again.values())
    assert resumed == len(open_orders), f"{fault}: {len(open_orders) - resumed} could not be resumed"  # noqa: S101 - a measurement that fails must stop
    stored = Counter(keys.values())
    doubled = sum(count - 1 for count in stored.values())
    lost = CALLS - len(stored.keys() & {f"order-{order}" for order in range(CALLS)})
    both = [*ends.items(), *again.items()]
    foreign = sum(name is not None and keys[name] != f"order-{order}" for order, (_, name, _) in both)
    leaked = sum(shows for _, (_, _, shows) in both)
    counts = [kinds[end] for end in ("invoice", "refused", "unknown", "mismatch")]
    return (met, *counts, resumed, doubled, lost, foreign, leaked)


def setting() -> str:
    """Tell how it was measured."""
    return (
        f"{CALLS} calls in each row, {PROBABILITY:.0%} of the requests failing, at most {LIMITS['max_retries'] + 1} "
        f"attempts of {LIMITS['timeout']} s; blocking from {THREADS} threads, asynchronous with {TASKS} in flight "
        f'(async on httpx, the default; aiohttp with backend="aiohttp"). '
        f"tazapay-lightning {__version__}, Python {platform.python_version()}, {platform.system()}."
    )


def rows() -> Iterator[Row]:
    """Measure everything, and show each row as it comes."""
    for fault in faults():
        for name, run in RUNS.items():
            row = Row(str(fault), name, measure(fault, run))
            print(row, file=sys.stderr)
            yield row


def main() -> None:
    """Write what was measured between the two marks of the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--from-page", action="store_true", help="write the tables from the figures that it holds")
    arguments = parser.parse_args()
    text = arguments.page.read_text(encoding="utf-8")
    try:
        measured = rows_of(text)
    except ValueError as error:
        sys.exit(f"error: {arguments.page}: {error}")
    if not arguments.from_page:
        measured = setting(), list(rows())
    arguments.page.write_text(with_rows(text, *measured), encoding="utf-8")


if __name__ == "__main__":
    main()
