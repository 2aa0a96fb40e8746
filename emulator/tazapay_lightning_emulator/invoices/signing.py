"""ECDSA over secp256k1 with a temporary key, and with the recovery id that yields the public key.

The `cryptography` package does the arithmetic of the curve. Its own signatures have no recovery id, so the signature
is computed here from the nonce and its point (SEC 1, 4.1.3 and 4.1.6; low s as in BIP 146).
"""

from __future__ import annotations

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of the curve's group."""


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

    @property
    def compressed(self) -> bytes:
        """The point in the compressed form of public keys: 33 bytes."""
        return bytes([2 | self.y & 1]) + self.x.to_bytes(32, "big")


@frozen
class Key:
    """A private key for regtest, where coins have no value; it is lost when the emulator stops.

    Example:
        >>> len(Key().sign(bytes(32)))
        65
    """

    _key_pair: KeyPair = field(factory=KeyPair.new)

    @property
    def public(self) -> bytes:
        """The public key, compressed: 33 bytes."""
        return self._key_pair.compressed

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes: r and s of 32 bytes each, and the recovery id of one byte."""
        while True:
            signature = sign_with_nonce(KeyPair.new(), self._key_pair.number, digest)
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
