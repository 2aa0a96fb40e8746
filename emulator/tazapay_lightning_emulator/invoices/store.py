"""Stores invoices, and the replies to replay for their idempotency keys."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import frozen

from tazapay_lightning_emulator.clock import to_rfc3339
from tazapay_lightning_emulator.errors import NoSuchInvoiceError
from tazapay_lightning_emulator.invoices.database import IN_MEMORY, Database
from tazapay_lightning_emulator.invoices.invoice import Invoice

REPLAY_PERIOD = timedelta(hours=24)
"""How long a reply is replayed for its idempotency key (Tazapay's documentation)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class StoredInvoice:
    """An invoice, the idempotency key of its creation, and how often its reply was replayed."""

    invoice: Invoice
    idempotency_key: str | None
    replays: int


class Store:
    """Invoices and replies in a database. Safe to share between threads and between processes.

    Args:
        database: ":memory:", or the path of a file, which is made if missing and outlives the emulator.

    Raises:
        EmulatorError: the file cannot be opened or written, or is not a database of this version of the emulator.
    """

    def __init__(self, database: str | os.PathLike[str] = IN_MEMORY) -> None:
        self._database = Database(database)

    def close(self) -> None:
        """Close the database; a file keeps its contents. Calling it again does nothing."""
        self._database.close()

    def create(
        self, invoice: Invoice, reply: bytes, *, caller: str, idempotency_key: str | None, now: datetime
    ) -> bytes:
        """Store the invoice and its reply in one transaction, unless the key has a reply already.

        Args:
            invoice: the invoice to store.
            reply: the body of its reply, stored for the key.
            caller: identifies the API key; each API key has its own idempotency keys.
            idempotency_key: None if the request has none.
            now: the emulator's time.

        Returns:
            The body to send: `reply`, or byte for byte the one that was stored for the key less than 24 hours ago.
        """
        microseconds = _microseconds(now)
        with self._database.transaction() as connection:
            if idempotency_key is not None:
                oldest = microseconds - REPLAY_PERIOD // timedelta(microseconds=1)
                stored = connection.execute(
                    "SELECT body, invoice_id FROM replies WHERE caller = ? AND idempotency_key = ? AND stored_at > ?",
                    (caller, idempotency_key, oldest),
                ).fetchone()
                if stored is not None:
                    connection.execute(
                        "UPDATE invoices SET replays = replays + 1 WHERE id = ?", (stored["invoice_id"],)
                    )
                    return bytes(stored["body"])
            _insert_invoice(connection, invoice, idempotency_key)
            if idempotency_key is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO replies (caller, idempotency_key, invoice_id, body, stored_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (caller, idempotency_key, invoice.id, reply, microseconds),
                )
        return reply

    def invoices(self) -> list[StoredInvoice]:
        """Every stored invoice, in order of creation."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM invoices ORDER BY sequence").fetchall()
        return [_read_row(row) for row in rows]

    def newest(self, most: int) -> tuple[list[StoredInvoice], int]:
        """The newest invoices, the last one first, and how many there are in all."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM invoices ORDER BY sequence DESC LIMIT ?", (most,)).fetchall()
            (count,) = connection.execute("SELECT count(*) FROM invoices").fetchone()
        return [_read_row(row) for row in rows], count

    def invoice(self, invoice_id: str) -> StoredInvoice:
        """The invoice with this id.

        Raises:
            NoSuchInvoiceError: there is none.
        """
        with self._database.transaction() as connection:
            return _find(connection, invoice_id)

    def change(self, invoice_id: str, change: Callable[[Invoice], Invoice]) -> StoredInvoice:
        """Replace an invoice by the result of a pure function, in one transaction.

        Only its metadata, `paid_at` and `updated_at` can change. If the function raises, the invoice stays as it was.

        Raises:
            NoSuchInvoiceError: there is none with this id.
        """
        with self._database.transaction() as connection:
            stored = _find(connection, invoice_id)
            invoice = change(stored.invoice)
            connection.execute(
                "UPDATE invoices SET metadata = ?, paid_at = ?, updated_at = ? WHERE id = ?",
                (
                    json.dumps(invoice.metadata),
                    None if invoice.paid_at is None else to_rfc3339(invoice.paid_at),
                    to_rfc3339(invoice.updated_at),
                    invoice_id,
                ),
            )
            return _find(connection, invoice_id)

    def newest_with_another_amount(self, amount: int) -> Invoice | None:
        """The newest invoice with another amount; None if there is none."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM invoices WHERE amount != ? ORDER BY sequence DESC LIMIT 1", (amount,)
            ).fetchone()
        return None if row is None else _read_row(row).invoice


def _insert_invoice(connection: sqlite3.Connection, invoice: Invoice, idempotency_key: str | None) -> None:
    connection.execute(
        "INSERT INTO invoices (id, amount, d_tag_memo, h_tag_memo, collect, expiry_interval, metadata, created_at,"
        " updated_at, payment_request, idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            invoice.id,
            invoice.amount,
            invoice.d_tag_memo,
            invoice.h_tag_memo,
            invoice.collect,
            invoice.expiry_interval,
            json.dumps(invoice.metadata),
            to_rfc3339(invoice.created_at),
            to_rfc3339(invoice.updated_at),
            invoice.payment_request,
            idempotency_key,
        ),
    )


def _find(connection: sqlite3.Connection, invoice_id: str) -> StoredInvoice:
    known = (
        isinstance(invoice_id, str) and invoice_id.isascii()
    )  # every id is ASCII; sqlite3 raises for a lone surrogate
    row = connection.execute("SELECT * FROM invoices WHERE id = ?", (invoice_id if known else "",)).fetchone()
    if row is None:
        raise NoSuchInvoiceError("there is no invoice with this id: take one that the emulator gave out, l11_...")
    return _read_row(row)


def _read_row(row: sqlite3.Row) -> StoredInvoice:
    invoice = Invoice(
        id=row["id"],
        amount=row["amount"],
        d_tag_memo=row["d_tag_memo"],
        h_tag_memo=row["h_tag_memo"],
        collect=row["collect"],
        expiry_interval=row["expiry_interval"],
        metadata=json.loads(row["metadata"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        paid_at=None if row["paid_at"] is None else datetime.fromisoformat(row["paid_at"]),
        payment_request=row["payment_request"],
    )
    return StoredInvoice(invoice, row["idempotency_key"], row["replays"])


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
