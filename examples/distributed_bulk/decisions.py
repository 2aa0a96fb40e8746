"""What to do with an order, given what is known about it; and what a failure means. Pure.

The same `decide` is asked by the enqueuer, which sends an order to the queue or lists it for a person, and by the
worker, immediately before every request: a message may be old, may have come twice, and may be one of two that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.settings import KEY_USABLE, MOST_TRIES
from tazapay_lightning import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    InvoiceMismatchError,
    PermissionDeniedError,
    RateLimitError,
    TazapayError,
)

__all__ = ["FINAL", "Asked", "Decision", "Failure", "Kind", "Record", "decide", "judge", "lost"]


class Kind(StrEnum):
    """Of a failure."""

    REPEAT = "repeat"  # with the same key: nobody knows what became of it, or it may help
    THROTTLED = "throttled"  # the same, and all workers have to wait
    REFUSED = "refused"  # this order cannot be billed as it is
    MISMATCH = "mismatch"  # there is an invoice, another order's or over another amount
    HOPELESS = "hopeless"  # every other order would fail in the same way


class Decision(StrEnum):
    """What is to be done with an order."""

    SEND = "to be sent"
    CREATED = "created"
    REFUSED = "refused"
    CHANGED = "changed"
    GIVEN_UP = "given up"
    HUMAN = "for a person"


FINAL = frozenset(Decision) - {Decision.SEND}
"""Nothing more happens to these in a run."""


@frozen(kw_only=True)
class Asked:
    """That an invoice may exist, noted before the first request which may have made one.

    Attributes:
        fingerprint: of the order as it was asked for.
        amount_sats: the same, to be shown.
        key: the idempotency key.
        at: when, in seconds since 1970 by Redis's clock.
    """

    fingerprint: str
    amount_sats: int
    key: str
    at: float


@frozen(kw_only=True)
class Failure:
    """How a request failed.

    Attributes:
        kind: what to conclude.
        message: for people; without secrets, because the client's messages hold none.
        outcome_unknown: an invoice may exist because of this request.
        retry_after: seconds that the service asks to wait, if it said.
        tries: requests for this order in this run, this one included.
    """

    kind: Kind
    message: str
    outcome_unknown: bool = False
    retry_after: float | None = None
    tries: int = 1


@frozen(kw_only=True)
class Record:
    """What the ledger knows about one order; everything is None or 0 for one that is new.

    Attributes:
        asked: see `Asked`; None again when every request was proven to have made nothing.
        invoice: the proven invoice: its id, amount, payment request, key, and the order's fingerprint.
        failure: the last one that ended the order's turn: its kind (refused or mismatch) and message.
        tries: requests made in this run.
    """

    asked: Asked | None = None
    invoice: Mapping[str, Any] | None = None
    failure: Mapping[str, str] | None = None
    tries: int = 0


def decide(order: Order, record: Record, now: float) -> tuple[Decision, str]:
    """Tell what to do with an order, and why in words for people.

    Args:
        order: as it is to be billed now.
        record: what is known about it.
        now: seconds since 1970, by the clock that `Asked.at` is of.

    Example:
        >>> order = Order(order_id="7890", amount_sats=5)
        >>> decide(order, Record(), now=0.0)[0]
        <Decision.SEND: 'to be sent'>
        >>> asked = Asked(fingerprint=order.fingerprint(), amount_sats=5, key="k", at=0.0)
        >>> decide(order, Record(asked=asked), now=3_600.0)[0]
        <Decision.SEND: 'to be sent'>
        >>> print(*decide(order, Record(asked=asked), now=86_400.0), sep=": ")
        for a person: first asked for 24 hours ago under key k, whose life is over: look for it in Tazapay's dashboard
    """
    mine = order.fingerprint()
    if record.invoice is not None:
        if record.invoice["fingerprint"] == mine:
            return Decision.CREATED, str(record.invoice["invoice_id"])
        return Decision.CHANGED, _changed(order, int(record.invoice["amount_sats"]), "has an invoice")
    if record.asked is not None and record.asked.fingerprint != mine:
        return Decision.CHANGED, _changed(order, record.asked.amount_sats, "may have an invoice")
    if record.failure is not None:
        message = record.failure["message"]
        if record.failure["kind"] == Kind.MISMATCH or record.asked is not None:
            return Decision.HUMAN, f"an invoice may exist: {message}"
        return Decision.REFUSED, message
    if record.asked is not None and now - record.asked.at > KEY_USABLE:
        hours = int((now - record.asked.at) // 3_600)
        return Decision.HUMAN, (
            f"first asked for {hours} hours ago under key {record.asked.key}, whose life is over: "
            "look for it in Tazapay's dashboard"
        )
    if record.tries >= MOST_TRIES:
        return Decision.GIVEN_UP, f"{record.tries} requests, none proven: run it again, within a day of the first"
    return Decision.SEND, ""


def _changed(order: Order, amount_sats: int, state: str) -> str:
    if order.amount_sats == amount_sats:
        return f"{state} already, over the same {amount_sats} satoshi, but something else of it was changed since"
    return f"{state} already, over {amount_sats} satoshi; now it is {order.amount_sats}"


def judge(error: TazapayError) -> Failure:
    """Tell what a failed request means for its order and for the others.

    Example:
        >>> from tazapay_lightning import InvalidArgumentError
        >>> judge(InvalidArgumentError("expires_in must be greater than 0")).kind
        <Kind.REFUSED: 'refused'>
    """
    message = str(error)
    if isinstance(error, InvoiceMismatchError):
        return Failure(kind=Kind.MISMATCH, message=message, outcome_unknown=True)
    if not isinstance(error, APIError):
        return Failure(kind=Kind.REFUSED, message=message)  # an argument, before anything was sent
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return Failure(kind=Kind.HOPELESS, message=message)
    asked_to_wait = error.retry_after if isinstance(error, APIStatusError) else None
    if isinstance(error, RateLimitError) or (error.outcome_unknown and asked_to_wait is not None):
        return Failure(
            kind=Kind.THROTTLED,
            message=message,
            outcome_unknown=error.outcome_unknown,
            retry_after=asked_to_wait,
        )
    if isinstance(error, APIConnectionError) and error.permanent:
        return Failure(kind=Kind.HOPELESS, message=message, outcome_unknown=error.outcome_unknown)
    if error.outcome_unknown or isinstance(error, APIConnectionError):
        return Failure(kind=Kind.REPEAT, message=message, outcome_unknown=error.outcome_unknown)
    return Failure(kind=Kind.REFUSED, message=message)


def lost(
    unsettled: Iterable[Order], *, held: frozenset[str], enqueued: Mapping[str, float], now: float, patience: float
) -> list[Order]:
    """Return the orders that have to be enqueued again, when nothing waits in the queue any more.

    An order that no worker holds and that was enqueued a while ago was in the hands of one that is gone. (Its message
    comes back by itself, after the visibility timeout; it then finds the invoice.)

    Args:
        unsettled: orders whose `decide` says "to be sent".
        held: ids of those that some worker has a lease of.
        enqueued: when each was enqueued last, by this process; missing for one that never was.
        now: on the same clock.
        patience: `Settings.patience`.

    Example:
        >>> orders = [Order(order_id=each, amount_sats=5) for each in ("held", "recent", "lost")]
        >>> gone = lost(
        ...     orders, held=frozenset({"held"}), enqueued={"held": 0, "recent": 99, "lost": 0}, now=100, patience=35
        ... )
        >>> [order.order_id for order in gone]
        ['lost']
    """
    return [
        order
        for order in unsettled
        if order.order_id not in held and now - enqueued.get(order.order_id, float("-inf")) >= patience
    ]
