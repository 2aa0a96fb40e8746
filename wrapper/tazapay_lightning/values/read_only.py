"""Mappings inside frozen results: read-only, and for all that picklable and copyable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

Reduced = tuple[Callable[..., Any], tuple[type, dict[str, Any]]]
"""What ``__reduce__`` returns: what makes a result anew, and from what."""


def read_only(mapping: Mapping[str, object]) -> Mapping[str, object]:
    """Return a read-only copy of a mapping."""
    return MappingProxyType(dict(mapping))


def reduced(result: Any) -> Reduced:
    """Return what ``__reduce__`` has to: a mappingproxy cannot be pickled or deep-copied, but made anew from a dict."""
    values = {each.alias: getattr(result, each.name) for each in attrs.fields(type(result))}
    plain = {name: dict(value) if isinstance(value, MappingProxyType) else value for name, value in values.items()}
    return _made, (type(result), plain)


def _made(kind: type, values: dict[str, Any]) -> Any:
    return kind(**values)
