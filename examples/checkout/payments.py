"""The money: ask for an invoice, look at it at the service, and act on what the service says.

Two rules carry everything. The key is stored before the service is asked, so whatever happens on the way, the next call
with that key gets the same invoice. And an order counts as paid only after the service itself said so in reply to a
question of ours: a webhook or a click is a reason to ask, never an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import frozen

from examples.checkout.changes import Changes
from examples.checkout.order_store import OrderStore
from examples.checkout.orders import Attempt, Order, State, agrees, idempotency_key, memo, verdict
from tazapay_lightning import AsyncLightningClient, Invoice, InvoiceMismatchError, TazapayError, WebhookEvent

__all__ = ["LookFailedError", "Payments", "utc_now"]

_logger = logging.getLogger("checkout")

_WEBHOOKS_COME_FOR = timedelta(days=1)
"""How late a webhook may come, says Tazapay's documentation of its retries."""


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


class LookFailedError(Exception):
    """The service could not be asked about an invoice, so nothing is known that was not known before."""


@frozen
class Payments:
    """What the shop does with the service.

    Args:
        client: the service.
        store: of orders.
        changes: is told about every change.
        expires_in: the lifetime of an invoice, in seconds.
        now: our clock.
    """

    client: AsyncLightningClient
    store: OrderStore
    changes: Changes
    expires_in: int
    now: Callable[[], datetime] = utc_now

    def begin(self, order: Order, number: int) -> Attempt:
        """Store an attempt with its key, before anybody is asked; however often it is begun, it is one."""
        attempt = Attempt(
            order_id=order.id,
            number=number,
            key=idempotency_key(order.id, number),
            expires_in=self.expires_in,
            asked_at=self.now(),
        )
        self.store.add_attempt(attempt)
        return self._stored(attempt)

    async def ask(self, attempt: Attempt) -> None:
        """Ask the service for an attempt's invoice; call it again when it stays "asked"."""
        order = self._order(attempt)
        if order.paid_attempt is not None or self.now() >= attempt.gives_up_at():
            self._move(attempt, State.EXPIRED)  # nobody ever saw an invoice of it
            return
        try:
            invoice = await self.client.create_invoice(
                amount_sats=order.amount_sats,
                memo=memo(order),
                expires_in=attempt.expires_in,
                metadata={"order_id": order.id, "attempt": attempt.number},
                idempotency_key=attempt.key,
            )
        except InvoiceMismatchError as error:
            problem = "order %s: the service answered with an invoice that is not its own, not shown: %s"
            _logger.error(problem, order.id, error)  # noqa: TRY400 - the message says it all
            return
        except TazapayError as error:
            _logger.warning("order %s: no invoice yet, asked again with the same key: %s", order.id, error)
            return
        if self.store.keep_invoice(attempt, invoice, self.now()):
            self.changes.tell(order.id)

    async def look(self, attempt: Attempt) -> Attempt:
        """Ask the service about an attempt's invoice, and act on the answer.

        Returns:
            The attempt as it is now.

        Raises:
            LookFailedError: there was no answer.
        """
        if attempt.invoice is None:
            return attempt
        try:
            invoice = await self.client.get_invoice(attempt.invoice.id, timeout=5, deadline=8)
        except TazapayError as error:
            if not isinstance(error, InvoiceMismatchError) or error.invoice is None:
                raise LookFailedError(f"invoice {attempt.invoice.id} could not be fetched: {error}") from error
            invoice = error.invoice  # a contradiction is an answer too, which must not pass for a payment
        self.act_on(attempt, invoice)
        return self._stored(attempt)

    def act_on(self, attempt: Attempt, invoice: Invoice, *, over: bool = False) -> None:
        """Act on an invoice that was fetched just now; `over` if its time has passed by the service's own clock."""
        order = self._order(attempt)
        state = verdict(order, attempt, invoice, self.now(), over=over)
        if not agrees(order, invoice):
            _logger.error(
                "order %s over %d satoshi: the service shows invoice %s over %d satoshi%s: a person must look",
                *(order.id, order.amount_sats, invoice.id, invoice.amount_sats),
                " with another payment request" if invoice.differences else "",
            )
        elif attempt.invoice is not None and invoice.id == attempt.invoice.id:
            self.store.keep_what_was_missing(attempt, invoice)
        if state is State.PAID:
            self._paid(order, attempt, invoice)
        elif state is not attempt.state:
            self._move(attempt, state)

    async def next_attempt(self, order: Order, after: int) -> None:
        """Begin the attempt after an expired one, if it is really over and nobody else has begun one.

        Args:
            order: whose customer asks.
            after: the number of the attempt that the customer saw expire.

        Raises:
            LookFailedError: the service could not confirm that the old invoice is unpaid, so there is no new one.
        """
        latest = self.store.latest_attempt(order.id)
        if latest is None or latest.number != after:
            return
        await self.look(latest)  # it may have been paid in its last moment
        current = self._order(latest)
        if current.paid_attempt is None and self._stored(latest).state is State.EXPIRED:
            self.begin(current, after + 1)
            self.changes.tell(order.id)

    async def heard_of(self, event: WebhookEvent) -> bool:
        """Look at whatever invoice a webhook may be about.

        Returns:
            Whether the event is dealt with. False: it tells of a success that the service does not show yet, so it
            should come again.

        Raises:
            LookFailedError: the service could not be asked, so the event should come again.
        """
        if event.collect_id is None:
            return True  # about something else than a payment
        attempt = self.store.with_collect_id(event.collect_id)
        if attempt is None:  # the service may tell the id of a payment only once there is one
            for each in self.store.without_collect_id(self.now() - _WEBHOOKS_COME_FOR):
                await self.look(each)
            attempt = self.store.with_collect_id(event.collect_id)
        else:
            attempt = await self.look(attempt)
        if attempt is None:
            _logger.warning("webhook %s is about %s, which no order here knows", event.id, event.collect_id)
            return True
        return attempt.state in {State.PAID, State.HELD} or event.type != "collect.succeeded"

    def _paid(self, order: Order, attempt: Attempt, invoice: Invoice) -> None:
        """Let an attempt pay its order. If it does so twice, because of a crash, the second time changes nothing."""
        paid_by = self.store.pay_order(attempt, self.now())
        if not self._move(attempt, State.PAID):
            return
        if paid_by == attempt.number:
            _logger.info("order %s is paid by invoice %s: release the goods", order.id, invoice.id)
        else:
            _logger.error(
                "order %s was paid twice: by attempt %d, and by invoice %s (attempt %d), %d satoshi: refund needed",
                *(order.id, paid_by, invoice.id, attempt.number, invoice.amount_sats),
            )

    def _move(self, attempt: Attempt, state: State) -> bool:
        moved = self.store.move(attempt, state)
        if moved:
            self.changes.tell(attempt.order_id)
        return moved

    def _order(self, attempt: Attempt) -> Order:
        order = self.store.order(attempt.order_id)
        if order is None:
            raise LookupError(f"attempt {attempt.key} belongs to no order: the database is damaged")
        return order

    def _stored(self, attempt: Attempt) -> Attempt:
        stored = self.store.attempt(attempt.order_id, attempt.number)
        if stored is None:
            raise LookupError(f"attempt {attempt.key} is not in the database, which is damaged")
        return stored
