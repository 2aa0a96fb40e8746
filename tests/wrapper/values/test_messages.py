"""Values from outside appear in messages short, on one line, and harmless to a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import ConfigurationError, LightningClient
from tazapay_lightning.values.safe_text import printable, shown


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_a_value_that_cannot_be_shown_is_still_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"environment .* got a value of type Hostile"):
        LightningClient("k", "s", environment=Hostile())  # type: ignore[arg-type]  # the wrong type is what is tested


@given(st.integers() | st.text() | st.floats() | st.binary() | st.lists(st.text()))
def test_what_is_shown_is_never_more_than_a_line(value: object) -> None:
    text = shown(value)
    assert len(text) < 80
    assert "\n" not in text


@given(st.text())
def test_what_is_printable_has_the_same_length_and_prints(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(text).isprintable()


def test_a_long_text_is_cut_where_it_is_asked_to_be() -> None:
    assert (printable("abcdef", most=3), printable("abc", most=3)) == ("abc...", "abc")
