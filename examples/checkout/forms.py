"""What was filled in, read strictly; what is wrong with an order is said beside its field, and the form is kept."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qs

from attrs import field, frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request

from examples.checkout.catalogue import Product
from examples.checkout.orders import order_id
from examples.checkout.webhooks import BodyTooLongError, read_body

__all__ = ["MAX_NAME_LENGTH", "OrderForm", "empty_form", "read_fields", "read_order_form"]

MAX_NAME_LENGTH = 60
"""In characters, so that the memo stays far below the 639 bytes of BOLT #11."""

_MAX_FORM_BYTES = 10_000
_REORDER_OTHER_TEXT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_CONTROLS = {"Cc", "Zl", "Zp"}


@frozen(kw_only=True)
class OrderForm:
    """The order form with what is in it.

    Attributes:
        token: 32 random hex digits: the same form sent twice is the same order.
        product: the product's key in the catalogue.
        name: for the order; may be empty.
        problems: what is wrong, by the name of the field.
    """

    token: str
    product: str
    name: str = ""
    problems: Mapping[str, str] = field(factory=dict)


def empty_form(catalogue: Mapping[str, Product]) -> OrderForm:
    """Return the form as it is shown first."""
    return OrderForm(token=secrets.token_hex(16), product=next(iter(catalogue)))


def read_order_form(fields: Mapping[str, str], catalogue: Mapping[str, Product]) -> OrderForm:
    """Return what was sent, with its problems. What cannot be kept is replaced, so that it can be sent again."""
    problems = {}
    token, product, name = (fields.get(key, "") for key in ("token", "product", "name"))
    if product not in catalogue:
        problems["product"] = "This product is not for sale. Please choose one of these."
        product = next(iter(catalogue))
    name = name.strip()
    if wrong := next((character for character in name if _is_refused(character)), None):
        called = f"U+{ord(wrong):04X} ({unicodedata.name(wrong, 'a control character')})"
        problems["name"] = f"{called} cannot be part of a name. It is left out now: please check the name."
        name = "".join(character for character in name if not _is_refused(character))
    elif len(name) > MAX_NAME_LENGTH:
        problems["name"] = f"A name may have up to {MAX_NAME_LENGTH} letters. This one has {len(name)}."
    try:
        order_id(token, product, name)
    except ValueError:
        problems["token"] = "This form came damaged, and nothing was ordered. Please send it again."  # noqa: S105 - words
        token = secrets.token_hex(16)
    return OrderForm(token=token, product=product, name=name, problems=problems)


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first of each name.

    Raises:
        HTTPException: it is too long, or is no form.
    """
    try:
        body = await read_body(request, _MAX_FORM_BYTES)
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    except (BodyTooLongError, ValueError):
        raise HTTPException(400, "This form came damaged: please open the order page again.") from None
    return {name: values[0] for name, values in fields.items()}


def _is_refused(character: str) -> bool:
    """Whether a character would break the line, or the order of the text around the name; invisible ones may stay.

    Joiners make letters and emoji of many scripts, and right-to-left text needs no help of these characters.
    """
    return unicodedata.category(character) in _CONTROLS or unicodedata.bidirectional(character) in _REORDER_OTHER_TEXT
