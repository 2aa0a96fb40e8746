"""One request for one order: what a worker does, apart from Celery."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import attrs
from attrs import frozen

from examples.distributed_bulk.decisions import Decision, Failure, Kind, decide, judge
from examples.distributed_bulk.ledger import Ledger
from examples.distributed_bulk.orders import Order
from examples.distributed_bulk.pace import Pace
from examples.distributed_bulk.settings import ATTEMPTS_PER_DELIVERY, Settings
from tazapay_lightning import LightningClient, TazapayError
from tazapay_lightning.bulk import idempotency_key

__all__ = ["Asker", "longest_pause"]

_FIRST_WAIT = 0.25


@frozen(kw_only=True)
class Asker:
    """Brings one order after the other to an end, as far as that can be done now.

    Args:
        client: with ``max_retries=0``: each request takes a turn of the pace and is written down, which repeats inside
            the client would pass by.
        ledger: what is known.
        pace: whose turn it is.
        settings: of the run.
        worker: the name of this worker, to be shown.
        sleep: waits, in seconds.
    """

    client: LightningClient
    ledger: Ledger
    pace: Pace
    settings: Settings
    worker: str
    sleep: Callable[[float], object] = time.sleep

    def settle(self, order: Order) -> bool:
        """Ask until the order is settled, a few times at most; False if it has to come back later.

        All waiting is done here, in the worker: a process that meets failures slows down by itself. (Celery's countdown
        would put the message aside and take the next one, so that an outage fills the workers with waiting messages.)
        """
        for _ in range(ATTEMPTS_PER_DELIVERY):
            if self.ledger.stopped() is not None:
                return True  # the order stays unsettled, and the next run sends it again
            if not self.pace.turn(within=self.settings.longest_wait):
                return False
            failure = self._attempt(order)
            if failure is None:
                return True
            longest = min(longest_pause(failure.tries), self.settings.longest_wait)
            if failure.kind is Kind.THROTTLED:
                self.pace.pause(failure.retry_after or longest)  # for everybody, this worker included
            else:
                self.sleep(random.uniform(0, longest))  # noqa: S311 - spreads requests over time, guards nothing
        return False

    def _attempt(self, order: Order) -> Failure | None:
        """Make one request if it is right to; None if the order needs no other one in this run."""
        with self.ledger.lease(order.order_id, self.worker) as proof:
            if proof is None:
                return Failure(kind=Kind.REPEAT, message="another worker asks for it", tries=1)
            record = self.ledger.record(order.order_id)
            decision, _ = decide(order, record, self.ledger.now())
            if decision is not Decision.SEND:
                return None  # billed by another worker meanwhile, changed, or too old
            key = idempotency_key(self.settings.namespace, order.order_id)
            first = self.ledger.begin(order, key)
            try:
                invoice = self.client.create_invoice(
                    amount_sats=order.amount_sats,
                    memo=order.memo,
                    metadata=order.metadata or None,
                    expires_in=order.expires_in,
                    idempotency_key=key,
                )
            except TazapayError as error:
                failure = attrs.evolve(judge(error), tries=record.tries + 1)
            else:
                self.ledger.prove(order, invoice)
                return None
            if first and not failure.outcome_unknown:
                self.ledger.forget(order.order_id, proof)
            return self._concluded(order, failure)

    def _concluded(self, order: Order, failure: Failure) -> Failure | None:
        """Write down a failure that ends the order's turn; return one that does not."""
        if failure.kind is Kind.HOPELESS:
            self.ledger.stop(failure.message)
            return None
        if failure.kind in {Kind.REFUSED, Kind.MISMATCH}:
            self.ledger.fail(order.order_id, failure)
            return None
        return failure


def longest_pause(number: int) -> float:
    """Return the most seconds to wait after an order's request that failed, the first one being number 1.

    Example:
        >>> [longest_pause(number) for number in (1, 2, 3, 4)]
        [0.25, 0.5, 1.0, 2.0]
    """
    return float(_FIRST_WAIT * 2 ** (number - 1))
