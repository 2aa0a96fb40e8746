from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, EmulatorError, create_app, running_emulator
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.webhooks.delivery import MAX_DELIVERIES, WebhookSender
from tests.support.emulator_receiver import Receiver, pay, receiving, statuses_of
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH

Create = Callable[..., dict[str, Any]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@each_row("secret", ["", None, b"secret"])
@each_row("start", [create_app, lambda **it: running_emulator(**it).__enter__()], ids=["app", "running"])
def test_a_secret_that_is_none_is_refused(start: Callable[..., object], secret: Any) -> None:
    with pytest.raises(ValueError, match="webhook_secret must be a string that is not empty"):
        start(webhook_secret=secret)


def test_a_receiver_that_hangs_holds_up_neither_requests_nor_other_events(
    told: Emulator, receiver: Receiver, client: httpx.Client, create: Create
) -> None:
    receiver.hold = True
    pay(told, create)
    assert receiver.arrived.wait(timeout=10)
    with receiving() as another:
        told.send_webhooks_to(another.url)
        began = time.monotonic()
        pay(told, create)
        assert another.arrived.wait(timeout=5)
        assert client.get("/_emulator/invoices").status_code == 200
        assert time.monotonic() - began < 5
        with pytest.raises(TimeoutError, match=r"after 0\.05 s webhooks were still due or under way"):
            told.wait_for_webhooks(timeout=0.05)


def test_an_emulator_stops_at_once_while_a_receiver_hangs_and_leaves_no_thread(receiver: Receiver) -> None:
    receiver.hold = True
    before = threading.active_count()
    with running_emulator(webhook_url=receiver.url) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        url = f"{emulator.base_url}/v3/lightning_invoice_bolt11"
        created = httpx.post(url, auth=auth, json={"amount": 1}, trust_env=False, verify=NO_TLS).json()["data"]
        emulator.pay(created["id"])
        assert receiver.arrived.wait(timeout=10)
        ending = time.monotonic()
    assert time.monotonic() - ending < 2
    assert [thread.name for thread in threading.enumerate() if thread.name == "tazapay-emulator-webhooks"] == []
    receiver.release.set()
    deadline = time.monotonic() + 10
    while threading.active_count() > before:  # the receiver's own thread for the request
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_payment_there_is_no_thread(told: Emulator) -> None:
    told.advance_clock(60)
    told.wait_for_webhooks()
    assert "tazapay-emulator-webhooks" not in [thread.name for thread in threading.enumerate()]


def test_a_stopped_emulator_sends_nothing_again_and_says_so(receiver: Receiver) -> None:
    with running_emulator(webhook_url=receiver.url) as emulator:
        pass
    with pytest.raises(EmulatorError, match="has stopped, and sends no webhooks"):
        emulator.resend_webhook("evt_1")
    assert emulator.wait_for_webhooks() == []


def test_nobody_waits_for_what_a_stopped_emulator_has_not_sent(receiver: Receiver) -> None:
    receiver.hold = True
    with running_emulator(webhook_url=receiver.url) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        url = f"{emulator.base_url}/v3/lightning_invoice_bolt11"
        emulator.pay(
            httpx.post(url, auth=auth, json={"amount": 1}, trust_env=False, verify=NO_TLS).json()["data"]["id"]
        )
        assert receiver.arrived.wait(timeout=10)
    [delivery] = emulator.wait_for_webhooks(timeout=0)
    assert (delivery.state, delivery.attempts) == ("pending", ())


def test_an_application_that_is_started_anew_goes_on_with_what_is_due(receiver: Receiver) -> None:
    sender = WebhookSender(Clock(lambda: NOON), secret="s", url=receiver.url)
    receiver.hold = True
    try:
        sender.announce("col_1", NOON)
        assert receiver.arrived.wait(timeout=10)
        sender.stop()
        receiver.release.set()
        [delivery] = sender.wait(10)
    finally:
        sender.close()
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [200])
    assert [got.body for got in receiver.got] == [delivery.body] * 2


def test_many_payments_at_once_are_all_told_once(told: Emulator, receiver: Receiver, create: Create) -> None:
    collects = [pay(told, create)["collect"] for _ in range(200 if THOROUGH else 20)]
    deliveries = told.wait_for_webhooks(timeout=30)
    assert [json.loads(delivery.body)["data"]["id"] for delivery in deliveries] == collects
    assert sorted(json.loads(got.body)["data"]["id"] for got in receiver.got) == sorted(collects)


def test_the_documentation_says_how_many_events_are_remembered() -> None:
    assert f"{MAX_DELIVERIES:,}" in (Emulator.webhooks.__doc__ or "")


def test_no_more_events_are_remembered(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    most = MAX_DELIVERIES if THOROUGH else 100
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.delivery.MAX_DELIVERIES", most)
    moment = NOON
    sender = WebhookSender(Clock(lambda: moment), secret="s", url=receiver.url)
    later = moment + timedelta(hours=1)  # so that nothing is due, and no thread has to send all of them
    try:
        for number in range(most + 5):
            sender.announce(f"col_{number}", later)
        kept = sender.deliveries()
    finally:
        sender.close()
    assert [json.loads(kept[at].body)["data"]["id"] for at in (0, -1)] == ["col_5", f"col_{most + 4}"]
    assert len(kept) == most
    assert receiver.got == []


def test_an_event_that_is_forgotten_while_it_is_under_way_stays_forgotten(
    told: Emulator, receiver: Receiver, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.delivery.MAX_DELIVERIES", 1)
    receiver.hold = True
    pay(told, create)
    assert receiver.arrived.wait(timeout=10)
    paid = pay(told, create)
    receiver.release.set()
    [delivery] = told.wait_for_webhooks()
    assert json.loads(delivery.body)["data"]["id"] == paid["collect"]
    assert len(receiver.got) == 2


def test_whatever_goes_wrong_with_one_event_the_next_one_is_sent(
    told: Emulator,
    receiver: Receiver,
    create: Create,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*args: object) -> None:
        raise RuntimeError("out of order")

    with monkeypatch.context() as broken:
        broken.setattr(httpx.AsyncHTTPTransport, "handle_async_request", fail)
        pay(told, create)
        [first] = told.wait_for_webhooks()
    assert (first.state, statuses_of(first)) == ("pending", [None])
    assert "a webhook could not be sent" in caplog.text
    pay(told, create)
    told.wait_for_webhooks()
    assert len(receiver.got) == 1


def test_an_application_under_another_server_sends_them_until_it_is_shut_down(receiver: Receiver) -> None:
    import uvicorn

    app = create_app(webhook_url=receiver.url)
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="on", log_config=None))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        auth = ("emulator-api-key", "emulator-api-secret")
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            created = client.post("/v3/lightning_invoice_bolt11", json={"amount": 1}).json()["data"]
            client.post(f"/_emulator/invoices/{created['id']}/pay")
            assert receiver.arrived.wait(timeout=10)
    finally:
        server.should_exit = True
        thread.join()
    assert "tazapay-emulator-webhooks" not in [thread.name for thread in threading.enumerate()]
