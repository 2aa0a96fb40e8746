"""The commands about one invoice: ``create``, ``get``, ``update``, ``wait`` and ``pay``."""

from __future__ import annotations

import signal
import uuid
from typing import Annotated, Any

from tazapay_lightning import InvalidArgumentError, Invoice, LightningClient
from tazapay_lightning.cli import options
from tazapay_lightning.cli.display import place_of, show_invoice, show_payment, write_qr
from tazapay_lightning.cli.outcomes import exit_code, named, problems_explained, refusing, say, stop
from tazapay_lightning.cli.progress import countdown
from tazapay_lightning.cli.terminal import has_moving, spinner
from tazapay_lightning.values.durations import seconds
from tazapay_lightning.values.refusals import refused
from tazapay_lightning.values.safe_text import printable, shown


def create(
    amount_sats: Annotated[int | None, options.amount(help="The amount in satoshi.")] = None,
    amount_btc: Annotated[str | None, options.amount(help="The amount in BTC, at most 8 decimals.")] = None,
    memo_text: Annotated[str | None, options.memo("--memo", help="What the payer reads, at most 639 bytes.")] = None,
    memo_as_hash: Annotated[bool, options.memo("--memo-as-hash", help="Send only the SHA-256 of the memo.")] = False,
    memo_hash: Annotated[str | None, options.memo(help="The SHA-256 of a memo, 64 hex digits.")] = None,
    expires_in: Annotated[int | None, options.order(help="Seconds until the invoice expires.")] = None,
    metadata: Annotated[list[str] | None, options.METADATA] = None,
    idempotency_key: Annotated[str | None, options.order(help="To resume a call, or derived from your order.")] = None,
    is_waiting: Annotated[
        bool, options.waiting("--wait", help="Wait until it is paid, as the command wait does.")
    ] = False,
    timeout: options.Timeout = None,
    poll_interval: options.PollInterval = None,
    environment: options.Environment = None,
    base_url: options.BaseUrl = None,
    qr: options.Qr = True,
    qr_file: options.QrFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Create an invoice, and show the QR code that pays it.

    Examples:
        $ tazapay-lightning create --amount-sats 5000 --memo 'Order 7890' --idempotency-key order-7890

        $ tazapay-lightning create --amount-btc 0.00005 --expires-in 900 --wait

        $ tazapay-lightning create --amount-sats 5000 --qr-file qr.png --json > invoice.json
    """
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key  # to be told whatever ends the call
    with problems_explained(), client_of(environment, base_url) as client:
        _check_waiting(timeout, poll_interval, is_waiting=is_waiting)
        with problems_explained(key) as exists:
            amounts: dict[str, Any] = {"amount_sats": amount_sats, "amount_btc": amount_btc}
            with spinner(f"creating the invoice: {place_of(client)}"):
                invoice = client.create_invoice(
                    **amounts,
                    memo=memo_text,
                    memo_as_hash=memo_as_hash,
                    memo_hash=memo_hash,
                    expires_in=expires_in,
                    metadata=mapping_of(metadata) if metadata else None,
                    idempotency_key=key,
                )
            exists.append(invoice)
            if is_waiting and as_json:  # the document is that of the paid invoice; until then a payer needs this
                say(f"{named(invoice)}: {printable(invoice.lightning_uri or 'no payment request')}")
            else:  # while it waits, a terminal shows the QR code beside the countdown
                show_invoice(invoice, client, as_json=as_json, qr=qr and not (is_waiting and has_moving()))
            if qr_file is not None:
                write_qr(invoice, qr_file)
        if is_waiting:
            invoice = _paid(client, invoice, timeout=timeout, poll_interval=poll_interval, qr=qr)
            with problems_explained(key) as exists:
                exists.append(invoice)
                if as_json:
                    show_invoice(invoice, client, as_json=True)
                else:
                    show_payment(invoice)


def get(
    invoice_id: options.InvoiceId,
    environment: options.Environment = None,
    base_url: options.BaseUrl = None,
    qr: options.Qr = False,
    qr_file: options.QrFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show an invoice as it is now.

    Examples:
        $ tazapay-lightning get l11_abc123xyz --qr

        $ tazapay-lightning get l11_abc123xyz --qr-file qr.svg
    """
    with problems_explained(), client_of(environment, base_url) as client:
        with spinner(f"looking at the invoice: {place_of(client)}"):
            invoice = client.get_invoice(invoice_id)
        show_invoice(invoice, client, as_json=as_json, qr=qr, insist=True)
        if qr_file is not None:
            write_qr(invoice, qr_file)


def update(
    invoice_id: options.InvoiceId,
    metadata: Annotated[list[str], options.METADATA],
    environment: options.Environment = None,
    base_url: options.BaseUrl = None,
    as_json: options.AsJson = False,
) -> None:
    """Set the metadata of an invoice; nothing else of it can be changed.

    Examples:
        $ tazapay-lightning update l11_abc123xyz --metadata order_id=7890 --metadata table=4
    """
    with problems_explained(), client_of(environment, base_url) as client:
        with spinner(f"updating the invoice: {place_of(client)}"):
            invoice = client.update_invoice(invoice_id, metadata=mapping_of(metadata))
        show_invoice(invoice, client, as_json=as_json)


def wait(
    invoice_id: options.InvoiceId,
    timeout: options.Timeout = None,
    poll_interval: options.PollInterval = None,
    environment: options.Environment = None,
    base_url: options.BaseUrl = None,
    qr: options.Qr = True,
    as_json: options.AsJson = False,
) -> None:
    """Wait until an invoice is paid: exit code 0 if it is, 1 if it expired or the time is up.

    Examples:
        $ tazapay-lightning wait l11_abc123xyz && echo paid

        $ tazapay-lightning wait l11_abc123xyz --timeout 600 --json
    """
    with problems_explained(), client_of(environment, base_url) as client:
        invoice = _paid(client, invoice_id, timeout=timeout, poll_interval=poll_interval, qr=qr)
        show_invoice(invoice, client, as_json=as_json)


def pay(
    invoice_id: options.InvoiceId,
    environment: options.Environment = None,
    base_url: options.BaseUrl = None,
    as_json: options.AsJson = False,
) -> None:
    """Pay an invoice of the emulator, as its payer would; an invoice of another service needs a wallet.

    Examples:
        $ tazapay-lightning pay l11_abc123xyz
    """
    with problems_explained(), client_of(environment, base_url) as client:
        from tazapay_lightning.cli.emulated import EmulatorControl  # for this command alone

        control = EmulatorControl(client.base_url)
        with spinner(f"paying the invoice: {place_of(client)}"):
            client.get_invoice(invoice_id)
            control.pay(invoice_id)
            invoice = client.get_invoice(invoice_id)
        show_invoice(invoice, client, as_json=as_json)


def _paid(
    client: LightningClient, invoice: Invoice | str, *, timeout: float | None, poll_interval: float | None, qr: bool
) -> Invoice:
    """Wait until an invoice is paid, and return it."""
    with problems_explained(heeds_signals=True):  # a terminal gets its cursor back then
        try:
            with countdown(invoice, qr=qr) as look:
                return client.wait_for_payment(invoice, timeout=timeout, poll_interval=poll_interval, on_poll=look)
        except KeyboardInterrupt as interrupt:
            _, number = interrupt.args or ("", signal.SIGINT)
            known = invoice if isinstance(invoice, Invoice) else None
            stop("interrupted; the invoice can still be paid", exit_code(stopped_by=number), invoice=known)


def _check_waiting(timeout: float | None, poll_interval: float | None, *, is_waiting: bool) -> None:
    """Refuse what is wrong with the wait before an invoice is created for it."""
    for name, value in (("timeout", timeout), ("poll_interval", poll_interval)):
        if value is not None and not is_waiting:
            raise InvalidArgumentError(f"{name} is for --wait", argument=name)
        if value is not None:
            seconds(value, argument=name)


def mapping_of(entries: list[str]) -> dict[str, object]:
    """Return the mapping that options such as ``--metadata order_id=7890`` make."""
    mapping: dict[str, object] = {}
    for entry in entries:
        key, separator, value = entry.partition("=")
        if not separator or not key or key in mapping:
            raise refused("metadata", "KEY=VALUE, as in order_id=7890, with each key once", shown(entry))
        mapping[key] = value
    return mapping


def client_of(environment: str | None, base_url: str | None) -> LightningClient:
    """Return the client of a command, whose options are refused by their names."""
    with refusing():
        return LightningClient(environment=environment, base_url=base_url)  # type: ignore[arg-type]  # checked there
