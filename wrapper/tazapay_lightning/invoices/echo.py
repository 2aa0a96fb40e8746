"""Compare the invoice in a reply with what was asked for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import attrs

from tazapay_lightning.errors import InvoiceMismatchError, UnexpectedResponseError
from tazapay_lightning.invoices.invoice import Difference, Invoice
from tazapay_lightning.invoices.payment_request import read_payment_request
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.values.amounts import MSAT_PER_SAT
from tazapay_lightning.values.memos import hash_memo, is_memo_hash
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:  # for types only: this room must not import the transport
    from tazapay_lightning.transport.replies import Reply

_logger = logging.getLogger("tazapay_lightning")
_AMOUNT, _REQUESTED, _DESCRIPTION = "amount_sats", "bolt11_amount_msat", "bolt11_description"
_FATAL = {
    _AMOUNT: "is over {} satoshi",
    _REQUESTED: "has a payment request over {} millisatoshi",
    _DESCRIPTION: "has a payment request for another purpose than the memo",
}
"""Differences that make an invoice unusable, and how an error tells them."""

_LEFT_TO_THE_SERVICE = frozenset({_DESCRIPTION, "expiry_interval", "bolt11_expiry", "bolt11_network"})
"""Fields that are compared only if something was asked for."""

_Compared = tuple[str, object, object]
_Differences = tuple[Difference, ...]


def read_created(reply: Reply, *, request: InvoiceRequest, strict: bool, network: str | None) -> Invoice:
    """Return the invoice with its differences from the request listed and logged, by name and not by value.

    Args:
        reply: to the request.
        request: what was asked for.
        strict: whether an invoice over something else is an error.
        network: that payment requests must be for; None where that is not known.

    Raises:
        UnexpectedResponseError: the reply holds no invoice.
        InvoiceMismatchError: if `strict`: the amount differs, or the payment request is over another amount or for
            another purpose, so that its payer would pay something else.
    """
    invoice = Invoice.from_reply(reply, written=(request.memo, request.metadata))
    differences = find_differences(request, invoice, network=network)
    advice = "An idempotency key that was used before for another amount is answered with the invoice of that time"
    return _accept(invoice, differences, request, fatal=_FATAL if strict else (), advice=f". {advice}")


def read_fetched(reply: Reply, *, invoice_id: str, strict: bool, network: str | None) -> Invoice:
    """Return an invoice that was asked for by its id, if it is that one and does not contradict itself.

    Raises:
        UnexpectedResponseError: the reply holds no invoice, or another one.
        InvoiceMismatchError: if `strict`: its payment request is over another amount than the invoice. One for another
            purpose than the invoice's own memo, or for another network, is listed and logged.
    """
    invoice = Invoice.from_reply(reply)
    if invoice.id != invoice_id:
        asked, received = (printable(each, most=80) for each in (invoice_id, invoice.id))
        raise UnexpectedResponseError(f"asked for invoice {asked}, but the reply is about {received}")
    memo_hash = invoice.memo_hash if is_memo_hash(invoice.memo_hash) else None
    memo = (invoice.memo or "").encode("utf-8", "replace").decode()  # the service can send half a character
    own = InvoiceRequest(amount_sats=invoice.amount_sats, memo=memo or None, memo_hash=memo_hash)
    differences = _different(_in_payment_request(invoice, own, network))
    return _accept(invoice, differences, own, fatal={_REQUESTED} if strict else ())


def _accept(
    invoice: Invoice, differences: _Differences, request: InvoiceRequest, *, fatal: Collection[str], advice: str = ""
) -> Invoice:
    """Return the invoice with its differences unless one of them is fatal; log the other ones."""
    if not differences:
        return invoice
    invoice = attrs.evolve(invoice, differences=differences)
    name = printable(invoice.id, most=80)
    for wrong in differences:
        if wrong.field in fatal:
            finding = _FATAL[wrong.field].format("any number of" if wrong.received is None else wrong.received)
            message = (
                f"asked for {request.amount_sats} satoshi, but invoice {name} {finding}; do not show it to a payer"
            )
            raise InvoiceMismatchError(message + advice, invoice=invoice, differences=differences)
    fields = ", ".join(each.field for each in differences)
    _logger.warning("invoice %s is not quite what was asked for: %s differ; see Invoice.differences", name, fields)
    return invoice


def find_differences(request: InvoiceRequest, invoice: Invoice, *, network: str | None = None) -> _Differences:
    """Compare what was asked for with the invoice in the reply.

    Args:
        request: what was sent.
        invoice: what the service made of it.
        network: that payment requests must be for; None where that is not known.

    Returns:
        The fields that differ, the amount first. A memo that was not asked for counts; an expiry that was left to the
        service does not. Hashes are compared without regard to case. Of a payment request, its amount is compared
        (``bolt11_amount_msat``), its description or the hash of it with the memo or the hash that was asked for, if any
        (``bolt11_description``), its expiry (``bolt11_expiry``) and its network (``bolt11_network``).

    Example:
        >>> request = InvoiceRequest.build(amount_sats=100, expires_in=600)
        >>> find_differences(request, Invoice.from_payload({"id": "l11_1", "amount": 100, "expiry_interval": 3600}))
        (Difference(field='expiry_interval', asked=600, received=3600),)
    """
    compared: list[_Compared] = [(_AMOUNT, request.amount_sats, invoice.amount_sats)]
    if request.memo_hash is None:  # the service leaves the memo out where a hash takes its place
        compared.append(("memo", request.memo or None, invoice.memo or None))
    compared.append(("memo_hash", _lower(request.memo_hash), _lower(invoice.memo_hash)))
    compared.append(("expiry_interval", request.expires_in, invoice.expiry_interval))
    return _different(compared + _in_payment_request(invoice, request, network))


def _in_payment_request(invoice: Invoice, request: InvoiceRequest, network: str | None) -> list[_Compared]:
    """List what the payment request asks of a payer beside what was asked of the service."""
    if invoice.bolt11 is None:
        return []
    asks = read_payment_request(invoice.bolt11)
    purpose = _lower(request.memo_hash) or request.memo
    # A description commits to a memo, and so does its hash: services hash descriptions that are too long.
    same = _purpose_hash(request.memo_hash, request.memo) == _purpose_hash(asks.description_hash, asks.description)
    described = asks.description_hash or asks.description
    return [
        (_REQUESTED, request.amount_sats * MSAT_PER_SAT, asks.amount_msat),
        # a text that only reads like the hash of another is still another
        (_DESCRIPTION, purpose, purpose if same else None if described == purpose else described),
        ("bolt11_expiry", request.expires_in, asks.expiry),
        ("bolt11_network", network, asks.network),
    ]


def _different(compared: Iterable[_Compared]) -> _Differences:
    return tuple(
        Difference(field, asked, received)
        for field, asked, received in compared
        if asked != received and not (asked is None and field in _LEFT_TO_THE_SERVICE)
    )


def _purpose_hash(memo_hash: str | None, memo: str | None) -> str:
    return _lower(memo_hash) or hash_memo(memo or "")


def _lower(memo_hash: str | None) -> str | None:
    return memo_hash.lower() if memo_hash else None
