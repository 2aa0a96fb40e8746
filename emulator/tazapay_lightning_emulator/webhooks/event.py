"""The event that an invoice was paid: its fields, its signature and its retries. Pure.

Documented by Tazapay: the fields of an event, its signature, the statuses after which it is sent again, and for how
long. Assumptions: a paid invoice causes `collect.succeeded`, `data` holds only the id and the object of the collect,
the first wait, and that each further wait is twice as long.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import evolve, frozen

from tazapay_lightning_emulator.clock import to_rfc3339

DEFAULT_WEBHOOK_SECRET = "emulator-webhook-secret"  # noqa: S105 - published on purpose: it protects only an emulator

RETRIED_STATUSES = frozenset({400, 404, 408, 409, 412, 500})
"""After these an event is sent again (Tazapay's documentation); also after no reply at all (assumption)."""

RETRY_PERIOD = timedelta(hours=24)
"""The latest time of an attempt, counted from the creation of the event (Tazapay's documentation)."""

FIRST_WAIT = timedelta(seconds=10)
"""Between the first and the second attempt; each further wait is twice as long (assumption)."""

_MAX_URL_LENGTH = 2_048
_CONTAINER = re.compile("[a-z][a-z0-9_-]*")  # localhost among them; no number, which would be an address


@frozen
class WebhookAttempt:
    """One attempt to deliver an event: its time by the emulator's clock, its URL, and the reply's status or None."""

    at: datetime
    url: str
    status: int | None


@frozen
class WebhookDelivery:
    """An event and its attempts so far.

    Attributes:
        event_id: `evt_...`, the same in every attempt.
        type: `collect.succeeded`.
        created_at: the time of the event by the emulator's clock.
        body: the body of the request, byte for byte.
        signature: the value of the header `signature`.
        url: the destination of the next attempt, or of the last one.
        attempts: all attempts so far, in order.
        due: the time of the next attempt by the emulator's clock; None if there is none.
        failures: the number of failed attempts since the event was created or sent again by hand.
    """

    event_id: str
    type: str
    created_at: datetime
    body: bytes
    signature: str
    url: str
    attempts: tuple[WebhookAttempt, ...] = ()
    due: datetime | None = None
    failures: int = 0

    @property
    def state(self) -> Literal["pending", "delivered", "given up"]:
        """pending: another attempt is due; delivered: an attempt had a 2xx reply; given up: neither."""
        if self.due is not None:
            return "pending"
        return "delivered" if any(_is_success(attempt.status) for attempt in self.attempts) else "given up"

    def attempted(self, status: int | None) -> WebhookDelivery:
        """The delivery after the attempt that was due, which had a reply with this status, or none."""
        if self.due is None:
            raise ValueError("no attempt was due")
        attempts = (*self.attempts, WebhookAttempt(self.due, self.url, status))
        if status is not None and status not in RETRIED_STATUSES:
            return evolve(self, attempts=attempts, due=None, failures=0)
        # counted from the time it was due, so that the schedule is the same however far the clock was moved
        due = self.due + FIRST_WAIT * 2**self.failures
        in_time = due <= self.created_at + RETRY_PERIOD
        return evolve(self, attempts=attempts, due=due if in_time else None, failures=self.failures + 1)

    def again(self, now: datetime, url: str) -> WebhookDelivery:
        """The same event with another attempt, due now."""
        return evolve(self, due=now, url=url, failures=0)

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-ready: times in RFC 3339, the body as text."""
        return {
            "event_id": self.event_id,
            "type": self.type,
            "state": self.state,
            "url": self.url,
            "due": None if self.due is None else to_rfc3339(self.due, "microseconds"),
            "attempts": [
                {"at": to_rfc3339(each.at, "microseconds"), "url": each.url, "status": each.status}
                for each in self.attempts
            ],
            "signature": self.signature,
            "body": self.body.decode(),
        }


def collect_succeeded(collect: str, now: datetime, *, url: str, secret: str) -> WebhookDelivery:
    """The event that this collect was paid, due now.

    Args:
        collect: the invoice's `collect` id.
        now: the emulator's time.
        url: the destination.
        secret: the key of its signature.

    Example:
        >>> from datetime import UTC
        >>> paid = collect_succeeded("col_1", datetime(2026, 3, 1, 12, tzinfo=UTC), url="http://localhost", secret="s")
        >>> json.loads(paid.body)["data"], paid.state
        ({'id': 'col_1', 'object': 'collect'}, 'pending')
    """
    event_id, created_at = f"evt_{secrets.token_hex(12)}", to_rfc3339(now, "microseconds")
    event_type = "collect.succeeded"
    event = {
        "type": event_type,
        "id": event_id,
        "object": "event",
        "created_at": created_at,
        "data": {"id": collect, "object": "collect"},
    }
    # unusual whitespace, so that a receiver fails which verifies re-serialized JSON instead of the body
    body = json.dumps(event, separators=(",", ": ")).encode()
    signature = signature_of(event_id, body, created_at, secret)
    return WebhookDelivery(event_id, event_type, now, body, signature, url, due=now)


def signature_of(event_id: str, body: bytes, created_at: str, secret: str) -> str:
    """The signature of an event: HMAC-SHA256 over id, body and time with nothing between, in Base64.

    Example:
        >>> signature_of("evt_1", b"{}", "2026-03-01T12:00:00Z", "secret")
        'nfdH0CBQUK1dnnBGK+jJn82x95tizZ10QXkVAap/lu8='
    """
    signed = event_id.encode() + body + created_at.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def checked_url(url: object) -> str | None:
    """The URL, if it is one of this machine or None: a test must not send webhooks to other machines by mistake.

    A name without a dot is taken too: containers on one machine have such names for each other.

    Raises:
        ValueError: it is not. The message says what is accepted and does not repeat the URL.
    """
    if url is None or (isinstance(url, str) and _is_of_this_machine(url)):
        return url
    accepted = "a loopback address (localhost, 127.0.0.1 or [::1]), or a container's name without a dot"
    raise ValueError(f"url: http:// and {accepted}, perhaps with a port and a path")


def _is_of_this_machine(url: str) -> bool:
    if not (url.isascii() and url.isprintable() and " " not in url and len(url) <= _MAX_URL_LENGTH):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # both may raise ValueError
        return (
            parts.scheme == "http"
            and "@" not in parts.netloc
            and "#" not in url
            and host is not None
            and (_CONTAINER.fullmatch(host) is not None or ipaddress.ip_address(host).is_loopback)
        )
    except ValueError:
        return False


def _is_success(status: int | None) -> bool:
    return status is not None and 200 <= status <= 299
