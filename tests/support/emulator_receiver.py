"""A receiver of webhooks on a loopback port, that replies as a test wishes and keeps what it got."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

from tazapay_lightning_emulator import Emulator, WebhookDelivery


@attrs.frozen
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class Receiver:
    """Replies these statuses in turn, and then 200 for ever; a status of 0 is a connection that ends without a reply.

    `hold`, if it is set, keeps every reply back until `release` is set.
    """

    url: str
    statuses: list[int] = attrs.field(factory=list)
    location: str = ""
    got: list[Got] = attrs.field(factory=list)
    hold: bool = False
    arrived: threading.Event = attrs.field(factory=threading.Event)
    release: threading.Event = attrs.field(factory=threading.Event)


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Got(self.path, headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.arrived.set()
            if receiver.hold:
                receiver.release.wait(timeout=30)
            if status:
                self.send_response(status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks?shop=1", list(statuses))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.release.set()
            server.shutdown()
            thread.join()


def pay(emulator: Emulator, create: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A new invoice, paid; the arguments are the fixtures of these names."""
    return emulator.pay(create()["id"])


def statuses_of(delivery: WebhookDelivery) -> list[int | None]:
    return [attempt.status for attempt in delivery.attempts]
