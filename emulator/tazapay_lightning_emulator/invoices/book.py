"""The invoices of an emulator, as HTTP and the emulator's handle work on them: stored, by its clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.invoices.invoice import Invoice, InvoiceFields, new_invoice
from tazapay_lightning_emulator.invoices.payment_requests import PaymentRequests, payment_requests
from tazapay_lightning_emulator.invoices.store import Store, StoredInvoice
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender


@frozen
class InvoiceBook:
    """Makes, finds and pays invoices.

    Attributes:
        store: where they are.
        clock: decides what has expired.
        webhooks: tells of payments.
        requests: makes the payment request of an invoice; None where that is not possible.
    """

    store: Store
    clock: Clock
    webhooks: WebhookSender
    requests: PaymentRequests | None = field(factory=payment_requests)

    def new(self, fields: InvoiceFields, now: datetime) -> Invoice:
        """An invoice of these fields, created now, not yet stored."""
        invoice = new_invoice(fields, now)
        return invoice if self.requests is None else evolve(invoice, payment_request=self.requests.of(invoice))

    def advance(self, by: float | timedelta) -> datetime:
        """Move the clock forward, and return the new time; webhooks that are due by then go out.

        Raises:
            ValueError: not forward, or too far.
        """
        now = self.clock.advance(by)
        self.webhooks.wake()
        return now

    def pay(self, invoice_id: str, *, even_if_expired: bool) -> dict[str, Any]:
        """Have an invoice paid, now, and tell of it.

        Returns:
            The invoice, as `listed` has it.

        Raises:
            NoSuchInvoiceError: there is none with this id.
            NotPayableError: it is paid already, or it has expired and that is not to be overlooked.
        """
        now = self.clock.now()
        stored = self.store.change(invoice_id, lambda invoice: invoice.paid(now, even_if_expired=even_if_expired))
        self.webhooks.announce(stored.invoice.collect, now)
        return _listed(stored, now)

    def listed(self) -> list[dict[str, Any]]:
        """Every invoice in its wire form, with two fields of the emulator's own: `idempotency_key` and `replays`."""
        now = self.clock.now()
        return [_listed(each, now) for each in self.store.invoices()]


def _listed(stored: StoredInvoice, now: datetime) -> dict[str, Any]:
    wire = stored.invoice.to_wire(now)
    return {**wire, "idempotency_key": stored.idempotency_key, "replays": stored.replays}
