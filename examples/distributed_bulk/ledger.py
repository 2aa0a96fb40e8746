"""What is known about every order, in Redis: three hashes that outlive the run, and a lease for the order in hand.

::

    tazapay-bulk:NAMESPACE:asked      order id -> what was asked for and when; written before the request
    tazapay-bulk:NAMESPACE:invoices   order id -> the proven invoice; written once (HSETNX), never changed
    tazapay-bulk:NAMESPACE:failures   order id -> why it cannot be billed
    tazapay-bulk:NAMESPACE:tries      order id -> requests in this run
    tazapay-bulk:NAMESPACE:stopped    why nothing can be billed at all, such as wrong credentials
    tazapay-bulk:NAMESPACE:lease:ID   which worker asks for this order now; gone by itself after `Settings.lease`

Celery has a result backend; it keeps a result per *task*, for a day, and an order may be many tasks. Here an order has
one result, for ever.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from examples.distributed_bulk.decisions import Asked, Failure, Kind, Record
from examples.distributed_bulk.orders import Order
from tazapay_lightning import Invoice

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Ledger", "TwoInvoicesError"]

_AT_ONCE = 1_000

_IF_MINE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call({}) end return 0"
"""A step that only the holder of the lease may take: whoever lost it in the meantime knows less than its successor."""


class TwoInvoicesError(Exception):
    """The service answered one key with two invoices: this must never happen, and a person must look at both."""


class Ledger:
    """See the module's list of what it keeps.

    Args:
        redis: a client with ``decode_responses=True``.
        namespace: of the run.
        lease: seconds for which an order belongs to the worker that asks for it.
    """

    def __init__(self, redis: Redis, namespace: str, *, lease: float) -> None:
        self._redis = redis
        self._prefix = f"tazapay-bulk:{namespace}"
        self._milliseconds = int(lease * 1000)
        self._delete = redis.register_script(_IF_MINE.format("'DEL', KEYS[1]"))
        self._forget = redis.register_script(_IF_MINE.format("'HDEL', KEYS[2], ARGV[2]"))

    def now(self) -> float:
        """Return seconds since 1970 by Redis's clock, which is one clock for all machines."""
        seconds, microseconds = self._redis.time()
        return float(seconds + microseconds / 1e6)

    @contextmanager
    def lease(self, order_id: str, worker: str) -> Iterator[str | None]:
        """Hold an order while asking for it: Tazapay does not document two requests at once with one key.

        Args:
            order_id: of the order.
            worker: who asks, to be shown.

        Yields:
            The proof that this process holds it; None if another one does.
        """
        proof = f"{worker}/{uuid.uuid4()}"
        if not self._redis.set(self._key(f"lease:{order_id}"), proof, nx=True, px=self._milliseconds):
            yield None
            return
        try:
            yield proof
        finally:
            self._delete(keys=[self._key(f"lease:{order_id}")], args=[proof])

    def held(self) -> dict[str, str]:
        """Return which orders are in hand, and the worker of each; a killed worker holds its order until the end."""
        found = list(self._redis.scan_iter(match=self._key("lease:*"), count=_AT_ONCE))
        owners = self._redis.mget(found) if found else []
        start = len(self._key("lease:"))
        return {
            name[start:]: owner.rpartition("/")[0]
            for name, owner in zip(found, owners, strict=True)
            if owner is not None
        }

    def record(self, order_id: str) -> Record:
        """Return what is known about an order."""
        return self.records([order_id])[0]

    def records(self, order_ids: Sequence[str]) -> list[Record]:
        """Return what is known about some orders."""
        records: list[Record] = []
        for start in range(0, len(order_ids), _AT_ONCE):
            some = order_ids[start : start + _AT_ONCE]
            with self._redis.pipeline() as pipe:
                for name in ("asked", "invoices", "failures", "tries"):
                    pipe.hmget(self._key(name), some)
                columns = pipe.execute()
            records += [_record(*row) for row in zip(*columns, strict=True)]
        return records

    def begin(self, order: Order, key: str) -> bool:
        """Write down that an order is asked for, before it is.

        Returns:
            Whether it is the first time, as far as an invoice may exist.
        """
        asked = Asked(fingerprint=order.fingerprint(), amount_sats=order.amount_sats, key=key, at=self.now())
        with self._redis.pipeline() as pipe:
            pipe.hsetnx(self._key("asked"), order.order_id, json.dumps(attrs.asdict(asked)))
            pipe.hincrby(self._key("tries"), order.order_id, 1)
            first, _ = pipe.execute()
        return bool(first)

    def prove(self, order: Order, invoice: Invoice) -> None:
        """Keep the invoice of an order, once and for all.

        Raises:
            TwoInvoicesError: another one is kept.
        """
        shown = invoice.to_dict()
        kept = {name: shown[name] for name in ("amount_sats", "bolt11", "expires_at", "idempotency_key")}
        kept |= {"invoice_id": invoice.id, "fingerprint": order.fingerprint()}
        if not self._redis.hsetnx(self._key("invoices"), order.order_id, json.dumps(kept)):
            first = json.loads(self._redis.hget(self._key("invoices"), order.order_id))
            if first["invoice_id"] != invoice.id:
                raise TwoInvoicesError(f"order {order.order_id}: {first['invoice_id']} and {invoice.id}")
        self._redis.hdel(self._key("failures"), order.order_id)

    def fail(self, order_id: str, failure: Failure) -> None:
        """Keep why an order cannot be billed."""
        told = {"kind": str(failure.kind), "message": failure.message}
        self._redis.hset(self._key("failures"), order_id, json.dumps(told))

    def forget(self, order_id: str, proof: str) -> None:
        """Take back that an order was asked for: its only request was refused, which proves that it made nothing."""
        self._forget(keys=[self._key(f"lease:{order_id}"), self._key("asked")], args=[proof, order_id])

    def stop(self, message: str) -> None:
        """Tell all workers to ask for nothing more."""
        self._redis.set(self._key("stopped"), message)

    def stopped(self) -> str | None:
        """Return why nothing is asked for any more; None as long as it is."""
        message = self._redis.get(self._key("stopped"))
        return None if message is None else str(message)

    def begin_run(self, order_ids: Sequence[str]) -> None:
        """Give refused orders another chance, since a refusal made nothing, and forget why an earlier run stopped."""
        self._redis.delete(self._key("stopped"))
        for start in range(0, len(order_ids), _AT_ONCE):
            some = order_ids[start : start + _AT_ONCE]
            self._redis.hdel(self._key("tries"), *some)
            kept = zip(some, self._redis.hmget(self._key("failures"), some), strict=True)
            refused = [each for each, text in kept if text is not None and json.loads(text)["kind"] == Kind.REFUSED]
            if refused:
                self._redis.hdel(self._key("failures"), *refused)

    def settled(self) -> int:
        """Return how many orders of the namespace came to an end, in this run or before: cheap, to see progress."""
        with self._redis.pipeline() as pipe:
            pipe.hlen(self._key("invoices"))
            pipe.hlen(self._key("failures"))
            return sum(pipe.execute())

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"


def _record(asked: str | None, invoice: str | None, failure: str | None, tries: str | None) -> Record:
    return Record(
        asked=None if asked is None else Asked(**json.loads(asked)),
        invoice=None if invoice is None else json.loads(invoice),
        failure=None if failure is None else json.loads(failure),
        tries=int(tries or 0),
    )
