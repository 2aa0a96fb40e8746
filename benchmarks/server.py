"""The service that every client of the benchmarks talks to: one process, a raw protocol, replies of constant cost.

    python -m benchmarks.server [CERTIFICATE]

It prints the port that it listens on, and a second one for https if it is given a file with a certificate and its key,
and ends when its standard input does. What a path begins with decides on the reply to a POST, so that one server
serves all: ``/v1/`` gets an object of Stripe, anything else a Lightning invoice; ``/requested/`` gets one with a
payment request in it, another each time, ``/slow/`` waits for 50 ms, as a service far away does, and ``/bulk/`` gives
the invoice of each idempotency key an id of its own.
The amount of the reply is the amount that was asked for. A GET tells how many requests were answered and what they
cost this process, so that a report can show that the server was not what was measured.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import socket
import ssl
import sys
import time
from itertools import cycle
from typing import Any, cast

from benchmarks.payload import AMOUNT, MEMO, invoice_id, invoice_reply, stripe_reply
from tazapay_lightning_emulator.invoices.bolt11_encoding import encode

__all__ = ["SLOW_SECONDS", "Protocol", "Replies", "main"]

SLOW_SECONDS = 0.05
REQUESTS = 500  # different payment requests, in turn: no client is to profit from having read one before
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_NO_KEY = "-" * 20
_KEY = re.compile(rb"\r\nidempotency-key: *[!-~]*([!-~]{20})\r\n", re.IGNORECASE)
_AMOUNT = re.compile(rb'amount"?[:=] ?(\d{6})\b')


class Replies:
    """Whole replies, made once; only the amount, of six digits, is put in."""

    def __init__(self) -> None:
        self.answered = 0
        self._stripe = cycle([_parts(stripe_reply(AMOUNT))])
        self._requested = cycle([_parts(_with_request(number)) for number in range(REQUESTS)])
        self._usual = cycle([_parts(invoice_reply(AMOUNT))])
        self._named = _parts(invoice_reply(AMOUNT, invoice_id(_NO_KEY)))

    def to(self, head: bytes, body: bytes) -> bytes:
        """Return the reply to a request.

        Example:
            >>> reply = Replies().to(b"POST / HTTP/1.1", b'{"amount":654321}')
            >>> b'"amount": 654321' in reply
            True
        """
        if head.startswith(b"GET "):
            return _whole({"answered": self.answered, "cpu_seconds": time.process_time()})
        self.answered += 1
        if head.startswith(b"POST /v1/"):
            before, after = next(self._stripe)
        elif head.startswith(b"POST /bulk/"):
            before, after = self._named
            before = before.replace(_NO_KEY.encode(), _KEY.findall(head)[0])
        else:
            before, after = next(self._requested if head.startswith(b"POST /requested/") else self._usual)
        found = _AMOUNT.search(body)
        return before + (found.group(1) if found else b"0") + after


class Protocol(asyncio.Protocol):
    """One connection: as little of HTTP/1.1 as kept connections with one request at a time need."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; a reply must not wait for the acknowledgement of another."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without deriving from it
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        received = self._received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        head, body = received[: end + 2], received[end + 4 :]
        length = _LENGTH.search(head)
        if length is not None and len(body) < int(length.group(1)):
            return
        self._received = b""
        reply = self._replies.to(head, body)
        if head.startswith(b"POST /slow/"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._transport.write, reply)
        else:
            self._transport.write(reply)


def _parts(reply: object) -> tuple[bytes, bytes]:
    before, after = _whole(reply).split(b'"amount": %d' % AMOUNT)
    return before + b'"amount": ', after


def _whole(reply: object) -> bytes:
    body = json.dumps(reply).encode()
    return (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 28 Sep 2025 08:15:30 GMT\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (len(body), body)
    )


def _with_request(number: int) -> dict[str, Any]:
    reply = invoice_reply(AMOUNT)
    reply["data"]["payment_request"] = encode(
        amount_sats=AMOUNT,
        timestamp=1759047330,
        expiry=3600,
        payment_hash=number.to_bytes(32),
        payment_secret=bytes(32),
        description=MEMO,
        description_hash=None,
        sign=lambda digest: bytes(65),
    )
    return reply


async def serve(certificate: str | None) -> None:
    """Listen until standard input ends."""
    loop = asyncio.get_running_loop()
    replies = Replies()
    ports = []
    for encryption in [None] if certificate is None else [None, _encryption(certificate)]:
        server = await loop.create_server(lambda: Protocol(replies), "127.0.0.1", 0, backlog=1024, ssl=encryption)
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)


def _encryption(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def main() -> None:
    """Serve with uvloop, where there is one."""
    certificate = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        asyncio.run(serve(certificate))
    else:
        uvloop.run(serve(certificate))


if __name__ == "__main__":
    main()
