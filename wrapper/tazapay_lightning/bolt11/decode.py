"""Read a BOLT11 payment request: its amount, payee, purpose and expiry.

The rules are those of BOLT #11 for a reader, as far as they do not need the payee's key or the payer's node.

Checked:

- the bech32 checksum, one case throughout, the network;
- the amount: a positive number without leading zeros, a known multiplier, whole millisatoshi, at most all bitcoin;
- that the fields fill the data exactly, and that what they hold is well formed: UTF-8, padding with less than 5 bits,
  all of them 0, a compressed public key, whole hops;
- that there is a payment hash, a payment secret, and either a description or a description hash;
- of the signature only its length, its recovery flag and, if field ``n`` names the payee, its low-S form.

Read past: unknown fields; ``p``, ``h`` and ``s`` of other than 52 words and ``n`` of other than 53, which the standard
both calls for ("fields which must be ignored", one of its examples) and, in its newest text, wants refused; ``f`` of an
unknown version. Of a field that comes more than once the first counts, because writers put what they prefer first;
``f`` and ``r`` are all kept.

Not checked: **the signature**, and with it the maker of the request; whether a public key is on the curve; whether
numbers are written with as few words as possible; whether a wallet knows the feature bits. A wallet does all that
before it pays. The result is what the request says, for comparing it with what was agreed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import attrs

from tazapay_lightning.bolt11.bech32 import refuse, split, to_bytes, to_number
from tazapay_lightning.bolt11.fields import Fields, RouteHop
from tazapay_lightning.values.amounts import MAX_SATS
from tazapay_lightning.values.safe_text import shown

MAX_LENGTH = 7089
"""The longest text that is read, in characters: no QR code holds more than 7,089 characters of any kind."""

DEFAULT_EXPIRY = 3600
DEFAULT_FINAL_CLTV_DELTA = 18

_SCHEME = re.compile(r"\Alightning:", re.IGNORECASE | re.ASCII)
_PREFIX = re.compile(r"ln(bcrt|tbs|bc|tb)([0-9].*)?", re.DOTALL)
_AMOUNT = re.compile(r"([1-9][0-9]*)([munp]?)")
_MAX_DIGITS = len(str(MAX_SATS * 10_000))  # in pico-BTC, the smallest unit
_TENTHS_OF_MSAT = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}

_TIMESTAMP_WORDS = 7
_SIGNATURE_WORDS = 104
_HALF_ORDER = 0x7FFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_5D576E73_57A4501D_DFE92F46_681B20A0  # of the curve secp256k1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Bolt11:
    """What a BOLT11 payment request says. Its signature was not checked: it proves nothing about its maker.

    Attributes:
        network: the prefix of BOLT #11 without ``ln``: ``"bc"`` (mainnet), ``"tb"`` (testnet), ``"tbs"`` (signet) or
            ``"bcrt"`` (regtest).
        amount_msat: what is asked for, in millisatoshi (1000 to a satoshi); None if the payer chooses.
        timestamp: when the request was made, in UTC.
        expiry: seconds from then until it is void; 3600 if it does not say.
        description: what the payment is for, as the payee wrote it: escape it before it becomes part of a page.
        description_hash: SHA-256 of a longer description, 64 lower-case hex digits. One of the two is None.
        payment_hash: SHA-256 of the preimage that proves the payment, 64 lower-case hex digits.
        payee: the payee's public key, 66 lower-case hex digits, if the request names it (field ``n``). Else None: the
            key is not recovered from the signature.
        raw: the request in lower case, without ``lightning:``.
        payment_secret: what the payer has to send along (field ``s``), 64 lower-case hex digits. Not in the repr.
        metadata: what the payer has to send along (field ``m``), in hex, or None.
        min_final_cltv_expiry_delta: blocks; 18 if the request does not say.
        features: the numbers of the feature bits that are set, the lowest first (BOLT #9).
        fallbacks: addresses to pay to on chain, as version (0 to 18) and program or hash in hex.
        routes: private routes to the payee.
    """

    network: str
    amount_msat: int | None
    timestamp: datetime
    expiry: int
    description: str | None
    description_hash: str | None
    payment_hash: str
    payee: str | None
    raw: str = attrs.field(repr=False)  # long, and holds the payment secret
    payment_secret: str = attrs.field(repr=False)
    metadata: str | None = None
    min_final_cltv_expiry_delta: int = DEFAULT_FINAL_CLTV_DELTA
    features: tuple[int, ...] = ()
    fallbacks: tuple[tuple[int, str], ...] = ()
    routes: tuple[tuple[RouteHop, ...], ...] = ()

    @property
    def expires_at(self) -> datetime:
        """When the request becomes void, in UTC; the last moment of the year 9999 if that is beyond it."""
        try:
            return self.timestamp + timedelta(seconds=self.expiry)
        except OverflowError:
            return _END_OF_TIME


def decode_bolt11(text: str) -> Bolt11:
    """Read a BOLT11 payment request. Its signature is not verified: anyone can have made it.

    It is for comparing what a request asks for with what was agreed, before it is shown to a payer.

    Args:
        text: the request, all in lower or all in upper case, of at most 7,089 characters. White space around it and
            ``lightning:`` in front of it, in any case, are taken off.

    Returns:
        What it says.

    Raises:
        InvalidBolt11Error: if the text is not a str, or breaks a rule that this module's docstring lists.

    Example:
        >>> from tazapay_lightning import decode_bolt11
        >>> request = decode_bolt11(  # an example of BOLT #11
        ...     "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5r"
        ...     "qwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhe"
        ...     "dh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"
        ... )
        >>> request.network, request.amount_msat, request.description, request.expiry
        ('bc', 250000000, '1 cup coffee', 60)
        >>> request.expires_at.isoformat()
        '2017-06-01T10:58:38+00:00'
    """
    raw = _plain(text)
    if not (named := _PREFIX.fullmatch(raw.rpartition("1")[0] or raw)):
        raise refuse("it must begin with lnbc, lntb, lntbs or lnbcrt, followed by its amount, if any, and 1")
    words = split(raw)[1]
    amount_msat = _read_amount(named[2]) if named[2] else None
    if len(words) < _TIMESTAMP_WORDS + _SIGNATURE_WORDS:
        raise refuse("it is too short to hold a timestamp and a signature")
    fields = Fields(words[_TIMESTAMP_WORDS:-_SIGNATURE_WORDS])
    payee = fields.payee()
    _check_signature(words[-_SIGNATURE_WORDS:], has_payee=payee is not None)
    description, description_hash = fields.description(), fields.hex("h")
    if (description is None) == (description_hash is None):
        raise refuse("it must have a description, field d, or the hash of one, field h of 52 words, and not both")
    return Bolt11(
        network=named[1],
        amount_msat=amount_msat,
        timestamp=_EPOCH + timedelta(seconds=to_number(words[:_TIMESTAMP_WORDS])),
        expiry=fields.number("x", default=DEFAULT_EXPIRY),
        description=description,
        description_hash=description_hash,
        payment_hash=_required(fields, "p", "payment hash"),
        payee=payee,
        raw=raw,
        payment_secret=_required(fields, "s", "payment secret"),
        metadata=fields.hex("m"),
        min_final_cltv_expiry_delta=fields.number("c", default=DEFAULT_FINAL_CLTV_DELTA),
        features=fields.features(),
        fallbacks=fields.fallbacks(),
        routes=fields.routes(),
    )


def _plain(text: object) -> str:
    if not isinstance(text, str):
        raise refuse(f"it must be a str; got {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise refuse(f"it must have at most {MAX_LENGTH} characters; got {len(text)}")
    text = _SCHEME.sub("", text.strip())
    if not text.isascii() or text not in {text.lower(), text.upper()}:
        raise refuse("it must be ASCII, all in lower or all in upper case")
    return text.lower()


def _read_amount(written: str) -> int:
    """Return the amount that is written in a prefix, in millisatoshi."""
    accepted = "its amount must be a whole number without leading zeros, followed by m, u, n, p or nothing"
    if not (read := _AMOUNT.fullmatch(written)):
        raise refuse(f"{accepted}; got {shown(written)}")
    digits, multiplier = read.groups()
    # Judged by its length first: a number of thousands of digits is slow to make, and refused by Python itself.
    if len(digits) > _MAX_DIGITS or (tenths := int(digits) * _TENTHS_OF_MSAT[multiplier]) > MAX_SATS * 10_000:
        raise refuse(f"its amount is more than all bitcoin, 21 million; got {shown(written)}")
    if tenths % 10:
        raise refuse(f"its amount must be whole millisatoshi: with p it must end in 0; got {shown(written)}")
    return tenths // 10


def _check_signature(words: bytes, *, has_payee: bool) -> None:
    """Check what can be seen of a signature without verifying it: 32 bytes of r, 32 of s, and the recovery flag."""
    signature = to_bytes(words, field="signature")
    if signature[64] > 3:
        raise refuse(f"the last byte of its signature, the recovery flag, must be 0 to 3; got {signature[64]}")
    if has_payee and int.from_bytes(signature[32:64]) > _HALF_ORDER:
        raise refuse("its signature must be in the low-S form, because it names its payee, field n")


def _required(fields: Fields, letter: str, name: str) -> str:
    value = fields.hex(letter)
    if value is None:
        raise refuse(f"it has no {name}, field {letter} of 52 words")
    return value
