"""What a response means: ``(status, headers, body)`` to a `Reply`, or to the right error.

Pure functions over plain values. Generated code has no part in it: it knows only the one documented status and takes
whatever is in the body at its word.

The envelope is documented as ``{"status": "success", "message": "", "data": {...}}``. Real ones lack any of the three,
hold ``data`` as an object, as JSON text or as null, or are the object itself without an envelope (Tazapay's
documentation and examples); errors look like ``{"status": "error", "message": ..., "errors": [{"code", "message",
"remarks"}]}``, any of it missing, or like no JSON at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from attrs import field, frozen

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
from tazapay_lightning.transport.redaction import Redaction, without_secrets
from tazapay_lightning.values.json_fields import decoded, parse_json
from tazapay_lightning.values.moments import read_http_date
from tazapay_lightning.values.read_only import Reduced, read_only, reduced
from tazapay_lightning.values.safe_text import printable

__all__ = ["Reply", "read_reply", "request_id", "seconds_to_wait", "status_error"]

_ENVELOPE = frozenset({"status", "message", "data", "errors", "code"})
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id")
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


@frozen(kw_only=True)
class Reply:
    """What the service answered to a call that succeeded. Frozen.

    Attributes:
        status_code: the HTTP status, 200 to 299.
        headers: the reply's headers, names in lower case, without those that carry credentials or cookies.
        data: what the reply is about: the envelope's ``data``, JSON text in it decoded; the whole body where there is
            no envelope; None where there is nothing.
        envelope: the whole body as JSON: usually a mapping with ``status``, ``message`` and ``data``.
        attempts: how many requests were made.
        idempotency_key: the key that was sent; None for calls that create nothing.
    """

    status_code: int
    headers: Mapping[str, str] = field(factory=dict, converter=read_only, repr=False, hash=False)
    data: Any = field(default=None, repr=False, hash=False)
    envelope: Any = field(default=None, repr=False, hash=False)
    attempts: int = 1
    idempotency_key: str | None = None
    _parse: Callable[[int, object], object] | None = field(default=None, repr=False, eq=False)

    @property
    def request_id(self) -> str | None:
        """The id that the service gave the request, for its support; None where it gave none."""
        return request_id(self.headers)

    def parse(self) -> Any:
        """Return the generated model of the whole body, as the document describes it.

        Every 2xx is read as the success that the document describes.

        Raises:
            UnexpectedResponseError: the body is not what the document says.
        """
        try:
            parsed = None if self._parse is None else self._parse(self.status_code, self.envelope)
        except Exception as failure:  # generated code takes a body at its word
            raise UnexpectedResponseError(
                f"the reply is not what the document describes ({type(failure).__name__}); see Reply.data"
            ) from failure
        if parsed is None:
            raise UnexpectedResponseError("the document describes no reply of this kind; see Reply.data")
        return parsed

    def __reduce__(self) -> Reduced:
        return reduced(self)


def read_reply(status: int, headers: Mapping[str, str], body: bytes, redaction: Redaction, **about: Any) -> Reply:
    """Read a response.

    Args:
        status: the HTTP status.
        headers: the response's headers, names in lower case.
        body: the response's body, content encoding already undone.
        redaction: what must not be repeated in an error.
        about: what else the `Reply` tells of the call.

    Raises:
        APIStatusError: the subclass that belongs to a status that is not 2xx.
        RequestFailedError: 2xx, and the envelope says that the request failed.
        UnexpectedResponseError: 2xx, and the body is neither JSON nor empty.
    """
    if not 200 <= status <= 299:
        raise status_error(status, headers, body, redaction)
    envelope = parse_json(body) if body.strip() else None
    data = envelope
    if isinstance(envelope, Mapping):
        data = envelope.get("data")
        says_failed = str(envelope.get("status", "")).lower() in _FAILURES
        if says_failed or (data is None and envelope.get("errors")):
            words = _words_of(envelope, redaction)
            raise RequestFailedError(
                f"the service answered {status}, but says that the request failed{_quoted(words)}",
                service_message=words.message,
                code=words.code,
                errors=words.errors,
                with_data=bool(data) or not _ENVELOPE.issuperset(envelope),
            )
        if data is None and not _ENVELOPE.issuperset(envelope):
            data = envelope  # the object itself, without an envelope
    return Reply(
        status_code=status,
        headers=without_secrets(headers),
        data=decoded(data),
        envelope=envelope,
        **about,
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """Find the id of a request. Tazapay documents no header for it: these names are customary."""
    return next((printable(headers[name], most=200) for name in _REQUEST_IDS if headers.get(name)), None)


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
    until = read_http_date(asked)
    if until is None:
        return None
    return max(0.0, (until - (read_http_date(lower.get("date", "")) or now)).total_seconds())


class _Words(NamedTuple):
    """What the service says about an error, redacted."""

    message: str
    code: int | None
    errors: tuple[Mapping[str, object], ...]
    reasons: tuple[str, ...]
    """What the entries of ``errors`` add to the message."""


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
    message = next((text.strip() for text in messages if isinstance(text, str) and text.strip()), "")
    codes = (_number(source.get("code")) for source in [*errors, envelope])
    return _Words(
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


def _quoted(words: _Words) -> str:
    code = f" (code {words.code})" if words.code is not None else ""
    reasons = "; ".join(words.reasons)
    return "".join(
        (
            f": {printable(words.message, most=_MAX_MESSAGE)}" if words.message else "",
            code,
            f"; {printable(reasons, most=_MAX_MESSAGE)}" if reasons else "",
        )
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 520 and others that no standard knows
        return ""
