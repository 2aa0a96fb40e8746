"""Servers that misbehave below HTTP, and keep what they got: the truth that a client's errors are compared with."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

from tests.support.service import envelope, invoice_object, read_request

BODY = envelope(invoice_object(amount=1))

Behave = Callable[[socket.socket], None]


def reply(body: bytes = BODY, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a reply with a length and these further lines in its head."""
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """End a connection as a crash or a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def close(connection: socket.socket) -> None:
    """End a connection in good order."""
    connection.shutdown(socket.SHUT_RDWR)


class Recorder:
    """Reads requests, keeps them, and answers each with the same bytes, or in another way."""

    def __init__(self, *answer: bytes, then: Behave | None = None) -> None:
        self._answer = answer
        self._then = then
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        """Serve one connection."""
        self.connections += 1
        while request := read_request(connection):
            self.requests.append(request)
            for piece in self._answer:
                connection.sendall(piece)
            if self._then is not None:
                self._then(connection)
                return

    def hang(self, connection: socket.socket) -> None:
        """Say nothing, until the test is over."""
        self.stopped.wait(30)

    @property
    def methods(self) -> list[bytes]:
        """The methods of the requests, as they stood on the wire."""
        return [request.partition(b" ")[0] for request in self.requests]
