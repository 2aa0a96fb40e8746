"""Writes BOLT11 payment requests, right and wrong ones, for tests of the reader.

It shares nothing with the reader: words are cut out of strings of bits, and the checksum is what BIP 173 defines it to
be, the remainder of a division of polynomials over GF(32), computed with that field's arithmetic.
"""

from __future__ import annotations

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PAYMENT_HASH = bytes(range(1, 33))
PAYMENT_SECRET = bytes(range(101, 133))
NO_SIGNATURE = bytes(65)
SAMPLE_TIME = 1_700_000_000

_GENERATOR = (1, 29, 22, 20, 21, 29, 18)  # x^6 + 29 x^5 + ... + 18


def _product(one: int, other: int) -> int:
    """Multiply in GF(32), whose elements are polynomials modulo a^5 + a^3 + 1."""
    product = 0
    while other:
        product ^= one * (other & 1)
        one, other = one << 1, other >> 1
        one ^= 0b101001 * (one >> 5)
    return product


_MULTIPLES = [[_product(factor, coefficient) for coefficient in _GENERATOR] for factor in range(32)]


def checksum(prefix: str, words: list[int]) -> list[int]:
    """Return the six words that belong behind `words`."""
    rest = [1, *(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *words, 0, 0, 0, 0, 0, 0]
    for at in range(len(rest) - 6):
        for offset, multiple in enumerate(_MULTIPLES[rest[at]]):
            rest[at + offset] ^= multiple
    return [*rest[-6:-1], rest[-1] ^ 1]


def bech32(prefix: str, words: list[int]) -> str:
    """Return any words behind any prefix, with the right checksum."""
    return f"{prefix}1{''.join(ALPHABET[word] for word in [*words, *checksum(prefix, words)])}"


def of_bits(bits: str) -> list[int]:
    """Cut bits into words, filled up with 0."""
    return [int(bits[at : at + 5].ljust(5, "0"), 2) for at in range(0, len(bits), 5)]


def of_bytes(data: bytes) -> list[int]:
    """Cut bytes into words, filled up with 0 bits."""
    return of_bits("".join(f"{byte:08b}" for byte in data))


def of_number(number: int, *, length: int = 0) -> list[int]:
    """Write a number in as few words as possible, or in `length` words."""
    words: list[int] = []
    while number:
        number, word = divmod(number, 32)
        words.insert(0, word)
    return [0] * (length - len(words)) + words


def field(letter: str, words: list[int]) -> list[int]:
    """Return a tagged field."""
    return [ALPHABET.index(letter), *of_number(len(words), length=2), *words]


def hop(
    public_key: bytes,
    channel: tuple[int, int, int],
    *,
    fee_base_msat: int,
    fee_proportional_millionths: int,
    cltv_expiry_delta: int,
) -> bytes:
    """Return one hop of a field r."""
    block, transaction, output = channel
    return (
        public_key
        + block.to_bytes(3, "big")
        + transaction.to_bytes(3, "big")
        + output.to_bytes(2, "big")
        + fee_base_msat.to_bytes(4, "big")
        + fee_proportional_millionths.to_bytes(4, "big")
        + cltv_expiry_delta.to_bytes(2, "big")
    )


def payment_request(
    *fields: list[int], prefix: str = "lnbc", timestamp: int = SAMPLE_TIME, signature: bytes = NO_SIGNATURE
) -> str:
    """Return a request of exactly these fields, whether they make sense or not."""
    words = of_number(timestamp, length=7)
    for each in fields:
        words += each
    return bech32(prefix, words + of_bytes(signature))


P = field("p", of_bytes(PAYMENT_HASH))
S = field("s", of_bytes(PAYMENT_SECRET))
D = field("d", of_bytes(b"Order #7890"))
