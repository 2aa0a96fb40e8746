"""Invoices and payment requests as text and as documents on stdout, and invoices as pictures."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from shlex import quote

import attrs

from tazapay_lightning import AsyncLightningClient, Bolt11, Invoice, LightningClient, TazapayError, format_btc
from tazapay_lightning.cli.outcomes import named, put, put_json, say, stop
from tazapay_lightning.cli.terminal import BLOCKS, coloured, has_blocks, stdout_size
from tazapay_lightning.values.safe_text import printable

_NETWORKS = {"bc": "Bitcoin: real money", "tb": "testnet", "tbs": "signet", "bcrt": "regtest"}


def environment_of(client: LightningClient | AsyncLightningClient) -> str:
    """Return what a client talks to: "sandbox", "production" or "emulator", for which alone plain http is."""
    return "emulator" if client.base_url.startswith("http:") else client.environment


def place_of(client: LightningClient | AsyncLightningClient) -> str:
    """Return what a client talks to, with its address."""
    return f"{environment_of(client)} ({client.base_url})"


def show_invoice(
    invoice: Invoice,
    client: LightningClient,
    *,
    as_json: bool,
    qr: bool = False,
    insist: bool = False,
    command: str = "",
) -> None:
    """Print an invoice.

    Args:
        invoice: the invoice.
        client: what it came from.
        as_json: print a document instead.
        qr: print its QR code too.
        insist: it is an error if there is none.
        command: the command that writes the QR code to a file, where it cannot be shown; ``get`` if left out.
    """
    if as_json:
        put_json({"environment": environment_of(client), **invoice.to_dict()}, named(invoice))
        return
    shown = _table(
        f"Lightning {named(invoice)}",
        {
            "environment": place_of(client),
            "amount": _btc(invoice),
            "memo": invoice.memo,
            "memo hash": invoice.memo_hash,
            "status": ", ".join(part for part in (invoice.status, invoice.payment_status) if part),
            "expires": "unknown" if invoice.expires_at is None else _moment(invoice.expires_at),
            "metadata": json.dumps(dict(invoice.metadata), ensure_ascii=False) if invoice.metadata else None,
            "not as asked": "; ".join(f"{it.field}: {it.received} instead of {it.asked}" for it in invoice.differences),
            "idempotency key": invoice.idempotency_key,
        },
        green="status" if invoice.is_paid else "",
    )
    if invoice.bolt11 is not None and not invoice.is_paid and not invoice.is_expired:
        shown += f"{invoice.lightning_uri}\n"  # on a line of its own, to be copied
    put(shown, named(invoice))
    if qr:
        _show_qr(invoice, insist=insist, command=command)


def show_payment(invoice: Invoice) -> None:
    """Print that an invoice, which was shown before, is paid."""
    put(f"{coloured('paid', 'green')}: {named(invoice)}, {_btc(invoice)}\n", named(invoice))


def _show_qr(invoice: Invoice, *, insist: bool, command: str) -> None:
    try:
        drawn, problem = draw(invoice, *stdout_size(), command=command, in_blocks=has_blocks(sys.stdout))
    except (TazapayError, ValueError) as error:  # expired, or no payment request, or one too long for a QR code
        if insist:
            stop(str(error))
        drawn, problem = "", f"no QR code: {error}"
    if problem:
        say(problem)
    put(drawn, named(invoice))


def draw(invoice: Invoice, columns: int, rows: int, *, in_blocks: bool, command: str = "") -> tuple[str, str]:
    """Return the QR code of an invoice; or nothing, and why it would not be seen whole.

    Args:
        invoice: the invoice.
        columns: of the terminal; 0 for as many as it takes.
        rows: likewise; one of them stays free, for what is typed next.
        in_blocks: whether there are characters to draw it with.
        command: what writes it to a file instead; ``get`` if left out.

    Raises:
        TazapayError: there is no QR code of it.
    """
    if invoice.is_paid:
        return "", "no QR code: the invoice is paid"
    drawn, problem = _drawn(invoice), ""
    lines = drawn.splitlines()
    needed = sum(character in BLOCKS for character in lines[0]), len(lines) + 1
    if not in_blocks:
        problem = "the encoding of this output has no blocks for it"
    elif 0 < columns < needed[0] or 0 < rows < needed[1]:
        window = f"a window of {needed[0]} columns and {needed[1]} rows"
        problem = f"it needs {window}, and this one has {columns} and {rows}"
    if not problem:
        return drawn, ""
    command = command or f"tazapay-lightning get {quote(printable(invoice.id, most=80))} --qr-file qr.png"
    return "", f"no QR code: {problem}; see it with {command}"


_drawn = lru_cache(maxsize=1)(Invoice.qr_terminal)  # a countdown shows it four times a second


def write_qr(invoice: Invoice, path: Path) -> None:
    """Write the QR code of an invoice to a file, all of it or nothing: who looks at the file sees no half of it.

    Raises:
        TazapayError: there is no QR code, or the file cannot be written.
    """
    if invoice.is_paid:
        say(f"no QR code in {path}: the invoice is paid")
        return
    try:
        if path.suffix.lower() == ".png":
            image = invoice.qr_png()
        else:  # an element of a page needs no namespace, a file of its own does
            image = invoice.qr_svg().replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1).encode()
    except (TazapayError, ValueError) as error:
        raise TazapayError(f"{named(invoice)} has no QR code: {error}") from error
    whole = Path(os.path.realpath(path))  # a link stays one
    aside = whole.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        aside.write_bytes(image)
        aside.replace(whole)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise TazapayError(f"the QR code of {named(invoice)} cannot be written to {path}: {error.strerror}") from error


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


def _btc(invoice: Invoice) -> str:
    return f"{format_btc(invoice.amount_sats)} BTC ({invoice.amount_sats:,} satoshi)"


def _amount(millisatoshi: int) -> str:
    satoshi, rest = divmod(millisatoshi, 1000)
    # exact: the default context has 28 digits, and all bitcoin are 19 digits of millisatoshi
    btc = format_btc(satoshi) if not rest else f"{Decimal(millisatoshi).scaleb(-11):f}"
    return f"{btc} BTC ({millisatoshi:,} millisatoshi)"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _table(title: str, rows: Mapping[str, str | None], *, green: str = "") -> str:
    """Return a title and a line for each row that has a value; whole, since half a hash is none."""
    shown = {name: printable(value) for name, value in rows.items() if value}
    shown |= {name: coloured(shown[name], "green") for name in shown.keys() & {green}}
    return "".join([f"{title}\n", *(f"  {name:16} {value}\n" for name, value in shown.items())])
