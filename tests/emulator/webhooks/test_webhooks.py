from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import (
    DEFAULT_WEBHOOK_SECRET,
    Emulator,
    EmulatorError,
    WebhookDelivery,
    create_app,
    running_emulator,
)
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.webhooks.delivery import MAX_DELIVERIES, TIMEOUT_SECONDS, WebhookSender
from tazapay_lightning_emulator.webhooks.event import (
    FIRST_WAIT,
    RETRIED_STATUSES,
    RETRY_PERIOD,
    checked_url,
    collect_succeeded,
)
from tests.support.emulator_receiver import Receiver, receiving
from tests.support.plain_http import NO_TLS
from tests.support.thorough import THOROUGH, sample

Create = Callable[..., dict[str, Any]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def told(emulator: Emulator, receiver: Receiver) -> Emulator:
    """An emulator that sends its webhooks to the receiver."""
    emulator.send_webhooks_to(receiver.url)
    return emulator


def pay(emulator: Emulator, create: Create) -> dict[str, Any]:
    return emulator.pay(create()["id"])


def seconds_after_the_first(delivery: WebhookDelivery) -> list[float]:
    return [(attempt.at - delivery.attempts[0].at).total_seconds() for attempt in delivery.attempts]


def statuses_of(delivery: WebhookDelivery) -> list[int | None]:
    return [attempt.status for attempt in delivery.attempts]


# what is sent


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


# when it is sent again


@pytest.mark.parametrize("status", sorted(RETRIED_STATUSES))
def test_after_a_documented_status_the_same_bytes_are_sent_again(
    told: Emulator, receiver: Receiver, create: Create, status: int
) -> None:
    receiver.statuses = [status]
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("pending", [status])
    told.advance_clock(FIRST_WAIT)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [status, 200])
    first, second = receiver.got
    assert (first.body, first.headers["signature"]) == (second.body, second.headers["signature"])


def test_the_documented_statuses_are_these() -> None:
    assert sorted(RETRIED_STATUSES) == [400, 404, 408, 409, 412, 500]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_ends_it(told: Emulator, receiver: Receiver, create: Create, status: int) -> None:
    receiver.statuses = [status]
    pay(told, create)
    told.wait_for_webhooks()
    told.advance_clock(DAY)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [status])


@pytest.mark.parametrize("status", [301, 307, 401, 403, 410, 422, 429, 501, 502, 503])
def test_every_other_status_gives_it_up(told: Emulator, receiver: Receiver, create: Create, status: int) -> None:
    receiver.statuses = [status]
    receiver.location = receiver.url
    pay(told, create)
    told.wait_for_webhooks()
    told.advance_clock(DAY)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery), delivery.due) == ("given up", [status], None)
    assert len(receiver.got) == 1


def test_without_a_reply_it_is_sent_again(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.statuses = [0]
    pay(told, create)
    told.wait_for_webhooks()
    told.advance_clock(FIRST_WAIT)
    [delivery] = told.wait_for_webhooks()
    assert statuses_of(delivery) == [None, 200]


def test_while_nobody_listens_it_is_sent_again(emulator: Emulator, receiver: Receiver, create: Create) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        emulator.send_webhooks_to(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    pay(emulator, create)
    [delivery] = emulator.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("pending", [None])
    emulator.send_webhooks_to(receiver.url)
    emulator.advance_clock(FIRST_WAIT)
    [delivery] = emulator.wait_for_webhooks()
    assert statuses_of(delivery) == [None, 200]


def test_a_receiver_that_does_not_reply_in_time_has_not_replied(
    told: Emulator, receiver: Receiver, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.delivery.TIMEOUT_SECONDS", 0.2)
    receiver.hold = True
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("pending", [None])


def test_a_reply_that_never_ends_counts_by_its_status(emulator: Emulator, create: Create) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    try:
                        connection.sendall(b"x" * 65_536)
                    except OSError:
                        return

        thread = threading.Thread(target=babble)
        thread.start()
        emulator.send_webhooks_to(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        pay(emulator, create)
        [delivery] = emulator.wait_for_webhooks()
        thread.join(timeout=30)
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [200])


@pytest.mark.parametrize("reply", [b"", b"HELLO\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_what_is_no_http_is_no_reply(emulator: Emulator, create: Create, reply: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        emulator.send_webhooks_to(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        pay(emulator, create)
        [delivery] = emulator.wait_for_webhooks()
        thread.join(timeout=30)
    assert (delivery.state, statuses_of(delivery)) == ("pending", [None])


def test_the_waits_double_until_a_day_has_passed_and_then_it_is_given_up(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    receiver.statuses = [500] * 100
    pay(told, create)
    told.wait_for_webhooks()
    told.advance_clock(timedelta(days=30))
    [delivery] = told.wait_for_webhooks(timeout=30)
    assert delivery.state == "given up"
    assert seconds_after_the_first(delivery) == [10 * (2**number - 1) for number in range(14)]
    assert delivery.attempts[-1].at <= delivery.created_at + RETRY_PERIOD
    assert len(receiver.got) == 14
    assert {(got.body, got.headers["signature"]) for got in receiver.got} == {(delivery.body, delivery.signature)}


def test_nothing_is_sent_again_before_its_time(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.statuses = [500, 500]
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    assert delivery.due == delivery.attempts[0].at + FIRST_WAIT
    told.advance_clock(FIRST_WAIT - timedelta(seconds=5))
    told.wait_for_webhooks()
    assert len(receiver.got) == 1
    told.advance_clock(5)
    [delivery] = told.wait_for_webhooks()
    assert delivery.due == delivery.attempts[1].at + 2 * FIRST_WAIT
    assert len(receiver.got) == 2


def test_in_real_time_it_goes_out_by_itself_when_it_is_due(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.statuses = [500]
    pay(told, create)
    told.wait_for_webhooks()
    receiver.arrived.clear()
    told.advance_clock(FIRST_WAIT - timedelta(seconds=0.8))
    assert receiver.arrived.wait(timeout=10)
    told.wait_for_webhooks()
    assert len(receiver.got) == 2


def test_moving_the_clock_makes_what_is_due_go_out_at_once(
    told: Emulator, receiver: Receiver, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.delivery._LONGEST_NAP_SECONDS", 3600)
    receiver.statuses = [500]
    pay(told, create)
    told.wait_for_webhooks()
    receiver.arrived.clear()
    told.advance_clock(FIRST_WAIT)
    assert receiver.arrived.wait(timeout=5)  # by itself it would go out after ten seconds


def test_a_clock_of_ones_own_that_is_moved_without_a_word_is_noticed(receiver: Receiver) -> None:
    moment = NOON
    sender = WebhookSender(Clock(lambda: moment), secret="s", url=receiver.url)
    receiver.statuses = [500]
    sender.announce("col_1", moment)
    sender.wait(5)
    receiver.arrived.clear()
    moment += FIRST_WAIT
    try:
        assert receiver.arrived.wait(timeout=10)
    finally:
        sender.close()


# by somebody's wish


def test_an_event_that_was_delivered_can_be_sent_again_the_same_in_every_byte(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    told.advance_clock(60)
    told.resend_webhook(delivery.event_id)
    [again] = told.wait_for_webhooks()
    assert (again.state, statuses_of(again)) == ("delivered", [200, 200])
    first, second = receiver.got
    assert (first.body, first.headers["signature"]) == (second.body, second.headers["signature"])


def test_an_event_that_was_given_up_can_be_sent_again_and_then_follows_the_rules(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    receiver.statuses = [401, 500]
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    told.resend_webhook(delivery.event_id)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, delivery.due) == ("pending", delivery.attempts[1].at + FIRST_WAIT)
    told.advance_clock(FIRST_WAIT)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [401, 500, 200])


def test_a_wish_begins_the_waits_anew(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.statuses = [500, 500, 500]
    pay(told, create)
    told.wait_for_webhooks()
    told.advance_clock(FIRST_WAIT)
    [delivery] = told.wait_for_webhooks()
    told.resend_webhook(delivery.event_id)
    [delivery] = told.wait_for_webhooks()
    assert statuses_of(delivery) == [500, 500, 500]
    assert delivery.due == delivery.attempts[2].at + FIRST_WAIT


def test_what_was_delivered_once_stays_delivered_whatever_comes_later(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    receiver.statuses = [200, 401]
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    told.resend_webhook(delivery.event_id)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("delivered", [200, 401])


def test_a_wish_during_an_attempt_is_not_lost(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.hold = True
    pay(told, create)
    assert receiver.arrived.wait(timeout=10)
    [delivery] = told.webhooks()
    told.resend_webhook(delivery.event_id)
    receiver.release.set()
    [delivery] = told.wait_for_webhooks()
    assert statuses_of(delivery) == [200, 200]


@pytest.mark.parametrize("event_id", ["evt_absent", "", None, 5, ["evt_1"]])
def test_an_unknown_event_cannot_be_sent_again(told: Emulator, event_id: Any) -> None:
    with pytest.raises(EmulatorError, match="no event with this id: take one of those listed"):
        told.resend_webhook(event_id)


def test_nothing_is_sent_again_to_nowhere(told: Emulator, create: Create) -> None:
    pay(told, create)
    [delivery] = told.wait_for_webhooks()
    told.send_webhooks_to(None)
    with pytest.raises(EmulatorError, match="webhooks go nowhere: tell the emulator a URL"):
        told.resend_webhook(delivery.event_id)


def test_what_waits_goes_to_the_new_url(told: Emulator, receiver: Receiver, create: Create) -> None:
    receiver.statuses = [500]
    pay(told, create)
    told.wait_for_webhooks()
    with receiving() as another:
        told.send_webhooks_to(another.url)
        told.advance_clock(FIRST_WAIT)
        [delivery] = told.wait_for_webhooks()
        assert [attempt.url for attempt in delivery.attempts] == [receiver.url, another.url]
        assert [got.body for got in another.got] == [delivery.body]


def test_what_waits_is_given_up_when_webhooks_go_nowhere_any_more(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    receiver.statuses = [500]
    pay(told, create)
    told.wait_for_webhooks()
    told.send_webhooks_to(None)
    told.advance_clock(DAY)
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, len(receiver.got)) == ("given up", 1)


def test_what_is_under_way_when_webhooks_go_nowhere_is_not_sent_again(
    told: Emulator, receiver: Receiver, create: Create
) -> None:
    receiver.hold, receiver.statuses = True, [500]
    pay(told, create)
    assert receiver.arrived.wait(timeout=10)
    told.send_webhooks_to(None)
    receiver.release.set()
    [delivery] = told.wait_for_webhooks()
    assert (delivery.state, statuses_of(delivery)) == ("given up", [500])


# where it may go

GOOD_URLS = [
    "http://127.0.0.1",
    "http://127.0.0.1:8000/hooks?shop=1",
    "http://127.1.2.3:8000/",
    "http://localhost:8000",
    "http://[::1]:8000/hooks",
    "HTTP://LOCALHOST/",
]
BAD_URLS: list[Any] = [
    "",
    "planted",
    "/hooks",
    "localhost:8000",
    "https://localhost:8000",
    "ftp://localhost",
    "http://",
    "http:///hooks",
    "http://planted.example",
    "http://localhost.planted.example",
    "http://192.0.2.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::1",
    "http://2130706433",
    "http://127.1",
    "http://user:planted@localhost",
    "http://localhost@planted.example",
    "http://localhost:99999",
    "http://localhost:port",
    "http://localhost/#planted",
    "http://localhost/ planted",
    "http://localhost/\nplanted",
    " http://localhost",
    "http://löcalhost",
    "http://localhost/" + "x" * 3_000,
    5,
    b"http://localhost",
    ["http://localhost"],
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_every_loopback_address_can_receive(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize("url", sample(BAD_URLS, 3), ids=lambda url: ascii(url)[:60])
def test_no_other_url_is_accepted_anywhere(emulator: Emulator, client: httpx.Client, url: Any) -> None:
    accepted = r"url: http:// and a loopback address \(localhost, 127\.0\.0\.1 or \[::1\]\)"
    for refused in (
        lambda: emulator.send_webhooks_to(url),
        lambda: create_app(webhook_url=url),
        lambda: running_emulator(webhook_url=url).__enter__(),
    ):
        with pytest.raises(ValueError, match=accepted) as refusal:
            refused()
        assert "planted" not in str(refusal.value)
    if not isinstance(url, bytes):
        reply = client.post("/_emulator/webhooks", json={"url": url})
        assert reply.status_code == 400
        assert re.match(accepted, reply.json()["errors"][0]["remarks"])
        assert "planted" not in reply.text


@pytest.mark.parametrize("secret", ["", None, b"secret"])
@pytest.mark.parametrize("start", [create_app, lambda **it: running_emulator(**it).__enter__()], ids=["app", "running"])
def test_a_secret_that_is_none_is_refused(start: Callable[..., object], secret: Any) -> None:
    with pytest.raises(ValueError, match="webhook_secret must be a string that is not empty"):
        start(webhook_secret=secret)


# the thread that sends


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


# over HTTP


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


# the pure part


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
