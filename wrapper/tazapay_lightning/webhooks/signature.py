"""The signature of a webhook: how it is made, and under which header it comes."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from typing import Any, Protocol

from tazapay_lightning.errors import WebhookSignatureError
from tazapay_lightning.values.refusals import check_str, refused

_HEADERS = ("signature", "webhook-signature")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = " \t"  # what HTTP allows around the value of a header


class _WithItems(Protocol):
    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]: ...


Headers = _WithItems | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of a request in any framework: something with ``items()``, or pairs."""


class Secret:
    """A webhook secret that neither a ``repr`` nor a traceback with its local variables shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def check(self) -> None:
        """Refuse what cannot be a secret.

        Raises:
            InvalidArgumentError: by the argument's name, without the value.
        """
        # Not by `check_str` and `check_unicode`: their frames would hold the secret in plain.
        problem = type(self._value).__name__
        if isinstance(self._value, str):
            if self._value and self._value == self._value.strip() and not _SURROGATE.search(self._value):
                return
            problem = "one that is empty, has blanks around it, or holds half of a surrogate pair"
        raise refused("secret", "the webhook secret of Tazapay's dashboard, a str", problem)

    def sign(self, signed: bytes) -> str:
        """Return the signature of these bytes: HMAC-SHA256 in Base64.

        Example:
            >>> Secret("key").sign(b"The quick brown fox jumps over the lazy dog")
            '97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg='
        """
        return base64.b64encode(hmac.new(self._value.encode(), signed, "sha256").digest()).decode()

    def matches(self, signed: bytes, signature: str) -> bool:
        """Tell whether a signature is the one of these bytes, in the same time wherever they differ."""
        # The texts and not the digests: decoding ignores some bits of the last character. As bytes, because
        # compare_digest takes only ASCII as str. And here, so that the right signature of a forged body is in no
        # frame that an error leaves through.
        return hmac.compare_digest(self.sign(signed).encode(), signature.encode("utf-8", "replace"))

    def __repr__(self) -> str:
        return "Secret(...)"


def check_signature(signature: object) -> str:
    """Return a signature without the blanks around it.

    Raises:
        InvalidArgumentError: if it is neither a str nor None, which is what ``headers.get()`` gives for no header.
        WebhookSignatureError: if there is none.
    """
    accepted = "a str, such as signature_header(headers) returns"
    given = "" if signature is None else check_str(signature, argument="signature", accepted=accepted)
    if text := given.strip(_BLANKS):
        return text
    raise _unsigned()


def signature_header(headers: Headers) -> str:
    """Find the signature among the headers of a request.

    Args:
        headers: the headers of any framework, as a mapping or as pairs, in str or bytes (ASGI), in any case; or the
            environment of a WSGI request, which has them among its variables.

    Returns:
        The value of ``signature`` or, without that, of ``webhook-signature``.

    Raises:
        InvalidArgumentError: if these are no headers.
        WebhookSignatureError: if there is neither, or one comes twice with different values.

    Example:
        >>> signature_header({"Content-Type": "application/json", "Signature": "c2lnbmVk"})
        'c2lnbmVk'
        >>> signature_header([(b"webhook-signature", b"c2lnbmVk")])
        'c2lnbmVk'
    """
    found: dict[str, set[str]] = {name: set() for name in _HEADERS}
    try:
        items: Any = getattr(headers, "items", lambda: headers)
        for name, value in items():
            values = value if isinstance(value, list | tuple) else (value,)  # some gateways list those of each header
            if (known := _plain(name)) in found:
                found[known].update(text for each in values if (text := _text(each).strip(_BLANKS)))
    except (TypeError, ValueError):
        accepted = "a mapping of names to values, or pairs of them, each a str or bytes"
        raise refused("headers", accepted, f"{type(headers).__name__}, or something else within") from None
    for name, signatures in found.items():
        if len(signatures) > 1:
            raise WebhookSignatureError(f"the header `{name}` comes with {len(signatures)} different values")
        if signatures:
            return signatures.pop()
    raise _unsigned()


def _unsigned() -> WebhookSignatureError:
    names = " and no ".join(f"`{name}`" for name in _HEADERS)
    causes = "the sender is not Tazapay, or something on the way removed it"
    return WebhookSignatureError(f"there is no signature: no header {names}, or an empty one; {causes}")


def _plain(name: object) -> str:
    """Return the name of a header in lower case, from a key of a WSGI environment too (HTTP_SIGNATURE)."""
    text = _text(name)
    return (text.removeprefix("HTTP_").replace("_", "-") if text.startswith("HTTP_") else text).lower()


def _text(value: Any) -> str:
    # ASGI writes Latin-1, which reads any byte; what is neither text nor bytes is a TypeError.
    return value if isinstance(value, str) else bytes.decode(value, "latin-1")
