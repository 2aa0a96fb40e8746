"""Compare the invoice in a reply with what was asked for."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from tazapay_lightning.errors import InvoiceMismatchError, UnexpectedResponseError
from tazapay_lightning.invoices.invoice import Difference, Invoice
from tazapay_lightning.invoices.payment_request import read_payment_request
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.invoices.spelling import differs, is_form_of, valid
from tazapay_lightning.values.amounts import MSAT_PER_SAT
from tazapay_lightning.values.memos import hash_memo, is_memo_hash
from tazapay_lightning.values.safe_text import printable

if TYPE_CHECKING:  # for types only: this room must not import the transport
    from tazapay_lightning.transport.replies import Reply

_logger = logging.getLogger("tazapay_lightning")
_AMOUNT, _REQUESTED, _DESCRIPTION = "amount_sats", "bolt11_amount_msat", "bolt11_description"
_FINDINGS = {
    "id": "was given for the idempotency key {!r}",
    _AMOUNT: "is over {} satoshi",
    "memo": "has a memo that cannot be the one asked for",
    "metadata": "has another value in its metadata than was asked for",
    _REQUESTED: "has a payment request over {} millisatoshi",
    _DESCRIPTION: "has a payment request for another purpose than the memo",
}
"""Fields that can prove that an invoice is another order's, and how an error tells it."""

_LEFT_TO_THE_SERVICE = frozenset({_DESCRIPTION, "expiry_interval", "bolt11_expiry", "bolt11_network"})
"""Fields that are compared only if something was asked for."""

_MAX_KNOWN_INVOICES = 10_000

KnownInvoices = OrderedDict[str, str | None]
"""The id of each invoice that a client was given, the last 10,000, and the idempotency key that it was given for; None
for one that was only fetched.

Threads share it without a lock: none sees one of its methods half done.
"""

_Compared = tuple[str, object, object]
_Differences = tuple[Difference, ...]


def read_created(
    reply: Reply, *, request: InvoiceRequest, network: str | None, known: KnownInvoices, is_key_new: bool
) -> Invoice:
    """Return the invoice with its differences from the request listed and logged, by name and not by value.

    Args:
        reply: to the request.
        request: what was asked for.
        network: that payment requests must be for; None where that is not known.
        known: the invoices that the client was given before.
        is_key_new: whether the key was made for this call: what existed before cannot be its invoice.

    Raises:
        UnexpectedResponseError: the reply holds no invoice.
        InvoiceMismatchError: a difference proves that the invoice is another order's. It is over another amount; it
            was given for another key; its memo is no form of the one asked for; its metadata has another value for a
            key of ours; or its payer would pay another amount, or for another purpose.
    """
    invoice = Invoice.from_reply(reply, written=(request.memo, request.metadata))
    differences = find_differences(request, invoice, network=network)
    proofs = tuple(filter(_proves_another, differences))
    key = invoice.idempotency_key
    first_key = known.get(invoice.id, key) if proofs else known.setdefault(invoice.id, key)
    if first_key is None and not is_key_new:  # it was only fetched: a key of the caller's may be that of an earlier run
        known[invoice.id] = first_key = key
    if len(known) > _MAX_KNOWN_INVOICES:
        known.popitem(last=False)
    if first_key != key:
        proofs = (*proofs, Difference("id", key, first_key))
        differences = (*differences, proofs[-1])
    advice = ". An idempotency key that was used before for another order is answered with the invoice of that time"
    return _accept(invoice, differences, proofs, request, advice)


def read_fetched(reply: Reply, *, invoice_id: str, network: str | None, known: KnownInvoices) -> Invoice:
    """Return an invoice that was asked for by its id, if it is that one and does not contradict itself.

    Raises:
        UnexpectedResponseError: the reply holds no invoice, or another one.
        InvoiceMismatchError: its payment request is over another amount than the invoice. One for another purpose than
            the invoice's own memo, or for another network, is listed and logged.
    """
    invoice = Invoice.from_reply(reply)
    if invoice.id != invoice_id:
        asked, received = (printable(each, most=80) for each in (invoice_id, invoice.id))
        raise UnexpectedResponseError(f"asked for invoice {asked}, but the reply is about {received}")
    known.setdefault(invoice.id, None)
    if len(known) > _MAX_KNOWN_INVOICES:
        known.popitem(last=False)
    memo_hash = invoice.memo_hash if is_memo_hash(invoice.memo_hash) else None
    own = InvoiceRequest(amount_sats=invoice.amount_sats, memo=valid(invoice.memo or "") or None, memo_hash=memo_hash)
    differences = _different(_in_payment_request(invoice, own, network))
    return _accept(invoice, differences, tuple(each for each in differences if each.field == _REQUESTED), own)


def _accept(
    invoice: Invoice, differences: _Differences, proofs: _Differences, request: InvoiceRequest, advice: str = ""
) -> Invoice:
    """Return the invoice with its differences, which are logged, if none of them proves that it is another order's."""
    if not differences:
        return invoice
    invoice = attrs.evolve(invoice, differences=differences)
    name, key = printable(invoice.id, most=80), invoice.idempotency_key
    fields = ", ".join(each.field for each in differences)
    _logger.warning("invoice %s is not quite what was asked for: %s differ; see Invoice.differences", name, fields)
    if not proofs:
        return invoice
    received = proofs[0].received
    finding = _FINDINGS[proofs[0].field].format("any number of" if received is None else received)
    if (proofs[0].field, received) == ("id", None):
        finding = "was there before"
    asked = f"asked for {request.amount_sats} satoshi" + (f" with the idempotency key {key!r}" if key else "")
    message = f"{asked}, but invoice {name} {finding}; do not show it to a payer{advice}"
    raise InvoiceMismatchError(message, invoice=invoice, differences=differences)


def _proves_another(difference: Difference) -> bool:
    asked, received = difference.asked, difference.received
    if difference.field == "metadata":
        return differs(asked, received) is None
    if difference.field == "memo":
        return None not in {asked, received} and not is_form_of(str(asked), str(received))
    if difference.field == _DESCRIPTION:  # a hash is not cut, and a request for nothing hides what it is for
        is_form = is_form_of(str(asked), str(received or "")) and bool(received or not str(asked).strip())
        return is_memo_hash(asked) or not is_form
    return difference.field in _FINDINGS


def find_differences(request: InvoiceRequest, invoice: Invoice, *, network: str | None = None) -> _Differences:
    """Compare what was asked for with the invoice in the reply.

    Args:
        request: what was sent.
        invoice: what the service made of it.
        network: that payment requests must be for; None where that is not known.

    Returns:
        The fields that differ, the amount first. A memo that was not asked for counts; an expiry and metadata that were
        left to the service do not. Hashes are compared without regard to case, metadata as text: 7890 is "7890", and an
        object its JSON text. Of a payment request, its amount is compared
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
    asked, received = request.metadata, invoice.metadata
    if asked and asked != received and differs(asked, received) is not False:
        compared.append(("metadata", asked, dict(received)))
    return _different(compared + _in_payment_request(invoice, request, network))


def _in_payment_request(invoice: Invoice, request: InvoiceRequest, network: str | None) -> list[_Compared]:
    """List what the payment request asks of a payer beside what was asked of the service."""
    if invoice.bolt11 is None:
        return []
    asks = read_payment_request(invoice.bolt11)
    asked, named = (_lower(request.memo_hash), request.memo), (asks.description_hash, asks.description)
    purpose, described = asked[0] or asked[1], named[0] or named[1]
    # A description commits to a memo, and so does its hash: services hash descriptions that are too long.
    same = asked == named or _purpose_hash(*asked) == _purpose_hash(*named)
    if not same and invoice.memo and described == hash_memo(valid(invoice.memo)):
        described = invoice.memo  # as the service has trimmed or cut it
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
    return memo_hash or hash_memo(memo or "")


def _lower(memo_hash: str | None) -> str | None:
    return memo_hash.lower() if memo_hash else None
