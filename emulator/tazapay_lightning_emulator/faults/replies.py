"""How a fault spoils a reply: pure functions from a reply to a reply, or to bytes."""

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

_PIECE = b" " * 65_536
"""What large bodies are filled with: JSON allows any number of blanks, so a reader who takes it all gets the truth."""


@frozen
class Reply:
    """A reply as the application made it. Names of headers are in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, content_type: str, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Reply:
        """A reply with its Content-Length."""
        named = (("content-type", content_type), ("content-length", str(len(body))), *headers)
        return cls(status, tuple((name.encode(), value.encode()) for name, value in named), body)

    def with_body(self, body: bytes) -> Reply:
        """The same reply with another body, and with the length of it."""
        return evolve(self.with_length(len(body)), body=body)

    def with_length(self, length: int) -> Reply:
        """The same reply, said to be of another length."""
        return self.without_length().with_header("content-length", str(length))

    def without_length(self) -> Reply:
        """The same reply, saying nothing of its length."""
        return evolve(self, headers=tuple(each for each in self.headers if each[0] != b"content-length"))

    def with_header(self, name: str, value: str) -> Reply:
        """The same reply with one more header."""
        return evolve(self, headers=(*self.headers, (name.encode(), value.encode())))

    def head(self, now: float) -> bytes:
        """The head as HTTP/1.1 writes it; `now` is in seconds since the epoch."""
        try:
            phrase = http.HTTPStatus(self.status).phrase
        except ValueError:  # 520 and others that no standard knows
            phrase = ""
        date = (b"date", formatdate(now, usegmt=True).encode())
        lines = [b": ".join(header) for header in (date, *self.headers)]
        return b"\r\n".join([f"HTTP/1.1 {self.status} {phrase}".encode(), *lines, b"", b""])


def error_reply(status: int, *, retry_after: int | None = None, as_date: bool = False, now: float = 0) -> Reply:
    """An error in the documented shape, with any status.

    Args:
        status: 400 to 599.
        retry_after: seconds to ask for in Retry-After; None for no such header.
        as_date: ask with a date instead of seconds, rounded up: a whole second is all that a date can tell.
        now: in seconds since the epoch.
    """
    # for most statuses no code is documented: these are of the right family
    code = Code.TOO_MANY_REQUESTS if status == 429 else Code.BAD_JSON if status < 500 else Code.INTERNAL
    body = error_body("the emulator was told to fail", [Problem(code, f"status {status}", "try again")])
    asked: list[tuple[str, str]] = []
    if retry_after is not None:
        date = formatdate(math.ceil(now + retry_after), usegmt=True)
        asked = [("retry-after", date if as_date else str(retry_after))]
    return Reply.of(status, "application/json", body, asked)


def html_reply(status: int) -> Reply:
    """A page as a gateway or a captive portal shows it."""
    page = f"<!DOCTYPE html>\n<html><head><title>{status}</title></head><body><h1>Please stand by</h1></body></html>\n"
    return Reply.of(status, "text/html; charset=utf-8", page.encode())


def cut_short(reply: Reply) -> Reply:
    """Half of the body, which is never JSON, with the length of that half."""
    return reply.with_body(half(reply.body))


def half(body: bytes) -> bytes:
    """The first half, and never all of it."""
    return body[: len(body) // 2]


def with_bad_gzip(reply: Reply, form: str) -> Reply:
    """Said to be a gzip, and none ("not_gzip") or only half of one ("truncated")."""
    body = reply.body if form == "not_gzip" else half(gzip.compress(reply.body, mtime=0))
    return reply.with_header("content-encoding", "gzip").with_body(body)


def with_another_amount(reply: Reply, difference: int) -> Reply:
    """The same invoice with another amount; a reply without an amount stays as it is."""
    amount = amount_in(reply.body)
    if amount is None:
        return reply
    envelope = json.loads(reply.body)
    changed = {**_invoice_in(envelope), "amount": amount + difference}
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
    """The body after so many blanks that it is of this size, in pieces.

    Example:
        >>> b"".join(padded(b"{}", 5))
        b'   {}'
    """
    blanks = max(0, size - len(body))
    for _ in range(blanks // len(_PIECE)):
        yield _PIECE
    yield _PIECE[: blanks % len(_PIECE)]
    yield body


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """One gzip of all pieces, made as it goes: neither what goes in nor what comes out is ever kept."""
    compressor = zlib.compressobj(9, wbits=31)  # 31: with the head and the tail of a gzip
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
