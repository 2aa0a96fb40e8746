"""Only the real service is spoken to: certificates are verified, and the environment's settings honoured."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme

from tazapay_lightning import APIConnectionError, APITimeoutError
from tests.support.clients import create_kind, each_kind
from tests.support.service import Listener, envelope, invoice_object, read_request

REPLY_BODY = envelope(invoice_object(amount=1))
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % len(REPLY_BODY)
) + REPLY_BODY


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


@each_kind
@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_a_trusted_authority_is_accepted(kind: str, service: Any) -> None:
    assert create_kind(kind, f"https://localhost:{service('localhost').port}").amount_sats == 1


@each_kind
@pytest.mark.usefixtures("distrusted")
def test_a_certificate_of_an_unknown_authority_is_refused_and_nothing_sent(kind: str, service: Any) -> None:
    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        create_kind(kind, f"https://localhost:{service('localhost').port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)


@each_kind
@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_host_is_refused_and_nothing_sent(kind: str, service: Any) -> None:
    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        create_kind(kind, f"https://localhost:{service('elsewhere.example').port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)


@each_kind
@pytest.mark.usefixtures("trusted")
def test_a_proxy_of_the_environment_is_used_for_https(
    kind: str, service: Any, listen: Any, monkeypatch: pytest.MonkeyPatch
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
    assert create_kind(kind, "https://service.example").amount_sats == 1
    assert asked == [b"CONNECT service.example:443 HTTP/1.1"]


@each_kind
@pytest.mark.usefixtures("trusted")
def test_tls_that_is_not_agreed_on_behind_a_slow_proxy_is_known_to_have_sent_nothing(
    kind: str, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def tunnel_to_nowhere(connection: socket.socket) -> None:
        connection.recv(65536)
        over.wait(0.6)  # the two waits together are longer than an attempt, neither of them is by itself
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        over.wait(30)

    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listen(tunnel_to_nowhere).port}")
    monkeypatch.setenv("NO_PROXY", "")
    try:
        with pytest.raises(APITimeoutError) as caught:
            create_kind(kind, "https://service.example", max_retries=0, timeout=1)
        assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (True, False)
    finally:
        over.set()


@each_kind
def test_a_refused_connection_is_known_to_have_sent_nothing(kind: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, f"http://127.0.0.1:{port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 3)
    assert f"no complete reply from http://127.0.0.1:{port}" in str(caught.value)
    assert "nothing listens there: check base_url" in str(caught.value)


@each_kind
def test_https_to_a_server_that_speaks_http_says_so(kind: str, listen: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(APIConnectionError, match="an emulator on this machine is spoken to by http://"):
        create_kind(kind, f"https://127.0.0.1:{listen(answer).port}")


@each_kind
def test_a_server_that_speaks_no_http_is_a_connection_error(kind: str, listen: Any) -> None:
    def babble(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"220 mail.example ESMTP\r\n")

    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, f"http://127.0.0.1:{listen(babble).port}")
    assert (caught.value.outcome_unknown, caught.value.attempts) == (True, 3)
