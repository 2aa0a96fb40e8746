"""Tells open pages that an order changed, within this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Changes"]


class Changes:
    """Wakes whoever listens to an order. It carries no state: who is woken reads the store.

    A change that another process made, or one that came between two looks, is seen at the next look, so listeners
    look now and then even if nobody wakes them.
    """

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.closing = False

    def tell(self, order_id: str) -> None:
        """Wake everybody who listens to this order."""
        for listener in self._listeners.get(order_id, ()):
            listener.set()

    def close(self) -> None:
        """Wake everybody for the last time: streams must end before a server can."""
        self.closing = True
        for order_id in list(self._listeners):
            self.tell(order_id)

    @contextmanager
    def listening(self, order_id: str) -> Iterator[asyncio.Event]:
        """Listen to an order: the event is set when it changed, and whoever waits for it clears it."""
        listener = asyncio.Event()
        self._listeners[order_id].add(listener)
        try:
            yield listener
        finally:
            self._listeners[order_id].discard(listener)
            if not self._listeners[order_id]:
                del self._listeners[order_id]
