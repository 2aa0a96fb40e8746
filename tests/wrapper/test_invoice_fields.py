"""How each field of an invoice is read: what is essential or an error, and everything else or None, with a warning."""

from __future__ import annotations

import pytest

from tazapay_lightning import MAX_SATS, UnexpectedResponseError
from tazapay_lightning.invoices.fields import essential_amount, essential_id, optional, seconds, text


def test_an_id_is_a_text_that_is_not_empty() -> None:
    assert essential_id("l11_1") == "l11_1"


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "missing"),
        ("", "of type str, not readable"),
        (7, "of type int, not readable"),
        ([], "of type list, not readable"),
    ],
)
def test_nothing_else_is_an_id(value: object, shape: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        essential_id(value)
    assert str(caught.value) == f"the invoice in the reply has no id: `id` is {shape}"


@pytest.mark.parametrize(
    ("value", "amount"),
    [(0, 0), (1, 1), (123456.0, 123456), ("123456", 123456), (MAX_SATS, MAX_SATS), ("0" * 19 + "7", 7)],
)
def test_an_amount_is_a_whole_number_however_it_is_written(value: object, amount: int) -> None:
    read = essential_amount(value)
    assert (read, type(read)) == (amount, int)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "missing"),
        (True, "of type bool, not readable"),
        (-1, "of type int, not readable"),
        (MAX_SATS + 1, "of type int, not readable"),
        (1.5, "of type float, not readable"),
        (float("nan"), "of type float, not readable"),
        ("", "of type str, not readable"),
        ("-1", "of type str, not readable"),
        ("1 ", "of type str, not readable"),
        ("1" * 21, "of type str, not readable"),
        ([1], "of type list, not readable"),
    ],
)
def test_nothing_else_is_an_amount(value: object, shape: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        essential_amount(value)
    assert str(caught.value) == f"the invoice in the reply has no amount in satoshi: `amount` is {shape}"


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (600, 600), (600.0, 600), ("600", 600)])
def test_a_number_of_seconds_is_read(value: object, expected: int) -> None:
    assert optional({"expiry_interval": value}, "expiry_interval", seconds) == expected


@pytest.mark.parametrize("payload", [{}, {"memo": None}])
def test_what_is_absent_or_null_is_none_without_a_warning(
    payload: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    assert optional(payload, "memo", text) is None
    assert not caplog.records


@pytest.mark.parametrize(("value", "kind"), [(7, "int"), ([], "list"), (True, "bool")])
def test_what_is_no_text_is_none_with_a_warning(value: object, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert optional({"memo": value}, "memo", text) is None
    assert [record.getMessage() for record in caplog.records] == [
        f"the service sent `memo` in a form that cannot be read (of type {kind}, not readable); see Invoice.raw"
    ]


@pytest.mark.parametrize("value", [-1, 1.5, "soon", True, []], ids=repr)
def test_what_is_no_number_of_seconds_is_none_with_a_warning(value: object, caplog: pytest.LogCaptureFixture) -> None:
    assert optional({"expiry_interval": value}, "expiry_interval", seconds) is None
    assert len(caplog.records) == 1
