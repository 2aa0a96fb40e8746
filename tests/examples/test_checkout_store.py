"""The shop's memory: what is kept once is kept, also by another process later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from examples.checkout.order_store import OrderStore
from examples.checkout.orders import Attempt, Order, State
from tazapay_lightning import Invoice

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORDER = Order(id="a" * 32, title="Coffee beans", name="Ada", amount_sats=21_000, created_at=NOW)
ATTEMPT = Attempt(order_id=ORDER.id, number=1, key="key-1", expires_in=900, asked_at=NOW)
INVOICE = Invoice.from_payload({"id": "l11_1", "amount": 21_000, "collect": "col_1", "unknown": {"deep": [1]}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def store(file: Path) -> Iterator[OrderStore]:
    with OrderStore(file) as store:
        store.add_order(ORDER)
        store.add_attempt(ATTEMPT)
        yield store


def test_everything_is_there_after_a_restart(store: OrderStore, file: Path) -> None:
    store.keep_invoice(ATTEMPT, INVOICE, NOW)
    store.handled("evt_1", NOW)
    store.close()
    with OrderStore(file) as again:
        assert again.order(ORDER.id) == ORDER
        assert again.attempt(ORDER.id, 1) == attrs.evolve(
            ATTEMPT, state=State.WAITING, invoice=INVOICE, answered_at=NOW, collect_id="col_1"
        )
        assert again.is_handled("evt_1")


def test_the_first_of_two_equal_orders_stays(store: OrderStore) -> None:
    store.add_order(attrs.evolve(ORDER, amount_sats=1))
    assert store.order(ORDER.id) == ORDER


def test_the_first_of_two_equal_attempts_stays(store: OrderStore) -> None:
    store.add_attempt(attrs.evolve(ATTEMPT, expires_in=1))
    assert store.latest_attempt(ORDER.id) == ATTEMPT


def test_an_attempt_gets_one_invoice(store: OrderStore) -> None:
    assert store.keep_invoice(ATTEMPT, INVOICE, NOW)
    assert not store.keep_invoice(ATTEMPT, attrs.evolve(INVOICE, id="l11_2"), NOW)
    assert store.with_collect_id("col_1") == store.attempt(ORDER.id, 1)


def test_a_state_follows_only_where_it_may(store: OrderStore) -> None:
    store.keep_invoice(ATTEMPT, INVOICE, NOW)
    assert store.move(ATTEMPT, State.EXPIRED)
    assert not store.move(ATTEMPT, State.EXPIRED)
    assert store.move(ATTEMPT, State.PAID)
    assert not any(store.move(ATTEMPT, state) for state in State)


def test_the_first_attempt_that_pays_an_order_has_paid_it(store: OrderStore) -> None:
    assert store.pay_order(attrs.evolve(ATTEMPT, number=2), NOW) == 2
    assert store.pay_order(ATTEMPT, NOW + timedelta(hours=1)) == 2
    paid = store.order(ORDER.id)
    assert paid is not None
    assert (paid.paid_attempt, paid.paid_at) == (2, NOW)


def test_a_file_of_an_earlier_version_can_be_used(file: Path) -> None:
    with OrderStore(file) as store:
        store.add_order(ORDER)
    with sqlite3.connect(file) as database:
        database.execute("ALTER TABLE orders DROP COLUMN paid_at")
    with OrderStore(file) as store:
        store.pay_order(ATTEMPT, NOW)
        assert store.order(ORDER.id) == attrs.evolve(ORDER, paid_attempt=1, paid_at=NOW)


def test_what_is_unsettled_is_known(store: OrderStore) -> None:
    assert [each.key for each in store.unsettled()] == ["key-1"]
    store.keep_invoice(ATTEMPT, INVOICE, NOW)
    assert [each.key for each in store.unsettled()] == ["key-1"]
    store.move(ATTEMPT, State.PAID)
    assert store.unsettled() == []


def test_a_webhook_with_an_unknown_id_can_be_about_young_attempts_without_one(store: OrderStore) -> None:
    store.keep_invoice(ATTEMPT, attrs.evolve(INVOICE, collect_id=None), NOW)
    assert [each.key for each in store.without_collect_id(NOW)] == ["key-1"]
    assert store.without_collect_id(NOW + timedelta(seconds=1)) == []
    store.keep_what_was_missing(ATTEMPT, INVOICE)
    assert store.without_collect_id(NOW) == []
    assert store.with_collect_id("col_1") is not None


def test_the_id_of_a_payment_stays_what_it_was(store: OrderStore) -> None:
    store.keep_invoice(ATTEMPT, INVOICE, NOW)
    store.keep_what_was_missing(ATTEMPT, attrs.evolve(INVOICE, collect_id="col_2"))
    assert store.with_collect_id("col_2") is None
