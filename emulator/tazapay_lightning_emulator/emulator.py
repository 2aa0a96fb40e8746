"""The handle of a running emulator: where it is, what it stored, and how to pay an invoice and to move its clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from tazapay_lightning_emulator.faults.handle import FaultHandle
from tazapay_lightning_emulator.invoices.book import InvoiceBook
from tazapay_lightning_emulator.webhooks.event import WebhookDelivery


@frozen(kw_only=True)
class Emulator(FaultHandle):
    """A running emulator: where it is and what opens it.

    Attributes:
        base_url: such as "http://127.0.0.1:41235", without a trailing slash.
        api_key: the key it accepts.
        api_secret: the secret that belongs to it.
        webhook_secret: what webhooks are signed with.
    """

    base_url: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    _book: InvoiceBook = field(repr=False)

    @property
    def makes_payment_requests(self) -> bool:
        """Whether invoices have a `payment_request`, a BOLT11 string; not where `cryptography` cannot be imported."""
        return self._book.requests is not None

    def invoices(self) -> list[dict[str, Any]]:
        """Every stored invoice in order of creation, read past HTTP; `GET /_emulator/invoices` shows the same.

        Returns:
            For each invoice the object as it would be replied now, with the names of fields that it had at creation,
            plus `idempotency_key` (None if the request had none) and `replays`: how often the stored reply was sent
            again.

        Raises:
            EmulatorError: the emulator has stopped.
        """
        return self._book.listed()

    def pay(self, invoice_id: str, *, even_if_expired: bool = False) -> dict[str, Any]:
        """Have an invoice paid, as if its payer had just done so; the webhook that tells of it goes out.

        Args:
            invoice_id: as it was replied, `l11_...`.
            even_if_expired: overlook that it has expired. A service may see such payments, too, if the payer was just
                in time.

        Returns:
            The invoice, as in `invoices`.

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
        """The time by the emulator's clock, in UTC: when invoices expire, and what every reply has for a date."""
        return self._book.clock.now()

    def advance_clock(self, by: float | timedelta) -> datetime:
        """Move the emulator's clock forward, and return the new time.

        Invoices expire, idempotency keys are forgotten, and webhooks go out that are due by then.

        Args:
            by: seconds, or a difference; greater than 0, at most a hundred years.

        Raises:
            ValueError: it is not that, or the clock would come to the year 3000.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as emulator:
            ...     before = emulator.now()
            ...     emulator.advance_clock(3600) - before >= timedelta(hours=1)
            True
        """
        return self._book.advance(by)

    def webhooks(self) -> list[WebhookDelivery]:
        """The last 10,000 webhooks, in order of the events that they tell of, with all attempts to deliver them."""
        return self._book.webhooks.deliveries()

    def send_webhooks_to(self, url: str | None) -> None:
        """Send webhooks there from now on, those that wait for another attempt, too.

        Args:
            url: of this machine: http:// and a loopback address. None for nowhere: nothing is sent any more, what
                waits is given up, and of what happens from now on no webhook ever tells.

        Raises:
            ValueError: it is not one.
        """
        self._book.webhooks.send_to(url)

    def resend_webhook(self, event_id: str) -> None:
        """Send a webhook once more and at once, the same in every byte: a good receiver takes no notice of it.

        Args:
            event_id: of one of `webhooks`.

        Raises:
            EmulatorError: there is no such event, webhooks go nowhere, or the emulator has stopped.
        """
        self._book.webhooks.resend(event_id)

    def wait_for_webhooks(self, timeout: float = 5.0) -> list[WebhookDelivery]:
        """Wait until no webhook is under way or due, and return all of them, as `webhooks` does.

        What failed and is to be sent again later does not count: `advance_clock` makes it due.

        Args:
            timeout: for how long at most, in seconds of real time.

        Raises:
            TimeoutError: some still are.
        """
        return self._book.webhooks.wait(timeout)
