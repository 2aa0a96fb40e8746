"""What is for sale. Prices are integers of satoshi, and nowhere else: no form and no URL carries an amount."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

__all__ = ["CATALOGUE", "Product"]


@frozen
class Product:
    """Something to buy.

    Attributes:
        name: what the order page and the invoice call it.
        description: one sentence.
        price_sats: in satoshi.
    """

    name: str
    description: str
    price_sats: int


CATALOGUE: Mapping[str, Product] = {
    "espresso": Product("Espresso", "Short, black, roasted last week.", 3_500),
    "beans": Product("Coffee beans, 250 g", "For three dozen cups at home.", 21_000),
    "course": Product("Barista course", "A Saturday morning behind the machine.", 123_456),
}
"""By the name that forms use."""
