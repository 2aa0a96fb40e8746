"""Take what must not be repeated out of what the service says, before it reaches an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any
from unicodedata import category, normalize
from urllib.parse import unquote_plus

from tazapay_lightning._loading import load
from tazapay_lightning.values.json_fields import decoded
from tazapay_lightning.values.safe_text import printable

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate", "x-api-key", "signature"}
)
_MIN_CHARACTERS = 4  # blanking every "a" because a memo was "a" would make a message unreadable and hide nothing
_RUN, _RUN_OF_CREDENTIAL = 16, 8  # so many characters in a row of a longer text are not repeated either
_BLANK = "[redacted]"
_MAX_CHARACTERS = 4000  # of a text, or of all texts of a value, that are read and kept: an error has a few hundred
_MAX_SUBMITTED_CHARACTERS = 50_000  # characters that a text is searched for; beyond, no text of the service is repeated
_HALF_LETTER = r"(?s)(?:[&%\\]\S{0,20}|.[^\x00-\x7f]{0,20})$"  # what it goes on with was cut off
_ELLIPSIS = r"[\[(]?\.\.+"  # also of one character, which `_letters` takes apart
_ESCAPE = r"(?si)\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))"


class Redaction:
    """Blanks a call's credentials and the texts that it submitted, which validation errors can echo.

    They are found in letters of any case, composed or not, with any blanks between them, and as JSON, HTML or a URL
    spells them; a part of one too, if it is long or is followed by an ellipsis. Of a long text only the beginning is
    read and kept.

    Args:
        credentials: texts that must never be repeated.
        submitted: JSON values, whose texts must not be repeated; their keys are names that a message needs.

    Example:
        >>> redaction = Redaction(credentials=["sk_1234"], submitted=["Dr Jekyll, order 7"])
        >>> redaction.text("unknown key sk_1234; bad memo 'Dr Jekyll, order 7'")
        "unknown key [redacted]; bad memo '[redacted]'"
        >>> redaction.text("bad memo DR%20JEKYLL,%20ORDER%207!"), redaction.text("bad memo Dr Jek...")
        ('bad memo [redacted]!', 'bad memo [redacted]...')
        >>> redaction
        Redaction(...)
    """

    __slots__ = ("_credentials", "_heads", "_runs", "_shows_nothing", "_submitted")

    def __init__(self, *, credentials: Iterable[str] = (), submitted: Iterable[object] = ()) -> None:
        self._credentials = credentials
        self._submitted = tuple(submitted)
        # made for the first error, which most calls do not have
        self._runs: dict[int, set[str]] | None = None
        self._heads: set[str] = set()
        self._shows_nothing = False

    def __repr__(self) -> str:
        return "Redaction(...)"

    def text(self, text: str, *, most: int = _MAX_CHARACTERS) -> str:
        """Return the beginning of a text with everything secret blanked and control characters shown as blanks."""
        is_cut = len(text) > most
        text = re.sub(_HALF_LETTER, "", text[:most]) if is_cut else text
        spelled = text
        for step in _unescaping():  # an unescaped secret can form an escape with what precedes it
            before, spelled = spelled, step(spelled)
            if spelled == before and step is not str:
                continue
            shown = _shown(spelled)
            letters, places = _letters(shown)
            hidden = self._hidden(letters, is_cut)
            for found in reversed(list(re.finditer(b"[\1\2]\1*", hidden))):
                text = spelled = shown = shown[: places[found.start()]] + _BLANK + shown[places[found.end() - 1] + 1 :]
        return printable(text)

    def value(self, value: object) -> Any:
        """Return the beginning of a JSON value with every text in it treated as by `text`, keys included."""
        left = _MAX_CHARACTERS

        def kept(value: object) -> object:
            nonlocal left
            left -= 100 if isinstance(value, Mapping | list) else 20  # which bounds the levels and the members too
            if isinstance(value, str):
                text = self.text(value, most=max(left, 0))
                left -= len(value)
                return text
            if isinstance(value, Mapping):
                return {kept(key): kept(item) for key, item in value.items() if left > 0}
            if isinstance(value, list):
                return [kept(item) for item in value if left > 0]
            return value

        return kept(value)

    def _hidden(self, letters: str, is_cut: bool) -> bytearray:
        """Return a 2 for each letter that a secret begins with, a 1 for each further one of it, a 0 for all others."""
        if self._runs is None:
            self._runs = self._look_for()
        if self._shows_nothing:
            return bytearray(b"\1" * len(letters))
        found = [
            (begin, begin + length)
            for length, runs in self._runs.items()
            for begin in range(len(letters))
            if letters[begin : begin + length] in runs
        ]
        for end in [ellipsis.start() for ellipsis in re.finditer(_ELLIPSIS, letters)] + [len(letters)] * is_cut:
            begins = range(max(0, end - _RUN), end)
            found += [(begin, end) for begin in begins if letters[begin:end] in self._heads]
        hidden = bytearray(len(letters))
        for begin, end in found:
            hidden[begin:end] = bytes([hidden[begin] or 2]) + b"\1" * (end - begin - 1)
        return hidden

    def _look_for(self) -> dict[int, set[str]]:
        """Return what secrets are found by, themselves or their parts, by length; and note how they begin."""
        runs: dict[int, set[str]] = {}
        left = _MAX_SUBMITTED_CHARACTERS
        for values, most in ((self._credentials, _RUN_OF_CREDENTIAL), (self._submitted, _RUN)):
            texts = (value[:_MAX_CHARACTERS] for value in each_once(values, _inner) if isinstance(value, str))
            for text in {each for each in texts if len(each) >= _MIN_CHARACTERS}:
                left -= max(len(text), 100)
                self._shows_nothing = left < 0
                if self._shows_nothing:
                    return {}
                for letters in {_letters(spelled(text))[0] for spelled in (printable, _unescaped)}:
                    length = min(len(letters), most)
                    if length > 1:
                        parts = (letters[begin : begin + length] for begin in range(len(letters) - length + 1))
                        runs.setdefault(length, set()).update(parts)
                        self._heads.update(letters[:short] for short in range(_MIN_CHARACTERS, length))
        return runs


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers, names in lower case, without those that carry credentials or cookies."""
    return {small: value for name, value in headers.items() if (small := name.lower()) not in _SECRET_HEADERS}


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the visible characters of a text, in small letters without accents, and where each of them stands."""
    folded = [(letter, place) for place, each in enumerate(text) for letter in _folded(each)]
    return "".join(letter for letter, _ in folded), [place for _, place in folded]


@lru_cache(maxsize=1000)
def _folded(character: str) -> str:
    spelled = normalize("NFKD", normalize("NFKD", character).casefold())
    return "".join(each for each in spelled if category(each)[0] not in "CMZ")


def _unescaping() -> tuple[Callable[[str], str], ...]:
    """Return the steps to a text without escapes of JSON, URLs and HTML, which may be escaped again on their way."""
    unescape = load("html").unescape  # with the names of 2,000 letters, which only an error needs
    return (str, *(partial(re.sub, _ESCAPE, _escaped), unquote_plus, unescape) * 3)


def _unescaped(text: str) -> str:
    for step in _unescaping():
        text = step(text)
    return _shown(text)


def _shown(text: str) -> str:
    return printable(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _escaped(escape: re.Match[str]) -> str:
    number = escape[1] or escape[2]
    return chr(int(number, 16)) if number else " " if escape[3] in "bfnrt" else escape[3]


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
