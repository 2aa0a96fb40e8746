from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.webhooks.event import FIRST_WAIT, checked_url
from tests.support.emulator_receiver import Receiver, pay, receiving, statuses_of
from tests.support.tables import each_row
from tests.support.thorough import sample

Create = Callable[..., dict[str, Any]]

DAY = timedelta(hours=24)


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


GOOD_URLS = [
    "http://127.0.0.1",
    "http://127.0.0.1:8000/hooks?shop=1",
    "http://127.1.2.3:8000/",
    "http://localhost:8000",
    "http://[::1]:8000/hooks",
    "HTTP://LOCALHOST/",
    "http://shop:8000/webhooks/tazapay",
    "http://my_shop-1",
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
    "http://0x7f000001",
    "http://-planted",
    "http://planted.",
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


@each_row("url", GOOD_URLS)
def test_every_loopback_address_and_every_container_can_receive(url: str) -> None:
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
