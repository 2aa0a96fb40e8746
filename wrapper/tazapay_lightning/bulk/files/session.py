"""A run of the command ``bulk``: orders go out, written down before and after, until all are done or it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from attrs import define, field, frozen

from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.create import Order, Result, create_invoices, idempotency_key
from tazapay_lightning.bulk.files.index import OrderIndex, Waiting
from tazapay_lightning.bulk.files.record import BulkRecord, Sending
from tazapay_lightning.errors import TazapayError

__all__ = ["RESUMABLE_FOR", "Outcome", "Session", "ToSettle", "Unrecorded"]

RESUMABLE_FOR = timedelta(hours=23, minutes=30)
"""For how long an unknown outcome is asked for again: Tazapay's 24 hours, less some for clocks and the call itself."""

_AHEAD = timedelta(minutes=-5)  # a sending of the future was written by a clock that is not to be relied on
_FORGOTTEN = "and Tazapay forgets its key after 24 hours"
_WRONG_CLOCK = "which is in the future: a clock was wrong, and nobody knows how old its key is"
_LISTED = 20


@frozen
class Unrecorded:
    """An order of which an invoice may exist and the results do not tell."""

    order_id: str
    key: str
    invoice_id: str | None


@frozen
class ToSettle:
    """An order that a person has to settle, and why."""

    order: Waiting
    why: str


@define(eq=False)
class Outcome:
    """What became of a run.

    Attributes:
        states: how many orders ended in which state.
        differing: how many invoices are over the right amount, and otherwise not what was asked for.
        settle: how many orders have to be settled by a person, and the first 20 of them.
        unrecorded: those whose result could not be written, or did not come before the run was abandoned.
        ended_by: the error that ended the run early.
        write_failure: why something could not be written.
        is_stopped: True if the run was asked to stop.
    """

    states: Counter[str] = field(factory=Counter)
    differing: int = 0
    to_settle: int = 0
    settle: list[ToSettle] = field(factory=list)
    unrecorded: list[Unrecorded] = field(factory=list)
    ended_by: TazapayError | None = None
    write_failure: OSError | None = None
    is_stopped: bool = False
    seconds: float = 0.0

    @property
    def may_exist(self) -> int:
        """How many orders have an invoice that nothing proves."""
        return self.states["unknown"] + self.states["mismatch"] + self.to_settle + len(self.unrecorded)

    @property
    def ended_early(self) -> bool:
        """True if there are orders that were not come to."""
        return self.is_stopped or self.ended_by is not None or self.write_failure is not None


class Session:
    """One run.

    Args:
        index: the orders, and what earlier runs proved.
        record: where to write down what happens.
        namespace: of the idempotency keys.
        on_result: called after each result with the states so far.
        on_stop: called when the run is asked to stop, with how many orders are in flight.
    """

    def __init__(
        self,
        index: OrderIndex,
        record: BulkRecord,
        *,
        namespace: str,
        on_result: Callable[[Mapping[str, int]], object],
        on_stop: Callable[[int], object],
    ) -> None:
        self._index = index
        self._record = record
        self._key = partial(idempotency_key, namespace)
        self._on_result = on_result
        self._on_stop = on_stop
        self._in_flight: dict[str, Sending] = {}
        self._is_broken = False
        self.outcome = Outcome()

    async def run(self, client: AsyncLightningClient, *, concurrency: int, rate: float | None) -> None:
        """Send what has no proven invoice, and leave in `outcome` what became of it."""
        outcome, began = self.outcome, time.monotonic()
        with self._stopping_on_signals():
            results = create_invoices(client, self._orders(), key=self._key, concurrency=concurrency, rate=rate)
            try:
                async with aclosing(results):
                    async for result in results:
                        self._take(result)
            except TazapayError as error:
                outcome.ended_by = error
            except asyncio.CancelledError:
                outcome.is_stopped = True  # by a second signal: what is in flight is abandoned
        for sending in self._in_flight.values():
            outcome.unrecorded.append(Unrecorded(sending.order.order_id, sending.key, None))
        try:
            self._record.sync()
        except OSError as error:
            outcome.write_failure = outcome.write_failure or error
        outcome.seconds = time.monotonic() - began

    def _orders(self) -> Iterator[Order]:
        outcome = self.outcome
        for order in self._index.waiting():
            if outcome.is_stopped or outcome.write_failure is not None:
                return
            now = datetime.now(UTC)
            age = timedelta() if order.since is None else now - datetime.fromisoformat(order.since)
            if not _AHEAD <= age <= RESUMABLE_FOR:
                outcome.to_settle += 1
                if len(outcome.settle) < _LISTED:
                    outcome.settle.append(ToSettle(order, _WRONG_CLOCK if age < _AHEAD else _FORGOTTEN))
                continue
            try:
                sending = self._record.sending(order, key=self._key(order.order_id), now=now)
            except OSError as error:
                outcome.write_failure = error
                return
            self._in_flight[order.order_id] = sending
            yield Order(order_id=order.order_id, **json.loads(order.request))

    def _take(self, result: Result) -> None:
        outcome = self.outcome
        sending = self._in_flight.pop(result.order.order_id if result.order else "")
        state = sending.state_after(result)
        outcome.differing += result.invoice is not None and bool(result.invoice.differences)
        if not self._is_broken:
            try:
                self._record.result(sending, state, result)
            except OSError as error:
                self._is_broken = True  # and stays so: a line after half a line could not be read
                outcome.write_failure = outcome.write_failure or error
        if self._is_broken and state != "refused":
            invoice_id = result.invoice.id if result.invoice else None
            outcome.unrecorded.append(Unrecorded(sending.order.order_id, sending.key, invoice_id))
        else:
            outcome.states[state] += 1
        self._on_result(outcome.states)

    def _stop(self, cancel: Callable[[], object]) -> None:
        if self.outcome.is_stopped:
            cancel()
        else:
            self.outcome.is_stopped = True
            self._on_stop(len(self._in_flight))

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """Within the block, let Ctrl-C and SIGTERM stop the run; a second one abandons what is in flight."""
        loop, task, heeded = asyncio.get_running_loop(), asyncio.current_task(), []
        assert task is not None  # noqa: S101 - a coroutine that runs is in one
        for number in (signal.SIGINT, signal.SIGTERM):
            # not on Windows, nor outside the main thread: there Ctrl-C cancels the task, and what is in flight with it
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._stop, task.cancel)
                heeded.append(number)
        try:
            yield
        finally:
            for number in heeded:
                loop.remove_signal_handler(number)
