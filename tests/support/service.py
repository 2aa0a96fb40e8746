"""A service to play against: both clients behind one function, replies as Tazapay shows them, a raw socket."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, Protocol

import httpx

from tazapay_lightning import AsyncLightningClient, Invoice, LightningClient

API_KEY, API_SECRET = "key-of-the-tests", "secret-of-the-tests"

Handler = Callable[[httpx.Request], httpx.Response]


class Create(Protocol):
    """Creates an invoice against a handler that plays the service."""

    def __call__(self, handler: Handler, *, client: dict[str, Any] | None = None, **arguments: Any) -> Invoice: ...


class CallMethod(Protocol):
    """Calls a method of one of the clients against a handler that plays the service."""

    def __call__(
        self, handler: Handler, method: str, *given: Any, client: dict[str, Any] | None = None, **arguments: Any
    ) -> Invoice: ...


def call_sync(
    handler: Handler, method: str, *given: Any, client: dict[str, Any] | None = None, **arguments: Any
) -> Invoice:
    with (
        httpx.Client(transport=httpx.MockTransport(handler)) as http_client,
        LightningClient(API_KEY, API_SECRET, http_client=http_client, **(client or {})) as lightning,
    ):
        invoice: Invoice = getattr(lightning, method)(*given, **arguments)
        return invoice


def call_async(
    handler: Handler, method: str, *given: Any, client: dict[str, Any] | None = None, **arguments: Any
) -> Invoice:
    async def run() -> Invoice:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http_client,
            AsyncLightningClient(API_KEY, API_SECRET, http_client=http_client, **(client or {})) as lightning,
        ):
            invoice: Invoice = await getattr(lightning, method)(*given, **arguments)
            return invoice

    return asyncio.run(run())


def create_sync(handler: Handler, *, client: dict[str, Any] | None = None, **arguments: Any) -> Invoice:
    return call_sync(handler, "create_invoice", client=client, **arguments)


def create_async(handler: Handler, *, client: dict[str, Any] | None = None, **arguments: Any) -> Invoice:
    return call_async(handler, "create_invoice", client=client, **arguments)


def invoice_object(**fields: Any) -> dict[str, Any]:
    """Return the object as Tazapay's page shows it, over 123456 satoshi."""
    shown = {
        "id": "l11_abc123xyz",
        "object": "lightning_invoice_bolt11",
        "amount": 123456,
        "collect": "col_98765",
        "expiry_interval": 3600,
        "metadata": {"order_id": "7890", "customer_id": "cust_456"},
        "status": "active",
        "payment_status": "unpaid",
        "created_at": "2025-09-28T08:15:30Z",
        "updated_at": "2025-09-28T08:20:45Z",
    }
    return {**shown, **fields}


def envelope(data: object, **fields: Any) -> bytes:
    return json.dumps({"status": "success", "message": "", "data": data, **fields}).encode()


class Answering:
    """A handler that always gives one reply, and keeps the requests."""

    def __init__(self, status: int = 200, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._reply = (status, envelope(invoice_object()) if body is None else body, headers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, body, headers = self._reply
        # as a stream: with `content=` httpx would undo the encoding here and not in the client
        return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


def read_request(connection: socket.socket) -> bytes:
    """Read one whole request; nothing if the other side closes before its end."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = sum(lengths)  # none: a request without a body
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


class OneReplyServer:
    """Accepts connections on loopback, keeps the bytes of each request, and sends the same bytes to each."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with closing(connection):
                connection.settimeout(10)
                request = read_request(connection)
                if not request:
                    return
                self.received.append(request)
                connection.sendall(self._reply)

    def stop(self) -> None:
        with closing(socket.create_connection(self._socket.getsockname())):
            pass  # an empty request ends the thread
        self._thread.join(10)
        self._socket.close()


class Listener:
    """Handles each connection to a loopback port in a thread of its own."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._stopped = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._stopped:
                connection.close()
                return
            connection.settimeout(10)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            self._handle(connection)

    def stop(self) -> None:
        self._stopped = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()
