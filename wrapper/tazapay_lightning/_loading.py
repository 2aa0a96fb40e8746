"""Modules that are loaded when they are needed, and never while the process forks.

Python locks a module while it is loaded, and in a child that another thread forks meanwhile it would stay locked for
ever. So whatever is loaded within a function is loaded within `loading`, which a fork waits for.
"""

import logging  # noqa: F401 - to load, modules need its lock, and of all locks a fork waits first for the last one
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
    """Load a module, and others that it needs later, unless a fork is under way. Return the module."""
    with loading:
        for other in others:
            import_module(other)
        return import_module(name)
