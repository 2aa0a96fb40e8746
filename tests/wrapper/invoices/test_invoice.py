"""What becomes of the service's object, and of what it does not say."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tazapay_lightning import MAX_SATS, Difference, Invoice, UnexpectedResponseError
from tazapay_lightning.transport.replies import Reply
from tazapay_lightning.values.safe_text import kind
from tests.support.service import invoice_object
from tests.support.tables import each_row


def read(**fields: Any) -> Invoice:
    return Invoice.from_payload(invoice_object(**fields))


def test_each_documented_field_is_read() -> None:
    invoice = read(d_tag_memo="Payment for order #7890", h_tag_memo="ab" * 32)
    assert (invoice.id, invoice.collect_id) == ("l11_abc123xyz", "col_98765")
    assert (invoice.amount_sats, invoice.amount_btc) == (123456, Decimal("0.00123456"))
    assert (invoice.memo, invoice.memo_hash) == ("Payment for order #7890", "ab" * 32)
    assert (invoice.status, invoice.payment_status) == ("active", "unpaid")
    assert invoice.expiry_interval == 3600
    assert invoice.metadata == {"order_id": "7890", "customer_id": "cust_456"}
    assert invoice.created_at == datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)
    assert invoice.updated_at == datetime(2025, 9, 28, 8, 20, 45, tzinfo=UTC)
    assert invoice.expires_at == datetime(2025, 9, 28, 9, 15, 30, tzinfo=UTC)


def test_raw_keeps_everything_that_came() -> None:
    assert read(payment_request="lnbc1", nested={"a": [1]}).raw == invoice_object(
        payment_request="lnbc1", nested={"a": [1]}
    )


@each_row(
    ("fields", "expected"),
    [
        ({"h_tag": "aa"}, "aa"),
        ({"h_tag_memo": None, "h_tag": "aa"}, "aa"),
        ({"h_tag_memo": "bb", "h_tag": "aa"}, "bb"),
        ({}, None),
    ],
)
def test_the_memo_hash_is_read_under_both_of_its_names(fields: dict[str, Any], expected: str | None) -> None:
    assert read(**fields).memo_hash == expected


def test_a_moment_is_read_as_an_aware_datetime() -> None:
    assert read(created_at="2025-09-28 08:15:30").created_at == datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["now", "", 1759047330, {}], ids=repr)
def test_a_moment_in_another_form_is_none_with_a_warning(text: object, caplog: pytest.LogCaptureFixture) -> None:
    assert read(created_at=text).created_at is None
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == (f"`created_at` of the invoice cannot be read: it is {kind(text)}; see its `raw`")


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("d_tag_memo", "memo"), ("h_tag_memo", "memo_hash"), ("status", "status"), ("payment_status", "payment_status"),
        ("expiry_interval", "expiry_interval"), ("collect", "collect_id"), ("created_at", "created_at"),
        ("updated_at", "updated_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_none_with_a_warning_and_stays_in_raw(
    name: str, attribute: str, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [{"private": "value"}]
    invoice = read(**{name: odd})
    assert getattr(invoice, attribute) is None
    assert invoice.raw[name] == odd
    assert len(caplog.records) == 1
    assert f"`{name}`" in caplog.records[0].getMessage()
    assert "private" not in caplog.text


@pytest.mark.parametrize("metadata", [None, {}, "{}", '"{}"'])
def test_metadata_that_is_empty_is_an_empty_mapping(metadata: object, caplog: pytest.LogCaptureFixture) -> None:
    assert read(metadata=metadata).metadata == {}
    assert not caplog.records


def test_metadata_that_cannot_be_read_is_empty_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert read(metadata="order 7890").metadata == {}
    assert "`metadata`" in caplog.text


@each_row(
    ("interval", "expected"),
    [(60, 60), ("60", 60), (60.0, 60), (0, 0), (60.5, None), (-1, None), (True, None), ("soon", None)],
)
def test_an_expiry_is_whole_seconds_or_none(interval: object, expected: int | None) -> None:
    assert read(expiry_interval=interval).expiry_interval == expected


@pytest.mark.parametrize("fields", [{"created_at": None}, {"expiry_interval": None}, {"expiry_interval": 10**12}])
def test_the_time_of_expiry_is_none_if_it_cannot_be_known(fields: dict[str, Any]) -> None:
    invoice = read(**fields)
    assert (invoice.expires_at, invoice.is_expired) == (None, False)


@each_row(("status", "expected"), [("paid", True), ("unpaid", False), ("partial", False), (None, False)])
def test_only_paid_is_paid(status: str | None, expected: bool) -> None:
    assert read(payment_status=status).is_paid is expected


def test_an_invoice_expires_when_the_service_says_so_or_its_time_has_passed() -> None:
    now = datetime.now(UTC)
    assert read(created_at=now.isoformat().replace("+00:00", "Z"), status="expired").is_expired
    assert read(created_at=(now - timedelta(seconds=61)).isoformat()[:19] + "Z", expiry_interval=60).is_expired
    assert not read(created_at=now.isoformat()[:19] + "Z", expiry_interval=60).is_expired


def test_a_paid_invoice_does_not_expire_by_the_clock() -> None:
    assert not read(created_at="2025-09-28T08:15:30Z", payment_status="paid").is_expired


def test_an_invoice_is_frozen() -> None:
    invoice = read()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        invoice.amount_sats = 1  # type: ignore[misc]  # the wrong type is what is tested
    for mapping in (invoice.metadata, invoice.raw):
        with pytest.raises(TypeError):
            mapping["order_id"] = "1"  # type: ignore[index]  # the wrong type is what is tested


def test_an_invoice_is_hashable_and_survives_copies_and_pickles() -> None:
    invoice = attrs.evolve(read(), differences=(Difference("memo", "a", None),), idempotency_key="k")
    for twin in (copy.copy(invoice), copy.deepcopy(invoice), pickle.loads(pickle.dumps(invoice))):  # noqa: S301 - our own bytes
        assert twin == invoice
        assert hash(twin) == hash(invoice)


def test_the_repr_of_an_invoice_holds_no_memo_and_no_metadata() -> None:
    shown = repr(read(d_tag_memo="for your eyes only"))
    assert "l11_abc123xyz" in shown
    assert "eyes" not in shown
    assert "7890" not in shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing nested JSON is slow on a busy machine
@given(st.integers(0, MAX_SATS), st.fixed_dictionaries({}, optional=dict.fromkeys(invoice_object(), json_values)))
def test_to_dict_is_ready_for_json_whatever_came(amount: int, fields: dict[str, object]) -> None:
    shown = Invoice.from_payload({**fields, "id": "l11_1", "amount": amount}).to_dict()
    assert json.loads(json.dumps(shown, allow_nan=False))["amount_sats"] == amount


def test_to_dict_holds_every_public_attribute() -> None:
    methods = {"from_payload", "from_reply", "reply", "to_dict", "qr_svg", "qr_png", "qr_terminal"}
    public = {name for name in dir(Invoice) if not name.startswith("_")} - methods
    assert set(read().to_dict()) == public


def test_to_dict_writes_btc_as_text_and_moments_in_iso_8601() -> None:
    shown = read().to_dict()
    assert (shown["amount_btc"], shown["created_at"]) == ("0.00123456", "2025-09-28T08:15:30+00:00")


def test_to_dict_is_this_dict() -> None:
    invoice = attrs.evolve(
        read(d_tag_memo="Order", h_tag_memo="ab" * 32, status="expired"),
        differences=(Difference("memo", "a", "Order"),),
        idempotency_key="order-7890",
    )
    assert invoice.to_dict() == {
        "id": "l11_abc123xyz",
        "amount_sats": 123456,
        "amount_btc": "0.00123456",
        "memo": "Order",
        "memo_hash": "ab" * 32,
        "status": "expired",
        "payment_status": "unpaid",
        "is_paid": False,
        "is_expired": True,
        "expiry_interval": 3600,
        "expires_at": "2025-09-28T09:15:30+00:00",
        "collect_id": "col_98765",
        "metadata": {"order_id": "7890", "customer_id": "cust_456"},
        "created_at": "2025-09-28T08:15:30+00:00",
        "updated_at": "2025-09-28T08:20:45+00:00",
        "bolt11": None,
        "lightning_uri": None,
        "seconds_left": 0.0,
        "differences": [{"field": "memo", "asked": "a", "received": "Order"}],
        "idempotency_key": "order-7890",
        "raw": invoice_object(d_tag_memo="Order", h_tag_memo="ab" * 32, status="expired"),
    }


@each_row(
    ("fields", "message"),
    [
        ({"id": None}, "the invoice in the reply has no readable `id`: it is missing or null"),
        ({"id": 7}, "the invoice in the reply has no readable `id`: it is a value of type int"),
        ({"amount": None}, "the invoice in the reply has no readable `amount`: it is missing or null"),
        ({"amount": "x"}, "the invoice in the reply has no readable `amount`: it is a text of 1 characters"),
    ],
)
def test_an_object_without_the_essentials_is_told_in_these_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        read(**fields)
    assert str(caught.value) == message


def test_a_reply_without_an_object_is_told_in_these_words() -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        Invoice.from_reply(Reply(status_code=201, data=[]))
    assert str(caught.value) == "the reply (201) holds no invoice: no object in its `data`"


def test_an_amount_is_read_up_to_all_bitcoin() -> None:
    assert read(amount=MAX_SATS).amount_sats == MAX_SATS
    with pytest.raises(UnexpectedResponseError):
        read(amount=MAX_SATS + 1)


def test_a_date_from_before_the_invoice_was_made_is_not_taken_for_the_services_time() -> None:
    made = datetime.now(UTC)
    payload = {"id": "l11_1", "amount": 1, "created_at": made.isoformat(), "expiry_interval": 600}
    invoice = Invoice.from_reply(
        Reply(status_code=200, headers={"date": "Mon, 01 Jan 1996 00:00:00 GMT"}, data=payload)
    )
    assert invoice.seconds_left is not None
    assert 0 < invoice.seconds_left <= 600


@each_row("zone", ["Z", "+05:00", "-05:00"])
@each_row("date", ["Fri, 27 Nov 2026 20:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "no date"])
def test_a_moment_that_go_did_not_set_is_none_and_expires_nothing(zone: str, date: str) -> None:
    reply = Reply(status_code=200, headers={"date": date})
    payload = {"id": "l11_1", "amount": 1, "created_at": f"0001-01-01T00:00:00{zone}", "expiry_interval": 3600}
    invoice = Invoice.from_payload(payload, reply=reply)
    assert (invoice.created_at, invoice.expires_at, invoice.is_expired, invoice.expiry_interval) == (
        None,
        None,
        False,
        3600,
    )


@each_row("expiry", [10**400, "9" * 20, 1e300, 86_400_000_000_000])
def test_an_expiry_that_no_clock_reaches_is_none(expiry: object) -> None:
    payload = {"id": "l11_1", "amount": 1, "created_at": "2026-03-01T12:00:00Z", "expiry_interval": expiry}
    invoice = Invoice.from_payload(payload)
    assert (invoice.expiry_interval, invoice.expires_at, invoice.is_expired) == (None, None, False)
    assert invoice.to_dict()["raw"] == payload


def test_the_largest_amount_is_read() -> None:
    assert Invoice.from_payload({"id": "l11_1", "amount": MAX_SATS}).amount_sats == MAX_SATS
