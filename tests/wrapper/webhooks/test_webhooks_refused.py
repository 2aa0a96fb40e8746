"""What is not exactly what Tazapay signed is refused, with an error that says why and gives nothing away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import (
    InvalidArgumentError,
    TazapayError,
    WebhookError,
    WebhookPayloadError,
    WebhookSignatureError,
)
from tazapay_lightning.webhooks.signature import Secret
from tazapay_lightning.webhooks.verify import (
    sign_webhook,
    signature_header,
    verify_webhook,
    verify_webhook_request,
)
from tests.support.tables import each_row

SECRET = "whsec_example"
# printf '%s' "evt_1${BODY}2025-09-28T08:15:30Z" | openssl dgst -sha256 -hmac whsec_example -binary | openssl base64 -A
BODY = (
    b'{"id":"evt_1","type":"collect.succeeded","object":"event","created_at":"2025-09-28T08:15:30Z",'
    b'"data":{"id":"col_98765"}}'
)
SIGNATURE = "HLjMHbhpG5wKIa7BtlOcWFCLrUhmuFrIDXKf1VTaJYM="
MISMATCH = (
    "the signature does not belong to this body and this secret: the body is not the raw bytes of the request, the "
    "secret is another environment's (sandbox, production), or the sender is not Tazapay"
)


def flips(data: bytes) -> Iterator[bytes]:
    """Change one bit after the other."""
    for position in range(len(data)):
        for bit in range(8):
            yield data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def refusal(payload: Any, signature: Any = SIGNATURE, secret: Any = SECRET) -> type[BaseException] | None:
    try:
        verify_webhook(payload, signature, secret)
    except TazapayError as error:
        return type(error)
    return None


def everything_shown_by(error: BaseException) -> str:
    """Return what error trackers keep: text, attributes, chain, and the local variables of our own frames."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in trace.stack if "tazapay_lightning" in frame.filename]
    assert frames
    values = [f"{name}={value}" for frame in frames for name, value in (frame.locals or {}).items()]
    return "\n".join([str(error), repr(error), repr(vars(error)), *values, *traceback.format_exception(error)])


def test_the_sample_itself_is_accepted() -> None:
    assert refusal(BODY) is None


def test_a_body_with_one_bit_changed_is_refused() -> None:
    refused = [refusal(changed) for changed in flips(BODY)]
    assert len(refused) == 8 * len(BODY)
    assert set(refused) == {WebhookPayloadError, WebhookSignatureError}


def test_a_signature_with_one_bit_changed_is_refused() -> None:
    refused = [refusal(BODY, changed.decode("latin-1")) for changed in flips(SIGNATURE.encode())]
    assert len(refused) == 8 * 44
    assert set(refused) == {WebhookSignatureError}


def test_a_secret_with_one_bit_changed_is_refused() -> None:
    refused = [refusal(BODY, SIGNATURE, changed.decode("latin-1")) for changed in flips(SECRET.encode())]
    assert len(refused) == 8 * len(SECRET)
    assert set(refused) == {WebhookSignatureError}


def test_a_signature_that_decodes_to_the_same_digest_is_refused() -> None:
    twins = [f"{SIGNATURE[:-2]}{letter}=" for letter in "NOP"]
    assert {base64.b64decode(twin) for twin in twins} == {base64.b64decode(SIGNATURE)}
    assert [refusal(BODY, twin) for twin in twins] == [WebhookSignatureError] * 3


@each_row(
    "signature",
    [
        SIGNATURE.rstrip("="), SIGNATURE + "=", SIGNATURE.lower(), SIGNATURE + SIGNATURE, f"{SIGNATURE}, {SIGNATURE}",
        f"sha256={SIGNATURE}", SIGNATURE + "\n", base64.b64decode(SIGNATURE).hex(), "é", "\ud800", "１", "\0",
        "x" * 10**6,
    ],
    ids=range(13),
)  # fmt: skip
def test_a_signature_in_another_form_is_refused(signature: str) -> None:
    assert refusal(BODY, signature) is WebhookSignatureError


def test_every_beginning_of_a_body_is_refused() -> None:
    assert {refusal(BODY[:length]) for length in range(len(BODY))} == {WebhookPayloadError}


def test_every_beginning_of_a_signature_is_refused() -> None:
    assert {refusal(BODY, SIGNATURE[:length]) for length in range(len(SIGNATURE))} == {WebhookSignatureError}


@each_row(
    "rewritten",
    [
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), indent=2).encode(),
        json.dumps(json.loads(BODY), separators=(",", ":"), sort_keys=True).encode(),
        BODY + b"\n",
        b" " + BODY,
    ],
    ids=["blanks", "indented", "sorted", "line break at the end", "blank in front"],
)
def test_a_body_that_was_written_anew_is_refused_and_the_usual_causes_are_told(rewritten: bytes) -> None:
    assert json.loads(rewritten) == json.loads(BODY)
    with pytest.raises(WebhookSignatureError) as caught:
        verify_webhook(rewritten, SIGNATURE, SECRET)
    assert str(caught.value) == MISMATCH


def test_the_signature_of_another_event_is_refused() -> None:
    other = BODY.replace(b"evt_1", b"evt_2")
    assert refusal(other, sign_webhook(other, SECRET)) is None
    assert refusal(other) is WebhookSignatureError


@each_row("signature", [None, "", " ", "\t \t"])
def test_without_a_signature_the_headers_that_may_hold_it_are_told(signature: Any) -> None:
    with pytest.raises(WebhookSignatureError) as caught:
        verify_webhook(BODY, signature, SECRET)
    assert str(caught.value) == (
        "there is no signature: no header `signature` and no `webhook-signature`, or an empty one; the sender is not "
        "Tazapay, or something on the way removed it"
    )


@each_row("signature", [b"", SIGNATURE.encode(), 0, False, [], object()], ids=lambda s: type(s).__name__)
def test_a_signature_that_is_no_text_is_refused_by_name(signature: Any) -> None:
    with pytest.raises(
        InvalidArgumentError,
        match=rf"^signature must be a str, .*signature_header\(headers\).*; got {type(signature).__name__}$",
    ) as caught:
        verify_webhook(BODY, signature, SECRET)
    assert caught.value.argument == "signature"


@pytest.mark.parametrize("created_at", ["2025-09-28T08:15:30Z", "2025-09-28 08:15:30"])
def test_an_object_within_a_signed_body_cannot_be_presented_as_a_body(created_at: str) -> None:
    head = f'{{"id":"evt_1","type":"collect.failed","created_at":"{created_at}","data":{{"metadata":'
    inner = json.dumps({"id": f"evt_1{head}", "type": "collect.succeeded", "created_at": f"}}}}{created_at}"})
    genuine = f"{head}{inner}}}}}".encode()
    signature = sign_webhook(genuine, SECRET)
    signed = json.loads(inner)["id"].encode() + inner.encode() + json.loads(inner)["created_at"].encode()
    made = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert made == signature, "the scheme alone would let it pass"
    with pytest.raises(WebhookPayloadError, match="^the event must have an `id`, .* without braces"):
        verify_webhook(inner.encode(), signature, SECRET)


@each_row("blank", [" ", "\t", "\r", "\n"], ids=ascii)
def test_a_blank_cannot_be_moved_from_the_body_into_a_signed_text(blank: str) -> None:
    for name, moved in (("id", f"evt_1{blank}"), ("created_at", f"{blank}7")):
        body = json.dumps({"id": "evt_1", "type": "x", "created_at": "7"} | {name: moved}).encode()
        with pytest.raises(WebhookPayloadError, match=f"^the event must have an? `{name}`"):
            sign_webhook(body, SECRET)


@each_row(
    ("value", "kind"),
    [
        (..., "missing or null"), (None, "missing or null"), ("", "a text of 0 characters"), (1, "a value of type int"),
        (True, "a value of type bool"), (["evt_1"], "a value of type list"), ({}, "a value of type dict"),
        ("evt 1", "a text of 5 characters"), ("evt_{", "a text of 5 characters"),
        ("evt_}", "a text of 5 characters"), ("évt_1", "a text of 5 characters"),
        ("evt_\x7f", "a text of 5 characters"), ("\ud800", "a text of 1 characters"),
        ("evt_1\n", "a text of 6 characters"), ("\0", "a text of 1 characters"),
    ],
    ids=ascii,
)  # fmt: skip
def test_an_event_without_a_readable_id_is_refused(value: Any, kind: str) -> None:
    event = {"type": "x", "created_at": 7} | ({} if value is ... else {"id": value})
    with pytest.raises(WebhookPayloadError) as caught:
        verify_webhook(json.dumps(event).encode(), SIGNATURE, SECRET)
    assert str(caught.value) == (
        "the event must have an `id`, visible ASCII characters without braces such as 'evt_1'; it is " + kind
    )


@each_row("name", ["!", "z", "|", "~", "evt_1", "00000000-0000-0000-0000-000000000000", "a:b/c.d", "x" * 999])
def test_an_id_of_visible_ascii_is_read(name: str) -> None:
    body = json.dumps({"id": name, "type": "x", "created_at": 7}).encode()
    assert verify_webhook(body, sign_webhook(body, SECRET), SECRET).id == name


@each_row("text", ["!", "~", "28 Sep 2025 ", "7}", "{"])
def test_a_created_at_of_any_ascii_text_is_signed_as_it_is(text: str) -> None:
    body = json.dumps({"id": "evt_1", "type": "x", "created_at": text}).encode()
    made = hmac.new(SECRET.encode(), b"evt_1" + body + text.encode(), hashlib.sha256).digest()
    assert verify_webhook(body, base64.b64encode(made).decode(), SECRET).raw["created_at"] == text


@each_row(
    ("value", "kind"),
    [
        ("", "missing or null"), ("null", "missing or null"), ("0", "a value of type int"),
        ("-0", "a value of type int"), ("-1", "a value of type int"), ("1.0", "a value of type float"),
        ("1e9", "a value of type float"), ("true", "a value of type bool"),
        ("[]", "a value of type list"), ("{}", "a value of type dict"), ('""', "a text of 0 characters"),
        ('" 7"', "a text of 2 characters"), ('"7\\n"', "a text of 2 characters"),
        ('"\\ud800"', "a text of 1 characters"), ('"7\\u007f"', "a text of 2 characters"),
        ('"７"', "a text of 1 characters"),
    ],
    ids=ascii,
)  # fmt: skip
def test_an_event_without_a_readable_created_at_is_refused(value: str, kind: str) -> None:
    body = '{"id":"evt_1","type":"x"' + (f',"created_at":{value}' if value else "") + "}"
    with pytest.raises(WebhookPayloadError) as caught:
        verify_webhook(body.encode(), SIGNATURE, SECRET)
    assert str(caught.value) == (
        "the event must have a `created_at`, a text such as '2025-09-28T08:15:30Z' or an integer greater than 0; it is "
        + kind
    )


@pytest.mark.parametrize("digits", ["1", "9" * 4300], ids=["shortest", "longest"])
def test_an_integer_is_signed_digit_by_digit(digits: str) -> None:
    body = f'{{"id":"evt_1","type":"x","created_at":{digits}}}'
    made = hmac.new(SECRET.encode(), f"evt_1{body}{digits}".encode(), hashlib.sha256).digest()
    assert refusal(body.encode(), base64.b64encode(made).decode()) is None


@each_row("kind", [..., None, "", 1, True, ["collect.succeeded"], {}], ids=ascii)
def test_a_signed_event_without_a_type_is_refused(kind: Any) -> None:
    event = {"id": "evt_1", "created_at": 7} | ({} if kind is ... else {"type": kind})
    body = json.dumps(event).encode()
    with pytest.raises(WebhookPayloadError, match="^the event must have a `type` such as 'collect.succeeded', a text "):
        verify_webhook(body, sign_webhook(body, SECRET), SECRET)
    assert refusal(body) is WebhookSignatureError, "nothing is said about an event that nobody signed"


BODIES = {
    "nothing": (b"", "expected JSON; Expecting value: line 1 column 1 (char 0)"),
    "text": (b"hello", "expected JSON; Expecting value: line 1 column 1 (char 0)"),
    "a form": (b"id=evt_1", "expected JSON; Expecting value: line 1 column 1 (char 0)"),
    "more after it": (BODY + b"x", "expected JSON; Extra data: line 1 column 121 (char 120)"),
    "a list": (b"[" + BODY + b"]", "the body must be a JSON object; it is a value of type list"),
    "a string": (b'"{}"', "the body must be a JSON object; it is a text of 2 characters"),
    "null": (b"null", "the body must be a JSON object; it is missing or null"),
    "Latin-1": ('{"id":"é"}'.encode("latin-1"), "the body is not UTF-8"),
    "UTF-16": (BODY.decode().encode("utf-16"), "the body is not UTF-8"),
    "UTF-16 without a mark": (BODY.decode().encode("utf-16-le"), "expected JSON; "),
    "a byte order mark": (b"\xef\xbb\xbf" + BODY, "expected JSON; Expecting value: line 1 column 1 (char 0)"),
    "half a surrogate pair": (b'{"id":"\xed\xa0\x80"}', "the body is not UTF-8"),
    "NaN": (b'{"id":NaN}', "expected JSON; NaN is not a number that JSON can hold"),
    "Infinity": (b'{"id":-Infinity}', "expected JSON; -Infinity is not a number that JSON can hold"),
    "beyond a double": (b'{"id":1e999}', "expected JSON; 1e999 is not a number that JSON can hold"),
    "long and beyond a double": (
        b'{"id":-' + b"9" * 4000 + b".0}",
        "expected JSON; -9999999999999999999 is not a number that JSON can hold",
    ),
    "5000 digits": (b'{"id":' + b"9" * 5000 + b"}", "expected JSON; Exceeds the limit (4300 digits)"),
    "deep lists": (b"[" * 2**20, "expected JSON; it is nested too deeply"),
    "deep objects": (b'{"a":' * 200_000, "expected JSON; it is nested too deeply"),
    "a key twice": (BODY[:-1] + b',"id":"evt_2"}', "expected JSON; the key 'id' comes twice in one object"),
    "a key twice, escaped": (BODY[:-1] + rb',"\u0069d":1}', "expected JSON; the key 'id' comes twice in one object"),
    "a key twice within": (b'{"data":[{"a":{"b":1,"c":2,"c":2,"b":1}}]}', "expected JSON; the key 'b' comes twice"),
    "a long key twice": (
        b'{"' + b"k" * 99 + b'":1,"' + b"k" * 99 + b'":1}',
        f"expected JSON; the key '{'k' * 39}... (101",
    ),
    "a key twice that is no word": (rb'{"\u001b[2J":1,"\u001b[2J":1}', r"expected JSON; the key '\x1b[2J' comes twice"),
    "a control character": (b'{"id":"\x1b"}', "expected JSON; Invalid control character at"),
}


@each_row(("body", "message"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_event_is_refused_before_its_signature_is_looked_at(body: bytes, message: str) -> None:
    for act in (lambda: verify_webhook(body, SIGNATURE, SECRET), lambda: sign_webhook(body, SECRET)):
        with pytest.raises(WebhookPayloadError) as caught:
            act()
        assert str(caught.value).startswith(message)
        assert len(str(caught.value)) < 300


def test_an_unreadable_body_is_kept_by_no_error_in_the_chain() -> None:
    for body in (b'{"payer":"private","payer":"x"}', b'{"payer":"private"', b'{"payer":"private"}\xff'):
        with pytest.raises(WebhookPayloadError) as caught:
            verify_webhook(body, SIGNATURE, SECRET)
        assert caught.value.__context__ is None
        assert "private" not in str(caught.value) + repr(vars(caught.value))


class Untouched(bytes):
    """A body whose length may be asked, and nothing else."""

    def decode(self, *args: Any, **kwargs: Any) -> str:
        raise AssertionError("it was decoded")

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("it was read")


def test_a_body_of_10_mb_is_refused_unread() -> None:
    body = Untouched(b'{"data":"' + b"x" * 10_000_000 + b'"}')
    for act in (lambda: verify_webhook(body, SIGNATURE, SECRET), lambda: sign_webhook(body, SECRET)):
        with pytest.raises(WebhookPayloadError, match="^the body has 10000011 bytes; at most 1048576 are read$"):
            act()


UNFIT = "one that is empty, has blanks around it, or holds half of a surrogate pair"
SECRETS = {
    "nothing": ("", UNFIT),
    "line break": ("canary-secret\n", UNFIT),
    "blank": (" canary-secret", UNFIT),
    "blanks only": (" ", UNFIT),
    "surrogate": ("canary-secret\ud800", UNFIT),
    "bytes": (b"canary-secret", "bytes"),
    "list": (["canary-secret"], "list"),
    "None": (None, "NoneType"),
}


@each_row(("secret", "got"), SECRETS.values(), ids=SECRETS.keys())
def test_what_cannot_be_a_secret_is_refused_by_name_and_not_shown(secret: Any, got: str) -> None:
    for act in (lambda: verify_webhook(BODY, SIGNATURE, secret), lambda: sign_webhook(BODY, secret)):
        with pytest.raises(InvalidArgumentError) as caught:
            act()
        assert str(caught.value) == f"secret must be the webhook secret of Tazapay's dashboard, a str; got {got}"
        assert caught.value.argument == "secret"
        assert caught.value.__context__ is None
        assert "canary" not in everything_shown_by(caught.value)


@pytest.mark.parametrize("headers", [{}, {"signature": SIGNATURE}], ids=["no signature", "another secret's"])
def test_a_refused_request_does_not_show_its_secret(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_WEBHOOK_SECRET", "canary-secret")
    for secret in (None, "canary-secret"):
        with pytest.raises(WebhookSignatureError) as caught:
            verify_webhook_request(BODY, headers, secret)
        assert "canary" not in everything_shown_by(caught.value)


@each_row(
    ("body", "signature", "tolerance"),
    [
        (BODY, "wrong", None), (BODY, "", None), (BODY, b"", None), (BODY, SIGNATURE, 0), (b"{}", SIGNATURE, None),
        (b"{", SIGNATURE, None), (b"\xff", SIGNATURE, None), (BODY.decode(), SIGNATURE, None),
        (b" " * 2**21, "a", None), (BODY, "right", 60), (BODY.replace(b'"type"', b'"kind"'), "right", None),
    ],
    ids=range(11),
)  # fmt: skip
def test_no_error_shows_the_secret_or_the_signature_that_would_be_right(
    body: Any, signature: Any, tolerance: Any
) -> None:
    secret = "canary-secret"
    right = sign_webhook(BODY, secret)
    if signature == "right":
        signature, right = sign_webhook(body, secret), "nothing: the sender knows it"
    with pytest.raises(TazapayError) as caught:
        verify_webhook(body, signature, secret, tolerance=tolerance)
    shown = everything_shown_by(caught.value)
    assert secret not in shown
    assert right not in shown


def test_no_log_shows_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"id":"evt_1","type":"x","created_at":"odd","data":"odd"}'
    with caplog.at_level("DEBUG"):
        verify_webhook(body, sign_webhook(body, "canary-secret"), "canary-secret")
    assert len(caplog.records) == 2
    assert "canary" not in caplog.text


def test_the_repr_of_a_secret_shows_nothing() -> None:
    assert repr(Secret("canary-secret")) == str(Secret("canary-secret")) == "Secret(...)"


json_like = st.text('{}[]",:0123456789.eE+-\\ud8aNaInfity tru').map(str.encode)
events = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("evt_1") | st.text() | st.integers(),
        "type": st.just("collect.succeeded") | st.text() | st.none(),
        "created_at": st.just("2025-09-28T08:15:30Z") | st.text() | st.integers() | st.floats() | st.booleans(),
        "data": st.text() | st.dictionaries(st.sampled_from(["id", "collect"]), st.text() | st.none()) | st.integers(),
    },
).map(lambda event: json.dumps(event).encode())


@given(
    st.binary() | json_like | events, st.lists(st.tuples(st.sampled_from(["signature", "b"]), st.text() | st.binary()))
)
def test_whatever_a_stranger_sends_is_a_webhook_error(body: bytes, headers: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(WebhookError):
        verify_webhook(body, signature_header(headers), SECRET, tolerance=60)


@given(events)
def test_whatever_is_signed_is_an_event_or_a_webhook_error(body: bytes) -> None:
    try:
        event = verify_webhook(body, sign_webhook(body, SECRET), SECRET)
    except WebhookPayloadError:
        return
    assert event.raw == json.loads(body)
    assert (event.id, event.type) == (event.raw["id"], event.raw["type"])
