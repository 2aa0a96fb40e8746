"""All orders of a run and the results of earlier runs, in a temporary SQLite file: memory does not grow with them.

SQLite removes the file as soon as it has opened it, so nothing is left behind, however the program ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from tazapay_lightning.bulk.files.rows import Row

_TABLE = """
create table orders (
    line integer primary key, order_id text not null unique, amount_sats integer not null, fingerprint text not null,
    request text not null,
    state text,                      -- of the last result; null: never sent
    sending integer not null default 0,  -- the sending that the last result is of
    since text,                      -- of the orders whose invoice may exist: when they were first sent
    sent_fingerprint text, sent_amount integer
) strict
"""
_ENDED = """
update orders set state = :state, sending = :sending, since = :unknown_since where order_id = :order_id
"""
_SENT = """
update orders set
    sent_fingerprint = :fingerprint, sent_amount = :amount_sats,
    state = case when :sending > sending then 'unknown' else state end,
    since = case when :sending > sending and since is null then :at else since end
where order_id = :order_id
"""
_CHANGED = """
select sent_amount, line, order_id, amount_sats, request, since from orders
where state <> 'refused' and sent_fingerprint <> fingerprint order by line
"""
_WAITING = """
select line, order_id, amount_sats, request, since from orders
where state is not 'created' and (since is not null) = ? order by line
"""


class OrderIndex:
    """The orders, by id and by line."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # "": temporary, on disk
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -8000"):
            self._database.execute(f"pragma {pragma}")
        self._database.execute(_TABLE)
        self._database.execute("begin")

    def close(self) -> None:
        """Forget the orders."""
        self._database.close()

    def add(self, row: Row) -> int | None:
        """Add an order; if its id is there already, return the line of that order instead."""
        try:
            self._database.execute(
                "insert into orders (line, order_id, amount_sats, fingerprint, request) values (?, ?, ?, ?, ?)",
                (row.line, row.order_id, row.amount_sats, row.fingerprint, row.request),
            )
        except sqlite3.IntegrityError:
            [(line,)] = self._database.execute("select line from orders where order_id = ?", (row.order_id,))
            return int(line)
        return None

    def ended(self, result: dict[str, object]) -> None:
        """Take in a line of the results, in the order of the file: the last one counts."""
        self._database.execute(_ENDED, result)

    def sent(self, sending: dict[str, object]) -> None:
        """Take in a line of the journal, once all results are known, in the order of the file."""
        self._database.execute(_SENT, sending)

    def counts(self) -> tuple[int, int]:
        """Count the orders, and those of them that have their invoice."""
        [(orders, created)] = self._database.execute(
            "select count(*), count(*) filter (where state = 'created') from orders"
        )
        return orders, created

    def changed(self) -> Iterator[tuple[Row, int]]:
        """Yield each order that asks for something else than was sent, with the amount (satoshi) that was sent."""
        for sent_amount, *row in self._database.execute(_CHANGED):
            yield Row(*row), sent_amount

    def waiting(self) -> Iterator[Row]:
        """Yield the orders without a proven invoice: first those of which one may exist, then the others, by line."""
        for may_exist in (True, False):
            for row in self._database.execute(_WAITING, (may_exist,)):
                yield Row(*row)
