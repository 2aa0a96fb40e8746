"""The endpoints of the page.

=================================================  ===================================================================
request                                            effect
=================================================  ===================================================================
GET /                                              the page
GET /_emulator/page/events                         server-sent events, one for each change
GET /_emulator/page/static/{name}                  the style sheet, the script and the icon
GET /_emulator/page/invoices/{id}/qr.svg           the QR code of an invoice's payment request
POST /_emulator/page/invoices/{id}/pay             pay an invoice
POST /_emulator/page/invoices/{id}/pay-late        pay one that has expired
POST /_emulator/page/invoices/{id}/expire          move the clock to the moment at which it expires
POST /_emulator/page/clock                         move the clock by `seconds`
POST /_emulator/page/faults/next                   fail the next requests: `kind`, `parameters`, `times`, `key`
POST /_emulator/page/faults/rate                   fail at random: `percent`, `seed`
POST /_emulator/page/faults/clear                  end both
POST /_emulator/page/webhooks/url                  send webhooks to `url`
POST /_emulator/page/webhooks/{event_id}/resend    send a webhook again
=================================================  ===================================================================

The POST requests are forms and lead back to the page. Templates and QR codes load with the first visit, so that an
emulator at which nobody looks starts as fast as one without a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from tazapay_lightning_emulator.api.bodies import read_body
from tazapay_lightning_emulator.api.replies import RequestRefusedError
from tazapay_lightning_emulator.control.same_origin import SameOrigin
from tazapay_lightning_emulator.dashboard.actions import ACTIONS, Sent
from tazapay_lightning_emulator.dashboard.parts import Parts
from tazapay_lightning_emulator.dashboard.stream import changes
from tazapay_lightning_emulator.errors import EmulatorError, NoSuchInvoiceError, NoSuchWebhookError
from tazapay_lightning_emulator.serving.connections import connection_of

PREFIX = "/_emulator/page"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # after no-referrer, browsers send the page's own forms with the Origin null
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STATIC = Path(__file__).with_name("static")
_MEDIA_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_MAX_FIELDS = 20


def page_routes(parts: Parts) -> list[BaseRoute]:
    """The routes of the page."""
    page = _Page(parts)
    below = [
        Route("/events", page.events, methods=["GET"]),
        Route("/static/{name}", page.static, methods=["GET"]),
        Route("/invoices/{id}/qr.svg", page.qr_code, methods=["GET"]),
        *(Route(path, partial(page.act, *ACTIONS[path]), methods=["POST"]) for path in ACTIONS),
    ]
    return [
        Route("/", page.show, methods=["GET"], middleware=[Middleware(SameOrigin, may_be_visited=True)]),
        Mount(PREFIX, routes=below, middleware=[Middleware(SameOrigin)]),
    ]


def refusal_to_a_person(request: Request, error: RequestRefusedError) -> Response | None:
    """A page that says why a request was refused, if it was one of the page's own paths."""
    path = request.scope["path"]
    if path != "/" and not path.startswith(f"{PREFIX}/"):
        return None
    from tazapay_lightning_emulator.dashboard.page import rendered

    return _response(rendered("refused.html", {"error": error}), "text/html", error.status_code)


@frozen
class _Page:
    parts: Parts

    async def show(self, request: Request) -> Response:
        return self._shown(request)

    async def act(self, action: Callable[[Sent], None], anchor: str, request: Request) -> Response:
        body = (await read_body(request)).decode("utf-8", "replace")
        try:
            fields = dict(parse_qsl(body, max_num_fields=_MAX_FIELDS))
            own_server = connection_of(request.scope) is not None
            action(Sent(self.parts, request.path_params, fields, own_server))
        except ValueError as error:
            return self._shown(request, 400, f"Not accepted: {error}")
        except (NoSuchInvoiceError, NoSuchWebhookError) as error:
            return self._shown(request, 404, str(error))
        except EmulatorError as error:
            return self._shown(request, 409, str(error))
        return RedirectResponse(f"/#{anchor.format(**request.path_params)}", 303, HEADERS)

    async def events(self, request: Request) -> Response:
        stream = changes(self.parts, connection_of(request.scope))
        return StreamingResponse(stream, headers=HEADERS, media_type="text/event-stream")

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _MEDIA_TYPES:
            raise HTTPException(404)
        return _response((_STATIC / name).read_bytes(), _MEDIA_TYPES[name])

    async def qr_code(self, request: Request) -> Response:
        from tazapay_lightning_emulator.dashboard.page import qr_code

        try:
            payment_request = self.parts.book.store.invoice(request.path_params["id"]).invoice.payment_request
        except NoSuchInvoiceError:
            payment_request = None
        if payment_request is None:
            raise HTTPException(404)
        return _response(qr_code(payment_request), "image/svg+xml")

    def _shown(self, request: Request, status_code: int = 200, problem: str = "") -> Response:
        from tazapay_lightning_emulator.dashboard.page import page

        origin = f"{request.url.scheme}://{request.headers['host']}"
        return _response(page(self.parts, origin, problem), "text/html", status_code)


def _response(content: str | bytes, media_type: str, status_code: int = 200) -> Response:
    return Response(content, status_code, HEADERS, media_type)
