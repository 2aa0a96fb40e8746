"""ECDSA over secp256k1 with a temporary key, and with the recovery id that yields the public key.

The `cryptography` package makes the key. Its own signatures have no recovery id, so the signature is computed here from
the nonce and its point (SEC 1, 4.1.3 and 4.1.6; low s as in BIP 146).

Nonces follow each other, which takes one addition of points where a random one would take most of the time of an
invoice; and they are made some at a time, since one division does for all of them. Two signatures with such nonces tell
the key to anybody who does the sum. A key of money must never be used so; this one is made when the emulator starts,
opens nothing, and is lost when it stops.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of the curve's group."""

_PRIME = 2**256 - 2**32 - 977  # coordinates are integers modulo this (SEC 2, 2.4.1)


@frozen
class KeyPair:
    """A secret number and its point on the curve. Both a key and a nonce are such a pair."""

    number: int = field(repr=False)
    x: int
    y: int

    @classmethod
    def new(cls) -> KeyPair:
        """A random pair, from the system's source of randomness."""
        return cls._of(ec.generate_private_key(ec.SECP256K1()))

    @classmethod
    def of_number(cls, number: int) -> KeyPair:
        """The pair of this number, from 1 to `ORDER` - 1."""
        return cls._of(ec.derive_private_key(number, ec.SECP256K1()))

    @classmethod
    def _of(cls, key: ec.EllipticCurvePrivateKey) -> KeyPair:
        numbers = key.private_numbers()
        return cls(numbers.private_value, numbers.public_numbers.x, numbers.public_numbers.y)

    def plus(self, others: Sequence[KeyPair]) -> list[KeyPair]:
        """For each of the others the pair of both numbers' sum, whose point is the sum of both points (SEC 1, 2.2.1).

        None of the others may have this point or its mirror image.
        """
        sums = []
        for other, inverse in zip(others, inverses([each.x - self.x for each in others], _PRIME), strict=True):
            slope = (other.y - self.y) * inverse % _PRIME
            x = (slope * slope - self.x - other.x) % _PRIME
            sums.append(KeyPair((self.number + other.number) % ORDER, x, (slope * (self.x - x) - self.y) % _PRIME))
        return sums

    @property
    def compressed(self) -> bytes:
        """The point in the compressed form of public keys: 33 bytes."""
        return bytes([2 | self.y & 1]) + self.x.to_bytes(32, "big")


def nonces(pair: KeyPair) -> Iterator[tuple[KeyPair, int]]:
    """The pairs of the numbers that follow this pair's, without end, each with the inverse of its number."""
    at_a_time = 1  # and soon more: most emulators of tests sign once or twice
    while True:
        following = pair.plus(_smallest()[:at_a_time])
        yield from zip(following, inverses([each.number for each in following], ORDER), strict=True)
        pair = following[-1]
        at_a_time = 2 * len(following)


@cache
def _distance() -> KeyPair:
    """How far the nonces are from their key. It is random, and made once in a process, since that takes a while."""
    return KeyPair.new()


@cache
def _smallest() -> list[KeyPair]:
    """The pairs of 1 to 33."""
    pairs = [KeyPair.of_number(1), KeyPair.of_number(2)]
    while len(pairs) < 33:
        pairs += pairs[-1].plus(pairs[:-1])
    return pairs


def inverses(numbers: Sequence[int], modulus: int) -> list[int]:
    """The inverses of these numbers, none of which may be 0 modulo a prime: one division, and multiplications.

    Example:
        >>> inverses([1, 2, 3], 7)
        [1, 4, 5]
    """
    products = list(accumulate(numbers, lambda product, number: product * number % modulus, initial=1))
    inverse = pow(products.pop(), -1, modulus)
    result = []
    for number, product in zip(reversed(numbers), reversed(products), strict=True):
        result.append(inverse * product % modulus)
        inverse = inverse * number % modulus
    return result[::-1]


@define
class Key:
    """A private key for regtest, where coins have no value; it is lost when the emulator stops.

    Example:
        >>> len(Key().sign(bytes(32)))
        65
    """

    _key_pair: KeyPair = field(factory=KeyPair.new, init=False)
    _nonces: Iterator[tuple[KeyPair, int]] = field(init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin with a nonce that no other key of this process has used."""
        [start] = self._key_pair.plus([_distance()])
        self._nonces = nonces(start)

    @property
    def public(self) -> bytes:
        """The public key, compressed: 33 bytes."""
        return self._key_pair.compressed

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes: r and s of 32 bytes each, and the recovery id of one byte."""
        while True:
            with self._lock:
                nonce, inverse = next(self._nonces)
            signature = sign_with_nonce(nonce, inverse, self._key_pair.number, digest)
            if signature is not None:
                return signature


def sign_with_nonce(nonce: KeyPair, inverse: int, private: int, digest: bytes) -> bytes | None:
    """The signature with this nonce; None for one of the few nonces that ECDSA rejects.

    Args:
        nonce: must be used only once.
        inverse: of the nonce's number, modulo `ORDER`.
        private: the private key's number.
        digest: the 32 bytes to sign.

    Returns:
        r and s of 32 bytes each, and the recovery id in one byte.
    """
    r = nonce.x % ORDER
    s = inverse * (int.from_bytes(digest, "big") + r * private) % ORDER
    if r == 0 or s == 0:
        return None
    recovery_id = (nonce.x >= ORDER) << 1 | nonce.y & 1
    if s > ORDER // 2:  # s and -s are both valid; the lower one is in use, and its point is the mirror image
        s, recovery_id = ORDER - s, recovery_id ^ 1
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([recovery_id])
