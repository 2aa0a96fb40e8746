"""Validate the fields of a request to create or update an invoice. Pure: no HTTP and no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError
from tazapay_lightning_emulator.api.strict_json import NotStrictJSONError, read_json
from tazapay_lightning_emulator.invoices.invoice import InvoiceFields

MAX_AMOUNT = 2_100_000_000_000_000
"""Satoshi: the total supply of bitcoin (assumption)."""

MAX_MEMO_BYTES = 639
"""The capacity of a `d` field (BOLT #11); that the service refuses more is an assumption."""

DEFAULT_EXPIRY_INTERVAL = 3600
"""Seconds (Tazapay's documentation)."""

MAX_EXPIRY_INTERVAL = 2**31 - 1
"""Seconds, about 68 years: every expiry is then within the range of `datetime` (assumption)."""

_SHA256_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


def read_fields(body: Mapping[str, object]) -> InvoiceFields:
    """The validated fields of a request to create an invoice; unknown fields are ignored.

    Args:
        body: the JSON object in the body of the request.

    Raises:
        RequestRefusedError: 400 that lists every problem at once, each naming its field and what is accepted.

    Example:
        >>> read_fields({"amount": 123456, "d_tag_memo": "Order 7890", "a_field_of_tomorrow": True})
        InvoiceFields(amount=123456, d_tag_memo='Order 7890', h_tag_memo=None, expiry_interval=3600, metadata={})
    """
    values = _read(body, _FIELDS, required="amount")
    h_tag_memo = values.get("h_tag_memo")
    return InvoiceFields(
        amount=values["amount"],
        d_tag_memo=values.get("d_tag_memo") if h_tag_memo is None else None,  # Tazapay's documentation: the hash wins
        h_tag_memo=h_tag_memo,
        expiry_interval=values.get("expiry_interval", DEFAULT_EXPIRY_INTERVAL),
        metadata=values.get("metadata", {}),
    )


def read_new_metadata(body: Mapping[str, object]) -> Mapping[str, Any]:
    """The validated metadata of a request to update an invoice; other fields are ignored.

    Args:
        body: the JSON object in the body of the request.

    Raises:
        RequestRefusedError: 400: there is no `metadata`, or it is not accepted.

    Example:
        >>> read_new_metadata({"metadata": '{"order_id": "7891"}', "amount": "ignored"})
        {'order_id': '7891'}
    """
    metadata: Mapping[str, Any] = _read(body, {"metadata": _FIELDS["metadata"]}, required="metadata")["metadata"]
    return metadata


_Readers = Mapping[str, tuple[Callable[[object], object], str]]


def _read(body: Mapping[str, object], readers: _Readers, *, required: str) -> dict[str, Any]:
    """The validated values of the fields that are present."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, (read, accepted) in readers.items():
        if name not in body:
            continue
        try:
            values[name] = read(body[name])
        except ValueError:
            problems.append(Problem(Code.BAD_JSON, f"{name} is not accepted", f"{name}: {accepted}"))
    if required not in body:
        problems.append(Problem(Code.BAD_JSON, f"{required} is missing", f"{required}: {readers[required][1]}"))
    if problems:
        raise RequestRefusedError(400, "the request is not valid", problems)
    return values


def _integer(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        # bool is a subclass of int in Python, and another type in JSON
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError
        return value

    return read


def _memo(value: object) -> str:
    if not isinstance(value, str) or len(value.encode()) > MAX_MEMO_BYTES:
        raise ValueError
    return value


def _memo_hash(value: object) -> str:
    if not isinstance(value, str) or not _SHA256_HEX.fullmatch(value):
        raise ValueError
    return value


def _metadata(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = read_json(value)
    if not isinstance(value, dict):
        raise NotStrictJSONError("not an object")
    return value


_FIELDS: _Readers = {
    "amount": (_integer(1, MAX_AMOUNT), f"an integer of satoshi, 1 to {MAX_AMOUNT}"),
    "d_tag_memo": (_memo, f"a string of at most {MAX_MEMO_BYTES} bytes in UTF-8"),
    "h_tag_memo": (_memo_hash, "a SHA-256 as 64 hex digits"),
    "expiry_interval": (_integer(1, MAX_EXPIRY_INTERVAL), f"an integer of seconds, 1 to {MAX_EXPIRY_INTERVAL}"),
    "metadata": (_metadata, "the JSON text of an object, or an object"),
}
"""For each field a function that validates it (ValueError: not accepted) and the accepted values in words."""
