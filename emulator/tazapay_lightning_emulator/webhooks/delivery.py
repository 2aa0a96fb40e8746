"""Sends webhooks: what is due by the emulator's clock goes out, and what became of it is remembered."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from contextlib import suppress
from datetime import datetime

import httpx
from attrs import evolve

from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.errors import EmulatorError, NoSuchWebhookError
from tazapay_lightning_emulator.webhooks.event import WebhookDelivery, checked_url, collect_succeeded
from tazapay_lightning_emulator.webhooks.loop_thread import LoopThread

MAX_DELIVERIES = 10_000
"""How many events are remembered; older ones are forgotten, so that an emulator can run for weeks."""

TIMEOUT_SECONDS = 10.0
"""How long a receiver may take for its whole reply (assumption); after that it has not replied."""

_logger = logging.getLogger("tazapay_lightning_emulator")

_MAX_REPLY_BYTES = 65_536  # more of a receiver's reply is not read: only its status counts
_MAX_CONCURRENT_ATTEMPTS = 16
_MAX_SLEEP_SECONDS = 1.0  # a clock that a test brought along may be moved without a word


class WebhookSender:
    """The events of one emulator. Safe to share between threads; a thread of its own sends, from the first event on.

    Args:
        clock: the emulator's: it decides what is due.
        secret: what events are signed with.
        url: where they go; None for nowhere.

    Raises:
        ValueError: the secret is empty, or the URL is not one of this machine.
    """

    def __init__(self, clock: Clock, *, secret: str, url: str | None) -> None:
        if not isinstance(secret, str) or not secret:
            raise ValueError("webhook_secret must be a string that is not empty")
        self._clock = clock
        self._secret = secret
        self._url = None if url is None else checked_url(url)
        self._deliveries: dict[str, WebhookDelivery] = {}
        self._pending: set[str] = set()
        self._in_flight: set[str] = set()
        self._changed = threading.Condition()
        self._thread: LoopThread | None = None
        self._closed = False

    @property
    def url(self) -> str | None:
        """Where webhooks go."""
        return self._url

    def send_to(self, url: str | None) -> None:
        """Send webhooks there from now on, those that wait for another attempt, too; None gives those up.

        Raises:
            ValueError: the URL is not one of this machine.
        """
        accepted = None if url is None else checked_url(url)
        with self._changed:
            self._url = accepted
            for event_id in self._pending - self._in_flight:  # those under way learn it at the end of their attempt
                self._put(self._deliveries[event_id])

    def announce(self, collect: str, now: datetime) -> None:
        """Send the event that this collect was paid, if there is a URL."""
        with self._changed:
            if self._url is not None:
                self._put(collect_succeeded(collect, now, url=self._url, secret=self._secret))
        self.wake()

    def resend(self, event_id: str) -> WebhookDelivery:
        """Send an event once more and at once, whatever became of it.

        Raises:
            NoSuchWebhookError: there is no event with this id.
            EmulatorError: there is no URL, or the emulator has stopped.
        """
        with self._changed:
            delivery = self._deliveries.get(event_id) if isinstance(event_id, str) else None
            if self._closed:
                raise EmulatorError("the emulator has stopped, and sends no webhooks")
            if delivery is None:
                raise NoSuchWebhookError("there is no event with this id: take one of those listed, evt_...")
            if self._url is None:
                raise EmulatorError("webhooks go nowhere: tell the emulator a URL for them first")
            again = delivery.again(self._clock.now(), self._url)
            self._put(again)
        self.wake()
        return again

    def deliveries(self) -> list[WebhookDelivery]:
        """The last 10,000 events, in order of creation."""
        with self._changed:
            return list(self._deliveries.values())

    def wait(self, timeout: float) -> list[WebhookDelivery]:
        """Wait until nothing is due and nothing under way, or nothing is sent any more, for at most so many seconds.

        Raises:
            TimeoutError: something still was.
        """
        deadline = time.monotonic() + timeout
        self.wake()
        with self._changed:
            while not self._closed and (self._in_flight or self._due()):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"after {timeout} s webhooks were still due or under way")
            return list(self._deliveries.values())

    def wake(self) -> None:
        """Look anew what is due: something was added, or the clock was moved."""
        with self._changed:
            if self._thread is None and self._pending and not self._closed:
                self._thread = LoopThread(self._work)
            elif self._thread is not None:
                self._thread.wake()

    def stop(self) -> None:
        """End the thread at once, whatever is under way; the next event would start another one."""
        with self._changed:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
            with self._changed:
                self._in_flight.clear()  # an attempt that was cancelled before it began has not said so
                self._changed.notify_all()

    def close(self) -> None:
        """Stop for good."""
        with self._changed:
            self._closed = True
        self.stop()

    def _put(self, delivery: WebhookDelivery) -> None:
        """Remember what became of an event; what is yet to be sent goes where webhooks go now."""
        if delivery.due is not None:
            delivery = evolve(delivery, due=None) if self._url is None else evolve(delivery, url=self._url)
        self._deliveries[delivery.event_id] = delivery
        (self._pending.discard if delivery.due is None else self._pending.add)(delivery.event_id)
        if len(self._deliveries) > MAX_DELIVERIES:
            oldest = next(iter(self._deliveries))
            del self._deliveries[oldest]
            self._pending.discard(oldest)
        self._changed.notify_all()

    def _waiting(self) -> list[tuple[datetime, WebhookDelivery]]:
        """What is to be sent and not under way, the most urgent first."""
        waiting = [self._deliveries[event_id] for event_id in self._pending - self._in_flight]
        return sorted(((each.due, each) for each in waiting if each.due is not None), key=lambda each: each[0])

    def _due(self) -> list[WebhookDelivery]:
        now = self._clock.now()
        return [delivery for due, delivery in self._waiting() if due <= now]

    async def _work(self, woken: asyncio.Event) -> None:
        # without certificates, which take long to load and are of no use: only http is accepted
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with (
            httpx.AsyncClient(
                verify=no_tls, timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
            ) as client,
            asyncio.TaskGroup() as attempts,
        ):
            turn = asyncio.Semaphore(_MAX_CONCURRENT_ATTEMPTS)
            while True:
                woken.clear()
                with self._changed:
                    due = self._due()
                    self._in_flight.update(delivery.event_id for delivery in due)
                for delivery in due:
                    attempts.create_task(self._attempt(client, turn, woken, delivery))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._seconds_until_due()):
                        await woken.wait()

    def _seconds_until_due(self) -> float | None:
        with self._changed:
            waiting = self._waiting()
        if not waiting:
            return None
        return min(_MAX_SLEEP_SECONDS, max(0.0, (waiting[0][0] - self._clock.now()).total_seconds()))

    async def _attempt(
        self, client: httpx.AsyncClient, turn: asyncio.Semaphore, woken: asyncio.Event, delivery: WebhookDelivery
    ) -> None:
        try:
            async with turn:
                status = await _status_of(client, delivery)
            with self._changed:
                self._note(delivery, status)
        finally:
            with self._changed:
                self._in_flight.discard(delivery.event_id)
                self._changed.notify_all()
            woken.set()

    def _note(self, sent: WebhookDelivery, status: int | None) -> None:
        known = self._deliveries.get(sent.event_id)
        if known is None:
            return  # forgotten meanwhile
        after = sent.attempted(status)
        # somebody may have wished for one more meanwhile
        self._put(after if known is sent else evolve(known, attempts=after.attempts))


async def _status_of(client: httpx.AsyncClient, delivery: WebhookDelivery) -> int | None:
    """Send it once; None if there is no reply."""
    status = None
    headers = {
        "Content-Type": "application/json",
        "signature": delivery.signature,
        "Connection": "close",  # a receiver may be started anew between two events
    }
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            client.stream("POST", delivery.url, content=delivery.body, headers=headers) as reply,
        ):
            status = reply.status_code
            read = 0
            async for piece in reply.aiter_raw():  # or the receiver would find the connection cut while it writes
                read += len(piece)
                if read > _MAX_REPLY_BYTES:
                    break
    except (httpx.HTTPError, TimeoutError):
        pass  # no reply, or one that does not end: its status counts if it came
    except Exception:
        _logger.exception("a webhook could not be sent")
    return status
