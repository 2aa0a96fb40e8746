from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator
from tazapay_lightning_emulator.api.fields import MAX_AMOUNT, MAX_EXPIRY_INTERVAL
from tests.support.emulator_replies import problems
from tests.support.plain_http import NO_TLS
from tests.support.thorough import sample

Post = Callable[..., httpx.Response]

NOT_JSON = {
    "empty": b"",
    "blank": b"   ",
    "no JSON at all": b"amount=1",
    "cut short": b'{"amount": 1',
    "two documents": b'{"amount": 1}{"amount": 1}',
    "trailing comma": b'{"amount": 1,}',
    "single quotes": b"{'amount': 1}",
    "comment": b'{"amount": 1} // sat',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "minus Infinity in an unknown field": b'{"amount": 1, "x": -Infinity}',
    "a number beyond a double": b'{"amount": 1, "x": 1e999}',
    "an integer of 5,000 digits": b'{"amount": ' + b"9" * 5_000 + b"}",
    "an integer of half a million digits": b'{"amount": ' + b"9" * 500_000 + b"}",
    "a fraction of half a million digits": b'{"amount": 0.' + b"9" * 500_000 + b"}",
    "the same key twice": b'{"amount": 1, "amount": 2}',
    "the same key twice, once escaped": b'{"amount": 1, "\\u0061mount": 2}',
    "the same key twice, deeper": b'{"amount": 1, "metadata": {"a": 1, "a": 2}}',
    "lone surrogate in a memo": b'{"amount": 1, "d_tag_memo": "\\ud800"}',
    "lone surrogate in a key": b'{"amount": 1, "metadata": {"\\udfff": 1}}',
    "lone surrogate in an unknown field": b'{"amount": 1, "x": ["\\ud83d"]}',
    "not UTF-8": b'{"amount": 1, "d_tag_memo": "\xff"}',
    "a surrogate in UTF-8": b'{"amount": 1, "d_tag_memo": "\xed\xa0\x80"}',
    "UTF-16": '{"amount": 1}'.encode("utf-16"),
    "UTF-8 with a byte order mark": '{"amount": 1}'.encode("utf-8-sig"),
    "a control character in a string": b'{"amount": 1, "d_tag_memo": "a\nb"}',
    "a NUL byte": b'{"amount": 1}\x00',
    "65 levels deep": b'{"amount": 1, "x": ' + b"[" * 64 + b"]" * 64 + b"}",
    "100,000 levels deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels deep, never closed": b'{"a":' * 100_000,
    "larger than is read": b'{"amount": 1, "x": "' + b"a" * 1_048_576 + b'"}',
    "ten times larger than is read": b'{"amount": 1, "x": "' + b"a" * 10_485_760 + b'"}',
}

NOT_AN_OBJECT = {name: name.encode() for name in ("null", "true", "1", "1.5", '"amount"', "[]", '[{"amount": 1}]')}

NOT_AMOUNTS: list[Any] = [
    0,
    -1,
    MAX_AMOUNT + 1,
    10**90,
    1.0,
    1.5,
    1e3,
    True,
    False,
    None,
    "1",
    "",
    [],
    [1],
    {},
    {"a": 1},
]
NOT_MEMOS: list[Any] = ["a" * 640, "ü" * 320, "\U0001f600" * 160, 1, None, True, [], {}]
NOT_HASHES: list[Any] = [int("1" * 64), None, False, ["a" * 64], {}]
NOT_INTERVALS: list[Any] = [0, -3600, MAX_EXPIRY_INTERVAL + 1, 1.0, 3600.5, True, None, "3600", [], {}]
NOT_METADATA: list[Any] = [None, 1, True, [], [["a", "b"]], "[" * 100_000]

BAD_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["amount"]),
    ({"Amount": 1}, ["amount"]),
    *[({"amount": value}, ["amount"]) for value in NOT_AMOUNTS],
    *[({"amount": 1, "d_tag_memo": value}, ["d_tag_memo"]) for value in NOT_MEMOS],
    *[
        ({"amount": 1, "h_tag_memo": value}, ["h_tag_memo"])
        for value in ("", "a" * 63, "a" * 65, "a" * 40, "g" * 64, "a" * 63 + "\n", "a" * 64 + "\n", "٣" * 64, " " * 64)
    ],
    *[({"amount": 1, "h_tag_memo": value}, ["h_tag_memo"]) for value in NOT_HASHES],
    *[({"amount": 1, "expiry_interval": value}, ["expiry_interval"]) for value in NOT_INTERVALS],
    *[
        ({"amount": 1, "metadata": value}, ["metadata"])
        for value in ("", "order", "null", "[]", '"{}"', "1", "{", '{"a":NaN}', '{"a":1,"a":2}', '{"a":"\\ud800"}')
    ],
    *[({"amount": 1, "metadata": value}, ["metadata"]) for value in NOT_METADATA],
    ({"amount": 1, "metadata": '{"a":' * 65 + "1" + "}" * 65}, ["metadata"]),
    (
        {"metadata": 1, "expiry_interval": 0, "h_tag_memo": "", "d_tag_memo": 1},
        ["amount", "d_tag_memo", "expiry_interval", "h_tag_memo", "metadata"],
    ),
]


HOSTILE_BODIES = [pytest.param(body, id=name) for name, body in (NOT_JSON | NOT_AN_OBJECT).items()]


@pytest.mark.parametrize("body", sample(HOSTILE_BODIES, 3))
def test_a_hostile_body_is_400_and_stores_nothing(post: Post, emulator: Emulator, body: bytes) -> None:
    [error] = problems(post(content=body, headers={"Content-Type": "application/json"}), 400, 100)
    assert error["remarks"].startswith("body: ")
    assert post({"amount": 1}).status_code == 200  # and the connection is as good as before
    assert len(emulator.invoices()) == 1


@pytest.mark.parametrize(("fields", "culprits"), sample(BAD_FIELDS, 3), ids=lambda value: ascii(value)[:60])
def test_every_field_that_is_not_acceptable_is_named(
    post: Post, emulator: Emulator, fields: dict[str, Any], culprits: list[str]
) -> None:
    errors = problems(post(fields), 400, 100)
    assert sorted(error["remarks"].partition(":")[0] for error in errors) == culprits
    assert emulator.invoices() == []


def test_what_was_sent_is_not_repeated(post: Post) -> None:
    planted = "planted-value"
    reply = post(
        {"amount": planted, "d_tag_memo": [planted], "h_tag_memo": planted, "metadata": planted, planted: planted},
        headers={"Idempotency-Key": planted},
    )
    assert len(problems(reply, 400, 100)) == 4
    assert planted not in reply.text


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"]
)
def test_a_body_that_is_not_declared_to_be_json_is_400(post: Post, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    [error] = problems(post(content=b'{"amount": 1}', headers=headers), 400, 100)
    assert error["remarks"] == "Content-Type: application/json"


@pytest.mark.parametrize(
    "keys",
    [[""], ["k" * 256], ["k" * 10_000], ["one", "two"], ["one", "one"]],
    ids=lambda keys: f"{keys!s:.20}",
)
def test_an_idempotency_key_that_is_not_acceptable_is_400(post: Post, emulator: Emulator, keys: list[str]) -> None:
    reply = post({"amount": 1}, headers=[("Idempotency-Key", key) for key in keys])
    [error] = problems(reply, 400, 100)
    assert error["remarks"].startswith("Idempotency-Key: ")
    assert emulator.invoices() == []


def test_a_body_is_measured_as_it_comes_whatever_its_length_was_said_to_be(post: Post) -> None:
    chunks = (b" " * 65_536 for _ in range(64))
    [error] = problems(post(content=chunks, headers={"Content-Type": "application/json"}), 400, 100)
    assert "1048576 bytes" in error["remarks"]


def test_a_body_of_the_largest_size_is_read(post: Post) -> None:
    body = json.dumps({"amount": 1}).encode().ljust(1_048_576)
    assert post(content=body, headers={"Content-Type": "application/json"}).status_code == 200


def test_a_client_that_leaves_half_way_is_no_failure(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    token = b64encode(f"{emulator.api_key}:{emulator.api_secret}".encode()).decode()
    head = (
        "POST /v3/lightning_invoice_bolt11 HTTP/1.1\r\nHost: emulator\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {token}\r\nContent-Length: 100\r\n\r\n"
    )
    url = httpx.URL(emulator.base_url)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(head.encode() + b'{"amount":')
    assert httpx.get(f"{emulator.base_url}/_emulator/invoices", trust_env=False, verify=NO_TLS).json() == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
