from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.api.fields import MAX_AMOUNT, MAX_EXPIRY_INTERVAL
from tazapay_lightning_emulator.invoices.bolt11_encoding import amount_in_prefix, checksum
from tazapay_lightning_emulator.invoices.invoice import InvoiceFields
from tazapay_lightning_emulator.invoices.payment_requests import PaymentRequests
from tazapay_lightning_emulator.invoices.signing import ORDER, Key, KeyPair, nonces, sign_with_nonce
from tests.support.emulator_bolt11 import CHARACTERS, Request, read, sats_of
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

INVOICES = "/v3/lightning_invoice_bolt11"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def request_for(now: datetime = NOON, **fields: Any) -> Request:
    every = {"amount": 21, "d_tag_memo": None, "h_tag_memo": None, "expiry_interval": 3600, "metadata": {}, **fields}
    text = PaymentRequests(Key().sign).of(InvoiceFields(**every), now)
    assert text is not None
    return read(text)


def test_a_payment_request_says_what_the_invoice_says(create: Create) -> None:
    created = create(amount=123456, d_tag_memo="Order 7890 ü", expiry_interval=4800)
    request = read(created["payment_request"])
    assert request.prefix == "lnbcrt1234560n"
    assert datetime.fromtimestamp(request.timestamp, UTC) == datetime.fromisoformat(created["created_at"])
    assert request.data("d").decode() == "Order 7890 ü"
    assert request.number("x") == 4800
    assert request.number("c") == 18
    assert request.number("9") == 1 << 8 | 1 << 14
    assert sorted(tag for tag, _ in request.fields) == ["9", "c", "d", "p", "s", "x"]
    assert [len(request.data(tag)) for tag in "ps"] == [32, 32]


def test_a_hash_stands_in_place_of_the_memo(create: Create) -> None:
    digest = hashlib.sha256(b"a long order").digest()
    request = read(create(h_tag_memo=digest.hex().upper(), d_tag_memo="not this")["payment_request"])
    assert request.data("h") == digest
    assert "d" not in [tag for tag, _ in request.fields]


def test_without_memo_and_hash_the_description_is_there_and_empty(create: Create) -> None:
    assert read(create()["payment_request"]).data("d") == b""


def test_it_is_the_same_whenever_the_invoice_is_replied(client: httpx.Client, emulator: Emulator) -> None:
    body = {"amount": 21, "d_tag_memo": "Order"}
    headers = {"Idempotency-Key": "order-1"}
    created = client.post(INVOICES, json=body, headers=headers).json()["data"]
    path = f"{INVOICES}/{created['id']}"
    replies = [
        client.post(INVOICES, json=body, headers=headers),
        client.get(path),
        client.put(path, json={"metadata": {"order": "1"}}),
    ]
    paid = emulator.pay(created["id"])
    seen = [reply.json()["data"]["payment_request"] for reply in replies] + [paid["payment_request"]]
    assert seen == [created["payment_request"]] * 4


def test_it_outlives_the_emulator_in_a_file(tmp_path: Path) -> None:
    database = tmp_path / "emulator.db"
    with running_emulator(database=database) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        reply = httpx.post(
            f"{emulator.base_url}{INVOICES}", auth=auth, json={"amount": 1}, trust_env=False, verify=NO_TLS
        )
    with running_emulator(database=database) as emulator:
        [stored] = emulator.invoices()
        assert stored["payment_request"] == reply.json()["data"]["payment_request"]


def test_no_two_of_them_share_a_payment_hash_or_a_secret(create: Create) -> None:
    requests = [read(create()["payment_request"]) for _ in range(50)]
    assert len({request.data("p") for request in requests}) == 50
    assert len({request.data("s") for request in requests}) == 50
    assert len({request.signature[:32] for request in requests}) == 50


@each_row(
    ("sats", "written"),
    [
        (1, "10n"),
        (99, "990n"),
        (100, "1u"),
        (101, "1010n"),
        (99_900, "999u"),
        (100_000, "1m"),
        (100_100, "1001u"),
        (99_900_000, "999m"),
        (100_000_000, "1"),
        (100_000_001, "1000000010n"),
        (1_100_000_000, "11"),
        (MAX_AMOUNT, "21000000"),
        (MAX_AMOUNT - 1, "20999999999999990n"),
    ],
)
def test_an_amount_has_the_largest_multiplier_that_keeps_it_whole(sats: int, written: str) -> None:
    assert amount_in_prefix(sats) == written
    assert sats_of(request_for(amount=sats).prefix) == sats


@settings(max_examples=300, deadline=None)
@given(sats=st.integers(1, MAX_AMOUNT) | st.builds(lambda a, b: a * 10**b, st.integers(1, 21), st.integers(0, 14)))
def test_an_amount_is_exact_whatever_it_is(sats: int) -> None:
    assert sats_of(f"lnbcrt{amount_in_prefix(sats)}") == sats


@each_row("memo", ["", "a", "a" * 639, "ü" * 319, "\x00 and \U0001f600"], ids=ascii)
def test_every_memo_fits(memo: str) -> None:
    assert request_for(d_tag_memo=memo).data("d").decode() == memo


@each_row("seconds", [1, 31, 32, 3600, MAX_EXPIRY_INTERVAL])
def test_every_expiry_fits_in_as_few_groups_as_it_takes(seconds: int) -> None:
    request = request_for(expiry_interval=seconds)
    assert request.number("x") == seconds
    [bits] = [bits for tag, bits in request.fields if tag == "x"]
    assert bits[:5] != "00000"


@pytest.mark.parametrize("timestamp", [0, 2**35 - 1])
def test_every_time_of_35_bits_fits(timestamp: int) -> None:
    assert request_for(now=datetime.fromtimestamp(timestamp, UTC)).timestamp == timestamp


@pytest.mark.parametrize("timestamp", [-1, 2**35])
def test_an_invoice_of_another_time_has_none(call_app: Post, timestamp: int) -> None:
    moment = datetime.fromtimestamp(timestamp, UTC)
    data = call_app(create_app(now=lambda: moment), json={"amount": 1}).json()["data"]
    assert "payment_request" not in data
    assert data["amount"] == 1


@each_row(
    "text",
    [
        "a12uel5l",
        "?1ezyfcl",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        f"11{'q' * 82}c8247j",
    ],
)
def test_the_checksum_is_that_of_the_examples_in_bip_173(text: str) -> None:
    prefix, _, characters = text.rpartition("1")
    groups = "".join(f"{CHARACTERS.index(character):05b}" for character in characters)
    number = int(f"0{groups[:-30]}", 2)
    assert checksum(prefix, number, len(characters) - 6) == int(groups[-30:], 2)


def test_the_signature_leads_to_the_key_and_is_valid_for_it() -> None:
    coincurve = pytest.importorskip("coincurve", reason="coincurve has no wheel for this interpreter")
    recovery_ids = set()
    for _ in range(50):
        key = Key()
        text = PaymentRequests(key.sign).of(InvoiceFields(21, "Order", None, 3600, {}), NOON)
        request = read(text or "")
        recovered = coincurve.PublicKey.from_signature_and_message(request.signature, request.signed, hasher=None)
        assert recovered.format() == key.public
        r, s = request.signature[:32], request.signature[32:64]
        assert int.from_bytes(s, "big") <= ORDER // 2
        der = coincurve.ecdsa.cdata_to_der(coincurve.ecdsa.deserialize_compact(r + s))
        assert recovered.verify(der, request.signed, hasher=None)
        recovery_ids.add(request.signature[64])
    assert recovery_ids == {0, 1}


def test_a_nonce_whose_point_goes_beyond_the_order_sets_the_second_bit_of_the_recovery_id() -> None:
    nonce = KeyPair(number=5, x=ORDER + 7, y=2)
    signature = sign_with_nonce(nonce, pow(5, -1, ORDER), 1, bytes(32))
    assert signature is not None
    assert int.from_bytes(signature[:32], "big") == 7
    assert signature[64] in {2, 3}


def test_a_nonce_that_gives_no_signature_is_not_used() -> None:
    inverse = pow(5, -1, ORDER)
    assert sign_with_nonce(KeyPair(number=5, x=ORDER, y=2), inverse, 1, bytes(32)) is None
    digest = (ORDER - 7).to_bytes(32, "big")  # so that digest + r * private is 0
    assert sign_with_nonce(KeyPair(number=5, x=7, y=2), inverse, 1, digest) is None


def test_a_key_takes_another_nonce_when_one_gives_no_signature() -> None:
    key, good = Key(), KeyPair.new()
    key._nonces = iter([(KeyPair(number=5, x=ORDER, y=2), pow(5, -1, ORDER)), (good, pow(good.number, -1, ORDER))])
    assert int.from_bytes(key.sign(bytes(32))[:32], "big") == good.x % ORDER


def test_the_nonces_after_a_pair_are_those_of_the_numbers_that_follow() -> None:
    start = KeyPair.new()
    following = islice(nonces(start), 130)
    for step, (nonce, inverse) in enumerate(following, 1):
        assert nonce.number == (start.number + step) % ORDER
        assert inverse * nonce.number % ORDER == 1
        point = ec.derive_private_key(nonce.number, ec.SECP256K1()).public_key().public_numbers()
        assert (nonce.x, nonce.y) == (point.x, point.y)


def test_no_nonce_of_a_key_signs_twice() -> None:
    key = Key()
    with ThreadPoolExecutor(8) as threads:  # an application can be called in any thread
        signatures = list(threads.map(key.sign, [bytes(32)] * 400))
    assert len({each[:32] for each in signatures}) == 400


def test_the_key_and_the_nonces_are_not_shown() -> None:
    key = Key()
    assert str(key._key_pair.number) not in repr(key)
    assert "number" not in repr(key)


def test_every_emulator_has_a_key_of_its_own() -> None:
    coincurve = pytest.importorskip("coincurve", reason="coincurve has no wheel for this interpreter")
    keys = []
    for _ in range(2):
        with running_emulator() as emulator:
            auth = (emulator.api_key, emulator.api_secret)
            url = f"{emulator.base_url}{INVOICES}"
            replies = [httpx.post(url, auth=auth, json={"amount": 1}, trust_env=False, verify=NO_TLS) for _ in range(2)]
        requests = [read(reply.json()["data"]["payment_request"]) for reply in replies]
        keys.append(
            {
                coincurve.PublicKey.from_signature_and_message(each.signature, each.signed, hasher=None).format()
                for each in requests
            }
        )
    assert [len(of_one) for of_one in keys] == [1, 1]
    assert keys[0] != keys[1]


def test_an_emulator_says_whether_it_makes_them(emulator: Emulator) -> None:
    assert emulator.makes_payment_requests


WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
import httpx
from tazapay_lightning_emulator import running_emulator
with running_emulator() as emulator:
    print(emulator.makes_payment_requests)
    for _ in range(2):
        reply = httpx.post(
            f"{emulator.base_url}/v3/lightning_invoice_bolt11",
            auth=(emulator.api_key, emulator.api_secret),
            json={"amount": 21},
            trust_env=False,
        )
        data = reply.json()["data"]
        print(reply.status_code, data["amount"], "payment_request" in data)
"""


def test_without_cryptography_the_field_is_left_out_and_the_emulator_says_so_once() -> None:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_CRYPTOGRAPHY]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["False", "200 21 False", "200 21 False"]
    [line] = ended.stderr.splitlines()
    assert "invoices come without payment_request" in line
    assert 'pip install "tazapay-lightning[emulator]"' in line
