"""The emulator as an ASGI application: its routes, its middleware and its error replies."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tazapay_lightning_emulator.api.credentials import DEFAULT_API_KEY, DEFAULT_API_SECRET, Credentials
from tazapay_lightning_emulator.api.operations import INVOICES_PATH, InvoiceOperations
from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError, error_body
from tazapay_lightning_emulator.api.responses import json_response, with_date
from tazapay_lightning_emulator.clock import Clock, utc_now
from tazapay_lightning_emulator.control.faults import fault_routes
from tazapay_lightning_emulator.control.invoices import invoice_routes
from tazapay_lightning_emulator.control.same_origin import SameOrigin
from tazapay_lightning_emulator.control.webhooks import webhook_routes
from tazapay_lightning_emulator.dashboard.parts import Parts
from tazapay_lightning_emulator.dashboard.routes import page_routes, refusal_to_a_person
from tazapay_lightning_emulator.faults.injection import FaultInjection
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tazapay_lightning_emulator.invoices.book import InvoiceBook
from tazapay_lightning_emulator.invoices.store import Store
from tazapay_lightning_emulator.serving.connections import connection_of
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender
from tazapay_lightning_emulator.webhooks.event import DEFAULT_WEBHOOK_SECRET


def create_app(
    *,
    api_key: str = DEFAULT_API_KEY,
    api_secret: str = DEFAULT_API_SECRET,
    database: str | os.PathLike[str] = ":memory:",
    data_as_string: bool = False,
    now: Callable[[], datetime] = utc_now,
    faults: FaultPlan | None = None,
    webhook_url: str | None = None,
    webhook_secret: str = DEFAULT_WEBHOOK_SECRET,
) -> Application:
    """The emulator as an ASGI application, for a server or a test client of your own.

    Faults below HTTP need the emulator's own server: `refuse`, `reset_before_commit`, `reset_after_commit`,
    `close_mid_body`, `wrong_content_length`, and `drip` with `drip_head`. Under another server a request with one of
    them gets status 501 and is not carried out, and `POST /_emulator/faults` refuses to plan them.

    The application sends a Date header when its clock is not the machine's. A server that always sends one must then be
    configured not to (uvicorn: `date_header=False`), or a reply has two.

    A thread sends the webhooks. It starts with the first one and ends when the server shuts the application down (ASGI
    lifespan) or the process ends.

    Args:
        api_key: the only key that is accepted.
        api_secret: the secret of this key.
        database: ":memory:", or the path of a file, which is created if missing and kept.
        data_as_string: reply with `data` as JSON text instead of an object.
        now: returns the emulator's time, with a time zone.
        faults: which request gets which fault; None for an empty plan, which `/_emulator/faults` can change.
        webhook_url: the destination of webhooks, as for `Emulator.send_webhooks_to`; None sends none.
        webhook_secret: the key of their signatures.

    Raises:
        EmulatorError: the database cannot be used.
        ValueError: HTTP Basic cannot carry the credentials, the webhook secret is empty, or the URL is not one of this
            machine.

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
    clock = Clock(now)
    webhooks = WebhookSender(clock, secret=webhook_secret, url=webhook_url)
    book = InvoiceBook(Store(database), clock, webhooks)
    operations = InvoiceOperations(book, credentials, data_as_string)
    return Application(book, operations, FaultPlan() if faults is None else faults)


class Application(Starlette):
    """The application, with the date of its own clock on every reply.

    Under another server the date is only added when the clock is not the machine's: such a server sends one itself.

    Attributes:
        book: the invoices.
        faults: which request gets which fault.
        parts: of the emulator, as the page shows them.
    """

    def __init__(self, book: InvoiceBook, operations: InvoiceOperations, faults: FaultPlan) -> None:
        parts = Parts(book, faults, operations.credentials)
        super().__init__(
            routes=[
                *operations.routes(),
                *page_routes(parts),
                Mount(
                    "/_emulator",
                    routes=[*invoice_routes(book), *webhook_routes(book.webhooks), *fault_routes(faults)],
                    middleware=[Middleware(SameOrigin)],
                ),
            ],
            middleware=[
                Middleware(
                    FaultInjection, plan=faults, other_reply=operations.reply_with_another_amount, clock=book.clock
                )
            ],
            lifespan=self._lifespan,
            exception_handlers={
                RequestRefusedError: _refused,
                HTTPException: _not_routed,
                ClientDisconnect: _disconnected,
                Exception: _failed,
            },
        )
        self.router.redirect_slashes = False  # Tazapay has no redirects, and a client must not send a POST twice
        self.book = book
        self.faults = faults
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        await super().__call__(
            scope, receive, with_date(send, self.book.clock, always=connection_of(scope) is not None)
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.book.webhooks.stop()


# Starlette types every handler as taking any exception, so each of these narrows the type.


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)  # noqa: S101 - narrows the type; Starlette chose by it
    for_a_person = refusal_to_a_person(request, error)
    return for_a_person or json_response(error.status_code, error_body(error.message, error.problems), error.headers)


_KNOWN_PATHS = f"POST {INVOICES_PATH} creates an invoice, GET and PUT {INVOICES_PATH}/(its id) fetch and update it"


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type; Starlette chose by it
    known_path = error.status_code == 405
    message = "this path has no such method" if known_path else "there is nothing at this path"
    problem = Problem(Code.ABSENT, message, _KNOWN_PATHS)
    body = error_body("method not allowed" if known_path else "not found", [problem])
    return json_response(error.status_code, body, error.headers)


async def _disconnected(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # the client has disconnected


async def _failed(request: Request, error: Exception) -> Response:
    problem = Problem(Code.INTERNAL, "the emulator failed", "its log, on standard error, says why")
    return json_response(500, error_body("internal server error", [problem]))
