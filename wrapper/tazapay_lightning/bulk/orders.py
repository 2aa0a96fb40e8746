"""What goes into a bulk run and what comes out of it, row by row; pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import attrs
from attrs import field, frozen

from tazapay_lightning.errors import APIError, InvalidArgumentError, InvoiceMismatchError, TazapayError
from tazapay_lightning.invoices.invoice import Invoice
from tazapay_lightning.values.refusals import check_unicode, refused
from tazapay_lightning.values.safe_text import shown

State = Literal["created", "refused", "unknown", "mismatch"]


@frozen(kw_only=True)
class Order:
    """One row: an order that an invoice is to be made for. The arguments are those of ``create_invoice``.

    Attributes:
        order_id: your own name for it; what its idempotency key is derived from.
        amount_sats: satoshi, an int; or else
        amount_btc: BTC, as a Decimal or a str.
        memo: what the payer reads, at most 639 bytes.
        memo_as_hash: True to send only the SHA-256 of the memo, which may then be of any length.
        metadata: a mapping that JSON can hold.
        expires_in: seconds, or a timedelta of whole seconds.
    """

    order_id: str
    amount_sats: int | None = None
    amount_btc: Decimal | str | None = None
    memo: str | None = field(default=None, repr=False)
    memo_as_hash: bool = False
    metadata: Mapping[str, object] | None = field(default=None, repr=False, hash=False)
    expires_in: int | timedelta | None = None

    @classmethod
    def of(cls, row: object) -> Order:
        """Return a row as an order: one already, or a mapping with the same names.

        Raises:
            InvalidArgumentError: it is neither, has another name in it, or no order_id.

        Example:
            >>> Order.of({"order_id": "7890", "amount_sats": 5000})
            Order(order_id='7890', amount_sats=5000, amount_btc=None, memo_as_hash=False, expires_in=None)
        """
        if isinstance(row, Mapping):
            if others := [name for name in row if name not in _NAMES]:
                problem = f"a row has {shown(others[0])}, which is not one of {', '.join(_NAMES)}"
                raise InvalidArgumentError(problem, argument="rows")
            if "order_id" not in row:
                raise InvalidArgumentError("a row has no order_id", argument="order_id")
            row = cls(**row)  # create_invoice refuses what is wrong
        if not isinstance(row, Order):
            got = type(row).__name__
            raise InvalidArgumentError(f"a row must be a bulk.Order or a mapping; got {got}", argument="rows")
        if not isinstance(row.order_id, str) or not row.order_id:
            raise refused("order_id", "text that is not empty", shown(row.order_id))
        return row


_NAMES = tuple(attribute.name for attribute in attrs.fields(Order))
ARGUMENTS = _NAMES[1:]
"""Those of ``create_invoice``."""


@frozen(kw_only=True)
class Result:
    """What became of one row.

    Attributes:
        order: the row as an order; None if it could not be read as one.
        row: the row as it was given.
        idempotency_key: what the invoice was asked for with; None if it did not come to that.
        invoice: the invoice; None if there is none, or if it is not known.
        error: why there is no invoice; None if there is one.
        outcome_unknown: True if an invoice may exist although no reply proved it: then bill the same order again, with
            the same key, within 24 hours.

    Example:
        >>> Result(order=None, row={}, error=InvalidArgumentError("a row has no order_id")).state
        'refused'
    """

    order: Order | None
    row: object = field(repr=False)
    idempotency_key: str | None = None
    invoice: Invoice | None = None
    error: TazapayError | None = None

    @property
    def is_created(self) -> bool:
        """True if there is an invoice, over the amount that was asked for."""
        return self.invoice is not None

    @property
    def outcome_unknown(self) -> bool:
        """True if an invoice may exist although no reply proved it."""
        return isinstance(self.error, APIError) and self.error.outcome_unknown

    @property
    def state(self) -> State:
        """In a word: created; refused (no invoice exists); unknown; mismatch (one exists, over another amount)."""
        if self.is_created:
            return "created"
        if isinstance(self.error, InvoiceMismatchError):
            return "mismatch"
        return "unknown" if self.outcome_unknown else "refused"


def check_rate(rate: object) -> None:
    """Refuse what is no rate in requests per second.

    Raises:
        InvalidArgumentError: it is neither None nor a finite number greater than 0.

    Example:
        >>> check_rate(None), check_rate(0.5)
        (None, None)
    """
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf):
        raise refused("rate", "requests per second, a number greater than 0, or None", shown(rate))


def idempotency_key(namespace: str, order_id: str) -> str:
    """Derive the idempotency key of an order: the same in every run, on every machine, in every version.

    The key is ``order-v1-`` and the SHA-256, in hex, of the two texts as netstrings: their length in bytes of UTF-8, a
    colon, the bytes, a comma. No two pairs give the same text to hash, and any language can compute it.

    Args:
        namespace: what the order ids are unique within, such as the name of a shop.
        order_id: the order's own id. Both are taken as they are, without any normalisation.

    Returns:
        73 visible ASCII characters.

    Raises:
        InvalidArgumentError: one of them is not a str, is empty, or holds half of a surrogate pair.

    Example:
        >>> idempotency_key("shop-1", "7890")
        'order-v1-d90261c1948d60e512b0a024f39c00264727d3e72f8c5c4b6b393da1fee485f6'
    """
    hashed = hashlib.sha256(_netstring(namespace, "namespace") + _netstring(order_id, "order_id"))
    return f"order-v1-{hashed.hexdigest()}"


def _netstring(text: object, argument: str) -> bytes:
    if not isinstance(text, str) or not text:
        raise refused(argument, "a str that is not empty", "an empty one" if text == "" else type(text).__name__)
    content = check_unicode(text, argument=argument).encode()
    return b"%d:%b," % (len(content), content)
