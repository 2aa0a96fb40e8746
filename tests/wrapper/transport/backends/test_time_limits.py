"""Nothing waits for ever: servers on real sockets that would keep a client waiting for minutes."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from tazapay_lightning import APITimeoutError, AuthenticationError, PermissionDeniedError
from tests.support.clients import caller, create_kind, each_kind
from tests.support.service import read_request

FAR_TOO_LONG = 30.0  # seconds; a client that waited would need more than that


class SlowServer:
    """Reads a request, sends `pieces` with a pause after each, and keeps the connection until it is stopped."""

    def __init__(self, head: bytes, pieces: int, pause: float) -> None:
        self._plan = (head, pieces, pause)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests = 0

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self.requests += 1
            thread = threading.Thread(target=self._answer, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        head, pieces, pause = self._plan
        with closing(connection), suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            for _ in range(pieces):
                if self._stopped.wait(pause):
                    return
                connection.sendall(b" ")
            self._stopped.wait(2 * FAR_TOO_LONG)

    def stop(self) -> None:
        self._stopped.set()
        socket.create_connection(self._socket.getsockname()).close()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


SLOW = {
    "says nothing": (b"", 0, 0.0),
    "stops after the head": (HEAD, 0, 0.0),
    "drips its body": (HEAD, 10_000, 0.02),
    "drips its head": (b"HTTP/1.1 200 OK\r\nX-Slow: ", 10_000, 0.02),
}


@pytest.fixture(params=SLOW.values(), ids=SLOW.keys())
def slow_server(request: pytest.FixtureRequest) -> Iterator[SlowServer]:
    server = SlowServer(*request.param)
    yield server
    server.stop()


# an attempt ends at its timeout or at the deadline, whichever is first: with one of them every slow server is tried
by_one_server = pytest.mark.parametrize("slow_server", [SLOW["drips its body"]], ids=["drips its body"], indirect=True)


@each_kind
def test_an_attempt_ends_at_its_timeout(kind: str, slow_server: SlowServer) -> None:
    began = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        create_kind(kind, slow_server.base_url, timeout=0.3, max_retries=0)
    assert time.monotonic() - began < FAR_TOO_LONG
    assert (caught.value.outcome_unknown, caught.value.attempts) == (True, 1)


@each_kind
@by_one_server
def test_a_call_ends_at_its_deadline_whatever_its_timeout_and_retries(kind: str, slow_server: SlowServer) -> None:
    began = time.monotonic()
    with pytest.raises(APITimeoutError):
        create_kind(kind, slow_server.base_url, timeout=60, deadline=0.3, max_retries=20)
    assert time.monotonic() - began < FAR_TOO_LONG
    assert slow_server.requests == 1


@by_one_server
def test_an_attempt_that_timed_out_is_tried_again_while_the_deadline_allows(slow_server: SlowServer) -> None:
    with pytest.raises(APITimeoutError) as caught:
        create_kind("sync", slow_server.base_url, timeout=0.1, max_retries=1)
    assert caught.value.attempts == slow_server.requests == 2


@each_kind
@pytest.mark.parametrize("pieces", [0, 10_000], ids=["stalls", "drips"])
def test_a_refusal_whose_body_does_not_come_is_a_refusal_all_the_same(kind: str, pieces: int) -> None:
    server = SlowServer(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000000\r\n\r\n", pieces, 0.02)
    try:
        with pytest.raises(AuthenticationError) as caught:
            create_kind(kind, server.base_url, timeout=0.3)
        assert (caught.value.outcome_unknown, caught.value.attempts) == (False, 1)
    finally:
        server.stop()


@each_kind
def test_an_error_whose_body_breaks_off_is_still_the_error_of_its_status(kind: str, listen: Any) -> None:
    def break_off(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n{}")

    with pytest.raises(PermissionDeniedError) as caught:
        create_kind(kind, f"http://127.0.0.1:{listen(break_off).port}")
    assert (caught.value.body, caught.value.attempts) == ("{}", 1)


Behave = Callable[[Any], None]


class SlowPeer:
    """The ways in which a peer takes its time before it has a whole request: each ends when the client hangs up."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)

    def reads_slowly(self, connection: Any) -> None:
        for _ in range(200):  # two seconds
            connection.recv(512)
            time.sleep(0.01)

    def says_nothing(self, connection: Any) -> None:
        while connection.recv(65536):
            pass

    def drips_its_handshake(self, connection: Any) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0")  # the head of a long ServerHello
        self._drip(connection)

    def encrypted(self, then: Behave) -> Behave:
        def speak_tls(connection: Any) -> None:
            with self._context.wrap_socket(connection, server_side=True) as within:
                then(within)

        return speak_tls

    def as_a_proxy(self, then: Behave) -> Behave:
        def proxy(connection: Any) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            then(connection)

        return proxy

    def as_a_proxy_that_drips(self, connection: Any) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drip(connection)

    def as_a_proxy_that_drips_for_a_while(self, connection: Any) -> None:
        connection.recv(65536)
        for byte in b"HTTP/1.1 200 OK\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
        self.says_nothing(connection)

    def _drip(self, connection: Any) -> None:
        while True:
            connection.sendall(b"a")
            time.sleep(0.02)


MAYBE, SURELY_NOT = True, False
SLOW_PEERS: dict[str, tuple[str, bool, Callable[[SlowPeer], Behave]]] = {
    "reads slowly": ("http", MAYBE, lambda peer: peer.reads_slowly),
    "reads slowly within TLS": ("https", MAYBE, lambda peer: peer.encrypted(peer.reads_slowly)),
    "stalls its handshake": ("https", SURELY_NOT, lambda peer: peer.says_nothing),
    "drips its handshake": ("https", SURELY_NOT, lambda peer: peer.drips_its_handshake),
    "a proxy that drips": ("http proxy", SURELY_NOT, lambda peer: peer.as_a_proxy_that_drips),
    "a proxy that drips, then a stalled handshake": (
        "http proxy",
        SURELY_NOT,
        lambda peer: peer.as_a_proxy_that_drips_for_a_while,
    ),
    "a handshake that drips in a tunnel": (
        "http proxy",
        SURELY_NOT,
        lambda peer: peer.as_a_proxy(peer.drips_its_handshake),
    ),
    "reads slowly in a tunnel": ("http proxy", MAYBE, lambda peer: peer.as_a_proxy(peer.encrypted(peer.reads_slowly))),
    "a proxy within TLS that drips": (
        "https proxy",
        SURELY_NOT,
        lambda peer: peer.encrypted(peer.as_a_proxy_that_drips),
    ),
    "a proxy within TLS that says nothing": ("https proxy", SURELY_NOT, lambda peer: peer.encrypted(peer.says_nothing)),
    "a handshake that drips in a tunnel within TLS": (
        "https proxy",
        SURELY_NOT,
        lambda peer: peer.encrypted(peer.as_a_proxy(peer.drips_its_handshake)),
    ),
}


LONG = {"note": "x" * 4_000_000}  # more than the kernel takes at once


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@each_kind
@pytest.mark.parametrize(("address", "outcome", "behave"), SLOW_PEERS.values(), ids=SLOW_PEERS.keys())
def test_a_call_ends_at_its_deadline_however_slowly_its_request_is_taken(
    address: str,
    outcome: bool,
    behave: Callable[[SlowPeer], Behave],
    kind: str,
    listen: Any,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    base_url = f"{address}://localhost:{listen(behave(SlowPeer(authority.issue_cert('localhost')))).port}"
    if address.endswith("proxy"):
        monkeypatch.setenv("HTTPS_PROXY", base_url.replace(" proxy", ""))
        base_url = "https://localhost:9"
    with caller(kind, base_url, deadline=0.5) as call:  # certificates are loaded here
        began = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            call("create_invoice", amount_sats=1, metadata=LONG)
        took = time.monotonic() - began
    assert took < 3  # with the time to encode the metadata, on a busy machine
    assert caught.value.outcome_unknown == outcome
    gc.collect()  # what is left open is told here, and not in another test


@pytest.fixture
def unanswered() -> Iterator[int]:
    """A port that no connection to is ever answered, at three addresses of this machine: its queues are full."""
    with ExitStack() as opened:
        port = 0
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            full = opened.enter_context(socket.socket())
            full.bind((address, port))
            full.listen(0)
            port = full.getsockname()[1]
            for _ in range(4):
                waiting = opened.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((address, port))
        yield port


def naming(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the name `several.test` stand for these addresses."""
    look_up = socket.getaddrinfo

    def looked_up(host: Any, port: Any, *given: Any, **options: Any) -> Any:
        names = addresses if host in {"several.test", b"several.test"} else [host]
        return [found for name in names for found in look_up(name, port, *given, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


@each_kind
def test_no_number_of_addresses_that_do_not_answer_outlasts_a_deadline(
    kind: str, unanswered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(monkeypatch, "127.0.0.1", "127.0.0.2", "127.0.0.3")
    monkeypatch.setenv("TAZAPAY_ALLOW_HTTP", "1")
    with caller(kind, f"http://several.test:{unanswered}", deadline=1) as call:
        began = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            call("create_invoice", amount_sats=1)
        took = time.monotonic() - began
    assert took < 2
    assert not caught.value.outcome_unknown


@each_kind
def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    kind: str, unanswered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(monkeypatch, "127.0.0.1", "127.0.0.4")
    monkeypatch.setenv("TAZAPAY_ALLOW_HTTP", "1")
    with socket.create_server(("127.0.0.4", unanswered)) as server, ThreadPoolExecutor(1) as threads:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                read_request(connection)
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}")

        answered = threads.submit(answer)
        with pytest.raises(PermissionDeniedError):
            create_kind(kind, f"http://several.test:{unanswered}", deadline=3)
        answered.result(10)
