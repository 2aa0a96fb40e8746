"""Access of an application to its connection below HTTP, under the emulator's own server.

The server puts a `Connection` into the ASGI scope, under `extensions`; other servers do not.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

EXTENSION = "tazapay_lightning_emulator.connection"

_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, for 0 seconds


def disable_nagle(transport: asyncio.Transport) -> None:
    """Send each write at once, without waiting for the acknowledgement of the one before (TCP_NODELAY).

    Otherwise a reply takes 40 ms, the delay of acknowledgements, and a drip arrives in bursts. Asyncio sets the option
    itself, but not for connections of a listener from `socket.create_server`, which it does not recognise as TCP.
    """
    underlying: socket.socket | None = transport.get_extra_info("socket")
    if underlying is not None:
        with suppress(OSError):  # some systems raise it when the client has disconnected
            underlying.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class ServerStoppingError(Exception):
    """The server is stopping; a fault in progress ends."""


class Connection:
    """One client's connection.

    Args:
        transport: the server's.
        stopping: set when the server stops.
        refuse: makes the server refuse connections for some seconds.

    Attributes:
        is_not_waited_for: whether a stopping server ends the reply in progress: that of a fault, or one without an end.
        lost: set when the connection is closed.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        stopping: asyncio.Event,
        refuse: Callable[[float], Awaitable[None]],
    ) -> None:
        self.is_not_waited_for = False
        self.lost = asyncio.Event()
        self.refuse = refuse
        self._transport = transport
        self._stopping = stopping

    def write(self, data: bytes) -> None:
        """Send raw bytes, past the HTTP protocol, which knows nothing of them.

        In place of a reply, only `write`, `finish` and `reset` are possible after them.
        """
        self._transport.write(data)

    async def finish(self) -> None:
        """Send what was written, then FIN."""
        self._transport.close()
        await self.lost.wait()

    async def reset(self) -> None:
        """Send RST; what was written and not sent yet is discarded."""
        underlying: socket.socket | None = self._transport.get_extra_info("socket")
        if underlying is not None and not self._transport.is_closing():
            with suppress(OSError):  # the client has disconnected
                underlying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
        await self.lost.wait()

    async def pause(self, seconds: float) -> None:
        """Wait for so many seconds, even if the client disconnects.

        Raises:
            ServerStoppingError: the server stopped first.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise ServerStoppingError


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """The connection of a request; None under a server other than the emulator's own."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection
