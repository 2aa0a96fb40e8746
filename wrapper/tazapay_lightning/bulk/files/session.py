"""A run of the command ``bulk``: each order is written down before and after it is sent, until the end or a stop."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, aclosing, suppress
from datetime import UTC, datetime, timedelta

from attrs import define, field

from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.create import create_invoices
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.record import BulkRecord, Sending
from tazapay_lightning.bulk.files.rows import Row
from tazapay_lightning.bulk.orders import Order, Result
from tazapay_lightning.errors import TazapayError

_RESUMABLE_FOR = timedelta(hours=23, minutes=30)  # Tazapay's 24 hours, less some for clocks and the call itself
_AHEAD = timedelta(minutes=-5)  # a sending of the future was written by a clock that was wrong
_LISTED = 20


@define(eq=False, kw_only=True)
class Session:
    """One run, and its outcome.

    Attributes:
        index: the orders, and the results of earlier runs.
        record: the files of the run.
        key: returns the idempotency key of an order id.
        on_result: called after each result with the states so far.
        on_stop: called when the run is asked to stop, with how many orders are in flight.
        states: how many orders ended in each state.
        differing: how many invoices are over the right amount, and otherwise not what was asked for.
        to_settle: how many orders a person has to settle: sent too long ago, or by a clock that was wrong.
        settle: the first 20 of them.
        unrecorded: the sendings whose result could not be written, or was abandoned, each with the id of its invoice
            if that is known.
        ended_by: the error that ended the run early: of the service, or of a file that could not be written.
        is_stopped: True if the run was asked to stop.
        seconds: how long it took.
    """

    index: OrderIndex
    record: BulkRecord
    key: Callable[[str], str]
    on_result: Callable[[Mapping[str, int]], object]
    on_stop: Callable[[int], object]
    states: Counter[str] = field(factory=Counter, init=False)
    differing: int = field(default=0, init=False)
    to_settle: int = field(default=0, init=False)
    settle: list[Row] = field(factory=list, init=False)
    unrecorded: list[tuple[Sending, str | None]] = field(factory=list, init=False)
    ended_by: TazapayError | OSError | None = field(default=None, init=False)
    is_stopped: bool = field(default=False, init=False)
    seconds: float = field(default=0.0, init=False)
    _in_flight: dict[str, Sending] = field(factory=dict, init=False)
    _has_half_a_line: bool = field(default=False, init=False)

    @property
    def may_exist(self) -> int:
        """How many orders may have an invoice that nothing proves."""
        return self.states["unknown"] + self.states["mismatch"] + self.to_settle + len(self.unrecorded)

    @property
    def ended_early(self) -> bool:
        """True if there may be orders that were never taken up."""
        return self.is_stopped or self.ended_by is not None

    async def run(self, client: AsyncLightningClient, *, concurrency: int, rate: float | None) -> None:
        """Send every order without a proven invoice, and close the client."""
        began = time.monotonic()
        results = create_invoices(client, self._orders(), key=self.key, concurrency=concurrency, rate=rate)
        async with client:
            with self._signals_heeded():
                try:
                    async with aclosing(results):
                        async for result in results:
                            self._take(result)
                except TazapayError as error:
                    self.ended_by = self.ended_by or error
                except asyncio.CancelledError:
                    self.is_stopped = True  # by a second signal: the orders in flight are abandoned
            self.unrecorded += [(sending, None) for sending in self._in_flight.values()]
            try:
                self.record.sync()
            except OSError as error:
                self.ended_by = self.ended_by or error
        self.seconds = time.monotonic() - began

    def _orders(self) -> Iterator[Order]:
        for order in self.index.waiting():
            if self.ended_early:
                return
            now = datetime.now(UTC)
            if order.since is not None and not _AHEAD <= now - datetime.fromisoformat(order.since) <= _RESUMABLE_FOR:
                self.to_settle += 1
                if self.to_settle <= _LISTED:
                    self.settle.append(order)
                continue
            try:
                sending = self.record.sending(order, key=self.key(order.order_id), now=now)
            except OSError as error:
                self.ended_by = error
                return
            self._in_flight[order.order_id] = sending
            yield Order(order_id=order.order_id, **json.loads(order.request))

    def _take(self, result: Result) -> None:
        sending = self._in_flight.pop(result.order.order_id if result.order else "")
        state = sending.state_after(result)
        self.differing += result.invoice is not None and bool(result.invoice.differences)
        if not self._has_half_a_line:
            try:
                self.record.result(sending, state, result)
            except OSError as error:
                self._has_half_a_line = True  # nothing more is written: a line after half a line could not be read
                self.ended_by = self.ended_by or error
        if self._has_half_a_line and state != "refused":
            self.unrecorded.append((sending, result.invoice.id if result.invoice else None))
        else:
            self.states[state] += 1
        self.on_result(self.states)

    def _signals_heeded(self) -> ExitStack:
        """Let Ctrl-C and SIGTERM stop the run within the block; a second one abandons the orders in flight."""
        loop, task, handlers = asyncio.get_running_loop(), asyncio.current_task(), ExitStack()
        for number in (signal.SIGINT, signal.SIGTERM):
            # not on Windows, nor outside the main thread: there Ctrl-C cancels the task at once
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._stop, task)
                handlers.callback(loop.remove_signal_handler, number)
        return handlers

    def _stop(self, task: asyncio.Task[object] | None) -> None:
        if self.is_stopped and task is not None:
            task.cancel()
        else:
            self.is_stopped = True
            self.on_stop(len(self._in_flight))
