"""The table at the end, and the exit code. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from examples.distributed_bulk.decisions import Decision
from examples.distributed_bulk.orders import Order

__all__ = ["exit_code", "invoices_per_order", "summary", "table"]

_MOST_SHOWN = 10


def exit_code(decisions: Iterable[Decision]) -> int:
    """Return 0 if every order has its invoice, 3 if somebody has to find out about one, 1 if one was refused.

    Example:
        >>> exit_code([Decision.CREATED, Decision.REFUSED]), exit_code([Decision.SEND, Decision.REFUSED])
        (1, 3)
    """
    seen = set(decisions)
    if seen & {Decision.SEND, Decision.GIVEN_UP, Decision.HUMAN}:
        return 3
    return 1 if seen & {Decision.REFUSED, Decision.CHANGED} else 0


def summary(outcomes: Sequence[tuple[Order, Decision, str]]) -> list[tuple[str, object]]:
    """Return rows: how many orders came to which end.

    Example:
        >>> order = Order(order_id="7890", amount_sats=5)
        >>> summary([(order, Decision.CREATED, "l11_1")])
        [('orders', 1), ('  created', 1)]
    """
    counted = Counter(decision for _, decision, _ in outcomes)
    return [("orders", len(outcomes)), *((f"  {each}", counted[each]) for each in Decision if counted[each])]


def invoices_per_order(orders: Sequence[Order], keys: Mapping[str, str], stored: Iterable[Mapping[str, Any]]) -> str:
    """Tell whether the service holds exactly one invoice per order, over the order's amount.

    Args:
        orders: that were to be billed.
        keys: order id -> idempotency key.
        stored: what the service has: `Emulator.invoices()`.

    Example:
        >>> order = Order(order_id="7890", amount_sats=5)
        >>> invoices_per_order([order], {"7890": "k"}, [{"idempotency_key": "k", "amount": 5}])
        'exactly 1'
        >>> invoices_per_order([order], {"7890": "k"}, [])
        'NOT one each: 7890 has 0'
    """
    found: dict[str, list[int]] = {}
    for invoice in stored:
        found.setdefault(invoice["idempotency_key"], []).append(invoice["amount"])
    wrong = [
        f"{order.order_id} has {len(amounts)}"
        for order in orders
        if (amounts := found.pop(keys[order.order_id], [])) != [order.amount_sats]
    ]
    wrong += [f"nobody's order has {len(amounts)}" for amounts in found.values()]
    return "exactly 1" if not wrong else "NOT one each: " + ", ".join(wrong[:_MOST_SHOWN])


def table(rows: Iterable[tuple[str, object]], outcomes: Sequence[tuple[Order, Decision, str]]) -> str:
    """Return the rows as a table, and below them the orders without an invoice of this run, the first few of each kind.

    Example:
        >>> order = Order(order_id="7890", amount_sats=5)
        >>> print(table([("orders", 1)], [(order, Decision.REFUSED, "400: the memo is too long")]))
        orders  1
        <BLANKLINE>
        refused:
          7890: 400: the memo is too long
    """
    listed = list(rows)
    width = max(len(name) for name, _ in listed)
    lines = [f"{name.ljust(width)}  {value}" for name, value in listed]
    for each in (decision for decision in Decision if decision is not Decision.CREATED):
        told = [f"  {order.order_id}: {words or 'run it again'}" for order, end, words in outcomes if end is each]
        if told:
            lines += ["", f"{each}:", *told[:_MOST_SHOWN]]
        if len(told) > _MOST_SHOWN:
            lines.append(f"  and {len(told) - _MOST_SHOWN} more")
    return "\n".join(lines)
