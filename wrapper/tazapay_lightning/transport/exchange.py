"""One call and its attempts, as far as neither httpx nor generated code is needed: what goes along and what comes back.

Generated operations expect of an httpx client a single method, ``request``, and of its response a status, a body and
headers. `Door` and `Reply` are just that, so that every reply passes through `replies.read_envelope` before generated
code parses it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, Self

from attrs import field, frozen

from tazapay_lightning._version import __version__
from tazapay_lightning.errors import UnexpectedResponseError
from tazapay_lightning.transport.backends import content_encoding
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.replies import read_envelope
from tazapay_lightning.transport.retries import Attempts, Limits
from tazapay_lightning.transport.settings import Configuration
from tazapay_lightning.values.json_fields import decode_json_field

__all__ = ["Answer", "Arrived", "Body", "Call", "Door", "Parsed", "Reply", "Request", "log_attempt"]

_logger = logging.getLogger("tazapay_lightning")
MAX_REPLY_BYTES = 8 * 1024 * 1024  # an invoice is a few kilobytes


@frozen(kw_only=True)
class Call:
    """What all attempts of one call share."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    redaction: Redaction
    idempotency_key: str | None
    limits: Limits

    @classmethod
    def build(
        cls,
        configuration: Configuration,
        limits: Limits,
        *,
        submitted: Iterable[object] = (),
        idempotency_key: str | None = None,
    ) -> Call:
        """Prepare a call.

        Args:
            configuration: where to call and as whom.
            limits: how long it may take.
            submitted: what the caller wrote: validation errors can echo it, and it may be about a person.
            idempotency_key: None for a call that creates nothing.
        """
        credentials = configuration.credentials
        return cls(
            base_url=configuration.base_url,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": content_encoding.ACCEPTED,
                "Authorization": credentials.authorization(),
                "User-Agent": f"tazapay-lightning/{__version__}",
            },
            redaction=Redaction(credentials=credentials.secrets(), submitted=submitted),
            idempotency_key=idempotency_key,
            limits=limits,
        )

    def request(
        self, *, method: str, url: str, headers: Mapping[str, str] | None = None, json: object = None
    ) -> Request:
        """Return the request that generated code asks for, with what every request of this call carries."""
        return Request(
            method=method.upper(),
            base_url=self.base_url,
            url=self.base_url + url,
            headers={**self.headers, **(headers or {})},
            content=_json_bytes(json),
            redaction=self.redaction,
        )

    def read(self, arrived: Arrived) -> Reply:
        """Open a reply for generated code, or raise the error that it is."""
        try:
            plain = arrived.body.plain(arrived.headers.get("content-encoding", ""))
        except UnexpectedResponseError:
            if arrived.is_success:
                raise
            plain = b""  # the status alone says enough
        return Reply(read_envelope(arrived.status, arrived.headers, plain, self.redaction), arrived.headers)


@frozen(kw_only=True)
class Request:
    """One request, for whichever library carries it."""

    method: str
    base_url: str
    """What messages name."""
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None
    redaction: Redaction


class Arrived(NamedTuple):
    """One reply, as it came: names of headers in lower case, repeated ones joined."""

    status: int
    headers: Mapping[str, str]
    body: Body

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status <= 299


class Reply:
    """What generated code reads of a response, once the reply has been found good."""

    status_code = 200  # the one status that the document describes; every 2xx means the same here
    content = b""

    def __init__(self, envelope: Mapping[str, object], headers: Mapping[str, str]) -> None:
        self._envelope = envelope
        self.headers = headers

    def json(self) -> Mapping[str, object]:
        """Return the envelope, with ``data`` in it."""
        return self._envelope


class Door:
    """What generated code asks of a client: its httpx client, of which it only calls ``request``."""

    raise_on_unexpected_status = False

    def __init__(self, request: Callable[..., Reply | Awaitable[Reply]]) -> None:
        self.request = request

    def get_httpx_client(self) -> Door:
        """Return what has the method ``request``."""
        return self

    def get_async_httpx_client(self) -> Door:
        """Return what has the method ``request``."""
        return self


class Parsed(Protocol):
    """What generated code makes of a `Reply`."""

    @property
    def headers(self) -> Any:
        """The headers of the reply, as they were."""

    @property
    def parsed(self) -> Any:
        """The generated model of the envelope."""


class Answer(NamedTuple):
    """What the service answered to an operation that succeeded.

    Attributes:
        data: the decoded ``data``.
        headers: of the reply, names in lower case.
    """

    data: Mapping[str, object]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, response: Parsed) -> Self:
        """Read what generated code returns."""
        return cls(decode_json_field(response.parsed.data), response.headers)


class Body:
    """Collects a reply's body, within bounds of size and time."""

    def __init__(self, status: int, ends: float) -> None:
        self._is_success = 200 <= status <= 299
        self._ends = ends
        self._content = bytearray()
        self._is_plain = False

    def add(self, chunk: bytes) -> bool:
        """Take a piece and tell whether more is wanted."""
        self._content += chunk
        if time.monotonic() > self._ends:
            raise TimeoutError("the reply came too slowly")
        if len(self._content) <= MAX_REPLY_BYTES:
            return True
        if self._is_success:
            raise UnexpectedResponseError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
        return False

    def add_plain(self, content: bytes) -> None:
        """Take a whole body that somebody has read and decoded already, such as a hook of the caller's own client."""
        self._is_plain = True
        self.add(content)

    def broke_off(self, failure: Exception) -> None:
        """Go on with what has come if the status already tells that the request failed: it matters more."""
        if self._is_success:
            raise failure

    def plain(self, encoding: str) -> bytes:
        """Return what has come, with its content encoding undone."""
        content = bytes(self._content)
        return content if self._is_plain else content_encoding.undo(encoding, content, most=MAX_REPLY_BYTES)


def _json_bytes(value: object) -> bytes | None:
    """Return JSON as it travels: compact, in UTF-8; nothing where there is no body."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def log_attempt(call: Call, attempts: Attempts, request: Request, outcome: object, started: float) -> None:
    """Write one line for an attempt: no secrets, and of the key only so much as to find it again."""
    if _logger.isEnabledFor(logging.DEBUG):
        _logger.debug(
            "%s %s -> %s, attempt %d of %d, %.0f ms, key %s",
            request.method,
            request.url.removeprefix(request.base_url),
            outcome,
            attempts.number,
            call.limits.max_retries + 1,
            1000 * (time.monotonic() - started),
            (call.idempotency_key or "-")[:8],
        )
