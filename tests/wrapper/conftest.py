"""Fixtures of the wrapper's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from socket import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.served import CallOverASocket, CreateOverASocket, HandlerServer
from tests.support.service import (
    CallMethod,
    Create,
    Listener,
    OneReplyServer,
    call_async,
    call_sync,
    create_async,
    create_sync,
)

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator


IN_MEMORY = ["sync", "async"]
OVER_A_SOCKET = ["sync-socket", "async-socket", "aiohttp"]


@pytest.fixture(scope="session")
def handler_server() -> Iterator[HandlerServer]:
    server = HandlerServer()
    yield server
    server.stop()


def creating(kind: str, server: HandlerServer) -> Create:
    if kind in IN_MEMORY:
        return create_sync if kind == "sync" else create_async
    return CreateOverASocket(kind.removesuffix("-socket"), server)


def calling(kind: str, server: HandlerServer) -> CallMethod:
    if kind in IN_MEMORY:
        return call_sync if kind == "sync" else call_async
    return CallOverASocket(kind.removesuffix("-socket"), server)


@pytest.fixture(params=IN_MEMORY)
def create(request: pytest.FixtureRequest, handler_server: HandlerServer) -> Create:
    """Each of the two clients, with an httpx client of the caller's: for what does not depend on the connections.

    Its handlers may raise. What a network does where such a handler raises is in test_broken_connections.
    """
    return creating(request.param, handler_server)


@pytest.fixture(params=OVER_A_SOCKET)
def create_over_a_socket(request: pytest.FixtureRequest, handler_server: HandlerServer) -> Create:
    """Each kind of connections of its own: for an example of what `create` tries in full."""
    return creating(request.param, handler_server)


@pytest.fixture(params=[*IN_MEMORY, *OVER_A_SOCKET])
def create_everywhere(request: pytest.FixtureRequest, handler_server: HandlerServer) -> Create:
    """Both of these: for what the connections have a part in."""
    return creating(request.param, handler_server)


@pytest.fixture(params=IN_MEMORY)
def call(request: pytest.FixtureRequest, handler_server: HandlerServer) -> CallMethod:
    """As `create`, with any method."""
    return calling(request.param, handler_server)


@pytest.fixture(params=[*IN_MEMORY, *OVER_A_SOCKET])
def call_everywhere(request: pytest.FixtureRequest, handler_server: HandlerServer) -> CallMethod:
    """As `create_everywhere`, with any method."""
    return calling(request.param, handler_server)


@pytest.fixture(autouse=True)
def no_credentials_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "API_SECRET", "ENVIRONMENT", "BASE_URL", "LOG", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"TAZAPAY_{name}", raising=False)


@pytest.fixture
def one_reply_server() -> Iterator[Callable[..., OneReplyServer]]:
    servers: list[OneReplyServer] = []

    def start(body: bytes, encoding: str = "identity") -> OneReplyServer:
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close"
        )
        servers.append(OneReplyServer(head.encode() + b"\r\n\r\n" + body))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket], None]], Listener]]:
    listeners: list[Listener] = []

    def start(handle: Callable[[socket], None]) -> Listener:
        listeners.append(Listener(handle))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stop()


@pytest.fixture
def emulator_of_the_environment(tazapay_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("TAZAPAY_API_KEY", tazapay_emulator.api_key)
    monkeypatch.setenv("TAZAPAY_API_SECRET", tazapay_emulator.api_secret)
    monkeypatch.setenv("TAZAPAY_BASE_URL", tazapay_emulator.base_url)
    return tazapay_emulator


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the half second before the first one; test_retries is about the waits."""
    monkeypatch.setattr("tazapay_lightning.transport.retries._FIRST_WAIT_SECONDS", 0.001)
