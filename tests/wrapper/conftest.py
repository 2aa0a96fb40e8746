"""Fixtures of the wrapper's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.service import Create, OneReplyServer, create_async, create_sync


@pytest.fixture(params=[create_sync, create_async], ids=["sync", "async"])
def create(request: pytest.FixtureRequest) -> Create:
    """Each of the two clients in turn."""
    function: Create = request.param
    return function


@pytest.fixture(autouse=True)
def no_credentials_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAZAPAY_API_KEY", "TAZAPAY_API_SECRET", "TAZAPAY_ENVIRONMENT", "TAZAPAY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def one_reply_server() -> Iterator[Callable[[bytes], OneReplyServer]]:
    servers: list[OneReplyServer] = []

    def start(body: bytes) -> OneReplyServer:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
        servers.append(OneReplyServer(head.encode() + b"\r\n\r\n" + body))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
