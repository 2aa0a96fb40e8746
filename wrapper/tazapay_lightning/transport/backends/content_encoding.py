"""Undo the compression of a reply, in bounded memory.

A few kilobytes can decompress to gigabytes. httpx would decompress each piece whole before anybody could look at its
size, so it is handed nothing compressed: pieces are collected as they come, and undone here, up to a limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from tazapay_lightning.errors import UnexpectedResponseError

__all__ = ["ACCEPTED", "undo"]

ACCEPTED = "gzip, deflate"

_WINDOWS: Mapping[str, tuple[int, ...]] = {
    "gzip": (31,),  # zlib's way to ask for the gzip format
    "x-gzip": (31,),
    "deflate": (15, -15),  # the zlib format by RFC 9110; some servers send a bare stream
}


def undo(encoding: str, body: bytes, *, most: int) -> bytes:
    """Return what a body was before it was compressed.

    Args:
        encoding: the value of ``Content-Encoding``; empty for none.
        body: the bytes that came.
        most: how many bytes may come out.

    Raises:
        UnexpectedResponseError: for an encoding that was not asked for, damaged or truncated bytes, or more than `most`
            bytes.

    Example:
        >>> undo("deflate", zlib.compress(b"an invoice"), most=100)
        b'an invoice'
        >>> undo("br", b"", most=100)
        Traceback (most recent call last):
        ...
        tazapay_lightning.errors.UnexpectedResponseError: the reply is encoded as 'br', which was not asked for
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in _WINDOWS:
        raise UnexpectedResponseError(f"the reply is encoded as {name[:40]!r}, which was not asked for")
    failure: zlib.error | None = None
    for window in _WINDOWS[name]:
        decompressor = zlib.decompressobj(window)
        try:
            plain = decompressor.decompress(body, most + 1)
        except zlib.error as error:
            failure = error
            continue
        if len(plain) > most:
            raise UnexpectedResponseError(f"the reply decompresses to more than {most} bytes")
        if not decompressor.eof:
            raise UnexpectedResponseError(f"the reply is {name} that was cut short")
        return plain
    raise UnexpectedResponseError(f"the reply is not {name}, although it says so") from failure
