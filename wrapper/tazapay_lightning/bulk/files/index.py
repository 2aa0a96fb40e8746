"""All orders of a run and the results of earlier runs, in a temporary SQLite file: memory does not grow with them.

SQLite removes the file as soon as it has opened it, so nothing is left behind, however the program ends. A copy may be
kept in a file with a name (`kept`).
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, starmap
from pathlib import Path
from typing import Any

from tazapay_lightning.bulk.files.rows import Row
from tazapay_lightning.values.safe_text import printable

_TABLES = """
pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -8000;
create table orders (
    line integer primary key, order_id text not null, name text not null unique,
    amount_sats integer not null, fingerprint text not null, request text not null,
    state text,                      -- of the last result; null: never sent
    sending integer not null default 0,  -- the sending that the last result is of
    since text,                      -- of the orders whose invoice may exist: when they were first sent
    sent_id text, sent_fingerprint text, sent_amount integer, first_sent text, last_sent integer
) strict;
create table invoices (name text primary key, id text, remark text) strict, without rowid;  -- of all orders ever
create index ids on invoices (id);
create table kept (position text) strict;
begin
"""
_ADDED = """
insert into orders (line, order_id, name, amount_sats, fingerprint, request) values (?, ?, ?, ?, ?, ?)
on conflict (name) do nothing
"""
# what was sent after a result is not in it, unless the index had not taken in the journal: then `_SENT` sees to it
_ENDED = """
update orders set sending = :sending, state = case when last_sent > :sending then 'unknown' else :state end,
    since = coalesce(:unknown_since, case when last_sent > :sending or :state = 'mismatch' then first_sent end)
where name = :name
"""
# a mismatch without its time is one that `noted` has found
_SENT = """
update orders set sent_id = :order_id, sent_fingerprint = :fingerprint, sent_amount = :amount_sats,
    first_sent = coalesce(first_sent, :at), last_sent = :sending,
    state = case when :sending > sending then 'unknown' else state end,
    since = case when (:sending > sending or state = 'mismatch') and since is null then :at else since end
where name = :name
"""
_CHANGED = """
select sent_id, sent_amount, line, order_id, amount_sats, request, since from orders
where state <> 'refused' and (sent_fingerprint <> fingerprint or sent_id <> order_id) order by line
"""
_REMARKS = """
select order_id, remark from invoices join orders using (name) where remark is not null order by line
"""
_WAITING = """
select line, order_id, amount_sats, request, since, fingerprint from orders
where state is not 'created' and (since is null) = ? order by line
"""

_name = partial(unicodedata.normalize, "NFC")


class OrderIndex:
    """The orders by line and by id. Two ids that Unicode calls equal, such as one of composed letters, are one."""

    def __init__(self, kept: Path | None = None) -> None:
        file = f"{kept.as_uri()}?mode=rw" if kept else ""  # "": temporary, on disk
        self._database = sqlite3.connect(file, isolation_level=None, uri=True)
        self._database.executescript(_TABLES if kept is None else "pragma cache_size = -8000; begin")

    def close(self) -> None:
        """Forget the orders."""
        self._database.close()

    def add(self, row: Row) -> int | None:
        """Add an order; if its id is there already, return the line of that order instead."""
        order = row.line, row.order_id, _name(row.order_id), row.amount_sats, row.fingerprint, row.request
        if self._database.execute(_ADDED, order).rowcount:
            return None
        [(line,)] = self._database.execute("select line from orders where name = ?", [_name(row.order_id)])
        return int(line)

    def ended(self, result: Mapping[str, Any]) -> None:
        """Take in a line of the results, in the order of the file: the last one counts."""
        self._database.execute(_ENDED, {**result, "name": _name(result["order_id"])})

    def sent(self, sending: Mapping[str, Any]) -> None:
        """Take in a line of the journal, once all results are known, in the order of the file."""
        self._database.execute(_SENT, {**sending, "name": _name(sending["order_id"])})

    def noted(self, order_id: str, invoice_id: object, remark: str | None) -> str | None:
        """Note an order's invoice (None: none) and what a person has to know; return an order that has the invoice."""
        key = None if invoice_id is None else json.dumps(invoice_id)  # ASCII, whatever the service sent
        name, remark = _name(order_id), remark and printable(remark, most=2000)
        self._database.execute("replace into invoices values (?, ?, ?)", (name, key, remark))
        other = self._database.execute("select name from invoices where id = ? and name <> ?", (key, name)).fetchone()
        return other and str(other[0])

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield each order that a person has to know something of, by line, with what that is."""
        return self._database.execute(_REMARKS)

    def copy_to(self, other: OrderIndex) -> OrderIndex:
        """Take the place of another index, and return that."""
        other._database.execute("rollback")
        self._commit()
        self._database.backup(other._database)
        other._database.execute("begin")
        return other

    def position(self) -> str:
        """Return what `keep` was given last."""
        return str(self._database.execute("select position from kept").fetchone()[0])

    def keep(self, position: str) -> None:
        """Have all of a kept index on the disk, with a note of how far it has come."""
        self._database.execute("replace into kept (rowid, position) values (1, ?)", [position])
        self._commit()

    def _commit(self) -> None:
        self._database.execute("commit")
        self._database.execute("begin")

    def counts(self) -> tuple[int, int]:
        """Count the orders, and those of them that have their invoice."""
        sql = "select count(*), count(*) filter (where state = 'created') from orders"
        [(orders, created)] = self._database.execute(sql)
        return orders, created

    def changed(self) -> Iterator[tuple[Row, str, int]]:
        """Yield each order that asks for something else than was sent, with the id and the amount that were sent."""
        for sent_id, sent_amount, *row in self._database.execute(_CHANGED):
            yield Row(*row), sent_id, sent_amount

    def waiting(self) -> Iterator[Row]:
        """Return the orders without a proven invoice: first those of which one may exist, then the others, by line."""
        return starmap(Row, chain(*(self._database.execute(_WAITING, [is_new]) for is_new in (False, True))))
