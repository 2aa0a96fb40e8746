"""JSON, and fields of its objects, of which the document types ``metadata`` and ``data`` as a string in JSON format.

Whether a JSON object travels as itself or as text within a string differs between the document, its examples and
recorded traffic, and may differ again tomorrow. Both are read; what is sent is decided by the client's
``metadata_format``.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

from tazapay_lightning.errors import InvalidArgumentError, TazapayError, UnexpectedResponseError
from tazapay_lightning.values.refusals import check_unicode, refused
from tazapay_lightning.values.safe_text import kind, shown

_Value = TypeVar("_Value")
_logger = logging.getLogger("tazapay_lightning")
_DIGITS = r"(?a)[0-9]{1,20}"
_ACCEPTED = "str, int, finite float, bool, None, and lists and mappings of them"


def encode_json_field(value: Mapping[str, object]) -> str:
    """Write a mapping as compact JSON text.

    Args:
        value: a mapping with str keys, nested some hundreds of levels at most, of str, int, finite float, bool, None,
            lists, tuples and mappings.

    Returns:
        JSON text without blanks, keys in the order of the mapping, letters of every script as they are.

    Raises:
        InvalidArgumentError: for NaN and infinity, keys that are not str, and everything else that JSON has no type
            for (Decimal and datetime among them: pass them as str). The message names the path to the value.

    Example:
        >>> from tazapay_lightning import encode_json_field
        >>> encode_json_field({"order_id": "7890", "lines": [1, 2]})
        '{"order_id":"7890","lines":[1,2]}'
        >>> encode_json_field({"lines": [{"price": float("nan")}]})
        Traceback (most recent call last):
        ...
        tazapay_lightning.errors.InvalidArgumentError: value['lines'][0]['price'] is nan, which JSON cannot hold
    """
    return json_text(json_object(value, argument="value"))


json_text: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
"""Writes a value that JSON can hold, such as `json_object` returned, as compact JSON text: the one writer."""


def json_object(value: object, *, argument: str) -> dict[str, object]:
    """Return a mapping as plain dicts and lists that JSON can hold, a copy, or refuse it by the name `argument`."""
    if not isinstance(value, (dict, Mapping)):
        raise refused(argument, "a mapping such as {'order_id': '7890'}", type(value).__name__)
    try:
        return dict(_plain_items(value, (argument,)))
    except RecursionError:
        problem = "is nested too deeply for JSON, or contains itself"
        raise InvalidArgumentError(f"{argument} {problem}", argument=argument) from None


def decode_json_field(value: object) -> dict[str, object]:
    r"""Read a JSON object in whichever way it was sent.

    Args:
        value: a mapping, JSON text of an object, JSON text that was encoded as JSON once more, or None.

    Returns:
        The object as a new dict; an empty one for None.

    Raises:
        UnexpectedResponseError: for everything else.

    Example:
        >>> from tazapay_lightning import decode_json_field
        >>> decode_json_field({"a": 1}), decode_json_field('{"a":1}'), decode_json_field('"{\\"a\\":1}"')
        ({'a': 1}, {'a': 1}, {'a': 1})
        >>> decode_json_field(None)
        {}
    """
    if value is None:
        return {}
    for _ in range(2):
        if isinstance(value, str):
            value = parse_json(value)
    # here and elsewhere dict first, since to ask an abstract class takes seven times as long
    if not isinstance(value, (dict, Mapping)) or not all(isinstance(key, str) for key in value):
        raise UnexpectedResponseError(f"expected a JSON object, with str keys, or the text of one; it is {kind(value)}")
    return dict(value)


def decoded(value: object) -> object:
    """Return the object or the list that a JSON text holds, encoded twice at most; any other value as it is."""
    if not isinstance(value, str):
        return value
    inner: object = value
    with suppress(UnexpectedResponseError):
        for _ in range(2):
            inner = parse_json(inner) if isinstance(inner, str) else inner
    return inner if isinstance(inner, (dict, list, Mapping)) else value


def optional(
    payload: Mapping[str, object], name: str, read: Callable[[object], _Value], *, source: str = "the invoice"
) -> _Value | None:
    """Read a field that may be absent, null or of a form that this version does not know.

    Args:
        payload: the object that may hold it.
        name: its name there.
        read: what reads its value; it raises `ValueError` or `UnexpectedResponseError` where it cannot.
        source: what the object is, for the warning.
    """
    value = payload.get(name)
    try:
        return None if value is None else read(value)
    except (ValueError, UnexpectedResponseError):
        _logger.warning("`%s` of %.72s cannot be read: it is %s; see its `raw`", name, source, kind(value))
        return None


def essential(payload: Mapping[str, object], name: str, read: Callable[[object], _Value]) -> _Value:
    """Read a field without which there is no invoice.

    Raises:
        UnexpectedResponseError: it is missing or empty, or `read` raises `ValueError` because it cannot read it.
    """
    value = payload.get(name)
    try:
        return read(value if value != "" else None)
    except ValueError:
        problem = f"the invoice in the reply has no readable `{name}`: it is {kind(value)}"
    raise UnexpectedResponseError(problem)


def text(value: object) -> str:
    """Read a text."""
    if isinstance(value, str):
        return value
    raise ValueError("not a text")


def whole_number(value: object, *, most: int) -> int:
    """Read a number, 0 or more, that came as an integer, as digits, or as a float without a fraction."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    if isinstance(value, str) and re.fullmatch(_DIGITS, value):
        return whole_number(int(value), most=most)
    if isinstance(value, float) and value.is_integer():
        return whole_number(int(value), most=most)
    raise ValueError(f"not a whole number up to {most}")


def parse_json(text: str | bytes, *, error: type[TazapayError] = UnexpectedResponseError) -> object:
    """Read JSON that has one meaning only: the one reader of whatever comes from outside.

    Args:
        text: JSON as text, or as bytes in UTF-8, UTF-16 or UTF-32.
        error: what to raise.

    Raises:
        TazapayError: `error`, if it is not JSON, holds NaN, an infinity or a number beyond a double, has a key twice in
            one object (readers differ in which of the two counts), or is nested too deeply.

    Example:
        >>> parse_json('{"amount": 1, "amount": 2}')
        Traceback (most recent call last):
        ...
        tazapay_lightning.errors.UnexpectedResponseError: expected JSON; the key 'amount' comes twice in one object
    """
    try:
        if isinstance(text, bytes):  # UTF-16 and UTF-32 never begin with {"
            text = text.decode("utf-8" if text[:2] == b'{"' else json.detect_encoding(text), "surrogatepass")
        value, end = _decoder.raw_decode(text := text.strip(" \t\n\r"))
        return value if end == len(text) else _decoder.decode(text)  # which tells where it should have ended
    except ValueError as failure:  # not JSON, not of this encoding, or a number of more digits than Python reads
        problem = str(failure)
    except RecursionError:
        problem = "it is nested too deeply"
    # Raised here, because the original keeps the whole text in an attribute, and so would our error as its context.
    raise error(f"expected JSON; {problem}") from ValueError(problem)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {shown(key)} comes twice in one object")
    return members


def _finite(text: str) -> float:
    """Read a number that a float can hold; others would become an infinity in silence. NaN is refused too."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a number that JSON can hold")
    return number


# Made once: `json.loads` makes a new one for each call that has any of these arguments.
_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)


def _plain_items(value: Mapping[object, object], place: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    """Yield the items of a mapping that stands at a place: the name of an argument, and the steps into its value."""
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refused(place, f"has the key {shown(key)} ({type(key).__name__}); keys must be str")
        if not key.isascii():
            check_unicode(key, argument=str(place[0]), path=f"the key of {_path((*place, key))}")
        yield key, item if isinstance(item, str) and item.isascii() else _plain(item, (*place, key))


def _plain(value: object, place: tuple[object, ...]) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return value if value.isascii() else check_unicode(value, argument=str(place[0]), path=_path(place))
        case int():
            if value.bit_length() <= 1024:  # what a double holds: few JSON readers keep a larger one
                return int(value)
            raise _refused(place, f"is an int of {value.bit_length()} bits; pass it as str")
        case float():
            if math.isfinite(value):
                return float(value)
            raise _refused(place, f"is {value}, which JSON cannot hold")
        case Mapping():
            return dict(_plain_items(value, place))
        case list() | tuple():
            return [_plain(item, (*place, index)) for index, item in enumerate(value)]
    raise _refused(place, f"is a {type(value).__name__}, which JSON has no type for; accepted are {_ACCEPTED}")


def _refused(place: tuple[object, ...], problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{_path(place)} {problem}", argument=str(place[0]))


def _path(place: tuple[object, ...]) -> str:
    return f"{place[0]}" + "".join(f"[{step!r}]" for step in place[1:])
