"""JSON responses, and the Date header of all responses."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate

from starlette.responses import Response
from starlette.types import Message, Send

from tazapay_lightning_emulator.api.replies import compact_json
from tazapay_lightning_emulator.clock import Clock


def json_response(status_code: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is JSON already."""
    return Response(body, status_code, headers, media_type="application/json")


def value_response(value: object) -> Response:
    """A response with a value as JSON; the control endpoints reply so."""
    return json_response(200, compact_json(value).encode())


def with_date(send: Send, clock: Clock, *, always: bool) -> Send:
    """Wrap `send` to add a Date header by this clock, from which a client computes how long an invoice is valid.

    Args:
        send: sends the messages of a response.
        clock: the emulator's.
        always: add it even if the clock is the machine's; other servers then send the same date themselves.
    """

    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start" and (always or not clock.is_the_machines):
            date = (b"date", formatdate(clock.now().timestamp(), usegmt=True).encode())
            message = {**message, "headers": [date, *message.get("headers", [])]}
        await send(message)

    return dated
