"""Compression is undone within a bound, or refused by what is wrong with it."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tazapay_lightning import UnexpectedResponseError
from tazapay_lightning.transport.backends.content_encoding import undo

PLAIN = b"an invoice" * 10
# mtime=0: the time would be part of the bytes, and so of the names of the tests, which two workers have to agree on
BARE = zlib.compress(PLAIN, wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        (" Identity ", PLAIN),
        ("gzip", gzip.compress(PLAIN, mtime=0)),
        (" X-GZIP\t", gzip.compress(PLAIN, mtime=0)),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", BARE),
    ],
)
def test_each_encoding_that_is_asked_for_is_undone(encoding: str, body: bytes) -> None:
    assert undo(encoding, body, most=len(PLAIN)) == PLAIN


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("br", b"", "the reply is encoded as 'br', which was not asked for"),
        ("B" * 50, b"", f"the reply is encoded as '{'b' * 40}', which was not asked for"),
        ("gzip", gzip.compress(PLAIN + b"!", mtime=0), "the reply decompresses to more than 100 bytes"),
        ("deflate", BARE[:-5], "the reply is deflate that was cut short"),
        ("GZIP", gzip.compress(PLAIN, mtime=0)[:-1], "the reply is gzip that was cut short"),
        ("gzip", b"not gzip", "the reply is not gzip, although it says so"),
        ("deflate", b"not deflate", "the reply is not deflate, although it says so"),
    ],
)
def test_what_cannot_be_undone_is_told_in_these_words(encoding: str, body: bytes, message: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        undo(encoding, body, most=100)
    assert str(caught.value) == message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_the_failure_of_the_decompressor_is_the_cause(encoding: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        undo(encoding, b"not compressed", most=100)
    assert isinstance(caught.value.__cause__, zlib.error)
