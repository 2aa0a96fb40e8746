"""The stream of server-sent events that tells an open page to look again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from tazapay_lightning_emulator.dashboard.parts import Parts
from tazapay_lightning_emulator.serving.connections import Connection

_PAUSE_SECONDS = 0.5  # changes within it are told together: a run of many requests must not be slowed down by the page
_SIGN_OF_LIFE_SECONDS = 15.0
_RECONNECT_MILLISECONDS = 1000


async def changes(parts: Parts, connection: Connection | None) -> AsyncIterator[str]:
    """Yield an event now, and one after each change, until the client or the server leaves.

    Args:
        parts: tell when something changes.
        connection: the client's; None under a server other than the emulator's own. Such a server may wait for every
            reply when it stops, so the stream then ends by itself in a quiet moment, and the page opens it again.
    """
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: object) -> None:
        with suppress(RuntimeError):  # the event loop is closed already
            loop.call_soon_threadsafe(changed.set)

    if connection is not None:
        connection.is_not_waited_for = True
    yield f"retry: {_RECONNECT_MILLISECONDS}\n\n"
    with parts.listened_by(wake):
        while True:
            changed.clear()  # before the page looks, so that a change meanwhile is not missed
            yield "data: changed\n\n"
            await asyncio.sleep(_PAUSE_SECONDS)
            while not changed.is_set():
                try:
                    await asyncio.wait_for(changed.wait(), _SIGN_OF_LIFE_SECONDS)
                except TimeoutError:
                    if connection is None:
                        return
                    yield ": still here\n\n"  # notices when nobody is there any more
