"""Everything the emulator remembers, in SQLite; all SQL of the package is here."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from attrs import frozen

from tazapay_lightning_emulator.errors import EmulatorError
from tazapay_lightning_emulator.invoices import Invoice, to_rfc3339
from tazapay_lightning_emulator.replies import compact_json

REPLAY_PERIOD = timedelta(hours=24)
"""For how long a reply is replayed to its idempotency key (Tazapay's documentation)."""

_IN_MEMORY = ":memory:"
_APPLICATION_ID = 0x74_7A_6C_31  # "tzl1": tells an emulator's file from every other SQLite database
_SCHEMA_VERSION = 1
_BUSY_TIMEOUT_SECONDS = 10.0  # how long one process waits for another one that writes to the same file
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SCHEMA = (
    """
    CREATE TABLE invoices (
        sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
        id              TEXT    NOT NULL UNIQUE,
        amount          INTEGER NOT NULL CHECK (amount > 0),
        d_tag_memo      TEXT,
        h_tag_memo      TEXT    CHECK (d_tag_memo IS NULL OR h_tag_memo IS NULL),
        collect         TEXT    NOT NULL UNIQUE,
        expiry_interval INTEGER NOT NULL CHECK (expiry_interval > 0),
        metadata        TEXT    NOT NULL,
        status          TEXT    NOT NULL,
        payment_status  TEXT    NOT NULL,
        created_at      TEXT    NOT NULL,
        updated_at      TEXT    NOT NULL,
        idempotency_key TEXT,
        replays         INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE replies (
        caller          TEXT    NOT NULL,
        idempotency_key TEXT    NOT NULL,
        invoice_id      TEXT    NOT NULL REFERENCES invoices (id),
        body            BLOB    NOT NULL,
        stored_at       INTEGER NOT NULL,
        PRIMARY KEY (caller, idempotency_key)
    )
    """,
)


@frozen
class StoredInvoice:
    """An invoice, the idempotency key it came with, and how often its reply was replayed to that key."""

    invoice: Invoice
    idempotency_key: str | None
    replays: int


class Store:
    """A database of invoices and of the replies to replay. Safe to share between threads and between processes.

    The connection is closed by `close`, or with the last reference to the store.

    Args:
        database: ":memory:", or the path of a file, which is made if missing and outlives the emulator.

    Raises:
        EmulatorError: the file cannot be opened or written, or is not a database of this version of the emulator.
    """

    def __init__(self, database: str | os.PathLike[str] = _IN_MEMORY) -> None:
        self._name = os.fspath(database)
        if not self._name:
            raise EmulatorError(f"the database has no name: give the path of a file, or {_IN_MEMORY!r}")
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                self._name, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise EmulatorError(f"cannot open the database {self._name!r}: {error}") from error
        self._connection.row_factory = sqlite3.Row
        self._close_connection = weakref.finalize(self, self._connection.close)
        try:
            with self._transaction() as connection:
                self._prepare(connection)
        except sqlite3.Error as error:
            self.close()
            raise EmulatorError(f"cannot use the database {self._name!r}: {error}") from error
        except EmulatorError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; what a file holds stays. Calling it again does nothing."""
        with self._lock:
            self._close_connection()

    def create(
        self, invoice: Invoice, reply: bytes, *, caller: str, idempotency_key: str | None, now: datetime
    ) -> bytes:
        """Store the invoice and its reply in one transaction, unless the key already has a reply.

        Args:
            invoice: the invoice to store.
            reply: the body to store for the key and to send.
            caller: whose key it is.
            idempotency_key: None if the request had none.
            now: the emulator's time.

        Returns:
            The body to send: `reply`, or byte for byte the one that was stored under the key less than 24 hours ago.
        """
        microseconds = _microseconds(now)
        with self._transaction() as connection:
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
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM invoices ORDER BY sequence").fetchall()
        return [_read_row(row) for row in rows]

    def newest_with_another_amount(self, amount: int) -> Invoice | None:
        """The invoice that was created last among those of other amounts; None if there is none."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM invoices WHERE amount != ? ORDER BY sequence DESC LIMIT 1", (amount,)
            ).fetchone()
        return None if row is None else _read_row(row).invoice

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one at a time: a reply that left was committed, and no other writer came between."""
        with self._lock:
            if not self._close_connection.alive:
                raise EmulatorError("the emulator has stopped, and its database is closed")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables in an empty database; refuse one that somebody else made."""
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (application_id, version, tables) == (0, 0, 0):
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif application_id != _APPLICATION_ID:
            raise EmulatorError(f"{self._name!r} is a database, but not an emulator's: name another file")
        elif version != _SCHEMA_VERSION:
            raise EmulatorError(
                f"{self._name!r} was made by another version of the emulator (schema {version}, this one reads"
                f" {_SCHEMA_VERSION}): name another file"
            )


def _insert_invoice(connection: sqlite3.Connection, invoice: Invoice, idempotency_key: str | None) -> None:
    connection.execute(
        "INSERT INTO invoices (id, amount, d_tag_memo, h_tag_memo, collect, expiry_interval, metadata, status,"
        " payment_status, created_at, updated_at, idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            invoice.id,
            invoice.amount,
            invoice.d_tag_memo,
            invoice.h_tag_memo,
            invoice.collect,
            invoice.expiry_interval,
            compact_json(invoice.metadata),
            invoice.status,
            invoice.payment_status,
            to_rfc3339(invoice.created_at),
            to_rfc3339(invoice.updated_at),
            idempotency_key,
        ),
    )


def _read_row(row: sqlite3.Row) -> StoredInvoice:
    invoice = Invoice(
        id=row["id"],
        amount=row["amount"],
        d_tag_memo=row["d_tag_memo"],
        h_tag_memo=row["h_tag_memo"],
        collect=row["collect"],
        expiry_interval=row["expiry_interval"],
        metadata=json.loads(row["metadata"]),
        status=row["status"],
        payment_status=row["payment_status"],
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )
    return StoredInvoice(invoice, row["idempotency_key"], row["replays"])


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
