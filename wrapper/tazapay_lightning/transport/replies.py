"""What a reply means: ``(status, headers, body)`` to the envelope that the service meant, or to the right error.

Pure functions over plain values. They run before any generated code sees the reply, because generated code knows
only the one documented status and takes whatever is in the body at its word.

The envelope is documented as ``{"status": "success", "message": "", "data": {...}}``. Real ones lack any of the three,
hold ``data`` as an object, as JSON text or as null, or are the object itself without an envelope (Tazapay's
documentation and examples); errors look like ``{"status": "error", "message": ..., "errors": [{"code", "message",
"remarks"}]}``, any of it missing, or like no JSON at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from tazapay_lightning.errors import (
    APIStatusError,
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestFailedError,
    ServerError,
    UnexpectedResponseError,
)
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.values.json_fields import parse_json

__all__ = ["read_envelope", "seconds_to_wait", "service_time", "status_error"]

_FAILURES = frozenset({"error", "fail", "failed", "failure"})
_MAX_BODY = 2000  # characters of a reply's body that an error keeps
_MAX_MESSAGE = 500  # characters of the service's words that a message repeats

_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}
_NEXT_STEP: Mapping[int, str] = {
    401: "check the API key and secret, and that they belong to this environment: sandbox keys open only the sandbox, "
    "live keys only production",
    403: "the credentials are accepted, but not allowed to do this: see the permissions of the key in the dashboard",
    404: "nothing is there: the id of an invoice belongs to the environment and the account that it was made in, and "
    "base_url is the address of the service without /v3",
    429: "too many requests: slow down, or raise max_retries",
}


def read_envelope(status: int, headers: Mapping[str, str], body: bytes, redaction: Redaction) -> dict[str, object]:
    """Open a reply.

    Args:
        status: the HTTP status.
        headers: the reply's headers.
        body: the reply's body, content encoding already undone.
        redaction: what must not be repeated in an error.

    Returns:
        The envelope, with ``data`` in it: the whole object where the service sent it without an envelope.

    Raises:
        APIStatusError: the subclass that belongs to a status that is not 2xx.
        RequestFailedError: 2xx, and the envelope says that the request failed.
        UnexpectedResponseError: 2xx, and the body is not a JSON object with anything in it to read.
    """
    if not 200 <= status <= 299:
        raise status_error(status, headers, body, redaction)
    envelope = parse_json(body)
    if not isinstance(envelope, dict):
        raise UnexpectedResponseError(f"expected a JSON object in the body of the reply ({status})")
    data = envelope.get("data")
    says_failed = str(envelope.get("status", "")).lower() in _FAILURES
    is_error = says_failed or (data is None and bool(envelope.get("errors")))
    if data is None and "id" in envelope and not is_error:
        return {"data": envelope}  # the object itself, whose `status` is not an envelope's
    if is_error:
        words = _words_of(envelope, redaction)
        raise RequestFailedError(
            f"the service answered {status}, but says that the request failed{_quoted(words)}",
            service_message=words.message,
            code=words.code,
            errors=words.errors,
            with_data=bool(data) or "amount" in envelope,
        )
    if data is None:
        raise UnexpectedResponseError(f"the reply ({status}) holds neither `data` nor an `id`")
    return envelope


def status_error(status: int, headers: Mapping[str, str], body: bytes, redaction: Redaction) -> APIStatusError:
    """Make the error that belongs to a status other than 2xx, whatever the body is."""
    try:
        parsed = parse_json(body)
    except UnexpectedResponseError:  # HTML, empty, cut short: the status alone says enough
        parsed = None
    words = _words_of(parsed if isinstance(parsed, dict) else {}, redaction)
    kind = _BY_STATUS.get(status, InvalidRequestError if 400 <= status <= 499 else ServerError)
    message = f"{status} {_phrase(status)}".rstrip() + _quoted(words)
    if status in _NEXT_STEP:
        message += f"; {_NEXT_STEP[status]}"
    elif 300 <= status <= 399:
        message += "; redirects are not followed: check base_url"
    return kind(
        message,
        status_code=status,
        code=words.code,
        service_message=words.message,
        errors=words.errors,
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


def seconds_to_wait(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110, section 10.2.3): seconds, or a date.

    A date is taken relative to the reply's own ``Date``, so that a wrong clock on either side does not matter.

    Args:
        headers: the reply's headers, names in any case.
        now: the time to count from when the reply has no ``Date``.

    Returns:
        Seconds from now, never negative; None where the header is missing or cannot be read.

    Example:
        >>> seconds_to_wait({"Retry-After": "2"}, now=datetime.now(UTC))
        2.0
        >>> seconds_to_wait(
        ...     {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
        ...     now=datetime.now(UTC),
        ... )
        30.0
    """
    lower = {name.lower(): value.strip() for name, value in headers.items() if name.lower() in {"retry-after", "date"}}
    asked = lower.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    until = _http_date(asked)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(lower.get("date", "")) or now)).total_seconds())


def service_time(headers: Mapping[str, str]) -> datetime | None:
    """Read when the service made a reply (``Date``, RFC 9110, section 6.6.1), aware; None where it does not say.

    Example:
        >>> service_time({"date": "Wed, 21 Oct 2026 07:28:00 GMT"})
        datetime.datetime(2026, 10, 21, 7, 28, tzinfo=datetime.timezone.utc)
    """
    return next((_http_date(value.strip()) for name, value in headers.items() if name.lower() == "date"), None)


@lru_cache(maxsize=8)  # all replies of a second have the same
def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date
    except (ValueError, OverflowError):
        return None


class _Words(NamedTuple):
    """What the service says about an error, redacted."""

    message: str
    code: int | None
    errors: tuple[Mapping[str, object], ...]


def _words_of(envelope: Mapping[str, object], redaction: Redaction) -> _Words:
    try:
        redacted = redaction.mapping(envelope)
    except RecursionError:  # nested beyond what Python walks, which no error of the service is
        redacted = {}
    return _words_in(redacted)


def _words_in(envelope: Mapping[str, object]) -> _Words:
    listed = envelope.get("errors")
    errors = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    messages = [envelope.get("message"), *(entry.get("message") for entry in errors)]
    message = next((text for text in messages if isinstance(text, str) and text.strip()), "")
    codes = (_number(source.get("code")) for source in [*errors, envelope])
    return _Words(
        message=message.strip(),
        code=next((code for code in codes if code is not None), None),
        errors=tuple(errors),
    )


def _number(code: object) -> int | None:
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    if isinstance(code, str) and code.strip().isascii() and code.strip().isdigit() and len(code) <= 20:
        return int(code)
    return None


def _quoted(words: _Words) -> str:
    message = words.message if len(words.message) <= _MAX_MESSAGE else words.message[:_MAX_MESSAGE] + "..."
    return (f": {message}" if message else "") + (f" (code {words.code})" if words.code is not None else "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 520 and others that no standard knows
        return ""
