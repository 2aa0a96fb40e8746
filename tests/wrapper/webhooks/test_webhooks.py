"""A webhook that Tazapay signed is accepted, and says what it says."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from tazapay_lightning import InvalidArgumentError, WebhookPayloadError, WebhookSignatureError
from tazapay_lightning.values.safe_text import kind
from tazapay_lightning.webhooks.body import MAX_BODY_BYTES
from tazapay_lightning.webhooks.verify import WebhookEvent, _check_age, sign_webhook, verify_webhook
from tests.support.tables import each_row

SECRET = "whsec_example"
MOMENT = datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)

# Each signature was made with openssl 3.0.19, from the id, the body and the text of created_at:
#
#     printf '%s' "$ID$BODY$CREATED_AT" | openssl dgst -sha256 -hmac whsec_example -binary | openssl base64 -A
#
# such as, for the first:
#
#     ID='evt_1'
#     CREATED_AT='2025-09-28T08:15:30Z'
#     BODY='{"id":"evt_1","type":"collect.succeeded","object":"event","created_at":"2025-09-28T08:15:30Z",'
#     BODY="$BODY"'"data":{"id":"col_98765"}}'
VECTORS = {
    "RFC 3339": (
        '{"id":"evt_1","type":"collect.succeeded","object":"event","created_at":"2025-09-28T08:15:30Z","data":{"id":"col_98765"}}',
        "2025-09-28T08:15:30Z",
        "HLjMHbhpG5wKIa7BtlOcWFCLrUhmuFrIDXKf1VTaJYM=",
        MOMENT,
    ),
    "one fractional digit": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":"2025-09-28T08:15:30.5Z"}',
        "2025-09-28T08:15:30.5Z",
        "LHr1PlVr57FyIBwwjQrQ2bNtCGkP2ilVzUKlSyGEvL4=",
        MOMENT.replace(microsecond=500_000),
    ),
    "nine fractional digits": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":"2025-09-28T08:15:30.120000000Z"}',
        "2025-09-28T08:15:30.120000000Z",
        "2Vl1pCab04wrtCz1JkMp8GdYmX3zOby1yklTmSXEWuQ=",
        MOMENT.replace(microsecond=120_000),
    ),
    "another zone": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":"2025-09-28T13:45:30+05:30"}',
        "2025-09-28T13:45:30+05:30",
        "DprlRsfcqwDzfd83Nqjtwc7nt0BTFAWcwpVOqFp0JzI=",
        MOMENT,
    ),
    "no zone": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":"2025-09-28 08:15:30"}',
        "2025-09-28 08:15:30",
        "t8LwdMakAEot1DvtMi/wytynZKv57+73xUVieglfUCA=",
        MOMENT,
    ),
    "an integer": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":1759047330}',
        "1759047330",
        "9QL3++nQUnw3dkJOWA4eggZbVEu/KhTnms2hk5CXgZk=",
        None,
    ),
    "escaped letters": (
        r'{"created_at":"\u0032025-09-28T08:15:30Z","id":"\u0065vt_1","type":"collect.succeeded"}',
        "2025-09-28T08:15:30Z",
        "nPNNiJ9ryDzE0hzcikgAZ+jKp8aJJ/2rRwhLO5R7Nh8=",
        MOMENT,
    ),
    "letters beyond ASCII": (
        '{"id":"evt_1","type":"collect.succeeded","created_at":"2025-09-28T08:15:30Z","data":{"payer":"Zoë €"}}',
        "2025-09-28T08:15:30Z",
        "qiUUTzb8TYcUeYrL7g9IDLQBPCWZwTr78JFPoagW/jY=",
        MOMENT,
    ),
}
vectors = pytest.mark.parametrize(("body", "created_at", "signature", "moment"), VECTORS.values(), ids=VECTORS.keys())


def body_of(**fields: Any) -> bytes:
    """Return the body of an event with these fields; those that are Ellipsis are left out."""
    event = {"id": "evt_1", "type": "collect.succeeded", "created_at": "2025-09-28T08:15:30Z", **fields}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def receive(**fields: Any) -> WebhookEvent:
    body = body_of(**fields)
    return verify_webhook(body, sign_webhook(body, SECRET), SECRET)


@vectors
def test_what_openssl_signed_is_accepted(body: str, created_at: str, signature: str, moment: datetime | None) -> None:
    event = verify_webhook(body.encode(), signature, SECRET)
    assert (event.id, event.type, event.created_at) == ("evt_1", "collect.succeeded", moment)
    assert event.raw == json.loads(body)


@vectors
def test_a_body_is_signed_as_openssl_does(body: str, created_at: str, signature: str, moment: datetime | None) -> None:
    assert sign_webhook(body.encode(), SECRET) == sign_webhook(bytearray(body.encode()), SECRET) == signature


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command on this machine")
@vectors
def test_openssl_on_this_machine_agrees(body: str, created_at: str, signature: str, moment: datetime | None) -> None:
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", SECRET, "-binary"],
        input=f"evt_1{body}{created_at}".encode(),
        capture_output=True,
        check=True,
    ).stdout
    done = subprocess.run(["openssl", "base64", "-A"], input=digest, capture_output=True, check=True)
    assert done.stdout.decode().strip() == signature


def test_a_secret_beyond_ascii_is_used_as_utf8() -> None:
    # printf '%s' "$ID$BODY$CREATED_AT" | openssl dgst -sha256 -hmac 'schlüssel' -binary | openssl base64 -A
    body = VECTORS["RFC 3339"][0].encode()
    assert sign_webhook(body, "schlüssel") == "d9QeAXOjqHDKatSy0Y/5f7mhMo7XxfGwPqP8j1zFLSY="


def test_a_bytearray_is_a_raw_body_too() -> None:
    body = bytearray(body_of())
    assert verify_webhook(body, sign_webhook(body, SECRET), SECRET).id == "evt_1"


def test_blanks_around_the_signature_do_not_matter() -> None:
    assert verify_webhook(body_of(), f" \t{sign_webhook(body_of(), SECRET)}\t ", SECRET).id == "evt_1"


def test_each_documented_field_is_read() -> None:
    event = receive(type="collect.failed", object="event", data={"id": "col_98765", "amount": 5, "new": [1]})
    assert (event.id, event.type, event.created_at) == ("evt_1", "collect.failed", MOMENT)
    assert event.data == {"id": "col_98765", "amount": 5, "new": [1]}
    assert event.collect_id == "col_98765"
    assert event.raw["object"] == "event"


@each_row("kind", ["collect.succeeded", "collect.detected", "collect.on_hold", "collect.", "x", "a b"])
def test_a_type_of_tomorrow_is_passed_on(kind: str) -> None:
    assert receive(type=kind).type == kind


@each_row(
    ("kind", "data", "expected"),
    [
        ("collect.succeeded", {"id": "col_1"}, "col_1"),
        ("collect.detected", {"id": "col_1", "collect": "col_2"}, "col_1"),
        ("collect.succeeded", {"id": "l11_1", "collect": "col_2"}, "col_2"),
        ("collect.succeeded", {"id": "xcol_1", "collect": "col_2"}, "col_2"),
        ("collect.succeeded", {"id": ["col_1"], "collect": "col_2"}, "col_2"),
        ("collect.succeeded", {"collect": "of another form"}, "of another form"),
        ("collect.succeeded", {"id": "l11_1"}, None),
        ("collect.succeeded", {"collect": ""}, None),
        ("collect.succeeded", {"collect": {"id": "col_2"}}, None),
        ("collect.succeeded", {}, None),
        ("refund.succeeded", {"id": "col_1", "collect": "col_2"}, None),
        ("collect", {"id": "col_1"}, None),
        ("xcollect.succeeded", {"id": "col_1"}, None),
    ],
)
def test_the_collect_of_a_collect_event_is_found(kind: str, data: object, expected: str | None) -> None:
    assert receive(type=kind, data=data).collect_id == expected


@pytest.mark.parametrize(
    "data", [{"id": "col_1"}, '{"id":"col_1"}', '"{\\"id\\":\\"col_1\\"}"'], ids=["object", "text", "text of a text"]
)
def test_data_is_read_in_whichever_way_it_was_sent(data: object) -> None:
    event = receive(data=data)
    assert event.data == {"id": "col_1"}
    assert event.collect_id == "col_1"
    assert event.raw["data"] == data


@pytest.mark.parametrize("data", [..., None, {}, "{}"], ids=["missing", "null", "{}", "'{}'"])
def test_data_that_is_empty_is_an_empty_mapping(data: object, caplog: pytest.LogCaptureFixture) -> None:
    assert receive(data=data).data == {}
    assert not caplog.records


@pytest.mark.parametrize(
    "data",
    [
        "",
        "private",
        "[]",
        '{"id":"private","id":"private"}',
        '"\\"{}\\""',
        '"private"',
        '{"id":NaN}',
        1,
        True,
        ["private"],
        "null",
    ],
    ids=repr,
)
def test_data_that_cannot_be_read_is_empty_with_a_warning_and_stays_in_raw(
    data: object, caplog: pytest.LogCaptureFixture
) -> None:
    event = receive(data=data)
    assert (event.data, event.collect_id, event.raw["data"]) == ({}, None, data)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "tazapay_lightning",
            "WARNING",
            f"`data` of the webhook evt_1 cannot be read: it is {kind(data)}; see its `raw`",
        )
    ]


def test_a_created_at_that_is_no_moment_is_none_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    event = receive(id="evt_" + "x" * 1000, created_at="28 Sep 2025")
    assert (event.created_at, event.raw["created_at"]) == (None, "28 Sep 2025")
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == (
        f"`created_at` of the webhook evt_{'x' * 56} cannot be read: it is a text of 11 characters; see its `raw`"
    )


def test_an_integer_as_created_at_is_documented_and_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    assert receive(created_at=1759047330).created_at is None
    assert not caplog.records


def test_an_event_cannot_be_changed() -> None:
    event: Any = receive(data={"id": "col_1"})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.type = "collect.failed"
    for mapping in (event.data, event.raw):
        with pytest.raises(TypeError):
            mapping["id"] = "col_2"


def test_the_repr_shows_what_happened_and_not_what_about() -> None:
    assert repr(receive(data={"id": "col_1", "payer": "private"})) == (
        f"WebhookEvent(id='evt_1', type='collect.succeeded', created_at={MOMENT!r}, collect_id='col_1')"
    )


def test_an_event_travels_and_compares() -> None:
    event = receive(data={"id": "col_1"})
    assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event  # noqa: S301 - our own bytes
    assert hash(copy.copy(event)) == hash(event)
    assert event != receive(data={"id": "col_2"})


def test_an_event_for_a_test_needs_no_more_than_an_id_and_a_type() -> None:
    event = WebhookEvent(id="evt_1", type="collect.succeeded")
    assert (event.created_at, event.data, event.collect_id, event.raw) == (None, {}, None, {})


def test_age_does_not_matter_without_a_tolerance() -> None:
    assert receive(created_at="1999-12-31T23:59:59Z").id == "evt_1"
    assert receive(created_at="9999-12-31T23:59:59Z").id == "evt_1"


@pytest.mark.parametrize("tolerance", [timedelta(hours=1), 3600, 3600.0])
def test_an_event_within_the_tolerance_is_accepted(tolerance: Any) -> None:
    for distance in (timedelta(), timedelta(minutes=30), -timedelta(minutes=30)):
        body = body_of(created_at=(datetime.now(UTC) - distance).isoformat())
        assert verify_webhook(body, sign_webhook(body, SECRET), SECRET, tolerance=tolerance).id == "evt_1"


@pytest.mark.parametrize("tolerance", [timedelta(hours=1), 3600, 3600.0])
def test_a_replayed_event_is_refused_if_a_tolerance_says_so(tolerance: Any) -> None:
    for distance, direction in ((timedelta(hours=2), "old"), (-timedelta(hours=2), "in the future")):
        body = body_of(created_at=(datetime.now(UTC) - distance).isoformat())
        with pytest.raises(WebhookSignatureError, match=f"s {direction}, and the tolerance is 3600.* 24 hours late"):
            verify_webhook(body, sign_webhook(body, SECRET), SECRET, tolerance=tolerance)


@pytest.mark.parametrize("sign", [1, -1], ids=["late", "early"])
def test_the_tolerance_itself_is_still_accepted(sign: int) -> None:
    _check_age(MOMENT, MOMENT + sign * timedelta(seconds=60), 60)
    with pytest.raises(WebhookSignatureError, match="the event is 60 s"):
        _check_age(MOMENT, MOMENT + sign * timedelta(seconds=60, microseconds=1), 60)


def test_a_tolerance_may_be_a_fraction_of_a_second() -> None:
    with pytest.raises(WebhookSignatureError, match="s old, and the tolerance is 0.1 s"):
        _check_age(MOMENT, MOMENT + timedelta(seconds=0.5), 0.1)


def test_an_age_is_told_in_full_seconds() -> None:
    with pytest.raises(WebhookSignatureError) as caught:
        _check_age(MOMENT, MOMENT + timedelta(seconds=89.6), 60.5)
    assert str(caught.value) == (
        "the event is 90 s old, and the tolerance is 60.5 s. Genuine retries come up to 24 hours late: leave "
        "the tolerance out and act once per event id"
    )


@pytest.mark.parametrize("text", ["0002-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_the_calendar_are_outside_of_any_sensible_tolerance(text: str) -> None:
    body = body_of(created_at=text)
    with pytest.raises(WebhookSignatureError, match="the tolerance is 60 s"):
        verify_webhook(body, sign_webhook(body, SECRET), SECRET, tolerance=60)


@pytest.mark.parametrize("created_at", [1759047330, "28 Sep 2025"])
def test_an_event_without_a_moment_cannot_be_within_a_tolerance(created_at: object) -> None:
    body = body_of(created_at=created_at)
    with pytest.raises(WebhookPayloadError, match="^the event's age cannot be told: .* verify it without a tolerance$"):
        verify_webhook(body, sign_webhook(body, SECRET), SECRET, tolerance=10**10)


@each_row(
    "tolerance", [0, -1, 0.0, float("nan"), float("inf"), True, "60", timedelta(), -timedelta(seconds=1)], ids=repr
)
def test_a_tolerance_that_cannot_be_meant_is_refused_by_name(tolerance: Any) -> None:
    with pytest.raises(
        InvalidArgumentError,
        match="^tolerance must be seconds as a number, or a timedelta, greater than 0",
    ) as caught:
        verify_webhook(body_of(), "any", SECRET, tolerance=tolerance)
    assert caught.value.argument == "tolerance"


@each_row("payload", ["{}", {}, None, memoryview(b"{}"), 1], ids=lambda payload: type(payload).__name__)
def test_a_payload_that_is_not_raw_is_refused_with_the_way_to_get_it(payload: Any) -> None:
    advice = (
        r"^payload must be the raw body as bytes, before any JSON parsing: .*request\.body\(\).*get_data\(\).*; got "
    )
    for act in (lambda: verify_webhook(payload, "any", SECRET), lambda: sign_webhook(payload, SECRET)):
        with pytest.raises(InvalidArgumentError, match=f"{advice}{type(payload).__name__}$") as caught:
            act()
        assert caught.value.argument == "payload"


def test_a_body_of_1_mib_is_the_longest_that_is_read() -> None:
    body = body_of(data={"pad": ""})
    body = body.replace(b'""', b'"' + b"x" * (MAX_BODY_BYTES - len(body)) + b'"')
    assert len(body) == MAX_BODY_BYTES == 2**20
    assert verify_webhook(body, sign_webhook(body, SECRET), SECRET).id == "evt_1"
    with pytest.raises(WebhookPayloadError, match="^the body has 1048577 bytes; at most 1048576 are read$"):
        verify_webhook(body + b"\n", "any", SECRET)
