"""The bounds of an expiry and of an idempotency key, to the unit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tazapay_lightning import InvalidArgumentError
from tazapay_lightning.request import InvoiceRequest, check_idempotency_key


@pytest.mark.parametrize(
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
    with pytest.raises(InvalidArgumentError, match="at most 86399999999999$"):
        InvoiceRequest.build(amount_sats=1, expires_in=86_400_000_000_000)


@pytest.mark.parametrize("key", ["!", "~", "k" * 255])
def test_a_key_is_1_to_255_visible_characters(key: str) -> None:
    assert check_idempotency_key(key) == key


def test_the_repr_of_a_request_shows_no_memo_and_no_metadata() -> None:
    request = InvoiceRequest.build(amount_sats=1, memo="for your eyes only", metadata={"order_id": "7890"})
    assert repr(request) == "InvoiceRequest(amount_sats=1, memo_hash=None, expires_in=None)"
