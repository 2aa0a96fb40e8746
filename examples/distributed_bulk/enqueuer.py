"""Puts orders into the queue until each of them has come to an end, whatever happens to the workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from attrs import define, field

from examples.distributed_bulk.decisions import FINAL, Decision, decide, lost
from examples.distributed_bulk.ledger import Ledger
from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.queueing import Queue

__all__ = ["Enqueuer", "Outcome"]

_BETWEEN_LOOKS = 0.05

Outcome = tuple[Order, Decision, str]
"""An order, what became of it, and that in words."""


@define
class Enqueuer:
    """Decides what is missing, and enqueues it: first everything, and later what was lost with a worker.

    It may be killed and started again, and two of them may run: a message too many finds the order settled.

    Args:
        orders: of this run.
        ledger: what is known.
        queue: to the workers.
        patience: `Settings.patience`, in seconds.
        gives_up_after: seconds without any progress after which the run ends as it is.

    Attributes:
        enqueued_again: how many messages were lost with their workers.
    """

    orders: Sequence[Order]
    ledger: Ledger
    queue: Queue
    patience: float
    gives_up_after: float
    enqueued_again: int = field(default=0, init=False)
    _enqueued: dict[str, float] = field(factory=dict, init=False)

    def begin(self) -> int:
        """Enqueue what is not settled yet, and return how many orders that are."""
        self.ledger.begin_run([order.order_id for order in self.orders])
        missing = self._unsettled()
        self._put(missing)
        return len(missing)

    def follow(self, on_look: Callable[[int], object]) -> None:
        """Return when every order is settled, when nothing can be billed, or when nothing moves any more.

        Args:
            on_look: called with the number of settled orders of the namespace, some times a second.
        """
        settled, moved_at = -1, time.monotonic()
        while self.ledger.stopped() is None:
            now = time.monotonic()
            if (seen := self.ledger.settled()) != settled:
                settled, moved_at = seen, now
            if self.queue.waiting() == 0:
                unsettled = self._unsettled()
                if not unsettled:
                    return
                gone = lost(
                    unsettled,
                    held=frozenset(self.ledger.held()),
                    enqueued=self._enqueued,
                    now=now,
                    patience=self.patience,
                )
                self.enqueued_again += len(gone)
                self._put(gone)
            if now - moved_at > self.gives_up_after:
                return
            on_look(settled)
            time.sleep(_BETWEEN_LOOKS)

    def outcomes(self) -> list[Outcome]:
        """Return what became of every order."""
        now = self.ledger.now()
        records = self.ledger.records([order.order_id for order in self.orders])
        return [(order, *decide(order, record, now)) for order, record in zip(self.orders, records, strict=True)]

    def _unsettled(self) -> list[Order]:
        return [order for order, decision, _ in self.outcomes() if decision not in FINAL]

    def _put(self, orders: Sequence[Order]) -> None:
        self.queue.put(orders)
        now = time.monotonic()
        self._enqueued.update((order.order_id, now) for order in orders)
