"""A run of the command ``bulk`` from its options to its report; loaded for this command alone.

The files that it writes are described in `bulk.files.record`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, get_args

import typer

from tazapay_lightning import AsyncLightningClient, InvalidArgumentError, TazapayError
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.kept import KeptIndex
from tazapay_lightning.bulk.files.record import BulkRecord
from tazapay_lightning.bulk.files.rows import Problem, read_orders
from tazapay_lightning.bulk.files.session import Session
from tazapay_lightning.bulk.orders import State, check_rate, idempotency_key
from tazapay_lightning.cli.display import environment_of, place_of
from tazapay_lightning.cli.outcomes import REFUSED, complain, exit_code, put, put_json, refusing, say
from tazapay_lightning.cli.progress import progress
from tazapay_lightning.cli.terminal import is_terminal
from tazapay_lightning.values.safe_text import printable

_LISTED = 20
_CHANGED = "changed since an invoice was asked for, which exists or may exist: undo that, or give it another order_id"


def run(
    orders: Path, out: Path, client_options: Any, *, concurrency: int, rate: float | None, namespace: str, as_json: bool
) -> None:
    """Create an invoice for each order of a file, tell the outcome, and end the command with its exit code."""
    to_stdout = str(out) == "-"
    if to_stdout and as_json:
        raise InvalidArgumentError("--out - and --json both print on stdout: leave one of them out")
    results = orders.with_name(f"{orders.name}.results.jsonl") if to_stdout else out
    # bad settings are refused before anything is read or written
    with refusing():
        client = AsyncLightningClient(**client_options)
    key = lru_cache(maxsize=1024)(partial(idempotency_key, namespace))  # it is noted, and then sent
    key("7890")  # checks the namespace
    check_rate(rate)
    settings = client._settings  # noqa: SLF001 - its credentials, for a mark in the journal
    try:
        kept = KeptIndex(orders=orders, results=results, namespace=namespace, settings=settings)
        with closing(kept), closing(kept.load()) as index:
            if kept.position.is_at_start:
                _refuse(_bad_rows(orders, results, index), "cannot be sent")
            with closing(BulkRecord(results, namespace=namespace, settings=settings)) as record:
                for path in record.mended:
                    say(f"the last line of {path} was half written, and was cut off")
                record.replay(index, kept.position)
                _refuse(_changed_rows(index), _CHANGED)
                kept.begin(index, record)
                count, before = index.counts()
                if before:
                    say(f"{before} of {count} orders have their invoice from an earlier run")
                session = Session(index=index, record=record, key=key, on_result=lambda states: None)
                if to_stdout:
                    session.on_line = partial(put, what="a result")
                with _bar(session, count - before, to_stdout=to_stdout) as session.on_result:
                    asyncio.run(session.run(client, concurrency=concurrency, rate=rate))
                _report(session, index, orders=count, before=before, out=results, client=client, as_json=as_json)
    except OSError as error:
        raise TazapayError(f"{error.filename or results}: {error.strerror}") from error
    except sqlite3.Error as error:
        index_of = "the temporary index of the orders (its folder: SQLITE_TMPDIR or TMPDIR)"
        raise TazapayError(f"{index_of} failed: {error}") from error


def _bar(session: Session, total: int, *, to_stdout: bool) -> AbstractContextManager[Callable[..., None]]:
    """Return the bar of a run, or none where the results appear on the same terminal."""
    if to_stdout and is_terminal(sys.stdout):
        return nullcontext(lambda states: None)
    return progress(total, session.paused_for)


def _bad_rows(orders: Path, out: Path, index: OrderIndex) -> Iterator[str]:
    """Put all orders into the index, and yield a message for each row that cannot be sent."""
    if orders.exists() and out.exists() and orders.samefile(out):
        raise InvalidArgumentError("--out names the orders: the results need a file of their own")
    for row in read_orders(orders):
        place = f"{orders}, line {row.line}"
        if isinstance(row, Problem):
            yield f"{place}: {row.message}"
        elif (first := index.add(row)) is not None:
            spelling = "" if row.order_id.isascii() else ", in a spelling that Unicode calls equal"
            yield f"{place}: order {printable(row.order_id, most=80)} is on line {first} already{spelling}"


def _changed_rows(index: OrderIndex) -> Iterator[str]:
    for order, sent_id, sent_amount in index.changed():
        more = " with another memo, metadata or expiry" if order.amount_sats == sent_amount else ""
        if order.order_id != sent_id:
            more += f" under the id {ascii(order.order_id)[:80]}, which is spelt otherwise"
        was = f"order {printable(order.order_id, most=80)} was sent over {sent_amount} satoshi"
        yield f"line {order.line}: {was}, and now asks for {order.amount_sats}{more}"


def _refuse(problems: Iterable[str], what: str) -> None:
    """Say the first problems and how many more there are, and end the command; nothing if there are none."""
    if count := _say_all(problems):
        raise InvalidArgumentError(f"nothing was sent: {count} of the rows {what}")


def _say_all(messages: Iterable[str]) -> int:
    """Say the first messages and how many more there are, and return how many there are in all."""
    count = 0
    for count, message in enumerate(messages, 1):
        if count <= _LISTED:
            say(message, whole=True)  # lines for the results are in some of them
    if count > _LISTED:
        say(f"... and {count - _LISTED} more")
    return count


def _report(
    session: Session,
    index: OrderIndex,
    *,
    orders: int,
    before: int,
    out: Path,
    client: AsyncLightningClient,
    as_json: bool,
) -> None:
    """Say the outcome of the run, and end the command with its exit code."""
    states = (*get_args(State), "not_reached", "to_settle")
    counts = {"created_before": before, **{state: session.states[state] for state in states}}
    counts["unrecorded"] = len(session.unrecorded)
    counts["not_sent"] = orders - sum(counts.values())
    unmade = counts["refused"] + counts["not_reached"] + counts["not_sent"]
    _explain(session, out)
    doubtful = _say_all(f"order {printable(order_id, most=80)} {remark}" for order_id, remark in index.remarks())
    for reason, count in session.reasons.most_common():
        say(f"{count} {reason}")
    in_doubt = counts["unknown"] + counts["mismatch"] + counts["unrecorded"]
    if in_doubt or (unmade and (session.stopped_by or session.ended_by is not None)):
        say("to resume, run the same command again, within 23 hours")
    parts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    say(f"{orders} orders: {parts}; {session.seconds:.1f} s; {place_of(client)}; results in {out}")
    code = 0
    if in_doubt or doubtful or unmade or isinstance(session.ended_by, TazapayError):
        code = exit_code(in_doubt=bool(in_doubt or doubtful), stopped_by=session.stopped_by)
    if as_json:
        run = {"differing": session.differing, "reasons": session.reasons, "seconds": round(session.seconds, 3)}
        place = {"environment": environment_of(client), "results": str(out)}
        try:
            put_json({"orders": orders, **counts, **run, **place}, "the report")
        except TazapayError as error:
            complain(str(error))
            code = code or REFUSED
    raise typer.Exit(code)


def _explain(session: Session, out: Path) -> None:
    """Say why the run ended early, and what the results do not tell."""
    error = session.ended_by
    if isinstance(error, OSError) and not isinstance(error, TazapayError):  # a time-out is an OSError too
        complain(f"the run ended early: {out} or its journal cannot be written: {error.strerror}")
    elif error is not None:
        complain(f"the run ended early: {error.args[0] if isinstance(error, TazapayError) else type(error).__name__}")
    if session.differing:
        say(f"{session.differing} invoices are not quite what was asked for: see their differences in {out}")
    for sending, invoice_id in session.unrecorded:
        invoice = "may exist" if invoice_id is None else f"is {printable(invoice_id, most=80)}"
        name = printable(sending.order.order_id, most=80)
        say(f"order {name} is not in the results: its invoice {invoice}, its key is {sending.key}")
