"""The invoices of one emulator: storage, clock and webhooks together, for the HTTP API and for the handle."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from tazapay_lightning_emulator.activity import Activity
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.errors import NotPayableError
from tazapay_lightning_emulator.invoices.invoice import Invoice, InvoiceFields, new_invoice
from tazapay_lightning_emulator.invoices.payment_requests import PaymentRequests, new_payment_requests
from tazapay_lightning_emulator.invoices.store import Store, StoredInvoice
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender


@frozen
class InvoiceBook:
    """Creates, lists and pays invoices.

    Attributes:
        store: the stored invoices.
        clock: decides what has expired.
        webhooks: sends the events of payments.
        payment_requests: makes payment requests; None where `cryptography` cannot be imported.
        activity: tells when an invoice is paid, or the clock is moved.
    """

    store: Store
    clock: Clock
    webhooks: WebhookSender
    payment_requests: PaymentRequests | None = field(factory=new_payment_requests)
    activity: Activity = field(factory=Activity)

    def new(self, fields: InvoiceFields, now: datetime) -> Invoice:
        """A new invoice with these fields, not stored yet."""
        requests = self.payment_requests
        return new_invoice(fields, now, None if requests is None else requests.of(fields, now))

    def advance(self, by: float | timedelta) -> datetime:
        """Move the clock forward, and return the new time; webhooks that are due by then are sent.

        Raises:
            ValueError: not forward, or too far.
        """
        now = self.clock.advance(by)
        self.webhooks.wake()
        self.activity.tell()
        return now

    def let_expire(self, invoice_id: str) -> None:
        """Move the clock to the moment at which an invoice expires, unless it has expired already.

        Raises:
            NoSuchInvoiceError: there is none with this id.
            NotPayableError: it is paid.
            ValueError: that moment is too far away.
        """
        invoice = self.store.invoice(invoice_id).invoice
        if invoice.paid_at is not None:
            raise NotPayableError(f"invoice {invoice.id} is paid, and what is paid does not expire")
        if not invoice.has_expired(now := self.clock.now()):
            self.advance(invoice.expires_at - now)

    def pay(self, invoice_id: str, *, even_if_expired: bool) -> dict[str, Any]:
        """Pay an invoice now, and send the event of the payment.

        Returns:
            The invoice as in `listed`.

        Raises:
            NoSuchInvoiceError: there is none with this id.
            NotPayableError: it is paid already, or has expired without `even_if_expired`.
        """
        now = self.clock.now()
        stored = self.store.change(invoice_id, lambda invoice: invoice.paid(now, even_if_expired=even_if_expired))
        self.webhooks.announce(stored.invoice.collect, now)
        self.activity.tell()
        return _listed(stored, now)

    def listed(self) -> list[dict[str, Any]]:
        """Every invoice object, with two fields of the emulator's own: `idempotency_key` and `replays`."""
        now = self.clock.now()
        return [_listed(each, now) for each in self.store.invoices()]


def _listed(stored: StoredInvoice, now: datetime) -> dict[str, Any]:
    wire = stored.invoice.to_wire(now)
    return {**wire, "idempotency_key": stored.idempotency_key, "replays": stored.replays}
