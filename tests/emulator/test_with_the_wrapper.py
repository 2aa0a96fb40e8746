"""The emulator writes, the wrapper reads; they share no code, so each of them checks the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tazapay_lightning import (
    LightningClient,
    WebhookSignatureError,
    decode_bolt11,
    sign_webhook,
    signature_header,
    verify_webhook,
)
from tazapay_lightning_emulator import Emulator
from tazapay_lightning_emulator.api.fields import MAX_AMOUNT, MAX_EXPIRY_INTERVAL
from tests.support.emulator_receiver import receiving
from tests.support.tables import each_row

Create = Callable[..., dict[str, Any]]


@each_row(
    "fields",
    [
        {"amount": 1},
        {"amount": 100, "d_tag_memo": ""},
        {"amount": 123456, "d_tag_memo": "a" * 639},
        {"amount": 100_000, "d_tag_memo": "ü and \U0001f600", "expiry_interval": 1},
        {"amount": 100_000_000, "h_tag_memo": hashlib.sha256(b"a long order").hexdigest().upper()},
        {"amount": MAX_AMOUNT, "expiry_interval": MAX_EXPIRY_INTERVAL},
    ],
    ids=lambda fields: str(fields["amount"]),
)
def test_every_payment_request_reads_as_the_invoice_says(create: Create, fields: dict[str, Any]) -> None:
    created = create(**fields)
    read = decode_bolt11(created["payment_request"])
    assert read.network == "bcrt"
    assert read.amount_msat == 1000 * created["amount"]
    assert read.timestamp == datetime.fromisoformat(created["created_at"])
    assert read.expiry == created["expiry_interval"]
    if "h_tag_memo" in created:
        assert (read.description, read.description_hash) == (None, created["h_tag_memo"].lower())
    else:
        assert (read.description, read.description_hash) == (created.get("d_tag_memo", ""), None)
    assert read.features == (8, 14)
    assert read.min_final_cltv_expiry_delta == 18


def test_the_clients_invoice_has_the_payment_request_and_no_differences(emulator: Emulator) -> None:
    with LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url) as client:
        created = client.create_invoice(amount_sats=21, memo="a long order", memo_as_hash=True, expires_in=600)
        fetched = client.get_invoice(created.id)
    [stored] = emulator.invoices()
    assert created.bolt11 == fetched.bolt11 == stored["payment_request"]
    assert created.memo_hash == fetched.memo_hash == stored["h_tag_memo"]
    assert created.differences == fetched.differences == ()


def test_every_webhook_is_verified_and_leads_to_the_invoice(emulator: Emulator, create: Create) -> None:
    with receiving() as receiver:
        emulator.send_webhooks_to(receiver.url)
        paid = emulator.pay(create()["id"])
        emulator.wait_for_webhooks()
    [got] = receiver.got
    event = verify_webhook(got.body, signature_header(got.headers), emulator.webhook_secret)
    assert (event.type, event.collect_id) == ("collect.succeeded", paid["collect"])
    assert sign_webhook(got.body, emulator.webhook_secret) == got.headers["signature"]
    with pytest.raises(WebhookSignatureError):
        verify_webhook(got.body, got.headers["signature"], "another secret")
