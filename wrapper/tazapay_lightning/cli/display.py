"""Invoices and payment requests as text on stdout; on stderr the countdown of a wait and the progress of a bulk run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from decimal import Decimal

import attrs
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from tazapay_lightning import Bolt11, Invoice, TazapayError, format_btc
from tazapay_lightning.cli.outcomes import put, put_json, say, stop
from tazapay_lightning.values.safe_text import printable

_NETWORKS = {"bc": "Bitcoin: real money", "tb": "testnet", "tbs": "signet", "bcrt": "regtest"}


def show_invoice(invoice: Invoice, *, as_json: bool, qr: bool, insist: bool = False) -> None:
    """Print an invoice; `insist` makes it an error if there is no QR code to print."""
    name = f"invoice {printable(invoice.id)}"
    if as_json:
        put_json(invoice.to_dict(), name)
        return
    shown = _table(
        f"Lightning {name}",
        {
            "amount": f"{format_btc(invoice.amount_sats)} BTC ({invoice.amount_sats:,} satoshi)",
            "memo": invoice.memo,
            "memo hash": invoice.memo_hash,
            "status": ", ".join(part for part in (invoice.status, invoice.payment_status) if part),
            "expires": "unknown" if invoice.expires_at is None else _moment(invoice.expires_at),
            "metadata": json.dumps(dict(invoice.metadata), ensure_ascii=False) if invoice.metadata else None,
            "not as asked": "; ".join(f"{it.field}: {it.received} instead of {it.asked}" for it in invoice.differences),
            "idempotency key": invoice.idempotency_key,
        },
    )
    if invoice.bolt11 is not None and not invoice.is_paid and not invoice.is_expired:
        shown += f"{invoice.lightning_uri}\n"  # on a line of its own, to be copied
    put(shown, name)
    put(_qr(invoice, insist=insist) if qr else "", name)


def _qr(invoice: Invoice, *, insist: bool) -> str:
    """Return the QR code of an invoice; nothing, and say why, where there is none that can be scanned."""
    try:
        drawn, problem = "" if invoice.is_paid else invoice.qr_terminal(), "the invoice is paid"
    except (TazapayError, ValueError) as error:  # a payment request can be too long for a QR code
        if insist:
            stop(str(error))
        drawn, problem = "", str(error)
    console, columns = Console(), max((line.cell_len for line in Text.from_ansi(drawn).split()), default=0)
    if console.is_terminal and console.width < columns:
        drawn, problem = "", f"it needs a terminal of {columns} columns"
    if not drawn:
        say(f"no QR code: {problem}")
    return drawn


def show_request(request: Bolt11, *, as_json: bool) -> None:
    """Print all that a payment request says."""
    if as_json:
        put_json({**attrs.asdict(request), "expires_at": request.expires_at}, "the payment request")
        return
    shown = _table(
        "BOLT11 payment request",
        {
            "network": f"{request.network} ({_NETWORKS[request.network]})",
            "amount": "whatever the payer chooses" if request.amount_msat is None else _amount(request.amount_msat),
            "description": request.description,
            "description hash": request.description_hash,
            "payment hash": request.payment_hash,
            "payee": request.payee,
            "made": _moment(request.timestamp),
            "expires": _moment(request.expires_at),
        },
    )
    put(shown, "the payment request")
    say("the signature was not verified: anybody can have written this")


@contextmanager
def countdown(invoice_id: str) -> Iterator[Callable[[Invoice], None]]:
    """Count down to an invoice's expiry on stderr, if it is a terminal; yield the function that takes each look."""
    looks: list[Invoice] = []

    def line() -> Text:
        text = _countdown(looks[-1]) if looks else f"{printable(invoice_id, most=80)}: looking"
        return Text(text, no_wrap=True, overflow="ellipsis")

    console = Console(stderr=True)
    with Live(get_renderable=line, console=console, transient=True) if console.is_terminal else nullcontext():
        yield looks.append


@contextmanager
def progress(total: int) -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show a bar within the block, and yield the function that moves it, which takes how many ended in each state."""
    console, began = Console(stderr=True), time.monotonic()
    if not console.is_terminal:  # a bar that is disabled still prints an empty line, with rich 13.9
        yield lambda states: None
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("0.0/s, 0 failed", total=total)

    def update(states: Mapping[str, int]) -> None:
        done, seconds = sum(states.values()), time.monotonic() - began
        note = f"{done / max(seconds, 1e-9):.1f}/s, {done - states.get('created', 0)} failed"
        bar.update(task, completed=done, description=note)

    bar.start()
    try:
        yield update
    finally:
        with suppress(OSError):  # the terminal is closed
            bar.stop()


def _countdown(invoice: Invoice) -> str:
    """Return the line of an invoice as it reads now.

    Example:
        >>> _countdown(Invoice.from_payload({"id": "l11_1", "amount": 5, "payment_status": "unpaid"}))
        'l11_1: 0.00000005 BTC, unpaid (Ctrl-C stops waiting)'
    """
    state = printable(invoice.payment_status or "payment status unknown", most=40)
    left = invoice.seconds_left
    until = "" if left is None or invoice.is_paid else f", expires in {timedelta(seconds=int(left))}"
    name = printable(invoice.id, most=80)
    return f"{name}: {format_btc(invoice.amount_sats)} BTC, {state}{until} (Ctrl-C stops waiting)"


def _amount(millisatoshi: int) -> str:
    satoshi, rest = divmod(millisatoshi, 1000)
    # exact: the default context has 28 digits, and all bitcoin are 19 digits of millisatoshi
    btc = format_btc(satoshi) if not rest else f"{Decimal(millisatoshi).scaleb(-11):f}"
    return f"{btc} BTC ({millisatoshi:,} millisatoshi)"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _table(title: str, rows: Mapping[str, str | None]) -> str:
    """Return a title and a line for each row that has a value; whole, since half a hash is none."""
    lines = (f"  {name:16} {printable(value)}\n" for name, value in rows.items() if value)
    return "".join([f"{title}\n", *lines])
