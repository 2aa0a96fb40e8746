"""Fixtures of the wrapper's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from socket import socket
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture(params=[create_sync, create_async], ids=["sync", "async"])
def create(request: pytest.FixtureRequest) -> Create:
    """Each of the two clients in turn."""
    function: Create = request.param
    return function


@pytest.fixture(params=[call_sync, call_async], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> CallMethod:
    """Each of the two clients in turn, with any of their methods."""
    function: CallMethod = request.param
    return function


@pytest.fixture(autouse=True)
def no_credentials_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAZAPAY_API_KEY", "TAZAPAY_API_SECRET", "TAZAPAY_ENVIRONMENT", "TAZAPAY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


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
