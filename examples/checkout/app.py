"""The routes of the shop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from attrs import field, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from examples.checkout import pages
from examples.checkout.catalogue import CATALOGUE, Product
from examples.checkout.changes import Changes
from examples.checkout.fiat import FiatPrice, fiat_price
from examples.checkout.following import Followers
from examples.checkout.forms import empty_form, read_fields, read_order_form
from examples.checkout.order_store import OrderStore
from examples.checkout.orders import Attempt, Order, State, order_id, state_of
from examples.checkout.payments import LookFailedError, Payments, utc_now
from examples.checkout.problems import broken, refused
from examples.checkout.security import SecurityHeaders
from examples.checkout.streams import status_stream
from examples.checkout.webhooks import WebhookEndpoint
from tazapay_lightning import AsyncLightningClient

__all__ = ["WEBHOOK_PATH", "Practice", "Settings", "create_shop"]

WEBHOOK_PATH = "/webhooks/tazapay"


@frozen
class Practice:
    """What only an emulator can do; without one the shop has no such buttons.

    Attributes:
        pay: pays the invoice with this id.
        pass_time: lets so many seconds pass.
    """

    pay: Callable[[str], object]
    pass_time: Callable[[int], object]


@frozen(kw_only=True)
class Settings:
    """What differs from shop to shop.

    Attributes:
        database: the path of the file with the orders, or ":memory:".
        webhook_secret: of Tazapay's dashboard; None refuses webhooks, and payments are found by polling alone.
        expires_in: the lifetime of an invoice, in seconds.
        poll_interval: seconds between the first looks at an open invoice.
        patience: seconds that a click waits for the service before the page says that the invoice is being prepared.
        catalogue: what is for sale.
        practice: buttons for an emulator.
        fiat: returns what so many satoshi are worth in another currency, to be shown beside the amount; or None, or
            raises, where it cannot tell. It is called for every showing of an invoice: let it answer at once, from a
            rate that something else keeps fresh.
    """

    database: str | os.PathLike[str] = ":memory:"
    webhook_secret: str | None = field(default=None, repr=False)
    expires_in: int = 900
    poll_interval: float = 1.0
    patience: float = 5.0
    catalogue: Mapping[str, Product] = field(default=CATALOGUE, repr=False)
    practice: Practice | None = None
    fiat: Callable[[int], FiatPrice | None] | None = field(default=None, repr=False)


def create_shop(client: AsyncLightningClient, settings: Settings) -> Starlette:
    """Return the shop as an ASGI application, to be run by one process.

    Args:
        client: the service; the shop closes it when it ends.
        settings: see there.
    """
    changes = Changes()
    payments = Payments(client, OrderStore(settings.database), changes, settings.expires_in)
    followers = Followers(payments, poll_interval=settings.poll_interval)
    shop = _Shop(settings, payments, followers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            followers.resume()
            try:
                yield
            finally:
                await followers.stop()
                payments.store.close()

    webhooks = WebhookEndpoint(payments, settings.webhook_secret)
    practice = [Route("/orders/{order_id}/emulator/{action}", shop.practise, methods=["POST"])]
    app = Starlette(
        routes=[
            Route("/", shop.order_form, methods=["GET"]),
            Route("/orders", shop.place_order, methods=["POST"]),
            Route("/orders/{order_id}", shop.show_order, methods=["GET"]),
            Route("/orders/{order_id}/status", shop.status, methods=["GET"]),
            Route("/orders/{order_id}/events", shop.events, methods=["GET"]),
            Route("/orders/{order_id}/invoices", shop.new_invoice, methods=["POST"]),
            *(practice if settings.practice else []),
            Route(WEBHOOK_PATH, webhooks.receive, methods=["POST"]),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: refused, Exception: broken},
        lifespan=lifespan,
    )
    app.state.changes = changes  # for the server, which must end the streams before it can stop
    return app


@frozen
class _Shop:
    settings: Settings
    payments: Payments
    followers: Followers

    async def order_form(self, request: Request) -> Response:
        catalogue = self.settings.catalogue
        return HTMLResponse(pages.order_form(catalogue, empty_form(catalogue)))

    async def place_order(self, request: Request) -> Response:
        catalogue = self.settings.catalogue
        form = read_order_form(await read_fields(request), catalogue)
        if form.problems:
            return HTMLResponse(pages.order_form(catalogue, form), 400)
        product = catalogue[form.product]
        order = Order(
            id=order_id(form.token, form.product, form.name),
            title=product.name,
            name=form.name,
            amount_sats=product.price_sats,  # ours: a form is filled in by whoever likes to
            created_at=utc_now(),
        )
        self.payments.store.add_order(order)
        self.followers.follow(self.payments.begin(order, 1))
        return await self._answered(order)

    async def show_order(self, request: Request) -> Response:
        order = self._order(request)
        attempt = self._shown(order)
        if attempt is not None and attempt.state is State.EXPIRED and order.paid_attempt is None:
            with suppress(LookFailedError):  # then the page says what is known
                await self.payments.look(attempt)
            order = self._order(request)
            attempt = self._shown(order)
        page = pages.order_page(
            order,
            attempt,
            self.payments.now(),
            with_emulator=self.settings.practice is not None,
            fiat=fiat_price(self.settings.fiat, order.amount_sats),
        )
        return HTMLResponse(page)

    async def status(self, request: Request) -> Response:
        order = self._order(request)
        attempt = self._shown(order)
        left = attempt.seconds_left(self.payments.now()) if attempt else 0
        return JSONResponse({**self._status(order.id), "seconds_left": left})

    async def events(self, request: Request) -> Response:
        order = self._order(request)
        stream = status_stream(self.payments.changes, order.id, lambda: self._status(order.id))
        # the second header asks nginx not to collect what should arrive at once
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def new_invoice(self, request: Request) -> Response:
        order, after = self._order(request), (await read_fields(request)).get("after", "")
        if not (after.isascii() and after.isdecimal() and len(after) < 5):
            raise HTTPException(400, "This form came damaged: please open the order again.")
        try:
            await self.payments.next_attempt(order, int(after))
        except LookFailedError:
            advice = "We cannot see whether the old invoice was paid, so there is no new one yet. Please try again."
            return HTMLResponse(pages.problem_page("Please try again", advice, order=order), 503)
        latest = self._shown(order)
        if latest is not None:
            self.followers.follow(latest)
        return await self._answered(order)

    async def practise(self, request: Request) -> Response:
        practice, order = self.settings.practice, self._order(request)
        attempt, action = self._shown(order), request.path_params["action"]
        if practice is None or attempt is None or attempt.invoice is None or action not in {"pay", "expire"}:
            raise HTTPException(404)
        if attempt.state is State.WAITING:
            if action == "pay":
                await asyncio.to_thread(practice.pay, attempt.invoice.id)
            else:
                await asyncio.to_thread(practice.pass_time, attempt.expires_in + 1)
        return RedirectResponse(f"/orders/{order.id}", 303)

    async def _answered(self, order: Order) -> Response:
        """Show the order when its invoice is there, or after a while without it."""
        with suppress(TimeoutError), self.payments.changes.listening(order.id) as changed:
            async with asyncio.timeout(self.settings.patience):
                while (attempt := self._shown(order)) is not None and attempt.state is State.ASKED:
                    await changed.wait()
                    changed.clear()
        return RedirectResponse(f"/orders/{order.id}", 303)

    def _order(self, request: Request) -> Order:
        order = self.payments.store.order(request.path_params["order_id"])
        if order is None:
            raise HTTPException(
                404,
                "This shop does not know this order. Is the address complete? If you have paid for it, please show our "
                "staff the payment in your wallet.",
            )
        return order

    def _shown(self, order: Order) -> Attempt | None:
        """The attempt that paid, else the latest one."""
        store = self.payments.store
        return store.attempt(order.id, order.paid_attempt) if order.paid_attempt else store.latest_attempt(order.id)

    def _status(self, order_id: str) -> Mapping[str, object]:
        order = self.payments.store.order(order_id)
        if order is None:
            return {}
        attempt = self._shown(order)
        return {"version": pages.version(order, attempt), "state": state_of(order, attempt)}
