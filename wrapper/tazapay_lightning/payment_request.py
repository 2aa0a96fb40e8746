"""Find the BOLT11 payment request in what the service says of an invoice.

No documented field carries it, so it is known by its form: a text that reads as BOLT11, wherever it stands.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from tazapay_lightning.bolt11 import decode_bolt11
from tazapay_lightning.errors import InvalidBolt11Error

__all__ = ["find_payment_request"]

_logger = logging.getLogger("tazapay_lightning")
# What the caller wrote and the service only repeats. A customer who can put a request of his own into a memo or into
# metadata must not be able to have it shown to the next payer.
_WRITTEN_BY_THE_CALLER = frozenset({"metadata", "d_tag_memo", "d_tag", "h_tag_memo", "h_tag"})
_BEGINNINGS = ("lnbc", "lntb", "lightning:")
_LONGEST_BEGINNING = 10


def find_payment_request(payload: Mapping[str, object]) -> str | None:
    """Find the one payment request among everything that the service says of an invoice.

    Args:
        payload: the decoded ``data`` of a reply.

    Returns:
        The request in lower case, without ``lightning:``. None, with a warning in the log, if there are several
        different ones, or if one looks like a request and cannot be read; None if there is nothing of the kind. Memo
        and metadata are not searched: what the caller wrote is not the service's request.

    Example:
        >>> find_payment_request({"id": "l11_1", "amount": 1}) is None
        True
    """
    found: set[str] = set()
    for text in _texts(payload):
        if not text.lstrip()[:_LONGEST_BEGINNING].lower().startswith(_BEGINNINGS):
            continue  # without a copy of the whole text in lower case
        try:
            found.add(decode_bolt11(text).raw)
        except InvalidBolt11Error as error:
            _logger.warning("what looks like a payment request cannot be read; see Invoice.raw: %s", error)
    if len(found) > 1:
        _logger.warning("the service sent %d different payment requests; see Invoice.raw", len(found))
    return found.pop() if len(found) == 1 else None


def _texts(payload: Mapping[str, object]) -> Iterator[str]:
    """Every text in the payload, however deep, without recursion: its depth is the service's choice."""
    left: list[object] = [value for name, value in payload.items() if name not in _WRITTEN_BY_THE_CALLER]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            left += [inner for name, inner in value.items() if name not in _WRITTEN_BY_THE_CALLER]
        elif isinstance(value, list):
            left += value
