"""Whatever is wrong with an argument is said before anything is sent, by the argument's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tazapay_lightning import InvalidArgumentError
from tests.support.service import CallMethod, call_async, call_sync
from tests.support.tables import each_row

MEMO_HASH = "f1bac2dec0b5f7f890a3770361f563012c1dd6c358195fb3bcd375e1779c9fda"  # of "Payment for order #7890"

AMOUNTS = [
    ("amount_sats", {}, "an amount is needed"),
    ("amount_btc", {"amount_sats": 1, "amount_btc": "1"}, "not both"),
    ("amount_btc", {"amount_sats": 1, "amount_btc": "0.00000001"}, "not both"),
    *(
        ("amount_sats", {"amount_sats": value}, "int from 1 to 2100000000000000, in satoshi")
        for value in (
            0, -1, 2_100_000_000_000_001, 10**5000, True, False, 1.0, 1.5, "1", b"1", Decimal(1), [1], float("nan"),
        )
    ),
    *(
        ("amount_btc", {"amount_btc": value}, "exact number of BTC with at most 8 decimals.*as a str or a Decimal")
        for value in (
            0.1, 1.0, float("nan"), True, "", " 1", "1 ", "1,0", "1_0", "0x1", "NaN", "Infinity", Decimal("NaN"),
            Decimal("sNaN"), Decimal("Infinity"), "0", "-1", Decimal("-1E-8"), "0.000000001", Decimal("1E-9"),
            "21000000.00000001", "21000001", "1E+999999999", b"1", [1],
        )
    ),
    *(("amount_btc", {"amount_btc": value}, "a str or a Decimal.*got the int") for value in (0, 2, 123456, 10**5000)),
]  # fmt: skip
MEMOS = [
    *(("memo", {"memo": value}, "memo must be a str") for value in (1, b"memo", ["memo"], True)),
    ("memo", {"memo": "\ud800"}, "half of a surrogate pair"),
    ("memo", {"memo": "a" * 640}, "at most 639 bytes.*got 640.*memo_as_hash=True"),
    ("memo", {"memo": "é" * 320}, "at most 639 bytes.*got 640"),
    ("memo", {"memo": 1, "memo_as_hash": True}, "memo must be a str"),
    ("memo", {"memo": "\udfff", "memo_as_hash": True}, "half of a surrogate pair"),
    ("memo_as_hash", {"memo_as_hash": True}, "needs the memo"),
    ("memo_as_hash", {"memo_as_hash": True, "memo_hash": MEMO_HASH}, "needs the memo"),
    *(("memo_as_hash", {"memo": "m", "memo_as_hash": value}, "True or False") for value in (1, None, "yes", MEMO_HASH)),
    *(
        ("memo_hash", {"memo_hash": value}, "64 hex digits")
        for value in (
            "", MEMO_HASH[:40], MEMO_HASH[1:], MEMO_HASH + "0", "g" * 64, " " + MEMO_HASH[1:], MEMO_HASH + "\n",
            "０" * 64,
        )
    ),
    *(("memo_hash", {"memo_hash": value}, "64 hex digits.*got") for value in (1, bytes(32), True)),
    ("memo_hash", {"memo": "Payment for order #7891", "memo_hash": MEMO_HASH}, "not the SHA-256 of the memo"),
    ("memo_hash", {"memo": "Payment for order #7890 ", "memo_hash": MEMO_HASH}, "not the SHA-256 of the memo"),
]  # fmt: skip
EXPIRIES = [
    ("expires_in", {"expires_in": value}, "an int from 1 to 86399999999999 seconds, or a timedelta of whole seconds")
    for value in (0, -1, 1.0, "60", True, Decimal(60), 10**30, 10**5000, timedelta(0), timedelta(seconds=-1),
                  timedelta(seconds=1.5), timedelta(microseconds=1), datetime.now(UTC))
]  # fmt: skip
METADATA = [
    ("metadata", {"metadata": value}, message)
    for value, message in (
        ("{}", "must be a mapping"),
        ([("a", 1)], "must be a mapping"),
        (1, "must be a mapping"),
        ({1: "a"}, r"metadata has the key 1 \(int\)"),
        ({10**5000: "a"}, r"metadata has the key a number of \d+ bits \(int\)"),
        ({"a": {None: 1}}, r"metadata\['a'\] has the key None"),
        ({"price": Decimal("0.1")}, r"metadata\['price'\] is a Decimal"),
        ({"a": [float("nan")]}, r"metadata\['a'\]\[0\] is nan"),
        ({"a": float("-inf")}, r"metadata\['a'\] is -inf"),
        ({"a": b"bytes"}, r"metadata\['a'\] is a bytes"),
        ({"a": datetime.now(UTC)}, r"metadata\['a'\] is a datetime"),
        ({"a": {1, 2}}, r"metadata\['a'\] is a set"),
        ({"a": "\ud800"}, r"metadata\['a'\] holds half of a surrogate pair"),
    )
]
KEYS = [
    ("idempotency_key", {"idempotency_key": value}, "1 to 255 visible ASCII characters")
    for value in ("", " ", "a b", "a\n", "a\r\nX-Injected: 1", "a\x00", "a\x7f", "é", "k" * 256, 1, b"key", True)
]
LIMITS = [
    (name, {name: value}, f"{name} must be seconds")
    for name in ("timeout", "deadline")
    for value in (0, -1, float("nan"), float("inf"), "30", True, timedelta(0), timedelta(seconds=-1), 10**30)
]
EVERY_BAD_VALUE = [
    *AMOUNTS,
    *(
        (argument, {"amount_sats": 1, **arguments}, message)
        for argument, arguments, message in [*MEMOS, *EXPIRIES, *METADATA, *KEYS, *LIMITS]
    ),
]


def nothing_may_be_sent(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"sent: {request}")


each_argument = {row[0]: row for row in EVERY_BAD_VALUE}


@each_row(("argument", "arguments", "message"), EVERY_BAD_VALUE)
def test_a_bad_argument_is_refused_by_name_before_anything_is_sent(
    argument: str, arguments: dict[str, Any], message: str
) -> None:
    check_refused(argument, arguments, message, call_sync)


@each_row(("argument", "arguments", "message"), each_argument.values(), ids=each_argument.keys())
def test_the_asynchronous_client_checks_each_argument_too(
    argument: str, arguments: dict[str, Any], message: str
) -> None:
    check_refused(argument, arguments, message, call_async)


def check_refused(argument: str, arguments: dict[str, Any], message: str, call: CallMethod) -> None:
    with pytest.raises(InvalidArgumentError, match=f"(?s){message}") as caught:
        call(nothing_may_be_sent, "create_invoice", **arguments)
    assert caught.value.argument == argument
    assert argument in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_table_holds_at_least_60_bad_values() -> None:
    assert len(EVERY_BAD_VALUE) >= 60
