"""A reply is never taken for the answer to another request, and an error never repeats what a peer sent back."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from aiohttp import TCPConnector
from aiohttp.http_parser import HttpResponseParserPy

from tazapay_lightning import APIConnectionError, APIError, AsyncLightningClient, LightningClient
from tests.support.service import API_KEY, API_SECRET, Listener, read_request

Listen = Callable[[Callable[[socket.socket], None]], Listener]


def reply(invoice_id: str) -> bytes:
    body = json.dumps({"data": {"id": invoice_id, "amount": 5000}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Encrypted:
    """The server's side of a TLS connection whose records go out together, which a wrapped socket does not do."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._with_more_input(self._tls.do_handshake)

    def _with_more_input(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._connection.sendall(self._outgoing.read())
                received = self._connection.recv(65536)
                if not received:
                    return b""
                self._incoming.write(received)
            finally:
                self._connection.sendall(self._outgoing.read())

    def recv(self, most: int) -> bytes:
        received: bytes = self._with_more_input(lambda: self._tls.read(most))
        return received

    def send_in_records(self, *records: bytes) -> None:
        for record in records:
            self._tls.write(record)
        self._connection.sendall(self._outgoing.read())


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def ids_of_two(base_url: str, backend: Any) -> list[str]:
    async with AsyncLightningClient(API_KEY, API_SECRET, base_url=base_url, backend=backend) as client:
        return [(await client.create_invoice(amount_sats=5000)).id for _ in range(2)]


def ids_of_two_sync(base_url: str) -> list[str]:
    with LightningClient(API_KEY, API_SECRET, base_url=base_url) as client:
        return [client.create_invoice(amount_sats=5000).id for _ in range(2)]


WAYS: dict[str, Callable[[str], list[str]]] = {
    "sync": ids_of_two_sync,
    "async": lambda base_url: asyncio.run(ids_of_two(base_url, "httpx")),
    "aiohttp": lambda base_url: asyncio.run(ids_of_two(base_url, "aiohttp")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_second_reply_in_a_record_of_its_own_is_dropped(
    way: str, listen: Listen, certificate: ssl.SSLContext
) -> None:
    asked: list[bytes] = []

    def twice(connection: socket.socket) -> None:
        encrypted: Any = Encrypted(connection, certificate)
        while request := read_request(encrypted):
            asked.append(request)
            encrypted.send_in_records(reply(f"l11_{len(asked)}"), reply("l11_foreign"))

    server = listen(twice)
    assert WAYS[way](f"https://localhost:{server.port}") == ["l11_1", "l11_2"]


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_with_a_foreign_reply_is_closed_even_if_the_other_side_never_agrees(
    way: str, listen: Listen, certificate: ssl.SSLContext
) -> None:
    over = threading.Event()
    numbers = itertools.count(1)

    def twice(connection: socket.socket) -> None:
        encrypted: Any = Encrypted(connection, certificate)
        read_request(encrypted)
        encrypted.send_in_records(reply(f"l11_{next(numbers)}"), reply("l11_foreign"))
        over.wait(10)

    server = listen(twice)
    try:
        WAYS[way](f"https://localhost:{server.port}")
        gc.collect()  # an open socket would be a ResourceWarning, which is an error here
    finally:
        over.set()


FORKING = """
import os, re, sys
from tazapay_lightning import LightningClient
client = LightningClient("key", "secret", base_url=sys.argv[1], timeout=10, max_retries=0)
def ask(name):
    return client.create_invoice(amount_sats=5000, idempotency_key=name).id == f"l11_{name}"
assert ask("before")
child = os.fork()
mine = "parent" if child else "child"
good = all([ask(f"{mine}-{number}") for number in range(5)])
if not child:
    os._exit(0 if good else 1)
sys.exit(0 if good and os.waitpid(child, 0)[1] == 0 else 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_each_process_reads_its_own_replies(listen: Listen) -> None:
    both_have_asked = threading.Barrier(2, timeout=10)  # on two connections: one that both use never gets that far

    def answer(connection: socket.socket) -> None:
        while request := read_request(connection):
            named = re.search(rb"(?i)idempotency-key: (\S+)", request)
            assert named
            if named[1] != b"before":
                both_have_asked.wait()
            connection.sendall(reply(f"l11_{named[1].decode()}"))

    server = listen(answer)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING, f"http://127.0.0.1:{server.port}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("location", ["http:foo", "https::1", "mailto:a", "/" + "x" * 65_530])
def test_a_redirect_that_leads_nowhere_was_an_answer_also_to_a_clients_own_httpx(location: str, listen: Listen) -> None:
    def redirect(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 307 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

    base_url = f"http://127.0.0.1:{listen(redirect).port}"
    with (
        httpx.Client() as own,
        LightningClient(API_KEY, API_SECRET, base_url=base_url, http_client=own, max_retries=0) as client,
        pytest.raises(APIError) as caught,
    ):
        client.create_invoice(amount_sats=5000)
    assert caught.value.outcome_unknown


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_what_came_before_the_request_is_no_reply_to_it_and_the_request_is_not_sent(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bytes] = []

    def speak_first(connection: socket.socket) -> None:
        connection.sendall(reply("l11_foreign"))
        received.append(connection.recv(65536))

    connect: Any = TCPConnector.connect

    async def connect_and_hear(*given: object, **options: object) -> Any:
        connection = await connect(*given, **options)
        while not connection.protocol.should_close:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        return connection

    async def create(base_url: str) -> None:
        async with AsyncLightningClient(
            API_KEY, API_SECRET, base_url=base_url, backend="aiohttp", max_retries=0
        ) as client:
            await client.create_invoice(amount_sats=5000)

    monkeypatch.setattr(TCPConnector, "connect", connect_and_hear)
    with pytest.raises(APIConnectionError, match="spoke before it was asked") as caught:
        asyncio.run(create(f"http://127.0.0.1:{listen(speak_first).port}"))
    assert not caught.value.outcome_unknown
    assert not any(received)


def traceback_with_an_echo(way: str, listen: Listen, *before: bytes) -> str:
    """Return the traceback of a call whose authorization a peer sends back, after these other bytes."""

    def echo(connection: socket.socket) -> None:
        token = re.search(rb"(?i)authorization: (.*?)\r\n", read_request(connection))
        assert token
        for piece in before:
            connection.sendall(piece)
            time.sleep(0.05)  # apart from what follows
        connection.sendall(token[1] + b"\r\n\r\n")

    with pytest.raises(APIConnectionError) as caught:
        WAYS[way](f"http://127.0.0.1:{listen(echo).port}")
    return "".join(traceback.format_exception(caught.value))


def shows_credentials(shown: str) -> bool:
    token = httpx.BasicAuth(API_KEY, API_SECRET)._auth_header
    return token.partition(" ")[2] in shown or API_SECRET in shown


@pytest.mark.parametrize("way", WAYS)
def test_no_traceback_shows_credentials_that_a_peer_sends_back(way: str, listen: Listen) -> None:
    assert not shows_credentials(traceback_with_an_echo(way, listen))


def test_nor_does_one_of_aiohttp_where_it_runs_without_its_extensions(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.client_proto.HttpResponseParser", HttpResponseParserPy)
    assert not shows_credentials(traceback_with_an_echo("aiohttp", listen, CHUNKED))
