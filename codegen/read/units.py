"""The parts that an OpenAPI document is merged by: operations, components, and whatever else stands beside them."""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from codegen.read.references import references, steps_of
from codegen.read.values import JsonObject, JsonValue, shown

Unit = tuple[str, ...]
"""The keys that lead to a part: `("paths", "/v3/x", "post")`, `("components", "schemas", "X")`, `("info",)`."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""In the order in which the specification lists them."""


def units(document: JsonObject) -> dict[Unit, JsonValue]:
    """Take a document apart.

    Examples:
        >>> sorted(units({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}, "components": {"schemas": {"A": {}}}}))
        [('components', 'schemas', 'A'), ('openapi',), ('paths', '/a', 'get')]
    """
    return dict(_units(document))


def path_shape(path: str) -> str:
    """Return a path without the names of its parameters, which the generator may change.

    Examples:
        >>> path_shape("/v3/lightning_invoice_bolt11/{id}"), path_shape("/v3/lightning_invoice_bolt11/{id_}")
        ('/v3/lightning_invoice_bolt11/{}', '/v3/lightning_invoice_bolt11/{}')
    """
    return re.sub(r"\{[^{}]*\}", "{}", path)


def joined(parts: Mapping[Unit, JsonValue]) -> JsonObject:
    """Put a document together again, in the order of its parts; what held no part is gone.

    Examples:
        >>> document = {"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}
        >>> joined(units(document)) == document
        True
    """
    document: JsonObject = {}
    for unit, value in parts.items():
        holder = document
        for step in unit[:-1]:
            inner = holder.setdefault(step, {})
            if isinstance(inner, dict):
                holder = inner
        holder[unit[-1]] = value
    return document


def _units(document: JsonObject) -> Iterator[tuple[Unit, JsonValue]]:
    for key, value in document.items():
        if key in {"paths", "components"} and isinstance(value, dict):
            for outer, members in value.items():
                if isinstance(members, dict) and not outer.startswith("x-"):
                    yield from (((key, outer, inner), member) for inner, member in members.items())
                else:
                    yield (key, outer), members
        else:
            yield (key,), value


def is_operation(unit: Unit) -> bool:
    """Tell an operation from what its path says about all of its operations."""
    return unit[0] == "paths" and len(unit) == 3 and unit[2] in METHODS


def title(unit: Unit) -> str:
    """Return what messages call a part.

    Examples:
        >>> title(("paths", "/v3/x", "post")), title(("components", "schemas", "X")), title(("info",))
        ('POST /v3/x', '#/components/schemas/X', 'info')
    """
    if is_operation(unit):
        return shown(f"{unit[2].upper()} {unit[1]}")
    return shown("#/" + "/".join(unit) if unit[0] == "components" else " of ".join(reversed(unit[1:])) or unit[0])


def order(unit: Unit) -> tuple[object, ...]:
    """Sort parts by it: the same order whatever the order of the arguments was."""
    method = METHODS.index(unit[2]) if is_operation(unit) else -1
    return (unit[0] == "components", unit[:2], method, unit)


def canonical(value: JsonValue) -> str:
    """Return the same text for values that are equal as JSON, whatever the order of their keys.

    Examples:
        >>> canonical({"a": 1, "b": [True]}) == canonical({"b": [True], "a": 1}), canonical(True) == canonical(1)
        (True, False)
    """
    return json.dumps(value, sort_keys=True)


def used_parts(value: JsonValue) -> set[Unit]:
    """Return the parts that a part refers to.

    Examples:
        >>> used_parts({"$ref": "#/components/schemas/X/properties/a"})
        {('components', 'schemas', 'X')}
    """
    found = (reference for _, reference, _ in references(value) if isinstance(reference, str))
    return {tuple(map(str, steps_of(unquote(reference))[:3])) for reference in found}
