"""Refuse what unfolds into too much where its references are followed, before anything follows them.

A schema that refers twice to a schema that refers twice to the next one is small, and a thousand million schemas once
thirty of them are unfolded. Every part is counted once, so that counting takes as long as reading. References in a
circle are legal: what leads back into itself counts as one.
"""

from collections.abc import Iterator
from typing import TypeAlias

from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import escaped, look_up, members
from codegen.read.units import units

MAX_FIELDS = 100_000
"""What unfolds into more than this is no API but a few schemas that multiply by referring to each other: 43 operations
of Tazapay come to 2,400."""

MAX_HEIGHT = 400
"""So many values, each of which holds or refers to the next one, are no API either; whoever follows them recurses."""

_Part: TypeAlias = tuple[JsonValue, bool]
"""A value, and whether its keys are names that somebody chose."""


def unfolds_into_too_much(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Find the part that unfolds into most if there is too much: a JSON pointer to it, and what is wrong.

    Examples:
        >>> twice = [{"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}] * 2} for n in range(30)]
        >>> schemas = {f"A{n}": schema for n, schema in enumerate(twice)}
        >>> list(unfolds_into_too_much({"components": {"schemas": schemas | {"A30": {"type": "string"}}}}))
        [('#/components/schemas/A0', 'unfolds into more than 100,000 fields: schemas that multiply each other')]
    """
    known: dict[tuple[int, bool], tuple[int, int]] = {}
    counted = {unit: _count(document, (value, False), known) for unit, value in units(document).items()}
    if not counted:
        return
    # a component rather than the operation that refers to it
    part = {"components": 1, "paths": 2}
    worst = max(counted, key=lambda unit: (counted[unit][1] > MAX_HEIGHT, counted[unit][0] // part.get(unit[0], 1)))
    place = "/".join(["#", *map(escaped, worst)])
    if counted[worst][1] > MAX_HEIGHT:
        yield place, f"unfolds into more than {MAX_HEIGHT} levels: each schema refers to another one"
    elif sum(fields for fields, _height in counted.values()) > MAX_FIELDS:
        yield place, f"unfolds into more than {MAX_FIELDS:,} fields: schemas that multiply each other"


def _count(
    document: JsonObject, part: _Part, known: dict[tuple[int, bool], tuple[int, int]], depth: int = 0
) -> tuple[int, int]:
    """Return into how many fields and levels a part unfolds; what leads back into itself counts as one."""
    value, named = part
    key = id(value), named
    if depth > MAX_HEIGHT:
        return 1, depth
    if key not in known:
        known[key] = 1, 1
        fields, height = int(isinstance(value, dict) and not named), 0
        for each in _inner(document, part):
            more, levels = _count(document, each, known, depth + 1)
            fields, height = fields + more, max(height, levels)
        known[key] = fields, height + 1
    return known[key]


def _inner(document: JsonObject, part: _Part) -> Iterator[_Part]:
    value, named = part
    yield from ((member, names) for _step, member, names in members(value, named=named))
    reference = value.get("$ref") if isinstance(value, dict) and not named else None
    found = look_up(document, reference) if isinstance(reference, str) else None
    if found is not None:
        yield found[0], False
