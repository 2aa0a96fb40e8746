"""Orders and their invoices: what they are, and which state may follow which. Pure.

An order is paid through an *attempt*: one invoice, asked for under one idempotency key. When its invoice expires, the
customer may ask for another attempt.

::

    asked ──> waiting ──> paid
      │          │  └───> held ──> paid
      └──────────┴──> expired ──> paid (late) or held

asked
    The key is stored and the service is being asked. Whether an invoice exists may be unknown; nobody has seen it.
waiting
    The invoice is on the customer's screen.
paid
    The service said that the invoice is paid, over the price of the order.
held
    The service said that it is paid, but the amounts do not agree: a person must look at it.
expired
    The service said that it is unpaid and over; or it could not be asked for in the time it would have lasted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen

from tazapay_lightning import Invoice

__all__ = [
    "FOLLOWS",
    "Attempt",
    "Order",
    "State",
    "agrees",
    "idempotency_key",
    "memo",
    "order_id",
    "state_of",
    "verdict",
]

_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)

_CLOCKS_DIFFER = timedelta(minutes=1)
"""How long after the end by our own clock the service is still given the last word."""


class State(StrEnum):
    """Of an attempt; the module's docstring draws them."""

    ASKED = "asked"
    WAITING = "waiting"
    PAID = "paid"
    HELD = "held"
    EXPIRED = "expired"


FOLLOWS: Mapping[State, frozenset[State]] = {
    State.ASKED: frozenset({State.WAITING, State.EXPIRED}),
    State.WAITING: frozenset({State.PAID, State.HELD, State.EXPIRED}),
    State.HELD: frozenset({State.PAID}),
    State.EXPIRED: frozenset({State.PAID, State.HELD}),
    State.PAID: frozenset(),
}
"""Which states may follow one. Nothing follows paid, whatever arrives later."""


@frozen(kw_only=True)
class Order:
    """What a customer wants, at the price that it had then.

    Attributes:
        id: 32 hex digits that nobody can guess: whoever knows it may see the order.
        title: of the product.
        name: what the customer wants it to be called for; may be empty.
        amount_sats: the price in satoshi.
        created_at: aware.
        paid_attempt: the number of the attempt that paid for it, None until then. This is what releases the goods.
        paid_at: when this shop learned of that, aware.
    """

    id: str
    title: str
    name: str
    amount_sats: int
    created_at: datetime
    paid_attempt: int | None = None
    paid_at: datetime | None = None


@frozen(kw_only=True)
class Attempt:
    """One invoice for an order, from before it exists.

    Attributes:
        order_id: of the order.
        number: 1, 2, 3 and so on.
        key: the idempotency key that the invoice is asked for with.
        expires_in: the lifetime asked for, in seconds. It is stored because one key must always carry one request.
        asked_at: when the key was stored, aware.
        state: see `State`.
        invoice: as the service answered; None while asked.
        answered_at: when it did, by our clock.
        collect_id: the id of the payment, under which webhooks come; None until the service tells it.
    """

    order_id: str
    number: int
    key: str
    expires_in: int
    asked_at: datetime
    state: State = State.ASKED
    invoice: Invoice | None = field(default=None, repr=False)
    answered_at: datetime | None = None
    collect_id: str | None = None

    def gives_up_at(self) -> datetime:
        """Until when the invoice is asked for, far within the 24 hours for which the service remembers a key."""
        return self.asked_at + timedelta(seconds=self.expires_in)

    def seconds_left(self, now: datetime) -> int:
        """How long the invoice may still be paid, as a person should see it; decisions are the service's.

        The end is told by the service's clock, and the reply came by ours: of the two the earlier one is shown.
        """
        if self.invoice is None or self.answered_at is None:
            return 0
        lifetime = self.invoice.expiry_interval if self.invoice.expiry_interval is not None else self.expires_in
        ends = self.answered_at + timedelta(seconds=lifetime)
        if self.invoice.expires_at is not None:
            ends = min(ends, self.invoice.expires_at)
        return max(0, round((ends - now).total_seconds()))


def order_id(token: str, product: str, name: str) -> str:
    """Return the id of the order that one showing of the order page leads to.

    The page carries a fresh random token, so that a double click, or the same page sent twice, is the same order.

    Args:
        token: 32 hex digits.
        product: the product's key in the catalogue.
        name: as given.

    Raises:
        ValueError: the token is not one of ours.

    Example:
        >>> order_id("0" * 32, "espresso", "") == order_id("0" * 32, "espresso", "")
        True
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("this form was not made by this shop, or came damaged: open the order page again")
    return hashlib.sha256("\n".join((token, product, name)).encode()).hexdigest()[:32]


def idempotency_key(order: str, number: int) -> str:
    """Return the one key under which an attempt is asked for, now and after any crash.

    Example:
        >>> idempotency_key("5d41402abc4b2a76b9719d911017c592", 2)
        'checkout-5d41402abc4b2a76b9719d911017c592-2'
    """
    return f"checkout-{order}-{number}"


def memo(order: Order) -> str:
    """Return what the customer's wallet shows: made of the order alone, so that it never changes under one key."""
    return f"{order.title}, order {order.id[:8]}" + (f", for {order.name}" if order.name else "")


def agrees(order: Order, invoice: Invoice) -> bool:
    """Return whether a fetched invoice is over the price of the order, and its payment request as well."""
    return invoice.amount_sats == order.amount_sats and not invoice.differences


def verdict(order: Order, attempt: Attempt, invoice: Invoice, now: datetime, *, over: bool = False) -> State:
    """Return the state of an attempt after a look at its invoice at the service.

    Args:
        order: it is for.
        attempt: as it is known.
        invoice: as fetched just now.
        now: our clock, aware. It alone ends an invoice only when it is far past the end: an invoice that is given up
            too early, while its customer is paying it, is an order paid twice.
        over: whether its time has passed by the service's clock.

    Returns:
        The same state when the look changes nothing. An invoice with another id says nothing about this attempt, and
        an unpaid one whose amounts do not agree is not believed.
    """
    known = attempt.invoice
    if known is None or invoice.id != known.id:
        return attempt.state
    if invoice.is_paid:
        return State.PAID if agrees(order, invoice) else State.HELD
    if attempt.state is not State.WAITING or not agrees(order, invoice):
        return attempt.state
    long_over = invoice.expires_at is not None and now >= invoice.expires_at + _CLOCKS_DIFFER
    return State.EXPIRED if over or long_over or invoice.status == "expired" else attempt.state


def state_of(order: Order, attempt: Attempt | None) -> State:
    """Return what a customer is told: paid as soon as any attempt paid, else the state of the latest one."""
    if order.paid_attempt is not None:
        return State.PAID
    return State.ASKED if attempt is None else attempt.state
