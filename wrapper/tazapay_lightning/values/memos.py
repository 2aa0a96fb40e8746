"""The text on an invoice, or the hash of it.

A Lightning invoice carries either a short description (BOLT11's ``d`` field) or the SHA-256 of a longer one (its
``h`` field). Tazapay takes the first as ``d_tag_memo`` and the second as ``h_tag_memo``.
"""

from __future__ import annotations

import re
from typing import TypeGuard

from tazapay_lightning._loading import load
from tazapay_lightning.values.refusals import check_str, check_unicode, refused
from tazapay_lightning.values.safe_text import kind

MAX_MEMO_BYTES = 639
"""The longest description in a BOLT11 payment request, in bytes of UTF-8: 1023 groups of 5 bits (BOLT #11)."""

_SHA256_HEX = r"(?a)[0-9a-fA-F]{64}"


def hash_memo(memo: str) -> str:
    """Hash a memo the way ``h_tag_memo`` wants it.

    Args:
        memo: any text, of any length.

    Returns:
        64 lower-case hex digits: the SHA-256 of the memo's UTF-8 bytes as given. Nothing is trimmed or normalised, so
        a payer needs the text character for character to verify the hash.

    Raises:
        InvalidArgumentError: if the memo is not a str, or holds half of a surrogate pair, which UTF-8 cannot write.

    Example:
        >>> from tazapay_lightning import hash_memo
        >>> hash_memo("Payment for order #7890")
        'f1bac2dec0b5f7f890a3770361f563012c1dd6c358195fb3bcd375e1779c9fda'
    """
    sha256 = load("hashlib").sha256  # here, since httpx loads it too, which comes with the first call
    return str(sha256(_valid_text(memo).encode()).hexdigest())


def verify_memo(memo: str, memo_hash: str) -> bool:
    """Tell whether a memo is the one that a hash was made of.

    Args:
        memo: the text.
        memo_hash: the hash to compare with, in upper or lower case.

    Returns:
        True if `memo_hash` is `hash_memo(memo)`. The comparison takes the same time wherever they differ.

    Raises:
        InvalidArgumentError: if either is not a str, or the memo is not valid Unicode.

    Example:
        >>> from tazapay_lightning import hash_memo, verify_memo
        >>> verify_memo("Order #7890", hash_memo("Order #7890").upper()), verify_memo("Order #7891", hash_memo("x"))
        (True, False)
    """
    given = check_str(memo_hash, argument="memo_hash").lower()
    # compare_digest takes bytes of any kind, but only ASCII as str
    return bool(load("hmac").compare_digest(hash_memo(memo).encode(), given.encode("utf-8", "replace")))


def check_memo(memo: object) -> str:
    """Return a memo that fits into an invoice's ``d`` field, and refuse any other by its argument's name."""
    text = _valid_text(memo)
    length = len(text.encode())
    if length > MAX_MEMO_BYTES:
        accepted = f"at most {MAX_MEMO_BYTES} bytes of UTF-8 (BOLT #11)"
        raise refused("memo", accepted, f"{length}. Pass memo_as_hash=True to send its SHA-256, which has no limit")
    return text


def check_memo_hash(memo_hash: object) -> str:
    """Return a SHA-256 in hex as it is, and refuse anything else by its argument's name."""
    if not is_memo_hash(memo_hash):
        raise refused("memo_hash", "64 hex digits, the SHA-256 of the memo's UTF-8 bytes", kind(memo_hash))
    return memo_hash


def is_memo_hash(text: object) -> TypeGuard[str]:
    """Tell whether a text can be the hash of a memo; some that the service shows cannot.

    Example:
        >>> is_memo_hash(hash_memo("Order #7890")), is_memo_hash("ab" * 20)
        (True, False)
    """
    return isinstance(text, str) and re.fullmatch(_SHA256_HEX, text) is not None


def _valid_text(memo: object) -> str:
    return check_unicode(check_str(memo, argument="memo"), argument="memo")
