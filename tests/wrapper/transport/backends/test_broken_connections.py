"""Whatever breaks on the way: an error that says that nothing was sent is compared with what the server got.

Each test plays the network over real sockets, for every kind of connections that a client has of its own.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from typing import Any

import pytest
import trustme

from tazapay_lightning import APIConnectionError, APITimeoutError, Invoice
from tests.support.clients import KINDS, async_client, call_kind, caller, create_kind, each_kind
from tests.support.service import Listener, envelope, invoice_object, read_request
from tests.support.tables import each_row
from tests.support.wire import BODY, Behave, Recorder, close, reply, reset

Listen = Callable[[Callable[[socket.socket], None]], Listener]
ID = "l11_abc123xyz"
OPERATIONS: list[tuple[str, tuple[str, ...], dict[str, Any], bytes]] = [
    ("create_invoice", (), {"amount_sats": 1, "idempotency_key": "order-1"}, b"POST"),
    ("get_invoice", (ID,), {}, b"GET"),
    ("update_invoice", (ID,), {"metadata": {"a": "b"}}, b"PUT"),
]
each_operation = each_row(("method", "given", "arguments", "verb"), OPERATIONS, ids=[row[0] for row in OPERATIONS])
GOOD = reply()
BREAKS: dict[str, tuple[bytes, Behave]] = {
    "closes": (b"", close),
    "resets": (b"", reset),
    "answers garbage": (b"\x00\xff\x00\xff\r\n\r\n", close),
    "answers as a mail server": (b"220 mail.example ESMTP\r\n", close),
    "answers in HTTP/0.9": (BODY, close),
    "closes within the head": (GOOD[:30], close),
    "resets within the head": (GOOD[:30], reset),
    "closes after the head": (GOOD[: -len(BODY)], close),
    "closes within the body": (GOOD[:-20], close),
    "resets within the body": (GOOD[:-20], reset),
    "closes within a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n{" % len(BODY), close),
    "closes before the last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", close),
    "announces a reply and closes": (b"HTTP/1.1 100 Continue\r\n\r\n", close),
}
each_break = each_row(("answer", "then"), BREAKS.values(), ids=BREAKS.keys())
HANGS = {
    "says nothing": b"",
    "stops within the head": GOOD[:30],
    "stops within the body": GOOD[:-20],
    "stops after an interim reply": b"HTTP/1.1 100 Continue\r\n\r\n",
}


def hello_then(connection: socket.socket, behave: Behave) -> None:
    connection.recv(65536)
    behave(connection)


def address(listener: Listener, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{listener.port}"


@each_kind
@each_break
def test_after_a_whole_request_a_broken_reply_leaves_the_outcome_unknown(
    answer: bytes, then: Behave, kind: str, listen: Listen
) -> None:
    server = Recorder(answer, then=then)
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(server)), max_retries=0)
    assert (server.methods, caught.value.nothing_sent, caught.value.outcome_unknown) == ([b"POST"], False, True)
    assert caught.value.__cause__ is not None
    assert len(str(caught.value)) < 700


# each break with one kind of connections, in turn: that all of them see the break is the test above
@pytest.mark.usefixtures("quick_retries")
@each_row(
    ("kind", "answer", "then"),
    [
        pytest.param(kind, *broken, id=f"{kind}-{name}")
        for (name, broken), kind in zip(BREAKS.items(), cycle(KINDS), strict=False)
    ],
)
def test_a_call_whose_reply_broke_is_made_again_with_the_same_key(
    kind: str, answer: bytes, then: Behave, listen: Listen
) -> None:
    server = Recorder(answer, then=then)

    def break_once(connection: socket.socket) -> None:
        (server if not server.requests else again)(connection)

    again = Recorder(GOOD)
    invoice = create_kind(kind, address(listen(break_once)))
    (first,), (second,) = server.requests, again.requests
    assert first == second
    assert f"Idempotency-Key: {invoice.idempotency_key}".encode() in first


@each_kind
@each_row("answer", HANGS.values(), ids=HANGS.keys())
def test_after_a_whole_request_a_reply_that_does_not_come_leaves_the_outcome_unknown(
    answer: bytes, kind: str, listen: Listen
) -> None:
    server = Recorder(answer, then=lambda connection: server.hang(connection))
    listener = listen(server)
    try:
        with pytest.raises(APITimeoutError) as caught:
            create_kind(kind, address(listener), max_retries=0, timeout=0.2)
        assert (server.methods, caught.value.outcome_unknown) == ([b"POST"], True)
    finally:
        server.stopped.set()


@each_kind
@each_operation
@each_row("how", [close, reset])
@each_row("answered", [False, True], ids=["the first request", "a kept connection"])
def test_without_retries_each_operation_is_one_request(
    answered: bool,
    how: Behave,
    method: str,
    given: tuple[str, ...],
    arguments: dict[str, Any],
    verb: bytes,
    kind: str,
    listen: Listen,
) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        if answered and not requests:
            requests.append(read_request(connection))
            connection.sendall(GOOD)
        if request := read_request(connection):
            requests.append(request)
            how(connection)

    with caller(kind, address(listen(serve)), max_retries=0) as call:
        if answered:
            call(method, *given, **arguments)
        with pytest.raises(APIConnectionError) as caught:
            call(method, *given, **arguments)
    assert [request.partition(b" ")[0] for request in requests] == [verb] * (2 if answered else 1)
    assert caught.value.outcome_unknown == (verb == b"POST")
    assert caught.value.attempts == 1


@each_kind
@each_operation
def test_a_kept_connection_that_was_closed_in_between_costs_no_attempt(
    method: str, given: tuple[str, ...], arguments: dict[str, Any], verb: bytes, kind: str, listen: Listen
) -> None:
    closed = threading.Event()
    server = Recorder(GOOD, then=lambda connection: (close(connection), closed.set())[0])
    with caller(kind, address(listen(server)), max_retries=0) as call:
        for _ in range(3):
            call(method, *given, **arguments)
            assert closed.wait(10)
            closed.clear()
            time.sleep(0.02)  # the end of the connection has to come through the kernel
    assert server.methods == [verb] * 3
    assert server.connections == 3


@each_kind
def test_when_the_service_has_gone_since_the_last_call_nothing_was_sent(kind: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve_one() -> None:
            with server.accept()[0] as connection:
                read_request(connection)
                connection.sendall(GOOD)
                server.close()

        serving = threading.Thread(target=serve_one)
        serving.start()
        with caller(kind, f"http://127.0.0.1:{server.getsockname()[1]}", max_retries=0) as call:
            call("create_invoice", amount_sats=1)
            serving.join(10)
            time.sleep(0.02)  # the end of the connection has to come through the kernel
            with pytest.raises(APIConnectionError) as caught:
                call("create_invoice", amount_sats=1)
    assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (True, False)


@pytest.mark.parametrize("seconds", [0.0, 0.05], ids=["while the event loop stood still", "while the event loop ran"])
def test_aiohttp_too_takes_no_unasked_reply_whenever_it_came(seconds: float, listen: Listen) -> None:
    said = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD)
        if not said.is_set():
            time.sleep(0.02)  # apart from the reply
            connection.sendall(ANOTHER)
            said.set()
            read_request(connection)

    async def run(base_url: str) -> str:
        async with async_client("aiohttp", base_url, max_retries=0) as client:
            await client.create_invoice(amount_sats=1, idempotency_key="order-1")
            said.wait(10)
            time.sleep(0.02)  # noqa: ASYNC251 - blocks the event loop on purpose
            await asyncio.sleep(seconds)
            return (await client.create_invoice(amount_sats=1, idempotency_key="order-1")).id

    assert asyncio.run(run(address(listen(serve)))) == ID


ANOTHER = reply(envelope(invoice_object(amount=1, id="l11_of_another_order")))
UNASKED = {
    "a whole second reply at once": (GOOD + ANOTHER, b""),
    "a whole second reply later": (GOOD, ANOTHER),
    "half of one at once": (GOOD + ANOTHER[:50], b""),
    "half of one later": (GOOD, ANOTHER[:50]),
    "more of a body than was said": (GOOD + b"}", b""),
}


@each_kind
@each_row(("at_once", "later"), UNASKED.values(), ids=UNASKED.keys())
def test_what_a_server_sends_unasked_is_no_reply(at_once: bytes, later: bytes, kind: str, listen: Listen) -> None:
    said = threading.Event()

    def serve(connection: socket.socket) -> None:
        if not read_request(connection):
            return
        if said.is_set():
            connection.sendall(GOOD)
            return
        connection.sendall(at_once)
        if later:
            time.sleep(0.05)
            connection.sendall(later)
        said.set()
        if read_request(connection):  # the next request came on the same connection: the order gets what is lying there
            connection.sendall(ANOTHER[50:])

    with caller(kind, address(listen(serve)), max_retries=0, timeout=5) as call:
        first = outcome(call)
        assert said.wait(10)
        time.sleep(0.02)  # what was said has to come through the kernel
        second = outcome(call)
    assert second == ID
    assert first in {ID, "lost"}


def outcome(call: Any) -> str:
    try:
        invoice: Invoice = call("create_invoice", amount_sats=1, idempotency_key="order-1")
    except APIConnectionError as error:
        return "lost" if error.outcome_unknown else "not sent"
    return invoice.id


# Before anything was sent


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "service.example").configure_cert(context)
    return context


@each_kind
@pytest.mark.usefixtures("tls")
@each_row("how", [close, reset])
def test_a_connection_that_breaks_while_tls_is_agreed_has_sent_nothing(how: Behave, kind: str, listen: Listen) -> None:
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(lambda connection: hello_then(connection, how)), "https"), max_retries=0)
    assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (True, False)


@each_kind
@pytest.mark.usefixtures("tls")
def test_tls_that_is_never_agreed_on_has_sent_nothing(kind: str, listen: Listen) -> None:
    over = threading.Event()
    listener = listen(lambda connection: hello_then(connection, lambda _: (over.wait(30), None)[1]))
    try:
        with pytest.raises(APITimeoutError) as caught:
            create_kind(kind, address(listener, "https"), max_retries=0, timeout=0.5)
        assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (True, False)
    finally:
        over.set()


@each_kind
def test_a_name_that_is_not_found_has_sent_nothing(kind: str) -> None:
    with pytest.raises(APIConnectionError, match="the name of the host was not found") as caught:
        create_kind(kind, "https://nowhere.invalid", max_retries=0)
    assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (True, False)


def plain_text(encrypted: ssl.SSLSocket) -> None:
    """Go on below TLS: to the client its next record makes no sense."""
    with socket.socket(fileno=encrypted.detach()) as raw:
        raw.sendall(b"this is no TLS record" * 10)


BREAKS_IN_TLS: dict[str, Callable[[ssl.SSLSocket], None]] = {
    "closes": lambda encrypted: encrypted.shutdown(socket.SHUT_RDWR),
    "resets": lambda encrypted: reset(encrypted),
    "goes on in plain text": plain_text,
    "closes within the body": lambda encrypted: encrypted.sendall(GOOD[:-20]),
}


@each_kind
@each_row("then", BREAKS_IN_TLS.values(), ids=BREAKS_IN_TLS.keys())
def test_a_break_within_tls_leaves_the_outcome_unknown(
    then: Callable[[ssl.SSLSocket], None], kind: str, listen: Listen, tls: ssl.SSLContext
) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as encrypted:
            requests.append(read_request(encrypted))
            then(encrypted)

    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(serve), "https", "localhost"), max_retries=0)
    assert len(requests) == 1
    assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (False, True)


REFUSALS = {
    "refuses": (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", close),
    "does not reach the service": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", close),
    "breaks the tunnel": (b"HTTP/1.1 200 OK\r\n\r\n", close),
    # within the handshake: the ssl module of CPython 3.11 leaves a socket open that was reset just before
    "resets the tunnel": (b"HTTP/1.1 200 OK\r\n\r\n", lambda connection: hello_then(connection, reset)),
}


@each_kind
@each_row(("answer", "then"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_proxy_without_a_way_to_the_service_has_sent_nothing(
    answer: bytes, then: Behave, kind: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Recorder(answer, then=then)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxys-secret@127.0.0.1:{listen(proxy).port}")
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, "https://service.example", max_retries=0)
    assert (proxy.methods, caught.value.nothing_sent, caught.value.outcome_unknown) == ([b"CONNECT"], True, False)


@each_kind
@each_row("answer", [b"", b"\x00\xff\r\n\r\n"], ids=["nothing", "garbage"])
def test_a_proxy_that_is_none_never_makes_more_certain_than_it_is(
    answer: bytes, kind: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Recorder(answer, then=close)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listen(proxy).port}")
    with pytest.raises(APIConnectionError):
        create_kind(kind, "https://service.example", max_retries=0)
    assert proxy.methods == [b"CONNECT"]


@each_kind
def test_a_proxy_that_breaks_after_the_request_leaves_the_outcome_unknown(
    kind: str, listen: Listen, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []

    def tunnel(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with tls.wrap_socket(connection, server_side=True) as service:
            requests.append(read_request(service))
            reset(service)

    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listen(tunnel).port}")
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, "https://service.example", max_retries=0)
    assert len(requests) == 1
    assert (caught.value.nothing_sent, caught.value.outcome_unknown) == (False, True)


@pytest.mark.usefixtures("quick_retries")
@each_kind
def test_a_refused_connection_during_a_fetch_is_tried_again(kind: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(APIConnectionError) as caught:
        call_kind(kind, f"http://127.0.0.1:{port}", "get_invoice", ID, client={"max_retries": 1})
    assert (caught.value.attempts, caught.value.nothing_sent) == (2, True)
