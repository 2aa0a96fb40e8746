"""Unfold a schema into its fields, each with a key such as ``data.collect`` or ``items[].price``."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from codegen.drift.overlay_effects import Effects
from codegen.drift.parts import as_dict, as_list, key_step, kinds_of, labelled
from codegen.errors import CodegenError
from codegen.merge.unfolding import MAX_FIELDS
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location, look_up, reference_location

STRUCTURE = frozenset({"$ref", "type", "nullable", "properties", "required", "items", "additionalProperties", "allOf"})
"""What becomes fields, types and what is required."""
BRANCHES = ("oneOf", "anyOf")


@dataclass(frozen=True)
class Field:
    """One field of a request or a reply, or one of its parameters."""

    key: str
    name: str
    """What people call it."""
    kinds: frozenset[str]
    """The JSON types that it may have; empty if nothing is said."""
    required: bool
    location: Location
    keywords: JsonObject = field(default_factory=dict)
    """Everything else that the schema says."""
    places: dict[str, Location] = field(default_factory=dict)
    """Where each of them is said: in the field itself, or in the component that it refers to."""
    component: str = ""
    """The component that it refers to."""
    dangling: str = ""
    """A reference that leads nowhere."""
    overlay: str = ""
    """The action of the overlay that defines the component."""
    is_shown_only: bool = False
    """Whether no schema tells of it but only an example."""
    is_named_only: bool = False
    """Whether a list of what is required names it, and nothing describes it."""
    required_place: Location = ()
    alternatives: dict[str, "Alternative"] = field(default_factory=dict)
    """What each of several schemas, of which one may apply, says of the field: by the schema's place and its type."""


class Alternative(NamedTuple):
    """What one of several schemas says."""

    keywords: JsonObject
    places: dict[str, Location]


@dataclass
class _Flat:
    """A schema with everything that it refers to and is composed of."""

    kinds: set[str] = field(default_factory=set)
    keywords: JsonObject = field(default_factory=dict)
    places: dict[str, Location] = field(default_factory=dict)
    properties: dict[str, tuple[JsonValue, Location]] = field(default_factory=dict)
    required: dict[str, Location] = field(default_factory=dict)
    inner: dict[str, tuple[JsonValue, Location]] = field(default_factory=dict)
    """Schemas of elements ("[]") and of members with any name (".*")."""
    references: tuple[str, ...] = ()
    component: str = ""
    dangling: str = ""
    overlay: str = ""
    alternatives: dict[str, Alternative] = field(default_factory=dict)


class Unfolding:
    """Unfolds the schemas of one operation."""

    def __init__(self, document: JsonObject, effects: Effects) -> None:
        self._document = document
        self._effects = effects
        self._count = 0

    def resolve(self, value: JsonValue, location: Location) -> tuple[JsonValue, Location]:
        """Follow the references of something that is not a schema, such as a parameter."""
        seen = set()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            found = look_up(self._document, reference)
            if found is None:
                break
            value, location = found
        return value, location

    def fields(
        self,
        schema: JsonValue,
        location: Location,
        key: str,
        *,
        name: str = "",
        required: bool = False,
        required_place: Location = (),
        around: tuple[str, ...] = (),
    ) -> Iterator[Field]:
        """Yield the field that a schema describes, and all fields in it.

        Raises:
            CodegenError: There are too many of them.
        """
        self._count += 1
        if self._count > MAX_FIELDS:
            raise CodegenError(
                f"the schema at #/{'/'.join(map(str, location))[:200]} unfolds into more than {MAX_FIELDS} fields:"
                " its components multiply by referring to each other"
            )
        flat = _Flat()
        self._flatten(schema, location, flat, around)
        yield Field(
            key,
            name or key,
            frozenset(flat.kinds),
            required,
            location,
            flat.keywords,
            flat.places,
            flat.component,
            flat.dangling,
            flat.overlay,
            required_place=required_place,
            alternatives=flat.alternatives,
        )
        inside = (*around, *flat.references)
        prefix = "" if key == "(body)" else key
        for part, (inner, place) in flat.inner.items():
            yield from self.fields(inner, place, prefix + part, around=inside)
        for part in sorted(flat.required.keys() - flat.properties.keys()):
            part_key, at = f"{prefix}.{key_step(part)}" if prefix else key_step(part), flat.required[part]
            yield Field(part_key, part_key, frozenset(), True, at, required_place=at, is_named_only=True)
        for part, (inner, place) in flat.properties.items():
            yield from self.fields(
                inner,
                place,
                f"{prefix}.{key_step(part)}" if prefix else key_step(part),
                required=part in flat.required,
                required_place=flat.required.get(part, (*location, "required")),
                around=inside,
            )

    def _flatten(
        self, schema: JsonValue, location: Location, flat: _Flat, around: tuple[str, ...], alternative: str = ""
    ) -> None:
        """Gather what a schema says; what it says itself wins over what it refers to.

        An alternative is named if the schema is one of several of which one may apply.
        """
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            self._refer(reference, flat, around, alternative)
        for index, part in enumerate(as_list(schema.get("allOf"))):
            self._flatten(part, (*location, "allOf", index), flat, around, alternative)
        for keyword in BRANCHES:
            for index, (label, part) in enumerate(labelled(schema.get(keyword))):
                inside = f"{alternative}{keyword} {label} "
                flat.alternatives.setdefault(inside, Alternative({}, {}))
                self._flatten(part, (*location, keyword, index), flat, around, inside)
        flat.kinds |= kinds_of(schema)
        if schema.get("nullable") is True and flat.kinds:  # OpenAPI 3.0
            flat.kinds.add("null")
        for property_name, inner in as_dict(schema.get("properties")).items():
            said = flat.properties.get(property_name)
            differs = alternative and said is not None and not equal(said[0], inner)
            kept: JsonValue = {"anyOf": [said[0], inner]} if differs and said is not None else inner  # each may apply
            flat.properties[property_name] = (kept, (*location, "properties", property_name))
        for index, name in enumerate(as_list(schema.get("required"))):
            if isinstance(name, str) and not alternative:
                flat.required[name] = (*location, "required", index)
        if isinstance(schema.get("items"), dict):
            flat.inner["[]"] = (schema["items"], (*location, "items"))
        free = schema.get("additionalProperties")
        if isinstance(free, dict) and free:
            flat.inner[".*"] = (free, (*location, "additionalProperties"))
        for keyword, value in schema.items():
            keywords, places = flat.alternatives[alternative] if alternative else (flat.keywords, flat.places)
            is_closed = keyword == "additionalProperties" and value is False
            if keyword not in STRUCTURE or is_closed or (alternative and keyword == "required"):
                keywords[keyword] = value
                places[keyword] = (*location, keyword)

    def _refer(self, reference: str, flat: _Flat, around: tuple[str, ...], alternative: str) -> None:
        flat.component = flat.component or reference.rpartition("/")[2]
        if reference in around or reference in flat.references:  # it holds itself: what is in it was listed above
            flat.kinds.add("object")
            return
        flat.references = (*flat.references, reference)
        found = look_up(self._document, reference)
        if found is None:
            place = reference_location(reference)
            added = None if place is None else self._effects.definition(place)
            if place is None or added is None:
                flat.dangling = reference
                return
            flat.overlay = added[1]
            found = added[0], place
        self._flatten(found[0], found[1], flat, around, alternative)
