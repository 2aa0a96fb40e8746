"""Modules that are loaded when they are needed, and not while the process forks.

Python locks a module while it is loaded, and in a child that another thread forks meanwhile it would stay locked for
ever. So what a call needs and the package does not load at first is loaded within `loading`, for which a fork waits.
What is loaded already takes no lock: a thread may call while it holds another one, for which the fork waits.
"""

import logging  # noqa: F401 - registered first: a fork takes the lock registered last first, and loading needs logging's
import os
from functools import cache
from importlib import import_module
from threading import RLock
from types import ModuleType

loading = RLock()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release)


@cache  # later calls meet no lock
def load(name: str, *others: str) -> ModuleType:
    """Load a module, and others that it needs later, once no fork is under way. Return the module."""
    with loading:
        for other in others:
            import_module(other)
        return import_module(name)
