"""Injects faults into requests: an ASGI middleware around the application.

Faults that ASGI can express work under every server. Faults below HTTP need the connection, which only the emulator's
own server passes on; under another one such a request gets status 501 and is not carried out.
"""

from __future__ import annotations

import time

from attrs import frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from tazapay_lightning_emulator.api.replies import Code, Problem, error_body
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.faults.actions import BELOW_HTTP, IN_HTTP
from tazapay_lightning_emulator.faults.exchange import (
    Exchange,
    OtherReply,
    buffer_request,
    record_commit,
    record_status,
)
from tazapay_lightning_emulator.faults.plan import FaultPlan, RequestRecord
from tazapay_lightning_emulator.faults.replies import Reply
from tazapay_lightning_emulator.serving.connections import ServerStoppingError, connection_of

CONTROL_PATH = "/_emulator/"
"""Requests below it get no faults, so that an emulator can always be told to stop failing."""

_OF_BROWSERS = {"/", "/favicon.ico"}  # neither is Tazapay's: somebody looks at the page, which must not use up a fault

OWN_SERVER_NEEDED = "only the emulator's own server can do this: running_emulator(), or serve()"


@frozen
class FaultInjection:
    """The middleware.

    Attributes:
        app: the application.
        plan: which request gets which fault.
        other_reply: finds the reply of another invoice.
        clock: gives the dates in replies that a fault writes.
    """

    app: ASGIApp
    plan: FaultPlan
    other_reply: OtherReply
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH) or scope["path"] in _OF_BROWSERS:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        record = self.plan.arrived(scope["method"], scope["path"], _idempotency_key(scope), self.clock.now())
        try:
            await self._answer(record, scope, receive, record_status(record, send))
        finally:
            self.plan.finished(record, seconds=time.perf_counter() - began)

    async def _answer(self, record: RequestRecord, scope: Scope, receive: Receive, send: Send) -> None:
        if record.fault is None:
            await self.app(scope, receive, record_commit(record, send))
            return
        connection = connection_of(scope)
        if connection is not None:
            connection.is_not_waited_for = True
        try:
            # a real service has received the whole request when it fails
            whole = await buffer_request(receive)
            await _inject(
                Exchange(self.app, scope, whole, send, record, record.fault, connection, self.other_reply, self.clock),
            )
        finally:
            if connection is not None:
                connection.is_not_waited_for = False


async def _inject(exchange: Exchange) -> None:
    fault, connection = exchange.fault, exchange.connection
    if not fault.is_below_http:
        action = IN_HTTP[fault.kind](exchange)
    elif connection is not None:
        action = BELOW_HTTP[fault.kind](exchange, connection)
    else:
        action = exchange.reply(_own_server_needed_reply())
    try:
        await action
    except ServerStoppingError:
        if connection is not None:
            await connection.reset()


def _own_server_needed_reply() -> Reply:
    problem = Problem(Code.INTERNAL, "the fault that was planned is not possible under this server", OWN_SERVER_NEEDED)
    return Reply.of(501, "application/json", error_body("not possible", [problem]))


def _idempotency_key(scope: Scope) -> str | None:
    keys = [value.decode("latin-1") for name, value in scope["headers"] if name == b"idempotency-key"]
    return keys[0] if len(keys) == 1 else None
