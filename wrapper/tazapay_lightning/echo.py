"""Is the invoice that came back the one that was asked for?"""

from __future__ import annotations

import logging

import attrs

from tazapay_lightning.amounts import format_btc
from tazapay_lightning.errors import InvoiceMismatchError
from tazapay_lightning.invoice import Difference, Invoice
from tazapay_lightning.messages import printable
from tazapay_lightning.request import InvoiceRequest

__all__ = ["find_differences", "verify_echo"]

_logger = logging.getLogger("tazapay_lightning")
_AMOUNT = "amount_sats"


def verify_echo(request: InvoiceRequest, invoice: Invoice, *, strict: bool) -> Invoice:
    """Return the invoice with its differences from the request listed and logged, by name and not by value.

    Raises:
        InvoiceMismatchError: if the amount differs and `strict` is set.
    """
    differences = find_differences(request, invoice)
    if not differences:
        return invoice
    invoice = attrs.evolve(invoice, differences=differences)
    name = printable(invoice.id, most=80)
    if strict and any(difference.field == _AMOUNT for difference in differences):
        raise InvoiceMismatchError(
            f"asked for {_both_units(request.amount_sats)}, but invoice {name} is over "
            f"{_both_units(invoice.amount_sats)}; do not show it to a payer. "
            "An idempotency key that was used before for another amount is answered with the invoice of that time",
            invoice=invoice,
            differences=differences,
        )
    _logger.warning(
        "invoice %s is not quite what was asked for: %s differ; see Invoice.differences",
        name,
        ", ".join(difference.field for difference in differences),
    )
    return invoice


def find_differences(request: InvoiceRequest, invoice: Invoice) -> tuple[Difference, ...]:
    """Compare what was asked for with what came back.

    Args:
        request: what was sent.
        invoice: what the service made of it.

    Returns:
        The fields that differ, the amount first. A memo that nobody asked for counts; an expiry that was left to the
        service does not. Hashes are compared without regard to case.

    Example:
        >>> request = InvoiceRequest.build(amount_sats=100, expires_in=600)
        >>> find_differences(request, Invoice.from_payload({"id": "l11_1", "amount": 100, "expiry_interval": 3600}))
        (Difference(field='expiry_interval', asked=600, received=3600),)
    """
    asked_and_received: list[tuple[str, object, object]] = [(_AMOUNT, request.amount_sats, invoice.amount_sats)]
    if request.memo_hash is None:  # the service leaves the memo out where a hash takes its place
        asked_and_received.append(("memo", request.memo or None, invoice.memo or None))
    asked_and_received.append(("memo_hash", _lower(request.memo_hash), _lower(invoice.memo_hash)))
    if request.expires_in is not None:
        asked_and_received.append(("expiry_interval", request.expires_in, invoice.expiry_interval))
    return tuple(Difference(*each) for each in asked_and_received if each[1] != each[2])


def _both_units(sats: int) -> str:
    return f"{sats} satoshi ({format_btc(sats)} BTC)"


def _lower(memo_hash: str | None) -> str | None:
    return memo_hash.lower() if memo_hash else None
