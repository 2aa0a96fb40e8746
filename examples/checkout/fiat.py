"""A price in another currency, for people to compare with. It is shown, and never billed: invoices are over satoshi."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from attrs import Attribute, field, frozen

__all__ = ["FiatPrice", "fiat_price"]

_logger = logging.getLogger("checkout")


def _positive_decimal(_: object, attribute: Attribute[Decimal], value: object) -> None:
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise ValueError(f"{attribute.name} must be a Decimal above 0, and is {value!r}")


def _currency_code(_: object, attribute: Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise ValueError(f"{attribute.name} must be three capital letters, such as EUR, and is {value!r}")


def _aware(_: object, attribute: Attribute[datetime], value: object) -> None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise ValueError(f"{attribute.name} must be a datetime with a time zone, and is {value!r}")


@frozen(kw_only=True)
class FiatPrice:
    """What an amount of satoshi is worth elsewhere.

    Attributes:
        amount: rounded as it should be shown.
        currency: its code, such as "EUR".
        rate: of one bitcoin, in that currency.
        at: when the rate was taken, aware.

    Example:
        >>> from datetime import UTC
        >>> taken = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        >>> FiatPrice(amount=Decimal("12.60"), currency="EUR", rate=Decimal("60000"), at=taken).currency
        'EUR'
    """

    amount: Decimal = field(validator=_positive_decimal)
    currency: str = field(validator=_currency_code)
    rate: Decimal = field(validator=_positive_decimal)
    at: datetime = field(validator=_aware)


def fiat_price(convert: Callable[[int], FiatPrice | None] | None, sats: int) -> FiatPrice | None:
    """Return the price to show beside an amount of satoshi; None where the shop has none, or cannot tell it now."""
    if convert is None:
        return None
    try:
        price = convert(sats)
    except Exception as error:  # noqa: BLE001 - without a rate the page is shorter, and the order can be paid as before
        _logger.warning("no price in another currency is shown: %r", error)
        return None
    if price is None or isinstance(price, FiatPrice):
        return price
    _logger.warning("no price in another currency is shown: it must be a FiatPrice or None, and is %r", price)
    return None
