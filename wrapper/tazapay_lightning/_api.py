"""The one door to the generated package and to httpx: requests out, replies and failures in, attempts around both.

Generated operations are called as they are, with an `exchange.Door` for a client, so no generated default (no timeout,
closed status list, token in the ``repr``) takes part. No httpx type leaves this module, apart from the optional
``http_client``.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn, TypeVar, cast

import anyio.lowlevel
import httpx

from tazapay_lightning.attempts import Attempts, Limits
from tazapay_lightning.configuration import Configuration, MetadataFormat
from tazapay_lightning.deadlines import bound_reads, reads_end_at
from tazapay_lightning.errors import APIConnectionError, APIError, APITimeoutError, ConfigurationError
from tazapay_lightning.exchange import Body, Call, Door, Reply, log_attempt
from tazapay_lightning.http_settings import advice_on, forget_location, forget_location_async, is_distrust, settings
from tazapay_lightning.json_fields import decode_json_field, json_text
from tazapay_lightning.request import InvoiceRequest
from tazapay_lightning_api.api.default import create_lightning_invoice
from tazapay_lightning_api.client import Client as GeneratedClient
from tazapay_lightning_api.models import CreateLightningInvoiceRequest, CreateLightningInvoiceResponse
from tazapay_lightning_api.types import UNSET, Response

__all__ = ["AsyncApi", "AsyncHTTPClient", "HTTPClient", "SyncApi"]

HTTPClient = httpx.Client
AsyncHTTPClient = httpx.AsyncClient

_Result = TypeVar("_Result")
_WRONG_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, *_WRONG_ADDRESS)
# UnicodeError: httpx reads where a redirect leads even if it is not to follow it, and not every address can be read
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)


class _Shared:
    """What the blocking and the asynchronous class have in common."""

    def __init__(self, configuration: Configuration, *, owned: bool) -> None:
        self._configuration = configuration
        self._owned = owned
        self._closed = False

    def _creation(self, request: InvoiceRequest, idempotency_key: str, limits: Limits) -> Call:
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        return Call.creation(self._configuration, request, idempotency_key=idempotency_key, limits=limits)


class SyncApi(_Shared):
    """The operations over a blocking httpx client. Safe to share between threads."""

    def __init__(self, configuration: Configuration, http_client: HTTPClient | None) -> None:
        super().__init__(configuration, owned=http_client is None)
        if http_client is not None and not isinstance(http_client, httpx.Client):
            raise ConfigurationError(f"http_client must be an httpx.Client; got {type(http_client).__name__}")
        with _setting_up(configuration):
            options = settings(configuration, forget_location)
            self._http = httpx.Client(**options) if http_client is None else http_client

    def create_invoice(
        self,
        request: InvoiceRequest,
        *,
        idempotency_key: str,
        limits: Limits,
        read: Callable[[Mapping[str, object]], _Result],
    ) -> _Result:
        """Create an invoice and return what `read` makes of the decoded ``data``."""
        call = self._creation(request, idempotency_key, limits)
        body = _wire_body(request, self._configuration.metadata_format)

        def attempt(door: Door) -> Response[CreateLightningInvoiceResponse]:
            return create_lightning_invoice.sync_detailed(
                client=cast(GeneratedClient, door), body=body, idempotency_key=idempotency_key
            )

        return self._run(call, attempt, read)

    def close(self) -> None:
        self._closed = True
        if self._owned:
            self._http.close()

    def _run(
        self,
        call: Call,
        attempt: Callable[[Door], Response[CreateLightningInvoiceResponse]],
        read: Callable[[Mapping[str, object]], _Result],
    ) -> _Result:
        attempts = Attempts(call.limits, idempotency_key=call.idempotency_key, now=time.monotonic())
        while True:
            ends = attempts.begin(time.monotonic())
            try:
                return read(_data_of(attempt(Door(partial(self._request, call, attempts, ends)))))
            except APIError as error:
                wait = attempts.wait_after(error, time.monotonic())
                if wait is None:
                    raise
            time.sleep(wait)

    def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        outcome: object = None
        try:
            with reads_end_at(ends):
                request = _build(self._http, call, ends, **generated)
                request.extensions["trace"] = bound_reads
                response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
                outcome = response.status_code
                body = Body(response.status_code, ends)
                try:
                    if response.is_stream_consumed:
                        body.add_plain(response.content)
                    else:
                        for chunk in response.iter_raw():
                            if not body.add(chunk):
                                break
                except _FAILURES as failure:
                    body.broke_off(failure)
                finally:
                    response.close()
        except (*_FAILURES, RuntimeError) as failure:
            outcome = type(failure).__name__
            if isinstance(failure, RuntimeError) and not self._http.is_closed:
                raise  # not what httpx says of a closed client
            _raise_translated(failure, call)
        finally:
            log_attempt(call, attempts, generated, outcome, started)
        return call.read(response.status_code, dict(response.headers), body)


class AsyncApi(_Shared):
    """The operations over an asynchronous httpx client. Safe to share between the tasks of one event loop."""

    def __init__(self, configuration: Configuration, http_client: AsyncHTTPClient | None) -> None:
        super().__init__(configuration, owned=http_client is None)
        if http_client is not None and not isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError(f"http_client must be an httpx.AsyncClient; got {type(http_client).__name__}")
        with _setting_up(configuration):
            options = settings(configuration, forget_location_async)
            self._http = httpx.AsyncClient(**options) if http_client is None else http_client
        self._loop: object = None

    async def create_invoice(
        self,
        request: InvoiceRequest,
        *,
        idempotency_key: str,
        limits: Limits,
        read: Callable[[Mapping[str, object]], _Result],
    ) -> _Result:
        """Create an invoice and return what `read` makes of the decoded ``data``."""
        self._stay_in_one_loop()
        call = self._creation(request, idempotency_key, limits)
        body = _wire_body(request, self._configuration.metadata_format)

        async def attempt(door: Door) -> Response[CreateLightningInvoiceResponse]:
            return await create_lightning_invoice.asyncio_detailed(
                client=cast(GeneratedClient, door), body=body, idempotency_key=idempotency_key
            )

        return await self._run(call, attempt, read)

    async def aclose(self) -> None:
        self._closed = True
        if self._owned:
            await self._http.aclose()

    def _stay_in_one_loop(self) -> None:
        loop = anyio.lowlevel.current_token()
        if self._loop is None:
            self._loop = loop
        elif self._loop != loop:  # its connections would wait for a loop that does not run
            raise ConfigurationError("this client belongs to another event loop; make one client in each")

    async def _run(
        self,
        call: Call,
        attempt: Callable[[Door], Awaitable[Response[CreateLightningInvoiceResponse]]],
        read: Callable[[Mapping[str, object]], _Result],
    ) -> _Result:
        attempts = Attempts(call.limits, idempotency_key=call.idempotency_key, now=time.monotonic())
        while True:
            ends = attempts.begin(time.monotonic())
            try:
                return read(_data_of(await attempt(Door(partial(self._request, call, attempts, ends)))))
            except APIError as error:
                wait = attempts.wait_after(error, time.monotonic())
                if wait is None:
                    raise
            await anyio.sleep(wait)

    async def _request(self, call: Call, attempts: Attempts, ends: float, **generated: Any) -> Reply:
        started = time.monotonic()
        outcome: object = None
        try:
            with anyio.fail_after(ends - started):
                request = _build(self._http, call, ends, **generated)
                response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
            outcome = response.status_code
            body = Body(response.status_code, ends)
            try:
                with anyio.fail_after(ends - time.monotonic()):
                    if response.is_stream_consumed:
                        body.add_plain(response.content)
                    else:
                        async for chunk in response.aiter_raw():
                            if not body.add(chunk):
                                break
            except _FAILURES as failure:
                body.broke_off(failure)
            finally:
                await response.aclose()
        except (*_FAILURES, RuntimeError) as failure:
            outcome = type(failure).__name__
            if isinstance(failure, RuntimeError) and not self._http.is_closed:
                raise  # not what httpx says of a closed client
            _raise_translated(failure, call)
        finally:
            log_attempt(call, attempts, generated, outcome, started)
        return call.read(response.status_code, dict(response.headers), body)


@contextmanager
def _setting_up(configuration: Configuration) -> Iterator[None]:
    """Say what is wrong with the address, or with a proxy or certificates that the environment names."""
    try:
        _ = httpx.URL(configuration.base_url).host  # reading the host is what decodes it
        yield
    except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:
        raise ConfigurationError(
            f"no HTTP client can be made for {configuration.base_url}: {error} (see base_url, and the environment "
            "variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE)"
        ) from error


def _wire_body(request: InvoiceRequest, metadata_format: MetadataFormat) -> CreateLightningInvoiceRequest:
    """Say every field on purpose: set, or explicitly not sent."""
    metadata: Any = UNSET
    if request.metadata is not None:
        metadata = json_text(request.metadata) if metadata_format == "string" else dict(request.metadata)
    return CreateLightningInvoiceRequest(
        amount=request.amount_sats,
        d_tag_memo=UNSET if request.memo is None else request.memo,
        h_tag_memo=UNSET if request.memo_hash is None else request.memo_hash,
        expiry_interval=UNSET if request.expires_in is None else request.expires_in,
        metadata=metadata,
    )


def _build(
    http: httpx.Client | httpx.AsyncClient,
    call: Call,
    ends: float,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    json: object = None,
) -> httpx.Request:
    timeout = max(ends - time.monotonic(), 0.001)  # httpx takes 0 for "at once", which is what is left then
    return http.build_request(
        method.upper(), call.base_url + url, headers={**call.headers, **headers}, json=json, timeout=timeout
    )


def _data_of(response: Response[CreateLightningInvoiceResponse]) -> dict[str, object]:
    parsed = response.parsed
    return decode_json_field(None if parsed is None else parsed.data)


def _raise_translated(failure: Exception, call: Call) -> NoReturn:
    """Raise the documented error that a failure of the connection amounts to."""
    what = call.redaction.text(str(failure)) or type(failure).__name__
    if isinstance(failure, RuntimeError):
        raise APIConnectionError("the client was closed meanwhile", nothing_sent=True, permanent=True) from failure
    nothing_sent = isinstance(failure, _NEVER_SENT)
    if isinstance(failure, httpx.TimeoutException | TimeoutError):
        raise APITimeoutError(
            f"no complete reply from {call.base_url} in time ({what})", nothing_sent=nothing_sent
        ) from failure
    raise APIConnectionError(
        f"no complete reply from {call.base_url}: {what}{advice_on(failure)}",
        nothing_sent=nothing_sent,
        permanent=isinstance(failure, _WRONG_ADDRESS) or is_distrust(failure),
    ) from failure
