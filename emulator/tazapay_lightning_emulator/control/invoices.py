"""The endpoints that list and pay invoices, and move the clock.

==================================  ==================================================================================
request                             effect
==================================  ==================================================================================
GET /_emulator/invoices             as `invoices`
POST /_emulator/invoices/{id}/pay   as `pay`; no body, or a JSON object with an optional `even_if_expired`; the reply is
                                    the invoice; 404 for an unknown one, 409 for one that cannot be paid
GET /_emulator/clock                `now`, and `ahead`: by how many seconds the clock was moved in total
POST /_emulator/clock               as `advance_clock`, with `seconds`; the reply is that of GET
==================================  ==================================================================================
"""

from __future__ import annotations

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tazapay_lightning_emulator.api.bodies import bad_request, read_object, read_only_field
from tazapay_lightning_emulator.api.replies import Code, refusal_because
from tazapay_lightning_emulator.api.responses import value_response
from tazapay_lightning_emulator.clock import to_rfc3339
from tazapay_lightning_emulator.errors import NoSuchInvoiceError, NotPayableError
from tazapay_lightning_emulator.invoices.book import InvoiceBook


def invoice_routes(book: InvoiceBook) -> list[Route]:
    """The routes of the invoices and the clock."""
    control = _Control(book)
    return [
        Route("/invoices", control.invoices, methods=["GET"]),
        Route("/invoices/{id}/pay", control.pay, methods=["POST"]),
        Route("/clock", control.clock, methods=["GET", "POST"]),
    ]


@frozen
class _Control:
    book: InvoiceBook

    async def invoices(self, request: Request) -> Response:
        return value_response(self.book.listed())

    async def pay(self, request: Request) -> Response:
        fields = await read_object(request, optional=True)
        even_if_expired = fields.get("even_if_expired", False)
        if not fields.keys() <= {"even_if_expired"} or not isinstance(even_if_expired, bool):
            raise bad_request("the payment is not accepted", "fields: even_if_expired, true or false, or nothing")
        try:
            return value_response(self.book.pay(request.path_params["id"], even_if_expired=even_if_expired))
        except NoSuchInvoiceError as error:
            raise refusal_because(error, 404, Code.ABSENT, "not found") from None
        except NotPayableError as error:
            raise refusal_because(error, 409, Code.BAD_JSON, "the invoice cannot be paid") from None

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            seconds = await read_only_field(request, "seconds", refusal="the time is not accepted")
            try:
                self.book.advance(seconds)
            except ValueError as error:
                raise bad_request("the time is not accepted", str(error)) from None
        clock = self.book.clock
        return value_response({"now": to_rfc3339(clock.now()), "ahead": clock.ahead.total_seconds()})
