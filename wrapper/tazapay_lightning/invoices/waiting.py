"""When to fetch an invoice next while waiting for its payment, and what its state means. Pure: takes the time.

An invoice counts as expired by its ``status``, or by the ``Date`` of two replies in a row. By the clock of this machine
it is only fetched when it should expire. No invoice lasts longer than its whole life, counted from the first poll, so
that no wrong clock prolongs a wait; nor does one that stands still, as tests make it, because what was slept counts.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from datetime import datetime

from tazapay_lightning import errors
from tazapay_lightning.invoices.invoice import Difference, Invoice
from tazapay_lightning.invoices.payment_request import read_payment_request
from tazapay_lightning.invoices.request import check_invoice_id
from tazapay_lightning.values.durations import seconds
from tazapay_lightning.values.moments import service_time
from tazapay_lightning.values.refusals import refused
from tazapay_lightning.values.safe_text import printable

_logger = logging.getLogger("tazapay_lightning")
_FIRST_INTERVAL = 1.0
_GROWTH = 1.5
_MAX_GROWTH = 10.0  # an interval never grows beyond ten times the first
_DEFAULT_LIFETIME_SECONDS = 3600.0  # the expiry that Tazapay documents for an invoice that was made without one
_POLLS_PAST_EXPIRY = 2  # one odd ``Date`` must not take an invoice from its payer
_LAST_POLL_SECONDS = 5.0  # what a poll may take when no time is left
_MAX_NOT_FOUND = 3  # how often in a row an invoice that is known to exist may be "not found": replicas lag


def _equal_jitter(most: float) -> float:
    return random.uniform(most / 2, most)  # noqa: S311 - spreads polls over time, guards nothing


class PaymentWait:
    """The state of one wait for one payment.

    The client calls `seconds_left` before each poll, and `poll_succeeded` or `poll_failed` after it. Those return when
    to poll next; once the client has slept until then, it calls `slept`. All times are of one monotonic clock, except
    those of the service.

    Args:
        invoice: the invoice as it was last fetched, or its id.
        timeout: seconds, or a timedelta; None waits until the invoice expires.
        poll_interval: seconds until the second poll, or a timedelta; None is 1 second. It grows by half with each poll,
            to ten times the first, and to a second at least.
        now: the time at which the wait begins.
        jitter: given the longest interval, returns the interval (by default between half of it and all of it).

    Attributes:
        invoice_id: the id to fetch.

    Raises:
        InvalidArgumentError: naming the argument and what would be accepted.
    """

    def __init__(
        self,
        invoice: object,
        *,
        timeout: object,
        poll_interval: object,
        now: float,
        jitter: Callable[[float], float] = _equal_jitter,
    ) -> None:
        if not isinstance(invoice, Invoice | str):
            raise refused("invoice", "an Invoice or the id of one", type(invoice).__name__)
        self._invoice = invoice if isinstance(invoice, Invoice) else None
        self.invoice_id = check_invoice_id(invoice.id if isinstance(invoice, Invoice) else invoice)
        self._name = printable(self.invoice_id, most=80)
        self._interval = _FIRST_INTERVAL if poll_interval is None else seconds(poll_interval, argument="poll_interval")
        self._longest_interval = max(self._interval * _MAX_GROWTH, _FIRST_INTERVAL)
        self._times_out_at = math.inf if timeout is None else now + seconds(timeout, argument="timeout")
        self._began_at = now
        self._clock_is_behind = 0.0
        self._lifetime = None if self._invoice is None else _lifetime(self._invoice)
        self._expires_at = math.inf
        self._polls_past_expiry = 0
        self._jitter = jitter
        self._times_not_found = 0

    def seconds_left(self, now: float) -> float:
        """Return the seconds that the next poll may take: what is left of the wait, and a little more for the last."""
        return max(self._ends() - now - self._clock_is_behind, _LAST_POLL_SECONDS)

    def slept(self, *, until: float, now: float) -> None:
        """Note that the client has slept until a time, which its clock may not show."""
        self._clock_is_behind += max(until - now, 0.0)

    def poll_succeeded(self, invoice: Invoice, *, wall: datetime, now: float) -> float | None:
        """Note the invoice that a poll fetched.

        Args:
            invoice: as it is now, with the reply that it came with, whose ``Date`` is the service's time.
            wall: the time by this machine's clock.
            now: the time by the monotonic clock.

        Returns:
            When to poll next; None if the invoice is paid.

        Raises:
            InvoiceMismatchError: the amount is not what it was. (Another payment request is logged as a warning.)
            InvoiceExpiredError: it expired, unpaid.
            PaymentTimeoutError: the wait is over, and it is neither paid nor expired.
        """
        self._check_the_same(invoice)
        now += self._clock_is_behind
        self._invoice, self._times_not_found = invoice, 0
        if self._lifetime is None:
            self._lifetime = _lifetime(invoice)
        if invoice.is_paid:
            return None
        date = None if invoice.reply is None else service_time(invoice.reply.headers, invoice.created_at)
        expires_at = invoice.expires_at
        left = math.inf if expires_at is None else (expires_at - (date or wall)).total_seconds()
        self._polls_past_expiry = self._polls_past_expiry + 1 if date is not None and left <= 0 else 0
        lived = self._lifetime is not None and now >= self._began_at + self._lifetime
        if invoice.status == "expired" or self._polls_past_expiry == _POLLS_PAST_EXPIRY or lived:
            message = f"invoice {self._name} expired before it was paid: make a new one"
            raise errors.InvoiceExpiredError(message, invoice=invoice)
        if now >= self._ends():
            raise self._timeout("it is not paid yet; it can still be paid until it expires")
        if self._polls_past_expiry:
            return min(now + min(self._interval, _FIRST_INTERVAL), self._ends()) - self._clock_is_behind
        self._expires_at = now + left
        return self._next(now)

    def poll_failed(self, error: errors.APIError, *, now: float) -> float:
        """Note a poll that failed.

        Returns:
            When to poll next.

        Raises:
            APIError: the error itself, if polling again would not help.
            PaymentTimeoutError: the wait is over, and it is unknown whether the invoice is paid; the error is chained.
        """
        now += self._clock_is_behind
        self._times_not_found = self._times_not_found + 1 if isinstance(error, errors.NotFoundError) else 0
        unreadable = isinstance(error, errors.UnexpectedResponseError | errors.RequestFailedError)
        lagging = self._invoice is not None and 0 < self._times_not_found < _MAX_NOT_FOUND
        if not (errors.may_be_repeated(error) or unreadable or lagging):
            raise error
        if now >= self._ends():
            raise self._timeout(f"and the last poll failed, so it may be paid: fetch it again ({error})") from error
        _logger.warning("a poll of invoice %s failed, and is repeated: %s", self._name, error)
        return self._next(now, at_least=getattr(error, "retry_after", None) or 0.0)

    def _next(self, now: float, *, at_least: float = 0.0) -> float:
        wanted = now + max(self._jitter(self._interval), at_least)
        self._interval = min(self._interval * _GROWTH, self._longest_interval)
        earliest = min(wanted, self._expires_at if self._expires_at > now else wanted, self._ends())
        return earliest - self._clock_is_behind

    def _ends(self) -> float:
        lifetime = _DEFAULT_LIFETIME_SECONDS if self._lifetime is None else self._lifetime
        return min(self._began_at + lifetime, self._times_out_at)

    def _check_the_same(self, invoice: Invoice) -> None:
        known = self._invoice or invoice
        if invoice.amount_sats != known.amount_sats:
            was, now = known.amount_sats, invoice.amount_sats
            message = f"invoice {self._name} was over {was} satoshi and is over {now} satoshi now: do not deliver"
            differences = (Difference("amount_sats", was, now),)
            raise errors.InvoiceMismatchError(message, invoice=invoice, differences=differences)
        if None not in {known.bolt11, invoice.bolt11} and invoice.bolt11 != known.bolt11:
            _logger.warning("the payment request of invoice %s is not the one that it was", self._name)

    def _timeout(self, why: str) -> errors.PaymentTimeoutError:
        message = f"the wait for the payment of invoice {self._name} is over, {why}"
        return errors.PaymentTimeoutError(message, invoice=self._invoice)


def _lifetime(invoice: Invoice) -> int | None:
    """Return how many seconds an invoice lasts from its creation, if the service or its payment request tells."""
    if invoice.expiry_interval is not None or invoice.bolt11 is None:
        return invoice.expiry_interval
    return read_payment_request(invoice.bolt11).expiry
