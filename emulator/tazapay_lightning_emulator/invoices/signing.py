"""ECDSA over secp256k1 with a temporary key, and with the recovery id that yields the public key.

The `cryptography` package makes the key. Its own signatures have no recovery id, so the signature is computed here from
the nonce and its point (SEC 1, 4.1.3 and 4.1.6; low s as in BIP 146).

Nonces follow each other, which takes one addition of points where a random one would take half of the time of an
invoice. Two signatures with such nonces tell the key to anybody who does the sum. A key of money must never be used so;
this one is made when the emulator starts, opens nothing, and is lost when it stops.
"""

from __future__ import annotations

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of the curve's group."""

_PRIME = 2**256 - 2**32 - 977  # coordinates are integers modulo this (SEC 2, 2.4.1)
_GENERATOR_X = 0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798
_GENERATOR_Y = 0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8


@frozen
class KeyPair:
    """A secret number and its point on the curve. Both a key and a nonce are such a pair."""

    number: int = field(repr=False)
    x: int
    y: int

    @classmethod
    def new(cls) -> KeyPair:
        """A random pair, from the system's source of randomness."""
        numbers = ec.generate_private_key(ec.SECP256K1()).private_numbers()
        return cls(numbers.private_value, numbers.public_numbers.x, numbers.public_numbers.y)

    def next(self) -> KeyPair:
        """The pair of the next number, whose point is this one and the curve's generator added (SEC 1, 2.2.1)."""
        slope = (self.y - _GENERATOR_Y) * pow(self.x - _GENERATOR_X, -1, _PRIME) % _PRIME
        x = (slope * slope - self.x - _GENERATOR_X) % _PRIME
        return KeyPair(self.number + 1, x, (slope * (_GENERATOR_X - x) - _GENERATOR_Y) % _PRIME)

    @property
    def compressed(self) -> bytes:
        """The point in the compressed form of public keys: 33 bytes."""
        return bytes([2 | self.y & 1]) + self.x.to_bytes(32, "big")


@define
class Key:
    """A private key for regtest, where coins have no value; it is lost when the emulator stops.

    Example:
        >>> len(Key().sign(bytes(32)))
        65
    """

    _key_pair: KeyPair = field(factory=KeyPair.new)
    _nonce: KeyPair = field(factory=KeyPair.new, init=False, repr=False)

    @property
    def public(self) -> bytes:
        """The public key, compressed: 33 bytes."""
        return self._key_pair.compressed

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes: r and s of 32 bytes each, and the recovery id of one byte."""
        while True:
            self._nonce = nonce = self._nonce.next()
            signature = sign_with_nonce(nonce, self._key_pair.number, digest)
            if signature is not None:
                return signature


def sign_with_nonce(nonce: KeyPair, private: int, digest: bytes) -> bytes | None:
    """The signature with this nonce; None for one of the few nonces that ECDSA rejects.

    Args:
        nonce: must be used only once.
        private: the private key's number.
        digest: the 32 bytes to sign.

    Returns:
        r and s of 32 bytes each, and the recovery id in one byte.
    """
    r = nonce.x % ORDER
    s = pow(nonce.number, -1, ORDER) * (int.from_bytes(digest, "big") + r * private) % ORDER
    if r == 0 or s == 0:
        return None
    recovery_id = (nonce.x >= ORDER) << 1 | nonce.y & 1
    if s > ORDER // 2:  # s and -s are both valid; the lower one is in use, and its point is the mirror image
        s, recovery_id = ORDER - s, recovery_id ^ 1
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([recovery_id])
