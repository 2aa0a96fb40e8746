"""Only the real service is spoken to: certificates are verified, and the environment's settings honoured."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from tazapay_lightning import APIConnectionError, AsyncLightningClient, Invoice, LightningClient
from tests.support.service import envelope, invoice_object, read_request

REPLY_BODY = envelope(invoice_object(amount=1))
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % len(REPLY_BODY)
) + REPLY_BODY


class Listener:
    """Handles each connection to a loopback port in a thread of its own."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._stopped = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._stopped:
                connection.close()
                return
            connection.settimeout(10)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            self._handle(connection)

    def stop(self) -> None:
        self._stopped = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket.socket], None]], Listener]]:
    listeners: list[Listener] = []

    def start(handle: Callable[[socket.socket], None]) -> Listener:
        listeners.append(Listener(handle))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stop()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def service(authority: trustme.CA, listen: Any) -> Callable[[str], Listener]:
    """A TLS server whose certificate is for the given host and signed by the authority."""

    def start(host: str) -> Listener:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)

        def handle(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                read_request(encrypted)
                encrypted.sendall(REPLY)

        server: Listener = listen(handle)
        return server

    return start


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority, trusted by way of the environment."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def distrusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another authority, trusted by way of the environment."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))


def create_sync(base_url: str) -> Invoice:
    with LightningClient("k", "s", base_url=base_url) as client:
        return client.create_invoice(amount_sats=1)


def create_async(base_url: str) -> Invoice:
    async def run() -> Invoice:
        async with AsyncLightningClient("k", "s", base_url=base_url) as client:
            return await client.create_invoice(amount_sats=1)

    return asyncio.run(run())


both = pytest.mark.parametrize("create", [create_sync, create_async])


@both
@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_a_trusted_authority_is_accepted(create: Any, service: Any) -> None:
    assert create(f"https://localhost:{service('localhost').port}").amount_sats == 1


@both
@pytest.mark.usefixtures("distrusted")
def test_a_certificate_of_an_unknown_authority_is_refused_and_nothing_sent(create: Any, service: Any) -> None:
    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        create(f"https://localhost:{service('localhost').port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)


@both
@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_host_is_refused_and_nothing_sent(create: Any, service: Any) -> None:
    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        create(f"https://localhost:{service('elsewhere.example').port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)


@both
@pytest.mark.usefixtures("trusted")
def test_a_proxy_of_the_environment_is_used_for_https(
    create: Any, service: Any, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = service("service.example")
    asked: list[bytes] = []

    def tunnel(connection: socket.socket) -> None:
        asked.append(connection.recv(65536).split(b"\r\n")[0])
        with socket.create_connection(("127.0.0.1", server.port)) as inner:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {connection: inner, inner: connection}
            while True:
                for ready in select.select(list(ends), [], [], 10)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    ends[ready].sendall(data)

    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listen(tunnel).port}")
    monkeypatch.setenv("NO_PROXY", "")
    assert create("https://service.example").amount_sats == 1
    assert asked == [b"CONNECT service.example:443 HTTP/1.1"]


@both
def test_a_refused_connection_is_known_to_have_sent_nothing(create: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(APIConnectionError) as caught:
        create(f"http://127.0.0.1:{port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 3)
    assert f"no complete reply from http://127.0.0.1:{port}" in str(caught.value)


@both
def test_a_server_that_speaks_no_http_is_a_connection_error(create: Any, listen: Any) -> None:
    def babble(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"220 mail.example ESMTP\r\n")

    with pytest.raises(APIConnectionError) as caught:
        create(f"http://127.0.0.1:{listen(babble).port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (True, 3)
