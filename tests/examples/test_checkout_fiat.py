"""A price in another currency is shown beside the amount, and changes nothing else, whatever made it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from examples.checkout.fiat import FiatPrice, fiat_price
from tazapay_lightning_emulator import Emulator
from tests.examples.conftest import OpenShop
from tests.support.tables import each_row

GOOD: dict[str, Any] = {
    "amount": Decimal("12.60"),
    "currency": "EUR",
    "rate": Decimal("60000"),
    "at": datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
}


def euros(sats: int) -> FiatPrice:
    return FiatPrice(**GOOD | {"amount": (GOOD["rate"] * sats / 100_000_000).quantize(Decimal("0.01"))})


def fails(_: int) -> FiatPrice:
    raise TimeoutError("no rate")


def is_a_float(_: int) -> Any:
    return 12.6


def says_nothing(_: int) -> None:
    return None


@each_row(
    "changes",
    [
        {"amount": 12.6},
        {"amount": 12},
        {"amount": Decimal("NaN")},
        {"amount": Decimal(-1)},
        {"rate": 60000.0},
        {"rate": Decimal("Infinity")},
        {"currency": "euro"},
        {"currency": "<b>"},
        {"at": datetime(2026, 3, 1, 12, 0)},  # noqa: DTZ001 - that it has no time zone is the point
        {"at": "2026-03-01"},
    ],
)
def test_a_price_that_is_not_exact_and_dated_cannot_be_made(changes: dict[str, Any]) -> None:
    [argument] = changes
    with pytest.raises(ValueError, match=f"^{argument} must be "):
        FiatPrice(**GOOD | changes)


def test_the_function_gets_the_satoshi_of_the_order() -> None:
    price = fiat_price(euros, 21_000)
    assert price is not None
    assert price.amount == Decimal("12.60")


@pytest.mark.parametrize(
    ("convert", "warnings"),
    [(None, 0), (says_nothing, 0), (fails, 1), (is_a_float, 1)],
    ids=["unset", "None", "raises", "float"],
)
def test_without_a_price_there_is_no_line_and_a_failure_is_logged(
    convert: Callable[[int], FiatPrice | None] | None, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "checkout"):
        assert fiat_price(convert, 21_000) is None
    assert len(caplog.messages) == warnings


@pytest.mark.parametrize("convert", [euros, fails, is_a_float])
def test_the_order_is_billed_in_satoshi_whatever_the_function_says(
    open_shop: OpenShop, emulator: Emulator, convert: Callable[[int], FiatPrice]
) -> None:
    customer = open_shop(fiat=convert)
    page = customer.http.get(customer.order()).text
    assert ("12.60&nbsp;EUR" in page) is (convert is euros)
    assert [invoice["amount"] for invoice in emulator.invoices()] == [21_000]
