"""All orders of a run and what earlier runs proved, in a temporary SQLite file: memory does not grow with them.

SQLite removes the file as soon as it has opened it, so nothing is left behind, however the program ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from attrs import frozen

from tazapay_lightning.bulk.files.rows import Row

__all__ = ["Changed", "Counts", "OrderIndex", "Waiting"]

_TABLE = """
create table orders (
    line integer primary key, order_id text not null unique, amount_sats integer not null, fingerprint text not null,
    request text not null,
    state text,                      -- as the files of results tell it; null: never sent
    sending integer not null default 0,  -- which sending the last result was of
    since text,                      -- when it was first sent of what may exist
    sent_fingerprint text, sent_amount integer
) strict
"""
_SENT = """
update orders set
    sent_fingerprint = :fingerprint, sent_amount = :amount_sats,
    state = case when :sending > sending then 'unknown' else state end,
    since = case when :sending > sending and since is null then :at else since end
where order_id = :order_id
"""


@frozen(kw_only=True)
class Waiting:
    """An order that is to be sent, and since when an invoice for it may exist (ISO 8601), if one may."""

    order_id: str
    amount_sats: int
    fingerprint: str
    request: str
    since: str | None


@frozen(kw_only=True)
class Changed:
    """An order that asks for something else than what was sent for it."""

    line: int
    order_id: str
    amount_sats: int
    sent_amount: int


@frozen(kw_only=True)
class Counts:
    """How many orders there are, and how many of them have their invoice."""

    orders: int
    created: int


class OrderIndex:
    """The orders, by id and by line."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # "": temporary, on disk
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -8000"):
            self._database.execute(f"pragma {pragma}")
        self._database.execute(_TABLE)
        self._database.execute("begin")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, row: Row) -> int | None:
        """Add an order; return the line of the one that has its id already, if there is one."""
        try:
            self._database.execute(
                "insert into orders (line, order_id, amount_sats, fingerprint, request) values (?, ?, ?, ?, ?)",
                (row.line, row.order_id, row.amount_sats, row.fingerprint, row.request),
            )
        except sqlite3.IntegrityError:
            [(line,)] = self._database.execute("select line from orders where order_id = ?", (row.order_id,))
            return int(line)
        return None

    def ended(self, *, order_id: str, state: str, sending: int, since: str | None) -> None:
        """Learn of a result, in the order of the file: the last one counts."""
        self._database.execute(
            "update orders set state = ?, sending = ?, since = ? where order_id = ?", (state, sending, since, order_id)
        )

    def sent(self, *, order_id: str, sending: int, at: str, fingerprint: str, amount_sats: int) -> None:
        """Learn of a sending, once all results are known, in the order of the file."""
        self._database.execute(
            _SENT,
            {
                "order_id": order_id,
                "sending": sending,
                "at": at,
                "fingerprint": fingerprint,
                "amount_sats": amount_sats,
            },
        )

    def counts(self) -> Counts:
        """Count the orders."""
        [(orders, created)] = self._database.execute(
            "select count(*), count(case when state = 'created' then 1 end) from orders"
        )
        return Counts(orders=orders, created=created)

    def changed(self) -> Iterator[Changed]:
        """Tell which orders ask for something else than was sent, although an invoice exists or may exist."""
        for line, order_id, amount_sats, sent_amount in self._database.execute(
            "select line, order_id, amount_sats, sent_amount from orders "
            "where state <> 'refused' and sent_fingerprint <> fingerprint order by line"
        ):
            yield Changed(line=line, order_id=order_id, amount_sats=amount_sats, sent_amount=sent_amount)

    def waiting(self) -> Iterator[Waiting]:
        """Tell which orders have no proven invoice: first those of which one may exist, then by line."""
        for may_exist in (True, False):
            for order_id, amount_sats, fingerprint, request, since in self._database.execute(
                "select order_id, amount_sats, fingerprint, request, since from orders "
                "where state is not 'created' and (since is not null) = ? order by line",
                (may_exist,),
            ):
                yield Waiting(
                    order_id=order_id, amount_sats=amount_sats, fingerprint=fingerprint, request=request, since=since
                )
