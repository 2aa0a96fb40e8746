"""One background task per unsettled attempt: it asks until there is an invoice, and looks until that is settled.

So an order is paid although no webhook ever comes and nobody keeps its page open, and after a restart everything goes
on where it was. It is also the only one to ask for invoices, so no key is ever used by two requests at a time.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from examples.checkout.orders import Attempt, State
from examples.checkout.payments import LookFailedError, Payments
from tazapay_lightning import InvoiceExpiredError, TazapayError

__all__ = ["Followers"]

_logger = logging.getLogger("checkout")


class Followers:
    """The running tasks.

    Args:
        payments: what they do it with.
        poll_interval: seconds between the first looks at an invoice; they grow to ten times that.
    """

    def __init__(self, payments: Payments, *, poll_interval: float) -> None:
        self._payments = payments
        self._poll_interval = poll_interval
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """Follow everything that was unsettled when the shop was stopped."""
        for attempt in self._payments.store.unsettled():
            self.follow(attempt)

    def follow(self, attempt: Attempt) -> None:
        """Follow an attempt; one that is followed already, or settled, is left alone."""
        if attempt.key not in self._tasks and attempt.state in {State.ASKED, State.WAITING}:
            task = asyncio.create_task(self._follow(attempt))
            self._tasks[attempt.key] = task
            task.add_done_callback(lambda _: self._tasks.pop(attempt.key, None))

    async def stop(self) -> None:
        """Stop all of them; what they were doing can be resumed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, attempt: Attempt) -> None:
        try:
            while True:
                await self._step(attempt)
                current = self._payments.store.attempt(attempt.order_id, attempt.number)
                if current is None or current.state not in {State.ASKED, State.WAITING}:
                    return
                if current.state is attempt.state:
                    await asyncio.sleep(self._poll_interval)
                attempt = current
        except Exception:
            _logger.exception("attempt %s is not followed any more; a restart does", attempt.key)

    async def _step(self, attempt: Attempt) -> None:
        payments = self._payments
        if attempt.state is State.ASKED:
            await payments.ask(attempt)
            return
        if attempt.invoice is None:
            return
        try:
            await payments.client.wait_for_payment(
                attempt.invoice, poll_interval=self._poll_interval, on_poll=partial(payments.act_on, attempt)
            )
        except InvoiceExpiredError as error:
            if error.invoice is not None:
                payments.act_on(attempt, error.invoice, over=True)
        except TazapayError as error:
            _logger.warning("invoice %s: the wait for its payment begins again: %s", attempt.invoice.id, error)
            try:
                await payments.look(attempt)
            except LookFailedError as failure:
                _logger.warning("%s", failure)
