"""The handle of a running emulator: its URL and credentials, invoices, clock, webhooks and faults."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from tazapay_lightning_emulator.faults.handle import FaultHandle
from tazapay_lightning_emulator.invoices.book import InvoiceBook
from tazapay_lightning_emulator.webhooks.event import WebhookDelivery


@frozen(kw_only=True)
class Emulator(FaultHandle):
    """A running emulator.

    Attributes:
        base_url: such as "http://127.0.0.1:41235", without a trailing slash.
        api_key: the only key that it accepts.
        api_secret: the secret of this key.
        webhook_secret: the key of the webhooks' signatures.
    """

    base_url: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    _book: InvoiceBook = field(repr=False)

    @property
    def makes_payment_requests(self) -> bool:
        """Whether invoices have a `payment_request`, a BOLT11 string; not where `cryptography` cannot be imported."""
        return self._book.payment_requests is not None

    def invoices(self) -> list[dict[str, Any]]:
        """Every stored invoice in order of creation, as in `GET /_emulator/invoices`.

        Returns:
            For each invoice its present object, with the field names of the reply to its creation, plus
            `idempotency_key` (None if the request had none) and `replays`: how often the stored reply was sent again.

        Raises:
            EmulatorError: the emulator has stopped.
        """
        return self._book.listed()

    def pay(self, invoice_id: str, *, even_if_expired: bool = False) -> dict[str, Any]:
        """Pay an invoice, as its payer would; the webhook of the payment is sent.

        Args:
            invoice_id: `l11_...`, as in the reply.
            even_if_expired: pay it even if it has expired. A service can see such payments, too, when the payer was
                just in time.

        Returns:
            The invoice as in `invoices`.

        Raises:
            EmulatorError: there is no such invoice, it is paid already, it has expired, or the emulator has stopped.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> import httpx
            >>> with running_emulator() as emulator:
            ...     reply = httpx.post(
            ...         f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            ...         auth=(emulator.api_key, emulator.api_secret),
            ...         json={"amount": 21},
            ...     )
            ...     emulator.pay(reply.json()["data"]["id"])["payment_status"]
            'paid'
        """
        return self._book.pay(invoice_id, even_if_expired=even_if_expired)

    def now(self) -> datetime:
        """The time by the emulator's clock, in UTC. Invoices expire by it, and replies are dated by it."""
        return self._book.clock.now()

    def advance_clock(self, by: float | timedelta) -> datetime:
        """Move the emulator's clock forward, and return the new time.

        Invoices and idempotency keys expire, and webhooks that are due by then are sent.

        Args:
            by: seconds or a `timedelta`, greater than 0, at most a hundred years.

        Raises:
            ValueError: it is not that, or the clock would reach the year 3000.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as emulator:
            ...     before = emulator.now()
            ...     emulator.advance_clock(3600) - before >= timedelta(hours=1)
            True
        """
        return self._book.advance(by)

    def webhooks(self) -> list[WebhookDelivery]:
        """The last 10,000 webhooks with all attempts to deliver them, in order of their events."""
        return self._book.webhooks.deliveries()

    def send_webhooks_to(self, url: str | None) -> None:
        """Change the destination of webhooks, also of those that are pending.

        Args:
            url: of this machine: http:// and a loopback address, or the name of a container beside this one, which has
                no dot. None sends no more webhooks: those pending are given up, and later payments cause none.

        Raises:
            ValueError: it is not a URL of this machine.
        """
        self._book.webhooks.send_to(url)

    def resend_webhook(self, event_id: str) -> None:
        """Send a webhook again now, byte for byte the same: a correct receiver ignores it.

        Args:
            event_id: of one of `webhooks`.

        Raises:
            EmulatorError: there is no such event, there is no URL, or the emulator has stopped.
        """
        self._book.webhooks.resend(event_id)

    def wait_for_webhooks(self, timeout: float = 5.0) -> list[WebhookDelivery]:
        """Wait until no webhook is in flight or due, and return all of them, as `webhooks` does.

        It does not wait for attempts that are due later: `advance_clock` makes them due.

        Args:
            timeout: the longest wait, in seconds of real time.

        Raises:
            TimeoutError: a webhook still was.
        """
        return self._book.webhooks.wait(timeout)
