"""What carries a request: httpx, aiohttp, and the connections and guards that both need.

The first call loads them. Python locks a module while it is loaded, and in a child that another thread forks meanwhile
it would stay locked for ever: so a fork waits until it is loaded.
"""

import os
from functools import cache
from importlib import import_module
from threading import RLock
from types import ModuleType

loading = RLock()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release)


HTTPX = ("tazapay_lightning.transport.backends.httpx", "httpcore", "certifi")  # the two it loads when it needs them


@cache  # later calls meet no lock
def load(name: str, *others: str) -> ModuleType:
    """Load a module, and others that it needs later, unless a fork is under way. Return the module."""
    with loading:
        for other in others:
            import_module(other)
        return import_module(name)
