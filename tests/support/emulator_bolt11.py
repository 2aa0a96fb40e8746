"""Reads payment requests in the plainest way, so that tests do not check the emulator's encoder with itself."""

from __future__ import annotations

import hashlib
from functools import reduce

import attrs

CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
SATOSHI_IN_A_BITCOIN = 100_000_000


@attrs.frozen
class Request:
    """A request: its fields as bits; what was signed as SHA-256; the signature as r, s and recovery id, 65 bytes."""

    prefix: str
    timestamp: int
    fields: list[tuple[str, str]]
    signature: bytes
    signed: bytes

    def number(self, tag: str) -> int:
        [bits] = [bits for each, bits in self.fields if each == tag]
        return int(bits, 2)

    def data(self, tag: str) -> bytes:
        [bits] = [bits for each, bits in self.fields if each == tag]
        whole = bits[: len(bits) // 8 * 8]
        assert set(bits[len(whole) :]) <= {"0"}, "what fills the last group up is zeros"
        return bytes(int(whole[at : at + 8], 2) for at in range(0, len(whole), 8))


def polymod(values: list[int]) -> int:
    """As in BIP 173, bit by bit."""

    def step(checksum: int, value: int) -> int:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
        return checksum

    return reduce(step, values, 1)


def read(text: str) -> Request:
    """The request in the text, after its checksum was found right."""
    prefix, _, characters = text.rpartition("1")
    values = [CHARACTERS.index(character) for character in characters]
    letters = [ord(letter) for letter in prefix]
    assert polymod([each >> 5 for each in letters] + [0] + [each & 31 for each in letters] + values) == 1
    bits = "".join(f"{value:05b}" for value in values[:-6])
    bits, signature = bits[:-520], bits[-520:]
    to_sign = bits + "0" * (-len(bits) % 8)
    signed = prefix.encode() + bytes(int(to_sign[at : at + 8], 2) for at in range(0, len(to_sign), 8))
    timestamp, rest = int(bits[:35], 2), bits[35:]
    fields = []
    while rest:
        tag, length = CHARACTERS[int(rest[:5], 2)], 5 * int(rest[5:15], 2)
        fields.append((tag, rest[15 : 15 + length]))
        assert len(rest) >= 15 + length
        rest = rest[15 + length :]
    return Request(prefix, timestamp, fields, int(signature, 2).to_bytes(65, "big"), hashlib.sha256(signed).digest())


def sats_of(prefix: str) -> int:
    """The amount in a prefix such as lnbcrt25u."""
    amount = prefix.removeprefix("lnbcrt")
    units = {"m": 1_000, "u": 1_000_000, "n": 1_000_000_000}
    number, divisor = (amount[:-1], units[amount[-1]]) if amount[-1] in units else (amount, 1)
    sats, rest = divmod(int(number) * SATOSHI_IN_A_BITCOIN, divisor)
    assert rest == 0
    return sats
