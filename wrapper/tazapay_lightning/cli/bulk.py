"""The command ``bulk``: an invoice for each order of a file, resumable whatever happens to the program.

What it writes is described in `bulk.files.record`. Exit codes: 0 every order has its invoice; 1 some were refused, or
the run ended early; 2 the orders cannot be used, and nothing was sent; 3 an invoice may exist that nothing proves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tazapay_lightning import AsyncLightningClient, InvalidArgumentError
from tazapay_lightning.cli.outcomes import OUTCOME_UNKNOWN, REFUSED, USAGE, problems_explained, say, stop
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from tazapay_lightning.bulk.files.index import OrderIndex
    from tazapay_lightning.bulk.files.record import BulkRecord
    from tazapay_lightning.bulk.files.session import Outcome, Session

__all__ = ["bulk"]

_LISTED = 20


def bulk(
    orders: Annotated[Path, typer.Argument(metavar="ORDERS", help="The orders: a file .csv or .jsonl.")],
    out: Annotated[Path, typer.Option(help="Append the results to this file; the same one resumes the run.")],
    concurrency: Annotated[int, typer.Option(min=1, max=100, help="How many orders are in flight.")] = 16,
    rate: Annotated[float | None, typer.Option(help="Requests per second at most.")] = None,
    namespace: Annotated[str, typer.Option(help="What the order ids are unique within: keys depend on it.")] = "orders",
    environment: Annotated[
        str | None, typer.Option(help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.')
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Another address; or TAZAPAY_BASE_URL.")] = None,
    backend: Annotated[
        str, typer.Option(help='What carries the requests: "httpx", or "aiohttp" if installed.')
    ] = "httpx",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Create an invoice for each order of a file, never two for one; run it again to resume."""
    with problems_explained():
        new_client = partial(AsyncLightningClient, environment=environment, base_url=base_url, backend=backend)  # type: ignore[arg-type]  # checked there
        asyncio.run(new_client().aclose())  # says what is wrong with the settings before anything is written
        try:
            _bulk(
                orders,
                out,
                namespace=namespace,
                settings=_settings(environment, base_url),
                rate=rate,
                run=partial(_run, new_client, concurrency=concurrency, rate=rate),
                as_json=as_json,
            )
        except OSError as error:
            stop(f"{error.filename or out}: {error.strerror}", REFUSED)
        except sqlite3.Error as error:
            stop(f"the temporary index of the orders (its folder: SQLITE_TMPDIR or TMPDIR) failed: {error}", REFUSED)


def _bulk(
    orders: Path,
    out: Path,
    *,
    namespace: str,
    settings: Settings,
    rate: float | None,
    run: Callable[[Session], Coroutine[object, object, None]],
    as_json: bool,
) -> None:
    # here, and not above: other commands do without them
    from tazapay_lightning.bulk.files.index import OrderIndex
    from tazapay_lightning.bulk.files.record import BulkRecord
    from tazapay_lightning.bulk.files.session import Session
    from tazapay_lightning.bulk.orders import check_rate, idempotency_key
    from tazapay_lightning.cli.progress import Progress

    idempotency_key(namespace, "7890")  # checks the namespace
    check_rate(rate)
    with OrderIndex() as index:
        _read(orders, out, index)
        base_url, credentials = settings.base_url, settings.credentials
        with BulkRecord(out, namespace=namespace, base_url=base_url, credentials=credentials) as record:
            for path in record.mended:
                say(f"the last line of {path} was half written, and was cut off")
            record.replay(index)
            _refuse_changed(index)
            counts = index.counts()
            if counts.created:
                say(f"{counts.created} of {counts.orders} orders have their invoice from an earlier run")
            with Progress(counts.orders - counts.created) as progress:
                session = Session(
                    index, record, namespace=namespace, on_result=progress.update, on_stop=progress.stopping
                )
                with _quiet():
                    asyncio.run(run(session))
            _report(session.outcome, record, orders=counts.orders, before=counts.created, out=out, as_json=as_json)


async def _run(
    new_client: Callable[[], AsyncLightningClient], session: Session, *, concurrency: int, rate: float | None
) -> None:
    async with new_client() as client:
        await session.run(client, concurrency=concurrency, rate=rate)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within the block, log nothing to stderr: of a million invoices, a line each would be all that is seen there."""
    logger, handler = logging.getLogger("tazapay_lightning"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _settings(environment: str | None, base_url: str | None) -> Settings:
    """Return whom the client will call and as whom, and refuse settings that it would refuse."""
    return Settings.build(
        api_key=None, api_secret=None, environment=environment, base_url=base_url, variables=os.environ
    )


def _read(orders: Path, out: Path, index: OrderIndex) -> None:
    """Put all orders into the index, or tell what is wrong with them."""
    from tazapay_lightning.bulk.files.rows import Problem, read_orders

    if orders.exists() and out.exists() and orders.samefile(out):
        raise InvalidArgumentError("--out names the orders: the results need a file of their own", argument="out")

    def problems() -> Iterator[Problem]:
        for row in read_orders(orders):
            if isinstance(row, Problem):
                yield row
            elif (first := index.add(row)) is not None:
                yield Problem(row.line, f"order {printable(row.order_id, most=80)} is on line {first} already")

    _refuse(
        (f"{orders}, line {problem.line}: {problem.message}" for problem in problems()),
        "cannot be sent: nothing was sent, and nothing written",
    )


def _refuse_changed(index: OrderIndex) -> None:
    _refuse(
        (
            f"line {order.line}: order {printable(order.order_id, most=80)} was sent over {order.sent_amount} satoshi, "
            f"and now asks for {order.amount_sats}"
            + (" and something else (memo, metadata or expiry)" if order.amount_sats == order.sent_amount else "")
            for order in index.changed()
        ),
        "changed since an invoice was asked for, which exists or may exist: nothing was sent. Put the rows back, or "
        "give what is to be billed anew an order_id of its own",
    )


def _refuse(problems: Iterable[str], what: str) -> None:
    """Say the first problems and how many there are, and end the command; nothing if there are none."""
    count = 0
    for count, problem in enumerate(problems, 1):
        if count <= _LISTED:
            say(problem)
    if count > _LISTED:
        say(f"... and {count - _LISTED} more")
    if count:
        stop(f"{count} {'row' if count == 1 else 'rows'} {what}", USAGE)


def _report(outcome: Outcome, record: BulkRecord, *, orders: int, before: int, out: Path, as_json: bool) -> None:
    """Say what became of the run, and end the command with the code that belongs to it."""
    states = outcome.states
    summary = {
        "orders": orders,
        "created": states["created"],
        "created_before": before,
        "refused": states["refused"],
        "unknown": states["unknown"],
        "mismatch": states["mismatch"],
        "differing": outcome.differing,
        "to_settle": outcome.to_settle,
        "unrecorded": len(outcome.unrecorded),
        "not_sent": orders - before - sum(states.values()) - outcome.to_settle - len(outcome.unrecorded),
    }
    unmade = summary["not_sent"] + states["refused"] if outcome.ended_early else 0
    _explain(outcome, record, out, is_resumable=unmade + outcome.may_exist > outcome.to_settle)
    say(
        f"{orders} orders: "
        + ", ".join(
            f"{count} {name.replace('_', ' ')}"
            for name, count in summary.items()
            if count and name not in {"orders", "differing"}
        )
        + f"; {outcome.seconds:.1f} s; results in {out}"
    )
    if as_json:
        typer.echo(json.dumps({**summary, "seconds": round(outcome.seconds, 3), "results": str(out)}, indent=2))
    if outcome.may_exist:
        raise typer.Exit(OUTCOME_UNKNOWN)
    if states["refused"] or summary["not_sent"]:
        raise typer.Exit(REFUSED)


def _explain(outcome: Outcome, record: BulkRecord, out: Path, *, is_resumable: bool) -> None:
    if outcome.ended_by is not None:
        say(f"error: the run ended early: {outcome.ended_by.args[0]}")
    if outcome.write_failure is not None:
        say(f"error: the run ended early: {out} or its journal cannot be written: {outcome.write_failure.strerror}")
    if outcome.differing:
        say(f"{outcome.differing} invoices are not quite what was asked for: see their differences in {out}")
    for lost in outcome.unrecorded[:_LISTED]:
        invoice = "may exist" if lost.invoice_id is None else f"is {printable(lost.invoice_id, most=80)}"
        say(
            f"order {printable(lost.order_id, most=80)} is not in the results: its invoice {invoice}, its key is "
            f"{lost.key}"
        )
    if len(outcome.unrecorded) > _LISTED:
        say(f"... and {len(outcome.unrecorded) - _LISTED} more that are not in the results; the journal has their keys")
    for settle in outcome.settle:
        order = settle.order
        say(
            f"order {printable(order.order_id, most=80)} was not sent again: an invoice over {order.amount_sats} "
            f"satoshi may exist since {order.since}, {settle.why}. Look for it in Tazapay's dashboard, then add a "
            f"line to {out}: if it is there {record.settling(order, 'created')}, "
            f"else {record.settling(order, 'refused')}"
        )
    if outcome.to_settle > len(outcome.settle):
        say(f"... and {outcome.to_settle - len(outcome.settle)} more to be settled by hand")
    if is_resumable:
        say("to resume, run the same command again, within 23 hours")
