"""The bounds of an expiry and of an idempotency key, to the unit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tazapay_lightning import InvalidArgumentError, hash_memo
from tazapay_lightning.invoices.request import InvoiceRequest, check_idempotency_key
from tests.support.tables import each_row


@each_row(
    ("expires_in", "seconds"),
    [
        (1, 1),
        (timedelta(seconds=1), 1),
        (86_399_999_999_999, 86_399_999_999_999),
        (timedelta(days=1, seconds=1), 86401),
    ],
)
def test_an_expiry_is_at_least_a_second_and_at_most_what_a_timedelta_holds(
    expires_in: int | timedelta, seconds: int
) -> None:
    assert InvoiceRequest.build(amount_sats=1, expires_in=expires_in).expires_in == seconds


def test_an_expiry_of_a_second_more_than_a_timedelta_holds_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="an int from 1 to 86399999999999 seconds.*; got 86400000000000$"):
        InvoiceRequest.build(amount_sats=1, expires_in=86_400_000_000_000)


@pytest.mark.parametrize("key", ["!", "~", "k" * 255])
def test_a_key_is_1_to_255_visible_characters(key: str) -> None:
    assert check_idempotency_key(key) == key


def test_the_repr_of_a_request_shows_no_memo_and_no_metadata() -> None:
    request = InvoiceRequest.build(amount_sats=1, memo="for your eyes only", metadata={"order_id": "7890"})
    assert repr(request) == "InvoiceRequest(amount_sats=1, memo_hash=None, expires_in=None)"


HASH = hash_memo("Order")


@each_row(
    ("arguments", "memo", "memo_hash"),
    [
        ({}, None, None),
        ({"memo": "Order"}, "Order", None),
        ({"memo": "Order", "memo_as_hash": True}, None, HASH),
        ({"memo_hash": "ab" * 32}, None, "ab" * 32),
        ({"memo": "Order", "memo_hash": HASH}, None, HASH),
        ({"memo": "Order", "memo_hash": HASH, "memo_as_hash": True}, None, HASH),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_memo_or_its_hash_goes_out_and_never_both(
    arguments: dict[str, Any], memo: str | None, memo_hash: str | None
) -> None:
    request = InvoiceRequest.build(amount_sats=1, **arguments)
    assert (request.memo, request.memo_hash) == (memo, memo_hash)


def test_a_hash_of_another_memo_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="^memo_hash is not the SHA-256") as caught:
        InvoiceRequest.build(amount_sats=1, memo="Another", memo_hash=HASH)
    assert caught.value.argument == "memo_hash"


def test_an_amount_is_in_satoshi_however_it_was_given() -> None:
    assert InvoiceRequest.build(amount_sats=123456).amount_sats == 123456
    assert InvoiceRequest.build(amount_btc="0.00123456").amount_sats == 123456


def test_metadata_is_what_was_given_or_none() -> None:
    assert InvoiceRequest.build(amount_sats=1, metadata={"a": [1]}).metadata == {"a": [1]}
    assert InvoiceRequest.build(amount_sats=1).metadata is None


def test_an_int_of_btc_is_refused_in_words_that_show_it() -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        InvoiceRequest.build(amount_btc=123456)
    expected = 'amount_btc must be a str or a Decimal, such as "0.00123456"; got the int 123456'
    assert str(refused.value) == expected
