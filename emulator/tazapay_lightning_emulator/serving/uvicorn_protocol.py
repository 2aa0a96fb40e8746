"""HTTP/1.1 as uvicorn speaks it, with the connection laid open to the application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tazapay_lightning_emulator.serving.connections import EXTENSION, Connection, disable_nagle


class Protocol(H11Protocol):
    """One connection, without an access log; uvicorn's own switch for it would undo the logging of the whole process.

    Args:
        *args: as uvicorn has it.
        stopping: as for `Connection`.
        refuse: as for `Connection`.
        **kwargs: as uvicorn has it.
    """

    def __init__(
        self, *args: Any, stopping: asyncio.Event, refuse: Callable[[float], Awaitable[None]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self._stopping = stopping
        self._refuse = refuse
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let every request of this connection bring the connection along."""
        super().connection_made(transport)
        disable_nagle(transport)
        connection = self._connection = Connection(transport, self._stopping, self._refuse)
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: connection}
            await app(scope, receive, send)

        self.app = with_connection

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for the end."""
        super().connection_lost(exc)
        if self._connection is not None:
            self._connection.lost.set()

    def shutdown(self) -> None:
        """End soon, because the server stops; no test has to wait for a fault."""
        if self._connection is not None and self._connection.failing:
            self.transport.abort()
        else:
            self.retire()

    def retire(self) -> None:
        """Take no more requests: end at once, or when the reply that is under way is complete."""
        if not self.transport.is_closing():  # uvicorn takes it ill if the other side was faster
            super().shutdown()
