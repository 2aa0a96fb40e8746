"""The workers of a bulk run: they take rows, bill them, put back what met a 429, and know when to stop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

import anyio
from attrs import define, field

from tazapay_lightning import errors
from tazapay_lightning._loading import loading
from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.orders import ARGUMENTS, Order, Result
from tazapay_lightning.bulk.pacing import Pace

Row = Order | Mapping[str, object]

_SECONDS_AHEAD = 5  # what may be taken before its turn, in terms of the rate
_FAILURES_IN_A_ROW = 50


async def results_of(new_run: Callable[[], Run]) -> AsyncGenerator[Result, None]:
    """Start a run when the first result is asked for, yield its results, and raise what ended it."""
    # The run has a task of its own: a task group or a cancel scope around a `yield` would be left in another order than
    # entered, or in another task, when the consumer leaves early. Starting such a task is asyncio's, not anyio's.
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise errors.ConfigurationError("bulk runs need asyncio for their event loop") from None
    with loading:  # anyio loads what it runs on
        run = new_run()
        send, receive = anyio.create_memory_object_stream[Result](0)
    task = loop.create_task(run.into(send.send))
    task.add_done_callback(lambda done: send.close())
    with receive:
        try:
            async for result in receive:
                yield result
            await task
        finally:
            task.cancel()
            await asyncio.wait([task])
    if run.ended_by is not None:
        raise run.ended_by


@define(eq=False)
class _Taken:
    """A row in flight; the `async_calls.Turns` of its call."""

    row: object
    pace: Pace
    may_be_sent: Callable[[Order | None], bool]
    order: Order | None = None
    key: str | None = None
    put_back_after: errors.APIError | None = None
    in_doubt: bool = False

    async def first_turn(self) -> None:
        await self.pace.first_turn()
        if not self.may_be_sent(self.order):
            raise errors.APIConnectionError("not sent: it waited for too long", nothing_sent=True)

    async def further_turn(self, *, before: float) -> bool:
        is_next = await self.pace.further_turn(before=before, in_doubt=self.in_doubt)
        return is_next and self.may_be_sent(self.order)

    def failed(self, error: errors.APIError) -> None:
        self.in_doubt = error.outcome_unknown
        if isinstance(error, errors.RateLimitError):
            self.pace.failed(error)
            raise error  # the row is put back: it is the run that waits, and not the call

    def result(self, **outcome: object) -> Result:
        return Result(order=self.order, row=self.row, idempotency_key=self.key, **outcome)  # type: ignore[arg-type]  # one of two


async def _each(rows: Iterable[Row] | AsyncIterable[Row]) -> AsyncGenerator[object, None]:
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


@define(eq=False)
class Run:
    """One run: the state that its workers share. Arguments as for `bulk.create_invoices`, checked.

    Attributes:
        may_be_sent: asked before each attempt, with its order.
        ended_by: the error that ended the run; None if it came to the end of the rows.
    """

    client: AsyncLightningClient
    rows: AsyncGenerator[object, None] = field(converter=_each)
    key: Callable[[str], str]
    concurrency: int
    rate: float | None
    may_be_sent: Callable[[Order | None], bool] = lambda order: True
    ended_by: BaseException | None = field(default=None, init=False)
    _row_scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)  # another one for each row
    _taking: anyio.Lock = field(factory=anyio.Lock, init=False)  # generators are asked for one row at a time
    _is_over: bool = field(default=False, init=False)
    _failures_in_a_row: int = field(default=0, init=False)
    _pace: Pace = field(init=False)
    _places: anyio.CapacityLimiter = field(init=False)

    def __attrs_post_init__(self) -> None:
        if self.rate is not None:
            self.concurrency = min(self.concurrency, max(1, math.ceil(self.rate * _SECONDS_AHEAD)))
        self._pace = Pace(concurrency=self.concurrency, rate=self.rate)
        self._places = anyio.CapacityLimiter(self.concurrency)

    async def into(self, deliver: Callable[[Result], Awaitable[object]]) -> None:
        """Bill all rows, and deliver the result of each."""
        async with aclosing(self.rows), anyio.create_task_group() as workers:
            for _ in range(self.concurrency):
                workers.start_soon(self._work, deliver)

    async def _work(self, deliver: Callable[[Result], Awaitable[object]]) -> None:
        while (taken := await self._take()) is not None:
            result = None
            while result is None:
                async with self._places:
                    result = await self._bill(taken)
                self._places.total_tokens = self._pace.in_flight
            await deliver(result)

    async def _take(self) -> _Taken | None:
        async with self._taking:
            if self._is_over:
                return None
            try:
                with anyio.CancelScope() as self._row_scope:  # left when the run ends: the next row may never come
                    return _Taken(await anext(self.rows), self._pace, self.may_be_sent)
            except StopAsyncIteration:
                self._is_over = True
            except Exception as error:  # noqa: BLE001 - whatever it is, what was taken is finished before it is raised
                self._is_over, self.ended_by = True, self.ended_by or error
            return None

    async def _bill(self, taken: _Taken) -> Result | None:
        """Return what became of a row; None if it is to be billed again."""
        try:
            if taken.order is None:
                taken.order = Order.of(taken.row)
                taken.key = self.key(taken.order.order_id)  # once: a row that is put back keeps it
            arguments: dict[str, Any] = {name: getattr(taken.order, name) for name in ARGUMENTS}
            client = self.client._taking_turns(taken)  # noqa: SLF001 - the clients' own side of a run
            invoice = await client.create_invoice(**arguments, idempotency_key=taken.key)
        except errors.TazapayError as error:
            return self._failed(taken, error)
        except (Exception, asyncio.CancelledError) as failure:
            if isinstance(failure, asyncio.CancelledError) and anyio.current_effective_deadline() == -math.inf:
                raise  # the run is abandoned; otherwise it was something within the call that was cancelled
            if taken.order is not None and taken.key is None:
                self._end(failure)  # of `key`
            unexpected = errors.UnexpectedResponseError(f"the order could not be billed: {type(failure).__name__}")
            unexpected.outcome_unknown, unexpected.__cause__ = taken.key is not None, failure
            return self._failed(taken, unexpected)
        self._pace.succeeded()
        self._failures_in_a_row = 0
        return taken.result(invoice=invoice)

    def _failed(self, taken: _Taken, error: errors.TazapayError) -> Result | None:
        """Judge a failure: return it as the row's result, or None if the row is put back; end the run where it must."""
        before, hopeless = taken.put_back_after, self._pace.must_give_up(time.monotonic())
        if isinstance(error, errors.APIError):
            error.idempotency_key = taken.key
            error.outcome_unknown = error.outcome_unknown or (before is not None and before.outcome_unknown)
        if isinstance(error, errors.RateLimitError) and not hopeless and not self._pace.stopped.is_set():
            taken.put_back_after = error
            return None
        if isinstance(error, errors.InvalidRequestError | errors.RateLimitError | errors.RequestFailedError):
            self._failures_in_a_row = 0  # the service had something to say about this very row
        elif isinstance(error, errors.APIError | errors.InvoiceMismatchError):
            self._failures_in_a_row += 1
        too_many = self._failures_in_a_row >= max(_FAILURES_IN_A_ROW, 2 * self.concurrency)
        final = isinstance(error, errors.ConfigurationError | errors.AuthenticationError)
        if too_many or final or getattr(error, "permanent", isinstance(error, errors.RateLimitError) and hopeless):
            self._end(error)  # every further row would fail in the same way
        if before is not None and isinstance(error, errors.ConfigurationError):
            return taken.result(error=before)  # the row's own failure, which may be an unknown outcome
        return taken.result(error=error)

    def paused_for(self) -> float:
        """Return for how many seconds more the run pauses, since the service asked for it; 0 where it does not."""
        return self._pace.paused_for(time.monotonic())

    def stop(self) -> None:
        """Begin no row and no attempt any more, unless an invoice may exist; what is under way is finished."""
        self._is_over = True
        self._pace.stopped.set()
        self._row_scope.cancel()

    def _end(self, error: BaseException) -> None:
        self.ended_by = self.ended_by or error
        self.stop()
