"""Walk through a document by what its keys are, and follow the references in it (JSON pointers, RFC 6901).

A key is a keyword of OpenAPI, a name that somebody chose, or data.
"""

from collections.abc import Iterator
from typing import TypeAlias
from urllib.parse import unquote

from codegen.read.values import JsonObject, JsonValue

Location: TypeAlias = tuple[str | int, ...]
"""The steps from the top of a document to a place in it: keys, and indexes of lists."""

_DATA = frozenset({"const", "default", "enum", "example", "value", "variables"})
"""Keywords below which everything is data, or (server `variables`) needs its default: no schema is in there."""

_NAMED = frozenset(
    {
        *("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"),
        *("schemas", "responses", "requestBodies", "headers", "securitySchemes", "links", "callbacks", "pathItems"),
        *("paths", "webhooks", "content", "encoding", "mapping", "scopes", "examples", "parameters"),
    }
)
"""Keywords whose keys are names that somebody chose: a property may be called `default`."""

_NEVER_FETCHED = "which is never fetched: only references into the document (#/...) work"


def members(value: JsonValue, *, named: bool) -> Iterator[tuple[str | int, JsonValue, bool]]:
    """Yield what a value holds, data aside: each with its key or index, and whether its own keys are names.

    Args:
        value: Any value of a document.
        named: Whether its keys are names that somebody chose, and not keywords.

    Examples:
        >>> list(members({"properties": {"default": {}}, "default": 5}, named=False))
        [('properties', {'default': {}}, True)]
    """
    if isinstance(value, list):
        yield from ((index, element, False) for index, element in enumerate(value))
    elif isinstance(value, dict):
        for key, member in value.items():
            # `examples` is a map of example objects in most places, but a list of plain data in a schema
            data = key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(member, list))
            if named or not data:
                yield key, member, not named and key in _NAMED


def _objects(value: JsonValue, place: str, *, named: bool = False) -> Iterator[tuple[str, JsonObject, bool]]:
    """Yield every object with a JSON pointer to it, and whether its keys are names."""
    if isinstance(value, dict):
        yield place, value, named
    for step, member, names in members(value, named=named):
        yield from _objects(member, f"{place}/{escaped(str(step))}", named=names)


def places(value: JsonValue, place: str = "#") -> Iterator[tuple[str, JsonObject]]:
    """Find every object whose keys are keywords of OpenAPI, with a JSON pointer to it."""
    return ((pointer, found) for pointer, found, named in _objects(value, place) if not named)


def references(value: JsonValue, place: str = "#") -> Iterator[tuple[str, JsonValue, str]]:
    """Find every `$ref`, with a JSON pointer to what holds it and what is wrong with it; empty if it may be followed.

    Where keys are names, one that is `$ref` is a name like any other, such as that of a property. But tools that follow
    references, among them openapi-spec-validator, look for text behind it and nothing else.

    Examples:
        >>> list(references({"schemas": {"$ref": "https://example.com/"}, "$ref": "other.yaml"}))
        [('#', 'other.yaml', 'which is never fetched: only references into the document (#/...) work'),
         ('#/schemas', 'https://example.com/', 'which is never followed: no reference may stand here')]
    """
    for pointer, found, named in _objects(value, place):
        reference = found.get("$ref")
        if named and isinstance(reference, str):
            yield pointer, reference, "which is never followed: no reference may stand here"
        elif not named and "$ref" in found:
            is_inside = isinstance(reference, str) and reference.startswith("#")
            yield pointer, reference, "" if is_inside else _NEVER_FETCHED


def look_up(document: JsonValue, reference: str) -> tuple[JsonValue, Location] | None:
    """Follow a reference inside the document (``#/components/schemas/A``); None if it leads nowhere.

    Examples:
        >>> look_up({"a": [{"b/c": 1}]}, "#/a/0/b~1c"), look_up({}, "#/a"), look_up({}, "other.yaml#/a")
        ((1, ('a', 0, 'b/c')), None, None)
    """
    reference = unquote(reference)
    value, steps = document, steps_of(reference, document)
    for step in steps:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[str(step)]
        else:
            return None
    return (value, steps) if reference.partition("/")[0] == "#" else None


def steps_of(place: str, document: JsonValue = None) -> Location:
    """Turn a JSON pointer into steps; what leads into a list of the document becomes a number.

    Examples:
        >>> steps_of("#/paths/~1a/0", {"paths": {"/a": [1]}}), steps_of("#/a/0")
        (('paths', '/a', 0), ('a', '0'))
    """
    steps: list[str | int] = []
    for step in place.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            steps.append(int(key))
            document = document[int(key)]
        else:
            steps.append(key)
            document = document.get(key) if isinstance(document, dict) else None
    return tuple(steps)


def pointer_to(location: Location) -> str:
    """Write a location as a JSON pointer in the form of a URI fragment.

    Examples:
        >>> pointer_to(("paths", "/v3/a", "get", "parameters", 0))
        '#/paths/~1v3~1a/get/parameters/0'
    """
    return "/".join(["#", *(escaped(str(step)) for step in location)])


def escaped(step: str) -> str:
    """Write a key as one step of a JSON pointer.

    Examples:
        >>> escaped("/v3/~x")
        '~1v3~1~0x'
    """
    return step.replace("~", "~0").replace("/", "~1")
