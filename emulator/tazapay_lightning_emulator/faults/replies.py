"""Replies with faults: pure functions from a reply to a reply, or to bytes."""

from __future__ import annotations

import gzip
import http
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

from attrs import evolve, frozen

from tazapay_lightning_emulator.api.replies import Code, Problem, compact_json, error_body

_SPACES = b" " * 65_536
"""The filling of large bodies: JSON allows any amount of whitespace, so a client that reads it all gets the reply."""


@frozen
class Reply:
    """A reply of the application. Header names are in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, content_type: str, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Reply:
        """A reply with its Content-Length."""
        named = (("content-type", content_type), ("content-length", str(len(body))), *headers)
        return cls(status, tuple((name.encode(), value.encode()) for name, value in named), body)

    def with_body(self, body: bytes) -> Reply:
        """The same reply with another body and its Content-Length."""
        return evolve(self.with_length(len(body)), body=body)

    def with_length(self, length: int) -> Reply:
        """The same reply with another Content-Length."""
        return self.without_length().with_header("content-length", str(length))

    def without_length(self) -> Reply:
        """The same reply without Content-Length."""
        return evolve(self, headers=tuple(each for each in self.headers if each[0] != b"content-length"))

    def with_header(self, name: str, value: str) -> Reply:
        """The same reply with one more header."""
        return evolve(self, headers=(*self.headers, (name.encode(), value.encode())))

    def head(self, epoch_seconds: float) -> bytes:
        """The head in HTTP/1.1, dated with this time."""
        try:
            phrase = http.HTTPStatus(self.status).phrase
        except ValueError:  # a status without a standard phrase, such as 520
            phrase = ""
        date = (b"date", formatdate(epoch_seconds, usegmt=True).encode())
        lines = [b": ".join(header) for header in (date, *self.headers)]
        return b"\r\n".join([f"HTTP/1.1 {self.status} {phrase}".encode(), *lines, b"", b""])


def error_reply(
    status: int, *, retry_after: int | None = None, as_date: bool = False, epoch_seconds: float = 0
) -> Reply:
    """An error in the documented shape with any status.

    Args:
        status: 400 to 599.
        retry_after: the seconds in Retry-After; None for no such header.
        as_date: write Retry-After as a date, rounded up to a whole second.
        epoch_seconds: the time from which `as_date` counts.
    """
    # most statuses have no documented code; these are the nearest
    code = Code.TOO_MANY_REQUESTS if status == 429 else Code.BAD_JSON if status < 500 else Code.INTERNAL
    body = error_body("the emulator was told to fail", [Problem(code, f"status {status}", "try again")])
    headers: list[tuple[str, str]] = []
    if retry_after is not None:
        date = formatdate(math.ceil(epoch_seconds + retry_after), usegmt=True)
        headers = [("retry-after", date if as_date else str(retry_after))]
    return Reply.of(status, "application/json", body, headers)


def html_reply(status: int) -> Reply:
    """An HTML page, as a gateway or a captive portal sends it."""
    page = f"<!DOCTYPE html>\n<html><head><title>{status}</title></head><body><h1>Please stand by</h1></body></html>\n"
    return Reply.of(status, "text/html; charset=utf-8", page.encode())


def cut_short(reply: Reply) -> Reply:
    """Half of the body, which is never JSON, with the Content-Length of that half."""
    return reply.with_body(half(reply.body))


def half(body: bytes) -> bytes:
    """The first half, rounded down, so never all of it."""
    return body[: len(body) // 2]


def with_bad_gzip(reply: Reply, form: str) -> Reply:
    """Content-Encoding: gzip with a body that is not gzip ("not_gzip") or half of one ("truncated")."""
    body = reply.body if form == "not_gzip" else half(gzip.compress(reply.body, mtime=0))
    return reply.with_header("content-encoding", "gzip").with_body(body)


def with_another_amount(reply: Reply, difference: int) -> Reply:
    """The same reply with another amount; one without an amount stays as it is."""
    amount = amount_in(reply.body)
    return reply if amount is None else with_fields(reply, amount=amount + difference)


def with_fields(reply: Reply, **fields: object) -> Reply:
    """The same reply with other fields of its invoice; one without an invoice stays as it is."""
    envelope = json.loads(reply.body)
    invoice = _invoice_in(envelope)
    if not invoice:
        return reply
    changed = {**invoice, **fields}
    envelope["data"] = compact_json(changed) if isinstance(envelope["data"], str) else changed
    return reply.with_body(compact_json(envelope).encode())


def amount_in(body: bytes) -> int | None:
    """The amount of the invoice in a reply's body, in satoshi; None if there is none.

    Example:
        >>> amount_in(b'{"status":"success","message":"","data":{"amount":21}}')
        21
        >>> amount_in(b'{"status":"error","message":"not found","errors":[]}')
    """
    amount = _invoice_in(json.loads(body)).get("amount")
    return amount if isinstance(amount, int) else None


def _invoice_in(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    data = envelope.get("data")
    invoice = json.loads(data) if isinstance(data, str) else data
    return invoice if isinstance(invoice, dict) else {}


def padded(body: bytes, size: int) -> Iterator[bytes]:
    """The body after as many spaces as make it this size in bytes, in pieces.

    Example:
        >>> b"".join(padded(b"{}", 5))
        b'   {}'
    """
    blanks = max(0, size - len(body))
    for _ in range(blanks // len(_SPACES)):
        yield _SPACES
    yield _SPACES[: blanks % len(_SPACES)]
    yield body


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """One gzip of all pieces, in pieces: neither the input nor the output is ever held in memory as a whole."""
    compressor = zlib.compressobj(9, wbits=31)  # 31: the gzip format
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
