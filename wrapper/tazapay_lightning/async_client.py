"""The asynchronous client: configuration, lifecycle and the operations. Its twin is in `client`."""

from __future__ import annotations

import inspect
import os
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tazapay_lightning.errors import APIError
from tazapay_lightning.invoices.echo import verify_echo, verify_fetched
from tazapay_lightning.invoices.invoice import Invoice
from tazapay_lightning.invoices.request import InvoiceRequest, check_callback, check_idempotency_key, check_invoice_id
from tazapay_lightning.invoices.waiting import PaymentWait
from tazapay_lightning.operations import creating, getting, updating
from tazapay_lightning.transport.async_calls import AsyncApi, Backend
from tazapay_lightning.transport.exchange import Answer, Call
from tazapay_lightning.transport.replies import service_time
from tazapay_lightning.transport.retries import Limits
from tazapay_lightning.transport.settings import Configuration, Environment, MetadataFormat
from tazapay_lightning.values.json_fields import json_object

if TYPE_CHECKING:
    from tazapay_lightning.transport.backends.httpx import AsyncHTTPClient

__all__ = ["AsyncLightningClient"]


class AsyncLightningClient:
    """Creates Lightning invoices with Tazapay, for asynchronous code.

    The twin of `LightningClient`: the same arguments, methods and errors. Make one per event loop and share it between
    its tasks. Use it in an ``async with`` block, or await `aclose`.

    Args:
        api_key: as for `LightningClient`, like all that follow.
        api_secret: Tazapay's API secret.
        environment: "sandbox" or "production".
        base_url: another address of the service.
        timeout: seconds that one attempt may take.
        max_retries: how often a failed attempt may be tried again.
        deadline: seconds that a whole call may take.
        metadata_format: how `metadata` travels.
        check_echo: raise `InvoiceMismatchError` when the service answers with another amount.
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
        timeout: float | timedelta = 30.0,
        max_retries: int = 2,
        deadline: float | timedelta = 90.0,
        metadata_format: MetadataFormat = "string",
        check_echo: bool = True,
        http_client: AsyncHTTPClient | None = None,
        backend: Backend = "httpx",
    ) -> None:
        self._limits = Limits.build(timeout=timeout, deadline=deadline, max_retries=max_retries)
        self._configuration = Configuration.build(
            api_key=api_key,
            api_secret=api_secret,
            environment=environment,
            base_url=base_url,
            metadata_format=metadata_format,
            check_echo=check_echo,
            variables=os.environ,
        )
        self._api = AsyncApi(self._configuration, http_client, backend)

    async def create_invoice(
        self,
        *,
        amount_sats: int | None = None,
        amount_btc: Decimal | str | int | None = None,
        memo: str | None = None,
        memo_as_hash: bool = False,
        memo_hash: str | None = None,
        expires_in: int | timedelta | None = None,
        metadata: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
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
        key = str(uuid.uuid4()) if idempotency_key is None else check_idempotency_key(idempotency_key)
        call = Call.build(
            self._configuration,
            self._limits.for_call(timeout=timeout, deadline=deadline),
            submitted=[request.memo, request.metadata],
            idempotency_key=key,
        )
        invoice = await self._api.run(
            creating(request, self._configuration.metadata_format, key),
            call,
            lambda answer: Invoice.from_payload(
                answer.data,
                idempotency_key=key,
                service_time=service_time(answer.headers),
                written=(request.memo, request.metadata),
            ),
        )
        return verify_echo(request, invoice, self._configuration)

    async def get_invoice(
        self,
        invoice_id: str,
        *,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
    ) -> Invoice:
        """Fetch an invoice as it is now: see `LightningClient.get_invoice`."""
        checked = check_invoice_id(invoice_id)
        call = Call.build(self._configuration, self._limits.for_call(timeout=timeout, deadline=deadline))
        return await self._api.run(getting(checked), call, lambda answer: self._fetched(checked, answer))

    async def update_invoice(
        self,
        invoice_id: str,
        *,
        metadata: Mapping[str, object],
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - per attempt, several of which make a call
        deadline: float | timedelta | None = None,
    ) -> Invoice:
        """Set the metadata of an invoice: see `LightningClient.update_invoice`."""
        checked = check_invoice_id(invoice_id)
        attached = json_object(metadata, argument="metadata")
        limits = self._limits.for_call(timeout=timeout, deadline=deadline)
        return await self._api.run(
            updating(checked, attached, self._configuration.metadata_format),
            Call.build(self._configuration, limits, submitted=[attached]),
            lambda answer: self._fetched(checked, answer),
        )

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
        wait = PaymentWait(
            invoice,
            timeout=timeout,
            poll_interval=poll_interval,
            limits=self._limits,
            now=time.monotonic(),
        )
        operation = getting(wait.invoice_id)
        while True:
            try:
                seen, service_now = await self._api.run(
                    operation,
                    Call.build(self._configuration, wait.limits(time.monotonic())),
                    lambda answer: (self._fetched(wait.invoice_id, answer), service_time(answer.headers)),
                )
            except APIError as error:
                self._api.check_open()  # a closed client is no failure in passing
                next_look: float | None = wait.missed(error, now=time.monotonic())
            else:
                next_look = wait.seen(seen, service_time=service_now, wall=datetime.now(UTC), now=time.monotonic())
                if on_poll is not None and inspect.isawaitable(answer := on_poll(seen)):
                    await answer
            if next_look is None:
                return seen
            await self._api.pause(next_look - time.monotonic())

    async def aclose(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._api.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _fetched(self, invoice_id: str, answer: Answer) -> Invoice:
        invoice = Invoice.from_payload(answer.data, service_time=service_time(answer.headers))
        return verify_fetched(invoice_id, invoice, self._configuration)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self._configuration.host!r})"
