"""One call and its attempts: what goes along, how a body is collected, and the line in the log."""

from __future__ import annotations

import gzip
import json
import logging
import time
from typing import Any

import pytest

from tazapay_lightning import ServerError, UnexpectedResponseError, __version__
from tazapay_lightning.invoices.request import InvoiceRequest
from tazapay_lightning.transport.exchange import MAX_REPLY_BYTES, Arrived, Body, Call, Door, Reply, log_attempt
from tazapay_lightning.transport.retries import Attempts, Limits
from tazapay_lightning.transport.settings import Configuration

LIMITS = Limits(timeout=10.0, deadline=60.0, max_retries=2)
LATER = time.monotonic() + 10_000


def call(**arguments: Any) -> Call:
    configuration = Configuration.build(
        api_key="my-key", api_secret="my-secret", environment=None, base_url=None, metadata_format="string",
        check_echo=True, variables={},
    )  # fmt: skip
    request = InvoiceRequest.build(amount_sats=1, **arguments)
    return Call.build(
        configuration, LIMITS, submitted=[request.memo, request.metadata], idempotency_key="12345678-and-more"
    )


def body(content: bytes, status: int = 200) -> Body:
    collected = Body(status, LATER)
    collected.add(content)
    return collected


def test_a_creation_knows_where_to_and_with_what() -> None:
    made = call()
    assert made.base_url == "https://service-sandbox.tazapay.com"
    assert made.headers == {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Authorization": "Basic bXkta2V5Om15LXNlY3JldA==",
        "User-Agent": f"tazapay-lightning/{__version__}",
    }
    assert (made.idempotency_key, made.limits) == ("12345678-and-more", LIMITS)


def test_the_repr_of_a_call_shows_no_headers() -> None:
    assert "bXkta2V5Om15LXNlY3JldA==" not in repr(call())
    assert "redaction=Redaction(...)" in repr(call())


@pytest.mark.parametrize("secret", ["my-key", "my-secret", "bXkta2V5Om15LXNlY3JldA==", "a memo", "deep", "in a list"])
def test_credentials_memo_and_texts_of_the_metadata_are_redacted(secret: str) -> None:
    made = call(memo="a memo", metadata={"order": {"name": "deep"}, "lines": ["in a list", 1, None]})
    assert made.redaction.text(f"<{secret}>") == "<[redacted]>"


def test_names_in_the_metadata_are_not_redacted() -> None:
    assert call(metadata={"customer": "Jekyll"}).redaction.text("customer Jekyll") == "customer [redacted]"


def test_a_good_reply_is_what_generated_code_reads() -> None:
    envelope = {"data": {"id": "l11_1"}}
    headers = {"content-encoding": "gzip", "x-request-id": "r1"}
    reply = call().read(Arrived(201, headers, body(gzip.compress(json.dumps(envelope).encode()))))
    assert (reply.status_code, reply.content, reply.json(), reply.headers) == (200, b"", envelope, headers)


def test_an_error_status_hides_that_its_body_cannot_be_decompressed() -> None:
    with pytest.raises(ServerError) as caught:
        call().read(Arrived(500, {"content-encoding": "gzip"}, body(b"not gzip", 500)))
    assert (caught.value.body, caught.value.args[0]) == ("", "500 Internal Server Error")


@pytest.mark.parametrize("status", [200, 299])
def test_a_success_that_cannot_be_decompressed_is_unexpected(status: int) -> None:
    with pytest.raises(UnexpectedResponseError, match="^the reply is not gzip"):
        call().read(Arrived(status, {"content-encoding": "gzip"}, body(b"not gzip")))


@pytest.mark.parametrize("status", [199, 300])
def test_a_status_beside_the_successes_matters_more_than_its_body(status: int) -> None:
    with pytest.raises(ServerError, match=f"^{status}"):
        call().read(Arrived(status, {"content-encoding": "gzip"}, body(b"not gzip", status)))


def test_a_door_is_both_clients_of_generated_code() -> None:
    def request() -> Reply:
        return Reply({}, {})

    door = Door(request)
    assert door.get_httpx_client() is door.get_async_httpx_client() is door
    assert door.request is request


def test_a_body_is_its_pieces_in_order() -> None:
    collected = Body(200, LATER)
    assert [collected.add(piece) for piece in (b"a", b"bc", b"d")] == [True, True, True]
    assert collected.plain("") == b"abcd"


def test_a_body_may_have_8_mebibytes_and_not_a_byte_more() -> None:
    collected = Body(200, LATER)
    assert collected.add(bytes(8 * 1024 * 1024))
    with pytest.raises(UnexpectedResponseError, match=r"^the reply is longer than 8388608 bytes$"):
        collected.add(b"x")


@pytest.mark.parametrize("status", [199, 300, 500])
def test_no_more_than_8_mebibytes_of_an_error_are_wanted(status: int) -> None:
    assert Body(status, LATER).add(bytes(MAX_REPLY_BYTES + 1)) is False


def test_what_somebody_decoded_already_is_not_decoded_again() -> None:
    collected = Body(200, LATER)
    collected.add_plain(b"plain")
    assert collected.plain("gzip") == b"plain"


def test_a_piece_after_the_deadline_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    assert Body(200, 1000.0).add(b"just in time")
    with pytest.raises(TimeoutError, match=r"^the reply came too slowly$"):
        Body(200, 999.0).add(b"too late")


@pytest.mark.parametrize("status", [200, 299])
def test_a_success_that_breaks_off_has_failed(status: int) -> None:
    failure = OSError("gone")
    with pytest.raises(OSError, match="gone") as caught:
        Body(status, LATER).broke_off(failure)
    assert caught.value is failure


@pytest.mark.parametrize("status", [199, 300, 500])
def test_an_error_that_breaks_off_is_read_as_far_as_it_came(status: int) -> None:
    collected = body(b"half", status)
    collected.broke_off(OSError("gone"))
    assert collected.plain("") == b"half"


@pytest.mark.parametrize(("key", "shown"), [("12345678-and-more", "12345678"), (None, "-")])
def test_an_attempt_is_one_line_of_the_debug_log(
    key: str | None, shown: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Call(base_url="", headers={}, redaction=call().redaction, idempotency_key=key, limits=LIMITS)
    attempts = Attempts(LIMITS, idempotency_key=key, now=0.0)
    attempts.begin(0.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1002.0)
    with caplog.at_level(logging.DEBUG, logger="tazapay_lightning"):
        log_attempt(made, attempts, made.request(method="post", url="/v3/x"), 503, 1000.0)
    assert caplog.messages == [f"POST /v3/x -> 503, attempt 1 of 3, 2000 ms, key {shown}"]


def test_no_attempt_is_logged_above_debug(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tazapay_lightning"):
        made = call()
        request = made.request(method="get", url="/v3/x")
        log_attempt(made, Attempts(LIMITS, idempotency_key=None, now=0.0), request, None, 0.0)
    assert not caplog.messages
