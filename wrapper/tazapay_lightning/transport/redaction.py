"""Take what must not be repeated out of what the service says, before it reaches an error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tazapay_lightning.values.safe_text import printable

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate", "x-api-key", "signature"}
)
_SHORTEST = 4  # blanking every "a" because a memo was "a" would make a message unreadable and hide nothing
_BLANK = "[redacted]"


class Redaction:
    """Blanks a call's credentials and the texts that it submitted, which validation errors can echo.

    Args:
        credentials: texts that must never be repeated.
        submitted: JSON values, whose texts must not be repeated; their keys are names that a message needs.

    Example:
        >>> redaction = Redaction(credentials=["sk_1234"], submitted=["Dr Jekyll, order 7"])
        >>> redaction.text("unknown key sk_1234; bad memo 'Dr Jekyll, order 7'")
        "unknown key [redacted]; bad memo '[redacted]'"
        >>> redaction
        Redaction(...)
    """

    __slots__ = ("_credentials", "_submitted", "_texts")

    def __init__(self, *, credentials: Iterable[str] = (), submitted: Iterable[object] = ()) -> None:
        self._credentials = tuple(credentials)
        self._submitted = tuple(submitted)
        self._texts: list[str] | None = None  # made for the first error, which most calls do not have

    def __repr__(self) -> str:
        return "Redaction(...)"

    def text(self, text: str) -> str:
        """Return the text with everything secret blanked and control characters shown as blanks."""
        if self._texts is None:
            self._texts = _forms([*self._credentials, *_texts_in(list(self._submitted))])
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
        return {name: self.text(value) for name, value in without_secrets(headers).items()}


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers, names in lower case, without those that carry credentials or cookies."""
    return {name.lower(): value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}


def _forms(texts: Iterable[str]) -> list[str]:
    """List the texts as they are, and as they would stand in JSON or HTML."""
    from html import escape  # with the names of 2,000 letters, which only an error needs

    secrets = [text for text in texts if len(text) >= _SHORTEST]
    forms = {form for text in secrets for form in (text, json.dumps(text)[1:-1], escape(text))}
    # the longest first, or a secret that begins with another one would leave its tail
    return sorted(forms, key=lambda text: (-len(text), text))


def _texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts_in(each)]
