from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator
from tazapay_lightning_emulator.webhooks.event import FIRST_WAIT
from tests.support.emulator_receiver import Receiver, pay, statuses_of

Create = Callable[..., dict[str, Any]]


def test_the_control_endpoint_lists_deliveries_with_their_attempts(
    told: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    receiver.statuses = [404]
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    [listed] = client.get("/_emulator/webhooks").json()
    assert listed == delivery.to_dict()
    assert listed["event_id"] == json.loads(listed["body"])["id"]
    assert (listed["type"], listed["state"], listed["url"]) == ("collect.succeeded", "pending", receiver.url)
    assert listed["signature"] == receiver.got[0].headers["signature"]
    assert listed["body"].encode() == receiver.got[0].body
    [attempt] = listed["attempts"]
    assert (attempt["url"], attempt["status"]) == (receiver.url, 404)
    waits = datetime.fromisoformat(listed["due"]) - datetime.fromisoformat(attempt["at"])
    assert waits == FIRST_WAIT


def test_the_control_endpoint_says_where_webhooks_go(
    emulator: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    for url in (receiver.url, None, receiver.url):
        reply = client.post("/_emulator/webhooks", json={"url": url})
        assert (reply.status_code, reply.json()) == (200, {"url": url})
        pay(emulator, create)
        emulator.wait_for_webhooks()
    assert len(receiver.got) == 2


@pytest.mark.parametrize("body", [{}, {"URL": "http://localhost"}, {"url": None, "planted": 1}])
def test_the_control_endpoint_takes_a_url_and_nothing_else(client: httpx.Client, body: Any) -> None:
    reply = client.post("/_emulator/webhooks", json=body)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["remarks"] == "fields: url, and nothing else"
    assert "planted" not in reply.text


def test_a_web_page_cannot_direct_webhooks_with_a_form(client: httpx.Client) -> None:
    reply = client.post("/_emulator/webhooks", content=b'{"url": null}', headers={"Content-Type": "text/plain"})
    assert reply.status_code == 400


def test_the_control_endpoint_sends_an_event_again(
    told: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    path = f"/_emulator/webhooks/{delivery.event_id}/resend"
    reply = client.post(path)
    assert (reply.status_code, reply.json()["state"]) == (200, "pending")
    told.wait_for_webhooks()
    assert len(receiver.got) == 2
    assert client.post(path, json={"planted": 1}).json()["errors"][0]["remarks"] == "body: none"
    assert client.post("/_emulator/webhooks/evt_absent/resend").status_code == 404
    told.send_webhooks_to(None)
    refused = client.post(path)
    assert refused.status_code == 409
    assert "tell the emulator a URL" in refused.json()["errors"][0]["remarks"]


def test_the_clock_of_the_control_endpoint_makes_events_due(
    told: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    receiver.statuses = [500]
    pay(told, create)
    told.wait_for_webhooks()
    client.post("/_emulator/clock", json={"seconds": 10})
    [delivery] = told.wait_for_webhooks()
    assert statuses_of(delivery) == [500, 200]
