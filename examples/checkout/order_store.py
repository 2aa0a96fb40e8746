"""Orders and attempts in SQLite. What must not be done by halves is one statement."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from examples.checkout.orders import FOLLOWS, Attempt, Order, State
from tazapay_lightning import Invoice

__all__ = ["OrderStore"]

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, name TEXT NOT NULL, amount_sats INTEGER NOT NULL,
    created_at TEXT NOT NULL, paid_attempt INTEGER, paid_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    order_id TEXT NOT NULL REFERENCES orders, number INTEGER NOT NULL, key TEXT NOT NULL UNIQUE,
    expires_in INTEGER NOT NULL, asked_at TEXT NOT NULL, state TEXT NOT NULL,
    invoice TEXT, answered_at TEXT, collect_id TEXT,
    PRIMARY KEY (order_id, number)
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_by_state ON attempts (state);
CREATE INDEX IF NOT EXISTS attempts_by_collect_id ON attempts (collect_id);
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, handled_at TEXT NOT NULL) STRICT;
"""
_ATTEMPT = "SELECT order_id, number, key, expires_in, asked_at, state, invoice, answered_at, collect_id FROM attempts "


class OrderStore:
    """The shop's memory. Its calls are short and local, so they may run in the event loop.

    Args:
        database: the path of a file, which is made if missing; ":memory:" forgets everything at the end.
    """

    def __init__(self, database: str | os.PathLike[str]) -> None:
        # opened by the main thread and used by that of the server, never by both at a time
        self._db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a key must be on the disk before the service is asked
        self._db.executescript(_TABLES)
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(orders)")}
        if "paid_at" not in columns:  # a file of an earlier version
            self._db.execute("ALTER TABLE orders ADD COLUMN paid_at TEXT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def add_order(self, order: Order) -> None:
        """Keep an order; one that is there already stays as it is."""
        self._db.execute(
            "INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?, NULL, NULL)",
            (order.id, order.title, order.name, order.amount_sats, order.created_at.isoformat()),
        )

    def order(self, order_id: str) -> Order | None:
        """Return an order, None if there is no such one."""
        row = self._db.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
        if row is None:
            return None
        return Order(
            id=row[0],
            title=row[1],
            name=row[2],
            amount_sats=row[3],
            created_at=datetime.fromisoformat(row[4]),
            paid_attempt=row[5],
            paid_at=None if row[6] is None else datetime.fromisoformat(row[6]),
        )

    def add_attempt(self, attempt: Attempt) -> None:
        """Keep an attempt; of two with one number the first stays."""
        self._db.execute(
            "INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
            (
                attempt.order_id,
                attempt.number,
                attempt.key,
                attempt.expires_in,
                attempt.asked_at.isoformat(),
                attempt.state,
            ),
        )

    def attempt(self, order_id: str, number: int) -> Attempt | None:
        """Return one attempt of an order, None if there is no such one."""
        return next(self._attempts("WHERE order_id = ? AND number = ?", order_id, number), None)

    def latest_attempt(self, order_id: str) -> Attempt | None:
        """Return the last attempt of an order, None before the first."""
        return next(self._attempts("WHERE order_id = ? ORDER BY number DESC LIMIT 1", order_id), None)

    def unsettled(self) -> list[Attempt]:
        """Return every attempt that something is still expected of."""
        return list(self._attempts("WHERE state IN (?, ?)", State.ASKED, State.WAITING))

    def with_collect_id(self, collect_id: str) -> Attempt | None:
        """Return the attempt that a webhook is about, None if the id is not known."""
        return next(self._attempts("WHERE collect_id = ?", collect_id), None)

    def without_collect_id(self, since: datetime) -> list[Attempt]:
        """Return every attempt that a webhook with an unknown id could be about, if it was asked for since then."""
        return list(
            self._attempts(
                "WHERE collect_id IS NULL AND invoice IS NOT NULL AND state IN (?, ?) AND asked_at >= ?",
                State.WAITING,
                State.EXPIRED,
                since.isoformat(),
            )
        )

    def keep_invoice(self, attempt: Attempt, invoice: Invoice, now: datetime) -> bool:
        """Keep the invoice that an attempt led to; False if it has one already, or was given up."""
        done = self._db.execute(
            "UPDATE attempts SET state = ?, invoice = ?, answered_at = ?, collect_id = ?"
            " WHERE order_id = ? AND number = ? AND state = ?",
            (
                State.WAITING,
                json.dumps(dict(invoice.raw)),
                now.isoformat(),
                invoice.collect_id,
                attempt.order_id,
                attempt.number,
                State.ASKED,
            ),
        )
        return done.rowcount == 1

    def keep_what_was_missing(self, attempt: Attempt, invoice: Invoice) -> None:
        """Keep what the service tells only later: the id under which webhooks come, and the payment request."""
        self._db.execute(
            "UPDATE attempts SET collect_id = coalesce(collect_id, ?) WHERE order_id = ? AND number = ?",
            (invoice.collect_id, attempt.order_id, attempt.number),
        )
        if invoice.bolt11 is not None and attempt.invoice is not None and attempt.invoice.bolt11 is None:
            self._db.execute(
                "UPDATE attempts SET invoice = ? WHERE order_id = ? AND number = ?",
                (json.dumps(dict(invoice.raw)), attempt.order_id, attempt.number),
            )

    def move(self, attempt: Attempt, state: State) -> bool:
        """Change an attempt's state if it may follow the present one; True if this call did it."""
        before = [each for each in State if state in FOLLOWS[each]]
        done = self._db.execute(
            "UPDATE attempts SET state = ? WHERE order_id = ? AND number = ?"
            " AND state IN (SELECT value FROM json_each(?))",
            (state, attempt.order_id, attempt.number, json.dumps(before)),
        )
        return done.rowcount == 1

    def pay_order(self, attempt: Attempt, now: datetime) -> int:
        """Let an attempt pay its order, and return which one did: the first, if several are paid."""
        row = self._db.execute(
            "UPDATE orders SET paid_attempt = coalesce(paid_attempt, ?),"
            " paid_at = CASE WHEN paid_attempt IS NULL THEN ? ELSE paid_at END WHERE id = ? RETURNING paid_attempt",
            (attempt.number, now.isoformat(), attempt.order_id),
        ).fetchone()
        return int(row[0])

    def is_handled(self, event_id: str) -> bool:
        """Tell whether a webhook's event was dealt with before."""
        return self._db.execute("SELECT 1 FROM events WHERE id = ?", (event_id,)).fetchone() is not None

    def handled(self, event_id: str, now: datetime) -> None:
        """Keep that a webhook's event was dealt with."""
        self._db.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event_id, now.isoformat()))

    def _attempts(self, where: str, *values: str | int) -> Iterator[Attempt]:
        for row in self._db.execute(_ATTEMPT + where, values).fetchall():
            yield Attempt(
                order_id=row[0],
                number=row[1],
                key=row[2],
                expires_in=row[3],
                asked_at=datetime.fromisoformat(row[4]),
                state=State(row[5]),
                invoice=None if row[6] is None else Invoice.from_payload(json.loads(row[6])),
                answered_at=None if row[7] is None else datetime.fromisoformat(row[7]),
                collect_id=row[8],
            )
