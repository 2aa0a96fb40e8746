"""The parts of an emulator that the page shows and changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import frozen

from tazapay_lightning_emulator.activity import Listener
from tazapay_lightning_emulator.api.credentials import Credentials
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tazapay_lightning_emulator.invoices.book import InvoiceBook
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender


@frozen
class Parts:
    """The invoices with their clock, the requests with their faults, the webhooks, and the credentials.

    Example:
        >>> from tazapay_lightning_emulator import create_app
        >>> heard = []
        >>> with create_app().parts.listened_by(heard.append) as parts:
        ...     _ = parts.book.advance(60)
        >>> heard
        [None]
    """

    book: InvoiceBook
    plan: FaultPlan
    credentials: Credentials

    @property
    def webhooks(self) -> WebhookSender:
        """The sender of the webhooks."""
        return self.book.webhooks

    @contextmanager
    def listened_by(self, listener: Listener) -> Iterator[Parts]:
        """Call this listener within the block when anything changes, in whatever thread that happens."""
        with ExitStack() as stack:
            for activity in (self.book.activity, self.plan.activity, self.webhooks.activity):
                stack.enter_context(activity.listened_by(listener))
            yield self
