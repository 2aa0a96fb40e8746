"""Whether what a reply repeats is what was sent, as a service may have trimmed, cut or spelt it.

A service drops or replaces a character that it cannot hold wherever it stands, so one that is in the reply was held.
ASCII letters, digits and blanks always are.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Literal

from tazapay_lightning._loading import load
from tazapay_lightning.values.json_fields import decoded, json_text

_NESTED = (Mapping, list)
_NORMAL_FORMS: Sequence[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ("NFC", "NFD", "NFKC", "NFKD")
_MAX_CHARACTERS = 10_000  # characters of a text that are compared
_ALWAYS_HELD = frozenset(string.ascii_letters + string.digits + " ")
_MARKS = string.punctuation + " \ufffd"  # what stands for a character that was not held, one for each of its bytes
_CUT_OFF = " .…?\ufffd[]()"  # what a text that was cut ends with: an ellipsis, or what is left of a character
_ENTITY = r"&#?\w{1,32};"
_HALF_ENTITY = r"(?a)&(#\w{0,6}|a(mp?|p(os?)?)?|[gl]t?|q(u(ot?)?)?)?\Z"  # of the five that HTML needs
_NUMBER = r"(?a)\s*[-+]?[0-9.]+\s*"
_TAG = r"</?[A-Za-z][^<>]*>"
_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d"}
_CAPITALS = {letter.upper(): written.capitalize() for letter, written in _LETTERS.items()}
_IN_ASCII = str.maketrans({**_LETTERS, **_CAPITALS, "ß": "ss", "þ": "th", "Þ": "Th"})
_OTHER_WORDS = {"true": {"1", "yes", "t", "on"}, "false": {"0", "no", "f", "off"}, "null": {"none", "nil", "<nil>"}}
"""How other languages write what JSON writes so, in small letters."""


def differs(asked: object, received: object) -> bool | None:
    """Compare two values of JSON as text: 7890 is "7890", True is "true", an object is its JSON text.

    Returns:
        False if they are the same. True if they differ, and the second one can be the first one as the service keeps
        it: something left out or added, a text that `is_form_of` the other. None if it cannot.

    Example:
        >>> differs({"order": 7890}, {"order": "7890"}), differs({"a": "1", "b": "2"}, {"a": "1"})
        (False, True)
        >>> differs({"order": "7890"}, {"order": "7891"}) is None
        True
    """
    found, left = False, [(asked, received)]
    while left:  # without recursion: metadata may be nested deeply
        pair = left.pop()
        asked, received = pair if isinstance(pair[0], _NESTED) == isinstance(pair[1], _NESTED) else map(decoded, pair)
        if isinstance(asked, Mapping) and isinstance(received, Mapping):
            found = found or asked.keys() != received.keys()
            left += [(asked[name], received[name]) for name in asked.keys() & received.keys()]
        elif isinstance(asked, list) and isinstance(received, list):
            found = found or len(asked) != len(received)
            left += zip(asked, received, strict=False)
        elif _text(asked) != _text(received):
            found = True
            if received not in (None, "", {}, []) and not _may_be(asked, received):
                return None
    return found


def is_form_of(asked: str, received: str) -> bool:
    """Tell whether the second text can be the first one: trimmed, cut, or spelt in another way.

    Other ways are: a Unicode normal form, blanks collapsed, characters dropped or replaced that are not ASCII letters
    or digits, or written in ASCII; HTML entities, HTML without its tags, backslashes added or taken away, JSON's
    escapes; UTF-8 that was read as Latin-1.

    Example:
        >>> is_form_of("Payment for order #7890", "Payment for..."), is_form_of("Caf\u00e9", "Caf?")
        (True, True)
        >>> is_form_of("Order #7890", "Order #7891"), is_form_of("Order #789", "Order #7890")
        (False, False)
    """
    whole = " ".join(_unescaped(valid(received[:_MAX_CHARACTERS])).split()).rstrip(_CUT_OFF)
    received = re.sub(_HALF_ENTITY, "", whole)
    plain = _unescaped(asked)
    normal = [[unicodedata.normalize(form, text) for text in (plain, received)] for form in _NORMAL_FORMS]
    written = [(spelling, received) for spelling in dict.fromkeys(_spellings(plain))]
    return any(_begins_with(*pair) for pair in (*normal, *written))


def _spellings(text: str) -> Iterator[str]:
    """Yield what services are known to make of a text, beside normal forms."""
    yield text
    yield re.sub(_TAG, "", text)
    yield from (unicodedata.normalize(form, text).translate(_IN_ASCII) for form in ("NFC", "NFKD"))
    yield from (json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    yield text.replace("\\", "")
    yield re.sub(r"([\\'\"])", r"\\\1", text)
    load("encodings.cp1252")  # decoding would load it
    encoded = text.encode("utf-8", "replace")
    yield from (encoded.decode(wrong, "replace") for wrong in ("latin-1", "cp1252"))


def valid(text: str) -> str:
    """Return a text of the service's with a question mark for half of a character, which it can send."""
    return text.encode("utf-8", "replace").decode()


def _begins_with(asked: str, received: str) -> bool:
    """Tell whether some spelling of the first text begins with the second one.

    Each bit of `ends` is a place in `received` that a spelling of what was read of `asked` can end at.
    """
    places: dict[str, int] = defaultdict(int)
    for at, letter in enumerate(received):
        places[letter] |= 1 << at
    marks = sum(places[mark] for mark in _MARKS)
    ends = 1
    for letter in asked[:_MAX_CHARACTERS]:
        if ends >> len(received):
            return True
        if letter not in _ALWAYS_HELD and not places[letter]:
            for _ in range(4):
                ends |= (ends & marks) << 1
        else:
            collapsed = ends & (places[" "] << 1 | 1) if letter == " " else 0
            ends = (ends & places[letter]) << 1 | collapsed
    return bool(ends >> len(received)) or len(asked) > _MAX_CHARACTERS


def _unescaped(text: str) -> str:
    unescape = load("html").unescape  # which few replies need
    for _ in range(4):
        text = re.sub(_ENTITY, lambda entity: unescape(entity[0]), text)
    return text


def _may_be(asked: object, received: object) -> bool:
    """Tell whether a value that differs is still the same: numbers are not cut, and may pass through a double."""
    sent, came = _text(asked), _text(received)
    if isinstance(asked, str) and not re.fullmatch(_NUMBER, asked):
        return is_form_of(asked, came)
    read = Decimal if isinstance(asked, str) and isinstance(received, str) else float
    with suppress(ArithmeticError, ValueError):
        return read(sent) == read(came)
    word = came.strip().lower()
    return sent.strip().lower() == word or (not isinstance(asked, str) and word in _OTHER_WORDS.get(sent, ()))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)
