"""What the service says when it refuses or fails: ``(status, headers, body)`` to the right error, redacted.

Errors look like ``{"status": "error", "message": ..., "errors": [{"code", "message", "remarks"}]}``, any of it missing,
or like no JSON at all (Tazapay's documentation and examples).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import responses
from typing import Any, NamedTuple

from tazapay_lightning import errors
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.retries import seconds_to_wait
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.safe_text import printable

_MAX_BODY = 2000  # characters of a reply's body that an error keeps
_MAX_MESSAGE = 500  # characters of the service's words that a message repeats

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
    try:
        parsed = parse_json(body)
    except errors.UnexpectedResponseError:  # HTML, empty, cut short: the status alone says enough
        parsed = None
    words = words_of(parsed if isinstance(parsed, dict) else {}, redaction)
    kind = _BY_STATUS.get(status, errors.InvalidRequestError if 400 <= status <= 499 else errors.ServerError)
    message = f"{status} {responses.get(status, '')}".rstrip() + words.quoted()  # there is none for 520 and others
    if status in _NEXT_STEP:
        message += f"; {_NEXT_STEP[status]}"
    elif 300 <= status <= 399:
        message += "; redirects are not followed: check base_url"
    return kind(
        message,
        status_code=status,
        **words.arguments(),
        headers=redaction.headers(headers),
        body=_redacted_body(parsed, body, redaction)[:_MAX_BODY],
        retry_after=seconds_to_wait(headers, now=datetime.now(UTC)),
    )


def _redacted_body(parsed: object, body: bytes, redaction: Redaction) -> str:
    """Return the whole body as text without secrets; cutting it is for later, or half a secret could be left there."""
    if parsed is not None:
        try:  # read and written anew, so that no way to escape a letter hides a secret from its redaction
            return json.dumps(redaction.value(parsed), ensure_ascii=False)
        except RecursionError:
            return ""
    return redaction.text(body.decode("utf-8", "replace"))


class Words(NamedTuple):
    """What the service says about an error, redacted."""

    message: str
    code: int | None
    errors: tuple[Mapping[str, object], ...]
    reasons: tuple[str, ...]
    """What the entries of ``errors`` add to the message."""

    def arguments(self) -> dict[str, Any]:
        """Return them as the errors take them."""
        return {"service_message": self.message, "code": self.code, "errors": self.errors}

    def quoted(self) -> str:
        """Return them as the end of a message, cut short."""
        message = f": {printable(self.message, most=_MAX_MESSAGE)}" if self.message else ""
        code = "" if self.code is None else f" (code {self.code})"
        reasons = f"; {printable('; '.join(self.reasons), most=_MAX_MESSAGE)}" if self.reasons else ""
        return message + code + reasons


def words_of(envelope: Mapping[str, object], redaction: Redaction) -> Words:
    """Read what an envelope says about an error."""
    try:
        envelope = redaction.mapping(envelope)
    except RecursionError:  # nested beyond what Python walks, which no error of the service is
        envelope = {}
    listed = envelope.get("errors")
    errors = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    messages = [envelope.get("message"), *(entry.get("message") for entry in errors)]
    message = next((text.strip() for text in messages if isinstance(text, str) and text.strip()), "")
    codes = (_number(source.get("code")) for source in [*errors, envelope])
    return Words(
        message=message,
        code=next((code for code in codes if code is not None), None),
        errors=tuple(errors),
        reasons=tuple(dict.fromkeys(reason for reason in map(_reason, errors) if reason and reason != message)),
    )


def _reason(entry: Mapping[str, object]) -> str:
    parts = (entry.get("message"), entry.get("remarks"))
    return ": ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _number(code: object) -> int | None:
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    if isinstance(code, str) and code.strip().isascii() and code.strip().isdigit() and len(code) <= 20:
        return int(code)
    return None
