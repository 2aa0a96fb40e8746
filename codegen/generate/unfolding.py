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

MAX_HEIGHT = 200
"""So many schemas, each of which holds or refers to the next one, are no API either; tools recurse into them."""

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
    counted = {unit: _count(document, value, known) for unit, value in units(document).items()}
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


def _count(document: JsonObject, value: JsonValue, known: dict[tuple[int, bool], tuple[int, int]]) -> tuple[int, int]:
    """Return into how many fields and levels a value unfolds; without recursion: it may be as deep as it likes."""
    waiting: list[tuple[_Part, list[_Part] | None]] = [((value, False), None)]
    opened = set()
    while waiting:
        part, inner = waiting.pop()
        key = id(part[0]), part[1]
        if inner is not None:
            # what is not known yet is around this part, and referred to from inside
            counts = [known.get((id(each), named), (1, 1)) for each, named in inner]
            weight = 1 if isinstance(part[0], dict) and not part[1] else 0
            most = max((height for _fields, height in counts), default=0)
            known[key] = weight + sum(fields for fields, _height in counts), weight + most
        elif key not in known and key not in opened:
            opened.add(key)
            parts = list(_inner(document, part))
            waiting.append((part, parts))
            waiting += [(each, None) for each in reversed(parts)]
    return known[id(value), False]


def _inner(document: JsonObject, part: _Part) -> Iterator[_Part]:
    value, named = part
    yield from ((member, names) for _step, member, names in members(value, named=named))
    reference = value.get("$ref") if isinstance(value, dict) and not named else None
    found = look_up(document, reference) if isinstance(reference, str) else None
    if found is not None:
        yield found[0], False
