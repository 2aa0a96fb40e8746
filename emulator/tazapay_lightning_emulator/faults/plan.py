"""Decides which request gets which fault. Pure: no sockets and no clock.

There are two ways to plan, and they can be combined. A queue holds faults for the next request, or for the next one
with a given idempotency key. With a probability and a seed, requests get faults at random, the same in every run: a
fault depends only on the seed, the idempotency key, and the number of earlier requests with that key (or without a
key). So the order in which concurrent requests arrive does not matter.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from itertools import islice
from typing import Any

from attrs import asdict, define, evolve

from tazapay_lightning_emulator.activity import Activity
from tazapay_lightning_emulator.clock import to_rfc3339
from tazapay_lightning_emulator.faults.chance import DEFAULT_KINDS, Chance, Kinds
from tazapay_lightning_emulator.faults.kinds import Fault, FaultKind, integer

MAX_RECORDS = 100_000
"""The number of requests that are kept; older ones are dropped, so that an emulator can run for weeks."""

_MAX_RECORDED_LENGTH = 2_000  # of a path or a key, which may have 64 KB when they come
_MAX_TIMES = 1_000_000
_MAX_KEY_LENGTH = 255


@define(eq=False)
class RequestRecord:
    """A request that the emulator received.

    Attributes:
        method: such as "POST".
        path: without the query; a long one is cut off.
        idempotency_key: None if there was none, or more than one; a long one is cut off.
        fault: the fault that it got; None if it got none.
        committed: whether it has been carried out, which for a creation means that its invoice is stored. It is True
            also for a repeated request, whose key had an invoice already.
        at: when it arrived, by the emulator's clock.
        status: the status that was sent; None while there is none, and if the fault sent none.
        milliseconds: how long it took; None while it lasts.
    """

    method: str
    path: str
    idempotency_key: str | None
    fault: Fault | None
    committed: bool = False
    at: datetime | None = None
    status: int | None = None
    milliseconds: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready."""
        fault = None if self.fault is None else self.fault.to_dict()
        at = None if self.at is None else to_rfc3339(self.at, "microseconds")
        return {**asdict(self, recurse=False), "fault": fault, "at": at}


@define(eq=False)
class _Queued:
    fault: Fault
    times: int
    idempotency_key: str | None


class FaultPlan:
    """The faults to inject, and a record of every request. Safe to share between threads.

    Args:
        *queued: faults, or their kinds, for the next requests: one each, in this order.
        probability: as for `fail_randomly`.
        seed: as for `fail_randomly`.
        kinds: as for `fail_randomly`.

    Attributes:
        activity: tells when a request arrives or is finished, and when the plan changes.

    Raises:
        ValueError: as for `fail_next` and `fail_randomly`.

    Example:
        >>> plan = FaultPlan("reset_after_commit")
        >>> plan.fail_next("delay_before_commit", seconds=0.5, idempotency_key="order-2")
        >>> [str(plan.arrived("POST", "/", key).fault) for key in ("order-1", "order-1", "order-2", "order-2")]
        ['reset_after_commit', 'None', 'delay_before_commit(seconds=0.5)', 'None']
    """

    def __init__(
        self,
        *queued: FaultKind | Fault,
        probability: float = 0.0,
        seed: int = 0,
        kinds: Kinds = DEFAULT_KINDS,
    ) -> None:
        self.activity = Activity()
        self._lock = threading.Lock()
        self._arrived = 0
        self._queue: list[_Queued] = []
        self._chance: Chance | None = None
        self._records: deque[RequestRecord] = deque(maxlen=MAX_RECORDS)
        for each in queued:
            self.fail_next(each)
        self.fail_randomly(probability, seed=seed, kinds=kinds)

    def fail_next(
        self, kind: FaultKind | Fault, *, times: int = 1, idempotency_key: str | None = None, **parameters: object
    ) -> None:
        """Inject a fault into the next request.

        Faults wait in a queue: a request gets the first one that fits it, and then none at random.

        Args:
            kind: a kind or a fault.
            times: the number of requests that get it.
            idempotency_key: only requests with this key get it.
            **parameters: of the kind; none with a fault.

        Raises:
            ValueError: an argument is not accepted; the message says what is.
        """
        fault = Fault.of(kind, **parameters)
        if not integer(times, 1, _MAX_TIMES):
            raise ValueError(f"times: an integer from 1 to {_MAX_TIMES}")
        if idempotency_key is not None and not (
            isinstance(idempotency_key, str) and 1 <= len(idempotency_key) <= _MAX_KEY_LENGTH
        ):
            raise ValueError(f"idempotency_key: a string of 1 to {_MAX_KEY_LENGTH} characters")
        with self._lock:
            self._queue.append(_Queued(fault, times, idempotency_key))
        self.activity.tell()

    def fail_randomly(self, probability: float, *, seed: int, kinds: Kinds = DEFAULT_KINDS) -> None:
        """Inject faults at random, and count requests from zero; replaces an earlier call.

        Args:
            probability: 0 (never) to 1 (always).
            seed: with the same seed, the same requests get the same faults.
            kinds: kinds or faults to choose from, equally likely, or a mapping of them to weights.

        Raises:
            ValueError: an argument is not accepted; the message says what is.
        """
        chance = Chance.checked(probability, seed, kinds)
        with self._lock:
            self._chance = chance
        self.activity.tell()

    def stop_failing(self) -> None:
        """Empty the queue, and inject none at random. Faults in progress go on."""
        with self._lock:
            self._queue.clear()
            self._chance = None
        self.activity.tell()

    def arrived(self, method: str, path: str, idempotency_key: str | None, at: datetime | None = None) -> RequestRecord:
        """Record a request that has just arrived, with the fault that it gets.

        Returns:
            The record itself and not a copy: the caller sets its `committed` and `status`, and then calls `finished`.
        """
        with self._lock:
            # drawn in any case, so that queued faults do not shift those at random
            drawn = None if self._chance is None else self._chance.draw(idempotency_key)
            record = RequestRecord(
                method,
                path[:_MAX_RECORDED_LENGTH],
                None if idempotency_key is None else idempotency_key[:_MAX_RECORDED_LENGTH],
                self._take(idempotency_key) or drawn,
                at=at,
            )
            self._records.append(record)
            self._arrived += 1
        self.activity.tell()
        return record

    def finished(self, record: RequestRecord, *, seconds: float) -> None:
        """Record that a request was answered, or that its connection ended."""
        record.milliseconds = round(seconds * 1000)
        if self.activity.is_heard:
            self.activity.tell(evolve(record))

    def requests(self) -> list[RequestRecord]:
        """The last 100,000 requests in order of arrival, except those under `/_emulator/`."""
        with self._lock:
            return [evolve(record) for record in self._records]

    def newest(self, most: int) -> tuple[list[RequestRecord], int]:
        """The newest requests, the last one first, and how many have arrived in all."""
        with self._lock:
            return [evolve(record) for record in islice(reversed(self._records), most)], self._arrived

    def faults_injected(self) -> list[RequestRecord]:
        """Those of `requests` that got a fault.

        Example:
            >>> from collections import Counter
            >>> plan = FaultPlan("drip", "drip", "bad_gzip")
            >>> for _ in range(5):
            ...     _ = plan.arrived("POST", "/", None)
            >>> Counter(record.fault.kind for record in plan.faults_injected())
            Counter({'drip': 2, 'bad_gzip': 1})
        """
        return [record for record in self.requests() if record.fault is not None]

    def to_dict(self) -> dict[str, Any]:
        """The plan, JSON-ready: `next`, the queue, and `random`, None if no request gets faults at random."""
        with self._lock:
            queue = [
                {**each.fault.to_dict(), "times": each.times, "idempotency_key": each.idempotency_key}
                for each in self._queue
            ]
            chance = self._chance
        return {"next": queue, "random": None if chance is None else chance.to_dict()}

    def _take(self, idempotency_key: str | None) -> Fault | None:
        for queued in self._queue:
            if queued.idempotency_key in (None, idempotency_key):
                queued.times -= 1
                if queued.times == 0:
                    self._queue.remove(queued)
                return queued.fault
        return None
