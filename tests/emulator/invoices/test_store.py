from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import attrs
import pytest

from tazapay_lightning_emulator.invoices.invoice import Invoice, InvoiceFields, new_invoice
from tazapay_lightning_emulator.invoices.store import Store, StoredInvoice

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def an_invoice(amount: int = 1) -> Invoice:
    return new_invoice(InvoiceFields(amount, "memo \x00 ü", None, 3600, {"deep": [{"ü": None}, 1.5]}), NOW)


def test_an_invoice_is_read_back_as_it_was_stored() -> None:
    store = Store()
    with_memo, with_hash = an_invoice(), attrs.evolve(an_invoice(), d_tag_memo=None, h_tag_memo="a" * 64)
    store.create(with_memo, b"", caller="me", idempotency_key=None, now=NOW)
    store.create(with_hash, b"", caller="me", idempotency_key="order-1", now=NOW)
    assert store.invoices() == [StoredInvoice(with_memo, None, 0), StoredInvoice(with_hash, "order-1", 0)]
    store.close()


def test_an_invoice_and_its_reply_are_stored_together_or_not_at_all() -> None:
    store = Store()
    invoice = an_invoice()
    store.create(invoice, b"first", caller="me", idempotency_key=None, now=NOW)
    unstorable_reply: bytes = None  # type: ignore[assignment]  # so that the second statement of the transaction fails
    with pytest.raises(sqlite3.IntegrityError):
        store.create(an_invoice(), unstorable_reply, caller="me", idempotency_key="order-1", now=NOW)
    assert [stored.invoice for stored in store.invoices()] == [invoice]
    assert store.create(an_invoice(), b"again", caller="me", idempotency_key="order-1", now=NOW) == b"again"
    store.close()


def test_threads_that_share_a_store_take_turns() -> None:
    store = Store()

    def create(number: int) -> bytes:
        key = f"order-{number % 50}"
        return store.create(an_invoice(number + 1), key.encode(), caller="me", idempotency_key=key, now=NOW)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(create, range(800)))
    assert replies == [f"order-{number % 50}".encode() for number in range(800)]
    assert sorted((stored.idempotency_key, stored.replays) for stored in store.invoices()) == sorted(
        (f"order-{number}", 15) for number in range(50)
    )
    store.close()


def test_closing_twice_is_fine() -> None:
    store = Store()
    store.close()
    store.close()
