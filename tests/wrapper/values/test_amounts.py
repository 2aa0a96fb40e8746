from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import MAX_SATS, InvalidArgumentError, btc_to_sats, format_btc, sats_to_btc
from tests.support.tables import each_row

sats = st.integers(1, MAX_SATS)


@given(sats)
def test_satoshi_survive_the_way_to_btc_and_back(amount: int) -> None:
    assert btc_to_sats(sats_to_btc(amount)) == amount


@given(sats)
def test_every_way_to_write_an_amount_of_btc_means_the_same(amount: int) -> None:
    btc = sats_to_btc(amount)
    assert {btc_to_sats(written) for written in (str(btc), format_btc(amount), f"{btc:E}", btc.normalize())} == {amount}


@given(sats)
def test_sats_to_btc_has_exponent_minus_8(amount: int) -> None:
    assert sats_to_btc(amount).as_tuple().exponent == -8


@given(sats)
def test_format_btc_writes_8_decimals_and_no_exponent(amount: int) -> None:
    whole, _, decimals = format_btc(amount).partition(".")
    assert (int(whole) * 10**8 + int(decimals), len(decimals)) == (amount, 8)


@given(amount=sats, precision=st.integers(1, 5))
def test_the_decimal_context_of_the_caller_changes_nothing(amount: int, precision: int) -> None:
    with decimal.localcontext(decimal.Context(prec=precision, traps=[])):
        assert (btc_to_sats(sats_to_btc(amount)), format_btc(amount)) == (amount, format_btc(amount))
        assert btc_to_sats(format_btc(amount)) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True) | st.text() | st.integers())
def test_an_amount_is_converted_exactly_or_refused(btc: Decimal | str | int) -> None:
    try:
        amount = btc_to_sats(btc)
    except InvalidArgumentError:
        return
    assert 1 <= amount <= MAX_SATS
    with decimal.localcontext(decimal.Context(prec=100)):
        assert Decimal(btc) * 10**8 == amount


@given(sats, st.integers(9, 40), st.integers(0, 9))
def test_a_ninth_decimal_is_refused_and_never_rounded(amount: int, places: int, digit: int) -> None:
    with pytest.raises(InvalidArgumentError, match="decimals"):
        btc_to_sats(format_btc(amount) + "0" * (places - 9) + str(digit))


@each_row(
    ("btc", "expected"),
    [
        ("0.00000001", 1),
        (Decimal("1E-8"), 1),
        ("1e-8", 1),
        ("21000000", MAX_SATS),
        (21_000_000, MAX_SATS),
        (Decimal("2.1E+7"), MAX_SATS),
        ("+1", 10**8),
        (".5", 5 * 10**7),
        ("1.", 10**8),
        ("0001", 10**8),
    ],
)
def test_amounts_that_are_accepted(btc: Decimal | str | int, expected: int) -> None:
    assert btc_to_sats(btc) == expected


@each_row(
    "btc",
    [
        0.1, 1.0, True, False, None, b"1", [1], object(),
        Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), "NaN", "inf", "Infinity",
        "", " ", "1 ", " 1", "1_0", "１", "1,5", "0x1", "1e", "e8", ".", "--1", "1\n", "٣",
        "0.000000001", Decimal("1E-9"), "0.123456789", "1E-400000000",
        0, "0", "-1", -1, Decimal("-0.1"), "0E+5", Decimal("-0"),
        21_000_001, "21000000.00000001", "1E+999999999", "1E+99999999999", 10**5000, -(10**5000),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_amounts_that_are_refused_by_name(btc: object) -> None:
    with pytest.raises(InvalidArgumentError, match="^btc must be an exact number of BTC") as caught:
        btc_to_sats(btc)  # type: ignore[arg-type]  # the wrong type is what is tested
    assert caught.value.argument == "btc"
    assert len(str(caught.value)) < 300


@each_row("amount", [-1, MAX_SATS + 1, True, 1.0, "1", None, Decimal(1), 10**5000], ids=lambda v: type(v).__name__)
@each_row("function", [sats_to_btc, format_btc])
def test_satoshi_that_are_not_an_int_in_range_are_refused(function: object, amount: object) -> None:
    with pytest.raises(InvalidArgumentError, match="^sats must be an int from 0 to 2100000000000000"):
        function(amount)  # type: ignore[operator]  # the wrong type is what is tested


def test_a_long_text_is_refused_as_fast_as_a_short_one() -> None:
    with pytest.raises(InvalidArgumentError, match=r"\.\.\. \(1000003 characters\)$"):
        btc_to_sats("1" * 1_000_000 + "x")  # a pattern that backtracks would need days


def test_nothing_is_formatted_too() -> None:
    assert (format_btc(0), sats_to_btc(0)) == ("0.00000000", Decimal("0.00000000"))


def test_all_bitcoin_is_formatted_too() -> None:
    assert (format_btc(MAX_SATS), sats_to_btc(MAX_SATS)) == ("21000000.00000000", Decimal("21000000.00000000"))
