"""Sends the webhooks that are due by the emulator's clock, and keeps a record of every attempt.

The module that sends them is imported with the first one: httpx would take a third of an emulator's first start.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from attrs import evolve

from tazapay_lightning_emulator.activity import Activity
from tazapay_lightning_emulator.clock import Clock
from tazapay_lightning_emulator.errors import EmulatorError, NoSuchWebhookError
from tazapay_lightning_emulator.webhooks.event import WebhookDelivery, checked_url, collect_succeeded
from tazapay_lightning_emulator.webhooks.loop_thread import LoopThread

MAX_DELIVERIES = 10_000
"""The number of events that are kept; older ones are dropped, so that an emulator can run for weeks."""

_MAX_CONCURRENT_ATTEMPTS = 16
_MAX_SLEEP_SECONDS = 1.0  # the clock is read again by then, since a test's own `now` can jump at any time


class WebhookSender:
    """The events of one emulator, sent by a thread that the first event starts. Safe to share between threads.

    Args:
        clock: the emulator's; it decides what is due.
        secret: the key of the signatures.
        url: the destination; None sends nothing.

    Attributes:
        secret: as above.
        activity: tells when an event changes; of an attempt, it tells the event with this attempt as its last.

    Raises:
        ValueError: the secret is empty, or the URL is not one of this machine.
    """

    def __init__(self, clock: Clock, *, secret: str, url: str | None) -> None:
        if not isinstance(secret, str) or not secret:
            raise ValueError("webhook_secret must be a string that is not empty")
        self.secret = secret
        self.activity = Activity()
        self._clock = clock
        self._url = checked_url(url)
        self._deliveries: dict[str, WebhookDelivery] = {}
        self._pending: set[str] = set()
        self._in_flight: set[str] = set()
        self._changed = threading.Condition()
        self._thread: LoopThread | None = None
        self._closed = False

    @property
    def url(self) -> str | None:
        """The destination of webhooks; None if nothing is sent."""
        return self._url

    def send_to(self, url: str | None) -> None:
        """Change the destination, also of the events that are pending; None gives those up.

        Raises:
            ValueError: the URL is not one of this machine.
        """
        accepted = checked_url(url)
        with self._changed:
            self._url = accepted
            for event_id in self._pending - self._in_flight:  # those in flight are updated after their attempt
                self._store(self._deliveries[event_id])
        self.activity.tell()

    def announce(self, collect: str, now: datetime) -> None:
        """Send the event that this collect was paid, if there is a destination."""
        with self._changed:
            if self._url is not None:
                self._store(collect_succeeded(collect, now, url=self._url, secret=self.secret))
        self.wake()

    def resend(self, event_id: str) -> WebhookDelivery:
        """Send an event again now, whatever its state.

        Raises:
            NoSuchWebhookError: there is no event with this id.
            EmulatorError: there is no destination, or the emulator has stopped.
        """
        with self._changed:
            delivery = self._deliveries.get(event_id) if isinstance(event_id, str) else None
            if self._closed:
                raise EmulatorError("the emulator has stopped, and sends no webhooks")
            if delivery is None:
                raise NoSuchWebhookError("there is no event with this id: take one of those listed, evt_...")
            if self._url is None:
                raise EmulatorError("there is no URL for webhooks: tell the emulator a URL first")
            again = delivery.again(self._clock.now(), self._url)
            self._store(again)
        self.activity.tell()
        self.wake()
        return again

    def deliveries(self) -> list[WebhookDelivery]:
        """The last 10,000 events, in order of creation."""
        with self._changed:
            return list(self._deliveries.values())

    def wait(self, timeout: float) -> list[WebhookDelivery]:
        """Wait until no event is due or in flight, or the sender is closed; at most `timeout` seconds.

        Raises:
            TimeoutError: an event still was.
        """
        deadline = time.monotonic() + timeout
        self.wake()
        with self._changed:
            while not self._closed and (self._in_flight or self._due()):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"after {timeout} s webhooks were still due or under way")
            return list(self._deliveries.values())

    def wake(self) -> None:
        """Check again what is due: an event was added, or the clock was moved."""
        with self._changed:
            if self._thread is None and self._pending and not self._closed:
                self._thread = LoopThread(self._work)
            elif self._thread is not None:
                self._thread.wake()

    def stop(self) -> None:
        """Stop the thread at once and cancel what is in flight. The next event starts another thread."""
        with self._changed:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
            with self._changed:
                self._in_flight.clear()  # an attempt that was cancelled before it began has not removed itself
                self._changed.notify_all()

    def close(self) -> None:
        """Stop the thread for good."""
        with self._changed:
            self._closed = True
        self.stop()

    def _store(self, delivery: WebhookDelivery) -> None:
        """Keep the new state of an event; if another attempt is due, it goes to the present destination."""
        if delivery.due is not None:
            delivery = evolve(delivery, due=None) if self._url is None else evolve(delivery, url=self._url)
        self._deliveries[delivery.event_id] = delivery
        (self._pending.discard if delivery.due is None else self._pending.add)(delivery.event_id)
        if len(self._deliveries) > MAX_DELIVERIES:
            oldest = next(iter(self._deliveries))
            del self._deliveries[oldest]
            self._pending.discard(oldest)
        self._changed.notify_all()

    def _pending_by_due(self) -> list[tuple[datetime, WebhookDelivery]]:
        """The pending events that are not in flight, with the times they are due, the earliest first."""
        waiting = [self._deliveries[event_id] for event_id in self._pending - self._in_flight]
        return sorted(((each.due, each) for each in waiting if each.due is not None), key=lambda each: each[0])

    def _due(self) -> list[WebhookDelivery]:
        now = self._clock.now()
        return [delivery for due, delivery in self._pending_by_due() if due <= now]

    async def _work(self, woken: asyncio.Event) -> None:
        from tazapay_lightning_emulator.webhooks.posting import posting

        async with posting() as post, asyncio.TaskGroup() as attempts:
            slots = asyncio.Semaphore(_MAX_CONCURRENT_ATTEMPTS)
            while True:
                woken.clear()
                with self._changed:
                    due = self._due()
                    self._in_flight.update(delivery.event_id for delivery in due)
                for delivery in due:
                    attempts.create_task(self._attempt(post, slots, woken, delivery))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._seconds_until_due()):
                        await woken.wait()

    def _seconds_until_due(self) -> float | None:
        with self._changed:
            waiting = self._pending_by_due()
        if not waiting:
            return None
        return min(_MAX_SLEEP_SECONDS, max(0.0, (waiting[0][0] - self._clock.now()).total_seconds()))

    async def _attempt(
        self,
        post: Callable[[WebhookDelivery], Awaitable[int | None]],
        slots: asyncio.Semaphore,
        woken: asyncio.Event,
        delivery: WebhookDelivery,
    ) -> None:
        try:
            async with slots:
                status = await post(delivery)
            with self._changed:
                self._record_attempt(delivery, status)
            self.activity.tell(delivery.attempted(status))
        finally:
            with self._changed:
                self._in_flight.discard(delivery.event_id)
                self._changed.notify_all()
            woken.set()

    def _record_attempt(self, sent: WebhookDelivery, status: int | None) -> None:
        known = self._deliveries.get(sent.event_id)
        if known is None:
            return  # dropped meanwhile, since there are `MAX_DELIVERIES` newer ones
        after = sent.attempted(status)
        # `resend` may have changed its schedule meanwhile
        self._store(after if known is sent else evolve(known, attempts=after.attempts))
