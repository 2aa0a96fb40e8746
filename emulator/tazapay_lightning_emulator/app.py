"""The emulator as an ASGI application: the thin rim between HTTP and the pure modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tazapay_lightning_emulator.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET, Credentials, authenticate
from tazapay_lightning_emulator.fault_control import control_routes
from tazapay_lightning_emulator.fault_injection import FaultInjection
from tazapay_lightning_emulator.faults import FaultPlan
from tazapay_lightning_emulator.invoices import new_invoice, read_fields
from tazapay_lightning_emulator.replies import (
    Code,
    Problem,
    RequestRefusedError,
    compact_json,
    error_body,
    success_body,
)
from tazapay_lightning_emulator.request_bodies import bad_request, read_body, read_json_body
from tazapay_lightning_emulator.store import Store, StoredInvoice

INVOICES_PATH = "/v3/lightning_invoice_bolt11"
MAX_IDEMPOTENCY_KEY_LENGTH = 255
"""In characters (Tazapay's documentation)."""


def utc_now() -> datetime:
    """The time by the machine's clock."""
    return datetime.now(UTC)


def create_app(
    *,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    now: Callable[[], datetime] = utc_now,
    faults: FaultPlan | None = None,
) -> Starlette:
    """The emulator as an ASGI application, for a server or a test client of your own.

    What lies below HTTP takes the emulator's own server: `refuse`, `reset_before_commit`, `reset_after_commit`,
    `close_mid_body`, `wrong_content_length`, and `drip` with `drip_head`. Here the request to which one of these is to
    be done gets status 501 and is not carried out, and `POST /_emulator/faults` refuses to plan them.

    Args:
        api_key: the one key that is accepted.
        api_secret: the secret that belongs to it.
        database: ":memory:", or the path of a file, which is made if missing and outlives the application.
        data_as_string: reply with `data` as JSON text instead of an object.
        now: tells the emulator's time, with a time zone.
        faults: what is to go wrong; None for a plan that only `/_emulator/faults` can reach.

    Raises:
        EmulatorError: the database cannot be used.
        ValueError: the credentials are none that HTTP Basic could carry.

    Example:
        >>> import asyncio, httpx
        >>> async def create() -> int:
        ...     transport = httpx.ASGITransport(create_app())
        ...     async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        ...         reply = await client.post(
        ...             "/v3/lightning_invoice_bolt11",
        ...             auth=("emulator-api-key", "emulator-api-secret"),
        ...             json={"amount": 123456},
        ...         )
        ...         return reply.json()["data"]["amount"]
        >>> asyncio.run(create())
        123456
    """
    credentials = Credentials(api_key, api_secret)
    plan = FaultPlan() if faults is None else faults
    return app_over(Store(database), credentials, data_as_string=data_as_string, now=now, faults=plan)


def app_over(
    store: Store,
    credentials: Credentials,
    *,
    data_as_string: bool,
    now: Callable[[], datetime],
    faults: FaultPlan,
) -> Starlette:
    """The application over a store that the caller keeps, and closes."""
    service = _Service(store, credentials, data_as_string, now)
    app = Starlette(
        routes=[
            Route(INVOICES_PATH, service.create_invoice, methods=["POST"]),
            Route("/_emulator/invoices", service.list_invoices, methods=["GET"]),
            *control_routes(faults),
        ],
        middleware=[Middleware(FaultInjection, plan=faults, other_reply=service.other_reply)],
        exception_handlers={
            RequestRefusedError: _refused,
            HTTPException: _unroutable,
            ClientDisconnect: _disconnected,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False  # the API knows no redirects, and a POST must not be sent twice
    return app


def listed(stored: StoredInvoice) -> dict[str, Any]:
    """A stored invoice in its wire form, with two fields of the emulator's own: `idempotency_key` and `replays`."""
    return {**stored.invoice.to_wire(), "idempotency_key": stored.idempotency_key, "replays": stored.replays}


@frozen
class _Service:
    store: Store
    credentials: Credentials
    data_as_string: bool
    now: Callable[[], datetime]

    async def create_invoice(self, request: Request) -> Response:
        authenticate(request.headers.getlist("authorization"), self.credentials)
        idempotency_key = _idempotency_key(request.headers.getlist("idempotency-key"))
        fields = read_fields(read_json_body(request.headers.get("content-type", ""), await read_body(request)))
        now = self.now()
        invoice = new_invoice(fields, now)
        body = self.store.create(
            invoice,
            success_body(invoice.to_wire(), data_as_string=self.data_as_string),
            caller=self.credentials.caller,
            idempotency_key=idempotency_key,
            now=now,
        )
        return _json_response(200, body)

    def other_reply(self, amount: int) -> bytes | None:
        """The body of the reply that was made for the newest invoice with another amount."""
        other = self.store.newest_with_another_amount(amount)
        return None if other is None else success_body(other.to_wire(), data_as_string=self.data_as_string)

    async def list_invoices(self, request: Request) -> Response:
        return _json_response(200, compact_json([listed(each) for each in self.store.invoices()]).encode())


def _idempotency_key(headers: Sequence[str]) -> str | None:
    if not headers:
        return None
    if len(headers) > 1 or not 1 <= len(headers[0]) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        remarks = f"Idempotency-Key: one header of 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} characters, or none"
        raise bad_request("the idempotency key is not accepted", remarks)
    return headers[0]


# Starlette types every handler as taking any exception, so each of these narrows its own.


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)  # noqa: S101 - narrows the type; Starlette chose by it
    return _json_response(error.status_code, error_body(error.message, error.problems), error.headers)


async def _unroutable(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type; Starlette chose by it
    known_path = error.status_code == 405
    message = "this path has no such method" if known_path else "there is nothing at this path"
    problem = Problem(Code.ABSENT, message, f"POST {INVOICES_PATH} creates an invoice")
    body = error_body("method not allowed" if known_path else "not found", [problem])
    return _json_response(error.status_code, body, error.headers)


async def _disconnected(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody is left to read it


async def _failed(request: Request, error: Exception) -> Response:
    problem = Problem(Code.INTERNAL, "the emulator failed", "its log, on standard error, tells why")
    return _json_response(500, error_body("internal server error", [problem]))


def _json_response(status_code: int, body: bytes, headers: Any = None) -> Response:
    return Response(body, status_code, headers, media_type="application/json")
