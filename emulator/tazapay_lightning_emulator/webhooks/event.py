"""The notice that an invoice was paid: what it says, how it is signed, and when it is sent again. Pure.

Documented by Tazapay: the fields of an event, its signature, the statuses upon which it is sent again, and for how
long. That a paid invoice is told as `collect.succeeded`, that an event's `data` holds just the id and the kind of the
collect, the first wait, and that the waits double are assumptions.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import evolve, frozen

DEFAULT_WEBHOOK_SECRET = "emulator-webhook-secret"  # noqa: S105 - published on purpose: it guards nothing but an emulator

RETRIED_STATUSES = frozenset({400, 404, 408, 409, 412, 500})
"""Upon which an event is sent again (Tazapay's documentation); without any reply it is, too (assumption)."""

RETRY_PERIOD = timedelta(hours=24)
"""How long after its creation an event is sent again for the last time (Tazapay's documentation)."""

FIRST_WAIT = timedelta(seconds=10)
"""Before an event is sent for the second time; each further wait is twice as long (assumption)."""

_MAX_URL_LENGTH = 2_048


@frozen
class WebhookAttempt:
    """One time that an event was sent: when, by the emulator's clock; where to; the reply's status, or None."""

    at: datetime
    url: str
    status: int | None


@frozen
class WebhookDelivery:
    """An event, and what became of it so far.

    Attributes:
        event_id: `evt_...`, the same however often it is sent.
        type: `collect.succeeded`.
        created_at: the time of the event by the emulator's clock.
        body: what is sent, byte for byte.
        signature: what is sent in the header `signature`.
        url: where it is sent to.
        attempts: how often it was sent by now, in order.
        due: when it is sent next by the emulator's clock; None if it is not.
        failures: how often it failed since it was last sent by somebody's wish.
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
        """Whether it is going to be sent (again), has been received, or is given up."""
        if self.due is not None:
            return "pending"
        return "delivered" if any(_is_success(attempt.status) for attempt in self.attempts) else "given up"

    def attempted(self, status: int | None) -> WebhookDelivery:
        """What becomes of it when the attempt that was due has had this reply, or none."""
        if self.due is None:
            raise ValueError("no attempt was due")
        attempts = (*self.attempts, WebhookAttempt(self.due, self.url, status))
        if status is not None and status not in RETRIED_STATUSES:
            return evolve(self, attempts=attempts, due=None, failures=0)
        # counted from when it was due: the schedule is the same however late a moved clock had it go out
        due = self.due + FIRST_WAIT * 2**self.failures
        in_time = due <= self.created_at + RETRY_PERIOD
        return evolve(self, attempts=attempts, due=due if in_time else None, failures=self.failures + 1)

    def again(self, now: datetime, url: str) -> WebhookDelivery:
        """The same event, to be sent once more and at once."""
        return evolve(self, due=now, url=url, failures=0)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON: times as RFC 3339, the body as text."""
        return {
            "event_id": self.event_id,
            "type": self.type,
            "state": self.state,
            "url": self.url,
            "due": None if self.due is None else to_rfc3339_microseconds(self.due),
            "attempts": [
                {"at": to_rfc3339_microseconds(each.at), "url": each.url, "status": each.status}
                for each in self.attempts
            ],
            "signature": self.signature,
            "body": self.body.decode(),
        }


def collect_succeeded(collect: str, now: datetime, *, url: str, secret: str) -> WebhookDelivery:
    """The event that this collect was paid, due at once.

    Args:
        collect: the invoice's `collect` id.
        now: by the emulator's clock.
        url: where it is to be sent to.
        secret: to sign it with.

    Example:
        >>> paid = collect_succeeded("col_1", datetime(2026, 3, 1, 12, tzinfo=UTC), url="http://localhost", secret="s")
        >>> json.loads(paid.body)["data"], paid.state
        ({'id': 'col_1', 'object': 'collect'}, 'pending')
    """
    event_id, created_at = f"evt_{secrets.token_hex(12)}", to_rfc3339_microseconds(now)
    event_type = "collect.succeeded"
    event = {
        "type": event_type,
        "id": event_id,
        "object": "event",
        "created_at": created_at,
        "data": {"id": collect, "object": "collect"},
    }
    # blanks where no JSON library puts them by itself: a receiver that verifies what it wrote anew is found out
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


def to_rfc3339_microseconds(moment: datetime) -> str:
    """A moment in UTC with its microseconds: RFC 3339, one of the documented forms of `created_at`.

    Example:
        >>> to_rfc3339_microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC))
        '2026-03-01T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def checked_url(url: object) -> str:
    """The URL, if webhooks may go there: to this machine only, so that nobody sends anything to others by mistake.

    Raises:
        ValueError: it is another one; the message tells what is accepted, and does not repeat it.
    """
    if isinstance(url, str) and _is_of_this_machine(url):
        return url
    raise ValueError("url: http:// and a loopback address (localhost, 127.0.0.1 or [::1]), perhaps a port and a path")


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
            and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
        )
    except ValueError:
        return False


def _is_success(status: int | None) -> bool:
    return status is not None and 200 <= status <= 299
