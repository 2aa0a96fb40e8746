from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, EmulatorError, create_app, running_emulator
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


@pytest.mark.parametrize("body", [None, {}, {"even_if_expired": False}])
def test_the_control_endpoint_pays_and_replies_the_invoice(
    client: httpx.Client, emulator: Emulator, create: Create, body: Any
) -> None:
    created = create()
    reply = client.post(f"/_emulator/invoices/{created['id']}/pay", json=body)
    assert reply.status_code == 200
    assert [reply.json()] == emulator.invoices()
    assert reply.json()["payment_status"] == "paid"


def test_the_control_endpoint_takes_no_credentials_for_a_payment(emulator: Emulator, create: Create) -> None:
    url = f"{emulator.base_url}/_emulator/invoices/{create()['id']}/pay"
    assert httpx.post(url, trust_env=False, verify=NO_TLS).status_code == 200


def test_the_control_endpoint_says_why_an_invoice_cannot_be_paid(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=60)
    path = f"/_emulator/invoices/{created['id']}/pay"
    emulator.advance_clock(60)
    replies = [client.post(path), client.post(path, json={"even_if_expired": True}), client.post(path)]
    assert [reply.status_code for reply in replies] == [409, 200, 409]
    assert "even_if_expired" in replies[0].json()["errors"][0]["remarks"]
    assert "paid already" in replies[2].json()["errors"][0]["remarks"]


@pytest.mark.parametrize("invoice_id", ["l11_absent", "%20", "%FF", "%00"])
def test_the_control_endpoint_does_not_pay_what_is_not_there(client: httpx.Client, invoice_id: str) -> None:
    reply = client.post(f"/_emulator/invoices/{invoice_id}/pay")
    assert reply.status_code == 404
    assert [problem["code"] for problem in reply.json()["errors"]] == [105]


@pytest.mark.parametrize("body", [{"even_if_expired": 1}, {"even_if_expired": None}, {"planted": True}])
def test_the_control_endpoint_refuses_to_pay_in_a_way_it_does_not_know(
    client: httpx.Client, emulator: Emulator, create: Create, body: Any
) -> None:
    reply = client.post(f"/_emulator/invoices/{create()['id']}/pay", json=body)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["remarks"] == "fields: even_if_expired, true or false, or nothing"
    assert "planted" not in reply.text
    assert [stored["payment_status"] for stored in emulator.invoices()] == ["unpaid"]


def test_a_payment_and_the_clock_work_under_another_server_too(call_app: Post) -> None:
    app = create_app()
    created = call_app(app, json={"amount": 1, "expiry_interval": 60}).json()["data"]
    call_app(app, "POST", "/_emulator/clock", json={"seconds": 60})
    path = f"/_emulator/invoices/{created['id']}/pay"
    assert call_app(app, "POST", path).status_code == 409
    assert call_app(app, "POST", path, json={"even_if_expired": True}).json()["payment_status"] == "paid"
