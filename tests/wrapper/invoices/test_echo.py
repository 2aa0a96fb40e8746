"""The invoice that comes back is compared with what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tazapay_lightning import Difference, InvoiceMismatchError, hash_memo
from tests.support.service import Answering, Create, envelope, invoice_object

ASKED: dict[str, Any] = {"amount_sats": 123456, "memo": "Order", "expires_in": 3600}


def answering(**fields: Any) -> Answering:
    return Answering(200, envelope(invoice_object(**{"d_tag_memo": "Order", **fields})))


def test_an_invoice_as_asked_for_has_no_differences(
    create_everywhere: Create, caplog: pytest.LogCaptureFixture
) -> None:
    assert create_everywhere(answering(), **ASKED).differences == ()
    assert not [record for record in caplog.records if record.name == "tazapay_lightning"]


@pytest.mark.parametrize("amount", [1, 123455, 12345600, 0])
def test_another_amount_is_an_error_that_carries_the_invoice(amount: int, create: Create) -> None:
    with pytest.raises(InvoiceMismatchError, match="asked for 123456 satoshi.*do not show it to a payer") as caught:
        create(answering(amount=amount), **ASKED)
    assert caught.value.differences == (Difference("amount_sats", 123456, amount),)
    assert caught.value.invoice is not None
    assert (caught.value.invoice.amount_sats, caught.value.invoice.differences) == (amount, caught.value.differences)


def test_without_check_echo_another_amount_is_only_listed(create: Create) -> None:
    invoice = create(answering(amount=1), client={"check_echo": False}, **ASKED)
    assert invoice.differences == (Difference("amount_sats", 123456, 1),)


@pytest.mark.parametrize(
    ("arguments", "fields", "difference"),
    [
        ({"memo": "Order"}, {"d_tag_memo": "Another"}, Difference("memo", "Order", "Another")),
        ({"memo": "Order"}, {"d_tag_memo": None}, Difference("memo", "Order", None)),
        ({}, {"d_tag_memo": "Nobody asked"}, Difference("memo", None, "Nobody asked")),
        ({"memo_hash": "ab" * 32}, {"h_tag_memo": "cd" * 32}, Difference("memo_hash", "ab" * 32, "cd" * 32)),
        ({"memo_hash": "ab" * 32}, {}, Difference("memo_hash", "ab" * 32, None)),
        ({}, {"d_tag_memo": None, "h_tag_memo": "cd" * 32}, Difference("memo_hash", None, "cd" * 32)),
        ({"memo": "Order", "expires_in": 60}, {}, Difference("expiry_interval", 60, 3600)),
        ({"memo": "Order", "expires_in": 60}, {"expiry_interval": None}, Difference("expiry_interval", 60, None)),
    ],
)
def test_other_differences_are_listed_and_logged_without_their_values(
    arguments: dict[str, Any],
    fields: dict[str, Any],
    difference: Difference,
    create: Create,
    caplog: pytest.LogCaptureFixture,
) -> None:
    invoice = create(answering(**fields), amount_sats=123456, **arguments)
    assert invoice.differences == (difference,)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"{difference.field} differ; see Invoice.differences" in warning
    assert not any(str(value) in warning for value in (difference.asked, difference.received) if value is not None)


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"memo_hash": "AB" * 32}, {"h_tag_memo": "ab" * 32}),
        ({"memo": "Order", "memo_as_hash": True}, {"d_tag_memo": None, "h_tag_memo": hash_memo("Order")}),
        ({"memo": "Order", "memo_as_hash": True}, {"d_tag_memo": None, "h_tag": hash_memo("Order")}),
        ({}, {"d_tag_memo": ""}),
        ({}, {"d_tag_memo": None, "h_tag_memo": ""}),
        ({}, {"d_tag_memo": None, "expiry_interval": 7}),
    ],
)
def test_what_means_the_same_is_no_difference(
    arguments: dict[str, Any], fields: dict[str, Any], create: Create
) -> None:
    assert create(answering(**fields), amount_sats=123456, **arguments).differences == ()


def test_a_mismatch_is_told_in_these_words(create_everywhere: Create) -> None:
    with pytest.raises(InvoiceMismatchError) as caught:
        create_everywhere(answering(amount=7), **ASKED)
    assert caught.value.args[0] == (
        "asked for 123456 satoshi, but invoice l11_abc123xyz is over 7 satoshi; do not show it to a payer. "
        "An idempotency key that was used before for another amount is answered with the "
        "invoice of that time"
    )


@pytest.mark.parametrize(("length", "shown"), [(80, "i" * 80), (81, "i" * 80 + "...")])
def test_other_differences_are_logged_in_these_words(
    length: int, shown: str, create: Create, caplog: pytest.LogCaptureFixture
) -> None:
    create(answering(id="i" * length, d_tag_memo="Another", expiry_interval=7), **ASKED)
    assert [record.getMessage() for record in caplog.records if record.name == "tazapay_lightning"] == [
        f"invoice {shown} is not quite what was asked for: memo, expiry_interval differ; see Invoice.differences"
    ]
