"""Tazapay's operations over HTTP: create, fetch and update an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tazapay_lightning_emulator.api.bodies import bad_request, read_object
from tazapay_lightning_emulator.api.credentials import Credentials, authenticate
from tazapay_lightning_emulator.api.fields import read_fields, read_new_metadata
from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError, success_body
from tazapay_lightning_emulator.api.responses import json_response
from tazapay_lightning_emulator.errors import NoSuchInvoiceError
from tazapay_lightning_emulator.invoices.book import InvoiceBook
from tazapay_lightning_emulator.invoices.invoice import Invoice

INVOICES_PATH = "/v3/lightning_invoice_bolt11"
MAX_IDEMPOTENCY_KEY_LENGTH = 255
"""In characters (Tazapay's documentation)."""


@frozen
class InvoiceOperations:
    """Answers the requests that Tazapay documents. The clock is read once per request, so a reply has one time.

    Attributes:
        book: the invoices.
        credentials: the one pair that is accepted.
        data_as_string: reply with `data` as JSON text instead of an object.
    """

    book: InvoiceBook
    credentials: Credentials
    data_as_string: bool

    def routes(self) -> list[Route]:
        """The routes of the operations."""
        return [
            Route(INVOICES_PATH, self._create, methods=["POST"]),
            Route(f"{INVOICES_PATH}/{{id}}", self._fetch_or_update, methods=["GET", "PUT"]),
        ]

    def reply_with_another_amount(self, amount: int, method: str) -> bytes | None:
        """The reply body to a request of this method for the newest invoice with another amount; None without one."""
        other = self.book.store.newest_with_another_amount(amount)
        return None if other is None else self._body(other, method, self.book.clock.now())

    async def _create(self, request: Request) -> Response:
        authenticate(request.headers.getlist("authorization"), self.credentials)
        idempotency_key = _idempotency_key(request.headers.getlist("idempotency-key"))
        fields = read_fields(await read_object(request))
        now = self.book.clock.now()
        invoice = self.book.new(fields, now)
        body = self.book.store.create(
            invoice,
            self._body(invoice, "POST", now),
            caller=self.credentials.caller,
            idempotency_key=idempotency_key,
            now=now,
        )
        return json_response(200, body)

    async def _fetch_or_update(self, request: Request) -> Response:
        authenticate(request.headers.getlist("authorization"), self.credentials)
        try:
            if request.method == "PUT":
                metadata = read_new_metadata(await read_object(request))
                now = self.book.clock.now()
                stored = self.book.store.change(
                    request.path_params["id"], lambda invoice: invoice.with_metadata(metadata, now)
                )
            else:
                now = self.book.clock.now()
                stored = self.book.store.invoice(request.path_params["id"])
        except NoSuchInvoiceError as error:
            problem = Problem(Code.ABSENT, "there is no such invoice", "id: one that this emulator gave out, l11_...")
            raise RequestRefusedError(404, "not found", [problem]) from error
        return json_response(200, self._body(stored.invoice, request.method, now))

    def _body(self, invoice: Invoice, method: str, now: datetime) -> bytes:
        wire = invoice.to_wire(now, hash_field="h_tag_memo" if method == "POST" else "h_tag")
        return success_body(wire, data_as_string=self.data_as_string)


def _idempotency_key(headers: Sequence[str]) -> str | None:
    if not headers:
        return None
    if len(headers) > 1 or not 1 <= len(headers[0]) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        remarks = f"Idempotency-Key: one header of 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} characters, or none"
        raise bad_request("the idempotency key is not accepted", remarks)
    return headers[0]
