"""A deadline that also holds for a blocking socket.

httpx bounds each read of a socket, but not their sum, so a reply whose head comes byte by byte would outlast every
limit. Asynchronous calls need none of this: they are cancelled from outside.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

__all__ = ["bound_reads", "reads_end_at"]


class _OfThisThread(threading.local):
    ends = math.inf  # on the monotonic clock


_reads = _OfThisThread()


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


def bound_reads(event: str, info: Mapping[str, Any]) -> None:
    """Bound the reads of each new connection: a callback for the ``trace`` extension of a request (httpcore)."""
    stream: Any = info.get("return_value")
    if hasattr(stream, "start_tls"):  # a network stream: plain after connecting, and once more within TLS
        stream.read = partial(_read_in_time, stream.read)


def _read_in_time(read: Callable[..., bytes], max_bytes: int, timeout: float | None = None) -> bytes:
    left = _reads.ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("the reply came too slowly")
    if timeout is not None:
        left = min(timeout, left)
    return read(max_bytes, timeout=left if left < math.inf else None)
