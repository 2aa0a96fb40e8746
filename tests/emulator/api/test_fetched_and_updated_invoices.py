from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, running_emulator
from tests.support.plain_http import NO_TLS

Create = Callable[..., dict[str, Any]]

INVOICES = "/v3/lightning_invoice_bolt11"
MEMO_HASH = "5EA5A55F" * 4 + "8d20aa4d" * 4


def path_of(invoice: dict[str, Any]) -> str:
    return f"{INVOICES}/{invoice['id']}"


def refusal(reply: httpx.Response, status: int, code: int) -> dict[str, str]:
    assert reply.status_code == status
    envelope = reply.json()
    [problem] = envelope.pop("errors")
    assert envelope.pop("status") == "error"
    assert problem.pop("code") == code
    return dict(problem)


def test_a_fetched_invoice_is_the_one_that_was_created(client: httpx.Client, create: Create) -> None:
    created = create(d_tag_memo="Order 7890", expiry_interval=4800, metadata={"order": "7890"})
    reply = client.get(path_of(created))
    assert reply.status_code == 200
    assert reply.json() == {"status": "success", "message": "", "data": {**created, "h_tag": None}}


def test_when_fetched_the_hash_is_called_h_tag_as_in_the_documentation(client: httpx.Client, create: Create) -> None:
    created = create(h_tag_memo=MEMO_HASH)
    fetched = client.get(path_of(created)).json()["data"]
    assert created.pop("h_tag_memo") == fetched.pop("h_tag") == MEMO_HASH
    assert fetched == created


def test_an_update_replaces_all_of_the_metadata_and_nothing_else(client: httpx.Client, emulator: Emulator) -> None:
    auth_free = {"amount": 21, "d_tag_memo": "Order", "metadata": {"kept": "no", "replaced": 1}}
    created = client.post(INVOICES, json=auth_free).json()["data"]
    emulator.advance_clock(60)
    updated = client.put(path_of(created), json={"metadata": '{"replaced": 2}'}).json()["data"]
    assert updated.pop("updated_at") > created["updated_at"]
    del created["updated_at"]
    assert updated == {**created, "h_tag": None, "metadata": {"replaced": 2}}


def test_what_an_update_replied_is_what_is_fetched_from_then_on(client: httpx.Client, create: Create) -> None:
    path = path_of(create())
    updated = client.put(path, json={"metadata": {"order": {"id": "ü"}}})
    assert client.get(path).content == updated.content


def test_an_empty_object_clears_the_metadata(client: httpx.Client, create: Create) -> None:
    path = path_of(create(metadata={"order": "7890"}))
    assert client.put(path, json={"metadata": {}}).json()["data"]["metadata"] == {}


def test_other_fields_of_an_update_are_passed_over(client: httpx.Client, create: Create) -> None:
    created = create()
    body = {"metadata": {}, "amount": 999, "d_tag_memo": 5, "payment_status": "paid"}
    updated = client.put(path_of(created), json=body).json()["data"]
    assert (updated["amount"], updated["payment_status"]) == (created["amount"], "unpaid")


@pytest.mark.parametrize(
    "body",
    [{}, {"metadata": None}, {"metadata": []}, {"metadata": "text"}, {"metadata": '{"a":1,"a":2}'}, {"meta": {}}],
)
def test_an_update_without_acceptable_metadata_is_400_and_changes_nothing(
    client: httpx.Client, create: Create, body: Any
) -> None:
    path = path_of(create(metadata={"order": "7890"}))
    problem = refusal(client.put(path, json=body), 400, 100)
    assert problem["remarks"] == "metadata: the JSON text of an object, or an object"
    assert client.get(path).json()["data"]["metadata"] == {"order": "7890"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"metadata":{"a":NaN}}', b"\xff"])
def test_an_update_that_is_no_json_object_is_400(client: httpx.Client, create: Create, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refusal(client.put(path_of(create()), content=body, headers=headers), 400, 100)


def test_the_body_is_judged_before_the_id(client: httpx.Client) -> None:
    refusal(client.put(f"{INVOICES}/l11_absent", json={}), 400, 100)


@pytest.mark.parametrize("invoice_id", ["l11_absent", "%20", "l11_%00", "l11_%FF", "%C3%BC", "..%2e", "x" * 5000, "'"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_absent_id_is_404_and_is_not_repeated(client: httpx.Client, method: str, invoice_id: str) -> None:
    reply = client.request(method, f"{INVOICES}/{invoice_id}", json={"metadata": {}} if method == "PUT" else None)
    problem = refusal(reply, 404, 105)
    assert problem == {"message": "there is no such invoice", "remarks": "id: one that this emulator gave out, l11_..."}


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_credentials_an_invoice_is_401_whether_it_is_there_or_not(
    client: httpx.Client, create: Create, method: str
) -> None:
    for path in (path_of(create()), f"{INVOICES}/l11_absent"):
        reply = client.request(method, path, json={"metadata": {"stolen": True}}, auth=("another-key", "secret"))
        refusal(reply, 401, 111)
    assert client.get(path_of(create())).json()["data"]["metadata"] == {}


def test_an_idempotency_key_means_nothing_when_fetching_or_updating(client: httpx.Client, create: Create) -> None:
    created = create()
    for number in (1, 2):
        headers = {"Idempotency-Key": "the same"}
        client.put(path_of(created), json={"metadata": {"number": number}}, headers=headers)
        assert client.get(path_of(created), headers=headers).json()["data"]["metadata"] == {"number": number}


def test_a_replayed_creation_is_as_it_was_before_the_update(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = client.post(INVOICES, json={"amount": 1}, headers=key)
    client.put(path_of(first.json()["data"]), json={"metadata": {"order": "1"}})
    assert client.post(INVOICES, json={"amount": 1}, headers=key).content == first.content


def test_with_data_as_string_the_data_is_json_text_in_every_operation() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)  # or `updated_at` could be a second later
    with running_emulator(data_as_string=True, now=lambda: moment) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            created = json.loads(client.post(INVOICES, json={"amount": 1}).json()["data"])
            for reply in (client.get(path_of(created)), client.put(path_of(created), json={"metadata": {}})):
                assert json.loads(reply.json()["data"]) == {**created, "h_tag": None}


def test_faults_befall_fetching_as_well_and_an_amount_can_seem_to_change(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    path = path_of(create(amount=100))
    emulator.fail_next("wrong_amount", difference=-1, times=2)
    amounts = [client.get(path).json()["data"]["amount"] for _ in range(3)]
    assert amounts == [99, 99, 100]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_stale_reply_has_the_form_of_the_operation(
    client: httpx.Client, emulator: Emulator, create: Create, method: str
) -> None:
    other, one = create(amount=1), create(amount=2)
    emulator.fail_next("stale_reply")
    body = {"metadata": {"order": "1"}} if method == "PUT" else None
    stale = client.request(method, path_of(one), json=body)
    assert stale.json()["data"] == {**other, "h_tag": None}


def test_an_update_whose_reply_is_lost_was_made_all_the_same(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    path = path_of(create())
    emulator.fail_next("reset_after_commit")
    with pytest.raises(httpx.NetworkError):
        client.put(path, json={"metadata": {"order": "1"}})
    assert client.get(path).json()["data"]["metadata"] == {"order": "1"}
