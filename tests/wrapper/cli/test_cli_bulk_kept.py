"""The index that a run keeps beside its results: a resumed run reads on from there, and only where nothing changed."""

from __future__ import annotations

import json
import random
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tazapay_lightning.bulk.files import kept, record
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.position import Position
from tazapay_lightning.bulk.files.record import BulkRecord
from tazapay_lightning.bulk.files.rows import Row, read_orders
from tazapay_lightning.cli import bulk_run
from tazapay_lightning.cli.app import app
from tazapay_lightning.transport.settings import Credentials, Settings
from tazapay_lightning_emulator import Emulator, Fault

DONE, UNKNOWN = 0, 3
LOST = Fault("status_after_commit", status=500, retry_after=0)


class Shop:
    """A folder with a file of orders, whose index is kept however few they are."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.emulator = emulator
        self.orders, self.out = folder / "orders.csv", folder / "results.jsonl"
        self.journal, self.index = folder / "results.jsonl.journal", folder / "results.jsonl.index"
        self.reads = 0

    def write(self, count: int) -> None:
        rows = "".join(f"order-{number},{1000 + number}\n" for number in range(count))
        self.orders.write_text(f"order_id,amount_sats\n{rows}")

    def run(self) -> int:
        arguments = ["bulk", str(self.orders), "--out", str(self.out), "--concurrency", "1"]
        return CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code

    def read(self, path: Path) -> Iterator[Any]:
        self.reads += 1
        yield from read_orders(path)

    def amounts(self) -> list[int]:
        return sorted(invoice["amount"] for invoice in self.emulator.invoices())


@pytest.fixture
def shop(tmp_path: Path, emulator_of_the_environment: Emulator, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path, emulator_of_the_environment)
    monkeypatch.setattr(kept, "LEAST_ORDERS", 0)
    monkeypatch.setattr(record, "KEPT_EVERY", 2)
    monkeypatch.setattr(bulk_run, "read_orders", shop.read)
    return shop


def begun(shop: Shop) -> Shop:
    """Bill all orders but the first, of which an invoice may exist."""
    shop.write(7)
    shop.emulator.fail_next(LOST, times=3)
    assert shop.run() == UNKNOWN
    assert (shop.reads, shop.index.exists()) == (1, True)
    return shop


def test_a_resumed_run_reads_and_checks_no_order_again(shop: Shop) -> None:
    begun(shop)
    before = len(shop.journal.read_text().splitlines())
    assert shop.run() == DONE
    assert shop.reads == 1
    assert len(shop.journal.read_text().splitlines()) == before + 1
    assert shop.amounts() == [1000 + number for number in range(7)]


def test_what_was_written_after_the_index_was_kept_last_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "KEPT_EVERY", 1000)
    begun(shop)
    assert shop.run() == DONE
    assert shop.run() == DONE
    assert (shop.reads, shop.amounts()) == (1, [1000 + number for number in range(7)])


def another_row(shop: Shop) -> None:
    shop.write(8)


def another_result(shop: Shop) -> None:
    lines = shop.out.read_text().splitlines()
    shop.out.write_text("".join(f"{line}\n" for line in lines if '"order-1"' not in line))


def another_journal(shop: Shop) -> None:
    shop.journal.write_text(shop.journal.read_text().replace('"at": "', '"at":  "'))


def another_version(shop: Shop) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{kept.__name__}.__version__", "0.0")
        shop.run()  # which keeps an index of its own
    shop.reads = 1


def half_an_index(shop: Shop) -> None:
    shop.index.write_bytes(shop.index.read_bytes()[:5000])


def no_index(shop: Shop) -> None:
    shop.index.write_text("{}")


@pytest.mark.parametrize(
    "change", [another_row, another_result, another_journal, another_version, half_an_index, no_index]
)
def test_where_anything_changed_all_is_read_anew(shop: Shop, change: Callable[[Shop], None]) -> None:
    begun(shop)
    change(shop)
    assert shop.run() == DONE
    assert shop.reads == 2
    assert shop.amounts() == [1000 + number for number in range(8 if change is another_row else 7)]
    assert shop.run() == DONE
    assert shop.reads == 2


def test_orders_that_change_while_they_are_read_are_not_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def growing(path: Path) -> Iterator[Any]:
        yield from shop.read(path)
        shop.write(8)

    monkeypatch.setattr(bulk_run, "read_orders", growing)
    shop.write(7)
    assert shop.run() == DONE
    assert not shop.index.exists()


def test_an_index_that_cannot_be_kept_is_no_failure(shop: Shop) -> None:
    shop.index.mkdir()
    shop.write(3)
    assert shop.run() == DONE
    assert len(shop.amounts()) == 3


def test_an_index_that_breaks_during_the_run_is_no_failure(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: OrderIndex, position: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(OrderIndex, "keep", broken)
    shop.write(5)
    assert shop.run() == DONE
    assert len(shop.amounts()) == 5
    assert shop.index.read_bytes() == b""
    assert shop.run() == DONE
    assert shop.reads == 2


def test_the_index_is_made_for_its_owner_alone_and_does_not_hold_the_api_key(shop: Shop) -> None:
    begun(shop)
    assert stat.S_IMODE(shop.index.stat().st_mode) == 0o600
    assert shop.emulator.api_key.encode() not in shop.index.read_bytes()


def test_few_orders_have_no_index_beside_their_results(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LEAST_ORDERS", 10_000)
    shop.write(3)
    assert shop.run() == DONE
    assert not shop.index.exists()


# What an index is in the end does not depend on where reading was interrupted


def history(
    chance: random.Random, *, by_hand: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[tuple[int, int]]]:
    """Return results and journal of some runs, and after how many lines of each an index may have been kept."""
    results: list[dict[str, Any]] = []
    journal: list[dict[str, Any]] = []
    cuts = []
    since: dict[str, str] = {}
    for number in range(1, 25):
        order_id, at = f"order-{chance.randrange(6)}", f"2026-01-01T00:00:{number:02}+00:00"
        sent = {"order_id": order_id, "sending": number, "at": at, "amount_sats": 5000, "fingerprint": "f"}
        journal.append(sent)
        since.setdefault(order_id, at)
        if chance.random() < 0.7:
            state = chance.choice(["created", "refused", "unknown", "mismatch"])
            in_doubt = state in {"unknown", "mismatch"}
            result = {"order_id": order_id, "state": state, "sending": number, "invoice": None}
            if state == "created":
                result["invoice"] = {"id": f"l11_{order_id}", "differences": []}
            results.append(result | {"unknown_since": since[order_id] if in_doubt else None})
            if not in_doubt:
                del since[order_id]
        if by_hand and chance.random() < 0.3:
            settled = {"order_id": f"order-{chance.randrange(6)}", "state": chance.choice(["created", "refused"])}
            invoice = {"id": f"l11_order-{chance.randrange(6)}"} if settled["state"] == "created" else None
            results.append(settled | {"sending": chance.randrange(number + 1), "invoice": invoice})
        cuts.append((len(results), len(journal)))
    return results, journal, cuts


def indexed(folder: Path, *parts: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> dict[str, str | None]:
    """Return the orders that are to be sent, each with since when its invoice may exist, as they were read in parts."""
    settings = Settings.build(credentials=Credentials("k", "s"), environment=None, base_url=None, variables={})
    out = folder / f"{random.random()}.jsonl"
    with closing(OrderIndex()) as index, closing(BulkRecord(out, namespace="orders", settings=settings)) as files:
        for number in range(6):
            index.add(Row(number + 2, f"order-{number}", 5000, "{}"))
        position = Position.at_start(out)
        files.replay(index, position)
        for part in parts:
            for path, lines in zip((out, Path(f"{out}.journal")), part, strict=True):
                with path.open("a") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
            files.replay(index, position)
        return {row.order_id: row.since for row in index.waiting()}


@pytest.mark.parametrize("seed", range(40))
def test_reading_on_is_reading_all(seed: int, tmp_path: Path) -> None:
    results, journal, cuts = history(random.Random(seed), by_hand=False)
    whole = indexed(tmp_path, (results, journal))
    for ended, sent in cuts:
        parts = (results[:ended], journal[:sent]), (results[ended:], journal[sent:])
        assert indexed(tmp_path, *parts) == whole


@pytest.mark.parametrize("seed", range(40))
def test_lines_that_a_person_adds_free_no_order_from_doubt_by_being_read_later(seed: int, tmp_path: Path) -> None:
    results, journal, cuts = history(random.Random(seed), by_hand=True)
    whole = indexed(tmp_path, (results, journal))
    for ended, sent in cuts:
        parts = (results[:ended], journal[:sent]), (results[ended:], journal[sent:])
        found = indexed(tmp_path, *parts)
        assert set(found) >= set(whole)
        assert all((found[name] or since) <= since and found[name] for name, since in whole.items() if since)
