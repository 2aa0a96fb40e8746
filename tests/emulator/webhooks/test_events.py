from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import DEFAULT_WEBHOOK_SECRET, Emulator, EmulatorError, running_emulator
from tazapay_lightning_emulator.webhooks.event import FIRST_WAIT, RETRIED_STATUSES, RETRY_PERIOD, collect_succeeded
from tazapay_lightning_emulator.webhooks.posting import TIMEOUT_SECONDS
from tests.support.emulator_receiver import Receiver, pay
from tests.support.plain_http import NO_TLS

Create = Callable[..., dict[str, Any]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_a_payment_is_told_with_the_documented_fields(told: Emulator, receiver: Receiver, create: Create) -> None:
    paid = pay(told, create)
    told.wait_for_webhooks()
    [got] = receiver.got
    event = json.loads(got.body)
    assert got.path == "/hooks?shop=1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["connection"] == "close"
    assert re.fullmatch(r"evt_[0-9a-f]{24}", event.pop("id"))
    created_at = event.pop("created_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created_at)
    assert abs(datetime.fromisoformat(created_at) - told.now()) < timedelta(minutes=1)
    assert event == {
        "type": "collect.succeeded",
        "object": "event",
        "data": {"id": paid["collect"], "object": "collect"},
    }


def test_the_signature_is_over_id_body_and_time_with_nothing_between(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    pay(told, create)
    told.wait_for_webhooks()
    [got] = receiver.got
    event = json.loads(got.body)
    signed = event["id"].encode() + got.body + event["created_at"].encode()
    digest = hmac.new(b"emulator-webhook-secret", signed, hashlib.sha256).digest()
    assert base64.b64decode(got.headers["signature"], validate=True) == digest


def test_the_body_is_not_what_a_json_library_would_write_of_it(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    pay(told, create)
    told.wait_for_webhooks()
    body = receiver.got[0].body.decode()
    event = json.loads(body)
    assert body not in {json.dumps(event), json.dumps(event, separators=(",", ":"))}


def test_the_secret_can_be_chosen_and_shows_nowhere(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with running_emulator(webhook_url=receiver.url, webhook_secret="planted-secret") as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            created = client.post("/v3/lightning_invoice_bolt11", json={"amount": 1}).json()["data"]
            emulator.pay(created["id"])
            [delivery] = emulator.wait_for_webhooks()
            shown = client.get("/_emulator/webhooks").text
    event = json.loads(delivery.body)
    signed = event["id"].encode() + delivery.body + event["created_at"].encode()
    digest = hmac.new(b"planted-secret", signed, hashlib.sha256).digest()
    assert base64.b64decode(delivery.signature) == digest
    for text in (repr(emulator), repr(delivery), shown, caplog.text):
        assert "planted" not in text
    assert emulator.webhook_secret == "planted-secret"


def test_every_event_has_an_id_of_its_own(told: Emulator, receiver: Receiver, create: Create) -> None:
    for _ in range(20):
        pay(told, create)
    deliveries = told.wait_for_webhooks()
    ids = [json.loads(got.body)["id"] for got in receiver.got]
    assert len(set(ids)) == 20
    assert sorted(ids) == sorted(delivery.event_id for delivery in deliveries)


def test_only_payments_are_told(told: Emulator, receiver: Receiver, client: httpx.Client, create: Create) -> None:
    created = create(expiry_interval=1)
    client.put(f"/v3/lightning_invoice_bolt11/{created['id']}", json={"metadata": {}})
    told.advance_clock(60)
    with pytest.raises(EmulatorError):
        told.pay(created["id"])
    assert told.wait_for_webhooks() == []
    assert receiver.got == []


def test_a_late_payment_is_told_like_every_other(told: Emulator, receiver: Receiver, create: Create) -> None:
    created = create(expiry_interval=1)
    told.advance_clock(60)
    told.pay(created["id"], even_if_expired=True)
    told.wait_for_webhooks()
    assert json.loads(receiver.got[0].body)["data"]["id"] == created["collect"]


def test_without_a_url_nothing_is_told_and_never_will_be(
    emulator: Emulator, receiver: Receiver, create: Create
) -> None:
    pay(emulator, create)
    emulator.send_webhooks_to(receiver.url)
    assert emulator.wait_for_webhooks() == []
    assert receiver.got == []


def test_a_payment_over_http_is_told_as_well(
    told: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    created = create()
    client.post(f"/_emulator/invoices/{created['id']}/pay")
    told.wait_for_webhooks()
    assert json.loads(receiver.got[0].body)["data"]["id"] == created["collect"]


def test_no_attempt_can_be_noted_that_was_not_due() -> None:
    delivered = collect_succeeded("col_1", NOON, url="http://localhost", secret="s").attempted(200)
    with pytest.raises(ValueError, match="no attempt was due"):
        delivered.attempted(200)


def test_the_documentation_names_the_times() -> None:
    import tazapay_lightning_emulator

    text = " ".join((tazapay_lightning_emulator.__doc__ or "").split())
    assert f"{FIRST_WAIT.seconds} seconds after the first attempt" in text
    assert f"no reply comes within {TIMEOUT_SECONDS:.0f} seconds" in text
    assert ", ".join(str(status) for status in sorted(RETRIED_STATUSES)) in text
    assert RETRY_PERIOD == DAY
    assert DEFAULT_WEBHOOK_SECRET == "emulator-webhook-secret"
