"""What httpx does not guard by itself: a deadline over all steps of a blocking socket, and surplus bytes.

httpx bounds each step of a socket (a read, a write, a TLS handshake), but not their sum: a reply whose head comes byte
by byte, or a peer that takes a long request in small pieces, would outlast every limit. So the socket itself is told
when its request ends. Asynchronous calls need no such bound: they are cancelled from outside.

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
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn

_thread = threading.local()  # `request`: refers to the `_Ends` of the request that is under way


class _Ends(float):
    """When a request has to be over, on the monotonic clock. Its block alone holds it.

    So it is gone with the block, even if a signal handler raises before the block could tidy up.
    """


@contextmanager
def steps_end_at(ends: float) -> Iterator[None]:
    """Within the block, let no step of this thread on a bounded socket go on after `ends`.

    Raises:
        TimeoutError: from the step that would.
    """
    before = getattr(_thread, "request", None)  # a hook, or a signal handler, may make a call within a call
    own = _Ends(ends)
    _thread.request = weakref.ref(own)
    try:
        yield
    finally:
        _thread.request = before


class _InTime:
    """A socket that is given no more time than its request has left.

    httpcore gives it some before each step. Within TLS to a proxy there is TLS to the service, which takes many steps
    in the time given for one.
    """

    __slots__ = ()

    def settimeout(self, value: float | None) -> None:
        request = getattr(_thread, "request", None)
        ends = request and request()
        left = math.inf if ends is None else ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time was up")
        if left < math.inf:
            value = left if value is None else min(value, left)
        super().settimeout(value)  # type: ignore[misc]  # of the socket's class

    def recv(self, *given: Any) -> Any:
        self.settimeout(self.gettimeout())  # type: ignore[attr-defined]  # of the socket's class, like the others
        return super().recv(*given)  # type: ignore[misc]  # see above

    def send(self, *given: Any) -> Any:
        self.settimeout(self.gettimeout())  # type: ignore[attr-defined]  # see above
        return super().send(*given)  # type: ignore[misc]  # see above


@lru_cache
def _in_time(kind: type) -> type:
    return type(kind.__name__, (_InTime, kind), {"__slots__": ()})


def bound_steps(info: Mapping[str, Any]) -> None:
    """Bound the steps of each new connection, as httpcore's ``trace`` extension tells of it."""
    stream: Any = info.get("return_value")  # a network stream: plain after connecting, and once more within TLS
    sock = stream.get_extra_info("socket") if hasattr(stream, "get_extra_info") else None
    if isinstance(sock, socket.socket) and not isinstance(sock, _InTime):
        kind: Any = type(sock)
        sock.__class__ = _in_time(kind)  # it is httpcore's, and cannot be replaced


class AddressesInTime:
    """Connects to the addresses of a name, one after the other, in the time for one connection.

    Each gets its share of what is left, so that one that does not answer leaves time for the next; httpcore would wait
    for each of them as long as for all.

    Args:
        network: httpcore's way to connect.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def connect_tcp(self, host: str, port: int, timeout: float, **options: Any) -> Any:
        """Return httpcore's stream to the first address that answers, or raise the failure of the last."""
        ends = time.monotonic() + timeout
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        while True:
            share = max(0.001, (ends - time.monotonic()) / len(addresses))
            try:
                return self._network.connect_tcp(addresses.pop(0), port, timeout=share, **options)
            except Exception:
                if not addresses:
                    raise


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


def has_unread_bytes(connection: object, stream: Any) -> bool:
    """Tell whether more came than the reply: the next request would take it for its own.

    Args:
        connection: a transport of httpx whose only reply was just read.
        stream: its network stream.
    """
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
