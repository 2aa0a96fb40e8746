"""Replies that bend or break HTTP: an invoice, or an error of ours, and the same one for each kind of connection."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any

import pytest

from tazapay_lightning import (
    APIConnectionError,
    APIError,
    APIStatusError,
    InvalidRequestError,
    Invoice,
    ServerError,
    UnexpectedResponseError,
)
from tests.journeys.test_secrets import TOKEN
from tests.support.clients import caller, create_kind, each_kind
from tests.support.service import API_KEY, API_SECRET, Listener
from tests.support.tables import each_row
from tests.support.wire import BODY, Recorder, close, reply
from tests.wrapper.transport.backends.test_environment import everything_shown

Listen = Callable[[Callable[[socket], None]], Listener]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE_CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SIZED = b"Content-Length: %d\r\n" % len(BODY)

GOOD = {
    "chunks": CHUNKED + ONE_CHUNK,
    "chunks with extensions and trailers": CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY),
    "HTTP/1.0, to the end of the connection": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "no length, to the end of the connection": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "100 before": b"HTTP/1.1 100 Continue\r\n\r\n" + reply(),
    "103 before": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(),
    "many interim replies": b"HTTP/1.1 102 Processing\r\n\r\n" * 200 + reply(),
    "a folded header": reply(BODY, b"X-A: 1\r\n  2"),
    "a header of 90 KB": reply(BODY, b"X-A: " + b"x" * 90_000),
    "120 headers": reply(BODY, *(b"X-%d: v" % number for number in range(120))),
    "headers twice": reply(BODY, b"X-A: 1", b"x-a: 2", b"Date: nonsense", b"Date: nonsense"),
    "headers beyond ASCII": reply(BODY, b"X-A: \xe9\xff caf\xc3\xa9"),
    "cookies that are none": reply(BODY, b"Set-Cookie: \xff=;;;==", b"Set-Cookie: a=b; expires=never"),
    "a content type that is none": reply(BODY, b"Content-Type: ;;;/;charset==\xff"),
    "no reason": reply(status=b"200"),
    "a reason beyond ASCII": reply(status=b"200 \xe9"),
    "line feeds alone": reply().replace(b"\r\n", b"\n"),
}
BROKEN = {
    "a chunk of no size": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk of another size": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "a longer body announced": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BODY) + 5) + BODY,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n" + SIZED + b"\r\n" + BODY,
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + BODY,
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n" + BODY,
    "a length of 26 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 26 + b"\r\n\r\n" + BODY,
    "a length of 5,000 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
    "a blank before a colon": reply(BODY, b"X-A : 1"),
    "no colon": reply(BODY, b"nonsense"),
    "no name": reply(BODY, b": x"),
    "a NUL": reply(BODY, b"X-A: \x00"),
    "a name that is none": reply(BODY, b"X\xe9(: a"),
    "a header of 200 KB": reply(BODY, b"X-A: " + b"x" * 200_000),
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a status of two digits": reply(status=b"99 x"),
    "a status of four digits": reply(status=b"1000 x"),
    "a status of letters": reply(status=b"abc x"),
}
# where one library is stricter than the other: each of these ends, and in an error of ours if not in an invoice
DIFFERENT = {
    "1,000 headers": reply(BODY, *(b"X-%d: v" % number for number in range(1000))),
    "3 MB of headers": reply(BODY, *(b"X-%d: %s" % (number, b"v" * 50_000) for number in range(60))),
    "chunks and a length": CHUNKED[:-2] + SIZED + b"\r\n" + ONE_CHUNK,
    "the same length twice": b"HTTP/1.1 200 OK\r\n" + 2 * SIZED + b"\r\n" + BODY,
    "a shorter body announced": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BODY) - 5) + BODY,
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + SIZED + b"\r\n" + BODY,
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + BODY,
    "204 with a body": reply(status=b"204 No Content"),
    "304 with a body": reply(status=b"304 Not Modified"),
    "a transfer encoding that nobody asked for": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + BODY,
    "status 000": reply(status=b"000 x"),
    "status 999": reply(status=b"999 x"),
    "a carriage return": reply(BODY, b"X-A: a\rb"),
}


def address(listener: Listener) -> str:
    return f"http://127.0.0.1:{listener.port}"


def named(table: dict[str, bytes]) -> Any:
    return each_row("raw", table.values(), ids=table.keys())


@each_kind
@named(GOOD)
def test_a_reply_that_bends_the_rules_gives_its_invoice(raw: bytes, kind: str, listen: Listen) -> None:
    server = Recorder(raw, then=close)
    assert create_kind(kind, address(listen(server)), max_retries=0).id == "l11_abc123xyz"


@each_kind
@named(BROKEN)
def test_a_reply_that_breaks_them_is_a_lost_connection(raw: bytes, kind: str, listen: Listen) -> None:
    server = Recorder(raw, then=close)
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(server)), max_retries=0)
    assert (len(server.requests), caught.value.outcome_unknown) == (1, True)
    assert len(str(caught.value)) < 700


@each_kind
@named(DIFFERENT)
def test_no_reply_ends_in_anything_undocumented_or_too_certain(raw: bytes, kind: str, listen: Listen) -> None:
    server = Recorder(raw, then=close)
    try:
        end: Invoice | APIError = create_kind(kind, address(listen(server)), max_retries=0)
    except APIError as error:
        end = error
    assert isinstance(end, Invoice) or (end.outcome_unknown and len(str(end)) < 700)
    assert isinstance(end, Invoice | APIConnectionError | ServerError | UnexpectedResponseError)
    assert len(server.requests) == 1


@each_kind
def test_headers_beyond_ascii_are_read_as_text_that_can_be_printed(kind: str, listen: Listen) -> None:
    raw = reply(b"{}", b"X-Latin: caf\xe9", b"X-Twice: 1", b"X-Twice: 2", status=b"400 Bad Request")
    with pytest.raises(InvalidRequestError) as caught:
        create_kind(kind, address(listen(Recorder(raw, then=close))))
    assert (caught.value.headers["x-latin"], caught.value.headers["x-twice"]) == ("café", "1, 2")
    repr(caught.value.headers).encode()


@each_kind
def test_utf_8_in_a_header_is_read_as_such(kind: str, listen: Listen) -> None:
    raw = reply(b"{}", "X-Name: Zoë".encode(), status=b"400 Bad Request")
    with pytest.raises(InvalidRequestError) as caught:
        create_kind(kind, address(listen(Recorder(raw, then=close))))
    assert caught.value.headers["x-name"] == "Zoë"


@each_kind
def test_a_cookie_is_not_sent_back_on_the_same_connection_either(kind: str, listen: Listen) -> None:
    server = Recorder(reply(BODY, b"Set-Cookie: session=1; Path=/"))
    by_name = f"http://localhost:{listen(server).port}"  # jars take no cookies from bare addresses
    with caller(kind, by_name) as call:
        for _ in range(2):
            call("create_invoice", amount_sats=1, idempotency_key="order-1")
    assert (len(server.requests), server.connections) == (2, 1)
    assert b"cookie" not in b"".join(server.requests).lower()


SHOWN = {
    "garbage": b"\x00\xff\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nX-Half: ",
    "half a body": reply()[:-20],
    "a header that is none": reply(BODY, b"nonsense"),
    "nothing": b"",
}


@each_kind
@named(SHOWN)
def test_neither_an_error_nor_its_causes_show_the_credentials_of_the_request(
    raw: bytes, kind: str, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(Recorder(raw, then=close))), max_retries=0)
    shown = everything_shown(caught.value) + caplog.text
    assert not [secret for secret in (API_KEY, API_SECRET, TOKEN) if secret in shown]


@each_kind
def test_a_head_that_repeats_the_credentials_is_not_quoted(kind: str, listen: Listen) -> None:
    raw = b"HTTP/1.1 200 OK\r\nno header: %s\x00\r\n\r\n" % TOKEN.encode()
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, address(listen(Recorder(raw, then=close))), max_retries=0)
    assert TOKEN not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))


@each_kind
@each_row("status", [401, 503])
def test_a_status_matters_more_than_a_body_that_breaks(status: int, kind: str, listen: Listen) -> None:
    raw = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n" % status
    with pytest.raises(APIError) as caught:
        create_kind(kind, address(listen(Recorder(raw, then=close))), max_retries=0)
    assert isinstance(caught.value, APIStatusError | APIConnectionError)
    if isinstance(caught.value, APIStatusError):
        assert caught.value.status_code == status
