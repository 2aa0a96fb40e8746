from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app
from tests.support.emulator_replies import refusal
from tests.support.thorough import sample

Post = Callable[..., httpx.Response]

FAULTS = "/_emulator/faults"
NOTHING: dict[str, Any] = {"next": [], "random": None}


def test_nothing_is_planned_at_first(client: httpx.Client) -> None:
    assert client.get(FAULTS).json() == NOTHING


def test_a_fault_can_be_queued(client: httpx.Client, post: Post) -> None:
    entry = {"kind": "status_before_commit", "status": 502, "times": 2, "idempotency_key": "order-1"}
    reply = client.post(FAULTS, json=entry)
    assert reply.status_code == 200
    [planned] = reply.json()["next"]
    assert planned == {**entry, "retry_after": None, "retry_after_as_date": False}
    assert client.get(FAULTS).json() == reply.json()
    keys = ["order-1", "order-2", "order-1", "order-1"]
    statuses = [post({"amount": 1}, headers={"Idempotency-Key": key}).status_code for key in keys]
    assert statuses == [502, 200, 502, 200]


def test_a_kind_alone_is_enough(client: httpx.Client, post: Post) -> None:
    client.post(FAULTS, json={"kind": "html_after_commit"})
    assert [post({"amount": 1}).status_code for _ in range(2)] == [502, 200]


def test_chance_can_be_arranged(client: httpx.Client, post: Post) -> None:
    kinds = [{"kind": "status_before_commit", "status": 500, "weight": 3}, {"kind": "html_before_commit"}]
    reply = client.post(FAULTS, json={"probability": 1, "seed": 7, "kinds": kinds})
    assert reply.status_code == 200
    planned = reply.json()["random"]
    assert (planned["probability"], planned["seed"]) == (1, 7)
    assert [(kind["kind"], kind["weight"]) for kind in planned["kinds"]] == [
        ("status_before_commit", 3),
        ("html_before_commit", 1),
    ]
    assert {post({"amount": 1}).status_code for _ in range(30)} == {500, 502}


def test_chance_has_kinds_by_default_and_seed_0(client: httpx.Client, emulator: Emulator) -> None:
    by_http = client.post(FAULTS, json={"probability": 0.5}).json()
    emulator.fail_randomly(0.5, seed=0)
    assert client.get(FAULTS).json() == by_http


def test_everything_can_be_called_off(client: httpx.Client, post: Post) -> None:
    client.post(FAULTS, json={"kind": "truncated_json"})
    client.post(FAULTS, json={"probability": 1, "seed": 1})
    reply = client.delete(FAULTS)
    assert (reply.status_code, reply.json()) == (200, NOTHING)
    assert post({"amount": 1}).status_code == 200


def test_the_requests_can_be_asked_for(client: httpx.Client, post: Post) -> None:
    client.post(FAULTS, json={"kind": "status_after_commit", "status": 504})
    for _ in range(2):
        post({"amount": 1}, headers={"Idempotency-Key": "order-1"})
    request = {"method": "POST", "path": "/v3/lightning_invoice_bolt11", "idempotency_key": "order-1"}
    fault = {"kind": "status_after_commit", "status": 504, "retry_after": None, "retry_after_as_date": False}
    first, second = client.get("/_emulator/requests").json()
    assert first.items() >= {**request, "fault": fault, "committed": True, "status": 504}.items()
    assert second.items() >= {**request, "fault": None, "committed": True, "status": 200}.items()
    for each in (first, second):
        assert each["milliseconds"] >= 0
        assert datetime.fromisoformat(each["at"]).tzinfo is not None


BAD: list[tuple[Any, str]] = [
    ({}, "body: a JSON object with `kind`"),
    ({"times": 1}, "body: a JSON object with `kind`"),
    ({"kind": "drip", "probability": 1}, "body: a JSON object with `kind`"),
    ([], "body: a JSON object"),
    ("drip", "body: a JSON object"),
    ({"kind": "planted"}, "kind: one of refuse, "),
    ({"kind": ["planted"]}, "kind: one of refuse, "),
    ({"kind": "drip", "planted": 1}, "parameters of drip: pause, drip_head"),
    ({"kind": "drip", "self": 1}, "parameters of drip: pause, drip_head"),
    ({"kind": "drip", "weight": 1}, "parameters of drip: pause, drip_head"),
    ({"kind": "drip", "pause": "planted"}, "pause: a number from 0 to 3600"),
    *[({"kind": "drip", "times": it}, "times: an integer from 1 to 1000000") for it in (0, 1.0, True, "planted", None)],
    *[
        ({"kind": "drip", "idempotency_key": it}, "idempotency_key: a string of 1 to 255 characters")
        for it in ("", "planted" * 99, 1, ["planted"])
    ],
    *[({"probability": it}, "probability: a number from 0 to 1") for it in (-1, 2, "planted", True, None)],
    *[({"probability": 1, "seed": it}, "seed: an integer") for it in (1.5, "planted", True, None)],
    *[
        ({"probability": 1, "kinds": it}, "kinds: a list of objects, each with `kind`")
        for it in ("planted", {"planted": 1}, ["drip"], None)
    ],
    ({"probability": 1, "kinds": []}, "kinds: at least one"),
    ({"probability": 1, "kinds": [{}]}, "kind: one of refuse, "),
    ({"probability": 1, "kinds": [{"kind": "drip"}, {"kind": "drip", "weight": 2}]}, "kinds: each of them once"),
    ({"probability": 1, "kinds": [{"kind": "drip", "planted": 2}]}, "parameters of drip: pause, drip_head"),
    *[({"probability": 1, "kinds": [{"kind": "drip", "weight": it}]}, "weight: a number") for it in (0, "planted")],
    ({"probability": 1, "planted": 1}, "fields besides `probability`: seed, kinds"),
]


@pytest.mark.parametrize(("body", "accepted"), sample(BAD, 3), ids=lambda value: ascii(value)[:60])
def test_what_cannot_be_planned_is_400_and_says_what_can_be(client: httpx.Client, body: Any, accepted: str) -> None:
    reply = client.post(FAULTS, json=body)
    assert refusal(reply).startswith(accepted)
    assert "planted" not in reply.text
    assert client.get(FAULTS).json() == NOTHING


@pytest.mark.parametrize("path", [FAULTS, "/_emulator/refusals"])
@pytest.mark.parametrize("body", [b"", b"{", b'{"kind":"drip","kind":"drip"}', b'{"seconds":NaN}', b"\xff"])
def test_what_is_not_json_is_400(client: httpx.Client, path: str, body: bytes) -> None:
    refusal(client.post(path, content=body, headers={"Content-Type": "application/json"}))
    assert client.get(FAULTS).json() == NOTHING


@pytest.mark.parametrize("path", [FAULTS, "/_emulator/refusals"])
def test_a_web_page_cannot_plan_faults_with_a_form(client: httpx.Client, path: str) -> None:
    body = b'{"kind": "drip"}' if path == FAULTS else b'{"seconds": 1}'
    assert refusal(client.post(path, content=body, headers={"Content-Type": "text/plain"})).startswith("Content-Type")


@pytest.mark.parametrize(
    "body", [{}, {"seconds": None}, {"seconds": -1}, {"seconds": "planted"}, {"seconds": 1, "planted": 1}, []]
)
def test_a_refusal_that_cannot_be_is_400(client: httpx.Client, body: Any) -> None:
    reply = client.post("/_emulator/refusals", json=body)
    refusal(reply)
    assert "planted" not in reply.text
    assert client.get(FAULTS).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", FAULTS, {"GET", "HEAD", "POST", "DELETE"}), ("GET", "/_emulator/refusals", {"POST"})],
)
def test_a_wrong_method_is_405_and_tells_the_right_ones(
    client: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    reply = client.request(method, path)
    assert reply.status_code == 405
    assert set(reply.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "reset_after_commit"},
        {"kind": "refuse", "seconds": 1},
        {"kind": "drip", "drip_head": True},
        {"probability": 1, "kinds": [{"kind": "drip"}, {"kind": "close_mid_body"}]},
        {"probability": 1},  # of the kinds that come by default, some lie below HTTP
    ],
)
def test_another_server_refuses_to_plan_what_it_cannot_do(call_app: Post, body: Any) -> None:
    app = create_app()
    assert "running_emulator()" in refusal(call_app(app, "POST", FAULTS, json=body))
    assert call_app(app, "GET", FAULTS).json() == NOTHING


def test_another_server_cannot_refuse_connections(call_app: Post) -> None:
    reply = call_app(create_app(), "POST", "/_emulator/refusals", json={"seconds": 1})
    assert "running_emulator()" in refusal(reply)


def test_another_server_plans_what_it_can_do(call_app: Post) -> None:
    app = create_app()
    assert call_app(app, "POST", FAULTS, json={"kind": "truncated_json"}).status_code == 200
    assert len(call_app(app, json={"amount": 1}).content) < 300
