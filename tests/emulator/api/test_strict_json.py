from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tazapay_lightning_emulator.api.strict_json import MAX_DEPTH, MAX_NUMBER_LENGTH, NotStrictJSONError, read_json
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH

characters = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | characters,
    lambda inner: st.lists(inner) | st.dictionaries(characters, inner),
    max_leaves=20,
)


@settings(max_examples=200 if THOROUGH else 30, deadline=None)
@given(values, st.booleans())
def test_every_value_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    assert read_json(text) == read_json(text.encode()) == value


@settings(max_examples=500 if THOROUGH else 100, deadline=None)
@given(st.binary() | st.text('{}[]",:0123456789.eE+-\\ud8aNaInfity tru').map(str.encode))
def test_any_bytes_are_a_value_or_the_one_error(data: bytes) -> None:
    try:
        value = read_json(data)
    except NotStrictJSONError:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # what was read can be replied


@each_row(
    ("text", "message"),
    [
        ("", "Expecting value at character 0"),
        ("NaN", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("1e400", "beyond the range"),
        ("-1e400", "beyond the range"),
        ("1" * (MAX_NUMBER_LENGTH + 1), "a number of more than"),
        ("0." + "1" * MAX_NUMBER_LENGTH, "a number of more than"),
        ('{"a":1,"a":1}', "the same key twice"),
        ('["\\ud800"]', "a lone surrogate"),
        ('{"\\udc00":1}', "a lone surrogate"),
        (b"\xff", "not UTF-8"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper"),
        ('{"":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "nested deeper"),
        ("[" * 1_000_000, "nested deeper"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_refused_is_said(text: str | bytes, message: str) -> None:
    with pytest.raises(NotStrictJSONError, match=message):
        read_json(text)


@each_row(
    "text",
    [
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "1" * MAX_NUMBER_LENGTH,
        "-1.7976931348623157e308",
        '"\\ud83d\\ude00"',
        '{"a":{"a":1},"b":{"a":1}}',
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_just_within_bounds_is_read(text: str) -> None:
    assert read_json(text) == json.loads(text)
