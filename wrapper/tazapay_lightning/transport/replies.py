"""What a response means: ``(status, headers, body)`` to a `Reply`, or to the right error.

Pure functions over plain values. Generated code has no part in it: it knows only the one documented status and takes
whatever is in the body at its word.

The envelope is documented as ``{"status": "success", "message": "", "data": {...}}``. Real ones lack any of the three,
hold ``data`` as an object, as JSON text or as null, or are the object itself without an envelope (Tazapay's
documentation and examples). What errors look like is in `service_errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from tazapay_lightning.errors import RequestFailedError, UnexpectedResponseError
from tazapay_lightning.transport.redaction import Redaction, without_secrets
from tazapay_lightning.transport.service_errors import status_error, words_of
from tazapay_lightning.values.json_fields import decoded, parse_json
from tazapay_lightning.values.read_only import Reduced, read_only, reduced
from tazapay_lightning.values.safe_text import printable

_ENVELOPE = frozenset({"status", "message", "data", "errors", "code"})
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id")
# what a body without an invoice may hold
_NOT_ABOUT_AN_INVOICE = frozenset({"request_id", "trace_id", "timestamp", "path"})
_FAILURES = frozenset({"error", "fail", "failed", "failure"})


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
            problem = f"is not what the document describes ({type(failure).__name__}); see Reply.data"
            raise UnexpectedResponseError(f"the reply {problem}") from failure
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
    if isinstance(envelope, (dict, Mapping)):
        data = envelope.get("data")
        is_object = "id" in envelope and data is None
        # an object without an envelope has a status of its own
        says_failed = str(envelope.get("status", "")).lower() in _FAILURES and not (is_object and "object" in envelope)
        if says_failed or (data is None and envelope.get("errors")):
            words, arguments = words_of(envelope, redaction)
            raise RequestFailedError(
                f"the service answered {status}, but says that the request failed{words}",
                **arguments,
                with_data=bool(data) or not (_ENVELOPE | _NOT_ABOUT_AN_INVOICE).issuperset(envelope),
            )
        if is_object or not ("data" in envelope or _ENVELOPE.issuperset(envelope)):
            data = envelope
    return Reply(status_code=status, headers=without_secrets(headers), data=decoded(data), envelope=envelope, **about)


def request_id(headers: Mapping[str, str]) -> str | None:
    """Find the id of a request. Tazapay documents no header for it: these names are customary."""
    return next((printable(headers[name], most=200) for name in _REQUEST_IDS if headers.get(name)), None)
