"""Find the BOLT11 payment request in what the service says of an invoice.

No documented field carries it, so it is known by its form: a text that reads as BOLT11, wherever it stands.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from tazapay_lightning._loading import load
from tazapay_lightning.errors import InvalidBolt11Error

if TYPE_CHECKING:  # loaded by the first reply that has one
    from tazapay_lightning.bolt11.decode import Bolt11

_logger = logging.getLogger("tazapay_lightning")
# What the caller wrote and the service only repeats. A customer that can put its own request into a memo or into
# metadata must not be able to have it shown to the next payer.
_WRITTEN_BY_THE_CALLER = frozenset({"metadata", "d_tag_memo", "d_tag", "h_tag_memo", "h_tag"})
_LOOKALIKE = re.compile(r"(?i:lightning:)?((?i:ln(?:bc|tb))[A-Za-z0-9]*)", re.ASCII)
_WITHIN = r"(?a)ln(?:bc|tb)[a-z0-9]+"
_MAX_LOOKALIKES = 20  # that are looked at: one alone is right


def find_payment_request(payload: Mapping[str, object], *, written: Iterable[object] = ()) -> str | None:
    """Find the one payment request among everything that the service says of an invoice.

    Args:
        payload: the decoded ``data`` of a reply.
        written: what the caller wrote into this invoice, as far as it is at hand beside the payload.

    Returns:
        The request in lower case, without ``lightning:``. None if there is nothing of the kind. None too, with a
        warning in the log, if there are several different ones, or if one of them cannot be read: the other one could
        be another payee's. What the caller wrote (memo, metadata) is not the service's request, wherever in the reply
        the service repeats it.

    Example:
        >>> find_payment_request({"id": "l11_1", "amount": 1}) is None
        True
    """
    by_caller: list[object] = list(written)
    texts = _texts(payload, apart=by_caller)
    candidates = texts if "ln" in "\n".join(texts).lower() else ()  # all at once: most replies have none
    by_service = {alike[1] for text in candidates if "1" in text and (alike := _LOOKALIKE.fullmatch(text.strip()))}
    if not by_service:
        return None
    # found within what the caller wrote, since metadata may be JSON text
    own = " ".join(["", *re.findall(_WITHIN, "\n".join(_texts(by_caller)).lower())])
    few = list(by_service)[:_MAX_LOOKALIKES]
    try:  # but for what the caller wrote, which the service may have cut
        found = {read_payment_request(text).raw for text in few if f" {text.lower()}" not in own}
    except InvalidBolt11Error as problem:
        _logger.warning("what looks like a payment request cannot be read; see Invoice.raw: %s", problem)
        return None
    if len(found) > 1:
        _logger.warning("the service sent %d different payment requests; see Invoice.raw", len(found))
    elif not found:
        _logger.warning("the only payment request in the reply is also in the memo or the metadata; see Invoice.raw")
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=64)
def read_payment_request(text: str) -> Bolt11:
    """Read a payment request as `decode_bolt11` does, once: it is found, compared and shown in turn."""
    request: Bolt11 = load("tazapay_lightning.bolt11.decode").decode_bolt11(text)  # for replies that have one
    return request


def _texts(values: Iterable[object], *, apart: list[object] | None = None) -> list[str]:
    """Return every text in a mapping or an iterable of values, however deep, and every key.

    Given a list `apart`, leave the keys out, and put what the caller wrote there instead of looking into it.
    """
    texts, left = [], [values]
    while left:  # without recursion: the service chooses the depth
        value = left.pop()
        for name, inner in value.items() if isinstance(value, (dict, Mapping)) else enumerate(value):
            if apart is None and isinstance(name, str):
                texts.append(name)
            if apart is not None and name in _WRITTEN_BY_THE_CALLER:
                apart.append(inner)
            elif isinstance(inner, str):
                texts.append(inner)
            elif inner and not isinstance(inner, int) and isinstance(inner, (dict, list, Mapping)):
                left.append(inner)
    return texts
