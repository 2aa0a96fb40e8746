"""Tells listeners what happens in an emulator, so that none has to ask again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import field, frozen

Listener = Callable[[object], None]
"""Takes what happened: a finished request, an attempt of a webhook, or None for any other change."""


@frozen(eq=False)
class Activity:
    """What happens in one part of the emulator. Safe to share between threads.

    Example:
        >>> activity, heard = Activity(), []
        >>> with activity.listened_by(heard.append):
        ...     activity.tell("a change")
        >>> activity.tell("another one")
        >>> heard
        ['a change']
    """

    _listeners: list[Listener] = field(factory=list, init=False, repr=False)

    def tell(self, news: object = None) -> None:
        """Call every listener, in the thread of the caller: a listener must be quick and must not raise."""
        for listener in tuple(self._listeners):
            listener(news)

    @property
    def is_heard(self) -> bool:
        """Whether there is a listener: without one, nobody needs news to be prepared."""
        return bool(self._listeners)

    @contextmanager
    def listened_by(self, listener: Listener) -> Iterator[None]:
        """Call this listener within the block."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
