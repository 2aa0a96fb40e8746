"""What the service says when it refuses or fails: ``(status, headers, body)`` to the right error, redacted.

Errors look like ``{"status": "error", "message": ..., "errors": [{"code", "message", "remarks"}]}``, any of it missing,
or like no JSON at all (Tazapay's documentation and examples).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tazapay_lightning import errors
from tazapay_lightning._loading import load
from tazapay_lightning.transport.redaction import Redaction, without_secrets
from tazapay_lightning.transport.retries import seconds_to_wait
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import printable

_MAX_BODY_CHARACTERS = 2000  # characters of a reply's body that an error keeps
_MAX_COMMAS = 50_000  # in a body that is read as JSON: more values would block an event loop, and no error has them
_MAX_MESSAGE_CHARACTERS = 500  # characters of the service's words that a message repeats

_BY_STATUS: Mapping[int, type[errors.APIStatusError]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    429: errors.RateLimitError,
}
_NEXT_STEP: Mapping[int, str] = {
    401: "check the API key and secret, and that they belong to this environment: sandbox keys open only the sandbox, "
    "live keys only production",
    403: "the credentials are accepted, but not allowed to do this: see the permissions of the key in the dashboard",
    404: "nothing is there: the id of an invoice belongs to the environment and the account that it was made in, and "
    "base_url is the address of the service without /v3",
    429: "too many requests: slow down, or raise max_retries",
}


def status_error(status: int, headers: Mapping[str, str], body: bytes, redaction: Redaction) -> errors.APIStatusError:
    """Make the error that belongs to a status other than 2xx, whatever the body is."""
    parsed: object = None
    with suppress(errors.UnexpectedResponseError):  # HTML, empty, cut short: the status alone says enough
        parsed = parse_json(body) if body.count(b",") <= _MAX_COMMAS else None
    words, arguments = words_of(parsed if isinstance(parsed, dict) else {}, redaction)
    kind = _BY_STATUS.get(status, errors.InvalidRequestError if 400 <= status <= 499 else errors.ServerError)
    message = f"{status} {load('http.client').responses.get(status, '')}".rstrip() + words  # none for 520 and others
    if status in _NEXT_STEP:
        message += f"; {_NEXT_STEP[status]}"
    elif 300 <= status <= 399:
        message += "; redirects are not followed: check base_url"
    return kind(
        message,
        status_code=status,
        **arguments,
        headers=redaction.value(without_secrets(headers)),
        # of a page nothing is kept: there are too many ways to spell a secret in it
        body="" if parsed is None else json.dumps(redaction.value(parsed), ensure_ascii=False)[:_MAX_BODY_CHARACTERS],
        retry_after=seconds_to_wait(headers, now=datetime.now(UTC)),
    )


def words_of(envelope: Mapping[str, Any], redaction: Redaction) -> tuple[str, dict[str, Any]]:
    """Return what an envelope says about an error, redacted: as the end of a message, and as the errors take it."""
    envelope = {name: redaction.value(envelope.get(name)) for name in ("message", "code", "errors")}
    listed = envelope.get("errors")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    messages = [envelope.get("message"), *(entry.get("message") for entry in entries)]
    message = next((text.strip() for text in messages if isinstance(text, str) and text.strip()), "")
    codes = (_number(source.get("code")) for source in [*entries, envelope])
    code = next((code for code in codes if code is not None), None)
    reasons = "; ".join(dict.fromkeys(reason for reason in map(_reason, entries) if reason and reason != message))
    words = f": {printable(message, most=_MAX_MESSAGE_CHARACTERS)}" if message else ""
    words += "" if code is None else f" (code {code})"
    words += f"; {printable(reasons, most=_MAX_MESSAGE_CHARACTERS)}" if reasons else ""
    return words, {"message": message, "code": code, "errors": tuple(entries)}


def _reason(entry: Mapping[str, object]) -> str:
    parts = (entry.get("message"), entry.get("remarks"))
    return ": ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _number(code: object) -> int | None:
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    if isinstance(code, str) and code.strip().isascii() and code.strip().isdigit() and len(code) <= 20:
        return int(code)
    return None
