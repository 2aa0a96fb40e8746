"""Request and response types that both backends share, and the state of one call over all its attempts."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from attrs import define, field

from tazapay_lightning import errors
from tazapay_lightning._version import __version__
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.replies import Reply, read_reply, request_id
from tazapay_lightning.transport.retries import full_jitter, may_have_created, wait_after
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.transport.tracebacks import clean

_Result = TypeVar("_Result")
_logger = logging.getLogger("tazapay_lightning")


@define(kw_only=True, eq=False, repr=False)  # a frozen one takes twice as long to make, for each call
class Request:
    """One request, for whichever library carries it. All attempts of a call send the same: nothing changes it."""

    settings: Settings = field(repr=False)  # rich shows fields of classes without a repr, too
    """Of this call."""
    method: str
    path: str
    """With the query, percent-encoded, as generated code says it."""
    _headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    """None for a call that creates nothing."""
    _submitted: tuple[object, ...] = field(default=(), repr=False)
    """What the caller wrote: validation errors can echo it, and it may be about a person."""
    parse: Callable[[int, object], object] = field(repr=False)
    """Makes the generated model of a status and an envelope."""
    redaction: Redaction = field(init=False)

    @redaction.default
    def _of_all_that_is_sent(self) -> Redaction:
        submitted = (*self._submitted, *self.settings.headers.values())
        return Redaction(credentials=self.settings.credentials, submitted=submitted)

    @property
    def url(self) -> str:
        """The whole address."""
        return self.settings.base_url + self.path

    @property
    def headers(self) -> dict[str, str]:
        """All headers. No frame holds them but those of the library that sends them, which are emptied."""
        return {
            "Accept": "application/json",
            "User-Agent": f"tazapay-lightning/{__version__}",
            **self.settings.headers,
            "Accept-Encoding": "identity",
            **self._headers,
            "Authorization": self.settings.credentials.authorization(),
        }


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

    The loop around the requests asks `begin` before each attempt and `failed` after each failed one, and tells both
    the time of one monotonic clock.

    Args:
        request: what is asked, and how long it may take.
        now: the time at which the call began.
        jitter: given the longest wait, returns the wait (full jitter: anything from 0 to it).

    Attributes:
        ends: when the whole call has to be over, on the same clock.
    """

    def __init__(self, request: Request, now: float, jitter: Callable[[float], float] = full_jitter) -> None:
        self.request, self._settings, self._jitter = request, request.settings, jitter
        self.ends = now + request.settings.deadline
        self._name = f"{request.method} {request.path.partition('?')[0]}"
        self._number = 0
        self._may_exist = self._existed_before = False  # an invoice: always while an attempt is under way
        self._attempt_began = now
        self._response: Response | None = None
        self._failure: errors.APIError | None = None
        self._handled = sys.exception()  # by the caller, already

    def begin(self, now: float) -> float:
        """Begin an attempt, and return when it has to be over. One that would begin too late fails as that before it.

        A process can be stopped for as long as it likes between two attempts, and so can a task that waits its turn.
        """
        if self._failure is not None and now >= self.ends:
            raise self._failure
        self._number += 1
        self._existed_before, self._may_exist = self._may_exist, self.request.idempotency_key is not None
        self._attempt_began, self._response = now, None
        return min(now + self._settings.timeout, self.ends)

    def read(self, response: Response, read: Callable[[Reply], _Result]) -> _Result:
        """Return what `read` makes of a response, while no other request has its connection.

        Unless it is what was asked for, the connection is ended: it may be the reply to another request, or be followed
        by a second reply, and the next request would take that for its own.
        """
        try:
            return read(self.reply(response))
        except errors.TazapayError as error:
            with suppress(AttributeError, LookupError, OSError):  # there is none, or it has ended
                response.disconnect()
            if isinstance(error, errors.InvoiceMismatchError) and not self._settings.check_echo:
                return error.invoice  # type: ignore[return-value]  # what finds a mismatch makes invoices
            raise

    def reply(self, response: Response) -> Reply:
        """Read a response, or raise the error that it is: see `read_reply`."""
        self._response = response
        self._log_attempt(response.status)
        request = self.request
        return read_reply(
            *response[:3],
            request.redaction,
            parse=request.parse,
            attempts=self._number,
            idempotency_key=request.idempotency_key,
        )

    def failed(self, error: errors.APIError, now: float) -> float | None:
        """Take a failed attempt, and write the state of the call onto its error.

        Returns:
            Seconds to wait before the next attempt; None if the error is final.
        """
        if self._response is None:
            self._log_attempt(type(error.__cause__ or error).__name__)
        else:
            error.request_id = self.request.redaction.value(request_id(self._response.headers))
        key = error.idempotency_key = self.request.idempotency_key
        error.outcome_unknown = self._may_exist = self._existed_before or (key is not None and may_have_created(error))
        error.attempts = self._number
        self._failure = error
        wait = wait_after(error, self._number, self._jitter)
        if self._number > self._settings.max_retries or not errors.may_be_repeated(error) or now + wait >= self.ends:
            return None
        _logger.info("%s: trying again in %.2f s after: %s", self._name, wait, error.args[0])
        return wait

    def left_by(self, leaving: BaseException) -> BaseException:
        """Return what leaves the call for an exception, with the idempotency key: the one boundary of a call.

        What this package did not raise on purpose becomes an `UnexpectedResponseError`, since the service or the
        network has led to it. Cancellation, Ctrl-C and the like get a note, and leave as they are.
        """
        clean(leaving, self.request.redaction, before=self._handled)
        if isinstance(leaving, Exception) and not isinstance(leaving, errors.TazapayError):
            error = errors.UnexpectedResponseError(f"the reply could not be handled: {type(leaving).__name__}")
            error.__cause__ = leaving
            self.failed(error, time.monotonic())
            return error
        key = self.request.idempotency_key
        if not isinstance(leaving, Exception) and key is not None:
            note = f"idempotency key {key}: {'no invoice was made' if self._number else 'nothing was sent'}"
            if self._may_exist:
                resume = f"to resume, call again with the same arguments and idempotency_key={key!r}"
                note = f"idempotency key {key}: an invoice may exist; {resume}"
            leaving.add_note(note)
            # of a cancelled task nothing may come out: anyio.fail_after raises an error of its own
            if self._may_exist and not isinstance(leaving, KeyboardInterrupt | SystemExit):
                _logger.warning("%s was cancelled; %s", self._name, note)
        return leaving

    def _log_attempt(self, outcome: object) -> None:
        """Write one line for an attempt, without a secret; the key is none."""
        if _logger.isEnabledFor(logging.DEBUG):
            most, key = self._settings.max_retries + 1, self.request.idempotency_key or "-"
            took = 1000 * (time.monotonic() - self._attempt_began)
            line = "%s -> %s, attempt %d of %d, %.0f ms, key %s"
            _logger.debug(line, self._name, outcome, self._number, most, took, key)
