"""Requests that chance makes: right ones come back whole, wrong ones are refused and never break the reader."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tazapay_lightning import MAX_SATS, Bolt11, InvalidBolt11Error, decode_bolt11
from tazapay_lightning.bolt11.decode import RouteHop
from tests.support import bolt11_encoder as encoder
from tests.support.bolt11_encoder import ALPHABET, field, of_bytes, of_number
from tests.support.thorough import THOROUGH

PART_OF_BITCOIN = {"": 1, "m": 10**3, "u": 10**6, "n": 10**9, "p": 10**12}
ALL_MSAT = MAX_SATS * 1000

hashes = st.binary(min_size=32, max_size=32)
keys = st.builds(bytes.__add__, st.sampled_from([b"\2", b"\3"]), hashes)
descriptions = st.text(max_size=159)  # at most 639 bytes
numbers = st.integers(0, 2**40)


@st.composite
def amounts(draw: st.DrawFn) -> tuple[str, int | None]:
    """Return an amount as a prefix writes it, and in millisatoshi."""
    multiplier = draw(st.sampled_from(["none", "", "m", "u", "n", "p"]))
    if multiplier == "none":
        return "", None
    msat_per_unit = Fraction(10**11, PART_OF_BITCOIN[multiplier])
    units = draw(st.integers(1, int(ALL_MSAT / max(msat_per_unit, Fraction(1)))))
    written = units * 10 if multiplier == "p" else units
    return f"{written}{multiplier}", int(written * msat_per_unit)


@st.composite
def hops(draw: st.DrawFn) -> tuple[bytes, RouteHop]:
    key = draw(keys)
    channel = draw(st.tuples(st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1), st.integers(0, 2**16 - 1)))
    rest = draw(
        st.fixed_dictionaries(
            {
                "fee_base_msat": st.integers(0, 2**32 - 1),
                "fee_proportional_millionths": st.integers(0, 2**32 - 1),
                "cltv_expiry_delta": st.integers(0, 2**16 - 1),
            }
        )
    )
    short_channel_id = "x".join(map(str, channel))
    return encoder.hop(key, channel, **rest), RouteHop(public_key=key.hex(), short_channel_id=short_channel_id, **rest)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Bolt11]:
    """Return a request of any fields in any order, and what it has to be read as."""
    network, (written, amount_msat) = draw(st.sampled_from(["bc", "tb", "tbs", "bcrt"])), draw(amounts())
    timestamp = draw(st.integers(0, 2**35 - 1))
    holds: dict[str, Any] = {"payee": None, "description": None, "description_hash": None, "expiry": 3600}
    fields = []

    def add(letter: str, name: str, words: list[int], value: object) -> None:
        fields.append(field(letter, words))
        holds[name] = value

    payment_hash, secret = draw(hashes), draw(hashes)
    add("p", "payment_hash", of_bytes(payment_hash), payment_hash.hex())
    add("s", "payment_secret", of_bytes(secret), secret.hex())
    if draw(st.booleans()):
        text = draw(descriptions)
        add("d", "description", of_bytes(text.encode()), text)
    else:
        digest = draw(hashes)
        add("h", "description_hash", of_bytes(digest), digest.hex())
    if key := draw(st.none() | keys):
        add("n", "payee", of_bytes(key), key.hex())
    if metadata := draw(st.none() | st.binary(max_size=100)):
        add("m", "metadata", of_bytes(metadata), metadata.hex())
    for letter, name in (("x", "expiry"), ("c", "min_final_cltv_expiry_delta")):
        if (number := draw(st.none() | numbers)) is not None:
            add(letter, name, of_number(number, length=draw(st.integers(0, 12))), number)
    if bits := draw(st.none() | st.sets(st.integers(0, 300))):
        add("9", "features", of_number(sum(1 << bit for bit in bits)), tuple(sorted(bits)))
    holds["fallbacks"] = tuple(
        (version, program.hex())
        for version, program in draw(st.lists(st.tuples(st.integers(0, 18), st.binary(max_size=40)), max_size=3))
    )
    routes = draw(st.lists(st.lists(hops(), min_size=1, max_size=3), max_size=2))
    holds["routes"] = tuple(tuple(hop for _, hop in route) for route in routes)
    unknown = [
        field(letter, words)
        for letter, words in draw(st.lists(st.tuples(st.sampled_from("qzy"), some_words), max_size=3))
    ]
    ordered = [field("f", [version, *of_bytes(bytes.fromhex(program))]) for version, program in holds["fallbacks"]]
    ordered += [field("r", of_bytes(b"".join(data for data, _ in route))) for route in routes]
    fields = draw(st.permutations(fields + unknown)) + ordered
    prefix, signature = f"ln{network}{written}", draw(hashes) + bytes(32) + bytes([draw(st.integers(0, 3))])
    text = encoder.payment_request(*fields, prefix=prefix, timestamp=timestamp, signature=signature)
    moment = datetime.fromtimestamp(timestamp, UTC)
    return text, Bolt11(network=network, amount_msat=amount_msat, timestamp=moment, raw=text, **holds)


some_words = st.binary(max_size=60).map(lambda data: [byte % 32 for byte in data])


# a request has so many fields that to make one takes longer than to read it
@settings(max_examples=500 if THOROUGH else 40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_whatever_a_request_says_is_read(request_and_meaning: tuple[str, Bolt11]) -> None:
    text, meaning = request_and_meaning
    assert decode_bolt11(text) == decode_bolt11(f"LIGHTNING:{text.upper()}") == meaning


@given(st.text() | st.text(alphabet=ALPHABET + "1").map("lnbc".__add__))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert kind_of(text) is InvalidBolt11Error


def kind_of(text: str) -> type:
    try:
        return type(decode_bolt11(text))
    except InvalidBolt11Error as error:
        return type(error)


# -- texts from a fixed seed: 2,000, and 100,000 of them if it is to be thorough ---------------------------------------

VALID = encoder.payment_request(encoder.P, encoder.S, encoder.D, prefix="lnbc2500u")


def substituted(chance: random.Random) -> str:
    at = chance.randrange(len(VALID))
    return VALID[:at] + chance.choice(ALPHABET + "1bio \n\0é") + VALID[at + 1 :]


def truncated(chance: random.Random) -> str:
    return VALID[chance.randrange(len(VALID)) :] if chance.random() < 0.2 else VALID[: chance.randrange(len(VALID))]


def case_flipped(chance: random.Random) -> str:
    at = chance.randrange(len(VALID))
    return VALID[:at] + VALID[at:].upper()


def rearranged(chance: random.Random) -> str:
    start, end = sorted(chance.sample(range(len(VALID)), 2))
    return VALID[:start] + VALID[start:end] * chance.choice([0, 2, 3]) + VALID[end:]


def anything(chance: random.Random) -> str:
    text = "".join(chr(chance.randrange(1 << chance.randrange(1, 16))) for _ in range(chance.randrange(60)))
    return chance.choice(["", "lnbc1", "lntbs20m1", "lightning:", "LNBC1"]) + text


def prefixed(chance: random.Random) -> str:
    amount = "".join(chance.choices("0123456789munpx", k=chance.randrange(8)))
    return encoder.bech32(chance.choice(["lnbc", "lntb", "lntbs", "lnbcrt", "ln", "lnx", ""]) + amount, [0] * 111)


def words_behind_the_checksum(chance: random.Random) -> str:
    return encoder.bech32("lnbc", chance.choices(range(32), k=chance.randrange(170)))


def fields_behind_the_checksum(chance: random.Random) -> str:
    """Return a request whose fields have known letters, likely and unlikely lengths, and any data."""
    fields = [encoder.P, encoder.S, encoder.D]
    for _ in range(chance.randrange(4)):
        length = chance.choice([0, 1, 2, 3, 8, 52, 53, 82, chance.randrange(60)])
        fields.append(field(chance.choice("psdmnhxcfr9yq"), chance.choices(range(chance.choice([1, 32])), k=length)))
    chance.shuffle(fields)
    return encoder.payment_request(*fields[chance.randrange(10) == 0 :], prefix=chance.choice(["lnbc", "lntb1u"]))


SHARE = 1 if THOROUGH else 50
MAKERS: list[tuple[Callable[[random.Random], str], int]] = [
    (substituted, 15_000 // SHARE),
    (truncated, 10_000 // SHARE),
    (case_flipped, 5_000 // SHARE),
    (rearranged, 15_000 // SHARE),
    (anything, 25_000 // SHARE),
    (prefixed, 5_000 // SHARE),
    (words_behind_the_checksum, 10_000 // SHARE),
    (fields_behind_the_checksum, 15_000 // SHARE),
]


def test_none_of_many_random_texts_ends_in_anything_but_a_request_or_the_error() -> None:
    chance = random.Random(11)
    kinds = {maker.__name__: Counter(kind_of(maker(chance)) for _ in range(times)) for maker, times in MAKERS}
    assert sum(sum(counts.values()) for counts in kinds.values()) == 100_000 // SHARE
    read = {name for name, counts in kinds.items() if counts[Bolt11]}
    assert (
        {"fields_behind_the_checksum"}
        <= read
        <= {
            "substituted",  # by the same character
            "case_flipped",  # from the first, or behind the last letter
            "truncated",  # at the beginning, by nothing
            "fields_behind_the_checksum",
        }
    )
    # many reach the end, many are refused on the way
    assert min(kinds["fields_behind_the_checksum"].values()) > 1000 // SHARE
