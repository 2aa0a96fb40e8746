"""Request and response types that both backends share, and one call with all its attempts."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from attrs import field, frozen

from tazapay_lightning._version import __version__
from tazapay_lightning.errors import APIError, InvoiceMismatchError, TazapayError, UnexpectedResponseError
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.replies import Reply, read_reply, request_id
from tazapay_lightning.transport.retries import Attempts
from tazapay_lightning.transport.settings import Credentials, Settings
from tazapay_lightning.transport.tracebacks import clean

_Result = TypeVar("_Result")
_logger = logging.getLogger("tazapay_lightning")


@frozen(kw_only=True)
class Operation:
    """What one operation asks of the service, as generated code says it."""

    method: str
    path: str
    """With the query, percent-encoded."""
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    """None for a call that creates nothing."""
    submitted: tuple[object, ...] = field(default=(), repr=False)
    """What the caller wrote: validation errors can echo it, and it may be about a person."""
    parse: Callable[[int, object], object] = field(repr=False)
    """Makes the generated model of a status and an envelope."""


@frozen(kw_only=True)
class Request:
    """One request, for whichever library carries it. All attempts of a call send the same."""

    method: str
    base_url: str
    """The address that messages name."""
    url: str
    content: bytes | None = field(repr=False)
    redaction: Redaction
    _headers: Mapping[str, str] = field(repr=False)
    _credentials: Credentials

    @property
    def headers(self) -> dict[str, str]:
        """All headers. No frame holds them but those of the library that sends them, which are emptied."""
        return {**self._headers, "Authorization": self._credentials.authorization()}


class Response(NamedTuple):
    """One response, complete, its content encoding undone."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case, repeated ones joined."""
    body: bytes
    disconnect: Callable[[], object] = lambda: None
    """Ends the connection that the response came on, whoever has it by now."""


class Call:
    """One call: its request, its attempts, and what becomes of them.

    Args:
        operation: what is asked.
        settings: of this call.
    """

    def __init__(self, operation: Operation, settings: Settings) -> None:
        now = time.monotonic()
        self.ends = now + settings.deadline
        """When the whole call has to be over, on the monotonic clock."""
        self.request = _request(operation, settings)
        self._check_echo = settings.check_echo
        self._operation, self._name = operation, f"{operation.method} {operation.path.partition('?')[0]}"
        self._attempts = Attempts(settings, idempotency_key=operation.idempotency_key, now=now)
        self._attempt_began = now
        self._response: Response | None = None
        self._failure: APIError | None = None
        self._handled = sys.exception()  # by the caller, already

    def begin(self) -> float:
        """Begin an attempt, and return when it has to be over. One that would begin too late fails as that before it.

        A process can be stopped for as long as it likes between two attempts, and so can a task that waits its turn.
        """
        now = time.monotonic()
        if self._failure is not None and now >= self.ends:
            raise self._failure
        self._attempt_began, self._response = now, None
        return self._attempts.begin(now)

    def read(self, response: Response, read: Callable[[Reply], _Result]) -> _Result:
        """Return what `read` makes of a response, while no other request has its connection.

        Unless it is what was asked for, the connection is ended: it may be the reply to another request, or be followed
        by a second reply, and the next request would take that for its own.
        """
        try:
            return read(self.reply(response))
        except TazapayError as error:
            with suppress(AttributeError, LookupError, OSError):  # there is none, or it has ended
                response.disconnect()
            if isinstance(error, InvoiceMismatchError) and not self._check_echo:
                return error.invoice  # type: ignore[return-value]  # what finds a mismatch makes invoices
            raise

    def reply(self, response: Response) -> Reply:
        """Read a response, or raise the error that it is: see `read_reply`."""
        self._response = response
        self._log_attempt(response.status)
        return read_reply(
            *response[:3],
            self.request.redaction,
            parse=self._operation.parse,
            attempts=self._attempts.number,
            idempotency_key=self._operation.idempotency_key,
        )

    def failed(self, error: APIError) -> float | None:
        """Take a failed attempt, and return how many seconds to wait before the next; None if the error is final."""
        if self._response is None:
            self._log_attempt(type(error.__cause__ or error).__name__)
        else:
            error.request_id = self.request.redaction.value(request_id(self._response.headers))
        self._failure = error
        wait = self._attempts.wait_after(error, time.monotonic())
        if wait is not None:
            _logger.info("%s: trying again in %.2f s after: %s", self._name, wait, error.args[0])
        return wait

    def left_by(self, leaving: BaseException) -> BaseException:
        """Return what leaves the call for an exception, with the idempotency key: the one boundary of a call.

        What this package did not raise on purpose becomes an `UnexpectedResponseError`, since the service or the
        network has led to it. Cancellation, Ctrl-C and the like get a note, and leave as they are.
        """
        clean(leaving, self.request.redaction, before=self._handled)
        if isinstance(leaving, Exception) and not isinstance(leaving, TazapayError):
            error = UnexpectedResponseError(f"the reply could not be handled: {type(leaving).__name__}")
            error.__cause__ = leaving
            self.failed(error)
            return error
        if not isinstance(leaving, Exception) and self._operation.idempotency_key is not None:
            leaving.add_note(note := self._attempts.note())
            # of a cancelled task nothing may come out: anyio.fail_after raises an error of its own
            if self._attempts.may_exist and not isinstance(leaving, KeyboardInterrupt | SystemExit):
                _logger.warning("%s was cancelled; %s", self._name, note)
        return leaving

    def _log_attempt(self, outcome: object) -> None:
        """Write one line for an attempt, without a secret; the key is none."""
        if _logger.isEnabledFor(logging.DEBUG):
            number, most, key = self._attempts.number, self._attempts.most, self._operation.idempotency_key or "-"
            took = 1000 * (time.monotonic() - self._attempt_began)
            line = "%s -> %s, attempt %d of %d, %.0f ms, key %s"
            _logger.debug(line, self._name, outcome, number, most, took, key)


def _request(operation: Operation, settings: Settings) -> Request:
    submitted = (*operation.submitted, *settings.headers.values())
    return Request(
        method=operation.method,
        base_url=settings.base_url,
        url=settings.base_url + operation.path,
        headers={
            "Accept": "application/json",
            "User-Agent": f"tazapay-lightning/{__version__}",
            **settings.headers,
            "Accept-Encoding": "identity",
            **operation.headers,
        },
        content=operation.content,
        credentials=settings.credentials,
        redaction=Redaction(credentials=settings.credentials, submitted=submitted),
    )
