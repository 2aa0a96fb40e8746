"""The workers of a bulk run: they take rows, bill them, put back what met a 429, and know when to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from typing import Any

import anyio
from anyio.abc import ObjectSendStream
from attrs import define

from tazapay_lightning import errors
from tazapay_lightning.async_client import AsyncLightningClient
from tazapay_lightning.bulk.orders import Order, Result
from tazapay_lightning.bulk.pacing import Pace

Row = Order | Mapping[str, object]

_FAILURES_IN_A_ROW = 50
_NOT_ABOUT_THE_ROW = (
    errors.APIConnectionError,
    errors.InvoiceMismatchError,
    errors.NotFoundError,
    errors.PermissionDeniedError,
    errors.ServerError,
    errors.UnexpectedResponseError,
)


async def results_of(new_run: Callable[[], Run]) -> AsyncGenerator[Result, None]:
    """Start a run when the first result is asked for, yield its results, and raise what ended it."""
    # The run has a task of its own: a task group or a cancel scope around a `yield` would be left in another order than
    # entered, or in another task, when the consumer leaves early. Starting such a task is asyncio's, not anyio's.
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise errors.ConfigurationError("bulk runs need asyncio for their event loop") from None
    run = new_run()
    send, receive = anyio.create_memory_object_stream[Result](0)
    task = loop.create_task(run.into(send))
    try:
        async for result in receive:
            yield result
        await task
    finally:
        task.cancel()
        try:
            await asyncio.wait([task])
        finally:
            receive.close()
    if run.ended_by is not None:
        raise run.ended_by


@define(eq=False)
class _Taken:
    """A row in flight."""

    row: object
    order: Order | None = None
    key: str | None = None
    put_back_after: errors.APIError | None = None

    def result(self, **outcome: object) -> Result:
        return Result(order=self.order, row=self.row, idempotency_key=self.key, **outcome)  # type: ignore[arg-type]  # one of two


class Run:
    """One run: the state that its workers share. Arguments as for `bulk.create_invoices`, checked.

    Attributes:
        ended_by: the error that ended the run; None if it came to the end of the rows.
    """

    def __init__(
        self,
        client: AsyncLightningClient,
        rows: Iterable[Row] | AsyncIterable[Row],
        *,
        key: Callable[[str], str],
        concurrency: int,
        rate: float | None,
    ) -> None:
        self._pace = Pace(concurrency=concurrency, rate=rate)
        self._client = client._taking_turns(self._pace)  # noqa: SLF001 - the clients' own side of a run
        self._next_row = _row_source(rows)
        self._key = key
        self._concurrency = concurrency
        self._places = anyio.CapacityLimiter(concurrency)
        self._row_scope = anyio.CancelScope()  # another one for each row
        self._taking = anyio.Lock()  # an asynchronous generator is asked for one row at a time
        self._is_over = False
        self._failures_in_a_row = 0
        self.ended_by: Exception | None = None

    async def into(self, results: ObjectSendStream[Result]) -> None:
        """Bill all rows and send the results; to be run in a task of its own."""
        async with results, anyio.create_task_group() as workers:
            for _ in range(self._concurrency):
                workers.start_soon(self._work, results)

    async def _work(self, results: ObjectSendStream[Result]) -> None:
        while (taken := await self._take()) is not None:
            result = None
            while result is None:
                async with self._places:
                    try:
                        result = await self._bill(taken)
                    except Exception as error:  # noqa: BLE001 - a bug, raised from the iterator once the others are through
                        self._end(error)
                        return
                if self._pace.in_flight != self._places.total_tokens:
                    self._places.total_tokens = self._pace.in_flight
            await results.send(result)

    async def _take(self) -> _Taken | None:
        async with self._taking:
            if self._is_over:
                return None
            try:
                with anyio.CancelScope() as self._row_scope:  # left when the run ends: the next row may never come
                    return _Taken(await self._next_row())
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
                taken.key = self._key(taken.order.order_id)  # once: a row that is put back keeps it
            order = taken.order
            amount: dict[str, Any] = {"amount_sats": order.amount_sats, "amount_btc": order.amount_btc}
            invoice = await self._client.create_invoice(
                **amount,
                memo=order.memo,
                metadata=order.metadata,
                expires_in=order.expires_in,
                idempotency_key=taken.key,
            )
        except errors.TazapayError as error:
            return self._failed(taken, error)
        self._pace.succeeded()
        self._failures_in_a_row = 0
        return taken.result(invoice=invoice)

    def _failed(self, taken: _Taken, error: errors.TazapayError) -> Result | None:
        """Judge a failure: return it as the row's result, or None if the row is put back; end the run where it must."""
        before, hopeless = taken.put_back_after, self._pace.is_hopeless(time.monotonic())
        if isinstance(error, errors.APIError):
            error.idempotency_key = taken.key
            error.outcome_unknown = error.outcome_unknown or (before is not None and before.outcome_unknown)
        if isinstance(error, errors.RateLimitError) and not hopeless and self.ended_by is None:
            taken.put_back_after = error
            return None
        if self._ends_the_run(error, hopeless=hopeless):
            self._end(error)
        if before is not None and isinstance(error, errors.ConfigurationError):
            return taken.result(error=before)  # the row's own failure, which may be an unknown outcome
        return taken.result(error=error)

    def _ends_the_run(self, error: errors.TazapayError, *, hopeless: bool) -> bool:
        """Tell whether every further row would fail in the same way."""
        if isinstance(error, _NOT_ABOUT_THE_ROW):
            self._failures_in_a_row += 1
        elif isinstance(error, errors.APIError):
            self._failures_in_a_row = 0  # the service had something to say about this very row
        if isinstance(error, errors.RateLimitError):
            return hopeless
        if isinstance(error, errors.ConfigurationError | errors.AuthenticationError):
            return True
        if isinstance(error, errors.APIConnectionError) and error.permanent:
            return True
        return self._failures_in_a_row >= max(_FAILURES_IN_A_ROW, 2 * self._concurrency)

    def _end(self, error: Exception) -> None:
        """Send nothing any more; what is under way is finished."""
        self._is_over, self.ended_by = True, self.ended_by or error
        self._pace.stop()
        self._row_scope.cancel()


def _row_source(rows: Iterable[Row] | AsyncIterable[Row]) -> Callable[[], Awaitable[object]]:
    """Return what fetches the next row, or raises StopAsyncIteration."""
    if isinstance(rows, AsyncIterable):
        return aiter(rows).__anext__
    iterator, end = iter(rows), object()

    async def fetch() -> object:
        row: object = next(iterator, end)
        if row is end:
            raise StopAsyncIteration
        return row

    return fetch
