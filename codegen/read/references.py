"""Follow references inside a document (JSON pointers, RFC 6901, in the form of URI fragments)."""

from typing import TypeAlias
from urllib.parse import unquote

from codegen.read.documents import JsonValue

Location: TypeAlias = tuple[str | int, ...]
"""The steps from the top of a document to a place in it."""


def look_up(document: JsonValue, reference: str) -> tuple[JsonValue, Location] | None:
    """Follow a reference inside the document (``#/components/schemas/A``); None if it leads nowhere.

    Examples:
        >>> look_up({"a": [{"b/c": 1}]}, "#/a/0/b~1c"), look_up({}, "#/a"), look_up({}, "other.yaml#/a")
        ((1, ('a', 0, 'b/c')), None, None)
    """
    location = reference_location(reference)
    if location is None:
        return None
    value = document
    found: list[str | int] = []
    for step in location:
        if isinstance(value, dict) and step in value:
            found.append(str(step))
            value = value[str(step)]
        elif isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
            found.append(int(step))
            value = value[int(step)]
        else:
            return None
    return value, tuple(found)


def reference_location(reference: str) -> Location | None:
    """Return the steps of a reference into the document; None for one that leads out of it."""
    first, *steps = unquote(reference).split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps) if first == "#" else None
