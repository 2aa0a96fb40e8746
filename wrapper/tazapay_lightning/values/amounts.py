"""BTC and satoshi, exactly.

One bitcoin is 100,000,000 satoshi. Amounts are integers of satoshi everywhere inside this package and on the wire;
BTC is for people. Nothing here rounds, and nothing depends on the decimal context of the caller.
"""

from __future__ import annotations

import re
from decimal import Decimal

from tazapay_lightning.values.refusals import check_int, refused
from tazapay_lightning.values.safe_text import shown

DECIMALS = 8

MAX_SATS = 2_100_000_000_000_000
"""All bitcoin that there can ever be, in satoshi: 21 million BTC."""

MSAT_PER_SAT = 1000
"""Millisatoshi, the unit of payment requests, in one satoshi."""

# Decimal() alone would also take "1_000", surrounding blanks and the digits of every script of the world.
_PLAIN_NUMBER = r"(?a)[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?"
_ACCEPTED = (
    "an exact number of BTC with at most 8 decimals, greater than 0 and at most 21000000, "
    'as a str or a Decimal, such as "0.001"'
)


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
decimals, greater than 0 and at most 21000000, as a str or a Decimal, such as "0.001"; got 0.1
    """
    return check_btc(btc, argument="btc")


def check_btc(btc: object, *, argument: str) -> int:
    """Return an amount of BTC in satoshi, and refuse one that is not exact by the name `argument`."""
    sats = _exact_sats(btc)
    if sats is None:
        raise refused(argument, _ACCEPTED, shown(btc))
    return sats


def _exact_sats(btc: object) -> int | None:
    """Return an amount of BTC in satoshi; None for what is not an amount, not exact, or out of range."""
    if isinstance(btc, bool) or not isinstance(btc, Decimal | str | int):
        return None
    if isinstance(btc, str) and not re.fullmatch(_PLAIN_NUMBER, btc):
        return None
    if isinstance(btc, int) and abs(btc) > MAX_SATS:  # a number of a million digits is slow to convert
        return None
    number = Decimal(btc)
    sign, digits, exponent = number.as_tuple()
    # "n", "N" and "F" are the exponents of NaN, signalling NaN and infinity.
    if sign or not any(digits) or not isinstance(exponent, int) or exponent < -DECIMALS:
        return None
    if number.adjusted() >= DECIMALS:  # judged by the exponent: 1E+999999999 must not be multiplied out
        return None
    sats: int = int("".join(map(str, digits))) * 10 ** (exponent + DECIMALS)
    return sats if sats <= MAX_SATS else None


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
    whole, rest = divmod(check_sats(sats, argument="sats", least=0), 10**DECIMALS)
    return Decimal(f"{whole}.{rest:0{DECIMALS}}")  # a text is read exactly, in whatever context


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
    return f"{sats_to_btc(sats):f}"


def check_sats(sats: object, *, argument: str, least: int = 1) -> int:
    """Return `sats` if it is an int from `least` to `MAX_SATS`, and refuse it by the name `argument` otherwise."""
    return check_int(sats, argument=argument, least=least, most=MAX_SATS, unit=", in satoshi")
