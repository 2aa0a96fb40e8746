from __future__ import annotations

import copy
import pickle
import random
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tazapay_lightning import MAX_SATS, InvalidArgumentError, InvalidBolt11Error, decode_bolt11
from tazapay_lightning.bolt11.bech32 import split
from tazapay_lightning.bolt11.decode import MAX_LENGTH
from tests.support import bolt11_encoder as encoder
from tests.support.bolt11_encoder import ALPHABET, D, P, S, field, of_bits, of_bytes, of_number, payment_request
from tests.support.tables import each_row
from tests.support.thorough import sample

H = field("h", of_bytes(bytes(range(32))))
KEY = b"\x02" + bytes(range(32))
LATEST = (1 << 35) - 1  # seconds: the year 3058
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2  # of secp256k1 (SEC 2)
SAMPLE = payment_request(P, S, D, prefix="lnbc2500u")


def refusal(text: object) -> str:
    with pytest.raises(InvalidBolt11Error) as caught:
        decode_bolt11(text)  # type: ignore[arg-type] # what callers without a type checker pass
    return str(caught.value)


@each_row(
    ("text", "reason"),
    [
        ("lnurl1", "it must begin with lnbc, lntb, lntbs or lnbcrt, followed by its amount, if any, and 1"),
        ("lnbc", 'the "1" between its prefix and its data is missing'),
        ("lnBC1", "it must be ASCII, all in lower or all in upper case"),
        ("lnbc1b", "character 6 is 'b', but bech32 has only digits without 1 and letters without b, i, o"),
        (SAMPLE + "q", "its checksum is wrong, so something was changed, lost or added; copy it again, whole"),
        (encoder.bech32("lnbc", []), "it is too short to hold a timestamp and a signature"),
        (
            payment_request(P, S),
            "it must have a description, field d, or the hash of one, field h of 52 words, and not both",
        ),
        (payment_request(P, S, D, [13]), "its last field reaches into the signature"),
        (payment_request(S, D), "it has no payment hash, field p of 52 words"),
        (payment_request(P, D), "it has no payment secret, field s of 52 words"),
        (
            payment_request(P, S, field("d", [0])),
            "the data of its field d does not end at a byte, followed by less than 5 bits, all 0",
        ),
        (
            payment_request(P, S, D, field("n", of_bytes(KEY)), signature=b"\xff" * 64 + b"\0"),
            "its signature must be in the low-S form, because it names its payee, field n",
        ),
    ],
    ids=lambda value: value[:40] if " " in value else "",
)
def test_the_error_says_what_is_wrong_and_what_would_be_right(text: str, reason: str) -> None:
    assert refusal(text) == f"text is not a BOLT11 payment request: {reason}"


# -- the text ----------------------------------------------------------------------------------------------------------


@each_row("value", [None, b"lnbc1", 1, 1.5, ["lnbc1"], bytearray(b"lnbc1")], ids=type)
def test_only_a_str_is_read(value: object) -> None:
    assert refusal(value).endswith(f"it must be a str; got {type(value).__name__}")


def test_the_error_names_its_argument_and_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a BOLT11 payment request") as caught:
        decode_bolt11("")
    assert isinstance(caught.value, InvalidArgumentError)
    assert caught.value.argument == "text"


@each_row("before", ["", "lightning:", "LIGHTNING:", "Lightning:", " \n\t", "\n lightning:"])
def test_a_scheme_and_white_space_before_are_taken_off(before: str) -> None:
    assert decode_bolt11(before + SAMPLE).raw == SAMPLE


@pytest.mark.parametrize("after", ["\n", " \r\n"])
def test_white_space_behind_is_taken_off(after: str) -> None:
    assert decode_bolt11(SAMPLE + after).raw == SAMPLE


@pytest.mark.parametrize("written", [SAMPLE.upper(), f" LIGHTNING:{SAMPLE.upper()}\n"], ids=["alone", "with a scheme"])
def test_a_request_in_upper_case_is_kept_in_lower_case(written: str) -> None:
    assert decode_bolt11(written).raw == SAMPLE


@each_row("before", ["lightning://", "lightning: ", "lightning:lightning:", "bitcoin:", "lightnin:", "x"])
def test_nothing_else_is_taken_off(before: str) -> None:
    assert "must begin with lnbc, lntb, lntbs or lnbcrt" in refusal(before + SAMPLE)


@each_row(
    "text",
    ["", " ", "1", "ln", "lnbx1", "lnbcx1", "lnurl1", "lno1", "bc1", "lightning:", "xlnbc1", "lnb1"],
)
def test_a_text_that_does_not_begin_like_a_request_is_refused(text: str) -> None:
    assert "must begin with lnbc, lntb, lntbs or lnbcrt" in refusal(text)


def test_a_text_that_is_no_request_is_not_repeated() -> None:
    assert "sk_live" not in refusal("sk_live_0123456789abcdef")


@each_row("position", [0, 3, 20, len(SAMPLE) - 1])
def test_mixed_case_is_refused(position: int) -> None:
    swapped = SAMPLE[:position] + SAMPLE[position].swapcase() + SAMPLE[position + 1 :]
    assert swapped != SAMPLE
    assert "all in lower or all in upper case" in refusal(swapped)


@each_row("foreign", ["é", "١", "\udcff", "\u212a", "Ａ"])
def test_what_is_not_ascii_is_refused(foreign: str) -> None:
    assert refusal(SAMPLE[:30] + foreign + SAMPLE[31:]).endswith("it must be ASCII, all in lower or all in upper case")


@each_row(
    ("foreign", "position"),
    [
        *(("b", position) for position in (len("lnbc2500u1"), 40, len(SAMPLE) - 1)),
        *((foreign, 40) for foreign in ("i", "o", " ", "\n", "-", "\0", "\x7f", "_", "+")),
    ],
)
def test_the_first_character_outside_of_bech32_is_named_with_its_position(foreign: str, position: int) -> None:
    inside = SAMPLE[:position] + foreign + SAMPLE[position:] + "!" + foreign + "q"
    assert f"request: character {position + 1} is {foreign!r}, but bech32 has only digits" in refusal(inside)


@each_row("text", ["lnbc", "lnbcrt", "lnbc2500u", SAMPLE.replace("1", "", 1)], ids=len)
def test_a_request_without_the_separator_is_refused(text: str) -> None:
    assert 'the "1" between its prefix and its data is missing' in refusal(text)


@pytest.mark.parametrize("words", ["", "q", "qqqqq"])
def test_a_text_without_room_for_a_checksum_is_refused(words: str) -> None:
    assert "checksum is wrong" in refusal("lnbc1" + words)


def test_a_checksum_of_bech32m_is_refused() -> None:
    words = [ALPHABET.index(letter) for letter in SAMPLE.rpartition("1")[2]]
    constant = 0x2BC830A3 ^ 1  # BIP 350
    for place in range(6):
        words[-1 - place] ^= constant >> 5 * place & 31
    assert "checksum is wrong" in refusal("lnbc2500u1" + "".join(ALPHABET[word] for word in words))


@pytest.mark.parametrize("length", [0, 1, 2, 116, 117, 118, 119, 244, 245, 246, 1000, 7000])
def test_a_checksum_is_read_in_a_text_of_any_length(length: int) -> None:
    chance = random.Random(length)
    text = encoder.bech32("lnbc", [chance.randrange(32) for _ in range(length)])
    assert len(split(text)[1]) == length
    with pytest.raises(InvalidBolt11Error, match="checksum is wrong"):
        split(text[:5] + {"q": "p"}.get(text[5], "q") + text[6:])


def test_every_change_of_a_single_character_is_refused() -> None:
    for position, letter in sample(enumerate(SAMPLE), 3):
        for other in set(ALPHABET + "1b2io0- ") - {letter}:
            if position == len(SAMPLE) - 1 or other != " ":
                refusal(SAMPLE[:position] + other + SAMPLE[position + 1 :])


def test_every_truncation_is_refused() -> None:
    for length in range(len(SAMPLE)):
        refusal(SAMPLE[:length])


def of_length(length: int) -> str:
    """Return a request of so many characters, filled up with unknown fields."""
    fields = [P, S, D]
    while (missing := length - len(payment_request(*fields))) > 0:
        fields.append(field("y", [0] * (min(missing, 1023 + 3) - 3)))
    return payment_request(*fields)


def test_a_request_may_have_7089_characters() -> None:
    assert MAX_LENGTH == 7089
    assert decode_bolt11(of_length(7089)).description == "Order #7890"


@pytest.mark.parametrize(
    "text", [of_length(7090), "lnbc1" + "q" * 10**6, " " * 7090], ids=["one more", "1 MB", "blanks"]
)
def test_a_longer_text_is_refused_unread(text: str) -> None:
    assert f"it must have at most 7089 characters; got {len(text)}" in refusal(text)


def test_a_request_may_be_longer_than_the_90_characters_of_bip_173() -> None:
    assert len(SAMPLE) > 90
    assert decode_bolt11(SAMPLE)


# -- network and amount ------------------------------------------------------------------------------------------------


@each_row(
    ("network", "amount", "msat"),
    [("bc", "", None), ("tb", "", None), ("tbs", "1", 100_000_000_000), ("bcrt", "10u", 1_000_000)],
)
def test_every_network_is_read(network: str, amount: str, msat: int | None) -> None:
    request = decode_bolt11(payment_request(P, S, D, prefix=f"ln{network}{amount}"))
    assert (request.network, request.amount_msat) == (network, msat)


@each_row("network", ["sb", "ltc", "", "bcr", "bcrtx", "b"])
def test_another_network_is_refused(network: str) -> None:
    assert "must begin with lnbc" in refusal(payment_request(P, S, D, prefix=f"ln{network}"))


@each_row(
    ("amount", "msat"),
    [
        ("1", 100_000_000_000),
        ("1m", 100_000_000),
        ("1u", 100_000),
        ("1n", 100),
        ("10p", 1),
        ("9678785340p", 967_878_534),
        ("1234567890n", 123_456_789_000),
        ("21000000", MAX_SATS * 1000),
        ("21000000000m", MAX_SATS * 1000),
        ("21000000000000u", MAX_SATS * 1000),
        ("21000000000000000n", MAX_SATS * 1000),
        ("21000000000000000000p", MAX_SATS * 1000),
    ],
)
def test_an_amount_is_read_to_the_millisatoshi(amount: str, msat: int) -> None:
    read = decode_bolt11(payment_request(P, S, D, prefix=f"lnbc{amount}")).amount_msat
    assert (read, type(read)) == (msat, int)


@each_row(
    "amount",
    ["0", "0u", "01u", "00", "2500x", "1k", "1mu", "1uu", "1.5u", "1,5u", "1 u", "1e3", "1-", "1_0", "1\nu", "1u\n"],
)
def test_an_amount_that_is_no_plain_number_with_a_multiplier_is_refused(amount: str) -> None:
    text = payment_request(P, S, D, prefix=f"lnbc{amount}")
    assert f"leading zeros, followed by m, u, n, p or nothing; got {amount!r}" in refusal(text)


@each_row("amount", ["u", "-1", "+1", ".5", "p", " 1"])
def test_an_amount_that_does_not_begin_with_a_digit_is_refused(amount: str) -> None:
    assert "must begin with lnbc" in refusal(payment_request(P, S, D, prefix=f"lnbc{amount}"))


@each_row("amount", ["1p", "9p", "11p", "2500000001p", "20999999999999999999p"])
def test_fractions_of_a_millisatoshi_are_refused(amount: str) -> None:
    text = payment_request(P, S, D, prefix=f"lnbc{amount}")
    assert f"whole millisatoshi: with p it must end in 0; got {amount!r}" in refusal(text)


@each_row(
    "amount",
    [
        "21000001",
        "21000000001m",
        "21000000000001u",
        "21000000000000001n",
        "21000000000000000010p",
        "9" * 21,
        "9" * 5000,
    ],
    ids=["BTC", "m", "u", "n", "p", "21 digits", "5000 digits"],
)
def test_more_than_all_bitcoin_is_refused(amount: str) -> None:
    message = refusal(payment_request(P, S, D, prefix=f"lnbc{amount}"))
    assert f"its amount is more than all bitcoin, 21 million; got '{amount[:30]}" in message
    assert len(message) < 200


# -- times -------------------------------------------------------------------------------------------------------------


@each_row(
    ("seconds", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (1_496_314_658, datetime(2017, 6, 1, 10, 57, 38, tzinfo=UTC)),
        (LATEST, datetime(3058, 10, 26, 3, 46, 7, tzinfo=UTC)),
    ],
)
def test_the_timestamp_is_an_aware_moment(seconds: int, moment: datetime) -> None:
    request = decode_bolt11(payment_request(P, S, D, timestamp=seconds))
    assert request.timestamp == moment
    assert request.timestamp.tzinfo is UTC


@each_row(
    ("words", "seconds"),
    [([], 0), ([0], 0), ([1, 28], 60), ([0, 0, 1, 28], 60), ([31, 31], 1023), ([18, 14, 20, 0], 604_800)],
)
def test_the_expiry_is_read_in_seconds(words: list[int], seconds: int) -> None:
    request = decode_bolt11(payment_request(P, S, D, field("x", words)))
    assert request.expiry == seconds
    assert request.expires_at == request.timestamp + timedelta(seconds=seconds)


def test_a_request_without_an_expiry_is_valid_for_an_hour() -> None:
    request = decode_bolt11(SAMPLE)
    assert (request.expiry, request.expires_at - request.timestamp) == (3600, timedelta(hours=1))


def test_an_expiry_within_the_calendar_is_exact() -> None:
    last_second = int(
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    )
    within = decode_bolt11(payment_request(P, S, D, field("x", of_number(last_second)), timestamp=0))
    beyond = decode_bolt11(payment_request(P, S, D, field("x", of_number(last_second + 1)), timestamp=0))
    assert within.expires_at == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert beyond.expires_at == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("words", [10, 20, 1023])
def test_an_expiry_beyond_the_calendar_ends_with_it(words: int) -> None:
    request = decode_bolt11(payment_request(P, S, D, field("x", [31] * words)))
    assert request.expiry == 32**words - 1
    assert request.expires_at == datetime.max.replace(tzinfo=UTC)


# -- tagged fields -----------------------------------------------------------------------------------------------------


def test_all_fields_are_read() -> None:
    hops = [
        encoder.hop(KEY, (1, 2, 3), fee_base_msat=4, fee_proportional_millionths=5, cltv_expiry_delta=6),
        encoder.hop(
            KEY,
            (2**24 - 1, 2**24 - 2, 2**16 - 3),
            fee_base_msat=2**32 - 4,
            fee_proportional_millionths=2**32 - 5,
            cltv_expiry_delta=2**16 - 6,
        ),
    ]
    request = decode_bolt11(
        payment_request(
            *(P, S, D),
            field("n", of_bytes(KEY)),
            field("m", of_bytes(b"\x01\xfa")),
            field("c", of_number(144)),
            field("9", of_number(1 << 99 | 1 << 14 | 1)),
            field("f", [17, *of_bytes(bytes(20))]),
            field("f", [0, *of_bytes(bytes(32))]),
            field("r", of_bytes(b"".join(hops))),
            field("r", of_bytes(hops[0])),
        )
    )
    first, second = (attrs.astuple(hop) for hop in request.routes[0])
    assert first == (KEY.hex(), "1x2x3", 4, 5, 6)
    assert second == (KEY.hex(), "16777215x16777214x65533", 4294967292, 4294967291, 65530)
    assert request.routes[1:] == (request.routes[0][:1],)
    assert (request.payment_hash, request.payment_secret) == (encoder.PAYMENT_HASH.hex(), encoder.PAYMENT_SECRET.hex())
    assert (request.payee, request.metadata, request.min_final_cltv_expiry_delta) == (KEY.hex(), "01fa", 144)
    assert request.features == (0, 14, 99)
    assert request.fallbacks == ((17, "00" * 20), (0, "00" * 32))


def test_what_a_request_does_not_say_has_the_defaults_of_the_standard() -> None:
    request = decode_bolt11(payment_request(P, S, D))
    assert (request.expiry, request.min_final_cltv_expiry_delta) == (3600, 18)
    assert (request.amount_msat, request.payee, request.metadata, request.description_hash) == (None,) * 4
    assert (request.features, request.fallbacks, request.routes) == ((), (), ())


@each_row("text", ["", "x", "Ünïcödé ₿ 杯", "a\0b\x1b[2J", "d" * 639], ids=len)
def test_the_description_is_the_text_as_it_is(text: str) -> None:
    request = decode_bolt11(payment_request(P, S, field("d", of_bytes(text.encode()))))
    assert (request.description, request.description_hash) == (text, None)


def test_a_description_hash_stands_in_for_a_description() -> None:
    request = decode_bolt11(payment_request(P, S, H))
    assert (request.description, request.description_hash) == (None, bytes(range(32)).hex())


@each_row(("data", "at"), [(b"\xff", 0), (b"ab\xc3", 2), (b"abc\xed\xa0\x80", 3), (b"\xc0\x80", 0)])
def test_a_description_that_is_not_utf_8_is_refused(data: bytes, at: int) -> None:
    message = refusal(payment_request(P, S, field("d", of_bytes(data))))
    assert f"field d, must be UTF-8; byte {at} of it is not" in message


@each_row(
    ("fields", "missing"),
    [
        ([S, D], "no payment hash, field p of 52 words"),
        ([P, D], "no payment secret, field s of 52 words"),
        ([P, S], "a description, field d, or the hash of one, field h of 52 words, and not both"),
        ([P, S, D, H], "a description, field d, or the hash of one, field h of 52 words, and not both"),
        ([], "a description, field d, or the hash of one"),
    ],
    ids=["no p", "no s", "neither d nor h", "both d and h", "nothing"],
)
def test_a_request_without_its_essentials_is_refused(fields: list[list[int]], missing: str) -> None:
    assert missing in refusal(payment_request(*fields))


@each_row(("letter", "right"), [("p", 52), ("s", 52), ("h", 52), ("n", 53)])
@each_row("difference", [-1, 1])
def test_a_field_of_a_length_that_it_cannot_have_is_skipped(letter: str, right: int, difference: int) -> None:
    odd = field(letter, [31] * (right + difference))
    assert decode_bolt11(payment_request(odd, P, S, D)) == attrs.evolve(
        decode_bolt11(payment_request(P, S, D)), raw=payment_request(odd, P, S, D)
    )


UNKNOWN = sorted(set(ALPHABET) - set("psdmnhxcfr9"))


@each_row(
    ("letter", "words"),
    [
        *((letter, [31] * 52) for letter in UNKNOWN),
        *((UNKNOWN[0], [word] * n) for word, n in ((0, 0), (31, 1), (0, 1023))),
    ],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_an_unknown_field_is_skipped(letter: str, words: list[int]) -> None:
    text = payment_request(P, field(letter, words), S, D)
    assert decode_bolt11(text) == attrs.evolve(decode_bolt11(payment_request(P, S, D)), raw=text)


@each_row("letter", ["p", "s", "d", "m", "x", "c", "9", "n"])
def test_of_a_field_that_comes_twice_the_first_counts(letter: str) -> None:
    first, second = of_bytes(b"\x02" + b"a" * 32), of_bytes(b"\x03" + b"b" * 32)
    if letter in "ps":
        first, second = of_bytes(b"a" * 32), of_bytes(b"b" * 32)
    others = [each for each in (P, S, D) if each[0] != ALPHABET.index(letter)]
    once = decode_bolt11(payment_request(*others, field(letter, first)))
    twice = decode_bolt11(payment_request(*others, field(letter, first), field(letter, second)))
    assert attrs.evolve(twice, raw="") == attrs.evolve(once, raw="")
    assert once != decode_bolt11(payment_request(*others, field(letter, second)))


def test_the_first_description_hash_counts_too() -> None:
    assert decode_bolt11(payment_request(P, S, H, field("h", [0] * 52))).description_hash == bytes(range(32)).hex()


@each_row("version", [0, 1, 16, 17, 18])
def test_a_fallback_of_a_known_version_is_read(version: int) -> None:
    text = payment_request(P, S, D, field("f", [version, *of_bytes(b"\x01" * 20)]))
    assert decode_bolt11(text).fallbacks == ((version, "01" * 20),)


@each_row("words", [[], [19, 31], [20, 31], [31, 31]], ids=str)
def test_a_fallback_of_an_unknown_version_is_skipped(words: list[int]) -> None:
    assert decode_bolt11(payment_request(P, S, D, field("f", words))).fallbacks == ()


@each_row("size", [0, 1, 50, 52, 101, 103])
def test_a_route_that_is_not_made_of_whole_hops_is_refused(size: int) -> None:
    message = refusal(payment_request(P, S, D, field("r", of_bytes(bytes(size)))))
    assert f"a route, field r, must be hops of 51 bytes each; got {size} bytes" in message


@each_row(("bits", "features"), [("", ()), ("00000", ()), ("00001", (0,)), ("1000000001", (0, 9))])
def test_feature_bits_are_numbered_from_the_end(bits: str, features: tuple[int, ...]) -> None:
    assert decode_bolt11(payment_request(P, S, D, field("9", of_bits(bits)))).features == features


@each_row("first", [0, 1, 4, 255])
def test_a_payee_that_is_no_compressed_public_key_is_refused(first: int) -> None:
    message = refusal(payment_request(P, S, D, field("n", of_bytes(bytes([first]) * 33))))
    assert message.endswith(f"its public key, field n, must begin with 02 or 03; got {first:02x}")


@pytest.mark.parametrize("first", [2, 3])
def test_a_compressed_public_key_is_the_payee(first: int) -> None:
    key = bytes([first]) * 33
    assert decode_bolt11(payment_request(P, S, D, field("n", of_bytes(key)))).payee == key.hex()


@each_row(("letter", "bit"), [("p", 0), ("p", 1), ("p", 2), ("p", 3), ("s", 0), ("h", 3)])
def test_padding_that_is_not_0_is_refused(letter: str, bit: int) -> None:
    words = of_bytes(bytes(32))
    words[-1] |= 1 << bit
    others = [each for each in (P, S) if each[0] != ALPHABET.index(letter)]
    message = refusal(payment_request(*others, *([] if letter == "h" else [D]), field(letter, words)))
    assert f"the data of its field {letter} does not end at a byte" in message


@each_row(
    ("letter", "words"),
    [
        ("d", [0]),
        ("d", [0, 1]),
        ("d", [0, 0, 0]),
        ("d", [3, 1, 17, 1]),
        ("m", [0]),
        ("m", [0, 0, 0, 0, 0, 0]),
        ("n", [0, 8, *[0] * 50, 1]),
        ("f", [0, 0]),
        ("f", [17, 0, 1]),
        ("r", [0]),
    ],
    ids=str,
)
def test_more_or_other_padding_than_is_needed_is_refused(letter: str, words: list[int]) -> None:
    others = [P, S] if letter == "d" else [P, S, D]
    assert f"the data of its field {letter} does not end at a byte" in refusal(
        payment_request(*others, field(letter, words))
    )


# -- where the data ends -----------------------------------------------------------------------------------------------


@each_row("words", [[13], [13, 0], [13, 0, 1], [2, 31, 31], [2, 0, 2, 0], [13, 1, 0] + [0] * 31], ids=len)
def test_a_field_that_does_not_end_before_the_signature_is_refused(words: list[int]) -> None:
    assert "its last field reaches into the signature" in refusal(payment_request(P, S, D, words))


def test_a_field_may_end_where_the_signature_begins() -> None:
    assert decode_bolt11(payment_request(P, S, D, [2, 0, 0])) is not None
    assert decode_bolt11(payment_request(P, S, D, [2, 0, 1, 0])) is not None


@each_row("words", [0, 1, 7, 104, 110])
def test_a_request_without_room_for_timestamp_and_signature_is_refused(words: int) -> None:
    assert "too short to hold a timestamp and a signature" in refusal(encoder.bech32("lnbc", [0] * words))


def test_timestamp_and_signature_alone_lack_the_fields() -> None:
    assert "it must have a description" in refusal(encoder.bech32("lnbc", [0] * 111))


@each_row("flag", [0, 1, 2, 3])
def test_the_recovery_flag_may_be_0_to_3(flag: int) -> None:
    assert decode_bolt11(payment_request(P, S, D, signature=b"\xff" * 64 + bytes([flag])))


@each_row("flag", [4, 5, 27, 128, 255])
def test_another_recovery_flag_is_refused(flag: int) -> None:
    message = refusal(payment_request(P, S, D, signature=bytes(64) + bytes([flag])))
    assert f"recovery flag, must be 0 to 3; got {flag}" in message


def signed(s: int, *fields: list[int]) -> str:
    return payment_request(*(P, S, D), *fields, signature=b"\xff" * 32 + s.to_bytes(32, "big") + b"\3")


def test_a_request_that_names_its_payee_has_a_low_s() -> None:
    payee = field("n", of_bytes(KEY))
    assert decode_bolt11(signed(HALF_ORDER, payee)).payee == KEY.hex()
    assert "must be in the low-S form, because it names its payee, field n" in refusal(signed(HALF_ORDER + 1, payee))


def test_a_request_that_does_not_name_its_payee_may_have_a_high_s() -> None:
    assert decode_bolt11(signed(HALF_ORDER + 1)).payee is None
    assert decode_bolt11(signed(HALF_ORDER + 1, field("n", [0] * 52))).payee is None


def test_the_signature_is_not_verified() -> None:
    """Stated in the docstrings: that nobody signed it does not keep a request from being read."""
    assert decode_bolt11(payment_request(P, S, D, signature=bytes(65))).payment_hash == encoder.PAYMENT_HASH.hex()


# -- the result --------------------------------------------------------------------------------------------------------


def test_the_repr_holds_neither_the_payment_secret_nor_the_request() -> None:
    shown = repr(decode_bolt11(SAMPLE))
    assert "Order #7890" in shown
    assert encoder.PAYMENT_SECRET.hex() not in shown
    assert SAMPLE[20:60] not in shown


def test_a_request_is_frozen_hashable_and_can_be_copied() -> None:
    request = decode_bolt11(SAMPLE)
    assert pickle.loads(pickle.dumps(request)) == copy.deepcopy(request) == request  # noqa: S301 - pickled by this line
    assert hash(request) == hash(decode_bolt11(SAMPLE.upper()))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        request.amount_msat = 1  # type: ignore[misc] # that it is refused is the point
