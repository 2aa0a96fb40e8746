from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.api.fields import MAX_AMOUNT, MAX_EXPIRY_INTERVAL, read_fields
from tazapay_lightning_emulator.invoices.invoice import InvoiceFields
from tests.support.plain_http import NO_TLS
from tests.support.thorough import THOROUGH

Post = Callable[..., httpx.Response]

MEMO_HASH = "5EA5A55F" * 4 + "8d20aa4d" * 4


def test_a_whole_invoice_is_replied_with_the_documented_fields(post: Post) -> None:
    reply = post(
        {
            "amount": 123456,
            "d_tag_memo": "Payment for order #7890",
            "expiry_interval": 4800,
            "metadata": '{"order_id":"7890","lines":[1,2.5,null,true]}',
        }
    )
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    envelope = reply.json()
    data = envelope.pop("data")
    assert envelope == {"status": "success", "message": ""}
    assert re.fullmatch(r"l11_[0-9a-f]{24}", data.pop("id"))
    assert re.fullmatch(r"col_[0-9a-f]{24}", data.pop("collect"))
    assert data.pop("payment_request").startswith("lnbcrt1234560n1")
    assert data.pop("created_at") == data.pop("updated_at")
    assert data == {
        "object": "lightning_invoice_bolt11",
        "amount": 123456,
        "d_tag_memo": "Payment for order #7890",
        "expiry_interval": 4800,
        "metadata": {"order_id": "7890", "lines": [1, 2.5, None, True]},
        "status": "active",
        "payment_status": "unpaid",
    }


def test_the_amount_alone_is_enough(post: Post) -> None:
    data = post({"amount": 1}).json()["data"]
    assert (data["amount"], data["expiry_interval"], data["metadata"]) == (1, 3600, {})
    assert not {"d_tag_memo", "h_tag_memo"} & data.keys()


def test_of_two_memos_only_the_hash_is_used(post: Post, emulator: Emulator) -> None:
    data = post({"amount": 1, "d_tag_memo": "secret order", "h_tag_memo": MEMO_HASH}).json()["data"]
    assert data["h_tag_memo"] == MEMO_HASH
    assert "d_tag_memo" not in data
    assert "secret order" not in json.dumps(emulator.invoices())


def test_metadata_may_be_an_object_as_well_as_its_json_text(post: Post) -> None:
    as_object = post({"amount": 1, "metadata": {"order": {"id": "ü"}}}).json()["data"]["metadata"]
    as_text = post({"amount": 1, "metadata": '{"order": {"id": "\\u00fc"}}'}).json()["data"]["metadata"]
    assert as_object == as_text == {"order": {"id": "ü"}}


def test_unknown_fields_are_passed_over(post: Post) -> None:
    reply = post({"amount": 1, "a_field_of_tomorrow": {"deep": [None]}})
    assert reply.status_code == 200
    assert "a_field_of_tomorrow" not in reply.text


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 1},
        {"amount": MAX_AMOUNT},
        {"amount": 1, "d_tag_memo": ""},
        {"amount": 1, "d_tag_memo": "a" * 639},
        {"amount": 1, "d_tag_memo": "ü" * 319},
        {"amount": 1, "d_tag_memo": "\x00 and \U0001f600"},
        {"amount": 1, "expiry_interval": 1},
        {"amount": 1, "expiry_interval": MAX_EXPIRY_INTERVAL},
    ],
)
def test_what_is_just_within_bounds_comes_back_unchanged(post: Post, fields: dict[str, Any]) -> None:
    data = post(fields).json()["data"]
    assert {name: data[name] for name in fields} == fields


@pytest.mark.parametrize("content_type", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"])
def test_the_content_type_is_json_in_any_spelling(post: Post, content_type: str) -> None:
    assert post(content=b'{"amount":1}', headers={"Content-Type": content_type}).status_code == 200


def test_with_data_as_string_the_data_is_the_json_text_of_the_same_object() -> None:
    with running_emulator(data_as_string=True) as emulator:
        reply = httpx.post(
            f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            auth=(emulator.api_key, emulator.api_secret),
            json={"amount": 21, "d_tag_memo": "Zürich"},
            trust_env=False,
            verify=NO_TLS,
        )
        [stored] = emulator.invoices()
    data = reply.json()["data"]
    assert isinstance(data, str)
    invoice = json.loads(data)
    assert (invoice["amount"], invoice["d_tag_memo"]) == (21, "Zürich")
    assert stored == {**invoice, "idempotency_key": None, "replays": 0}


def test_times_are_whole_seconds_of_utc_by_the_emulators_clock(call_app: Post) -> None:
    two_hours_ahead = timezone(timedelta(hours=2))
    app = create_app(now=lambda: datetime(2025, 9, 28, 10, 15, 30, 999_999, tzinfo=two_hours_ahead))
    data = call_app(app, json={"amount": 1}).json()["data"]
    assert data["created_at"] == data["updated_at"] == "2025-09-28T08:15:30Z"


def test_without_another_clock_the_time_is_now(post: Post) -> None:
    created_at = datetime.fromisoformat(post({"amount": 1}).json()["data"]["created_at"])
    assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=1)


memos = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: len(text.encode()) <= 639)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | memos,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(memos, values, max_size=4),
    max_leaves=10,
)


@settings(max_examples=200 if THOROUGH else 30, deadline=None)
@given(
    amount=st.integers(1, MAX_AMOUNT),
    memo=st.none() | memos,
    memo_hash=st.none() | st.text("0123456789abcdefABCDEF", min_size=64, max_size=64),
    expiry_interval=st.none() | st.integers(1, MAX_EXPIRY_INTERVAL),
    metadata=st.none() | st.dictionaries(memos, json_values, max_size=4),
    as_text=st.booleans(),
)
def test_every_acceptable_request_is_read_as_it_was_meant(
    amount: int,
    memo: str | None,
    memo_hash: str | None,
    expiry_interval: int | None,
    metadata: dict[str, Any] | None,
    as_text: bool,
) -> None:
    request = {
        "amount": amount,
        "d_tag_memo": memo,
        "h_tag_memo": memo_hash,
        "expiry_interval": expiry_interval,
        "metadata": json.dumps(metadata) if as_text and metadata is not None else metadata,
    }
    fields = read_fields({name: value for name, value in request.items() if value is not None})
    assert fields == InvoiceFields(
        amount=amount,
        d_tag_memo=memo if memo_hash is None else None,
        h_tag_memo=memo_hash,
        expiry_interval=expiry_interval or 3600,
        metadata=metadata or {},
    )
