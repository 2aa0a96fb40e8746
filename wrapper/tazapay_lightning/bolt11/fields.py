"""The tagged fields of a BOLT11 payment request: found in its words, and read one by one."""

from __future__ import annotations

import struct

import attrs

from tazapay_lightning.bolt11.bech32 import refuse, to_bytes, to_number

_HEAD_WORDS = 3  # of a field: its type, and its length in two words
_ONLY_LENGTH = {"p": 52, "h": 52, "s": 52, "n": 53}
_HIGHEST_FALLBACK_VERSION = 18  # 0 to 16 are witness versions, 17 is a public key hash, 18 a script hash
_HOP = struct.Struct(">33s3s3sHIIH")  # the attributes of a `RouteHop`, its channel in three parts


@attrs.frozen
class RouteHop:
    """One channel of a private route to the payee (field ``r``).

    Attributes:
        public_key: of the node at the channel's start, 66 lower-case hex digits.
        short_channel_id: block, transaction and output, as in ``"589390x3312x1"``.
        fee_base_msat: millisatoshi per payment.
        fee_proportional_millionths: millionths of the amount.
        cltv_expiry_delta: blocks.
    """

    public_key: str
    short_channel_id: str
    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int


class Fields:
    """The fields of one request that a reader must not skip, by the letter of their type.

    Every method raises `InvalidBolt11Error` if what the field holds is not well formed.

    Example:
        >>> fields = Fields(b"dq5xysxxatsyp3k7enxv4jsxqzpu")  # an example of BOLT #11
        >>> fields.description(), fields.number("x", default=3600), fields.number("c", default=18)
        ('1 cup coffee', 60, 18)
    """

    def __init__(self, words: bytes) -> None:
        self._words: dict[str, list[bytes]] = {}
        start = 0
        while start < len(words):
            data = start + _HEAD_WORDS
            end = data + to_number(words[start + 1 : data])
            if data > len(words) or end > len(words):
                raise refuse("its last field reaches into the signature")
            letter = chr(words[start])
            if not _to_be_skipped(letter, words[data:end]):
                self._words.setdefault(letter, []).append(words[data:end])
            start = end

    def number(self, letter: str, *, default: int) -> int:
        """Return the first field of a type as a number, or `default` if there is none."""
        return to_number(self._words[letter][0]) if letter in self._words else default

    def hex(self, letter: str) -> str | None:
        """Return the bytes of the first field of a type in hex, or None if there is none."""
        return to_bytes(self._words[letter][0], field=letter).hex() if letter in self._words else None

    def description(self) -> str | None:
        """Return the text of field d."""
        if "d" not in self._words:
            return None
        try:
            return to_bytes(self._words["d"][0], field="d").decode()
        except UnicodeDecodeError as error:
            raise refuse(f"its description, field d, must be UTF-8; byte {error.start} of it is not") from None

    def payee(self) -> str | None:
        """Return the public key of field n in hex."""
        payee = self.hex("n")
        if payee is not None and payee[:2] not in {"02", "03"}:
            raise refuse(f"its public key, field n, must begin with 02 or 03; got {payee[:2]}")
        return payee

    def features(self) -> tuple[int, ...]:
        """Return the numbers of the bits that are set in field 9, the lowest first."""
        return tuple(place for place, bit in enumerate(reversed(f"{self.number('9', default=0):b}")) if bit == "1")

    def fallbacks(self) -> tuple[tuple[int, str], ...]:
        """Return version and program of each field f."""
        return tuple((to_number(f[:1]), to_bytes(f[1:], field="f").hex()) for f in self._words.get("f", ()))

    def routes(self) -> tuple[tuple[RouteHop, ...], ...]:
        """Return the hops of each field r."""
        return tuple(map(_read_route, self._words.get("r", ())))


def _to_be_skipped(letter: str, words: bytes) -> bool:
    if letter == "f":
        return not words or to_number(words[:1]) > _HIGHEST_FALLBACK_VERSION
    return letter in _ONLY_LENGTH and len(words) != _ONLY_LENGTH[letter]


def _read_route(words: bytes) -> tuple[RouteHop, ...]:
    hops = to_bytes(words, field="r")
    if not hops or len(hops) % _HOP.size:
        raise refuse(f"a route, field r, must be hops of {_HOP.size} bytes each; got {len(hops)} bytes")
    return tuple(
        RouteHop(key.hex(), f"{int.from_bytes(block)}x{int.from_bytes(transaction)}x{output}", *rest)
        for key, block, transaction, output, *rest in _HOP.iter_unpack(hops)
    )
