"""A table in one case: every row is tried, and each that does not hold is named."""

from __future__ import annotations

import inspect

import pytest

from tests.support.tables import each_row


def test_every_row_is_tried_and_each_that_does_not_hold_is_named() -> None:
    tried = []

    @each_row("number, word", [(1, "one"), (2, "two"), pytest.param(3, "three", id="the third"), (4, "four")])
    def odd(number: int, word: str) -> None:
        tried.append(word)
        if number == 4:
            pytest.fail("four")
        assert number % 2 == 0

    with pytest.raises(BaseExceptionGroup, match=r"^3 of 4 rows do not hold: 1, 'one'; the third; 4, 'four'") as caught:
        odd()
    assert tried == ["one", "two", "three", "four"]
    assert [failure.__notes__ for failure in caught.value.exceptions] == [
        ["the row: 1, 'one'"],
        ["the row: the third"],
        ["the row: 4, 'four'"],
    ]


def test_the_labels_of_a_table_name_its_rows() -> None:
    @each_row("number", [1, 2], ids=["first", "second"])
    def negative(number: int) -> None:
        assert number < 0

    with pytest.raises(BaseExceptionGroup, match="^2 of 2 rows do not hold: first; second"):
        negative()


def test_what_is_no_column_of_the_table_stays_a_fixture() -> None:
    @each_row("number", [1, 2])
    def with_a_fixture(number: int, tmp_path: object) -> None:
        assert tmp_path == "here"

    assert list(inspect.signature(with_a_fixture).parameters) == ["tmp_path"]
    with_a_fixture(tmp_path="here")


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(AssertionError, match="proves nothing"):
        each_row("number", [])
