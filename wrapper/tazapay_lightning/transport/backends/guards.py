"""What httpx does not guard by itself: a deadline over all reads of a blocking socket, and surplus bytes.

httpx bounds each read of a socket, but not their sum, so a reply whose head comes byte by byte would outlast every
limit. Asynchronous calls need no such bound: they are cancelled from outside.

A peer that sends two replies to one request leaves the second for the next request: the invoice of one order would be
shown to the payer of another. httpcore looks for what is still in the socket. Bytes that were read already are
reached by private attributes only; if one is renamed one day, they are not found, and a test fails.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

_reads = threading.local()  # `ends`, on the monotonic clock, while a request of this thread is under way


@contextmanager
def reads_end_at(ends: float) -> Iterator[None]:
    """Within the block, let no read of this thread from a bounded connection go on after `ends`.

    Raises:
        TimeoutError: from the read that would.
    """
    _reads.ends = ends
    try:
        yield
    finally:
        _reads.ends = math.inf


def bound_reads(info: Mapping[str, Any]) -> None:
    """Bound the reads of each new connection, as httpcore's ``trace`` extension tells of it."""
    stream: Any = info.get("return_value")
    if hasattr(stream, "start_tls"):  # a network stream: plain after connecting, and once more within TLS
        stream.read = partial(_read_in_time, stream.read)


def _read_in_time(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
    left = getattr(_reads, "ends", math.inf) - time.monotonic()
    if left <= 0:
        raise TimeoutError("the reply came too slowly")
    if timeout is not None:
        left = min(timeout, left)
    return read(max_bytes, timeout=left if left < math.inf else None)


def disconnect(extensions: Mapping[str, Any]) -> None:
    """End the connection of a response, at once and for all.

    A thread can be given a connection while it ends. httpcore would not mind that it cannot write the request, and read
    what is left from before, so writing fails in a way that it does not know.
    """
    stream = extensions["network_stream"]
    stream.write = _refuse_to_write
    stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _refuse_to_write(*request: object, **options: object) -> NoReturn:
    raise OSError("the connection was ended, because a reply on it was another request's")


def has_unread_bytes(connection: object, response: Any) -> bool:
    """Tell whether more came than the reply: the next request would take it for its own.

    Args:
        connection: a transport of httpx whose only reply was just read.
        response: that reply.
    """
    stream = response.extensions["network_stream"]
    layer: Any = getattr(stream, "_stream", None)  # anyio's, for asyncio: what arrived before it was asked for
    while hasattr(layer, "transport_stream"):
        layer = layer.transport_stream
    pooled = getattr(getattr(connection, "_pool", None), "connections", ())
    parsers = [getattr(getattr(each, "_connection", None), "_h11_state", None) for each in pooled]
    return (
        _holds_more(stream.get_extra_info("ssl_object"))
        or bool(getattr(getattr(layer, "_protocol", None), "read_queue", None))
        or any(getattr(parser, "trailing_data", (b"",))[0] for parser in parsers)
    )


def _holds_more(encryption: object) -> bool:
    """Tell whether TLS holds more than was read from it; that of a blocking socket reads no further than asked."""
    if not isinstance(encryption, ssl.SSLObject):
        return False
    try:
        encryption.read(1)
    except ssl.SSLWantReadError:
        return False
    except (OSError, ValueError):  # the other side has ended the connection
        return True
    return True
