"""A request that gets a fault, and the steps that faults consist of: carry it out, wait, reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress

from attrs import frozen
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tazapay_lightning_emulator.api.bodies import MAX_BODY_BYTES
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.faults.kinds import Fault
from tazapay_lightning_emulator.faults.plan import RequestRecord
from tazapay_lightning_emulator.faults.replies import Reply
from tazapay_lightning_emulator.serving.connections import Connection

OtherReply = Callable[[int, str], bytes | None]
"""Given an amount in satoshi and a method: the reply body to such a request for an invoice with another amount."""


@frozen
class Exchange:
    """A request and the means to answer it.

    Attributes:
        app: the application, which replies without the fault.
        scope: of the request.
        receive: returns the request, which has arrived as a whole, and later the disconnection of the client.
        send: sends the reply.
        record: the record of the request, whose `committed` and `status` are set here.
        fault: the fault to inject.
        connection: the client's; None under a server other than the emulator's own.
        other_reply: finds the reply of another invoice.
        clock: the emulator's.
    """

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    record: RequestRecord
    fault: Fault
    connection: Connection | None
    other_reply: OtherReply
    clock: Clock

    @property
    def epoch_seconds(self) -> float:
        """The time by the emulator's clock."""
        return self.clock.now().timestamp()

    async def forward(self) -> None:
        """Let the application reply."""
        await self.app(self.scope, self.receive, record_commit(self.record, self.send))

    async def carry_out(self) -> Reply:
        """Let the application handle the request, and return its reply without sending it."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, record_commit(self.record, keep))
        start, *rest = messages
        body = b"".join(message.get("body", b"") for message in rest)
        return Reply(start["status"], tuple((name, value) for name, value in start["headers"]), body)

    def head(self, reply: Reply) -> bytes:
        """The head of a reply, to be sent past the HTTP protocol."""
        self.record.status = reply.status
        return reply.head(self.epoch_seconds)

    async def reply(self, reply: Reply) -> None:
        """Send a whole reply."""
        await self.start(reply)
        await self.send({"type": "http.response.body", "body": reply.body})

    async def start(self, reply: Reply) -> None:
        """Send the head of a reply."""
        await self.send({"type": "http.response.start", "status": reply.status, "headers": list(reply.headers)})

    async def stream(self, reply: Reply, pieces: Iterable[bytes]) -> None:
        """Send these pieces as the body, no faster than the client reads, until it disconnects."""
        response = StreamingResponse(_yielding_to_others(pieces), reply.status)
        response.raw_headers = list(reply.without_length().headers)
        with suppress(ClientDisconnect):  # Starlette raises it if `send` fails
            await response(self.scope, self.receive, self.send)

    async def pause(self, seconds: float) -> None:
        """Wait for so many seconds.

        Raises:
            ServerStoppingError: the server stopped first.
        """
        await (asyncio.sleep(seconds) if self.connection is None else self.connection.pause(seconds))


def record_commit(record: RequestRecord, send: Send) -> Send:
    """Wrap `send` to set `committed` on the record first: whether the application carried the request out."""

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            record.committed = 200 <= message["status"] <= 299
        await send(message)

    return noted


def record_status(record: RequestRecord, send: Send) -> Send:
    """Wrap `send` to set `status` on the record: what the client is told, whatever the application replied."""

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            record.status = message["status"]
        await send(message)

    return noted


async def buffer_request(receive: Receive) -> Receive:
    """Read the request, and return a `receive` that returns it again.

    A body over `MAX_BODY_BYTES` is read no further, since the application refuses it there.
    """
    body = bytearray()
    more = True
    while more and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
    waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": more}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _yielding_to_others(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        if piece:
            yield piece
        await asyncio.sleep(0)  # lets other requests run, even if this client reads without pause
