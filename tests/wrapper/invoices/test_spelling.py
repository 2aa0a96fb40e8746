"""What a service may make of a text that it repeats, and what it cannot have made of it."""

from __future__ import annotations

import html
import json
import re
import textwrap
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning.invoices.spelling import differs, is_form_of

C1 = "".join(map(chr, range(0x80, 0xA0)))  # control characters, whose HTML references mean others
WRITTEN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=C1), max_size=40)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "trimmed": str.strip,
    "collapsed": lambda text: " ".join(text.split()),
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "compatible": lambda text: unicodedata.normalize("NFKC", text),
    "plain letters": lambda text: unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode(),
    "ASCII, replaced": lambda text: text.encode("ascii", "replace").decode(),
    "ASCII, replaced by bytes": lambda text: "".join(c if c.isascii() else "?" * len(c.encode()) for c in text),
    "ASCII, dropped": lambda text: text.encode("ascii", "ignore").decode(),
    "Latin-1": lambda text: text.encode("latin-1", "replace").decode("latin-1"),
    "without what is not in the basic plane": lambda text: "".join(c for c in text if c <= "\uffff"),
    "printable": lambda text: "".join(c for c in text if c.isprintable()),
    "escaped": html.escape,
    "escaped twice": lambda text: html.escape(html.escape(text)),
    "references": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "with backslashes": lambda text: re.sub(r"""(['"\\\\])""", r"\\\1", text),
    "without backslashes": lambda text: text.replace("\\", ""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with its letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "as it is": lambda text: text,
}
CUTS: dict[str, Callable[[str, int], str]] = {
    "by letters": lambda text, length: text[:length],
    "by bytes": lambda text, length: text.encode()[:length].decode(errors="ignore"),
    "within a letter": lambda text, length: text.encode()[:length].decode(errors="replace"),
    "with dots": lambda text, length: text[:length] + "...",
    "with an ellipsis": lambda text, length: text[:length] + "…",
    "by words": lambda text, length: textwrap.shorten(text, length + 5),
    "trimmed": lambda text, length: text[:length].strip(),
    "not at all": lambda text, length: text,
}


@given(
    text=WRITTEN, spell=st.sampled_from(sorted(SPELLINGS)), cut=st.sampled_from(sorted(CUTS)), length=st.integers(0, 50)
)
def test_however_a_text_is_spelt_and_cut_it_is_still_that_text(text: str, spell: str, cut: str, length: int) -> None:
    assert is_form_of(text, CUTS[cut](SPELLINGS[spell](text), length))


@given(text=WRITTEN, cut=st.sampled_from(sorted(CUTS)), length=st.integers(0, 50), spell=st.sampled_from(["escaped"]))
def test_a_text_can_be_cut_before_it_is_spelt(text: str, cut: str, length: int, spell: str) -> None:
    assert is_form_of(text, SPELLINGS[spell](CUTS[cut](text, length)))


PLAIN = st.text("ab12", max_size=8)


@given(asked=PLAIN, received=PLAIN)
def test_of_letters_that_every_service_holds_only_a_beginning_is_a_form(asked: str, received: str) -> None:
    assert is_form_of(asked, received) == asked.startswith(received)


@given(asked=WRITTEN, received=PLAIN, number=st.integers(0, 9999))
def test_another_number_is_another_text_whatever_is_around_it(asked: str, received: str, number: int) -> None:
    for other in (number + 1, number + 10, 10 * number + 10):
        assert not is_form_of(f"{asked} #{number:04} {received}", f"{asked} #{other:04}")


@pytest.mark.parametrize(
    ("asked", "received"),
    [
        ("Order #7890", "Order 7890"),
        ("Grüße? Tisch 1, für Max", "Gr??e? Tisch 1, f?r Max"),
        ("one\ntwo three", "one two three"),
        ("one\ntwo three", "onetwo three"),
        ("half \U0001f600", "half \ud83d"),
        ("R&D <7890>", "R&amp;D &l"),
        ("O'Brien", "O&#x2"),
        ("a é b", "a b"),
        ("Straße 7, Øresund", "Strasse 7, Oresund"),
        ("Müller & Søn", "Mueller &amp; Son"),
        ("<b>Order</b> 7890<br/>", "Order 7890"),
        ("<p class='a'>Order 7890</p>", "Order 78"),
        ("Café 7890", "CafÃ© 7890"),
        ("Café – 7", "CafÃ© â€“ 7"),
        ("Grüße 7", "Grusse 7"),
        ("“Café” – 7", '"Cafe" - 7'),
        ("x" * 639, "x" * 255),
    ],
)
def test_these_are_forms(asked: str, received: str) -> None:
    assert is_form_of(asked, received)


@pytest.mark.parametrize(
    ("asked", "received"),
    [
        ("Order #789", "Order #7890"),
        ("Order 12/3", "Order 1/23"),
        ("Order 1 23", "Order 12 3"),
        ("Order a1", "Order A1"),
        ("订单七", "订单八"),
        ("🍕", "🍔"),
        ("Müller", "Möller"),
        ("Müller", "Moller"),
        ("Straße 7", "Strase 7"),
        ("<b>Order</b> 7890", "Order 7891"),
        ("Café 7890", "CafÃ© 7891"),
        ("a\\b 1", "ab 2"),
        ("R&D <7890>", "R&amp;D &lt;7891&gt;"),
        ("AT&T7890", "AT&T1234"),
        ("Order", "An order"),
        ("", "Order"),
    ],
)
def test_these_are_others(asked: str, received: str) -> None:
    assert not is_form_of(asked, received)


@pytest.mark.parametrize("received", ["?" * 8_000_000, "é" * 20_000, "?" * 9_999 + "x", "&amp;" * 100_000])
def test_no_text_takes_long(received: str) -> None:
    began = time.thread_time()
    is_form_of("ü" * 9_999, received)
    assert time.thread_time() - began < 1


# Values of metadata

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
METADATA = st.dictionaries(TEXTS, VALUES, max_size=4)


def as_text(value: Any) -> Any:
    """Return a value with every number and truth value in it as text, as a service keeps it that knows texts only."""
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    return value if isinstance(value, str) else json.dumps(value)


@given(metadata=METADATA)
def test_numbers_as_text_are_no_difference(metadata: dict[str, Any]) -> None:
    assert differs(metadata, as_text(metadata)) is False


@given(metadata=METADATA)
def test_what_is_nested_may_come_as_json_text(metadata: dict[str, Any]) -> None:
    flat = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in metadata.items()}
    assert differs(metadata, flat) is False


@given(metadata=METADATA, added=METADATA, data=st.data())
def test_what_is_left_out_or_added_is_a_difference_and_proves_nothing(
    metadata: dict[str, Any], added: dict[str, Any], data: st.DataObject
) -> None:
    kept = {name: value for name, value in metadata.items() if data.draw(st.booleans())}
    received = {**added, **kept}
    expected = any(added[name] != metadata[name] for name in added.keys() & metadata.keys() - kept.keys())
    if not expected:
        assert differs(metadata, received) is (metadata.keys() != received.keys())


@given(text=TEXTS.filter(lambda text: text.strip().strip(" +-.0123456789") != ""), cut=st.sampled_from(sorted(CUTS)))
def test_a_text_in_the_metadata_may_be_cut(text: str, cut: str) -> None:
    assert differs({"a": {"b": text}}, {"a": {"b": CUTS[cut](text, 5)}}) is not None


@given(asked=st.integers(0, 10**15), received=st.integers(0, 10**15), as_text=st.booleans())
def test_a_number_is_never_cut(asked: int, received: int, as_text: bool) -> None:
    values: tuple[Any, Any] = (str(asked), str(received)) if as_text else (asked, received)
    assert (differs({"order": values[0]}, {"order": values[1]}) is None) == (asked != received)


@pytest.mark.parametrize(
    ("asked", "received"),
    [
        ({"order": "7890"}, {"order": "7891"}),
        ({"order": "7890"}, {"order": "789"}),
        ({"order": 7890}, {"order": "789"}),
        ({"order": "7890", "shop": "a"}, {"order": "7891", "shop": "a"}),
        ({"order": {"id": 1}}, {"order": {"id": 2}}),
        ({"order": {"id": 1}}, {"order": '{"id": 2}'}),
        ({"order": {"id": 1}}, {"order": "another"}),
        ({"orders": [1, 2]}, {"orders": [2, 1]}),
        ({"order": "a"}, {"order": {"id": 1}}),
        ({"order": ""}, {"order": "a"}),
        ({"order": None}, {"order": "a"}),
        ({"paid": True}, {"paid": False}),
        ({"paid": True}, {"paid": "false"}),
        ({"paid": True}, {"paid": "0"}),
        ({"paid": "true"}, {"paid": "1"}),
        ({"order": "1"}, {"order": "true"}),
        ({"order": None}, {"order": "1"}),
        ({"order": "12345678901234567890"}, {"order": "12345678901234567891"}),
        ({"price": "7890.50"}, {"price": "7890.05"}),
    ],
)
def test_another_value_for_a_key_of_ours_proves_another_order(asked: Any, received: Any) -> None:
    assert differs(asked, received) is None


@pytest.mark.parametrize(
    ("asked", "received"),
    [
        ({"a": 1.0}, {"a": 1}),
        ({"a": 1e22}, {"a": "1e22"}),
        ({"a": True}, {"a": "True"}),
        ({"a": True}, {"a": "1"}),
        ({"a": False}, {"a": "0"}),
        ({"a": None}, {"a": "<nil>"}),
        ({"a": None}, {"a": "None"}),
        ({"a": "7890.50"}, {"a": "7890.5"}),
        ({"a": "7890.50"}, {"a": 7890.5}),
        ({"a": "007"}, {"a": "7"}),
        ({"a": 2**60 + 1}, {"a": 1152921504606847000}),
        ({"a": "x"}, {"a": None}),
        ({"a": "x"}, {"a": ""}),
        ({"a": None}, {}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": {}}),
        ({"a": "<b>"}, {"a": "&lt;b&gt;"}),
    ],
)
def test_another_way_to_keep_a_value_is_a_difference_and_proves_nothing(asked: Any, received: Any) -> None:
    assert differs(asked, received) is True


def test_deep_metadata_is_compared_without_recursion() -> None:
    asked: dict[str, Any] = {"a": 1}
    received: dict[str, Any] = {"a": 2}
    for _ in range(100_000):
        asked, received = {"a": asked}, {"a": received}
    assert differs(asked, received) is None
    while asked:  # taken apart step by step, or their destructors would recurse
        asked, received = (each if isinstance(each := one.pop("a"), dict) else {} for one in (asked, received))
