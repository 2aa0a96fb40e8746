"""Count what a document unfolds into where its references are followed, before anything follows them.

A schema that refers twice to a schema that refers twice to the next one is small, and a thousand million schemas once
thirty of them are unfolded. Every part is counted once, so that counting takes as long as reading. References in a
circle are legal: what leads back into itself counts as one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from codegen.errors import CodegenError
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.places import members
from codegen.read.references import look_up
from codegen.read.units import Unit, title, units

MAX_FIELDS = 20_000
"""What unfolds into more than this is no part of an API but a few schemas that multiply by referring to each other."""

MAX_IN_ALL = 200_000
"""What the operations of a document may unfold into together: those of an API with 300 of them have a tenth of it."""

MAX_HEIGHT = 200
"""So many schemas, each of which holds or refers to the next one, are no API either; tools recurse into them."""

_COMPOSED = ("allOf", "anyOf", "oneOf", "items", "not")
"""What openapi-spec-validator follows for every part of an `allOf`, each time anew."""

_Part: TypeAlias = tuple[JsonValue, bool]
"""A value, and whether its keys are names that somebody chose."""


@dataclass(frozen=True)
class Unfolded:
    """What a value and all that it refers to amount to."""

    fields: int
    height: int
    is_circular: bool
    """Whether it leads back into itself."""

    @property
    def is_too_much(self) -> bool:
        """Whether it is beyond a limit of this module."""
        return self.fields > MAX_FIELDS or self.height > MAX_HEIGHT

    def __str__(self) -> str:
        """Say what is too much, for messages."""
        if self.fields > MAX_FIELDS:
            return f"unfolds into more than {MAX_FIELDS:,} fields: schemas multiply by referring to each other"
        return f"unfolds into more than {MAX_HEIGHT} levels: each schema refers to another one"


class Unfolding:
    """Counts the parts of one document, each of them once."""

    def __init__(self, inner: Callable[[_Part], Iterator[_Part]]) -> None:
        """Take what yields the parts that a part holds or refers to."""
        self._inner = inner
        self._known: dict[tuple[int, bool], Unfolded] = {}

    def of(self, value: JsonValue, *, named: bool = False) -> Unfolded:
        """Return what a value unfolds into; no recursion, since what is counted may be as deep as it likes."""
        top = (value, named)
        open_parts: dict[tuple[int, bool], None] = {}
        waiting: list[tuple[_Part, list[_Part] | None]] = [(top, None)]
        while waiting:
            part, parts = waiting.pop()
            key = _key(part)
            if parts is not None:
                del open_parts[key]
                self._known[key] = self._sum(part, parts)
            elif key not in self._known and key not in open_parts:
                open_parts[key] = None
                parts = list(self._inner(part))
                waiting.append((part, parts))
                waiting += [(each, None) for each in reversed(parts)]
        return self._known[_key(top)]

    def _sum(self, part: _Part, parts: list[_Part]) -> Unfolded:
        # What is not known yet is still open: it is around this part, and referred to from inside.
        known = [self._known.get(_key(each), _BACK) for each in parts]
        weight = 1 if isinstance(part[0], dict) and not part[1] else 0
        return Unfolded(
            weight + sum(each.fields for each in known),
            weight + max((each.height for each in known), default=0),
            any(each.is_circular for each in known),
        )


_BACK = Unfolded(1, 1, True)


def _key(part: _Part) -> tuple[int, bool]:
    return id(part[0]), part[1]


def by_composition(document: JsonObject) -> Unfolding:
    """Count what `allOf`, `anyOf`, `oneOf`, `items` and `not` compose, as openapi-spec-validator does.

    Examples:
        >>> schemas = {"A": {"allOf": [{"$ref": "#/components/schemas/B"}] * 3}, "B": {"type": "object"}}
        >>> by_composition({"components": {"schemas": schemas}}).of(schemas["A"]).fields
        7
    """

    def inner(part: _Part) -> Iterator[_Part]:
        value = part[0]
        if isinstance(value, list):
            yield from ((each, False) for each in value)
        elif isinstance(value, dict):
            target = list(_referred_to(document, value))  # beside a reference the validator sees nothing
            yield from target or ((value[key], False) for key in _COMPOSED if key in value)

    return Unfolding(inner)


def by_fields(document: JsonObject) -> Unfolding:
    """Count all that a part holds and refers to, data aside, as whoever lists its fields does.

    Examples:
        >>> schemas = {"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}, "b": {"type": "string"}}}}
        >>> by_fields({"components": {"schemas": schemas}}).of(schemas["A"])
        Unfolded(fields=4, height=3, is_circular=True)
    """

    def inner(part: _Part) -> Iterator[_Part]:
        value, named = part
        yield from ((member, names) for _step, member, names in members(value, named=named))
        if isinstance(value, dict) and not named:
            yield from _referred_to(document, value)

    return Unfolding(inner)


def refuse_multiplying(document: JsonObject, at: Callable[[Unit], str]) -> None:
    """Refuse a document of which a part unfolds into more than any API has.

    Args:
        document: Any document that `codegen.read.documents` reads.
        at: Says where a part stands.

    Raises:
        CodegenError: Names the part that unfolds into most: a component, or an operation if no component does; or the
            operation with which the whole document unfolds into too much.
    """
    counts = by_fields(document)
    parts = units(document)
    unfolded = {unit: counts.of(value) for unit, value in parts.items()}
    for key in ("components", "paths"):
        refused = {unit: each for unit, each in unfolded.items() if unit[0] == key and each.is_too_much}
        if refused:
            worst = max(refused, key=lambda unit: (refused[unit].fields, refused[unit].height))
            raise CodegenError(f"{at(worst)}: {title(worst)} {refused[worst]}")
    total = 0
    for unit, each in unfolded.items():
        if unit[0] == "paths":
            fields = _on_every_way(document, parts[unit]) if each.is_circular else each.fields
            if fields > MAX_FIELDS:
                raise CodegenError(f"{at(unit)}: {title(unit)} {Unfolded(fields, 0, True)}")
            total += fields
        if total > MAX_IN_ALL:
            problem = f"with {title(unit)} the operations unfold into more than {MAX_IN_ALL:,} fields"
            raise CodegenError(f"{at(unit)}: {problem}")


def _on_every_way(document: JsonObject, value: JsonValue) -> int:
    """Count a part with circles in it as whoever lists its fields does: up to where a way leads back."""
    fields = 0
    nothing: frozenset[str] = frozenset()
    waiting = [((value, False), nothing)]
    while waiting and fields <= MAX_FIELDS:
        (each, named), around = waiting.pop()
        waiting += [((member, names), around) for _step, member, names in members(each, named=named)]
        if isinstance(each, dict) and not named:
            fields += 1
            reference = str(each.get("$ref"))
            if reference not in around:
                waiting += [(part, around | {reference}) for part in _referred_to(document, each)]
    return fields


def _referred_to(document: JsonObject, value: JsonObject) -> Iterator[_Part]:
    reference = value.get("$ref")
    found = look_up(document, reference) if isinstance(reference, str) else None
    if found is not None:
        yield found[0], False
