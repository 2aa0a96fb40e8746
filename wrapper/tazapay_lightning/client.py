"""The clients: configuration, lifecycle and the operations, blocking and asynchronous, side by side."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from tazapay_lightning._api import AsyncApi, AsyncHTTPClient, HTTPClient, SyncApi
from tazapay_lightning.attempts import Limits
from tazapay_lightning.configuration import Configuration, Environment, MetadataFormat
from tazapay_lightning.echo import verify_echo
from tazapay_lightning.invoice import Invoice
from tazapay_lightning.request import InvoiceRequest, check_idempotency_key

__all__ = ["AsyncLightningClient", "LightningClient"]


class LightningClient:
    """Creates Lightning invoices with Tazapay, blocking until the reply is there.

    Make one and keep it: it holds a pool of connections and is safe to share between threads. Use it in a ``with``
    block, or call `close`.

    Args:
        api_key: Tazapay's API key; or the environment variable TAZAPAY_API_KEY.
        api_secret: the API secret that belongs to it; or TAZAPAY_API_SECRET.
        environment: "sandbox" (the default) or "production"; or TAZAPAY_ENVIRONMENT. Each has keys of its own.
        base_url: another address of the service, such as a gateway or an emulator; or TAZAPAY_BASE_URL. It wins over
            `environment`, and must be https except for loopback addresses.
        timeout: seconds that one attempt may take, as a number or a timedelta.
        max_retries: how often a failed attempt may be tried again, 0 to 20, with the same idempotency key.
        deadline: seconds that a whole call may take, waits between attempts included.
        metadata_format: how `metadata` travels: as JSON text ("string", as the document says) or as an "object".
        check_echo: raise `InvoiceMismatchError` when the service answers with another amount. If False, the
            difference is only listed in `Invoice.differences`.
        http_client: an `httpx.Client` of your own, for a transport, proxy or certificates of your own; it is not
            closed with this client. Its authentication and its redirects are not used; its headers, cookies and
            parameters are. Hand it over fresh: a connection that it opened before is not watched by `deadline`.

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
        timeout: float | timedelta = 30.0,
        max_retries: int = 2,
        deadline: float | timedelta = 90.0,
        metadata_format: MetadataFormat = "string",
        check_echo: bool = True,
        http_client: HTTPClient | None = None,
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
        self._api = SyncApi(self._configuration, http_client)

    def create_invoice(
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
        timeout: float | timedelta | None = None,
        deadline: float | timedelta | None = None,
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
            idempotency_key: 1 to 255 visible ASCII characters; a fresh UUID when left out. A key that is derived from
                your order makes it impossible to create two invoices for it within 24 hours.
            timeout: seconds per attempt, for this call.
            deadline: seconds for the whole call, for this call.

        Returns:
            The invoice, over exactly the amount that was asked for.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the service refused or failed, after all attempts that made sense.
            APIConnectionError: no complete reply, after all attempts.
            RequestFailedError: 2xx, but the reply says that it failed.
            UnexpectedResponseError: the reply cannot be read.
            InvoiceMismatchError: the invoice in the reply is over another amount.
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
        key = str(uuid.uuid4()) if idempotency_key is None else check_idempotency_key(idempotency_key)
        invoice = self._api.create_invoice(
            request,
            idempotency_key=key,
            limits=self._limits.for_call(timeout=timeout, deadline=deadline),
            read=lambda payload: Invoice.from_payload(payload, idempotency_key=key),
        )
        return verify_echo(request, invoice, strict=self._configuration.check_echo)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self._configuration.host!r})"


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
        http_client: an `httpx.AsyncClient` of your own.

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
        self._api = AsyncApi(self._configuration, http_client)

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
        invoice = await self._api.create_invoice(
            request,
            idempotency_key=key,
            limits=self._limits.for_call(timeout=timeout, deadline=deadline),
            read=lambda payload: Invoice.from_payload(payload, idempotency_key=key),
        )
        return verify_echo(request, invoice, strict=self._configuration.check_echo)

    async def aclose(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._api.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self._configuration.host!r})"
