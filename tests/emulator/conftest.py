from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import attrs
import httpx
import pytest
from starlette.applications import Starlette

from tazapay_lightning_emulator import DEFAULT_API_KEY, DEFAULT_API_SECRET, Emulator, running_emulator
from tests.support.emulator_receiver import Receiver, receiving
from tests.support.plain_http import NO_TLS

INVOICES = "/v3/lightning_invoice_bolt11"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    """Sends over a real socket, with the emulator's credentials."""
    auth = (emulator.api_key, emulator.api_secret)
    with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as connected:
        yield connected


@pytest.fixture
def post(client: httpx.Client) -> Callable[..., httpx.Response]:
    """POST to the one operation; a mapping goes as JSON, everything else as httpx takes it."""

    def send(json: Any = None, **kwargs: Any) -> httpx.Response:
        return client.post(INVOICES, **({"json": json} if json is not None else {}), **kwargs)

    return send


@pytest.fixture
def create(post: Callable[..., httpx.Response]) -> Callable[..., dict[str, Any]]:
    """Create an invoice with these fields, and return it as it was replied."""

    def created(**fields: Any) -> dict[str, Any]:
        reply = post({"amount": 21, **fields})
        assert reply.status_code == 200
        invoice: dict[str, Any] = reply.json()["data"]
        return invoice

    return created


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def told(emulator: Emulator, receiver: Receiver) -> Emulator:
    """An emulator that sends its webhooks to the receiver."""
    emulator.send_webhooks_to(receiver.url)
    return emulator


@attrs.frozen
class Received:
    """What a connection brought until it ended, and how it ended: in "FIN" or in "RST"."""

    data: bytes
    end: str

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    def header(self, name: str) -> str | None:
        lines = self.head.decode().splitlines()[1:]
        values = [value for key, _, value in (line.partition(": ") for line in lines) if key.lower() == name]
        return values[0] if values else None


class RawClient:
    """A client without any HTTP library, which would hide what really comes."""

    def __init__(self, emulator: Emulator, stack: ExitStack) -> None:
        self._url = httpx.URL(emulator.base_url)
        self._token = b64encode(f"{emulator.api_key}:{emulator.api_secret}".encode()).decode()
        self._stack = stack

    def connect(self) -> socket.socket:
        address = (self._url.host, self._url.port or 0)
        return self._stack.enter_context(socket.create_connection(address, timeout=30))

    def send(
        self,
        connection: socket.socket,
        key: str | None = None,
        amount: int = 1,
        *,
        last: bool = True,
        cut: int | None = None,
    ) -> None:
        """Ask for an invoice.

        `last` also asks the server to close the connection after its reply; with `cut`, no more than so many bytes of
        the body are sent.
        """
        body = json.dumps({"amount": amount}).encode()
        lines = [
            f"POST {INVOICES} HTTP/1.1",
            "Host: emulator",
            f"Authorization: Basic {self._token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *([f"Idempotency-Key: {key}"] if key else []),
            *(["Connection: close"] if last else []),
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:cut])

    def receive(self, connection: socket.socket) -> Received:
        """Everything until the connection ends."""
        data = bytearray()
        try:
            while piece := connection.recv(65_536):
                data += piece
        except ConnectionResetError:
            return Received(bytes(data), "RST")
        return Received(bytes(data), "FIN")

    def create(self, key: str | None = None, amount: int = 1) -> Received:
        connection = self.connect()
        self.send(connection, key, amount)
        return self.receive(connection)


@pytest.fixture
def raw(emulator: Emulator) -> Iterator[RawClient]:
    with ExitStack() as stack:
        yield RawClient(emulator, stack)


@pytest.fixture
def call_app() -> Callable[..., httpx.Response]:
    """One request to an application without a server, for what no server lets one arrange."""

    def call(app: Starlette, method: str = "POST", path: str = INVOICES, **kwargs: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as connected:
                kwargs.setdefault("auth", (DEFAULT_API_KEY, DEFAULT_API_SECRET))
                return await connected.request(method, path, **kwargs)

        return asyncio.run(send())

    return call
