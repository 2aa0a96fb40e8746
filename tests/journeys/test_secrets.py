"""Nothing that opens an account, and no text that was to stay here, appears where it could be read by others."""

from __future__ import annotations

import json
import pickle
import traceback
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncLightningClient,
    InvalidArgumentError,
    InvalidRequestError,
    InvoiceMismatchError,
    LightningClient,
    RequestFailedError,
    ServerError,
    TazapayError,
    UnexpectedResponseError,
    encode_json_field,
)
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.replies import status_error
from tests.support.clients import call_kind, each_kind
from tests.support.service import (
    API_KEY,
    API_SECRET,
    Answering,
    Create,
    Handler,
    OneReplyServer,
    envelope,
    invoice_object,
)
from tests.support.tables import each_row
from tests.support.thorough import sample

TOKEN = b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
MEMO = "a memo for your eyes only"
CANARIES = (API_KEY, API_SECRET, TOKEN)
ECHO = json.dumps(
    {
        "status": "error",
        "message": f"key {API_KEY}, secret {API_SECRET}, Basic {TOKEN}, memo {MEMO}",
        "errors": [{"code": 400, "message": API_SECRET, "remarks": {"sent": [MEMO, TOKEN]}, API_KEY: 1}],
    }
).encode()
ECHOED_HEADERS = {
    "Set-Cookie": f"session={TOKEN}",
    "Authorization": f"Basic {TOKEN}",
    "WWW-Authenticate": f'Basic realm="{API_KEY}"',
    "X-Debug": f"{API_KEY} {API_SECRET}",
}


def everything_shown_by(error: BaseException) -> str:
    """Return what logs and error trackers would keep of an error: text, attributes, traceback with its causes."""
    parts = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    return "\n".join(parts)


def refusing(failure: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise failure

    return handler


ECHOING = {
    **{str(status): Answering(status, ECHO, ECHOED_HEADERS) for status in (400, 401, 404, 408, 429, 500, 302)},
    "failed": Answering(200, ECHO, ECHOED_HEADERS),
    "HTML": Answering(500, f"<html>{API_SECRET} {MEMO}</html>".encode(), ECHOED_HEADERS),
    "not JSON": Answering(200, b"not JSON", ECHOED_HEADERS),
    "another amount": Answering(200, envelope(invoice_object(amount=1, d_tag_memo=MEMO)), ECHOED_HEADERS),
}


@each_row("handler", ECHOING.values(), ids=ECHOING.keys())
def test_an_error_shows_no_credentials_and_no_memo_that_the_service_echoes(handler: Handler, create: Create) -> None:
    check_what_an_error_shows(handler, create)


@each_row("name", ["400", "failed", "HTML"])
def test_nor_does_it_over_a_socket(name: str, create_over_a_socket: Create) -> None:
    check_what_an_error_shows(ECHOING[name], create_over_a_socket)


def test_an_error_shows_no_credentials_that_a_library_repeats(create: Create) -> None:
    check_what_an_error_shows(refusing(httpx.ConnectError(f"proxy said: {API_SECRET}")), create)


def check_what_an_error_shows(handler: Handler, create: Create) -> None:
    with pytest.raises(TazapayError) as caught:
        create(handler, client={"max_retries": 0}, amount_sats=123456, memo=MEMO)
    own = "\n".join([str(caught.value), repr(caught.value), repr(vars(caught.value))])
    assert not [canary for canary in (*CANARIES, MEMO) if canary in own]


def test_a_hashed_memo_never_leaves_and_is_never_shown(
    create_everywhere: Create, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Answering(503, b"busy")
    with caplog.at_level("DEBUG"), pytest.raises(TazapayError) as caught:
        create_everywhere(handler, client={"max_retries": 0}, amount_sats=123456, memo=MEMO, memo_as_hash=True)
    assert MEMO.encode() not in handler.requests[0].content
    assert MEMO not in str(caught.value) + repr(vars(caught.value)) + caplog.text


def test_debug_logs_of_every_library_hold_no_credentials(
    create_everywhere: Create, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        create_everywhere(Answering(), amount_sats=123456, memo=MEMO)
    assert "lightning_invoice_bolt11" in caplog.text
    assert not [canary for canary in (*CANARIES, MEMO) if canary in caplog.text]


def test_info_logs_of_our_own_hold_nothing(create: Create, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        create(Answering(200, envelope(invoice_object(d_tag_memo=MEMO))), amount_sats=123456, memo=MEMO)
    assert not [record for record in caplog.records if record.name.startswith("tazapay_lightning")]


def test_the_attributes_of_a_client_show_no_credentials() -> None:
    with LightningClient(API_KEY, API_SECRET) as client:
        shown = [repr(client), str(client), repr(vars(client)), *(repr(vars(value)) for value in (client._calls,))]
    assert not [canary for canary in CANARIES if canary in "".join(shown)]


REFUSING = {
    **{str(status): Answering(status, b"{}") for status in (302, 401, 500)},
    "not JSON": Answering(200, b"not JSON"),
    "failed": Answering(200, b'{"status":"error"}'),
    "not gzip": Answering(200, b"not gzip", {"Content-Encoding": "gzip"}),
    "empty": Answering(200, envelope({})),
    "another amount": Answering(200, envelope(invoice_object(amount=1))),
}


@each_row("handler", REFUSING.values(), ids=REFUSING.keys())
def test_a_traceback_with_the_locals_of_our_frames_shows_no_credentials(
    handler: Handler, create_everywhere: Create
) -> None:
    check_what_our_frames_show(handler, create_everywhere)


@each_row("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_nor_does_a_traceback_of_a_lost_connection(failure: Exception, create: Create) -> None:
    check_what_our_frames_show(refusing(failure), create)


def check_what_our_frames_show(handler: Handler, create: Create) -> None:
    with pytest.raises(TazapayError) as caught:
        create(handler, client={"max_retries": 0}, amount_sats=123456, memo="Order")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "tazapay_lightning" in frame.filename]
    assert ours
    values = [f"{name}={value}" for frame in ours for name, value in (frame.locals or {}).items()]
    assert not [canary for canary in CANARIES if canary in "\n".join(values)]


@pytest.mark.parametrize("client", [LightningClient, AsyncLightningClient])
def test_a_client_is_not_pickled_with_its_credentials(client: Any) -> None:
    with pytest.raises(TypeError, match="make a client in each process"):
        pickle.dumps(client(API_KEY, API_SECRET))


@given(st.text(min_size=4), st.text(), st.text())
def test_redaction_leaves_no_credential_in_a_text(secret: str, before: str, after: str) -> None:
    redacted = Redaction(credentials=[secret]).text(before + secret + after)
    assert secret not in redacted or secret in "[redacted]" + before + after or not secret.isprintable()


def test_a_secret_that_begins_with_another_leaves_no_tail() -> None:
    assert Redaction(credentials=["abcd", "abcdef"]).text("abcdef abcd") == "[redacted] [redacted]"


def test_texts_of_a_few_letters_are_left_alone_because_blanking_them_would_garble_the_message() -> None:
    assert Redaction(credentials=["s"], submitted=["a"]).text("bad amounts") == "bad amounts"


def test_redaction_reaches_into_json_values() -> None:
    redaction = Redaction(credentials=["secret"])
    assert redaction.value({"secret": ["a secret", {"b": "secret"}, 1, None]}) == {
        "[redacted]": ["a [redacted]", {"b": "[redacted]"}, 1, None]
    }


def test_control_characters_of_the_service_do_not_reach_a_terminal(create: Create) -> None:
    with pytest.raises(APIStatusError) as caught:
        create(Answering(400, json.dumps({"message": "\x1b[2Jgone\r\nfaked: line"}).encode()), amount_sats=1)
    assert caught.value.message == "[2Jgone  faked: line"
    assert "\x1b" not in str(caught.value) + caught.value.body


MEMOS = ["Tom & Jerry", "Müller", 'say "please"', "two\nlines", "a/b\\c", "<bold>"]
WAYS_TO_WRITE = {
    "as Python does": json.dumps,
    "letters as they are": lambda value: json.dumps(value, ensure_ascii=False),
    "as Go does": lambda value: (
        json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
    "as PHP does": lambda value: json.dumps(value).replace("/", "\\/"),
}


@each_row("write", WAYS_TO_WRITE.values(), ids=WAYS_TO_WRITE.keys())
@each_row("memo", MEMOS)
def test_no_way_to_escape_letters_hides_a_memo_from_redaction(memo: str, write: Any) -> None:
    body = write({"message": f"bad memo: {memo}!", "errors": []})
    error = status_error(400, {}, body.encode(), Redaction(submitted=[memo]))
    assert error.message == "bad memo: [redacted]!"
    assert error.body == '{"message": "bad memo: [redacted]!", "errors": []}'


def test_a_memo_is_redacted_with_every_client(create_everywhere: Create) -> None:
    with pytest.raises(APIStatusError) as caught:
        create_everywhere(Answering(400, b'{"message": "bad memo: M\\u00fcller!"}'), amount_sats=1, memo="Müller")
    assert caught.value.message == "bad memo: [redacted]!"
    assert "[redacted]" in caught.value.body


def test_texts_deep_in_the_metadata_are_redacted_too(create: Create) -> None:
    metadata = {"customer": {"names": ["Dr Jekyll", {"also": "Mr Hyde"}]}, "order_id": "7890"}
    with pytest.raises(APIStatusError) as caught:
        create(Answering(400, b'{"message":"no Mr Hyde, no Dr Jekyll"}'), amount_sats=1, metadata=metadata)
    assert caught.value.message == "no [redacted], no [redacted]"


def test_a_memo_at_the_end_of_what_an_error_keeps_is_redacted_before_the_cut(create: Create) -> None:
    memo = "x" * 500
    with pytest.raises(APIStatusError) as caught:
        create(Answering(400, json.dumps({"message": "." * 1900 + memo * 100}).encode()), amount_sats=1, memo=memo)
    assert "x" not in caught.value.body


def test_no_exception_in_the_chain_keeps_the_body_of_a_reply(create_everywhere: Create) -> None:
    with pytest.raises(TazapayError) as caught:
        create_everywhere(Answering(200, f"not JSON, {MEMO}".encode()), amount_sats=1)
    chain: list[BaseException] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    assert len(chain) > 1
    assert not [link for link in chain if MEMO in repr(vars(link)) + repr(link.args) + repr(getattr(link, "doc", ""))]


def test_an_id_from_the_service_is_harmless_in_messages(create: Create, caplog: pytest.LogCaptureFixture) -> None:
    long_id = "\x1b[2J" + "x" * 100_000
    with pytest.raises(TazapayError) as caught:
        create(Answering(200, envelope(invoice_object(id=long_id, amount=1))), amount_sats=2)
    create(Answering(200, envelope(invoice_object(id=long_id, d_tag_memo="another"))), amount_sats=123456)
    for text in (str(caught.value), caplog.text):
        assert "\x1b" not in text
        assert len(text) < 1000


@each_kind
def test_debug_logs_over_a_socket_hold_no_credentials(
    kind: str, one_reply_server: Callable[..., OneReplyServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = one_reply_server(envelope(invoice_object()))
    with caplog.at_level("DEBUG"):
        call_kind(kind, server.base_url, "create_invoice", amount_sats=123456, memo=MEMO)
    loggers = {record.name.split(".")[0] for record in caplog.records}
    assert loggers >= {"tazapay_lightning", *(["httpcore"] if kind != "aiohttp" else [])}
    assert not [canary for canary in (*CANARIES, MEMO) if canary in caplog.text]


def test_a_failed_request_is_redacted_too(create: Create) -> None:
    with pytest.raises(RequestFailedError) as caught:
        create(Answering(200, ECHO), amount_sats=1, memo=MEMO)
    shown: Any = (caught.value.message, caught.value.errors)
    assert "[redacted]" in repr(shown)
    assert not [canary for canary in (*CANARIES, MEMO) if canary in repr(shown)]


def test_the_repr_of_a_redaction_shows_nothing() -> None:
    assert repr(Redaction(credentials=["secret"], submitted=["memo"])) == "Redaction(...)"


def test_texts_of_four_letters_are_the_shortest_that_are_blanked() -> None:
    assert Redaction(credentials=["abcd", "xyz"]).text("abcd xyz") == "[redacted] xyz"


def test_a_text_that_json_escapes_at_both_ends_is_blanked_whole() -> None:
    assert Redaction(submitted=["éclairé"]).text(r"no \u00e9clair\u00e9!") == "no [redacted]!"


FAILING: dict[str, tuple[Handler, type[TazapayError]]] = {
    "connection": (refusing(httpx.ConnectError("refused")), APIConnectionError),
    "timeout": (refusing(httpx.ReadTimeout("late")), APITimeoutError),
    "refusal": (Answering(400, b'{"message":"no Dr Jekyll"}'), InvalidRequestError),
    "failure": (Answering(200, b'{"status":"error","message":"no Dr Jekyll"}'), RequestFailedError),
    "page": (Answering(500, b"no Dr Jekyll"), ServerError),
    "no JSON": (Answering(200, b"no Dr Jekyll"), UnexpectedResponseError),
    "another amount": (Answering(200, envelope(invoice_object(amount=2, id="Dr Jekyll"))), InvoiceMismatchError),
}


def nested(depth: int) -> dict[str, Any]:
    metadata: Any = "Dr Jekyll"
    for _ in range(depth):
        metadata = {"a": metadata}
    return {"a": metadata}


def is_too_deep(depth: int) -> bool:
    with suppress(InvalidArgumentError):
        return not encode_json_field(nested(depth))
    return True


@each_row("path", FAILING)
def test_metadata_that_is_as_deep_as_can_be_leads_to_the_same_error(path: str, create: Create) -> None:
    handler, kind = FAILING[path]
    deepest = bisect_left(range(1000), True, key=is_too_deep)
    for depth in [1, *sample(range(deepest - 50, deepest + 1), 5)]:
        with pytest.raises((kind, InvalidArgumentError)) as caught:  # too deep for this stack
            create(handler, client={"max_retries": 0}, amount_sats=1, metadata=nested(depth))
        assert "RecursionError" not in str(caught.value)
        assert "Jekyll" not in str(caught.value)
