"""Walk through a document by what its keys are: keywords of OpenAPI, names that somebody chose, or data."""

from collections.abc import Iterator

from codegen.read.documents import JsonObject, JsonValue

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


def places(value: JsonValue, place: str, *, named: bool = False) -> Iterator[tuple[str, JsonObject]]:
    """Find every object whose keys are keywords of OpenAPI, with a JSON pointer to it."""
    if isinstance(value, dict) and not named:
        yield place, value
    for step, member, names in members(value, named=named):
        yield from places(member, f"{place}/{escaped(str(step))}", named=names)


def references(value: JsonValue, place: str, *, named: bool = False) -> Iterator[tuple[str, JsonValue, str]]:
    """Find every `$ref`, with a JSON pointer to what holds it and what is wrong with it; empty if it may be followed.

    Where keys are names, one that is `$ref` is a name like any other, such as that of a property. But tools that follow
    references, among them openapi-spec-validator, look for text behind it and nothing else.

    Examples:
        >>> list(references({"schemas": {"$ref": "https://example.com/"}, "$ref": "other.yaml"}, "#"))
        [('#', 'other.yaml', 'which is never fetched: only references into the document (#/...) work'),
         ('#/schemas', 'https://example.com/', 'which is never followed: no reference may stand here')]
    """
    if isinstance(value, dict) and "$ref" in value:
        reference = value["$ref"]
        is_text = isinstance(reference, str)
        if named and is_text:
            yield place, reference, "which is never followed: no reference may stand here"
        elif not named:
            is_inside = is_text and str(reference).startswith("#")
            yield place, reference, "" if is_inside else _NEVER_FETCHED
    for step, member, names in members(value, named=named):
        yield from references(member, f"{place}/{escaped(str(step))}", named=names)


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


def escaped(step: str) -> str:
    """Write a key as one step of a JSON pointer (RFC 6901).

    Examples:
        >>> escaped("/v3/~x")
        '~1v3~1~0x'
    """
    return step.replace("~", "~0").replace("/", "~1")


def steps_of(place: str, document: JsonValue) -> tuple[str | int, ...]:
    """Turn a JSON pointer into steps; what leads into a list becomes a number.

    Examples:
        >>> steps_of("#/paths/~1a/0", {"paths": {"/a": [1]}})
        ('paths', '/a', 0)
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
