"""Many orders: those of a file against `create_invoices` alone, and how soon a million goes on after a kill (part G).

    python -m benchmarks.bulk 1000000

So called it measures whether memory grows with the rows of `create_invoices`, which a transport answers at once, and
prints JSON: by how much the resident size grew from the first thousand rows to the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path

import httpx

from benchmarks.machine import Server
from benchmarks.payload import AMOUNT, CREDENTIALS, MEMO, METADATA, invoice_id
from benchmarks.rounds import Measured
from tazapay_lightning import AsyncLightningClient, bulk, format_btc
from tazapay_lightning.bulk.files.kept import KeptIndex
from tazapay_lightning.bulk.files.record import KEPT_EVERY, BulkRecord
from tazapay_lightning.bulk.files.rows import Row, read_orders

__all__ = [
    "FILE",
    "FUNCTION",
    "RESUME",
    "RESUMED_ROWS",
    "ROWS",
    "bill_file",
    "many_orders",
    "write_killed_run",
    "write_orders",
]

FUNCTION = "create_invoices"
FILE = "bulk orders.csv"
RESUME = "resume"
RESUMED_ROWS = 1_000_000
ROWS = 10_000  # with which the command keeps an index
_CONCURRENCY = 16  # of both, unless told otherwise
_NAMESPACE = "orders"  # the command's own, likewise
_WARM_UP = 1000
_NOT_KEPT = KEPT_EVERY - 1  # results: with the next one the command keeps all of them

_key = partial(bulk.idempotency_key, _NAMESPACE)


def many_orders(server: Server, rounds: int, *, rows: int = ROWS, resumed: int = RESUMED_ROWS) -> Measured:
    """Measure microseconds for each row in both ways, seconds until a killed run goes on, and what a row takes up."""
    url = server.url + "/bulk"
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders = write_orders(folder / "orders.csv", rows)
        for number in range(rounds):
            results = folder / f"results-{number}.jsonl"
            ways: dict[str, Callable[[], object]] = {
                FUNCTION: lambda: asyncio.run(_bill_rows(url, rows)),
                FILE: partial(bill_file, url, orders, results),
            }
            for way in list(ways)[:: -1 if number % 2 else 1]:
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                ways[way]()
                measured["a row, clock"][way].append(1e6 * (time.perf_counter() - wall) / rows)
                measured["a row, CPU"][way].append(1e6 * (time.process_time() - cpu) / rows)
            for name, size in _sizes(orders, results).items():
                measured["bytes of a row"][name].append(size / rows)
        killed = folder / "killed"
        killed.mkdir()
        orders = write_orders(killed / "orders.csv", resumed)
        write_killed_run(url, orders, killed / "results.jsonl", done=resumed // 2)
        for _ in range(min(rounds, 3)):  # each is killed as soon as it sends, and leaves what it found
            measured[RESUME][RESUME].append(_seconds_until_sent(server, orders, killed / "results.jsonl"))
    return measured


def write_orders(path: Path, rows: int) -> Path:
    """Write a file of orders whose replies the server knows, and return its path."""
    with path.open("w") as file:
        file.write(f"order_id,amount_sats,memo,expires_in,{','.join(f'metadata.{name}' for name in METADATA)}\n")
        for number in range(rows):
            order_id, amount = _order(number)
            file.write(f"{order_id},{amount},{MEMO},3600,{','.join(METADATA.values())}\n")
    return path


def _order(number: int) -> tuple[str, int]:
    """Return the id and the amount of an order, each as long as that of any other."""
    return f"order-{number:07}", AMOUNT + number % 100_000


async def _bill_rows(url: str, rows: int) -> None:
    orders = [
        bulk.Order(order_id=order_id, amount_sats=amount, memo=MEMO, expires_in=3600, metadata=METADATA)
        for order_id, amount in map(_order, range(rows))
    ]
    async with AsyncLightningClient(*CREDENTIALS, base_url=url) as client:
        created = [result.is_created async for result in bulk.create_invoices(client, orders, key=_key)]
    assert created == [True] * rows  # noqa: S101 - or nothing was measured


def bill_file(url: str, orders: Path, results: Path, *, concurrency: int = _CONCURRENCY) -> None:
    """Run the command ``bulk`` within this process."""
    import typer

    from tazapay_lightning.cli.bulk_run import run

    api_key, api_secret = CREDENTIALS
    options = {"api_key": api_key, "api_secret": api_secret, "base_url": url}
    code = None
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            run(orders, results, options, concurrency=concurrency, rate=None, namespace=_NAMESPACE, as_json=False)
        except typer.Exit as ended:
            code = ended.exit_code
    assert code == 0, told.getvalue()  # noqa: S101 - likewise


def _sizes(orders: Path, results: Path) -> dict[str, int]:
    """Return the bytes of each file of a run that has ended; few orders have no index."""
    beside = {name: results.with_name(f"{results.name}.{name}") for name in ("journal", "index")}
    files = {"orders": orders, "results": results, **beside}
    return {name: file.stat().st_size for name, file in files.items() if file.exists()}


def _rows_of(orders: Path) -> Iterator[Row]:
    for row in read_orders(orders):
        assert isinstance(row, Row)  # noqa: S101 - our own file
        yield row


def write_killed_run(url: str, orders: Path, results: Path, *, done: int, in_flight: int = _CONCURRENCY) -> None:
    """Write the files of a run that was killed when some orders had their invoice and a few more were sent.

    The command itself bills the first order; of its lines those of all others are made, byte for byte as it would. What
    it would have kept of its index is what it had taken in before the last results.
    """
    with tempfile.TemporaryDirectory() as name:
        first = Path(name) / "results.jsonl"
        bill_file(url, write_orders(Path(name) / "orders.csv", 1), first)
        settings, sent = first.with_name("results.jsonl.journal").read_text().splitlines()
        sending, result = json.loads(sent), json.loads(first.read_text())
    with results.with_name(results.name + ".journal").open("w") as journal, results.open("w") as ended:
        journal.write(settings + "\n")
        for number, row in enumerate(islice(_rows_of(orders), done + in_flight), 1):
            if number == max(1, done - _NOT_KEPT):
                journal.flush()
                ended.flush()
                _keep_index(url, orders, results)
            key = _key(row.order_id)
            named = {"order_id": row.order_id, "idempotency_key": key, "sending": number}
            sending.update(named, amount_sats=row.amount_sats, fingerprint=row.fingerprint)
            journal.write(json.dumps(sending) + "\n")
            if number <= done:
                result.update(named)
                amounts = {"amount_sats": row.amount_sats, "amount_btc": str(format_btc(row.amount_sats))}
                result["invoice"].update(amounts, id=invoice_id(key), idempotency_key=key)
                result["invoice"]["raw"].update(id=invoice_id(key), amount=row.amount_sats)
                ended.write(json.dumps(result) + "\n")


def _keep_index(url: str, orders: Path, results: Path) -> None:
    settings = AsyncLightningClient(*CREDENTIALS, base_url=url)._settings  # noqa: SLF001 - as the command does
    kept = KeptIndex(orders=orders, results=results, namespace=_NAMESPACE, settings=settings)
    record = BulkRecord(results, namespace=_NAMESPACE, settings=settings)
    with closing(record), closing(kept), closing(kept.load()) as index:
        for row in _rows_of(orders):
            index.add(row)
        record.replay(index, kept.position)
        kept.begin(index, record)


def _seconds_until_sent(server: Server, orders: Path, results: Path) -> float:
    """Run the command in a process of its own, until its first request has been answered, and kill it."""
    credentials = dict(zip(("TAZAPAY_API_KEY", "TAZAPAY_API_SECRET"), CREDENTIALS, strict=True))
    environment = {**os.environ, **credentials, "TAZAPAY_BASE_URL": server.url + "/bulk"}
    command = [sys.executable, "-m", "tazapay_lightning", "bulk", str(orders), "--out", str(results)]
    answered, _ = server.cost()
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        while server.cost()[0] == answered:
            assert process.poll() is None  # noqa: S101 - it would never send
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        process.kill()
    return seconds


def resident_mb() -> float:
    """Return the resident size of this process in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _answer(request: httpx.Request) -> httpx.Response:
    """Make the invoice that is asked for."""
    asked = json.loads(request.content)
    data = {"id": f"l11_{asked['amount']}", "amount": asked["amount"], "metadata": asked["metadata"]}
    return httpx.Response(200, json={"status": "success", "data": data})


async def growth(count: int) -> dict[str, object]:
    """Bill so many rows, made on the way, with a transport that keeps nothing, and return what was measured."""
    created, before, highest, began = 0, 0.0, 0.0, time.perf_counter()
    rows = (
        bulk.Order(order_id=f"order-{number}", amount_sats=1 + number, metadata={"number": number})
        for number in range(count)
    )
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http_client,
        AsyncLightningClient("key", "secret", http_client=http_client) as client,
    ):
        async for result in bulk.create_invoices(client, rows, key=_key):
            created += result.is_created
            if created == _WARM_UP:
                before = resident_mb()
            elif created % _WARM_UP == 0:
                highest = max(highest, resident_mb())
    seconds = time.perf_counter() - began
    return {
        "created": created,
        "resident_mb": round(before, 1),
        "grown_mb": round(max(highest, resident_mb()) - before, 2),
        "seconds": round(seconds, 1),
        "rows_per_second": round(count / seconds),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(growth(int(sys.argv[1])))))
