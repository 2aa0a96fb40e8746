"""The command ``bulk``: an invoice for each order of a file, resumable whatever happens to the program.

The files that it writes are described in `bulk.files.record`. Exit codes: 0 every order has its invoice; 1 some were
refused or not reached, or the run ended early; 2 the orders cannot be used, and nothing was sent; 3 an invoice may
exist that nothing proves, or is not what was asked for: it has another amount, memo or metadata, or another order has
it too; 130 Ctrl-C ended the run early, with nothing in doubt.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

import typer

from tazapay_lightning import AsyncLightningClient, InvalidArgumentError, TazapayError
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.record import BulkRecord
from tazapay_lightning.bulk.files.rows import Problem, read_orders
from tazapay_lightning.bulk.files.session import Session
from tazapay_lightning.bulk.orders import State, check_rate, idempotency_key
from tazapay_lightning.cli.display import progress
from tazapay_lightning.cli.options import AsJson, BaseUrl, Environment
from tazapay_lightning.cli.outcomes import REFUSED, UNKNOWN, problems_explained, put_json, refusing, say
from tazapay_lightning.values.safe_text import printable

_LISTED = 20
_CHANGED = "changed since an invoice was asked for, which exists or may exist: undo that, or give it another order_id"


@problems_explained()
def bulk(
    orders: Annotated[Path, typer.Argument(metavar="ORDERS", help="The orders: a file .csv or .jsonl.")],
    out: Annotated[Path, typer.Option(help="Append the results to this file; the same one resumes the run.")],
    concurrency: Annotated[int, typer.Option(min=1, max=100, help="How many orders are in flight.")] = 16,
    rate: Annotated[float | None, typer.Option(help="Requests per second at most.")] = None,
    namespace: Annotated[str, typer.Option(help="What the order ids are unique within: keys depend on it.")] = "orders",
    environment: Environment = None,
    base_url: BaseUrl = None,
    backend: Annotated[str, typer.Option(help='The HTTP library: "httpx", or "aiohttp" if installed.')] = "httpx",
    as_json: AsJson = False,
) -> None:
    """Create an invoice for each order of a file, never two for one; run it again to resume."""
    # bad settings are refused before anything is read or written
    with refusing():
        client = AsyncLightningClient(environment=environment, base_url=base_url, backend=backend)  # type: ignore[arg-type]  # checked there
    settings = client._settings  # noqa: SLF001 - its credentials, for a mark in the journal
    key = partial(idempotency_key, namespace)
    key("7890")  # checks the namespace
    check_rate(rate)
    try:
        with closing(OrderIndex()) as index:
            _refuse(_bad_rows(orders, out, index), "cannot be sent")
            with closing(BulkRecord(out, namespace=namespace, settings=settings)) as record:
                for path in record.mended:
                    say(f"the last line of {path} was half written, and was cut off")
                record.replay(index)
                _refuse(_changed_rows(index), _CHANGED)
                count, before = index.counts()
                if before:
                    say(f"{before} of {count} orders have their invoice from an earlier run")
                with progress(count - before) as update:
                    session = Session(index=index, record=record, key=key, on_result=update)
                    asyncio.run(session.run(client, concurrency=concurrency, rate=rate))
                _report(session, index, orders=count, before=before, out=out, as_json=as_json)
    except OSError as error:
        raise TazapayError(f"{error.filename or out}: {error.strerror}") from error
    except sqlite3.Error as error:
        index_of = "the temporary index of the orders (its folder: SQLITE_TMPDIR or TMPDIR)"
        raise TazapayError(f"{index_of} failed: {error}") from error


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
            say(message)
    if count > _LISTED:
        say(f"... and {count - _LISTED} more")
    return count


def _report(session: Session, index: OrderIndex, *, orders: int, before: int, out: Path, as_json: bool) -> None:
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
    say(f"{orders} orders: {parts}; {session.seconds:.1f} s; results in {out}")
    early = 128 + signal.SIGINT if session.stopped_by == signal.SIGINT else REFUSED
    code = UNKNOWN if in_doubt or doubtful else early if unmade else 0
    if as_json:
        run = {"differing": session.differing, "reasons": session.reasons, "seconds": round(session.seconds, 3)}
        try:
            put_json({"orders": orders, **counts, **run, "results": str(out)}, "the report")
        except TazapayError as error:
            say(f"error: {error}")
            code = code or REFUSED
    raise typer.Exit(code)


def _explain(session: Session, out: Path) -> None:
    """Say why the run ended early, and what the results do not tell."""
    error = session.ended_by
    if isinstance(error, OSError) and not isinstance(error, TazapayError):  # a time-out is an OSError too
        say(f"error: the run ended early: {out} or its journal cannot be written: {error.strerror}")
    elif error is not None:
        say(f"error: the run ended early: {error.args[0] if isinstance(error, TazapayError) else type(error).__name__}")
    if session.differing:
        say(f"{session.differing} invoices are not quite what was asked for: see their differences in {out}")
    for sending, invoice_id in session.unrecorded:
        invoice = "may exist" if invoice_id is None else f"is {printable(invoice_id, most=80)}"
        name = printable(sending.order.order_id, most=80)
        say(f"order {name} is not in the results: its invoice {invoice}, its key is {sending.key}")
