from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, EmulatorError, running_emulator
from tests.support.plain_http import NO_TLS

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

INVOICES = "/v3/lightning_invoice_bolt11"


def fetched(client: httpx.Client, invoice: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = client.get(f"{INVOICES}/{invoice['id']}").json()["data"]
    return data


def test_a_paid_invoice_is_paid_and_updated_and_otherwise_as_it_was(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create()
    emulator.advance_clock(60)
    paid = emulator.pay(created["id"])
    assert paid["updated_at"] > created["updated_at"]
    expected = {**created, "payment_status": "paid", "updated_at": paid["updated_at"]}
    assert paid == {**expected, "idempotency_key": None, "replays": 0}
    assert emulator.invoices() == [paid]
    assert fetched(client, created) == {**expected, "h_tag": None}


def test_an_invoice_paid_in_time_stays_active_for_ever(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=60)
    emulator.pay(created["id"])
    emulator.advance_clock(3600)
    data = fetched(client, created)
    assert (data["status"], data["payment_status"]) == ("active", "paid")


def test_an_expired_invoice_is_not_paid_unless_that_is_said(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=60)
    emulator.advance_clock(60)
    with pytest.raises(
        EmulatorError, match=rf"{created['id']} expired at .*Z by the emulator's clock: even_if_expired"
    ):
        emulator.pay(created["id"])
    assert fetched(client, created)["payment_status"] == "unpaid"
    emulator.pay(created["id"], even_if_expired=True)
    data = fetched(client, created)
    assert (data["status"], data["payment_status"]) == ("expired", "paid")


@pytest.mark.parametrize("even_if_expired", [False, True])
def test_an_invoice_is_paid_only_once(emulator: Emulator, create: Create, even_if_expired: bool) -> None:
    created = create()
    paid = emulator.pay(created["id"])
    emulator.advance_clock(60)
    with pytest.raises(EmulatorError, match=f"{created['id']} is paid already"):
        emulator.pay(created["id"], even_if_expired=even_if_expired)
    assert emulator.invoices() == [paid]


def test_of_many_who_pay_at_once_one_succeeds(emulator: Emulator, create: Create) -> None:
    created = create()

    def pay(_: int) -> bool:
        try:
            emulator.pay(created["id"])
        except EmulatorError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(40))) == 1


@pytest.mark.parametrize("invoice_id", ["", "l11_absent", "\ud800", "\x00", "x" * 10_000, None, 5, b"l11_1"])
def test_an_unknown_invoice_cannot_be_paid(emulator: Emulator, create: Create, invoice_id: Any) -> None:
    create()
    with pytest.raises(EmulatorError, match="no invoice with this id: take one that the emulator gave out"):
        emulator.pay(invoice_id)
    assert [stored["payment_status"] for stored in emulator.invoices()] == ["unpaid"]


def test_a_replayed_creation_is_as_it_was_before_the_payment(post: Post, emulator: Emulator) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = post({"amount": 1}, headers=key)
    emulator.pay(first.json()["data"]["id"])
    assert post({"amount": 1}, headers=key).content == first.content


def test_a_payment_outlives_the_emulator_in_a_file(tmp_path: Path) -> None:
    database = tmp_path / "emulator.db"
    with running_emulator(database=database) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        reply = httpx.post(
            f"{emulator.base_url}{INVOICES}", auth=auth, json={"amount": 1}, trust_env=False, verify=NO_TLS
        )
        paid = emulator.pay(reply.json()["data"]["id"])
    with running_emulator(database=database) as emulator:
        assert emulator.invoices() == [paid]


def test_nothing_is_paid_in_an_emulator_that_has_stopped() -> None:
    with running_emulator() as stopped:
        pass
    with pytest.raises(EmulatorError, match="has stopped"):
        stopped.pay("l11_1")
