from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tazapay_lightning_emulator import Emulator, create_app

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

INVOICES = "/v3/lightning_invoice_bolt11"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def status_of(client: httpx.Client, invoice: dict[str, Any]) -> str:
    status: str = client.get(f"{INVOICES}/{invoice['id']}").json()["data"]["status"]
    return status


def test_an_invoice_expires_when_its_interval_has_passed_and_not_before(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=600)
    emulator.advance_clock(570)
    assert status_of(client, created) == "active"
    emulator.advance_clock(30)
    assert status_of(client, created) == "expired"


def test_the_first_moment_of_being_expired_is_creation_plus_interval(call_app: Post) -> None:
    moment = NOON
    app = create_app(now=lambda: moment)
    created = call_app(app, json={"amount": 1, "expiry_interval": 60}).json()["data"]
    statuses = []
    for passed in (59.999_999, 60):
        moment = NOON + timedelta(seconds=passed)
        statuses.append(call_app(app, "GET", f"{INVOICES}/{created['id']}").json()["data"]["status"])
    assert statuses == ["active", "expired"]


def test_a_new_invoice_is_active_however_late_in_a_second_it_was_asked_for(call_app: Post) -> None:
    readings = iter(NOON + timedelta(seconds=0.9 * each) for each in range(1000))
    app = create_app(now=lambda: next(readings))
    created = [call_app(app, json={"amount": 1, "expiry_interval": 1}).json()["data"] for _ in range(20)]
    assert {invoice["status"] for invoice in created} == {"active"}


def test_expiry_does_not_count_as_an_update(client: httpx.Client, emulator: Emulator, create: Create) -> None:
    created = create(expiry_interval=1)
    emulator.advance_clock(1)
    [expired] = emulator.invoices()
    assert expired == {**created, "status": "expired", "idempotency_key": None, "replays": 0}
    assert client.get("/_emulator/invoices").json() == [expired]


def test_an_expired_invoice_can_be_updated_and_stays_expired(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=1)
    emulator.advance_clock(1)
    updated = client.put(f"{INVOICES}/{created['id']}", json={"metadata": {"order": "1"}}).json()["data"]
    assert (updated["status"], updated["metadata"]) == ("expired", {"order": "1"})
