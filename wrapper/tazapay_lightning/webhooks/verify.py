"""Prove that a webhook is from Tazapay, and read it.

Tazapay signs each one with HMAC-SHA256, keyed with the webhook secret of its dashboard, over the event's ``id``, the
raw body and the literal text of the event's ``created_at``, nothing between them, and sends the digest in Base64 in the
header ``signature`` (Tazapay's documentation; some integrations see ``webhook-signature``). The literal text is what
the JSON string denotes, or the digits of the integer.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from tazapay_lightning.errors import ConfigurationError, WebhookPayloadError, WebhookSignatureError
from tazapay_lightning.values.durations import MAX_TIMEDELTA_SECONDS, seconds
from tazapay_lightning.webhooks.body import read_body
from tazapay_lightning.webhooks.event import WebhookEvent, read_event
from tazapay_lightning.webhooks.signature import Headers, Secret, check_signature, signature_header

_VARIABLE = "TAZAPAY_WEBHOOK_SECRET"


def verify_webhook(
    payload: bytes | bytearray, signature: str, secret: str, *, tolerance: float | timedelta | None = None
) -> WebhookEvent:
    r"""Prove that a webhook is from Tazapay, and read it.

    Args:
        payload: the raw body, byte for byte as it came, at most 1 MiB.
        signature: the value of the signature's header, as `signature_header` finds it.
        secret: the webhook secret of Tazapay's dashboard.
        tolerance: how far the event's ``created_at`` may be from this machine's clock, in seconds or as a timedelta,
            greater than 0. None, the default, means any: genuine retries come up to 24 hours late, and repetitions are
            told by their id.

    Raises:
        InvalidArgumentError: for a payload that is not bytes, and for a secret or tolerance that cannot be meant.
        WebhookPayloadError: the body is no event: longer than 1 MiB, not UTF-8, not a JSON object, a key twice, without
            an id, a type or a ``created_at``; or a tolerance is given and ``created_at`` is no moment.
        WebhookSignatureError: there is no signature, it does not belong to this body and this secret, or the event is
            not within the tolerance.

    Example:
        >>> body = b'{"id":"evt_1","type":"collect.succeeded","created_at":1759047330,"data":{"id":"col_98765"}}'
        >>> verify_webhook(body, "6s9nQIQABugDzWgqfbBaP0/uUATYhE3UjitDk0tliYo=", "whsec_example").collect_id
        'col_98765'
    """
    key = Secret(secret)
    del secret  # no frame that an error leaves through holds it: error trackers keep local variables
    return _verified(payload, signature, key, tolerance)


def _verified(payload: object, signature: object, key: Secret, tolerance: object) -> WebhookEvent:
    key.check()
    allowed = None if tolerance is None else seconds(tolerance, argument="tolerance", most=MAX_TIMEDELTA_SECONDS)
    text = check_signature(signature)
    body = read_body(payload)
    if not key.matches(body.signed, text):
        raise WebhookSignatureError(
            "the signature does not belong to this body and this secret: the body is not the raw bytes of the request, "
            "the secret is another environment's (sandbox, production), or the sender is not Tazapay"
        )
    event = read_event(body)
    if allowed is not None:
        _check_age(event.created_at, datetime.now(UTC), allowed)
    return event


def verify_webhook_request(
    payload: bytes | bytearray,
    headers: Headers,
    secret: str | None = None,
    *,
    tolerance: float | timedelta | None = None,
) -> WebhookEvent:
    """Prove that the request of a webhook is from Tazapay, and read it: `verify_webhook` with the header found.

    Args:
        payload: as for `verify_webhook`.
        headers: those of the request, as for `signature_header`.
        secret: the webhook secret of Tazapay's dashboard; or the environment variable TAZAPAY_WEBHOOK_SECRET.
        tolerance: as for `verify_webhook`.

    Raises:
        ConfigurationError: no secret was given, and the variable is not set.
        WebhookError: as from `verify_webhook` and `signature_header`.

    Example:
        >>> body = b'{"id": "evt_1", "type": "collect.succeeded", "created_at": "2025-09-28T08:15:30Z"}'
        >>> headers = {"Signature": sign_webhook(body, "whsec_example")}
        >>> verify_webhook_request(body, headers, "whsec_example").id
        'evt_1'
    """
    if secret is None and not os.environ.get(_VARIABLE):
        raise ConfigurationError(f"no webhook secret: pass secret, or set {_VARIABLE}")
    key = Secret(os.environ[_VARIABLE] if secret is None else secret)
    del secret
    return _verified(payload, signature_header(headers), key, tolerance)


def sign_webhook(payload: bytes | bytearray, secret: str) -> str:
    """Sign the body of a webhook as Tazapay does, to test an application with.

    Args:
        payload: the body that will be sent, byte for byte: a JSON object with at least ``id`` and ``created_at``.
        secret: the webhook secret that the application verifies with.

    Returns:
        The value of the header ``signature``.

    Raises:
        InvalidArgumentError: as from `verify_webhook`.
        WebhookPayloadError: as from `verify_webhook`; an event without a type can be signed.

    Example:
        >>> body = b'{"id": "evt_1", "type": "collect.succeeded", "created_at": "2025-09-28T08:15:30Z"}'
        >>> verify_webhook(body, sign_webhook(body, "whsec_example"), "whsec_example").type
        'collect.succeeded'
    """
    key = Secret(secret)
    del secret
    key.check()
    return key.sign(read_body(payload).signed)


def _check_age(created_at: datetime | None, now: datetime, allowed: float) -> None:
    if created_at is None:
        raise WebhookPayloadError(
            "the event's age cannot be told: its `created_at` is no moment (an integer: of seconds or milliseconds?); "
            "verify it without a tolerance"
        )
    late = (now - created_at).total_seconds()
    if abs(late) > allowed:
        age = f"{abs(late):.0f} s {'old' if late > 0 else 'in the future'}"
        advice = "Genuine retries come up to 24 hours late: leave the tolerance out and act once per event id"
        raise WebhookSignatureError(f"the event is {age}, and the tolerance is {allowed:g} s. {advice}")
