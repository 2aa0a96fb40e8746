"""Collect the body of a reply, in bounded memory and time."""

from __future__ import annotations

import io
import time
import zlib
from contextlib import AbstractContextManager, nullcontext, suppress

from tazapay_lightning._loading import load
from tazapay_lightning.errors import UnexpectedResponseError

MAX_REPLY_BYTES = 8 * 1024 * 1024
"""The longest body that is read; an invoice is a few kilobytes."""

_MEMBER, _MAX_MEMBERS = b"\x1f\x8b\x08", 100  # of a gzip: each takes time, and may be empty


class Body:
    """Collects a body as it comes.

    Args:
        status: of the reply: an error is understood without a whole body.
        ends: when it has to be complete, on the monotonic clock.

    Attributes:
        is_success: of the status. If not, it tells already that the request failed, and the body may break off.
    """

    def __init__(self, status: int, ends: float) -> None:
        self.is_success = 200 <= status <= 299
        self._ends = ends
        self._content = bytearray()
        self._is_decoded = False

    def add(self, chunk: bytes) -> bool:
        """Take a piece and tell whether more is wanted."""
        self._content += chunk
        if time.monotonic() > self._ends:
            raise TimeoutError("the reply came too slowly")
        if len(self._content) <= MAX_REPLY_BYTES:
            return True
        if self.is_success:
            raise UnexpectedResponseError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
        return False

    def add_decoded(self, content: bytes) -> None:
        """Take a whole body that was read and decoded already, by a hook of the caller's own client."""
        self._is_decoded = True
        self.add(content)

    def breaking_off(self, *failures: type[Exception]) -> AbstractContextManager[object]:
        """Within the block, let failures end only the body if the status tells already that the request failed."""
        return nullcontext() if self.is_success else suppress(*failures)

    def decoded(self, content_encoding: str) -> bytes:
        """Return the body with its content encoding undone; of an error, nothing if that cannot be done."""
        if self._is_decoded or not content_encoding:
            return bytes(self._content)
        try:
            return without_gzip(content_encoding, self._content, most=MAX_REPLY_BYTES)
        except UnexpectedResponseError:
            if self.is_success:
                raise
            return b""


def without_gzip(content_encoding: str, body: bytes | bytearray, *, most: int) -> bytes:
    """Undo gzip, which is not asked for and may come all the same; any other encoding is left as it is.

    A few kilobytes of gzip can hold gigabytes, so no library is let decompress a reply before its size is known.

    Args:
        content_encoding: the header's value; empty for none.
        body: the bytes that came.
        most: how many bytes may come out.

    Raises:
        UnexpectedResponseError: for bytes that are no whole gzip, or that hold more than `most` bytes.

    Example:
        >>> import gzip
        >>> without_gzip("gzip", gzip.compress(b"an ") + gzip.compress(b"invoice"), most=100)
        b'an invoice'
    """
    named = [each.strip() for each in content_encoding.lower().split(",")]
    codings = [each for each in named if each != "identity"]
    # a list is taken at its word only if the bytes agree
    is_gzip = codings in (["gzip"], ["x-gzip"]) and (len(named) == 1 or body.startswith(_MEMBER))
    if not body or not is_gzip:
        return bytes(body)
    if body.count(_MEMBER) > _MAX_MEMBERS:
        raise UnexpectedResponseError(f"the reply is gzip of more than {_MAX_MEMBERS} members")
    try:
        with load("gzip").GzipFile(fileobj=io.BytesIO(body)) as members:
            plain: bytes = members.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnexpectedResponseError("the reply is not whole gzip, although it says so") from error
    if len(plain) > most:
        raise UnexpectedResponseError(f"the reply decompresses to more than {most} bytes")
    return plain
