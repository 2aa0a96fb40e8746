"""The asynchronous client: configuration, lifecycle and the operations. Its twin is in `client`."""

from __future__ import annotations

import copy
import inspect
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from tazapay_lightning.client import CommonClient, InvoiceOptions
from tazapay_lightning.errors import APIError
from tazapay_lightning.invoices.echo import KnownInvoices
from tazapay_lightning.invoices.invoice import Invoice
from tazapay_lightning.invoices.request import InvoiceRequest, check_callback
from tazapay_lightning.invoices.waiting import PaymentWait
from tazapay_lightning.operations import any_operation, creating, getting, updating
from tazapay_lightning.transport.async_calls import AsyncCalls, Backend, Turns
from tazapay_lightning.transport.replies import Reply
from tazapay_lightning.transport.settings import Credentials, Environment, MetadataFormat, Settings
from tazapay_lightning.transport.tracebacks import frames_emptied

if TYPE_CHECKING:
    from tazapay_lightning.transport.backends.httpx import AsyncHTTPClient
else:  # httpx takes longer to load than all else here, and reading type hints is no reason to
    AsyncHTTPClient = Any


class AsyncLightningClient(CommonClient):
    """Creates Lightning invoices with Tazapay, for asynchronous code.

    The twin of `LightningClient`: the same arguments, methods and errors. Make one per event loop and share it between
    its tasks. Use it in an ``async with`` block, or await `aclose`.

    Args:
        api_key: as for `LightningClient`, like all that follow.
        api_secret: Tazapay's API secret.
        environment: "sandbox" or "production".
        base_url: another address of the service.
        allow_http: take a `base_url` of plain http that is not on this machine.
        timeout: seconds that one attempt may take.
        max_retries: how often a failed attempt may be tried again.
        deadline: seconds that a whole call may take.
        metadata_format: how `metadata` travels.
        check_echo: raise `InvoiceMismatchError` when the service answers with another order's invoice.
        http_client: an `httpx.AsyncClient` of your own, used as it is; only with the backend "httpx".
        backend: the library that carries the requests: "httpx", or "aiohttp" (extra ``[aiohttp]``), which takes a
            third of the time per request. Arguments, results and errors are the same.

    Raises:
        ConfigurationError: naming what is missing or wrong.

    Example:
        >>> import asyncio
        >>> from tazapay_lightning_emulator import running_emulator
        >>> async def pay_me(tazapay):
        ...     async with AsyncLightningClient(
        ...         tazapay.api_key, tazapay.api_secret, base_url=tazapay.base_url
        ...     ) as client:
        ...         return await client.create_invoice(amount_sats=123456)
        >>> with running_emulator() as tazapay:
        ...     asyncio.run(pay_me(tazapay)).amount_btc
        Decimal('0.00123456')
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
        http_client: AsyncHTTPClient | None = None,
        backend: Backend = "httpx",
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
            self._calls, self._known = AsyncCalls(self._settings, http_client, backend), KnownInvoices()
        self._turns: Turns | None = None

    @overload
    async def create_invoice(self, *, amount_sats: int, **options: Unpack[InvoiceOptions]) -> Invoice: ...

    @overload
    async def create_invoice(self, *, amount_btc: Decimal | str, **options: Unpack[InvoiceOptions]) -> Invoice: ...

    async def create_invoice(
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
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Create one invoice, however many attempts it takes: see `LightningClient.create_invoice`."""
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
        return await self._calls.run(creating(settings, request, idempotency_key), read, self._turns)

    async def get_invoice(
        self,
        invoice_id: str,
        *,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Fetch an invoice as it is now: see `LightningClient.get_invoice`."""
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        del headers  # as in the constructor
        return await self._calls.run(getting(settings, invoice_id), self._fetched(invoice_id), self._turns)

    async def update_invoice(
        self,
        invoice_id: str,
        *,
        metadata: Mapping[str, object],
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Invoice:
        """Set the metadata of an invoice: see `LightningClient.update_invoice`."""
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        request = updating(settings, invoice_id, metadata)
        del metadata, headers  # as in the constructor
        return await self._calls.run(request, self._fetched(invoice_id), self._turns)

    async def call(
        self,
        operation: ModuleType,
        /,
        *,
        idempotency_key: str | uuid.UUID | None = None,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Reply:
        """Call any operation of the generated package: see `LightningClient.call`."""
        settings = self._settings.changed(timeout=timeout, deadline=deadline, max_retries=max_retries, headers=headers)
        request = any_operation(settings, operation, arguments, idempotency_key)
        del arguments, headers  # as in the constructor
        return await self._calls.run(request, lambda reply: reply, self._turns)

    async def wait_for_payment(
        self,
        invoice: Invoice | str,
        *,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - of the whole wait; the twin takes it too
        poll_interval: float | timedelta | None = None,
        on_poll: Callable[[Invoice], object] | None = None,
    ) -> Invoice:
        """Wait until an invoice is paid: see `LightningClient.wait_for_payment`.

        `on_poll` may be a coroutine function. Cancelling the task ends the wait at once.
        """
        check_callback(on_poll, argument="on_poll", may_be_async=True)
        wait = PaymentWait(invoice, timeout=timeout, poll_interval=poll_interval, now=time.monotonic())
        while True:
            try:
                settings = self._settings.within(wait.seconds_left(time.monotonic()))
                request = getting(settings, wait.invoice_id)
                seen = await self._calls.run(request, self._fetched(wait.invoice_id), self._turns)
            except APIError as error:
                self._calls.check_open()  # a closed client is no temporary failure
                next_poll: float | None = wait.poll_failed(error, now=time.monotonic())
            else:
                next_poll = wait.poll_succeeded(seen, wall=datetime.now(UTC), now=time.monotonic())
                if on_poll is not None and inspect.isawaitable(answer := on_poll(seen)):
                    await answer
            if next_poll is None:
                return seen
            await self._calls.pause(next_poll - time.monotonic())
            wait.slept(until=next_poll, now=time.monotonic())

    async def aclose(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._calls.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _taking_turns(self, turns: Turns) -> Self:
        """Return a client on the same connections, each of whose attempts waits for its turn."""
        other = copy.copy(self)
        other._turns = turns  # noqa: SLF001 - of an own copy
        return other
