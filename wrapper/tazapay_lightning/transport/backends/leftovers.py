"""Whether a connection of httpx holds more than the reply that was read from it.

A peer that sends two replies to one request, or half of another one, leaves them for whoever asks next: the invoice of
one order would be shown to the payer of another. What is still in the socket httpcore looks for itself. The rest is
kept where nothing public leads to; what is called otherwise one day is not found, does no harm, and fails a test.
"""

from __future__ import annotations

import ssl
from typing import Any

__all__ = ["says_more"]


def says_more(connection: object, response: Any) -> bool:
    """Tell whether more came than the reply: the next request would take it for the answer to itself.

    Args:
        connection: a transport of httpx whose only reply was just read.
        response: that reply.
    """
    stream = response.extensions["network_stream"]
    if _holds_more(stream.get_extra_info("ssl_object")):
        return True
    layer: Any = getattr(stream, "_stream", None)  # anyio's, for asyncio: what arrived before anybody asked for it
    while hasattr(layer, "transport_stream"):
        layer = layer.transport_stream
    if getattr(getattr(layer, "_protocol", None), "read_queue", None):
        return True
    for pooled in getattr(getattr(connection, "_pool", None), "connections", ()):
        parser = getattr(getattr(pooled, "_connection", None), "_h11_state", None)
        if getattr(parser, "trailing_data", (b"",))[0]:
            return True
    return False


def _holds_more(encryption: object) -> bool:
    """Tell whether TLS was handed more than it was asked for; sockets that encrypt by themselves take no more."""
    if not isinstance(encryption, ssl.SSLObject):
        return False
    try:
        encryption.read(1)
    except ssl.SSLWantReadError:
        return False
    except (OSError, ValueError):  # the other side has said goodbye
        return True
    return True
