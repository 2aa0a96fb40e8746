"""Uvicorn's HTTP/1.1 protocol, which gives the application access to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tazapay_lightning_emulator.serving.connections import EXTENSION, Connection, disable_nagle


class Protocol(H11Protocol):
    """One connection, without an access log: uvicorn's setting for it would change the logging of the whole process.

    Args:
        *args: uvicorn's.
        stopping: as for `Connection`.
        refuse: as for `Connection`.
        **kwargs: uvicorn's.
    """

    def __init__(
        self, *args: Any, stopping: asyncio.Event, refuse: Callable[[float], Awaitable[None]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self._stopping = stopping
        self._refuse = refuse
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Put the connection into the scope of each of its requests."""
        super().connection_made(transport)
        disable_nagle(transport)
        connection = self._connection = Connection(transport, self._stopping, self._refuse)
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: connection}
            await app(scope, receive, send)

        self.app = with_connection

    def connection_lost(self, exc: Exception | None) -> None:
        """Set `Connection.lost`."""
        super().connection_lost(exc)
        if self._connection is not None:
            self._connection.lost.set()

    def shutdown(self) -> None:
        """Close because the server stops: at once if nobody waits for the reply in progress."""
        if self._connection is not None and self._connection.is_not_waited_for:
            self.transport.abort()
        else:
            self.retire()

    def retire(self) -> None:
        """Close now if idle, else after the reply in progress."""
        if not self.transport.is_closing():  # uvicorn raises if the client has closed it already
            super().shutdown()
