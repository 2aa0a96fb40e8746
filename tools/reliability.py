"""Measure what becomes of calls while the network fails, and write the table of docs/reliability.md.

    python tools/reliability.py docs/reliability.md

For each fault of the emulator, with the blocking client and with both backends of the asynchronous one, it makes a
number of calls, half of whose requests meet the fault, counts how they end, lets the faults stop, resumes every call
that did not end in an invoice with its key, and counts what is stored. The choice of requests depends on a seed only;
how often a limit is met depends on the machine.
"""

from __future__ import annotations

import asyncio
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterable
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
}
STATUSES = (408, 429, 500, 502, 503, 504, 520)
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

Ends = dict[int, str]
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


def how_it_ended(error: TazapayError | None) -> str:
    """Name the end of a call by what its caller knows."""
    if error is None:
        return "invoice"
    if isinstance(error, InvoiceMismatchError):
        return "mismatch"
    return "unknown" if isinstance(error, APIError) and error.outcome_unknown else "refused"


def from_threads(emulator: Emulator, orders: Iterable[int]) -> Ends:
    """Make the calls with the blocking client."""
    with (
        LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url, **LIMITS) as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):

        def create(order: int) -> tuple[int, str]:
            try:
                client.create_invoice(amount_sats=1000 + order, idempotency_key=f"order-{order}")
            except TazapayError as error:
                return order, how_it_ended(error)
            return order, how_it_ended(None)

        return dict(threads.map(create, orders))


def from_tasks(backend: Backend, emulator: Emulator, orders: Iterable[int]) -> Ends:
    """Make the calls with the asynchronous client."""

    async def run() -> Ends:
        places = asyncio.Semaphore(TASKS)
        client = AsyncLightningClient(
            emulator.api_key, emulator.api_secret, base_url=emulator.base_url, backend=backend, **LIMITS
        )

        async def create(order: int) -> tuple[int, str]:
            async with places:
                try:
                    await client.create_invoice(amount_sats=1000 + order, idempotency_key=f"order-{order}")
                except TazapayError as error:
                    return order, how_it_ended(error)
                return order, how_it_ended(None)

        async with client:
            return dict(await asyncio.gather(*(create(order) for order in orders)))

    return asyncio.run(run())


RUNS: dict[str, Run] = {
    "blocking": from_threads,
    "async": partial(from_tasks, "httpx"),
    "aiohttp": partial(from_tasks, "aiohttp"),
}


def measure(fault: Fault, run: Run) -> tuple[Counter[str], int, int, int, int]:
    """Return how the calls ended, how often the fault was met, and the resumed, doubled and lost ones."""
    with running_emulator() as emulator:
        emulator.fail_randomly(PROBABILITY, seed=SEED, kinds=[fault])
        ends = run(emulator, range(CALLS))
        met = len(emulator.faults_injected())
        emulator.stop_failing()
        open_orders = [order for order, end in ends.items() if end != "invoice"]
        resumed = Counter(run(emulator, open_orders).values())["invoice"]
        stored = Counter(invoice["idempotency_key"] for invoice in emulator.invoices())
        doubled = sum(count - 1 for count in stored.values())
        lost = CALLS - len(stored.keys() & {f"order-{order}" for order in range(CALLS)})
        assert resumed == len(open_orders), f"{fault}: {len(open_orders) - resumed} could not be resumed"  # noqa: S101 - a measurement that fails must stop
        return Counter(ends.values()), met, resumed, doubled, lost


def table() -> str:
    """Measure everything and return it as Markdown."""
    setting = (
        f"{CALLS} calls in each row, {PROBABILITY:.0%} of the requests failing, at most {LIMITS['max_retries'] + 1} "
        f"attempts of {LIMITS['timeout']} s; blocking from {THREADS} threads, asynchronous with {TASKS} in flight "
        f'(async on httpx, the default; aiohttp with backend="aiohttp"). '
        f"tazapay-lightning {__version__}, Python {platform.python_version()}, {platform.system()}."
    )
    columns = [
        "fault",
        "client",
        "faults met",
        "invoice",
        "refused",
        "unknown",
        "other amount",
        "resumed",
        "doubled",
        "lost",
    ]
    lines = [setting, "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for fault in faults():
        for name, run in RUNS.items():
            ends, met, resumed, doubled, lost = measure(fault, run)
            counts = [met, ends["invoice"], ends["refused"], ends["unknown"], ends["mismatch"], resumed, doubled, lost]
            lines.append(f"| `{fault}` | {name} | {' | '.join(map(str, counts))} |")
            print(lines[-1], file=sys.stderr)
    return "\n".join(lines)


def main() -> None:
    """Write the table between its two marks."""
    page = Path(sys.argv[1])
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {page} holds no {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
