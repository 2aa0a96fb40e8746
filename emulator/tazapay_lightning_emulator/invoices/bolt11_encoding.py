"""Encode a BOLT11 payment request: bech32 and tagged fields (BOLT #11). Pure: the caller passes a function that signs.

Below, "groups" are five bits each; bech32 has one character for each. All of them together are one integer, which takes
a few operations where a loop over the groups would take most of the time of an invoice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import reduce
from operator import xor

NETWORK = "bcrt"
"""Regtest, whose coins have no value: no wallet with real coins pays a request of the emulator."""

MIN_FINAL_CLTV_EXPIRY = 18
"""Blocks; the default of BOLT #11."""

TIMESTAMP_BITS = 35
"""The size of the timestamp of a payment request."""

_VAR_ONION_OPTIN, _PAYMENT_SECRET = 8, 14  # BOLT #9: the bits that make both features compulsory
_FEATURES = 1 << _VAR_ONION_OPTIN | 1 << _PAYMENT_SECRET

_MOST_GROUPS = 2048  # that can be written; a request with the longest description has 1,273

_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_TO_CHARACTERS = bytes.maketrans(bytes(range(32)), _CHARACTERS.encode())

_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # of the checksum (BIP 173)


def _remainder(six_groups: int) -> int:
    """What these groups leave in the checksum's polynomial division, when six more have followed them."""
    for _ in range(6):
        top, six_groups = six_groups >> 25, (six_groups & 0x1FFFFFF) << 5
        six_groups = reduce(xor, (each for bit, each in enumerate(_GENERATOR) if top >> bit & 1), six_groups)
    return six_groups


def _remainders(lowest_bit: int) -> list[int]:
    """The remainders of two of six groups, by their value: that of several bits is the sum of those of each."""
    remainders = [0]
    for bit in range(lowest_bit, lowest_bit + 10):
        of_bit = _remainder(1 << bit)
        remainders += [of_bit ^ each for each in remainders]
    return remainders


_LOW, _MIDDLE, _HIGH = _remainders(0), _remainders(10), _remainders(20)

_HALVES = [  # to spread groups over bytes: how far the upper half of each part goes, and where the lower halves are
    (3 * half, int.from_bytes(((1 << 5 * half) - 1).to_bytes(2 * half, "big") * (_MOST_GROUPS // (2 * half)), "big"))
    for half in (1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
]


def encode(
    *,
    amount_sats: int,
    timestamp: int,
    expiry: int,
    payment_hash: bytes,
    payment_secret: bytes,
    description: str,
    description_hash: bytes | None,
    sign: Callable[[bytes], bytes],
) -> str:
    """A signed payment request for regtest.

    Args:
        amount_sats: in satoshi, greater than 0.
        timestamp: the time of creation, in seconds since the epoch; 35 bits.
        expiry: the time until it expires, in seconds from `timestamp`.
        payment_hash: SHA-256 of the preimage, 32 bytes.
        payment_secret: 32 bytes.
        description: at most 639 bytes in UTF-8; left out if there is a hash.
        description_hash: SHA-256 of a description that is published elsewhere, 32 bytes; None if there is none.
        sign: given a SHA-256, returns r and s of an ECDSA signature, 32 bytes each, and one byte for the recovery id.

    Example:
        >>> request = encode(
        ...     amount_sats=2500, timestamp=1496314658, expiry=60, payment_hash=bytes(32), payment_secret=bytes(32),
        ...     description="1 cup coffee", description_hash=None, sign=lambda digest: bytes(65),
        ... )
        >>> request[:24], request[127:155]
        ('lnbcrt25u1pvjluezpp5qqqq', 'dq5xysxxatsyp3k7enxv4jsxqzpu')
    """
    prefix = f"ln{NETWORK}{amount_in_prefix(amount_sats)}"
    number, length = timestamp, TIMESTAMP_BITS // 5
    for field, field_length in (
        _bytes_field("p", payment_hash),
        _bytes_field("s", payment_secret),
        _bytes_field("d", description.encode()) if description_hash is None else _bytes_field("h", description_hash),
        _number_field("x", expiry),
        _number_field("c", MIN_FINAL_CLTV_EXPIRY),
        _number_field("9", _FEATURES),
    ):
        number, length = number << 5 * field_length | field, length + field_length
    padding = -5 * length % 8
    signed = hashlib.sha256(prefix.encode() + (number << padding).to_bytes((5 * length + padding) // 8, "big")).digest()
    number, length = number << 8 * 65 | int.from_bytes(sign(signed), "big"), length + 8 * 65 // 5
    return f"{prefix}1{_characters(number << 30 | checksum(prefix, number, length), length + 6)}"


def amount_in_prefix(sats: int) -> str:
    """An amount in the form of a payment request: in BTC, with the largest multiplier that keeps it an integer.

    Example:
        >>> [amount_in_prefix(sats) for sats in (1, 100, 100_000, 100_000_000)]
        ['10n', '1u', '1m', '1']
    """
    for one, multiplier in ((100_000_000, ""), (100_000, "m"), (100, "u")):
        if sats % one == 0:
            return f"{sats // one}{multiplier}"
    return f"{10 * sats}n"


def checksum(prefix: str, number: int, length: int) -> int:
    """The six groups of the checksum at the end of a bech32 string (BIP 173) that has so many groups before them.

    Example:
        >>> _characters(checksum("a", 0, 0), 6)
        '2uel5l'
    """
    letters = prefix.encode()
    whole = 1
    for letter in letters:
        whole = whole << 5 | letter >> 5
    whole <<= 5
    for letter in letters:
        whole = whole << 5 | letter & 31
    whole = (whole << 5 * length | number) << 30
    state = 0
    for shift in range(whole.bit_length() // 30 * 30, -1, -30):
        six_groups = whole >> shift & 0x3FFFFFFF
        state = six_groups ^ _LOW[state & 1023] ^ _MIDDLE[state >> 10 & 1023] ^ _HIGH[state >> 20]
    return state ^ 1


def _bytes_field(tag: str, data: bytes) -> tuple[int, int]:
    """A field as a number, and its length in groups; the last group of the data is padded with zero bits."""
    length = (8 * len(data) + 4) // 5
    return _field(tag, int.from_bytes(data, "big") << 5 * length - 8 * len(data), length)


def _number_field(tag: str, number: int) -> tuple[int, int]:
    """The same of an integer, in as few groups as possible."""
    return _field(tag, number, (number.bit_length() + 4) // 5)


def _field(tag: str, data: int, length: int) -> tuple[int, int]:
    return (_CHARACTERS.index(tag) << 10 | length) << 5 * length | data, 3 + length


def _characters(number: int, length: int) -> str:
    """So many groups as characters."""
    for distance, lower_halves in _HALVES:
        lower = number & lower_halves
        number = (number ^ lower) << distance | lower
    return number.to_bytes(length, "big").translate(_TO_CHARACTERS).decode()
