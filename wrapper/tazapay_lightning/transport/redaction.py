"""Take what must not be repeated out of what the service says, before it reaches an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from unicodedata import normalize

from tazapay_lightning.values.json_fields import decoded
from tazapay_lightning.values.safe_text import printable

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate", "x-api-key", "signature"}
)
_SHORTEST = 4  # blanking every "a" because a memo was "a" would make a message unreadable and hide nothing
_BLANK = "[redacted]"
_MOST = 4000  # characters of a text, or of all texts of a value, that are read and kept: an error has a few hundred
_MOST_SUBMITTED = 50_000  # characters that a text is searched for; beyond, no text of the service is repeated
_HALF_LETTER = re.compile(r"(?:[&%\\]\S{0,20}|.[^\x00-\x7f]{0,20})$", re.DOTALL)  # what it goes on with was cut off


class Redaction:
    """Blanks a call's credentials and the texts that it submitted, which validation errors can echo.

    They are found in letters of any case, composed or not, and as JSON, HTML or a URL spells them. Of a long text only
    the beginning is read and kept.

    Args:
        credentials: texts that must never be repeated.
        submitted: JSON values, whose texts must not be repeated; their keys are names that a message needs.

    Example:
        >>> redaction = Redaction(credentials=["sk_1234"], submitted=["Dr Jekyll, order 7"])
        >>> redaction.text("unknown key sk_1234; bad memo 'Dr Jekyll, order 7'")
        "unknown key [redacted]; bad memo '[redacted]'"
        >>> redaction.text("bad memo DR%20JEKYLL,%20ORDER%207!")
        'bad memo [redacted]!'
        >>> redaction
        Redaction(...)
    """

    __slots__ = ("_credentials", "_secrets", "_submitted")

    def __init__(self, *, credentials: Iterable[str] = (), submitted: Iterable[object] = ()) -> None:
        self._credentials = credentials
        self._submitted = tuple(submitted)
        self._secrets: list[str] | None = None  # made for the first error, which most calls do not have

    def __repr__(self) -> str:
        return "Redaction(...)"

    def text(self, text: str, *, most: int = _MOST) -> str:
        """Return the beginning of a text with everything secret blanked and control characters shown as blanks."""
        is_cut = len(text) > most
        text = _HALF_LETTER.sub("", text[:most]) if is_cut else text
        for spelled in (printable, _unescaped):
            plain = normalize("NFKC", spelled(text))
            if found := self._found(plain, is_cut):
                text = re.sub("|".join(found), _BLANK, plain, flags=re.IGNORECASE)
                if self._found(text, is_cut):  # "STRASSE" is "Straße" in other letters
                    return _BLANK
        return printable(text)

    def value(self, value: object) -> Any:
        """Return the beginning of a JSON value with every text in it treated as by `text`, keys included."""
        left = _MOST

        def kept(value: object) -> object:
            nonlocal left
            left -= 100 if isinstance(value, Mapping | list) else 20  # which bounds the levels and the members too
            if isinstance(value, str):
                left -= len(text := self.text(value, most=max(left, 0)))
                return text
            if isinstance(value, Mapping):
                return {kept(key): kept(item) for key, item in value.items() if left > 0}
            if isinstance(value, list):
                return [kept(item) for item in value if left > 0]
            return value

        return kept(value)

    def _found(self, text: str, is_cut: bool) -> list[str]:
        """Return patterns of the secrets in a text, and of the beginning of one where the text was cut."""
        if self._secrets is None:
            self._secrets = _spellings(each_once([*self._credentials, *self._submitted], _inner))
        text = text.casefold()
        found = [re.escape(secret) for secret in self._secrets if secret in text]
        if is_cut:
            begun = [secret for secret in self._secrets if secret[:_SHORTEST] in text[-len(secret) :]]
            heads = (secret[:length] for secret in begun for length in range(_SHORTEST, len(secret)))
            found += [re.escape(head) + "$" for head in sorted(filter(text.endswith, heads), key=len)[-1:]]
        return found


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers, names in lower case, without those that carry credentials or cookies."""
    return {name.lower(): value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}


def _spellings(values: Iterable[object]) -> list[str]:
    """Return what to look for: the texts among values in small letters, as they are and as JSON, the longest first."""
    secrets = {text[: _MOST + 1] for text in values if isinstance(text, str) and len(text) >= _SHORTEST}
    if sum(max(len(text), 100) for text in secrets) > _MOST_SUBMITTED:
        return [""]  # which is everywhere
    forms = {form for text in secrets for form in (printable(text), json.dumps(text)[1:-1], _unescaped(text))}
    # or a secret that begins with another one would leave its tail
    return sorted({normalize("NFKC", form).casefold() for form in forms}, key=len, reverse=True)


def _unescaped(text: str) -> str:
    """Return a text without the escapes of HTML and URLs, which are often escaped again on their way."""
    from html import unescape  # with the names of 2,000 letters, which only an error needs
    from urllib.parse import unquote_plus

    for _ in range(3):
        text = unescape(unquote_plus(text))
    return printable(text)


def each_once(values: Iterable[Any], inner: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    """Yield values and what `inner` returns of each, of that again, and so on: each object once, however deep."""
    waiting, seen = list(values), dict[int, object]()
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen[id(value)] = value  # kept, or another one could get its id
            yield value
            waiting += inner(value)


def _inner(value: object) -> Iterable[object]:
    """Return what is in a JSON value, or in JSON that is text itself."""
    inside = decoded(value)
    return inside.values() if isinstance(inside, Mapping) else inside if isinstance(inside, list) else ()
