"""Orders: what is billed, and the fingerprint that tells whether it is still the same. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

__all__ = ["Order", "OrdersError", "read_orders", "sample_orders"]

_LONGEST_ID = 200


class OrdersError(ValueError):
    """The orders cannot be billed as they are written; the message names the line."""


@frozen(kw_only=True)
class Order:
    """What one invoice is asked for.

    Attributes:
        order_id: 1 to 200 printable characters, unique within the namespace for ever.
        amount_sats: the amount in satoshi.
        memo: what the payer reads, None for nothing.
        metadata: what is attached to the invoice; whatever JSON can hold.
        expires_in: the lifetime of the invoice in seconds; None leaves it to the service.
    """

    order_id: str
    amount_sats: int
    memo: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)
    expires_in: int | None = None

    @classmethod
    def from_dict(cls, fields: object) -> Order:
        """Read an order off a line of a file or off a message.

        Raises:
            OrdersError: naming the field and what would be right. Limits of amounts, memos and lifetimes are left to
                the client, which refuses them before anything is sent.

        Example:
            >>> Order.from_dict({"order_id": "7890", "amount_sats": 123456}).amount_sats
            123456
            >>> try:
            ...     Order.from_dict({"order_id": "7890", "amount_sats": "123456"})
            ... except OrdersError as error:
            ...     print(error)
            amount_sats must be a whole number of satoshi, at least 1
        """
        if not isinstance(fields, dict):
            raise OrdersError('an order is a JSON object such as {"order_id": "7890", "amount_sats": 123456}')
        if unknown := sorted(fields.keys() - {"order_id", "amount_sats", "memo", "metadata", "expires_in"}):
            raise OrdersError(f"unknown field {unknown[0]!r}: order_id, amount_sats, memo, metadata, expires_in")
        order_id = fields.get("order_id")
        if not isinstance(order_id, str) or not 1 <= len(order_id) <= _LONGEST_ID or not order_id.isprintable():
            raise OrdersError(f"order_id must be a text of 1 to {_LONGEST_ID} printable characters")
        if not _is_whole(fields.get("amount_sats")):
            raise OrdersError("amount_sats must be a whole number of satoshi, at least 1")
        memo, metadata, expires_in = fields.get("memo"), fields.get("metadata"), fields.get("expires_in")
        if memo is not None and not isinstance(memo, str):
            raise OrdersError("memo must be a text")
        if metadata is not None and not isinstance(metadata, dict):
            raise OrdersError("metadata must be a JSON object")
        if expires_in is not None and not _is_whole(expires_in):
            raise OrdersError("expires_in must be a whole number of seconds, at least 1")
        return cls(
            order_id=order_id,
            amount_sats=fields["amount_sats"],
            memo=memo,
            metadata=metadata or {},
            expires_in=expires_in,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the order as JSON can hold it: the whole content of a message, so nothing secret is in one."""
        return {
            "order_id": self.order_id,
            "amount_sats": self.amount_sats,
            "memo": self.memo,
            "metadata": dict(self.metadata),
            "expires_in": self.expires_in,
        }

    def fingerprint(self) -> str:
        """Return 64 hex digits that change with anything that is asked for.

        A key must always carry one request: what Tazapay does with another one under the same key is not documented.

        Example:
            >>> order = Order(order_id="7890", amount_sats=5, metadata={"a": 1, "b": 2})
            >>> order.fingerprint() == Order(order_id="7890", amount_sats=5, metadata={"b": 2, "a": 1}).fingerprint()
            True
            >>> order.fingerprint() == Order(order_id="7890", amount_sats=6, metadata={"a": 1, "b": 2}).fingerprint()
            False
        """
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def read_orders(lines: Iterable[str]) -> Iterator[Order]:
    """Read orders from JSON Lines: an object per line, blank lines passed over.

    Raises:
        OrdersError: naming the line; an order id that comes twice is named with both lines.

    Example:
        >>> [order.order_id for order in read_orders(['{"order_id": "1", "amount_sats": 5}', ""])]
        ['1']
    """
    first_seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            order = Order.from_dict(json.loads(line, object_pairs_hook=_no_key_twice, parse_constant=_no_constant))
        except (OrdersError, RecursionError) as error:
            raise OrdersError(f"line {number}: {error}") from None
        except ValueError:
            raise OrdersError(f"line {number}: not JSON") from None
        if order.order_id in first_seen:
            earlier = first_seen[order.order_id]
            raise OrdersError(f"line {number}: order {order.order_id} is on line {earlier} already")
        first_seen[order.order_id] = number
        yield order


def sample_orders(number: int) -> Iterator[Order]:
    """Make orders to practise with, the same ones every time.

    Example:
        >>> [order.order_id for order in sample_orders(2)]
        ['order-0001', 'order-0002']
    """
    for each in range(1, number + 1):
        yield Order(
            order_id=f"order-{each:04}",
            amount_sats=1_000 + each,
            memo=f"Order {each:04}",
            metadata={"order": each},
            expires_in=3_600,
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise OrdersError("a key comes twice in one object")
    return fields


def _no_constant(name: str) -> object:
    raise OrdersError(f"{name} is not JSON")
