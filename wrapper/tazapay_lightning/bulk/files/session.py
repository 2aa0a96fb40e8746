"""A run of the command ``bulk``: each order is written down before and after it is sent, until the end or a stop."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field

from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.files.index import OrderIndex
from tazapay_lightning.bulk.files.record import BulkRecord, Sending, remark
from tazapay_lightning.bulk.files.rows import Row
from tazapay_lightning.bulk.orders import Order, Result, State
from tazapay_lightning.bulk.workers import Run
from tazapay_lightning.errors import InvoiceMismatchError, TazapayError

_RESUMABLE_FOR = timedelta(hours=23, minutes=30)  # Tazapay's 24 hours, less some for clocks and the call itself
_AHEAD = timedelta(minutes=-5)  # a sending of the future was written by a clock that was wrong
_DETAILS = re.compile(r": |; | \(")  # what follows the short name of a failure, such as "401 Unauthorized"


@define(eq=False, kw_only=True)
class Session:
    """One run, and its outcome.

    Attributes:
        index: the orders, and the results of earlier runs; it takes down what a person has to know of an order.
        record: the files of the run.
        key: returns the idempotency key of an order id.
        on_result: called after each result with the states so far.
        on_line: called with each line that was written to the results; the run ends if it raises a `TazapayError`.
        now: returns the time.
        states: how many orders ended in each state; and "not_reached", refused without an answer, and "to_settle": by
            a person, since they were sent too long ago, or by a clock that was wrong.
        reasons: how often orders were refused or not reached for each reason.
        differing: how many invoices are over the right amount, and otherwise not what was asked for.
        unrecorded: the sendings whose result could not be written, or was abandoned, each with the id of its invoice
            if that is known.
        ended_by: the error that ended the run early: of the service, of a file that could not be written, or a bug.
        stopped_by: the signal that asked the run to stop; None if there was none.
        seconds: how long it took.
    """

    index: OrderIndex
    record: BulkRecord
    key: Callable[[str], str]
    on_result: Callable[[Mapping[str, int]], object]
    on_line: Callable[[str], object] = lambda line: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    states: Counter[str] = field(factory=Counter, init=False)
    reasons: Counter[str] = field(factory=Counter, init=False)
    differing: int = field(default=0, init=False)
    unrecorded: list[tuple[Sending, str | None]] = field(factory=list, init=False)
    ended_by: BaseException | None = field(default=None, init=False)
    stopped_by: int | None = field(default=None, init=False)
    seconds: float = field(default=0.0, init=False)
    _in_flight: dict[str, Sending] = field(factory=dict, init=False)
    _has_half_a_line: bool = field(default=False, init=False)
    _run: Run = field(init=False)

    async def run(self, client: AsyncLightningClient, *, concurrency: int, rate: float | None) -> None:
        """Send every order without a proven invoice, and close the client."""
        began = time.monotonic()
        self._run = Run(client, self._orders(), self.key, concurrency, rate, self._may_be_sent)
        self._heed_signals()
        async with client:
            try:
                await self._run.into(self._take)
                self.ended_by = self.ended_by or self._run.ended_by
            except asyncio.CancelledError:
                self.stopped_by = self.stopped_by or signal.SIGINT  # the orders in flight are abandoned
            except Exception as error:  # noqa: BLE001 - a bug too: what is in flight is told all the same
                self.ended_by = self.ended_by or (error.exceptions[0] if isinstance(error, ExceptionGroup) else error)
            self.unrecorded += [(sending, None) for sending in self._in_flight.values()]
            try:
                self.record.sync()
            except OSError as error:
                self.ended_by = self.ended_by or error
        self.seconds = time.monotonic() - began

    def paused_for(self) -> float:
        """Return for how many seconds more the run pauses, since the service asked for it; 0 where it does not."""
        return self._run.paused_for() if hasattr(self, "_run") else 0.0

    def _orders(self) -> Iterator[Order]:
        for order in self.index.waiting():
            if order.since is not None and not self._is_key_known(order.since):
                self._settle(order, order.since)
                continue
            sending = self.record.sending(order, key=self.key(order.order_id), now=self.now())
            self._in_flight[order.order_id] = sending
            yield Order(order_id=order.order_id, **json.loads(order.request))

    def _is_key_known(self, since: str) -> bool:
        return _AHEAD <= self.now() - datetime.fromisoformat(since) <= _RESUMABLE_FOR

    def _may_be_sent(self, order: Order | None) -> bool:
        return order is not None and self._is_key_known(self._in_flight[order.order_id].since)

    def _settle(self, order: Row, since: str) -> None:
        """Leave an order to a person."""
        self.states["to_settle"] += 1
        self.index.noted(
            order.order_id,
            None,
            f"was not sent again: an invoice over {order.amount_sats} satoshi may exist since {since}, and Tazapay "
            "knows its key for 24 hours only (a time in the future comes from a wrong clock). Look for it in Tazapay's "
            f"dashboard, then add a line to the results: if it is there {self.record.settling(order, 'created')}, else "
            f"{self.record.settling(order, 'refused')}",
        )

    async def _take(self, result: Result) -> None:
        order_id, error = result.order.order_id if result.order else "", result.error
        sending = self._in_flight[order_id]
        state = self._write(sending, result)
        del self._in_flight[order_id]
        if self._has_half_a_line and state != "refused":
            self.unrecorded.append((sending, result.invoice.id if result.invoice else None))
        elif state == "unknown" and not self._is_key_known(sending.since):
            self._settle(sending.order, sending.since)
        elif state != "refused":
            self.states[state] += 1
        elif getattr(error, "attempts", 1):  # else it did not get its turn
            ended = "not_reached" if getattr(error, "nothing_sent", False) else "refused"
            self.states[ended] += 1
            self.reasons[f"{ended.replace('_', ' ')}: {_DETAILS.split(str(error))[0]}"] += 1
        self.on_result(self.states)

    def _write(self, sending: Sending, result: Result) -> State:
        """Write down the result of a sending, and return the state of its order."""
        order_id, invoice = sending.order.order_id, result.invoice
        if invoice is not None:
            fields = [each.field for each in invoice.differences]
            self.differing += bool(fields)
            if other := self.index.noted(order_id, invoice.id, remark(invoice.id, fields)):
                error = InvoiceMismatchError(f"invoice {invoice.id} is that of order {other} already", invoice=invoice)
                result = evolve(result, invoice=None, error=error)
        if isinstance(result.error, InvoiceMismatchError):
            self.index.noted(order_id, None, f"got the invoice of another: {result.error}")
        # a refusal proves nothing about an earlier sending whose outcome is unknown: then it stays unknown
        state = "unknown" if result.state == "refused" and sending.order.since is not None else result.state
        if not self._has_half_a_line:
            try:
                self.on_line(self.record.result(sending, state, result))
            except (OSError, TazapayError) as error:
                # nothing more is written then: a line after half a line could not be read
                self._has_half_a_line = not isinstance(error, TazapayError)
                self.ended_by = self.ended_by or error
                self._run.stop()
        return state

    def _heed_signals(self) -> None:
        """Let Ctrl-C, SIGTERM and SIGHUP stop the run while its loop is there; a second abandons what is in flight."""
        for number in {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
            if number != signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN:
                continue  # as SIGHUP under nohup
            # not on Windows, nor outside the main thread: there Ctrl-C cancels the task at once
            with suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self._stop, number, asyncio.current_task())

    def _stop(self, number: int, task: asyncio.Task[object] | None) -> None:
        if self.stopped_by and task is not None:
            task.cancel()
        else:
            self.stopped_by = number
            self._run.stop()
            message = f"stopping: {len(self._in_flight)} in flight are waited for; once more (Ctrl-C) abandons them"
            with suppress(OSError):  # the terminal is closed
                print(message, file=sys.stderr)  # which rich prints above its bar
