"""The signature of a webhook: how it is made, and under which header it comes."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from typing import Any, Protocol

from tazapay_lightning.errors import InvalidArgumentError, WebhookSignatureError

__all__ = ["Headers", "Secret", "check_signature", "find_signature"]

_HEADERS = ("signature", "webhook-signature")
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
        problem = self._problem()
        if problem:
            raise InvalidArgumentError(
                f"secret must be the webhook secret of Tazapay's dashboard, a str; got {problem}", argument="secret"
            )

    def sign(self, signed: bytes) -> str:
        """Return the signature of these bytes: HMAC-SHA256 in Base64.

        Example:
            >>> Secret("key").sign(b"The quick brown fox jumps over the lazy dog")
            '97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg='
        """
        return self._base64(signed).decode()

    def matches(self, signed: bytes, signature: str) -> bool:
        """Tell whether a signature is the one of these bytes, in the same time wherever they differ."""
        # The texts and not the digests: decoding ignores some bits of the last character. As bytes, because
        # compare_digest takes only ASCII as str. And here, so that the right signature of a forged body is in no
        # frame that an error leaves through.
        return hmac.compare_digest(self._base64(signed), signature.encode("utf-8", "replace"))

    def _base64(self, signed: bytes) -> bytes:
        return base64.b64encode(hmac.new(self._value.encode(), signed, "sha256").digest())

    def _problem(self) -> str | None:
        if not isinstance(self._value, str):
            return type(self._value).__name__
        if not self._value:
            return "an empty one"
        if self._value != self._value.strip():
            return "one with blanks or a line break around it: strip it where it is read"
        try:
            self._value.encode()
        except UnicodeEncodeError:
            return "one that holds half of a surrogate pair, which UTF-8 cannot write"
        return None

    def __repr__(self) -> str:
        return "Secret(...)"


def check_signature(signature: object) -> str:
    """Return a signature without the blanks around it.

    Raises:
        InvalidArgumentError: if it is neither a str nor None, which is what ``headers.get()`` gives for no header.
        WebhookSignatureError: if there is none.
    """
    if signature is not None and not isinstance(signature, str):
        raise InvalidArgumentError(
            f"signature must be a str, such as signature_header(headers) returns; got {type(signature).__name__}",
            argument="signature",
        )
    text = (signature or "").strip(_BLANKS)
    if not text:
        raise _unsigned()
    return text


def find_signature(headers: Headers) -> str:
    """Find the signature among headers: see `tazapay_lightning.signature_header`."""
    found: dict[str, set[str]] = {name: set() for name in _HEADERS}
    try:
        for name, value in _pairs(headers):
            values = found.get(_plain(name))
            if values is not None:
                values.update(text for each in _each(value) if (text := _text(each).strip(_BLANKS)))
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            "headers must be a mapping of names to values, or pairs of them, each a str or bytes; "
            f"got {type(headers).__name__}, or something else within",
            argument="headers",
        ) from None
    for name, values in found.items():
        if len(values) > 1:
            raise WebhookSignatureError(f"the header `{name}` comes with {len(values)} different values: which is it?")
        if values:
            return values.pop()
    raise _unsigned()


def _unsigned() -> WebhookSignatureError:
    names = " and no ".join(f"`{name}`" for name in _HEADERS)
    return WebhookSignatureError(
        f"there is no signature: no header {names}, or an empty one. Either the sender is not Tazapay, or something on "
        "the way removed the header"
    )


def _pairs(headers: object) -> Any:
    items: Any = getattr(headers, "items", None)
    return items() if callable(items) else headers


def _plain(name: object) -> str:
    """Return the name of a header in lower case, from a key of a WSGI environment too (HTTP_SIGNATURE)."""
    text = _text(name)
    return (text.removeprefix("HTTP_").replace("_", "-") if text.startswith("HTTP_") else text).lower()


def _each(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)  # some gateways list the values of each header


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")  # the encoding of ASGI, and one that reads any byte
    if not isinstance(value, str):
        raise TypeError
    return value
