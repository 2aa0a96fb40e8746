"""Whatever comes back ends in an invoice or in one documented error, and in the same one for both clients."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from itertools import cycle
from socket import socket
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tazapay_lightning import (
    APIError,
    APIStatusError,
    AuthenticationError,
    InvalidRequestError,
    Invoice,
    InvoiceMismatchError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestFailedError,
    ServerError,
    TazapayError,
    UnexpectedResponseError,
)
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.retries import seconds_to_wait
from tazapay_lightning.transport.service_errors import status_error
from tests.support.clients import KINDS, create_kind, each_kind
from tests.support.served import CreateOverASocket, HandlerServer
from tests.support.service import (
    Answering,
    Create,
    create_async,
    create_sync,
    envelope,
    invoice_object,
    read_request,
)
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH

HTML = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"
ERROR = json.dumps(
    {"status": "error", "message": "what went wrong", "errors": [{"code": 104, "message": "m", "remarks": "r"}]}
).encode()
MAYBE, SURELY_NOT = True, False
OBJECT = invoice_object()
TEXT = json.dumps(OBJECT)


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in OBJECT.items() if name not in names}


INVOICES = {
    "200 with data as an object": Reply(200, envelope(OBJECT)),
    "200 with data as text": Reply(200, envelope(TEXT)),
    "200 with data encoded twice": Reply(200, envelope(json.dumps(TEXT))),
    "200 without an envelope": Reply(200, TEXT.encode()),
    "200 without an envelope, data null": Reply(200, json.dumps({**OBJECT, "data": None}).encode()),
    "200 without status and message": Reply(200, json.dumps({"data": OBJECT}).encode()),
    "200 with null status and message": Reply(200, envelope(OBJECT, status=None, message=None)),
    "200 with an unknown status word": Reply(200, envelope(OBJECT, status="ok")),
    "200 with a number for a status": Reply(200, envelope(OBJECT, status=1)),
    "201": Reply(201, envelope(OBJECT)),
    "202": Reply(202, envelope(OBJECT)),
    "299": Reply(299, envelope(OBJECT)),
    "unknown fields in the envelope": Reply(200, envelope(OBJECT, trace={"id": 1}, errors=[])),
    "unknown fields in the data": Reply(200, envelope({**OBJECT, "payment_request": "x", "nested": [{}]})),
    "unknown enum values": Reply(200, envelope({**OBJECT, "status": "paused", "payment_status": "partial"})),
    "only the essentials": Reply(200, envelope({"id": "l11_1", "amount": 123456})),
    "all but the essentials null": Reply(200, envelope({**dict.fromkeys(OBJECT), "id": "l11_1", "amount": 123456})),
    "all but the essentials of a wrong type": Reply(
        200, envelope({**{name: [{}] for name in (*OBJECT, "d_tag_memo", "h_tag")}, "id": "l11_1", "amount": 123456})
    ),
    "dates that do not exist": Reply(
        200, envelope({**OBJECT, "created_at": "2025-02-30T00:00:00Z", "updated_at": "now"})
    ),
    "an expiry after the end of time": Reply(200, envelope({**OBJECT, "expiry_interval": 10**18})),
    "metadata as text": Reply(200, envelope({**OBJECT, "metadata": '{"order_id":"7890"}'})),
    "metadata that is no JSON": Reply(200, envelope({**OBJECT, "metadata": "{"})),
    "metadata as a list": Reply(200, envelope({**OBJECT, "metadata": [1]})),
    "the amount as digits": Reply(200, envelope({**OBJECT, "amount": "123456"})),
    "the amount as a float without a fraction": Reply(200, envelope({**OBJECT, "amount": 123456.0})),
    "a byte order mark": Reply(200, b"\xef\xbb\xbf" + envelope(OBJECT)),
    "UTF-16": Reply(200, envelope(OBJECT).decode().encode("utf-16")),
    "JSON called HTML": Reply(200, envelope(OBJECT), {"Content-Type": "text/html; charset=latin-1"}),
    "an unknown charset": Reply(200, envelope(OBJECT), {"Content-Type": "application/json; charset=klingon"}),
    "gzip": Reply(200, gzip.compress(envelope(OBJECT)), {"Content-Encoding": "gzip"}),
    "GZIP by its old name": Reply(200, gzip.compress(envelope(OBJECT)), {"Content-Encoding": " X-GZIP"}),
    "gzip in two members": Reply(
        200, gzip.compress(envelope(OBJECT)[:9]) + gzip.compress(envelope(OBJECT)[9:]), {"Content-Encoding": "gzip"}
    ),
    "encoded as it should not be": Reply(200, envelope(OBJECT), {"Content-Encoding": "br"}),
    "encoded as it is": Reply(200, envelope(OBJECT), {"Content-Encoding": "identity"}),
    "half of a surrogate pair": Reply(200, rb'{"data":{"id":"l11_1","amount":123456,"d_tag_memo":"\ud800"}}'),
}
OTHER_AMOUNTS = {
    "another amount": Reply(200, envelope({**OBJECT, "amount": 12345600})),
    "an amount of nothing": Reply(200, envelope({**OBJECT, "amount": 0})),
    "one satoshi less": Reply(200, envelope({**OBJECT, "amount": 123455})),
}
UNREADABLE = {
    "200 empty": Reply(200, b""),
    "200 blank": Reply(200, b" \n"),
    "204": Reply(204, b""),
    "205": Reply(205, b""),
    "200 HTML": Reply(200, HTML),
    "200 plain text": Reply(200, b"OK"),
    "200 null": Reply(200, b"null"),
    "200 list": Reply(200, b"[]"),
    "200 list of invoices": Reply(200, json.dumps([OBJECT]).encode()),
    "200 number": Reply(200, b"1"),
    "200 boolean": Reply(200, b"true"),
    "200 text": Reply(200, b'"text"'),
    "200 empty object": Reply(200, b"{}"),
    "200 truncated": Reply(200, envelope(OBJECT)[:-10]),
    "200 two documents": Reply(200, envelope(OBJECT) * 2),
    "200 not UTF-8": Reply(200, b'{"data":"\xff\xfe\xfd"}'),
    "200 NaN": Reply(200, b'{"data":{"id":"l11_1","amount":NaN}}'),
    "200 infinite": Reply(200, b'{"data":{"id":"l11_1","amount":1e999}}'),
    "200 a number of 5000 digits": Reply(200, b'{"data":{"id":"l11_1","amount":' + b"9" * 5000 + b"}}"),
    "200 nested without end": Reply(200, b"[" * 200_000),
    "200 nested within data": Reply(200, b'{"data":' + b'{"a":' * 200_000),
    "200 undecodable compression": Reply(200, b"not gzip", {"Content-Encoding": "gzip"}),
    "200 compression that is not undone": Reply(200, zlib.compress(envelope(OBJECT)), {"Content-Encoding": "deflate"}),
    "200 two compressions": Reply(200, gzip.compress(envelope(OBJECT)), {"Content-Encoding": "gzip, gzip"}),
    "200 deflate that is none": Reply(200, b"not deflate", {"Content-Encoding": "deflate"}),
    "200 a decompression bomb": Reply(200, gzip.compress(bytes(100_000_000)), {"Content-Encoding": "gzip"}),
    "200 truncated compression": Reply(200, gzip.compress(envelope(OBJECT))[:-20], {"Content-Encoding": "gzip"}),
    "data null": Reply(200, envelope(None)),
    "data absent": Reply(200, b'{"status":"success","message":""}'),
    "data an empty object": Reply(200, envelope({})),
    "data a list": Reply(200, envelope([OBJECT])),
    "data a number": Reply(200, envelope(1)),
    "data false": Reply(200, envelope(False)),
    "data empty text": Reply(200, envelope("")),
    "data text that is no JSON": Reply(200, envelope("l11_1")),
    "data text of null": Reply(200, envelope("null")),
    "data encoded three times": Reply(200, envelope(json.dumps(json.dumps(TEXT)))),
    "id missing": Reply(200, envelope(without("id"))),
    "id null": Reply(200, envelope({**OBJECT, "id": None})),
    "id empty": Reply(200, envelope({**OBJECT, "id": ""})),
    "id a number": Reply(200, envelope({**OBJECT, "id": 7})),
    "amount missing": Reply(200, envelope(without("amount"))),
    "amount missing without an envelope": Reply(200, json.dumps(without("amount")).encode()),
    "amount null": Reply(200, envelope({**OBJECT, "amount": None})),
    "amount in BTC": Reply(200, envelope({**OBJECT, "amount": "0.00123456"})),
    "amount a fraction": Reply(200, envelope({**OBJECT, "amount": 123456.5})),
    "amount a float of BTC": Reply(200, envelope({**OBJECT, "amount": 0.00123456})),
    "amount true": Reply(200, envelope({**OBJECT, "amount": True})),
    "amount negative": Reply(200, envelope({**OBJECT, "amount": -123456})),
    "amount an object": Reply(200, envelope({**OBJECT, "amount": {"value": 123456}})),
    "amount beyond all bitcoin": Reply(200, envelope({**OBJECT, "amount": 10**17})),
    "amount in other digits": Reply(200, envelope({**OBJECT, "amount": "１２３４５６"})),
}
FAILED = {
    "200 with the documented error": Reply(200, ERROR),
    **{
        f"200 {word}": Reply(200, json.dumps({"status": word}).encode())
        for word in ("failure", "fail", "Failed", "ERROR")
    },
    "201 error": Reply(201, ERROR),
    "200 errors and nothing else": Reply(200, b'{"errors":[{"code":100}]}'),
    "200 error nested too deeply": Reply(
        200, b'{"status":"error","errors":[{"remarks":' + b"[" * 600 + b"]" * 600 + b"}]}"
    ),
}
FAILED_WITH_DATA = {
    "200 error with an id": Reply(200, b'{"status":"error","id":"req_1"}'),
    "200 failure with data": Reply(200, envelope(OBJECT, status="FAILED")),
    "200 failure with data as text": Reply(200, envelope(TEXT, status="fail")),
    "200 error beside an amount": Reply(
        200, json.dumps({**OBJECT, "status": "error", "errors": [{"code": 1}]}).encode()
    ),
}
STATUSES = {
    **{
        status: (kind, outcome)
        for kind, outcome, statuses in (
            (AuthenticationError, SURELY_NOT, [401]),
            (PermissionDeniedError, SURELY_NOT, [403]),
            (NotFoundError, SURELY_NOT, [404]),
            (RateLimitError, SURELY_NOT, [429]),
            (InvalidRequestError, SURELY_NOT, [400, 402, 405, 406, 409, 410, 413, 418, 422, 451, 499]),
            (InvalidRequestError, MAYBE, [408]),
            (ServerError, MAYBE, [300, 301, 302, 303, 304, 307, 308, 399, 500, 501, 502, 503, 504, 520, 525, 599]),
        )
        for status in statuses
    }
}
ERROR_BODIES = {
    "the documented error": ERROR,
    "HTML": HTML,
    "nothing": b"",
    "truncated JSON": ERROR[:-9],
    "null": b"null",
    "a list": b"[1]",
    "a number": b"1",
    "an empty object": b"{}",
    "another shape": b'{"error":{"code":"E1"},"message":["x"],"errors":{"code":1}}',
    "a mixed list of errors": b'{"errors":[null,1,"x",{"code":"0105","message":null},{"code":[]}],"message":null}',
    "an invoice": envelope(OBJECT),
    "not UTF-8": b"\xff\xfe\xfd",
    "nested deeply": b'{"errors":[{"remarks":' + b"[" * 600 + b"]" * 600 + b"}]}",
    "nested too deeply": b'{"errors":[{"remarks":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "a code that is no number": b'{"errors":[{"code":true},{"code":"x1"},{"code":1.5}]}',
    "half of a surrogate pair": rb'{"message":"\ud800"}',
}
ONCE = {"max_retries": 0}


def named(table: dict[str, Reply]) -> Any:
    return each_row("reply", table.values(), ids=table.keys())


# What a reply means is read by functions that all clients share, so each reply is tried with one of them. That it means
# the same to the other is a test below, and so is a table of samples over sockets.


@named(INVOICES)
def test_a_reply_that_holds_an_invoice_gives_it(reply: Reply) -> None:
    check_invoice(reply, create_sync)


@named(OTHER_AMOUNTS)
def test_another_amount_than_was_asked_for_is_a_mismatch(reply: Reply) -> None:
    check_mismatch(reply, create_sync)


@named(UNREADABLE)
def test_a_2xx_that_cannot_be_read_leaves_the_outcome_unknown(reply: Reply) -> None:
    check_unreadable(reply, create_sync)


@named(FAILED)
def test_a_2xx_that_says_it_failed_is_a_failed_request(reply: Reply) -> None:
    check_failed(reply, create_sync, outcome=SURELY_NOT)


@named(FAILED_WITH_DATA)
def test_a_2xx_that_says_it_failed_but_brings_data_leaves_the_outcome_unknown(reply: Reply) -> None:
    check_failed(reply, create_sync, outcome=MAYBE)


@each_row(("status", "expected"), STATUSES.items())
def test_every_other_status_has_its_error(status: int, expected: tuple[type[APIStatusError], bool]) -> None:
    check_status(status, expected, ERROR, create_sync)


@each_row("body", ERROR_BODIES.values(), ids=ERROR_BODIES.keys())
@each_row("status", [400, 500])
def test_it_has_it_whatever_the_body_is(status: int, body: bytes) -> None:
    check_status(status, STATUSES[status], body, create_sync)


@settings(deadline=None)
@given(status=st.sampled_from(list(STATUSES)), body=st.binary())
def test_the_kind_of_an_error_depends_on_the_status_alone(status: int, body: bytes) -> None:
    error = status_error(status, {}, body, Redaction())
    assert (type(error), error.status_code) == (STATUSES[status][0], status)


# Over sockets each reply is tried with one kind of connections, in turn: with all three each kind of reply is.


def over_a_socket(*tables: Mapping[str, Any]) -> Any:
    rows = [(name, row) for table in tables for name, row in table.items()]
    return each_row(
        ("kind", "row"),
        [pytest.param(kind, row, id=f"{kind}-{name}") for (name, row), kind in zip(rows, cycle(KINDS), strict=False)],
    )


@over_a_socket(INVOICES)
def test_over_a_socket_too_a_reply_that_holds_an_invoice_gives_it(
    kind: str, row: Reply, handler_server: HandlerServer
) -> None:
    check_invoice(row, CreateOverASocket(kind, handler_server))


@over_a_socket(UNREADABLE)
def test_over_a_socket_too_a_2xx_that_cannot_be_read_leaves_the_outcome_unknown(
    kind: str, row: Reply, handler_server: HandlerServer
) -> None:
    check_unreadable(row, CreateOverASocket(kind, handler_server))


@over_a_socket(OTHER_AMOUNTS)
def test_over_a_socket_too_another_amount_is_a_mismatch(kind: str, row: Reply, handler_server: HandlerServer) -> None:
    check_mismatch(row, CreateOverASocket(kind, handler_server))


@over_a_socket(FAILED)
def test_over_a_socket_too_a_2xx_that_says_it_failed_is_a_failed_request(
    kind: str, row: Reply, handler_server: HandlerServer
) -> None:
    check_failed(row, CreateOverASocket(kind, handler_server), outcome=SURELY_NOT)


@over_a_socket(
    {str(row[0]): (*row, body) for row, body in zip(STATUSES.items(), cycle(ERROR_BODIES.values()), strict=False)}
)
def test_over_a_socket_too_every_other_status_has_its_error(
    kind: str, row: tuple[int, tuple[type[APIStatusError], bool], bytes], handler_server: HandlerServer
) -> None:
    check_status(*row, CreateOverASocket(kind, handler_server))


def check_invoice(reply: Reply, create: Create) -> None:
    invoice = create(Answering(*reply), amount_sats=123456)
    assert isinstance(invoice, Invoice)
    assert invoice.amount_sats == 123456
    assert invoice.id.startswith("l11_")
    json.dumps(invoice.to_dict())


def check_mismatch(reply: Reply, create: Create) -> None:
    with pytest.raises(InvoiceMismatchError) as caught:
        create(Answering(*reply), client=ONCE, amount_sats=123456)
    assert caught.value.invoice is not None
    assert caught.value.differences[0].asked == 123456


def check_unreadable(reply: Reply, create: Create) -> None:
    handler = Answering(*reply)
    with pytest.raises(UnexpectedResponseError) as caught:
        create(handler, amount_sats=123456, idempotency_key="order-7890")
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (True, "order-7890")
    assert (caught.value.attempts, len(handler.requests)) == (1, 1)
    assert "order-7890" in str(caught.value)


def check_failed(reply: Reply, create: Create, *, outcome: bool) -> None:
    with pytest.raises(RequestFailedError) as caught:
        create(Answering(*reply), amount_sats=123456)
    assert caught.value.outcome_unknown == outcome


def check_status(status: int, expected: tuple[type[APIStatusError], bool], body: bytes, create: Create) -> None:
    with pytest.raises(APIStatusError) as caught:
        create(Answering(status, body), client=ONCE, amount_sats=123456)
    assert (type(caught.value), caught.value.outcome_unknown) == expected
    assert caught.value.status_code == status
    assert str(status) in str(caught.value)


def test_an_error_repeats_what_the_service_says(create_everywhere: Create) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        create_everywhere(Answering(400, ERROR, {"X-Request-Id": "r1"}), amount_sats=1)
    error = caught.value
    assert (error.message, error.code) == ("what went wrong", 104)
    assert error.errors == ({"code": 104, "message": "m", "remarks": "r"},)
    assert error.headers["x-request-id"] == "r1"
    assert json.loads(error.body) == json.loads(ERROR)
    assert "what went wrong (code 104)" in str(error)


def test_a_401_names_the_two_things_to_check(create: Create) -> None:
    with pytest.raises(AuthenticationError, match="API key and secret.*environment.*sandbox.*production"):
        create(Answering(401, ERROR), amount_sats=1)


def test_an_error_status_matters_more_than_a_body_that_cannot_be_decompressed(create_everywhere: Create) -> None:
    with pytest.raises(ServerError, match="^503 Service Unavailable; an invoice may exist") as caught:
        create_everywhere(Answering(503, b"not gzip", {"Content-Encoding": "gzip"}), client=ONCE, amount_sats=1)
    assert caught.value.body == ""


def test_the_words_of_a_compressed_error_are_read(create_everywhere: Create) -> None:
    with pytest.raises(InvalidRequestError, match="what went wrong"):
        create_everywhere(Answering(400, gzip.compress(ERROR), {"Content-Encoding": "gzip"}), amount_sats=1)


@pytest.mark.parametrize("create", [create_sync, create_async])
def test_a_decompression_bomb_ends_in_bounded_memory(create: Create) -> None:
    bomb = gzip.compress(bytes(300_000_000 if THOROUGH else 100_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponseError, match="decompresses to more than 8388608 bytes"):
            create(Answering(200, bomb, {"Content-Encoding": "gzip"}), amount_sats=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def test_a_long_body_is_cut_short_on_the_error(create: Create) -> None:
    with pytest.raises(ServerError) as caught:
        create(Answering(500, b'{"message":"' + b"x" * 100_000 + b'"}'), client=ONCE, amount_sats=1)
    assert len(caught.value.body) == 2000
    assert len(str(caught.value)) < 1000


LONG = [(200, UnexpectedResponseError), (500, ServerError)]


# an error of 8 MiB takes a second, most of which goes into blanking its text: in full if it is to be thorough
@each_row(("status", "error"), LONG if THOROUGH else LONG[:1])
def test_a_reply_longer_than_8_mebibytes_is_not_read_to_its_end(
    status: int, error: type[APIError], create_everywhere: Create
) -> None:
    check_too_long(status, error, create_everywhere)


def check_too_long(status: int, error: type[APIError], create: Create) -> None:
    with pytest.raises(error):
        create(Answering(status, b" " * (8 * 1024 * 1024 + 1)), client=ONCE, amount_sats=1)


@pytest.mark.parametrize("create", [create_sync, create_async])
def test_an_endless_error_is_not_read_to_its_end(create: Create) -> None:
    pieces = 0

    class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal pieces
            while True:
                pieces += 1
                yield bytes(1_000_000)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self:
                yield piece

    with pytest.raises(ServerError):
        create(lambda request: httpx.Response(500, stream=Endless()), client=ONCE, amount_sats=1)
    assert pieces < 12


LOCATIONS = ["http://xn--/", "https://[::1", "mailto:x", "http://a..b/", "x" * 70_000, "", "//", "\x01"]


@each_kind
@each_row("location", LOCATIONS, ids=range(len(LOCATIONS)))
def test_a_redirect_to_what_is_no_address_is_a_redirect(location: str, kind: str, listen: Any) -> None:
    def redirect(connection: socket) -> None:
        read_request(connection)
        head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())

    base_url = f"http://127.0.0.1:{listen(redirect).port}"

    with pytest.raises(ServerError, match="^302"):
        create_kind(kind, base_url, max_retries=0)


def test_a_redirect_is_not_followed_and_says_what_to_check(create_everywhere: Create) -> None:
    handler = Answering(307, b"", {"Location": "https://elsewhere.example/"})
    with pytest.raises(ServerError, match="307 Temporary Redirect.*not followed: check base_url"):
        create_everywhere(handler, client=ONCE, amount_sats=1)
    assert len(handler.requests) == 1


@each_row(
    ("headers", "expected"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "9" * 30}, 999_999_999.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, 90.0),  # counted from now
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "nonsense"}, 90.0),
        ({"Retry-After": "Wed, 21 Oct 2020 07:28:30 GMT"}, 0.0),  # long ago
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "２"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], expected: float | None) -> None:
    assert seconds_to_wait(headers, now=datetime(2026, 10, 21, 7, 27, 0, tzinfo=UTC)) == expected


def outcome_of(create: Create, reply: Reply) -> tuple[object, ...]:
    """Describe how a call ends, in a form that can be compared; anything undocumented escapes."""
    try:
        invoice = create(Answering(*reply), client=ONCE, amount_sats=123456, idempotency_key="k")
    except TazapayError as error:
        visible = {name: value for name, value in vars(error).items() if name != "invoice"}
        return (type(error), str(error), visible)
    return (Invoice, invoice)


@each_row(
    "reply",
    [
        *INVOICES.values(),
        *OTHER_AMOUNTS.values(),
        *UNREADABLE.values(),
        *FAILED.values(),
        *FAILED_WITH_DATA.values(),
        *(Reply(status, body) for status, body in zip(STATUSES, cycle([ERROR, HTML, b""]), strict=False)),
    ],
)
def test_the_same_reply_means_the_same_to_both_clients(reply: Reply) -> None:
    assert outcome_of(create_sync, reply) == outcome_of(create_async, reply)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
any_object = st.fixed_dictionaries(
    {}, optional={**{name: any_json | st.just(value) for name, value in OBJECT.items()}, "h_tag": any_json}
)
any_envelope = st.fixed_dictionaries(
    {},
    optional={
        "status": any_json | st.sampled_from(["success", "error"]),
        "message": any_json,
        "errors": any_json,
        "data": any_object | any_object.map(json.dumps) | any_json,
    },
)
any_body = st.binary() | (any_envelope | any_object | any_json).map(lambda value: json.dumps(value).encode())


any_headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Content-Encoding", "Content-Type", "Set-Cookie", "Location", "X-Odd"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))
    | st.sampled_from(
        ["gzip", "deflate", "br", "application/json; charset=klingon", "Wed, 21 Oct 2026 07:28:00 GMT", "7"]
    ),
)


# `make fuzz` asks for more
@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(status=st.integers(200, 599), body=any_body, headers=any_headers)
def test_no_reply_ends_in_anything_undocumented(status: int, body: bytes, headers: dict[str, str]) -> None:
    outcome = outcome_of(create_sync, Reply(status, body, headers))
    assert isinstance(outcome[0], type)
    assert issubclass(outcome[0], Invoice | TazapayError)


def test_the_tables_hold_at_least_40_hostile_replies() -> None:
    assert len(UNREADABLE) + len(FAILED) + len(OTHER_AMOUNTS) + len(STATUSES) >= 40


def test_a_status_below_200_is_an_error(create: Create) -> None:
    with pytest.raises(ServerError, match="^199"):
        create(lambda request: httpx.Response(199), client=ONCE, amount_sats=1)
