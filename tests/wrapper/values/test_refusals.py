"""What a refusal says, word for word: people search for it, and it names what would have been accepted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tazapay_lightning import (
    MAX_SATS,
    ConfigurationError,
    InvalidArgumentError,
    UnexpectedResponseError,
    btc_to_sats,
    decode_json_field,
    encode_json_field,
    format_btc,
    hash_memo,
    verify_memo,
)
from tazapay_lightning.invoices.request import InvoiceRequest, check_idempotency_key
from tazapay_lightning.values.durations import seconds
from tazapay_lightning.values.memos import check_memo, check_memo_hash
from tazapay_lightning.values.safe_text import printable, shown
from tests.support.settings import settings
from tests.support.tables import each_row

Refusal = tuple[Callable[..., object], tuple[object, ...], dict[str, Any], str]

BTC = (
    "btc must be an exact number of BTC with at most 8 decimals, greater than 0 and at most 21000000, "
    'as a str or a Decimal, such as "0.001"; '
)
SATS = "sats must be an int from 0 to 2100000000000000, in satoshi; "
TOO_LONG = (
    "memo must be at most 639 bytes of UTF-8 (BOLT #11); got 640. "
    "Pass memo_as_hash=True to send its SHA-256, which has no limit"
)
HASH = "memo_hash must be 64 hex digits, the SHA-256 of the memo's UTF-8 bytes; "
KEY = "idempotency_key must be 1 to 255 visible ASCII characters, without blanks, or a uuid.UUID; "
EXPIRES = "expires_in must be an int from 1 to 86399999999999 seconds, or a timedelta of whole seconds"
TIMEOUT = "timeout must be seconds as a number, or a timedelta, greater than 0 and at most 86400"
URL = "base_url (or TAZAPAY_BASE_URL) must be an https URL such as https://service.tazapay.com"
WHERE_ALLOWED = "with allow_http=True or TAZAPAY_ALLOW_HTTP=1 for others too"
HTTP = f"http is for loopback addresses, {WHERE_ALLOWED}, but never for Tazapay's own"
ACCEPTED_JSON = "accepted are str, int, finite float, bool, None, and lists and mappings of them"

AMOUNTS: list[Refusal] = [
    (btc_to_sats, (True,), {}, BTC + "got True"),
    (btc_to_sats, (0.1,), {}, BTC + "got 0.1"),
    (btc_to_sats, (b"1",), {}, BTC + "got b'1'"),
    (btc_to_sats, ("1,5",), {}, BTC + "got '1,5'"),
    (btc_to_sats, (Decimal("NaN"),), {}, BTC + "got Decimal('NaN')"),
    (btc_to_sats, ("0.123456789",), {}, BTC + "got '0.123456789'"),
    (btc_to_sats, ("-1",), {}, BTC + "got '-1'"),
    (btc_to_sats, (Decimal("2.2E+7"),), {}, BTC + "got Decimal('2.2E+7')"),
    (btc_to_sats, (-(10**20),), {}, BTC + "got -100000000000000000000"),
    (btc_to_sats, (-MAX_SATS,), {}, BTC + "got -2100000000000000"),
    (format_btc, (True,), {}, SATS + "got True"),
    (format_btc, (-1,), {}, SATS + "got -1"),
]
MEMOS: list[Refusal] = [
    (hash_memo, (b"memo",), {}, "memo must be a str; got bytes"),
    (
        hash_memo,
        ("ab\ud800",),
        {},
        "memo holds half of a surrogate pair at position 2, which UTF-8 cannot write",
    ),
    (
        check_memo,
        ("a" * 640,),
        {},
        TOO_LONG,
    ),
    (verify_memo, ("memo", b"hash"), {}, "memo_hash must be a str; got bytes"),
    (check_memo_hash, (b"hash",), {}, HASH + "got a value of type bytes"),
    (check_memo_hash, ("ab",), {}, HASH + "got a text of 2 characters"),
    (check_memo_hash, ("g" * 64,), {}, HASH + "got a text of 64 characters"),
]
REQUESTS: list[Refusal] = [
    (
        InvoiceRequest.build,
        (),
        {},
        'an amount is needed: amount_sats=123456 (an int) or amount_btc="0.00123456" (a str or a Decimal)',
    ),
    (
        InvoiceRequest.build,
        (),
        {"amount_sats": 1, "amount_btc": "1"},
        "give amount_sats or amount_btc, not both",
    ),
    (
        InvoiceRequest.build,
        (),
        {"amount_sats": 1, "memo_as_hash": "yes"},
        "memo_as_hash must be True or False; got str",
    ),
    (
        InvoiceRequest.build,
        (),
        {"amount_sats": 1, "memo_as_hash": True},
        "memo_as_hash=True needs the memo to hash; to send a hash that you have, pass memo_hash alone",
    ),
    (
        InvoiceRequest.build,
        (),
        {"amount_sats": 1, "memo": "memo", "memo_hash": "ab" * 32},
        "memo_hash is not the SHA-256 of the memo's UTF-8 bytes; pass one of the two, or both that agree",
    ),
    (InvoiceRequest.build, (), {"amount_sats": 1, "expires_in": "60"}, EXPIRES + "; got '60'"),
    (
        InvoiceRequest.build,
        (),
        {"amount_sats": 1, "expires_in": timedelta(seconds=1.5)},
        EXPIRES + "; got datetime.timedelta(seconds=1, microseconds=500000)",
    ),
    (InvoiceRequest.build, (), {"amount_sats": 1, "expires_in": 0}, EXPIRES + "; got 0"),
    (check_idempotency_key, (b"key",), {}, KEY + "got bytes"),
    (check_idempotency_key, ("",), {}, KEY + "got ''"),
    (check_idempotency_key, ("k" * 256,), {}, KEY + f"got '{'k' * 39}... (258 characters)"),
    (check_idempotency_key, (" ",), {}, KEY + "got ' '"),
    (check_idempotency_key, ("é" * 255,), {}, KEY + f"got '{'é' * 39}... (257 characters)"),
]
LIMITS: list[Refusal] = [
    (seconds, (None,), {"argument": "timeout"}, TIMEOUT + "; got None"),
    (seconds, ("30",), {"argument": "timeout"}, TIMEOUT + "; got '30'"),
    (seconds, (0,), {"argument": "timeout"}, TIMEOUT + "; got 0"),
]
JSON: list[Refusal] = [
    (encode_json_field, ("{}",), {}, "value must be a mapping such as {'order_id': '7890'}; got str"),
    (encode_json_field, ({1: 2},), {}, "value has the key 1 (int); keys must be str"),
    (encode_json_field, ({"a": 1 << 1024},), {}, "value['a'] is an int of 1025 bits; pass it as str"),
    (encode_json_field, ({"a": [float("nan")]},), {}, "value['a'][0] is nan, which JSON cannot hold"),
    (encode_json_field, ({"a": b""},), {}, "value['a'] is a bytes, which JSON has no type for; " + ACCEPTED_JSON),
    (
        encode_json_field,
        ({"a": "\ud800"},),
        {},
        "value['a'] holds half of a surrogate pair at position 0, which UTF-8 cannot write",
    ),
    (
        encode_json_field,
        ({"\ud800": "a"},),
        {},
        r"the key of value['\ud800'] holds half of a surrogate pair at position 0, which UTF-8 cannot write",
    ),
]
DEEP: dict[str, object] = {}
DEEP["again"] = DEEP
JSON.append((encode_json_field, (DEEP,), {}, "value is nested too deeply for JSON, or contains itself"))


@each_row(("refuse", "arguments", "keywords", "message"), [*AMOUNTS, *MEMOS, *REQUESTS, *LIMITS, *JSON])
def test_a_refused_argument_is_told_in_these_words(
    refuse: Callable[..., object], arguments: tuple[object, ...], keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        refuse(*arguments, **keywords)
    assert str(caught.value) == message


@each_row(("refuse", "arguments", "keywords", "message"), [*AMOUNTS, *MEMOS, *REQUESTS, *LIMITS, *JSON])
def test_a_refusal_carries_the_name_that_its_words_hold(
    refuse: Callable[..., object], arguments: tuple[object, ...], keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        refuse(*arguments, **keywords)
    assert caught.value.argument
    assert caught.value.argument in message


NO_CREDENTIALS = (
    "no credentials: pass api_key and api_secret, or set TAZAPAY_API_KEY and TAZAPAY_API_SECRET ({} is missing)"
)
NOT_VISIBLE = "must be visible ASCII without blanks; a line end or a blank is often copied along with it"


@each_row(
    ("arguments", "message"),
    [
        ({"metadata_format": "json"}, 'metadata_format must be "string" or "object"; got \'json\''),
        ({"check_echo": 1}, "check_echo must be True or False; got 1"),
        ({"api_key": None}, NO_CREDENTIALS.format("api_key")),
        ({"api_secret": ""}, NO_CREDENTIALS.format("api_secret")),
        ({"api_key": b"key"}, "api_key (argument) must be a str; got bytes"),
        ({"api_secret": "s\n"}, f"api_secret (argument) {NOT_VISIBLE}"),
        (
            {"api_secret": None, "variables": {"TAZAPAY_API_SECRET": "s\n"}},
            f"TAZAPAY_API_SECRET (environment variable) {NOT_VISIBLE}",
        ),
        (
            {"api_key": "a:b"},
            "api_key (argument) must not hold a colon: HTTP Basic ends the user name there (RFC 7617)",
        ),
        (
            {"environment": "live"},
            'environment (or TAZAPAY_ENVIRONMENT) must be "sandbox" or "production"; got \'live\'',
        ),
        ({"headers": [("a", "b")]}, "headers must be a mapping of names to values, both str; got list"),
        (
            {"headers": {"a b": "x"}},
            "headers must be a mapping of names to values, both str; got 'a b', which is no name of a header",
        ),
        ({"headers": {"Host": "x"}}, "headers must be those of the caller; got Host, which the client itself sets"),
        (
            {"headers": {"X-Token": "a\n"}},
            "headers must be texts; got a value of X-Token that is not visible ASCII without blanks around it",
        ),
        ({"base_url": 1}, f"{URL}; got int"),
        ({"base_url": "https://a b"}, f"{URL}; got one with a blank, a backslash or a character outside visible ASCII"),
        ({"base_url": "https://[::1"}, f"{URL}; Invalid IPv6 URL"),
        ({"base_url": "https://"}, f"{URL}; got one without a scheme or a host"),
        (
            {"base_url": "https://u@a.example"},
            f"{URL}, without user name and password: credentials are api_key and api_secret",
        ),
        ({"base_url": "https://a.example?b"}, f"{URL}, without query or fragment"),
        ({"base_url": "https://a.example/./b"}, f"{URL}, without dot segments in its path"),
        ({"base_url": "http://a.example"}, f"{URL}; {HTTP}; got http://a.example"),
    ],
)
def test_a_wrong_setting_is_told_in_these_words(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**arguments)
    assert str(caught.value) == message


@each_row(
    ("arguments", "message"),
    [
        ({"max_retries": 21}, "max_retries must be an int from 0 to 20; got 21"),
        ({"max_retries": True}, "max_retries must be an int from 0 to 20; got True"),
        ({"timeout": "1"}, f"{TIMEOUT}; got '1'"),
        ({"deadline": 0}, f"{TIMEOUT.replace('timeout', 'deadline')}; got 0"),
    ],
)
def test_a_wrong_limit_of_a_client_is_told_in_these_words(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**arguments)
    assert str(caught.value) == message


@each_row(
    ("value", "kind"),
    [
        ("null", "missing or null"), ("[]", "a value of type list"), ("true", "a value of type bool"),
        ("1", "a value of type int"), ("1.5", "a value of type float"), ('"\\"{}\\""', "a text of 2 characters"),
        (b"{}", "a value of type bytes"), ({1: 2}, "a value of type dict"),
    ],
)  # fmt: skip
def test_what_came_instead_of_an_object_is_named_by_its_kind(value: object, kind: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        decode_json_field(value)
    assert str(caught.value) == f"expected a JSON object, with str keys, or the text of one; it is {kind}"


@each_row(
    ("text", "problem"),
    [
        ("{'a'}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"a":NaN}', "NaN is not a number that JSON can hold"),
        ('{"a":1e999}', "1e999 is not a number that JSON can hold"),
        ('{"a":1e' + "9" * 30 + "}", "1e999999999999999999 is not a number that JSON can hold"),
        ("[" * 200_000, "it is nested too deeply"),
    ],
    ids=["not JSON", "NaN", "infinite", "a long number", "deep"],
)
def test_what_is_wrong_with_json_of_the_service_is_told(text: str, problem: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        decode_json_field(text)
    assert str(caught.value) == f"expected JSON; {problem}"
    assert [type(caught.value.__cause__), str(caught.value.__cause__)] == [ValueError, problem]


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@each_row(
    ("value", "text"),
    [
        ("live", "'live'"),
        (-1, "-1"),
        (Decimal("1E-9"), "Decimal('1E-9')"),
        (2**256 - 1, f"{str(2**256 - 1)[:40]}... (78 characters)"),
        (2**256, "a number of 257 bits"),
        (-(2**256), "a number of 257 bits"),
        ("x" * 58, f"'{'x' * 58}'"),
        ("x" * 59, f"'{'x' * 39}... (61 characters)"),
        (Unprintable(), "a value of type Unprintable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refused_value_is_shown_short(value: object, text: str) -> None:
    assert shown(value) == text


@each_row(
    ("text", "most", "expected"),
    [
        ("abc", None, "abc"),
        ("abc", 3, "abc"),
        ("abcd", 3, "abc..."),
        ("", 0, ""),
        ("a\x1b\r\nb", None, "a   b"),
        ("a\x00bc", 2, "a ..."),
    ],
)
def test_a_text_from_outside_is_printed_on_one_line_and_cut(text: str, most: int | None, expected: str) -> None:
    assert printable(text, most=most) == expected
