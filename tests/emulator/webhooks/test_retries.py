from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tazapay_lightning_emulator import Emulator, EmulatorError, WebhookDelivery
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.webhooks.delivery import WebhookSender
from tazapay_lightning_emulator.webhooks.event import FIRST_WAIT, RETRIED_STATUSES, RETRY_PERIOD
from tests.support.emulator_receiver import Receiver, pay, statuses_of

Create = Callable[..., dict[str, Any]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def seconds_after_the_first(delivery: WebhookDelivery) -> list[float]:
    return [(attempt.at - delivery.attempts[0].at).total_seconds() for attempt in delivery.attempts]


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
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.posting.TIMEOUT_SECONDS", 0.2)
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
    monkeypatch.setattr("tazapay_lightning_emulator.webhooks.delivery._MAX_SLEEP_SECONDS", 3600)
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
    with pytest.raises(EmulatorError, match="there is no URL for webhooks: tell the emulator a URL"):
        told.resend_webhook(delivery.event_id)
