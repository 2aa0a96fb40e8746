"""Take what must not be repeated out of what the service says, before it reaches an error."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping

from tazapay_lightning.messages import printable

__all__ = ["Redaction"]

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate", "x-api-key", "signature"}
)
_SHORTEST = 4  # blanking every "a" because a memo was "a" would make a message unreadable and hide nothing
_BLANK = "[redacted]"


class Redaction:
    """Blanks a call's credentials and the texts that it submitted, which validation errors can echo.

    Example:
        >>> redaction = Redaction(credentials=["sk_1234"], submitted=["Dr Jekyll, order 7"])
        >>> redaction.text("unknown key sk_1234; bad memo 'Dr Jekyll, order 7'")
        "unknown key [redacted]; bad memo '[redacted]'"
        >>> redaction
        Redaction(...)
    """

    __slots__ = ("_texts",)

    def __init__(self, *, credentials: Iterable[str] = (), submitted: Iterable[str] = ()) -> None:
        secrets = [text for text in (*credentials, *submitted) if len(text) >= _SHORTEST]
        # as they are, and as they would stand in JSON or HTML
        texts = {form for text in secrets for form in (text, json.dumps(text)[1:-1], html.escape(text))}
        # the longest first, or a secret that begins with another one would leave its tail
        self._texts = sorted(texts, key=lambda text: (-len(text), text))

    def __repr__(self) -> str:
        return "Redaction(...)"

    def text(self, text: str) -> str:
        """Return the text with everything secret blanked and control characters shown as blanks."""
        for secret in self._texts:
            text = text.replace(secret, _BLANK)
        return printable(text)

    def value(self, value: object) -> object:
        """Return a JSON value with every text in it treated as by `text`, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.mapping(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def mapping(self, mapping: Mapping[str, object]) -> dict[str, object]:
        """Return a JSON object treated as by `value`."""
        return {self.text(key): self.value(item) for key, item in mapping.items()}

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers, names in lower case, without those that carry credentials or cookies."""
        return {
            name.lower(): self.text(value) for name, value in headers.items() if name.lower() not in _SECRET_HEADERS
        }
