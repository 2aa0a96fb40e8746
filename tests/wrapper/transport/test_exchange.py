"""One call: what its request carries, what leaves it and with which key, and its lines in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from tazapay_lightning import APIConnectionError, RateLimitError, ServerError, UnexpectedResponseError, __version__
from tazapay_lightning.transport.exchange import Call, Request, Response
from tests.support.settings import settings
from tests.support.tables import each_row


def call(key: str | None = "the-whole-key", submitted: tuple[object, ...] = (), **options: Any) -> Call:
    request = Request(
        settings=settings(**options),
        method="POST",
        path="/v3/x?a=b",
        headers={"Idempotency-Key": "k"},
        content=b"{}",
        idempotency_key=key,
        submitted=submitted,
        parse=lambda status, envelope: None,
    )
    return Call(request, time.monotonic())


def test_a_request_knows_where_to_and_with_what() -> None:
    request = call(headers={"X-Team": "billing", "User-Agent": "shop/1"}).request
    assert (request.method, request.url) == ("POST", "https://service-sandbox.tazapay.com/v3/x?a=b")
    assert request.headers == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": "Basic bXkta2V5Om15LXNlY3JldA==",
        "Idempotency-Key": "k",
        "User-Agent": "shop/1",
        "X-Team": "billing",
    }
    assert call().request.headers["User-Agent"] == f"tazapay-lightning/{__version__}"


def test_the_repr_of_a_request_shows_nothing_of_it() -> None:
    request = call().request
    assert repr(request) == object.__repr__(request)


@each_row("secret", ["my-key", "my-secret", "bXkta2V5Om15LXNlY3JldA==", "a memo", "deep", "in a list", "x-value"])
def test_credentials_headers_and_what_was_submitted_are_redacted(secret: str) -> None:
    submitted = ("a memo", {"order": {"name": "deep"}, "lines": ["in a list", 1, None]})
    made = call(submitted=submitted, headers={"X-Token": "x-value"})
    assert made.request.redaction.text(f"<{secret}>") == "<[redacted]>"


def test_names_in_what_was_submitted_are_not_redacted() -> None:
    assert call(submitted=({"customer": "Jekyll"},)).request.redaction.text("customer Jekyll") == "customer [redacted]"


def test_an_attempt_is_one_line_of_the_debug_log_with_the_whole_key(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for key in ("the-whole-key", None):
        made = call(key)
        made.begin(time.monotonic())
        now += 2
        with caplog.at_level(logging.DEBUG, logger="tazapay_lightning"), pytest.raises(ServerError):
            made.reply(Response(503, {}, b""))
    line = "POST /v3/x -> 503, attempt 1 of 3, 2000 ms, key "
    assert caplog.messages == [f"{line}the-whole-key", f"{line}-"]


@each_row("cause", [None, OSError("reset")], ids=str)
def test_an_attempt_without_a_reply_is_told_by_what_went_wrong(
    cause: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    made, lost = call(), APIConnectionError("lost")
    made.begin(time.monotonic())
    lost.__cause__ = cause
    with caplog.at_level(logging.DEBUG, logger="tazapay_lightning"):
        made.failed(lost, time.monotonic())
    assert f"POST /v3/x -> {type(cause or lost).__name__}, attempt 1 of 3" in caplog.text


def test_a_retry_is_one_line_of_the_info_log_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    made = call()
    made.begin(time.monotonic())
    with caplog.at_level(logging.INFO, logger="tazapay_lightning"):
        assert made.failed(ServerError("503 busy", status_code=503, retry_after=7.0), time.monotonic()) == 7.0
        made.begin(time.monotonic())
        assert made.failed(ServerError("400 no", status_code=400), time.monotonic()) is None
    (line,) = caplog.messages
    assert line == "POST /v3/x: trying again in 7.00 s after: 503 busy"


def test_an_error_names_the_request_that_it_is_about_and_only_that() -> None:
    made, lost = call(), APIConnectionError("lost")
    made.begin(time.monotonic())
    with pytest.raises(ServerError) as caught:
        made.reply(Response(503, {"x-request-id": "r1"}, b""))
    made.failed(caught.value, time.monotonic())
    made.begin(time.monotonic())
    made.failed(lost, time.monotonic())
    assert (caught.value.request_id, lost.request_id) == ("r1", None)


def test_a_foreign_exception_leaves_as_a_documented_one_with_the_key() -> None:
    made = call()
    made.begin(time.monotonic())
    foreign = OverflowError("date value out of range")
    error = made.left_by(foreign)
    assert isinstance(error, UnexpectedResponseError)
    assert "could not be handled: OverflowError" in str(error)
    assert (error.idempotency_key, error.outcome_unknown, error.attempts) == ("the-whole-key", True, 1)
    assert error.__cause__ is foreign


def test_so_does_one_before_the_first_attempt_whatever_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="tazapay_lightning"):
        error = call().left_by(OverflowError())
    assert isinstance(error, UnexpectedResponseError)
    assert "POST /v3/x -> OverflowError, attempt 0 of 3" in caplog.text


def test_what_the_caller_was_handling_already_is_left_as_it_is() -> None:
    own, leaving = ValueError("my-secret"), OverflowError("my-secret")
    try:
        raise own
    except ValueError:
        made = call()
    leaving.__context__ = own
    made.left_by(leaving)
    assert (leaving.args, own.args) == (("[redacted]",), ("my-secret",))


@each_row("problem", [AttributeError, KeyError, OSError])
def test_a_connection_that_cannot_be_ended_hides_no_error(problem: type[Exception]) -> None:
    def disconnect() -> None:
        raise problem

    with pytest.raises(ServerError):
        call().read(Response(503, {}, b"", disconnect), lambda reply: reply)


def test_an_attempt_that_would_begin_at_the_deadline_fails_as_the_one_before_it() -> None:
    made, failure = call(), ServerError("503 busy", status_code=503)
    made.begin(made.ends - 1)
    made.failed(failure, made.ends - 1)
    with pytest.raises(ServerError) as caught:
        made.begin(made.ends)
    assert caught.value is failure


@each_row("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_what_interrupts_a_call_leaves_as_it_is_with_the_key_as_a_note(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    made = call()
    made.begin(time.monotonic())
    leaving = kind()
    assert made.left_by(leaving) is leaving
    (note,) = leaving.__notes__
    assert "idempotency_key='the-whole-key'" in note
    assert "an invoice may exist" in note
    is_cancelled = kind not in {KeyboardInterrupt, SystemExit}
    assert caplog.messages == [f"POST /v3/x was cancelled; {note}"] * is_cancelled


def test_before_the_first_attempt_the_note_says_that_nothing_was_sent() -> None:
    leaving = call().left_by(KeyboardInterrupt())
    assert leaving.__notes__ == ["idempotency key the-whole-key: nothing was sent"]


def test_after_a_refusal_the_note_says_that_no_invoice_was_made() -> None:
    made = call()
    made.begin(time.monotonic())
    made.failed(RateLimitError("429", status_code=429), time.monotonic())
    leaving = made.left_by(KeyboardInterrupt())
    assert leaving.__notes__ == ["idempotency key the-whole-key: no invoice was made"]


def test_a_call_without_a_key_leaves_no_note() -> None:
    assert not hasattr(call(None).left_by(KeyboardInterrupt()), "__notes__")
