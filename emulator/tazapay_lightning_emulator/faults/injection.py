"""Does faults to requests: an ASGI middleware around the application, which knows nothing of them.

What can be said in ASGI works under every server. What lies below HTTP goes to the connection, which only the
emulator's own server hands over; under another one such a fault is answered with 501, and nothing is carried out.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tazapay_lightning_emulator.api.replies import Code, Problem, error_body
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.faults.actions import BELOW_HTTP, IN_HTTP
from tazapay_lightning_emulator.faults.exchange import Exchange, OtherReply, buffer_request, record_commit
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tazapay_lightning_emulator.faults.replies import Reply
from tazapay_lightning_emulator.serving.connections import ServerStoppingError, connection_of

CONTROL_PATH = "/_emulator/"
"""Below it nothing is ever made to fail, so that an emulator can always be told to stop failing."""

OWN_SERVER_NEEDED = "only the emulator's own server can do this: running_emulator(), or serve()"


class FaultInjection:
    """The middleware.

    Args:
        app: what answers requests that nothing is done to.
        plan: what is to be done to which request.
        other_reply: finds the reply of another invoice.
        clock: tells the time for what a fault writes below HTTP, or asks for with a date.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan, other_reply: OtherReply, clock: Clock) -> None:
        self._app = app
        self._plan = plan
        self._other_reply = other_reply
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, send)
            return
        record = self._plan.arrived(scope["method"], scope["path"], _idempotency_key(scope))
        if record.fault is None:
            await self._app(scope, receive, record_commit(record, send))
            return
        connection = connection_of(scope)
        if connection is not None:
            connection.failing = True
        try:
            whole = await buffer_request(
                receive
            )  # a service fails when it has the request, and not while it still reads
            await _fail(
                Exchange(
                    self._app, scope, whole, send, record, record.fault, connection, self._other_reply, self._clock
                ),
            )
        finally:
            if connection is not None:
                connection.failing = False


async def _fail(exchange: Exchange) -> None:
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
