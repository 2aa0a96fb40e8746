from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import httpx
import pytest

import tazapay_lightning_emulator.api.operations
from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tests.support.plain_http import NO_TLS

Post = Callable[..., httpx.Response]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def with_key(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_a_repeated_key_gets_the_stored_reply_byte_for_byte_and_creates_nothing(post: Post, emulator: Emulator) -> None:
    first = post({"amount": 1, "d_tag_memo": "ü", "metadata": {"z": 1.50, "a": None}}, headers=with_key("order-1"))
    for _ in range(3):
        again = post({"amount": 1, "d_tag_memo": "ü", "metadata": {"z": 1.50, "a": None}}, headers=with_key("order-1"))
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["content-type"] == first.headers["content-type"]
    [stored] = emulator.invoices()
    assert (stored["idempotency_key"], stored["replays"]) == ("order-1", 3)


def test_another_key_creates_another_invoice(post: Post, emulator: Emulator) -> None:
    keys = ["order-1", "order-2", "ORDER-1", "k" * 255]
    ids = {post({"amount": 1}, headers=with_key(key)).json()["data"]["id"] for key in keys}
    assert len(ids) == 4
    assert [(stored["idempotency_key"], stored["replays"]) for stored in emulator.invoices()] == [(k, 0) for k in keys]


def test_without_a_key_every_request_creates_an_invoice(post: Post, emulator: Emulator) -> None:
    first, second = post({"amount": 1}), post({"amount": 1})
    assert first.json()["data"]["id"] != second.json()["data"]["id"]
    assert len(emulator.invoices()) == 2


def test_a_key_with_another_body_gets_the_stored_reply(post: Post, emulator: Emulator) -> None:
    first = post({"amount": 1}, headers=with_key("order-1"))
    assert post({"amount": 2}, headers=with_key("order-1")).content == first.content
    assert [stored["amount"] for stored in emulator.invoices()] == [1]


def test_a_key_with_a_body_that_is_not_acceptable_is_400_and_keeps_its_reply(post: Post) -> None:
    first = post({"amount": 1}, headers=with_key("order-1"))
    assert post({"amount": 0}, headers=with_key("order-1")).status_code == 400
    assert post({"amount": 1}, headers=with_key("order-1")).content == first.content


@pytest.mark.parametrize(
    ("refused", "status_code"),
    [
        ({"content": b"{"}, 400),
        ({"json": {"amount": 0}}, 400),
        ({"json": {"amount": 1}, "auth": ("emulator-api-key", "wrong")}, 401),
    ],
)
def test_an_error_is_not_stored_and_the_request_is_executed_again(
    client: httpx.Client, emulator: Emulator, refused: dict[str, object], status_code: int
) -> None:
    path = "/v3/lightning_invoice_bolt11"
    assert client.post(path, headers=with_key("order-1"), **refused).status_code == status_code  # type: ignore[arg-type]  # a table of arguments
    created = client.post(path, headers=with_key("order-1"), json={"amount": 1})
    assert created.status_code == 200
    [stored] = emulator.invoices()
    assert (stored["id"], stored["replays"]) == (created.json()["data"]["id"], 0)


def test_a_failure_of_the_emulator_is_not_stored_either(call_app: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app()

    def fail(*args: object, **kwargs: object) -> bytes:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(tazapay_lightning_emulator.api.operations, "success_body", fail)
        assert call_app(app, json={"amount": 1}, headers=with_key("order-1")).status_code == 500
    assert call_app(app, json={"amount": 1}, headers=with_key("order-1")).status_code == 200
    assert len(call_app(app, "GET", "/_emulator/invoices").json()) == 1


def test_a_reply_is_replayed_for_24_hours_of_the_emulators_time_and_not_longer(call_app: Post) -> None:
    now = NOON
    app = create_app(now=lambda: now)

    def create() -> bytes:
        return call_app(app, json={"amount": 1}, headers=with_key("order-1")).content

    first = create()
    now = NOON + timedelta(hours=24) - timedelta(microseconds=1)
    assert create() == first
    now = NOON + timedelta(hours=24)
    second = create()
    assert second != first
    now = NOON + timedelta(hours=47)
    assert create() == second  # the 24 hours of the second reply count from when it was made
    stored = call_app(app, "GET", "/_emulator/invoices").json()
    assert [(each["idempotency_key"], each["replays"]) for each in stored] == [("order-1", 1), ("order-1", 1)]


def test_a_key_belongs_to_the_api_key_it_came_with(tmp_path: Path) -> None:
    ids = []
    for api_key in ("first", "second", "first"):
        with running_emulator(api_key=api_key, database=tmp_path / "emulator.db") as emulator:
            reply = httpx.post(
                f"{emulator.base_url}/v3/lightning_invoice_bolt11",
                auth=(emulator.api_key, emulator.api_secret),
                headers=with_key("order-1"),
                json={"amount": 1},
                trust_env=False,
                verify=NO_TLS,
            )
            ids.append(reply.json()["data"]["id"])
    assert ids[0] == ids[2] != ids[1]


def test_32_threads_with_one_key_make_one_invoice_and_get_one_reply(emulator: Emulator) -> None:
    barrier = Barrier(32)
    auth = (emulator.api_key, emulator.api_secret)

    def create(_: int) -> bytes:
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            client.get("/_emulator/invoices")  # connected before the race begins
            barrier.wait(timeout=30)
            reply = client.post("/v3/lightning_invoice_bolt11", json={"amount": 1}, headers=with_key("order-1"))
            assert reply.status_code == 200
            return reply.content

    with ThreadPoolExecutor(32) as pool:
        replies = set(pool.map(create, range(32)))
    assert len(replies) == 1
    [stored] = emulator.invoices()
    assert stored["replays"] == 31


def test_a_replay_is_byte_for_byte_the_first_reply_even_after_expiry(post: Post, emulator: Emulator) -> None:
    fields, key = {"amount": 1, "expiry_interval": 1}, {"Idempotency-Key": "order-1"}
    first = post(fields, headers=key)
    emulator.advance_clock(3600)
    assert post(fields, headers=key).content == first.content


def test_a_key_is_forgotten_when_the_clock_was_moved_by_a_day(post: Post, emulator: Emulator) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = post({"amount": 1}, headers=key)
    emulator.advance_clock(timedelta(hours=24))
    assert post({"amount": 1}, headers=key).json()["data"]["id"] != first.json()["data"]["id"]
