"""Server-sent events: an open page learns of a change the moment it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from examples.checkout.changes import Changes

__all__ = ["status_stream"]

_LOOK_ANYWAY_SECONDS = 15.0
_RECONNECT_MILLISECONDS = 2000


async def status_stream(
    changes: Changes, order_id: str, read: Callable[[], Mapping[str, object]]
) -> AsyncIterator[str]:
    """Yield the status of an order now, and again whenever it differs from what was sent.

    Args:
        changes: tells when to look.
        order_id: of the order.
        read: returns its status.
    """
    sent = None
    yield f"retry: {_RECONNECT_MILLISECONDS}\n\n"
    with changes.listening(order_id) as changed:
        while not changes.closing:
            changed.clear()  # before reading, so that a change during it is not missed
            status = json.dumps(read())
            # the comment keeps proxies from closing a silent connection, and notices when nobody is there any more
            yield ": still here\n\n" if status == sent else f"event: status\ndata: {status}\n\n"
            sent = status
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _LOOK_ANYWAY_SECONDS)
