"""Serves handlers that play the service over a real socket, each at an address of its own."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from typing import Any

import httpx

from tazapay_lightning import Invoice
from tests.support.clients import call_kind
from tests.support.service import Handler, read_request

WITHOUT_BODY = {204, 304}


class HandlerServer:
    """One server for a whole session: to start one for each call would cost more than the calls.

    Connections are kept until the client closes them. What cannot go over a wire, an error that a handler raises, ends
    the connection and is raised where the handler was given.
    """

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port: int = self._socket.getsockname()[1]
        self._numbers = itertools.count(1)
        self._handlers: dict[str, Handler] = {}
        self._raised: dict[str, Exception] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def serving(self, handler: Handler) -> Iterator[str]:
        """Serve a handler within the block, at the address that is given to it."""
        name = str(next(self._numbers))
        self._handlers[name] = handler
        try:
            yield f"http://127.0.0.1:{self._port}/{name}"
        finally:
            del self._handlers[name]
            if name in self._raised:
                raise self._raised.pop(name)

    def stop(self) -> None:
        """Accept no connections any more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._socket.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            while raw := read_request(connection):
                head, _, body = raw.partition(b"\r\n\r\n")
                first, *lines = head.decode("ascii").split("\r\n")
                method, target, _ = first.split(" ")
                _, name, path = target.split("/", 2)
                headers = [tuple(line.split(": ", 1)) for line in lines]
                request = httpx.Request(method, f"http://127.0.0.1:{self._port}/{path}", headers=headers, content=body)
                try:
                    response = self._handlers[name](request)
                except Exception as error:  # noqa: BLE001 - raised again where the handler was given
                    self._raised[name] = error
                    return
                connection.sendall(_as_bytes(response))


def _as_bytes(response: httpx.Response) -> bytes:
    status = response.status_code
    assert isinstance(response.stream, httpx.SyncByteStream)
    body = b"" if status in WITHOUT_BODY else b"".join(response.stream)
    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    lines = [f"HTTP/1.1 {status} {phrase}".encode()]
    lines += [name + b": " + value for name, value in response.headers.raw if name.lower() != b"content-length"]
    if status not in WITHOUT_BODY:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class CallOverASocket:
    """Calls a method of one kind of client against a handler, over a real socket."""

    def __init__(self, kind: str, server: HandlerServer) -> None:
        self._kind = kind
        self._server = server

    def __call__(
        self, handler: Handler, method: str, *given: Any, client: dict[str, Any] | None = None, **arguments: Any
    ) -> Invoice:
        assert not {"base_url", "environment"} & set(client or {}), "the address is the server's"
        with self._server.serving(handler) as base_url:
            return call_kind(self._kind, base_url, method, *given, client=client, **arguments)


class CreateOverASocket:
    """Creates an invoice with one kind of client against a handler, over a real socket."""

    def __init__(self, kind: str, server: HandlerServer) -> None:
        self._call = CallOverASocket(kind, server)

    def __call__(self, handler: Handler, *, client: dict[str, Any] | None = None, **arguments: Any) -> Invoice:
        return self._call(handler, "create_invoice", client=client, **arguments)
