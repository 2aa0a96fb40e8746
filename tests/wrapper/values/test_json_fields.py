from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import InvalidArgumentError, UnexpectedResponseError, decode_json_field, encode_json_field
from tests.support.tables import each_row

# small pieces: what is long or deep has tests of its own, and to make it by chance takes longer than to read it
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**900), 2**900)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(text, json_values, max_size=4)


@given(json_objects)
def test_an_object_survives_each_way_to_send_it(value: dict[str, object]) -> None:
    once = encode_json_field(value)
    assert decode_json_field(value) == decode_json_field(once) == decode_json_field(json.dumps(once)) == value


@given(json_objects)
def test_encoded_json_is_compact_and_standard(value: dict[str, object]) -> None:
    assert encode_json_field(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@given(st.text() | st.binary() | json_values)
def test_whatever_is_decoded_gives_a_dict_or_the_documented_error(value: object) -> None:
    try:
        decoded = decode_json_field(value)
    except UnexpectedResponseError:
        return
    assert type(decoded) is dict


def test_decoding_none_gives_an_empty_dict() -> None:
    assert decode_json_field(None) == {}


def test_the_decoded_dict_is_a_copy() -> None:
    value = {"a": 1}
    assert decode_json_field(value) is not value


@each_row(
    "value",
    [
        "", " ", "null", "1", "true", "[]", '"text"', '"[1]"', '"\\"{}\\""', "{", '{"a":1', "{'a':1}", '{"a":NaN}',
        '{"a":-Infinity}', '{"a":1e999}', '{"a":1}x', "nonsense", "[" * 100_000, '{"a":' * 100_000,
        '{"a":' + "9" * 5000 + "}",
        1, 1.5, True, [], [{}], b"{}", {1: 2}, object(),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_json_object_is_an_unexpected_response(value: object) -> None:
    with pytest.raises(UnexpectedResponseError, match="expected"):
        decode_json_field(value)


class _Colour(StrEnum):
    RED = "red"


@each_row(
    ("value", "expected"),
    [
        ({}, "{}"),
        ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
        (MappingProxyType({"a": OrderedDict(b=(1, 2))}), '{"a":{"b":[1,2]}}'),
        ({"colour": _Colour.RED}, '{"colour":"red"}'),
        ({"é": "€"}, '{"é":"€"}'),
    ],
)
def test_mappings_and_sequences_of_every_kind_are_encoded(value: dict[str, object], expected: str) -> None:
    assert encode_json_field(value) == expected


_cycle: dict[str, object] = {}
_cycle["again"] = [_cycle]


@each_row(
    ("value", "message"),
    [
        ({"a": float("nan")}, r"value\['a'\] is nan"),
        ({"a": [1, {"b": float("inf")}]}, r"value\['a'\]\[1\]\['b'\] is inf"),
        ({"a": {"b": Decimal(1)}}, r"value\['a'\]\['b'\] is a Decimal"),
        ({"a": datetime.now(UTC)}, r"value\['a'\] is a datetime"),
        ({"a": {1, 2}}, r"value\['a'\] is a set"),
        ({"a": b"bytes"}, r"value\['a'\] is a bytes"),
        ({"a": {1: 2}}, r"value\['a'\] has the key 1 \(int\)"),
        ({None: 2}, r"value has the key None \(NoneType\)"),
        ({"a": "\ud800"}, r"value\['a'\] holds half of a surrogate pair"),
        ({"\ud800": 1}, r"the key of value.* holds half of a surrogate pair"),
        ({"a": 10**5000}, r"value\['a'\] is an int of \d+ bits; pass it as str"),
        (_cycle, "value is nested too deeply for JSON, or contains itself"),
        ("{}", "value must be a mapping such as .*; got str"),
        (None, "value must be a mapping such as .*; got NoneType"),
        ([("a", 1)], "value must be a mapping such as .*; got list"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_refused_with_the_path_to_it(value: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        encode_json_field(value)  # type: ignore[arg-type]  # the wrong type is what is tested
    assert caught.value.argument == "value"


@pytest.mark.parametrize("number", [2**1024 - 1, -(2**1024 - 1)])
def test_an_int_of_1024_bits_is_the_longest_that_is_encoded(number: int) -> None:
    assert encode_json_field({"a": number}) == f'{{"a":{number}}}'
    with pytest.raises(InvalidArgumentError, match="is an int of 1025 bits"):
        encode_json_field({"a": 2 * number})
