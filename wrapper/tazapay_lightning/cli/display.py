"""How the command line shows things: tables on stdout, the countdown of a wait on stderr."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self

import attrs
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tazapay_lightning import (
    Bolt11,
    ConfigurationError,
    InvalidBolt11Error,
    Invoice,
    InvoiceExpiredError,
    format_btc,
)
from tazapay_lightning.cli.outcomes import REFUSED, abandon_stdout, say, stop
from tazapay_lightning.values.safe_text import printable

__all__ = ["Countdown", "request_dict", "request_table", "show_invoice", "show_table"]

_NETWORKS = {"bc": "Bitcoin: real money", "tb": "testnet", "tbs": "signet", "bcrt": "regtest"}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def show_table(table: Table) -> None:
    """Print a table on stdout."""
    Console().print(table)


def _terminal_width() -> float:
    """Return how many columns stdout has; without end where it is no terminal."""
    console = Console()
    return console.width if console.is_terminal else math.inf


def _width_of_qr(drawn: str) -> int:
    """Return how many columns a QR code needs."""
    return max(len(line) for line in _ESCAPES.sub("", drawn).splitlines())


def show_invoice(invoice: Invoice, *, as_json: bool, qr: bool, insist: bool = False) -> None:
    """Print an invoice; `insist` makes it an error if there is no QR code to print."""
    try:
        if as_json:
            typer.echo(json.dumps(invoice.to_dict(), indent=2))  # ASCII only: it survives every terminal and pipe
            return
        show_table(_invoice_table(invoice))
        if invoice.bolt11 is not None and not invoice.is_paid and not invoice.is_expired:
            typer.echo(invoice.lightning_uri)  # on a line of its own, to be copied
        if qr:
            _show_qr(invoice, insist=insist)
    except BrokenPipeError:
        raise  # nobody reads any more, which is no failure
    except OSError as error:
        abandon_stdout()
        stop(f"invoice {printable(invoice.id)} cannot be printed: {error.strerror}", REFUSED, invoice.idempotency_key)


def _show_qr(invoice: Invoice, *, insist: bool) -> None:
    if invoice.is_paid:
        say("no QR code: the invoice is paid")
        return
    try:
        drawn = invoice.qr_terminal()
    except (InvoiceExpiredError, InvalidBolt11Error, ConfigurationError) as error:
        if insist:
            stop(str(error), REFUSED)
        say(f"no QR code: {error}")
        return
    columns = _width_of_qr(drawn)
    if _terminal_width() < columns:
        say(f"no QR code: it needs a terminal of {columns} columns")
        return
    typer.echo(drawn, nl=False)


def _invoice_table(invoice: Invoice) -> Table:
    """Return what a person wants to know of an invoice."""
    return _table(
        f"Lightning invoice {printable(invoice.id)}",
        {
            "amount": f"{format_btc(invoice.amount_sats)} BTC ({invoice.amount_sats:,} satoshi)",
            "memo": invoice.memo,
            "memo hash": invoice.memo_hash,
            "status": ", ".join(part for part in (invoice.status, invoice.payment_status) if part),
            "expires": "not said" if invoice.expires_at is None else _moment(invoice.expires_at),
            "metadata": json.dumps(dict(invoice.metadata), ensure_ascii=False) if invoice.metadata else None,
            "idempotency key": invoice.idempotency_key,
        },
    )


def request_table(request: Bolt11) -> Table:
    """Return what a person wants to know of a payment request."""
    return _table(
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


def request_dict(request: Bolt11) -> dict[str, object]:
    """Return everything that a payment request says, ready for JSON."""
    values = attrs.asdict(request, value_serializer=lambda _, __, value: _plain(value))
    return {**values, "expires_at": request.expires_at.isoformat()}


class Countdown:
    """A line on stderr that counts down to an invoice's expiry, redrawn each second; nothing where no terminal is.

    Args:
        invoice_id: of the invoice that is waited for.
    """

    def __init__(self, invoice_id: str) -> None:
        self._name = printable(invoice_id, most=80)
        self._invoice: Invoice | None = None
        console = Console(stderr=True)
        self._live = Live(self, console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def seen(self, invoice: Invoice) -> None:
        """Take the invoice as a look showed it."""
        self._invoice = invoice

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich__(self) -> Text:
        return Text(self.line(), no_wrap=True, overflow="ellipsis")

    def line(self) -> str:
        """Return the line as it reads now.

        Example:
            >>> countdown = Countdown("l11_1")
            >>> countdown.seen(Invoice.from_payload({"id": "l11_1", "amount": 5, "payment_status": "unpaid"}))
            >>> countdown.line()
            'l11_1: 0.00000005 BTC, unpaid (Ctrl-C stops waiting)'
        """
        invoice = self._invoice
        if invoice is None:
            return f"{self._name}: looking"
        state = printable(invoice.payment_status or "payment status not said", most=40)
        left = invoice.seconds_left
        until = "" if left is None or invoice.is_paid else f", expires in {_clock(left)}"
        return f"{self._name}: {format_btc(invoice.amount_sats)} BTC, {state}{until} (Ctrl-C stops waiting)"


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _amount(millisatoshi: int) -> str:
    satoshi, rest = divmod(millisatoshi, 1000)
    # exact: the default context has 28 digits, and all bitcoin are 19 digits of millisatoshi
    btc = format_btc(satoshi) if not rest else f"{Decimal(millisatoshi).scaleb(-11):f}"
    return f"{btc} BTC ({millisatoshi:,} millisatoshi)"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _table(title: str, rows: Mapping[str, str | None]) -> Table:
    table = Table(title=Text(title, style="bold"), show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")  # half a hash is none
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(printable(value)))  # Text: nothing from outside is read as markup
    return table
