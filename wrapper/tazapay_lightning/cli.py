"""The command line: ``tazapay-lightning demo | create | emulator`` (extra ``[cli]``), on top of the public API only.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 refused or failed, 2 usage, 3 an invoice may
exist (the key to resume with is printed). Credentials come from the environment, never from an option: options stay in
the shell's history and show in the list of processes.
"""

from __future__ import annotations

import io
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tazapay_lightning import (
    APIError,
    ConfigurationError,
    InvalidArgumentError,
    Invoice,
    LightningClient,
    TazapayError,
    __version__,
    format_btc,
)
from tazapay_lightning.messages import printable, shown

if TYPE_CHECKING:
    from types import ModuleType

REFUSED, USAGE, OUTCOME_UNKNOWN = 1, 2, 3

app = typer.Typer(
    help="Create Lightning invoices with Tazapay. Credentials: TAZAPAY_API_KEY and TAZAPAY_API_SECRET.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print the local variables of every frame
)
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tazapay-lightning {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that a terminal cannot show is no reason to lose an invoice
            stream.reconfigure(errors="backslashreplace")


@app.command()
def demo(as_json: _JSON = False) -> None:
    """Start the emulator on this machine, create an invoice with it, and show it: offline, no account needed."""
    with (
        _problems_explained(),
        _emulator().running_emulator() as tazapay,
        LightningClient(tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url) as client,
    ):
        _say(f"emulator of Tazapay at {tazapay.base_url}")
        invoice = client.create_invoice(
            amount_btc="0.00123456",
            memo="Payment for order #7890",
            metadata={"order_id": "7890", "customer_id": "cust_456"},
            expires_in=900,
        )
        _show(invoice, as_json=as_json)


@app.command()
def create(
    amount_sats: Annotated[int | None, typer.Option(help="The amount in satoshi.")] = None,
    amount_btc: Annotated[str | None, typer.Option(help="The amount in BTC, at most 8 decimals.")] = None,
    memo: Annotated[str | None, typer.Option(help="What the payer reads, at most 639 bytes.")] = None,
    memo_as_hash: Annotated[bool, typer.Option("--memo-as-hash", help="Send only the SHA-256 of the memo.")] = False,
    memo_hash: Annotated[str | None, typer.Option(help="The SHA-256 of a memo, 64 hex digits.")] = None,
    expires_in: Annotated[int | None, typer.Option(help="Seconds until the invoice expires.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be repeated.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Resume a call whose outcome is unknown, or derive it from your order.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help='"sandbox" or "production"; or TAZAPAY_ENVIRONMENT; or sandbox.')
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Another address; or TAZAPAY_BASE_URL.")] = None,
    as_json: _JSON = False,
) -> None:
    """Create an invoice."""
    with _problems_explained():
        attached = None if metadata is None else _mapping(metadata)
        # made here, so that it can be printed even if the call is interrupted
        key = idempotency_key if idempotency_key is not None else str(uuid.uuid4())
        with LightningClient(environment=environment, base_url=base_url) as client:  # type: ignore[arg-type]  # checked there
            try:
                invoice = client.create_invoice(
                    amount_sats=amount_sats,
                    amount_btc=amount_btc,
                    memo=memo,
                    memo_as_hash=memo_as_hash,
                    memo_hash=memo_hash,
                    expires_in=expires_in,
                    metadata=attached,
                    idempotency_key=key,
                )
            except KeyboardInterrupt:
                _stop("interrupted", OUTCOME_UNKNOWN, key)
        _show(invoice, as_json=as_json)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8787,
    db: Annotated[Path | None, typer.Option(help="Keep the invoices in this SQLite file.", dir_okay=False)] = None,
    data_as_string: Annotated[
        bool, typer.Option("--data-as-string", help="Send `data` as JSON text, as the published document types it.")
    ] = False,
) -> None:
    """Run the emulator of Tazapay on this machine until Ctrl-C."""
    package = _emulator()

    def announce(base_url: str) -> None:
        _say(f"emulator of Tazapay at {base_url}; in another terminal:")
        for name, value in (
            ("TAZAPAY_BASE_URL", base_url),
            ("TAZAPAY_API_KEY", package.DEFAULT_API_KEY),
            ("TAZAPAY_API_SECRET", package.DEFAULT_API_SECRET),  # opens nothing but this emulator
        ):
            typer.echo(f"export {name}={value}")

    try:
        package.serve(
            port=port, database=":memory:" if db is None else db, data_as_string=data_as_string, on_ready=announce
        )
    except package.EmulatorError as error:
        _stop(str(error), REFUSED)


@contextmanager
def _problems_explained() -> Iterator[None]:
    """Turn each documented error into one message and an exit code."""
    try:
        yield
    except InvalidArgumentError as error:
        _stop(str(error), USAGE)
    except ConfigurationError as error:
        _stop(str(error), REFUSED)
    except APIError as error:
        if not error.outcome_unknown:
            _stop(str(error), REFUSED)
        # without the advice that is meant for programs: `_stop` gives the one for the command line
        _stop(str(error.args[0]), OUTCOME_UNKNOWN, error.idempotency_key)
    except TazapayError as error:
        _stop(str(error), REFUSED)


def _stop(message: str, code: int, idempotency_key: str | None = None) -> NoReturn:
    _say(f"error: {message}")
    if idempotency_key is not None:
        _say(f"an invoice may exist: to resume, repeat the command with --idempotency-key {quote(idempotency_key)}")
    raise typer.Exit(code)


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _emulator() -> ModuleType:
    try:
        import starlette  # noqa: F401 - the emulator's own imports happen later, as it starts
        import uvicorn  # noqa: F401 - likewise

        import tazapay_lightning_emulator
    except ModuleNotFoundError as error:
        _stop(f'the emulator needs {error.name}: pip install "tazapay-lightning[emulator]"', REFUSED)
    return tazapay_lightning_emulator


def _mapping(entries: list[str]) -> dict[str, object]:
    mapping: dict[str, object] = {}
    for entry in entries:
        key, separator, value = entry.partition("=")
        if not separator or not key:
            raise InvalidArgumentError(
                f"metadata must be KEY=VALUE, as in order_id=7890; got {shown(entry)}", argument="metadata"
            )
        if key in mapping:
            raise InvalidArgumentError(f"metadata has the key {shown(key)} twice", argument="metadata")
        mapping[key] = value
    return mapping


def _show(invoice: Invoice, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(invoice.to_dict(), indent=2))  # ASCII only: it survives every terminal and pipe
        return
    expiry = "not said" if invoice.expires_at is None else f"{invoice.expires_at:%Y-%m-%d %H:%M:%S %Z}"
    rows = {
        "amount": f"{format_btc(invoice.amount_sats)} BTC ({invoice.amount_sats:,} satoshi)",
        "memo": invoice.memo,
        "memo hash": invoice.memo_hash,
        "status": ", ".join(part for part in (invoice.status, invoice.payment_status) if part),
        "expires": expiry,
        "metadata": json.dumps(dict(invoice.metadata), ensure_ascii=False) if invoice.metadata else None,
        "idempotency key": invoice.idempotency_key,
    }
    table = Table(
        title=Text(f"Lightning invoice {printable(invoice.id)}", style="bold"), show_header=False, title_justify="left"
    )
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(printable(str(value))))  # Text: nothing from outside is read as markup
    Console().print(table)
