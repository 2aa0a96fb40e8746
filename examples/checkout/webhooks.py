"""The endpoint that Tazapay notifies: `POST /webhooks/tazapay`.

=======================================  ======  =====================================================================
what came                                answer  because
=======================================  ======  =====================================================================
a body of more than 1 MiB                413     it is no event; Tazapay does not repeat on this status
forged, damaged, no secret configured    400     Tazapay repeats on 400, so nothing is lost by a wrong secret
the service cannot be asked about it     500     repeated, until it can
a success that is not visible there yet  409     repeated, until it is
an event that was dealt with             200     repetitions are normal, and change nothing
about no order of this shop              200     other things are paid through the same account
everything else                          200     dealt with
=======================================  ======  =====================================================================
"""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from examples.checkout.payments import LookFailedError, Payments
from tazapay_lightning import WebhookError, signature_header, verify_webhook

__all__ = ["BodyTooLongError", "WebhookEndpoint", "read_body"]

MAX_EVENT_BYTES = 1_048_576
_logger = logging.getLogger("checkout")


class BodyTooLongError(Exception):
    """The body of a request is longer than what is read."""


async def read_body(request: Request, most: int) -> bytes:
    """Read the body of a request, and stop as soon as it is too long.

    Args:
        request: whose body was not read yet.
        most: in bytes.

    Raises:
        BodyTooLongError: it is longer.
        ClientDisconnect: the sender went away.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 15 or int(announced) > most:
        raise BodyTooLongError
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise BodyTooLongError
    return bytes(body)


class WebhookEndpoint:
    """Receives webhooks.

    Args:
        payments: who deals with them.
        secret: the webhook secret of the dashboard; None refuses all of them.
    """

    def __init__(self, payments: Payments, secret: str | None) -> None:
        self._payments = payments
        self._secret = secret

    async def receive(self, request: Request) -> Response:
        """Answer one request."""
        try:
            body = await read_body(request, MAX_EVENT_BYTES)
        except BodyTooLongError:
            return PlainTextResponse("an event has at most 1 MiB", 413, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        if self._secret is None:
            _logger.warning("a webhook was refused: TAZAPAY_WEBHOOK_SECRET is not set, so nobody can tell who sent it")
            return PlainTextResponse("webhooks are not configured here", 400)
        try:
            event = verify_webhook(body, signature_header(request.headers.raw), self._secret)
        except WebhookError as error:
            _logger.warning("a webhook was refused: %s", error)
            return PlainTextResponse("the event is damaged, or its signature is not of this secret", 400)
        store = self._payments.store
        if store.is_handled(event.id):
            return PlainTextResponse("dealt with before")
        try:
            done = await self._payments.heard_of(event)
        except LookFailedError as error:
            _logger.warning("webhook %s is put off: %s", event.id, error)
            return PlainTextResponse("please send it again", 500)
        if not done:
            return PlainTextResponse("the payment is not visible yet: please send it again", 409)
        store.handled(event.id, self._payments.now())  # only now: a crash before this line loses nothing
        return PlainTextResponse("dealt with")
