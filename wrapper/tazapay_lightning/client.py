"""The blocking client: configuration, lifecycle and the operations. Its twin is in `async_client`."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack, overload
from urllib.parse import urlsplit

from tazapay_lightning.errors import APIError
from tazapay_lightning.invoices.echo import KnownInvoices, read_created, read_fetched
from tazapay_lightning.invoices.invoice import Invoice
from tazapay_lightning.invoices.request import InvoiceRequest, check_callback
from tazapay_lightning.invoices.waiting import PaymentWait
from tazapay_lightning.operations import any_operation, creating, getting, updating
from tazapay_lightning.transport.calls import Calls
from tazapay_lightning.transport.replies import Reply
from tazapay_lightning.transport.settings import Credentials, Environment, MetadataFormat, Settings
from tazapay_lightning.transport.tracebacks import frames_emptied

if TYPE_CHECKING:
    from tazapay_lightning.transport.backends.httpx import HTTPClient
else:  # httpx takes longer to load than all else here, and reading type hints is no reason to
    HTTPClient = Any


class InvoiceOptions(TypedDict, total=False):
    """The arguments of `create_invoice` beside the amount."""

    memo: str | None
    memo_as_hash: bool
    memo_hash: str | None
    expires_in: int | timedelta | None
    metadata: Mapping[str, object] | None
    idempotency_key: str | uuid.UUID | None
    timeout: float | timedelta | None
    deadline: float | timedelta | None
    max_retries: int | None
    headers: Mapping[str, str] | None


class CommonClient:
    """What both clients have: their settings, to be read, and clients with others on the same connections."""

    _settings: Settings
    _known: KnownInvoices

    @property
    def base_url(self) -> str:
        """The address of the service, without a slash at its end."""
        return self._settings.base_url

    @property
    def environment(self) -> Environment:
        """The environment that was named, or that `base_url` belongs to: "sandbox" or "production"."""
        return self._settings.environment

    @property
    def timeout(self) -> float:
        """Seconds that one attempt may take."""
        return self._settings.timeout

    @property
    def deadline(self) -> float:
        """Seconds that a whole call may take."""
        return self._settings.deadline

    @property
    def max_retries(self) -> int:
        """How often a failed attempt may be tried again."""
        return self._settings.max_retries

    def with_options(
        self,
        *,
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        metadata_format: MetadataFormat | None = None,
        check_echo: bool | None = None,
    ) -> Self:
        """Return a client with other options on the same connections; closing one of them closes both.

        Args:
            timeout: as for the client itself, like all that follow. What is left out stays as it is.
            deadline: seconds that a whole call may take.
            max_retries: how often a failed attempt may be tried again.
            headers: sent with every request, beside those that are sent already.
            metadata_format: how `metadata` travels.
            check_echo: whether an invoice that is another order's is an error.

        Raises:
            InvalidArgumentError: naming the option and what would be accepted.

        Example:
            >>> client = LightningClient(api_key="my-key", api_secret="my-secret")
            >>> client.with_options(max_retries=0).max_retries, client.max_retries
            (0, 2)
        """
        other = copy.copy(self)
        other._settings = self._settings.changed(  # noqa: SLF001 - of an own copy
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            headers=headers,
            metadata_format=metadata_format,
            check_echo=check_echo,
        )
        return other

    def _created(self, request: InvoiceRequest, *, is_key_new: bool) -> Callable[[Reply], Invoice]:
        network, known = self._settings.network, self._known
        return partial(read_created, request=request, network=network, known=known, is_key_new=is_key_new)

    def _fetched(self, invoice_id: str) -> Callable[[Reply], Invoice]:
        return partial(read_fetched, invoice_id=invoice_id, network=self._settings.network, known=self._known)

    def __repr__(self) -> str:
        host = urlsplit(self.base_url).netloc if hasattr(self, "_settings") else None  # None while it is made
        return f"{type(self).__name__}(host={host!r})"


class LightningClient(CommonClient):
    """Creates Lightning invoices with Tazapay, blocking until the reply is there.

    Make one and keep it: it holds a pool of connections and is safe to share between threads. Use it in a ``with``
    block, or call `close`.

    Args:
        api_key: Tazapay's API key; or the environment variable TAZAPAY_API_KEY.
        api_secret: the API secret that belongs to it; or TAZAPAY_API_SECRET.
        environment: "sandbox" (the default) or "production"; or TAZAPAY_ENVIRONMENT. Each has keys of its own.
        base_url: another address of the service, such as a gateway or an emulator; or TAZAPAY_BASE_URL. It wins over
            `environment`, and must be https except for loopback addresses. As a variable it is refused if it leads
            away from the argument `environment`, or to Tazapay's other environment than TAZAPAY_ENVIRONMENT.
        allow_http: take a `base_url` of plain http that is not on this machine, such as an emulator's in another
            container, but never Tazapay's own; or TAZAPAY_ALLOW_HTTP=1. Credentials then travel in plain.
        timeout: seconds that one attempt may take, as a number or a timedelta.
        max_retries: how often a failed attempt may be tried again, 0 to 20, with the same idempotency key.
        deadline: seconds that a whole call may take, waits between attempts included.
        metadata_format: how `metadata` travels: as JSON text ("string", as the document says) or as an "object".
        check_echo: raise `InvoiceMismatchError` when the service answers with an invoice over another amount or of
            another order. If False, the difference is only listed in `Invoice.differences`.
        http_client: an `httpx.Client` of your own, for a transport, proxy or certificates of your own; it is not
            closed with this client. Its authentication and its redirects are not used; its headers, cookies and
            parameters are. Hand it over fresh: a connection that it opened before is not watched by `deadline`. Make
            it in the process that uses it: after a fork two processes would read from its connections.

    Raises:
        ConfigurationError: naming what is missing or wrong.

    Example:
        >>> client = LightningClient(api_key="my-key", api_secret="my-secret")
        >>> client
        LightningClient(host='service-sandbox.tazapay.com')
        >>> client.close()
    """

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        environment: Environment | None = None,
        base_url: str | None = None,
        allow_http: bool = False,
        timeout: float | timedelta = 30.0,
        max_retries: int = 2,
        deadline: float | timedelta = 90.0,
        metadata_format: MetadataFormat = "string",
        check_echo: bool = True,
        http_client: HTTPClient | None = None,
    ) -> None:
        credentials = Credentials(api_key, api_secret)
        del api_key, api_secret  # error reporters keep the local variables of frames
        with frames_emptied():
            self._settings = Settings.build(
                credentials=credentials,
                environment=environment,
                base_url=base_url,
                allow_http=allow_http,
                timeout=timeout,
                deadline=deadline,
                max_retries=max_retries,
                metadata_format=metadata_format,
                check_echo=check_echo,
            )
            self._calls, self._known = Calls(self._settings, http_client), KnownInvoices()

    @overload
    def create_invoice(self, *, amount_sats: int, **options: Unpack[InvoiceOptions]) -> Invoice: ...

    @overload
    def create_invoice(self, *, amount_btc: Decimal | str, **options: Unpack[InvoiceOptions]) -> Invoice: ...

    def create_invoice(
        self,
        *,
        amount_sats: int | None = None,
        amount_btc: Decimal | str | None = None,
        memo: str | None = None,
        memo_as_hash: bool = False,
        memo_hash: str | None = None,
        expires_in: int | timedelta | None = None,
        metadata: Mapping[str, object] | None = None,
        idempotency_key: str | uuid.UUID | None = None,
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Create one invoice, however many attempts it takes.

        Args:
            amount_sats: the amount in satoshi, 1 to `MAX_SATS`. Give this or `amount_btc`.
            amount_btc: the amount in BTC, exact, with at most 8 decimals: see `btc_to_sats`.
            memo: what the payer reads on the invoice, at most 639 bytes of UTF-8 (BOLT #11).
            memo_as_hash: send the SHA-256 of the memo instead of the memo, whose text then stays here.
            memo_hash: the SHA-256 of a memo, 64 hex digits, when only the hash is at hand. Together with `memo` it
                must belong to it, and only the hash is sent.
            expires_in: seconds until the invoice expires, an int or a timedelta of whole seconds. Left out, the
                service decides: one hour, says Tazapay's documentation.
            metadata: a mapping of whatever JSON can hold, attached to the invoice.
            idempotency_key: 1 to 255 visible ASCII characters, or a `uuid.UUID`; a fresh UUID when left out. A key that
                is derived from your order makes it impossible to create two invoices for it within 24 hours.
            timeout: seconds per attempt, for this call.
            deadline: seconds for the whole call, for this call.
            max_retries: how often a failed attempt may be tried again, for this call.
            headers: sent along with this call; not those that the client itself sets.

        Returns:
            The invoice, over exactly the amount that was asked for.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the service refused or failed, after all attempts that made sense.
            APIConnectionError: no complete reply, after all attempts.
            RequestFailedError: 2xx, but the reply says that it failed.
            UnexpectedResponseError: the reply cannot be read.
            InvoiceMismatchError: the invoice in the reply is over another amount, or is another order's: its id came
                for another key, its memo is no form of yours, its metadata has another value for a key of yours.
            ConfigurationError: the client is closed.

        Where ``error.outcome_unknown`` is True an invoice may exist: call again with the same arguments and
        ``idempotency_key=error.idempotency_key``.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as tazapay, LightningClient(
            ...     tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
            ... ) as client:
            ...     invoice = client.create_invoice(amount_btc="0.00123456", memo="Order #7890")
            >>> invoice.amount_sats, invoice.memo, invoice.is_paid
            (123456, 'Order #7890', False)
        """
        request = InvoiceRequest.build(
            amount_sats=amount_sats,
            amount_btc=amount_btc,
            memo=memo,
            memo_as_hash=memo_as_hash,
            memo_hash=memo_hash,
            expires_in=expires_in,
            metadata=metadata,
        )
        del memo, metadata  # as in the constructor
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        del headers
        read = self._created(request, is_key_new=idempotency_key is None)
        return self._calls.run(creating(settings, request, idempotency_key), read)

    def get_invoice(
        self,
        invoice_id: str,
        *,
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Fetch an invoice as it is now.

        Args:
            invoice_id: `Invoice.id`, such as ``l11_abc123xyz``.
            timeout: seconds per attempt, for this call.
            deadline: seconds for the whole call, for this call.
            max_retries: how often a failed attempt may be tried again, for this call.
            headers: sent along with this call; not those that the client itself sets.

        Returns:
            The invoice with exactly this id.

        Raises:
            InvalidArgumentError: the id cannot be one; nothing was sent.
            NotFoundError: there is no such invoice in this environment and account.
            APIError: another refusal or failure, as for `create_invoice`.
            InvoiceMismatchError: the payment request in the reply is over another amount than the invoice.
            ConfigurationError: the client is closed.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as tazapay, LightningClient(
            ...     tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
            ... ) as client:
            ...     invoice = client.create_invoice(amount_sats=123456)
            ...     client.get_invoice(invoice.id).payment_status
            'unpaid'
        """
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        del headers  # as in the constructor
        return self._calls.run(getting(settings, invoice_id), self._fetched(invoice_id))

    def update_invoice(
        self,
        invoice_id: str,
        *,
        metadata: Mapping[str, object],
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Set the metadata of an invoice; nothing else of an invoice can be changed.

        To set it twice is as good as once, so failed attempts are repeated as for `create_invoice`, without a key.
        Whether the service replaces the metadata or adds to it is not documented: give all of it.

        Args:
            invoice_id: `Invoice.id`, such as ``l11_abc123xyz``.
            metadata: a mapping of whatever JSON can hold.
            timeout: seconds per attempt, for this call.
            deadline: seconds for the whole call, for this call.
            max_retries: how often a failed attempt may be tried again, for this call.
            headers: sent along with this call; not those that the client itself sets.

        Returns:
            The invoice with exactly this id, as it is now.

        Raises:
            InvalidArgumentError: the id or the metadata cannot be sent; nothing was.
            NotFoundError: there is no such invoice in this environment and account.
            APIError: another refusal or failure, as for `create_invoice`; after a lost connection, a timeout or a 5xx
                the metadata may have been set all the same.
            InvoiceMismatchError: the payment request in the reply is over another amount than the invoice.
            ConfigurationError: the client is closed.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as tazapay, LightningClient(
            ...     tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
            ... ) as client:
            ...     invoice = client.create_invoice(amount_sats=123456)
            ...     dict(client.update_invoice(invoice.id, metadata={"order_id": "7890"}).metadata)
            {'order_id': '7890'}
        """
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        request = updating(settings, invoice_id, metadata)
        del metadata, headers  # as in the constructor
        return self._calls.run(request, self._fetched(invoice_id))

    def call(
        self,
        operation: ModuleType,
        /,
        *,
        idempotency_key: str | uuid.UUID | None = None,
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Reply:
        """Call any operation of the generated package, with all that `create_invoice` has: attempts under one key.

        Args:
            operation: the operation's module, such as ``tazapay_lightning_api.api.default.get_lightning_invoice``.
            idempotency_key: for a POST; a fresh UUID when left out.
            timeout: seconds per attempt, for this call.
            deadline: seconds for the whole call, for this call.
            max_retries: how often a failed attempt may be tried again, for this call.
            headers: sent along with this call; not those that the client itself sets.
            arguments: those of the generated function: ``body``, and the parameters of path, query and headers.

        Returns:
            What the service answered. Whether it is what was asked for is for the caller to check.

        Raises:
            InvalidArgumentError: an argument is unknown, missing or cannot be sent; nothing was sent.
            APIError: a refusal or failure, as for `create_invoice`.
            ConfigurationError: the client is closed.

        Example:
            >>> from tazapay_lightning_api.api.default import get_lightning_invoice
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as tazapay, LightningClient(
            ...     tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
            ... ) as client:
            ...     invoice = client.create_invoice(amount_sats=123456)
            ...     reply = client.call(get_lightning_invoice, id=invoice.id)
            >>> reply.status_code, reply.data["amount"]
            (200, 123456)
        """
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        request = any_operation(settings, operation, arguments, idempotency_key)
        del arguments, headers  # as in the constructor
        return self._calls.run(request, lambda reply: reply)

    def wait_for_payment(
        self,
        invoice: Invoice | str,
        *,
        timeout: float | timedelta | None = None,
        poll_interval: float | timedelta | None = None,
        on_poll: Callable[[Invoice], object] | None = None,
    ) -> Invoice:
        """Wait until an invoice is paid: poll it at growing intervals, never sleeping past its expiry.

        A poll that fails temporarily (no connection, a timeout, 408, 429, 5xx, a reply that cannot be read) is logged
        and repeated; so is a 404 for an invoice that is known to exist, twice in a row. Whether the invoice is expired
        is for the service to say, by its ``status`` or by the ``Date`` of two replies in a row: a wrong clock on this
        machine does no harm. Closing the client from another thread ends the wait with a `ConfigurationError`: at once
        while it sleeps, within the client's ``timeout`` while it reads a reply.

        Args:
            invoice: the invoice, or its id.
            timeout: seconds to wait at most, or a timedelta, up to a day. None waits until the invoice expires, or an
                hour if it is not known when that is. At the end the invoice is polled once more, for which
                5 seconds are granted.
            poll_interval: seconds between the first two polls, 1 by default. The interval grows by half each time, to
                ten times the first, with jitter.
            on_poll: called with the invoice after each poll, the one that shows it paid included; not after a poll that
                fails or that ends in an error. What it raises ends the wait.

        Returns:
            The paid invoice. One that the service calls paid counts, even if it was paid after its expiry.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            InvoiceExpiredError: it expired, and the last poll showed it unpaid. A payment that was under way may still
                arrive; its webhook tells.
            PaymentTimeoutError: the time was up. The last poll showed the invoice unpaid; or it failed, and
                that failure is chained.
            InvoiceMismatchError: the amount is not what it was at the beginning or at an earlier poll, or the payment
                request is over another amount.
            APIError: a failure that polling again would not mend, such as refused credentials or an unknown id.
            ConfigurationError: the client is closed.

        Example:
            >>> from tazapay_lightning_emulator import running_emulator
            >>> with running_emulator() as tazapay, LightningClient(
            ...     tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
            ... ) as client:
            ...     invoice = client.create_invoice(amount_sats=123456)
            ...     paid = client.wait_for_payment(
            ...         invoice, poll_interval=0.01, on_poll=lambda seen: seen.is_paid or tazapay.pay(seen.id)
            ...     )
            >>> paid.payment_status
            'paid'
        """
        check_callback(on_poll, argument="on_poll", may_be_async=False)
        wait = PaymentWait(invoice, timeout=timeout, poll_interval=poll_interval, now=time.monotonic())
        while True:
            try:
                settings = self._settings.within(wait.seconds_left(time.monotonic()))
                request = getting(settings, wait.invoice_id)
                seen = self._calls.run(request, self._fetched(wait.invoice_id))
            except APIError as error:
                self._calls.check_open()  # a closed client is no temporary failure
                next_poll: float | None = wait.poll_failed(error, now=time.monotonic())
            else:
                next_poll = wait.poll_succeeded(seen, wall=datetime.now(UTC), now=time.monotonic())
                if on_poll is not None:
                    on_poll(seen)
            if next_poll is None:
                return seen
            self._calls.pause(next_poll - time.monotonic())
            wait.slept(until=next_poll, now=time.monotonic())

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
