"""The body of a reply is collected within bounds of time and size, and gzip is undone within the same bound."""

from __future__ import annotations

import gzip
import time

import pytest

from tazapay_lightning import UnexpectedResponseError
from tazapay_lightning.transport.bodies import MAX_REPLY_BYTES, Body, without_gzip
from tests.support.tables import each_row

LATER = time.monotonic() + 10_000
PLAIN = b"an invoice" * 10
# mtime=0: the time would be part of the bytes, and so of the names of the tests, which two workers have to agree on
ZIPPED = gzip.compress(PLAIN, mtime=0)


def body(content: bytes, status: int = 200) -> Body:
    collected = Body(status, LATER)
    collected.add(content)
    return collected


def test_a_body_is_its_pieces_in_order() -> None:
    collected = Body(200, LATER)
    assert [collected.add(piece) for piece in (b"a", b"bc", b"d")] == [True, True, True]
    assert collected.decoded("") == b"abcd"


def test_a_body_may_have_8_mebibytes_and_not_a_byte_more() -> None:
    collected = Body(200, LATER)
    assert collected.add(bytes(8 * 1024 * 1024))
    with pytest.raises(UnexpectedResponseError, match=r"^the reply is longer than 8388608 bytes$"):
        collected.add(b"x")


@pytest.mark.parametrize("status", [199, 300, 500])
def test_no_more_than_8_mebibytes_of_an_error_are_wanted(status: int) -> None:
    assert Body(status, LATER).add(bytes(MAX_REPLY_BYTES + 1)) is False


def test_what_was_decoded_already_is_not_decoded_again() -> None:
    collected = Body(200, LATER)
    collected.add_decoded(b"plain")
    assert collected.decoded("gzip") == b"plain"


def test_a_piece_after_the_deadline_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    assert Body(200, 1000.0).add(b"just in time")
    with pytest.raises(TimeoutError, match=r"^the reply came too slowly$"):
        Body(200, 999.0).add(b"too late")


@pytest.mark.parametrize("status", [200, 299])
def test_a_success_that_breaks_off_has_failed(status: int) -> None:
    failure = OSError("gone")
    with pytest.raises(OSError, match="gone") as caught, Body(status, LATER).breaking_off(OSError):
        raise failure
    assert caught.value is failure


@pytest.mark.parametrize("status", [199, 300, 500])
def test_an_error_that_breaks_off_is_read_as_far_as_it_came(status: int) -> None:
    collected = body(b"half", status)
    with collected.breaking_off(OSError):
        raise OSError("gone")
    assert collected.decoded("") == b"half"


def test_an_error_status_hides_that_its_body_cannot_be_decompressed() -> None:
    assert body(b"not gzip", 500).decoded("gzip") == b""


@each_row(
    ("encoding", "content"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        ("br", PLAIN),
        ("gzip", ZIPPED),
        (" X-GZIP\t", ZIPPED),
        ("gzip", gzip.compress(PLAIN[:7], mtime=0) + gzip.compress(PLAIN[7:], mtime=0)),
        ("gzip", b""),
        ("gzip, identity", ZIPPED),
        ("gzip, identity", PLAIN),
    ],
    ids=["none", "identity", "another", "gzip", "x-gzip", "two members", "nothing", "a list", "a list and plain"],
)
def test_gzip_is_undone_and_any_other_encoding_left(encoding: str, content: bytes) -> None:
    assert without_gzip(encoding, content, most=len(PLAIN)) == (PLAIN if content else b"")


@each_row(
    ("content", "message"),
    [
        (gzip.compress(PLAIN + b"!", mtime=0), "the reply decompresses to more than 100 bytes"),
        (ZIPPED + ZIPPED, "the reply decompresses to more than 100 bytes"),
        (ZIPPED[:-1], "the reply is not whole gzip, although it says so"),
        (b"not gzip", "the reply is not whole gzip, although it says so"),
        (ZIPPED[:20] + b"\xff" * 30, "the reply is not whole gzip, although it says so"),
    ],
    ids=["too long", "too long together", "cut short", "no gzip", "damaged"],
)
def test_what_cannot_be_undone_is_told_in_these_words(content: bytes, message: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        without_gzip("gzip", content, most=100)
    assert str(caught.value) == message


def test_a_gzip_of_very_many_members_is_not_read() -> None:
    with pytest.raises(UnexpectedResponseError, match="^the reply is gzip of more than 100 members$"):
        without_gzip("gzip", gzip.compress(b"", mtime=0) * 101, most=100)
    assert without_gzip("gzip", gzip.compress(b"x", mtime=0) * 100, most=100) == b"x" * 100


def test_the_failure_of_the_decompressor_is_the_cause() -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        without_gzip("gzip", b"not compressed", most=100)
    assert isinstance(caught.value.__cause__, OSError)
