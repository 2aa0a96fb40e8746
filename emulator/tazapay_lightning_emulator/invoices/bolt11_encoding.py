"""Encode a BOLT11 payment request: bech32 and tagged fields (BOLT #11). Pure: the caller passes a function that signs.

Below, "groups" are bytes with five bits each; bech32 has one character for each.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
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

_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # the standard library's five-bit characters, in order of their values
_TO_GROUPS = bytes.maketrans(_BASE32, bytes(range(32)))
_FROM_GROUPS = bytes.maketrans(bytes(range(32)), _BASE32)
_TO_CHARACTERS = bytes.maketrans(bytes(range(32)), _CHARACTERS.encode())

_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # of the checksum (BIP 173)
_REMAINDERS = [  # of the checksum's polynomial division, by the five highest bits of the state
    reduce(xor, (each for bit, each in enumerate(_GENERATOR) if top >> bit & 1), 0) for top in range(32)
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
    description_field = (
        _field("d", _groups(description.encode()))
        if description_hash is None
        else _field("h", _groups(description_hash))
    )
    groups = b"".join(
        (
            _number(timestamp).rjust(TIMESTAMP_BITS // 5, b"\0"),
            _field("p", _groups(payment_hash)),
            _field("s", _groups(payment_secret)),
            description_field,
            _field("x", _number(expiry)),
            _field("c", _number(MIN_FINAL_CLTV_EXPIRY)),
            _field("9", _number(_FEATURES)),
        )
    )
    signed = hashlib.sha256(prefix.encode() + _padded_bytes(groups)).digest()
    groups += _groups(sign(signed))
    return f"{prefix}1{(groups + checksum(prefix, groups)).translate(_TO_CHARACTERS).decode()}"


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


def checksum(prefix: str, groups: bytes) -> bytes:
    """The six groups of the checksum at the end of a bech32 string (BIP 173).

    Example:
        >>> checksum("a", b"").translate(_TO_CHARACTERS)
        b'2uel5l'
    """
    letters = prefix.encode()
    state = _polymod((each >> 5 for each in letters), 1)
    state = _polymod(b"\0", state)
    state = _polymod((each & 31 for each in letters), state)
    state = _polymod(groups + bytes(6), state) ^ 1
    return bytes(state >> shift & 31 for shift in (25, 20, 15, 10, 5, 0))


def _polymod(groups: Iterable[int], state: int) -> int:
    for group in groups:
        state = (state & 0x1FFFFFF) << 5 ^ group ^ _REMAINDERS[state >> 25]
    return state


def _field(tag: str, groups: bytes) -> bytes:
    return bytes((_CHARACTERS.index(tag), len(groups) >> 5, len(groups) & 31)) + groups


def _groups(data: bytes) -> bytes:
    """These bytes as groups, the last one padded with zero bits."""
    return base64.b32encode(data).rstrip(b"=").translate(_TO_GROUPS)


def _number(value: int) -> bytes:
    """An integer in as few groups as possible, the highest first."""
    groups = []
    while value:
        groups.append(value & 31)
        value >>= 5
    return bytes(reversed(groups))


def _padded_bytes(groups: bytes) -> bytes:
    """These groups as bytes, the last one padded with zero bits."""
    whole = groups + bytes(-len(groups) % 8)
    return base64.b32decode(whole.translate(_FROM_GROUPS))[: (5 * len(groups) + 7) // 8]
