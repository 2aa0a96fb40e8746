"""BTC and satoshi, exactly.

One bitcoin is 100,000,000 satoshi. Amounts are integers of satoshi everywhere inside this package and on the wire;
BTC is for people. Nothing here rounds, and nothing depends on the decimal context of the caller.
"""

from __future__ import annotations

import re
from decimal import Decimal

from tazapay_lightning.errors import InvalidArgumentError
from tazapay_lightning.values.refusals import check_int
from tazapay_lightning.values.safe_text import shown

__all__ = ["MAX_SATS", "MSAT_PER_SAT", "btc_to_sats", "check_btc", "check_sats", "format_btc", "sats_to_btc"]

DECIMALS = 8

MAX_SATS = 2_100_000_000_000_000
"""All bitcoin that there can ever be, in satoshi: 21 million BTC."""

MSAT_PER_SAT = 1000
"""Millisatoshi, the unit of payment requests, in one satoshi."""

# Decimal() alone would also take "1_000", surrounding blanks and the digits of every script of the world.
_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)
_ACCEPTED = 'an exact number of BTC with at most 8 decimals, as a Decimal, a str or an int: Decimal("0.001") or "0.001"'


def btc_to_sats(btc: Decimal | str | int) -> int:
    """Convert an amount of BTC to satoshi, exactly or not at all.

    Args:
        btc: a number greater than 0 and at most 21,000,000 with at most 8 decimals (zeros count), as a Decimal, a
            str or an int. Exponents are read: ``str(Decimal("0.00000001"))`` is ``"1E-8"``.

    Returns:
        The amount in satoshi, from 1 to `MAX_SATS`.

    Raises:
        InvalidArgumentError: for a float (0.1 BTC has no exact float), a bool, NaN, infinity, more than 8 decimals,
            an amount of 0 or less, or one above 21,000,000 BTC.

    Example:
        >>> from decimal import Decimal
        >>> from tazapay_lightning import btc_to_sats
        >>> btc_to_sats("0.00123456"), btc_to_sats(Decimal("1E-8")), btc_to_sats(2)
        (123456, 1, 200000000)
        >>> btc_to_sats(0.1)
        Traceback (most recent call last):
        ...
        tazapay_lightning.errors.InvalidArgumentError: btc must be an exact number of BTC with at most 8 \
decimals, as a Decimal, a str or an int: Decimal("0.001") or "0.001"; got the float 0.1: floats cannot hold BTC exactly
    """
    return check_btc(btc, argument="btc")


def check_btc(btc: object, *, argument: str) -> int:
    """Return an amount of BTC in satoshi, and refuse one that is not exact by the name `argument`."""
    try:
        return _exact_sats(btc)
    except _RefusedError as refused:
        raise InvalidArgumentError(f"{argument} must be {_ACCEPTED}; {refused}", argument=argument) from None


class _RefusedError(Exception):
    """Why an amount cannot be taken, in words that follow those which tell what can."""


def _exact_sats(btc: object) -> int:
    number = _exact_decimal(btc)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):  # "n", "N" and "F" stand for NaN, signalling NaN and infinity
        raise _RefusedError(f"got {btc}")
    if exponent < -DECIMALS:
        raise _RefusedError(f"got {shown(btc)}, which has {-exponent} decimals; nothing is rounded here")
    if sign or not any(digits):
        raise _RefusedError(f"got {shown(btc)}; the least is 0.00000001 BTC (1 satoshi)")
    # The size is judged by the exponent first: 1E+999999999 must not be multiplied out.
    if number.adjusted() >= DECIMALS or _scaled(digits, exponent) > MAX_SATS:
        raise _RefusedError(f"got {shown(btc)}; the most is 21000000 BTC")
    return _scaled(digits, exponent)


def sats_to_btc(sats: int) -> Decimal:
    """Convert satoshi to BTC.

    Args:
        sats: an int from 0 to `MAX_SATS`.

    Returns:
        The exact amount, always with 8 decimals (exponent -8).

    Raises:
        InvalidArgumentError: for anything else than an int in that range.

    Example:
        >>> from tazapay_lightning import sats_to_btc
        >>> sats_to_btc(123456), sats_to_btc(200_000_000)
        (Decimal('0.00123456'), Decimal('2.00000000'))
    """
    amount = check_sats(sats, argument="sats", least=0)
    return Decimal((0, tuple(map(int, str(amount))), -DECIMALS))


def format_btc(sats: int) -> str:
    """Write an amount of satoshi as BTC, for people.

    Args:
        sats: an int from 0 to `MAX_SATS`.

    Returns:
        The amount in BTC with 8 decimals and never an exponent.

    Raises:
        InvalidArgumentError: for anything else than an int in that range.

    Example:
        >>> from tazapay_lightning import format_btc
        >>> format_btc(1), format_btc(123456)
        ('0.00000001', '0.00123456')
    """
    amount = check_sats(sats, argument="sats", least=0)
    whole, fraction = divmod(amount, 10**DECIMALS)
    return f"{whole}.{fraction:0{DECIMALS}d}"


def check_sats(sats: object, *, argument: str, least: int = 1) -> int:
    """Return `sats` if it is an int from `least` to `MAX_SATS`, and refuse it by the name `argument` otherwise."""
    return check_int(sats, argument=argument, least=least, most=MAX_SATS, unit=", in satoshi")


def _scaled(digits: tuple[int, ...], exponent: int) -> int:
    power: int = 10 ** (exponent + DECIMALS)
    return int("".join(map(str, digits))) * power


def _exact_decimal(btc: object) -> Decimal:
    if isinstance(btc, Decimal):
        return btc
    if isinstance(btc, bool):
        raise _RefusedError(f"got the bool {btc}")
    if isinstance(btc, int):
        if abs(btc) > MAX_SATS:  # far too much already, and a number of a million digits is slow to convert
            raise _RefusedError(f"got {shown(btc)}; the most is 21000000 BTC")
        return Decimal(btc)
    if isinstance(btc, float):
        raise _RefusedError(f"got the float {btc}: floats cannot hold BTC exactly")
    if not isinstance(btc, str):
        raise _RefusedError(f"got a value of type {type(btc).__name__}")
    if not _PLAIN_NUMBER.fullmatch(btc):
        raise _RefusedError(f"got {shown(btc)}, which is not a plain number")
    return Decimal(btc)
