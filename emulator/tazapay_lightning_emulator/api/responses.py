"""Replies that are JSON, and the date that all of them carry."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate

from starlette.responses import Response
from starlette.types import Message, Send

from tazapay_lightning_emulator.api.replies import compact_json
from tazapay_lightning_emulator.clock import Clock


def json_response(status_code: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A reply whose body is JSON already."""
    return Response(body, status_code, headers, media_type="application/json")


def value_response(value: object) -> Response:
    """A reply that shows a value; how endpoints of control answer."""
    return json_response(200, compact_json(value).encode())


def with_date_header(send: Send, clock: Clock, *, always: bool) -> Send:
    """`send`, that puts a Date header by this clock on the reply: a client measures by it how long an invoice lives.

    Unless `always`, it is put there only when the clock is not the machine's, which every server tells by itself.
    """

    async def with_date(message: Message) -> None:
        if message["type"] == "http.response.start" and (always or not clock.is_the_machines):
            date = (b"date", http_date(clock).encode())
            message = {**message, "headers": [date, *message.get("headers", [])]}
        await send(message)

    return with_date


def http_date(clock: Clock) -> str:
    """The time by this clock as HTTP writes it.

    Example:
        >>> from datetime import UTC, datetime
        >>> http_date(Clock(lambda: datetime(2026, 3, 1, 12, tzinfo=UTC)))
        'Sun, 01 Mar 2026 12:00:00 GMT'
    """
    return formatdate(clock.now().timestamp(), usegmt=True)
