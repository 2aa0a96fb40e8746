"""The command ``bulk``: an invoice for each order of a file, resumable whatever happens to the program.

The files that it writes are described in `bulk.files.record`. Exit codes: 0 every order has its invoice; 1 some were
refused, or the run ended early; 2 the orders cannot be used, and nothing was sent; 3 an invoice may exist that nothing
proves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import sys
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
from tazapay_lightning.cli.outcomes import REFUSED, UNKNOWN, AsJson, BaseUrl, Environment, problems_explained, say, stop
from tazapay_lightning.cli.progress import progress
from tazapay_lightning.transport.settings import Credentials, Settings
from tazapay_lightning.values.safe_text import printable

_LISTED = 20
_CHANGED = (
    "changed since an invoice was asked for, which exists or may exist: put them back, or give what is to be billed "
    "anew an order_id of its own"
)
_NO_LOG = logging.NullHandler()  # a million invoices would log a line each to stderr


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
    client = AsyncLightningClient(environment=environment, base_url=base_url, backend=backend)  # type: ignore[arg-type]  # checked there
    settings = Settings.build(credentials=Credentials(None, None), environment=environment, base_url=base_url)
    key = partial(idempotency_key, namespace)
    key("7890")  # checks the namespace
    check_rate(rate)
    logging.getLogger("tazapay_lightning").addHandler(_NO_LOG)
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
                    session = Session(index=index, record=record, key=key, on_result=update, on_stop=_say_stopping)
                    asyncio.run(session.run(client, concurrency=concurrency, rate=rate))
                _report(session, orders=count, before=before, out=out, as_json=as_json)
    except OSError as error:
        stop(f"{error.filename or out}: {error.strerror}")
    except sqlite3.Error as error:
        stop(f"the temporary index of the orders (its folder: SQLITE_TMPDIR or TMPDIR) failed: {error}")


def _bad_rows(orders: Path, out: Path, index: OrderIndex) -> Iterator[str]:
    """Put all orders into the index, and yield a message for each row that cannot be sent."""
    if orders.exists() and out.exists() and orders.samefile(out):
        raise InvalidArgumentError("--out names the orders: the results need a file of their own", argument="out")
    for row in read_orders(orders):
        if isinstance(row, Problem):
            yield f"{orders}, line {row.line}: {row.message}"
        elif (first := index.add(row)) is not None:
            yield f"{orders}, line {row.line}: order {_name(row.order_id)} is on line {first} already"


def _changed_rows(index: OrderIndex) -> Iterator[str]:
    for order, sent_amount in index.changed():
        more = " with another memo, metadata or expiry" if order.amount_sats == sent_amount else ""
        was = f"order {_name(order.order_id)} was sent over {sent_amount} satoshi"
        yield f"line {order.line}: {was}, and now asks for {order.amount_sats}{more}"


def _refuse(problems: Iterable[str], what: str) -> None:
    """Say the first problems and how many more there are, and end the command; nothing if there are none."""
    count = 0
    for count, problem in enumerate(problems, 1):
        if count <= _LISTED:
            say(problem)
    if count > _LISTED:
        say(f"... and {count - _LISTED} more")
    if count:
        raise InvalidArgumentError(f"nothing was sent: {count} of the rows {what}", argument="orders")


def _name(order_id: str) -> str:
    return printable(order_id, most=80)


def _say_stopping(in_flight: int) -> None:
    message = f"stopping: {in_flight} in flight are waited for; once more (Ctrl-C) abandons them"
    print(message, file=sys.stderr)  # which rich prints above its bar, unlike what typer prints


def _report(session: Session, *, orders: int, before: int, out: Path, as_json: bool) -> None:
    """Say the outcome of the run, and end the command with its exit code."""
    counts = {
        "created_before": before,
        **{state: session.states[state] for state in get_args(State)},
        "to_settle": session.to_settle,
        "unrecorded": len(session.unrecorded),
    }
    counts["not_sent"] = orders - sum(counts.values())
    unmade = counts["refused"] + counts["not_sent"]
    _explain(session, out)
    if session.may_exist > session.to_settle or (session.ended_early and unmade):
        say("to resume, run the same command again, within 23 hours")
    parts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    say(f"{orders} orders: {parts}; {session.seconds:.1f} s; results in {out}")
    if as_json:
        run = {"differing": session.differing, "seconds": round(session.seconds, 3), "results": str(out)}
        typer.echo(json.dumps({"orders": orders, **counts, **run}, indent=2))
    if session.may_exist or unmade:
        raise typer.Exit(UNKNOWN if session.may_exist else REFUSED)


def _explain(session: Session, out: Path) -> None:
    """Say why the run ended early, and which orders need to be looked at."""
    if isinstance(session.ended_by, TazapayError):  # a time-out is an OSError too
        say(f"error: the run ended early: {session.ended_by.args[0]}")
    elif session.ended_by is not None:
        say(f"error: the run ended early: {out} or its journal cannot be written: {session.ended_by.strerror}")
    if session.differing:
        say(f"{session.differing} invoices are not quite what was asked for: see their differences in {out}")
    for sending, invoice_id in session.unrecorded:
        invoice = "may exist" if invoice_id is None else f"is {_name(invoice_id)}"
        order_id = _name(sending.order.order_id)
        say(f"order {order_id} is not in the results: its invoice {invoice}, its key is {sending.key}")
    for order in session.settle:
        say(
            f"order {_name(order.order_id)} was not sent again: an invoice over {order.amount_sats} satoshi may exist "
            f"since {order.since}, and Tazapay knows its key for 24 hours only (a time in the future comes from a "
            f"wrong clock). Look for it in Tazapay's dashboard, then add a line to {out}: if it is there "
            f"{session.record.settling(order, 'created')}, else {session.record.settling(order, 'refused')}"
        )
    if session.to_settle > len(session.settle):
        say(f"... and {session.to_settle - len(session.settle)} more to be settled by hand")
