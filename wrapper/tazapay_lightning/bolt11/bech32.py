"""Bech32, the alphabet and checksum of BOLT11 payment requests (BIP 173, without its limit of 90 characters).

A text in bech32 is a readable prefix, the separator ``1``, and words of 5 bits: one letter each, the last six of them a
checksum. The words stay letters here until a number or bytes are made of them, all at once.
"""

from __future__ import annotations

from functools import lru_cache

from tazapay_lightning.errors import InvalidBolt11Error
from tazapay_lightning.values.safe_text import shown

_ALPHABET = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # the letter of the word 0, of 1, and so on to 31
_CHECKSUM_WORDS = 6
_ROUNDED_WORDS = 128  # a length is rounded up to so many, of which a text has 250 to 400
_TO_DIGITS = bytes.maketrans(_ALPHABET, b"0123456789abcdefghijklmnopqrstuv")  # what int() reads in base 32

_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# What the five bits that leave a remainder of 30 bring back into it, for each of their 32 combinations.
_BROUGHT_BACK = [0]
for _coefficient in _GENERATOR:
    _BROUGHT_BACK += [_coefficient ^ each for each in _BROUGHT_BACK]


def refuse(reason: str) -> InvalidBolt11Error:
    """Make the error that says why a text is not a BOLT11 payment request."""
    return InvalidBolt11Error(f"text is not a BOLT11 payment request: {reason}", argument="text")


def split(text: str) -> tuple[str, bytes]:
    """Split a text in bech32 into its prefix and its words.

    Args:
        text: lower case and ASCII.

    Returns:
        The prefix, and the words without the checksum, as letters of bech32.

    Raises:
        InvalidBolt11Error: without a separator, with a letter that is not one of bech32, or with a wrong checksum.

    Example:
        >>> split("a12uel5l")  # an example of BIP 173
        ('a', b'')
    """
    prefix, separator, letters = text.rpartition("1")
    if not separator:
        raise refuse('the "1" between its prefix and its data is missing')
    words = letters.encode()
    if foreign := words.translate(None, _ALPHABET).decode():
        position = len(prefix) + len(separator) + letters.index(foreign[0]) + 1
        allowed = "digits without 1 and letters without b, i, o"
        raise refuse(f"character {position} is {shown(foreign[0])}, but bech32 has only {allowed}")
    if len(words) < _CHECKSUM_WORDS or not _has_checksum(prefix.encode(), words):
        raise refuse("its checksum is wrong, so something was changed, lost or added; copy it again, whole")
    return prefix, words[:-_CHECKSUM_WORDS]


def _has_checksum(prefix: bytes, words: bytes) -> bool:
    """Tell whether the remainder of a text's division by the generator is 1."""
    high_then_low = bytes(letter >> 5 for letter in prefix) + b"\0" + bytes(letter & 31 for letter in prefix)
    words = (b"\1" + high_then_low).translate(_ALPHABET.ljust(256)) + words  # the division begins with a remainder of 1
    number = to_number(words) ^ 1
    return all((number & bits).bit_count() % 2 == 0 for bits in _bits_of_remainder(-(-len(words) // _ROUNDED_WORDS)))


@lru_cache(maxsize=4)
def _bits_of_remainder(length: int) -> list[int]:
    """Return, for each bit of the remainder, the bits of a text that turn it over: the division is linear (XOR).

    Args:
        length: of the text, in units of 128 words; a shorter one has zeros before it.
    """
    # the remainders of one bit each: of the last word, then of the one before it, and so on
    word, words = [16, 8, 4, 2, 1], list[str]()
    for _ in range(length * _ROUNDED_WORDS):
        words.append("".join(f"{remainder:030b}" for remainder in word))
        word = [(remainder & 0x1FFFFFF) << 5 ^ _BROUGHT_BACK[remainder >> 25] for remainder in word]
    remainders = "".join(reversed(words))
    return [int(remainders[bit::30], 2) for bit in range(30)]


def to_number(words: bytes) -> int:
    """Read words as one number, the first word the most significant; no words are 0.

    Example:
        >>> to_number(b"pu"), to_number(b"")  # 1 * 32 + 28
        (60, 0)
    """
    return int(words.translate(_TO_DIGITS) or b"0", 32)


def to_bytes(words: bytes, *, field: str) -> bytes:
    """Read words as bytes.

    Args:
        words: the bytes, filled up with 0 bits to whole words.
        field: the letter of the field that they are from, for the message.

    Returns:
        The bytes.

    Raises:
        InvalidBolt11Error: if more bits are left over than filling up needs, or one of them is not 0.

    Example:
        >>> to_bytes(b"xysxxatsyp3k7enxv4js", field="d")
        b'1 cup coffee'
    """
    length, padding = divmod(len(words) * 5, 8)
    number = to_number(words)
    if padding > 4 or number & ((1 << padding) - 1):
        raise refuse(f"the data of its field {field} does not end at a byte, followed by less than 5 bits, all 0")
    return (number >> padding).to_bytes(length)
