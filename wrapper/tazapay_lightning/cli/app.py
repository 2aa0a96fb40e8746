"""The command line ``tazapay-lightning`` (extra ``[cli]``), on top of the public API only; what follows is its help.

Create Lightning invoices with Tazapay. Credentials: TAZAPAY_API_KEY and TAZAPAY_API_SECRET.

Examples:
    $ tazapay-lightning demo

    $ tazapay-lightning create --amount-sats 5000 --memo 'Order 7890'

    $ tazapay-lightning bulk orders.csv --out results.jsonl
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from tazapay_lightning import InvalidArgumentError, LightningClient, __version__, decode_bolt11
from tazapay_lightning.cli.bulk import bulk
from tazapay_lightning.cli.display import show_invoice, show_payment, show_request, write_qr
from tazapay_lightning.cli.emulator_command import emulator, installed_emulator
from tazapay_lightning.cli.invoices import create, get, pay, update, wait
from tazapay_lightning.cli.options import INVOICES, MANY, OFFLINE, AsJson, QrFile
from tazapay_lightning.cli.outcomes import Commands, problems_explained, put, say

app = typer.Typer(
    cls=Commands,
    help=(__doc__ or "").partition("\n\n")[2],
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,  # they print the local variables of every frame
)
logging.getLogger("tazapay_lightning").addHandler(logging.NullHandler())  # the commands tell it in their own words


def _version(wanted: bool) -> None:
    if wanted:
        with problems_explained():
            put(f"tazapay-lightning {__version__}\n", "the version")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Take what comes before the command."""


@app.command(rich_help_panel=OFFLINE)
def demo(qr_file: QrFile = None, as_json: AsJson = False) -> None:
    """Start the emulator on this machine, create an invoice with it, and pay it: offline, no account needed.

    Examples:
        $ tazapay-lightning demo

        $ tazapay-lightning demo --json
    """
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
        if not as_json:
            see = "tazapay-lightning demo --qr-file qr.png"  # this one's emulator is about to end
            show_invoice(invoice, client, as_json=False, qr=True, command=see)
        if qr_file is not None:
            write_qr(invoice, qr_file)
        say("paying it, as a wallet would that scans its QR code")
        tazapay.pay(invoice.id)
        paid = client.wait_for_payment(invoice)
        if as_json:
            show_invoice(paid, client, as_json=True)
        else:
            show_payment(paid)
        say("next: run tazapay-lightning emulator, paste the lines that it prints into another terminal, and there:")
        say("tazapay-lightning create --amount-sats 5000 --wait")


for each in (create, get, update, wait):
    app.command(rich_help_panel=INVOICES)(each)


app.command(rich_help_panel=MANY)(bulk)
app.command(rich_help_panel=OFFLINE)(pay)


@app.command(rich_help_panel=INVOICES)
def decode(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A BOLT11 payment request; - reads it from stdin.")],
    as_json: AsJson = False,
) -> None:
    """Show a BOLT11 payment request. Its signature is not verified.

    Examples:
        $ tazapay-lightning decode - < request.txt
    """
    with problems_explained():
        if text == "-":
            try:
                text = sys.stdin.buffer.read(10_000).decode("ascii", "replace")  # more than a payment request has
            except (AttributeError, OSError) as error:  # it is closed, as `<&-` does, or a directory
                reason = getattr(error, "strerror", None) or "it is closed"
                raise InvalidArgumentError(f"nothing can be read from stdin: {reason}", argument="text") from None
        show_request(decode_bolt11(text), as_json=as_json)


app.command(rich_help_panel=OFFLINE)(emulator)
