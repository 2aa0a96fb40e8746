"""What an application may do to its connection below HTTP, when the emulator's own server runs it.

The server puts a `Connection` into the ASGI scope, under `extensions`; no other server has one.
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

_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, for no seconds


def disable_nagle(transport: asyncio.Transport) -> None:
    """Send each write when it is made, instead of waiting for the client's word about the one before.

    Without it every reply takes 40 ms, the time by which systems put such words off, and a drip comes in gushes.
    Asyncio does the same by itself, but not for listeners that `socket.create_server` made: it takes them for no TCP.
    """
    underlying: socket.socket | None = transport.get_extra_info("socket")
    if underlying is not None:
        with suppress(OSError):  # some systems refuse it when the client has left already
            underlying.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class ServerStoppingError(Exception):
    """The server stops: what still waits is to be given up."""


class Connection:
    """One client's connection.

    Args:
        transport: what the server reads from and writes to.
        stopping: set when the server stops.
        refuse: makes the server refuse connections for some seconds.

    Attributes:
        failing: whether a fault is under way, which a stopping server does not wait for.
        lost: set when the connection is no more.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        stopping: asyncio.Event,
        refuse: Callable[[float], Awaitable[None]],
    ) -> None:
        self.failing = False
        self.lost = asyncio.Event()
        self.refuse = refuse
        self._transport = transport
        self._stopping = stopping

    def write(self, data: bytes) -> None:
        """Send these bytes as they are; HTTP has no part in it, so all that can follow is `finish` or `reset`."""
        self._transport.write(data)

    async def finish(self) -> None:
        """Send what was written, and then FIN."""
        self._transport.close()
        await self.lost.wait()

    async def reset(self) -> None:
        """Send RST, and nothing that was not sent before."""
        underlying: socket.socket | None = self._transport.get_extra_info("socket")
        if underlying is not None and not self._transport.is_closing():
            with suppress(OSError):  # as above
                underlying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
        await self.lost.wait()

    async def pause(self, seconds: float) -> None:
        """Wait, whether or not the client is still there.

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
    """The connection that a request came over; None under a server other than the emulator's own."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection
