"""What a reply means, without a client around it: the words of errors, their codes, and when to come back."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tazapay_lightning import APIStatusError, RequestFailedError, UnexpectedResponseError
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.replies import Reply, read_reply
from tazapay_lightning.transport.retries import seconds_to_wait
from tazapay_lightning.transport.service_errors import status_error
from tests.support.tables import each_row

NOW = datetime(2026, 10, 21, 7, 27, 0, tzinfo=UTC)
WRONG_KEY = (
    "check the API key and secret, and that they belong to this environment: sandbox keys open only the sandbox, live "
    "keys only production"
)
NOT_ALLOWED = (
    "the credentials are accepted, but not allowed to do this: see the permissions of the key in the dashboard"
)


def refused(status: int = 400, body: object = None, headers: dict[str, str] | None = None) -> APIStatusError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status_error(status, headers or {}, raw, Redaction(credentials=["secret-1"]))


@each_row(
    ("status", "message"),
    [
        (199, "199"),
        (300, "300 Multiple Choices; redirects are not followed: check base_url"),
        (399, "399; redirects are not followed: check base_url"),
        (400, "400 Bad Request"),
        (401, f"401 Unauthorized; {WRONG_KEY}"),
        (403, f"403 Forbidden; {NOT_ALLOWED}"),
        (
            404,
            (
                "404 Not Found; nothing is there: the id of an invoice belongs to the environment and the account that "
                "it was made in, and base_url is the address of the service without /v3"
            ),
        ),
        (429, "429 Too Many Requests; too many requests: slow down, or raise max_retries"),
        (500, "500 Internal Server Error"),
        (520, "520"),
    ],
)
def test_a_status_is_told_with_its_phrase_and_the_next_step(status: int, message: str) -> None:
    assert refused(status).args[0] == message


@pytest.mark.parametrize(
    ("body", "message", "code", "words"),
    [
        ({"message": " m ", "code": 7}, "m", 7, "400 Bad Request: m (code 7)"),
        (
            {"message": "m", "errors": [{"message": "n", "code": 8, "remarks": "r"}, {"remarks": "s"}], "code": 7},
            *("m", 8, "400 Bad Request: m (code 8); n: r; s"),
        ),
        ({"message": " ", "errors": [{}, {"message": "n"}]}, "n", None, "400 Bad Request: n"),
        ({"errors": [{"message": 1}, "x", {"message": "n"}, {"message": "o"}]}, "n", None, "400 Bad Request: n; o"),
        ({"errors": {"message": "n", "code": 1}}, "", None, "400 Bad Request"),
        ({"code": " 0105 "}, "", 105, "400 Bad Request (code 105)"),
        ({"code": 0}, "", 0, "400 Bad Request (code 0)"),
        ({"code": "9" * 20}, "", int("9" * 20), f"400 Bad Request (code {'9' * 20})"),
        ({"code": "9" * 21}, "", None, "400 Bad Request"),
        ({"code": True}, "", None, "400 Bad Request"),
        ({"code": 1.5}, "", None, "400 Bad Request"),
        ({"code": "１"}, "", None, "400 Bad Request"),
        ({"code": "E1"}, "", None, "400 Bad Request"),
        ({"errors": [{"code": None}, {"code": 2}]}, "", 2, "400 Bad Request (code 2)"),
        ({"message": "m" * 500}, "m" * 500, None, f"400 Bad Request: {'m' * 500}"),
        ({"message": "m" * 501}, "m" * 501, None, f"400 Bad Request: {'m' * 500}..."),
        (
            {"message": "m", "errors": [{"remarks": "r" * 501}]},
            *("m", None, f"400 Bad Request: m; {'r' * 500}..."),
        ),
    ],
)
def test_the_words_and_the_code_of_an_error_are_found_where_they_are(
    body: dict[str, Any], message: str, code: int | None, words: str
) -> None:
    error = refused(400, body)
    assert (error.message, error.code, error.args[0]) == (message, code, words)


def test_the_errors_of_an_error_are_the_objects_in_the_list() -> None:
    assert refused(400, {"errors": [1, {"code": 2}, None, {}]}).errors == ({"code": 2}, {})


def test_the_body_of_an_error_keeps_letters_of_every_script() -> None:
    assert refused(400, {"message": "für secret-1"}).body == '{"message": "für [redacted]"}'


@each_row("body", [b"oops secret-1", b"<p>secret-1</p>", b"\xff", b'{"message": "cut', b'{"a":1,"a":2}', b""])
def test_of_an_error_that_is_no_json_no_body_is_kept(body: bytes) -> None:
    error = refused(500, body)
    assert (error.body, error.message, error.errors) == ("", "", ())


@each_row(("commas", "message"), [(50_000, "m"), (50_001, "")])
def test_an_error_of_more_values_than_any_has_is_not_read(commas: int, message: str) -> None:
    assert refused(400, b'{"message":"m","errors":[' + b"0," * (commas - 1) + b"0]}").message == message


@each_row("levels", [1, 10, 39, 40, 300, 600])
def test_of_a_body_that_is_nested_deeply_the_outer_levels_are_kept(levels: int) -> None:
    error = refused(400, b'{"message":"m","remarks":' + b'{"a":' * levels + b'"secret-1"' + b"}" * (levels + 1))
    assert error.message == "m"
    assert error.body.startswith('{"message": "m", "remarks": {"a": ')
    assert "secret-1" not in error.body


def test_the_headers_of_an_error_are_in_lower_case_and_without_credentials() -> None:
    headers = {"X-Request-Id": "r1", "X-Echo": "secret-1", "Set-Cookie": "a=b", "Authorization": "x", "SIGNATURE": "x"}
    assert refused(400, {}, headers).headers == {"x-request-id": "r1", "x-echo": "[redacted]"}


def test_a_date_to_come_back_at_is_counted_from_this_machines_clock_if_the_reply_has_none() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    waited = refused(503, {}, {"Retry-After": at}).retry_after
    assert waited is not None
    assert 3500 < waited <= 3600


@each_row(
    ("headers", "expected"),
    [
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 -0000"}, 90.0),  # of no zone, says RFC 5322: UTC
        ({"Retry-After": "Wed, 21 Oct 2026 08:28:30 +0100"}, 90.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "DATE": " Wed, 21 Oct 2026 07:28:29 GMT "}, 1.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:26:59 GMT"}, 0.0),
        ({"Retry-After": "1234567890"}, 123456789.0),
        ({"Retry-After": "Wed, 21 Oct 99999 07:28:30 GMT"}, None),
        ({"Date": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
    ],
)
def test_a_date_to_come_back_at_is_read_in_its_zone(headers: dict[str, str], expected: float | None) -> None:
    assert seconds_to_wait(headers, now=NOW) == expected


def read(body: object, status: int = 200, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_reply(status, headers, raw, Redaction(), attempts=2, idempotency_key="key", parse=None)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_a_reply_has_the_envelope_of_any_success_as_it_came(status: int) -> None:
    envelope = {"status": "success", "message": "", "data": {"id": "l11_1"}}
    reply = read(envelope, status)
    assert (reply.status_code, reply.envelope, reply.data) == (status, envelope, {"id": "l11_1"})
    assert (reply.attempts, reply.idempotency_key) == (2, "key")


@each_row(
    ("body", "data"),
    [
        (b"", None),
        (b" \n", None),
        ({}, None),
        ({"status": "success", "message": "done"}, None),
        ({"data": None}, None),
        ({"data": [1, 2]}, [1, 2]),
        ({"data": "text"}, "text"),
        ({"data": '{"id":"l11_1"}'}, {"id": "l11_1"}),
        ({"data": '"{\\"id\\":\\"l11_1\\"}"'}, {"id": "l11_1"}),
        ({"data": "[1]"}, [1]),
        ({"data": "7"}, "7"),
        ({"status": "success", "data": None, "request_id": "r1"}, None),
        ({"id": "l11_1", "data": None}, {"id": "l11_1", "data": None}),
        ({"id": "l11_1", "status": "active"}, {"id": "l11_1", "status": "active"}),
        (
            {"id": "pot_1", "object": "payout", "status": "failed"},
            {"id": "pot_1", "object": "payout", "status": "failed"},
        ),
        ([1], [1]),
    ],
    ids=str,
)
def test_data_is_what_the_reply_is_about_with_and_without_an_envelope(body: object, data: object) -> None:
    assert read(body).data == data


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "x-correlation-id"])
def test_the_name_of_a_request_is_found_in_the_headers(name: str) -> None:
    assert read({}, **{name: "r\x001"}).request_id == "r 1"
    assert read({}, **{name: "r" * 201}).request_id == "r" * 200 + "..."
    assert read({}).request_id is None


def test_a_reply_has_no_header_that_carries_credentials_or_cookies() -> None:
    assert dict(read({}, **{"set-cookie": "a=b", "authorization": "x", "date": "d"}).headers) == {"date": "d"}


def test_the_model_of_a_reply_is_what_generated_code_makes_of_its_status_and_envelope() -> None:
    reply = Reply(status_code=201, envelope={"a": 1}, parse=lambda status, envelope: (status, envelope))
    assert reply.parse() == (201, {"a": 1})


@each_row(
    ("parse", "words"),
    [
        (None, "the document describes no reply of this kind; see Reply.data"),
        (lambda *_: None, "the document describes no reply of this kind; see Reply.data"),
        (lambda *_: {}["a"], "the reply is not what the document describes (KeyError); see Reply.data"),
    ],
)
def test_a_reply_without_a_model_is_told_in_these_words(parse: Any, words: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        Reply(status_code=200, parse=parse).parse()
    assert str(caught.value) == words


def test_a_success_that_is_no_json_is_unexpected() -> None:
    with pytest.raises(UnexpectedResponseError, match="^expected JSON; "):
        read(b"<html>")


def test_a_reply_can_be_pickled_and_copied() -> None:
    reply = read({"data": {"id": "l11_1"}})
    assert pickle.loads(pickle.dumps(reply)) == copy.deepcopy(reply) == reply  # noqa: S301 - our own


@each_row(
    ("body", "with_data"),
    [
        ({"status": "error", "message": "m", "code": 5}, False),
        ({"status": "error", "message": "m", "code": 5, "data": {}}, False),
        ({"status": "error", "message": "m", "code": 5, "data": {"id": 1}}, True),
        ({"status": "FAILED", "message": "m", "code": 5, "amount": None}, True),
        ({"message": "m", "errors": [{"code": 5}]}, False),
        ({"message": "m", "errors": [{"code": 5}], "request_id": "r1"}, False),
        ({"message": "m", "errors": [{"code": 5}], "id": "l11_1"}, True),
        ({"status": "error", "message": "m", "code": 5, "invoice": {"id": "l11_1"}}, True),
        ({"status": "error", "message": "m", "code": 5, "invoice_id": "l11_1"}, True),
    ],
)
def test_a_success_that_says_it_failed_keeps_the_words_of_the_service(body: dict[str, Any], with_data: bool) -> None:
    with pytest.raises(RequestFailedError) as caught:
        read(body)
    error = caught.value
    assert str(error) == "the service answered 200, but says that the request failed: m (code 5)"
    assert (error.message, error.code, error.with_data) == ("m", 5, with_data)
    assert error.errors == tuple(body.get("errors", ()))
