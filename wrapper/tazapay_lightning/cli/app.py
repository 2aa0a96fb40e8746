"""The command line ``tazapay-lightning`` (extra ``[cli]``), on top of the public API only.

Commands: ``demo``, ``create``, ``get``, ``update``, ``wait``, ``bulk``, ``decode``, ``emulator``. Results go to stdout,
everything else to stderr. Exit codes: 0 done, 1 refused or failed (an invoice that expired unpaid too, and a result of
``get``, ``update`` or ``wait`` that could not be printed), 2 usage, 3 an invoice exists or may exist and was not shown
(its id or key is on stderr), 130 Ctrl-C with nothing in doubt (128 and the number of another signal). Credentials come
from the environment, never from an option: options stay in the shell's history and show in the list of processes.
"""

from __future__ import annotations

import io
import logging
import sys
import uuid
from typing import Annotated, Any

import typer

from tazapay_lightning import InvalidArgumentError, LightningClient, __version__, decode_bolt11
from tazapay_lightning.cli.bulk import bulk
from tazapay_lightning.cli.display import countdown, show_invoice, show_request
from tazapay_lightning.cli.emulator_command import emulator, installed_emulator
from tazapay_lightning.cli.options import AsJson, BaseUrl, Environment
from tazapay_lightning.cli.outcomes import Commands, problems_explained, put, refusing, say, stop
from tazapay_lightning.values.refusals import refused
from tazapay_lightning.values.safe_text import printable, shown

app = typer.Typer(
    cls=Commands,
    help="Create Lightning invoices with Tazapay. Credentials: TAZAPAY_API_KEY and TAZAPAY_API_SECRET.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print the local variables of every frame
)
logging.getLogger("tazapay_lightning").addHandler(logging.NullHandler())  # the commands tell it in their own words
_ID = Annotated[str, typer.Argument(metavar="ID", help="The id of an invoice, such as l11_abc123xyz.")]
_METADATA = typer.Option(metavar="KEY=VALUE", help="May be repeated.")
_QR = Annotated[bool, typer.Option(help="Print a QR code of the payment request.")]


def _version(wanted: bool) -> None:
    if wanted:
        with problems_explained():
            put(f"tazapay-lightning {__version__}\n", "the version")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that a terminal cannot show is no reason to lose an invoice
            stream.reconfigure(errors="backslashreplace")


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Start the emulator on this machine, create an invoice with it, and show it: offline, no account needed."""
    with (
        problems_explained(),
        installed_emulator().running_emulator() as tazapay,
        LightningClient(tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url) as client,
    ):
        say(f"emulator of Tazapay at {tazapay.base_url}")
        invoice = client.create_invoice(
            amount_btc="0.00123456",
            memo="Payment for order #7890",
            metadata={"order_id": "7890", "customer_id": "cust_456"},
            expires_in=900,
        )
        show_invoice(invoice, as_json=as_json, qr=True)


@app.command()
def create(
    amount_sats: Annotated[int | None, typer.Option(help="The amount in satoshi.")] = None,
    amount_btc: Annotated[str | None, typer.Option(help="The amount in BTC, at most 8 decimals.")] = None,
    memo: Annotated[str | None, typer.Option(help="What the payer reads, at most 639 bytes.")] = None,
    memo_as_hash: Annotated[bool, typer.Option("--memo-as-hash", help="Send only the SHA-256 of the memo.")] = False,
    memo_hash: Annotated[str | None, typer.Option(help="The SHA-256 of a memo, 64 hex digits.")] = None,
    expires_in: Annotated[int | None, typer.Option(help="Seconds until the invoice expires.")] = None,
    metadata: Annotated[list[str] | None, _METADATA] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="To resume a call, or derived from your order.")] = None,
    environment: Environment = None,
    base_url: BaseUrl = None,
    qr: _QR = True,
    as_json: AsJson = False,
) -> None:
    """Create an invoice, and show the QR code that pays it."""
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key  # to be told whatever ends the call
    with problems_explained(), _client(environment, base_url) as client, problems_explained(key) as exists:
        amount: dict[str, Any] = {"amount_sats": amount_sats, "amount_btc": amount_btc}
        invoice = client.create_invoice(
            **amount,
            memo=memo,
            memo_as_hash=memo_as_hash,
            memo_hash=memo_hash,
            expires_in=expires_in,
            metadata=_mapping(metadata) if metadata else None,
            idempotency_key=key,
        )
        exists.append(f"invoice {printable(invoice.id)}")
        show_invoice(invoice, as_json=as_json, qr=qr)


@app.command()
def get(
    invoice_id: _ID, environment: Environment = None, base_url: BaseUrl = None, qr: _QR = False, as_json: AsJson = False
) -> None:
    """Show an invoice as it is now."""
    with problems_explained(), _client(environment, base_url) as client:
        show_invoice(client.get_invoice(invoice_id), as_json=as_json, qr=qr, insist=True)


@app.command()
def update(
    invoice_id: _ID,
    metadata: Annotated[list[str], _METADATA],
    environment: Environment = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set the metadata of an invoice; nothing else of it can be changed."""
    with problems_explained(), _client(environment, base_url) as client:
        show_invoice(client.update_invoice(invoice_id, metadata=_mapping(metadata)), as_json=as_json, qr=False)


@app.command()
def wait(
    invoice_id: _ID,
    timeout: Annotated[float | None, typer.Option(help="Seconds at most; left out, until the invoice expires.")] = None,
    poll_interval: Annotated[float | None, typer.Option(help="Seconds between the first two looks.")] = None,
    environment: Environment = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Wait until an invoice is paid: exit code 0 if it is, 1 if it expired or the time is up."""
    with problems_explained(), _client(environment, base_url) as client:
        try:
            with countdown(invoice_id) as look:
                invoice = client.wait_for_payment(
                    invoice_id, timeout=timeout, poll_interval=poll_interval, on_poll=look
                )
        except KeyboardInterrupt:
            stop("interrupted; the invoice can still be paid", 130)
        show_invoice(invoice, as_json=as_json, qr=False)


app.command()(bulk)


@app.command()
def decode(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A BOLT11 payment request; - reads it from stdin.")],
    as_json: AsJson = False,
) -> None:
    """Show a BOLT11 payment request. Its signature is not verified."""
    with problems_explained():
        if text == "-":
            try:
                text = sys.stdin.buffer.read(10_000).decode("ascii", "replace")  # more than a payment request has
            except (AttributeError, OSError) as error:  # it is closed, as `<&-` does, or a directory
                reason = getattr(error, "strerror", None) or "it is closed"
                raise InvalidArgumentError(f"nothing can be read from stdin: {reason}", argument="text") from None
        show_request(decode_bolt11(text), as_json=as_json)


app.command()(emulator)


def _mapping(entries: list[str]) -> dict[str, object]:
    mapping: dict[str, object] = {}
    for entry in entries:
        key, separator, value = entry.partition("=")
        if not separator or not key or key in mapping:
            raise refused("metadata", "KEY=VALUE, as in order_id=7890, with each key once", shown(entry))
        mapping[key] = value
    return mapping


def _client(environment: str | None, base_url: str | None) -> LightningClient:
    with refusing():
        return LightningClient(environment=environment, base_url=base_url)  # type: ignore[arg-type]  # checked there
