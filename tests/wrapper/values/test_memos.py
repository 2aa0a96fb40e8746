from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import MAX_MEMO_BYTES, InvalidArgumentError, hash_memo, verify_memo
from tazapay_lightning.values.memos import check_memo, is_memo_hash
from tests.support.tables import each_row

text = st.text(st.characters(exclude_categories=["Cs"]))


@given(text)
def test_a_memo_hash_is_64_lower_case_hex_digits_of_its_utf8(memo: str) -> None:
    assert hash_memo(memo) == hashlib.sha256(memo.encode("utf-8")).hexdigest()


def test_a_memo_hash_is_what_openssl_says() -> None:
    # printf 'Payment for order #7890' | openssl dgst -sha256
    assert hash_memo("Payment for order #7890") == "f1bac2dec0b5f7f890a3770361f563012c1dd6c358195fb3bcd375e1779c9fda"


@given(text)
def test_a_memo_verifies_against_its_own_hash_in_either_case(memo: str) -> None:
    assert verify_memo(memo, hash_memo(memo))
    assert verify_memo(memo, hash_memo(memo).upper())


@given(text, text)
def test_a_memo_verifies_against_no_other_memos_hash(memo: str, other: str) -> None:
    assert verify_memo(memo, hash_memo(other)) == (memo == other)


def test_texts_that_look_the_same_hash_differently() -> None:
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    assert hash_memo(composed) != hash_memo(decomposed)


@each_row("memo_hash", ["", "x" * 64, "0" * 63, "é" * 64, "\ud800", "Ａ" * 64])
def test_what_is_no_hash_verifies_nothing(memo_hash: str) -> None:
    assert not verify_memo("memo", memo_hash)


@given(text)
def test_a_memo_is_accepted_up_to_639_bytes_of_utf8(memo: str) -> None:
    assert check_memo(memo) == memo  # hypothesis keeps texts short


@each_row(("character", "most"), [("a", 639), ("é", 319), ("€", 213), ("😀", 159)])
def test_the_limit_of_a_memo_counts_bytes(character: str, most: int) -> None:
    assert check_memo(character * most) == character * most
    with pytest.raises(InvalidArgumentError, match=f"at most {MAX_MEMO_BYTES} bytes.*memo_as_hash=True"):
        check_memo(character * (most + 1))


@each_row("memo", [None, 1, b"memo", ["memo"], "\ud800", "half \udfff of a pair"], ids=ascii)
def test_what_is_no_text_is_refused_by_name(memo: object) -> None:
    with pytest.raises(InvalidArgumentError, match="^memo (must be|holds half of a surrogate pair)") as caught:
        hash_memo(memo)  # type: ignore[arg-type]  # the wrong type is what is tested
    assert caught.value.argument == "memo"


def test_a_hash_that_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match="^memo_hash must be a str; got NoneType"):
        verify_memo("memo", None)  # type: ignore[arg-type]  # the wrong type is what is tested


@pytest.mark.parametrize("value", ["ab" * 32, "AB" * 32, hash_memo("Order")])
def test_64_hex_digits_look_like_the_hash_of_a_memo(value: str) -> None:
    assert is_memo_hash(value)


@each_row("value", [None, 1, b"ab" * 32, "", "ab" * 31, "xy" * 32, "ab" * 32 + "a"], ids=repr)
def test_nothing_else_does(value: object) -> None:
    assert not is_memo_hash(value)
