"""How each field of an invoice is read: what is essential or an error, and everything else or None, with a warning."""

from __future__ import annotations

import pytest

from tazapay_lightning import MAX_SATS, UnexpectedResponseError
from tazapay_lightning.invoices.invoice import _amount as amount
from tazapay_lightning.invoices.invoice import _seconds as seconds
from tazapay_lightning.values.json_fields import essential, optional, text
from tests.support.tables import each_row


def test_an_id_is_a_text_that_is_not_empty() -> None:
    assert essential({"id": "l11_1"}, "id", text) == "l11_1"


@each_row(
    ("value", "shape"),
    [
        (None, "missing or null"),
        ("", "a text of 0 characters"),
        (7, "a value of type int"),
        ([], "a value of type list"),
    ],
)
def test_nothing_else_is_an_id(value: object, shape: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        essential({"id": value}, "id", text)
    assert str(caught.value) == f"the invoice in the reply has no readable `id`: it is {shape}"


@each_row(
    ("value", "expected"),
    [(0, 0), (1, 1), (123456.0, 123456), ("123456", 123456), (MAX_SATS, MAX_SATS), ("0" * 19 + "7", 7)],
)
def test_an_amount_is_a_whole_number_however_it_is_written(value: object, expected: int) -> None:
    read = essential({"amount": value}, "amount", amount)
    assert (read, type(read)) == (expected, int)


@each_row(
    ("value", "shape"),
    [
        (None, "missing or null"),
        (True, "a value of type bool"),
        (-1, "a value of type int"),
        (MAX_SATS + 1, "a value of type int"),
        (1.5, "a value of type float"),
        (float("nan"), "a value of type float"),
        ("", "a text of 0 characters"),
        ("-1", "a text of 2 characters"),
        ("1 ", "a text of 2 characters"),
        ("1" * 21, "a text of 21 characters"),
        ([1], "a value of type list"),
    ],
)
def test_nothing_else_is_an_amount(value: object, shape: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        essential({"amount": value}, "amount", amount)
    assert str(caught.value) == f"the invoice in the reply has no readable `amount`: it is {shape}"


@each_row(("value", "expected"), [(0, 0), (600, 600), (600.0, 600), ("600", 600)])
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
        f"`memo` of the invoice cannot be read: it is a value of type {kind}; see its `raw`"
    ]


@pytest.mark.parametrize("value", [-1, 1.5, "soon", True, []], ids=repr)
def test_what_is_no_number_of_seconds_is_none_with_a_warning(value: object, caplog: pytest.LogCaptureFixture) -> None:
    assert optional({"expiry_interval": value}, "expiry_interval", seconds) is None
    assert len(caplog.records) == 1
