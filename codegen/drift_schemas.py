"""Unfold a schema into its fields, each with a key such as ``data.collect`` or ``items[].price``."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from codegen.documents import JsonObject, JsonValue
from codegen.drift_overlay import Effects
from codegen.errors import CodegenError
from codegen.references import Location, look_up, reference_location

MAX_FIELDS = 20_000
"""An operation with more fields than this is no API but a few schemas that multiply by referring to each other."""

_STRUCTURE = frozenset({"$ref", "type", "nullable", "properties", "required", "items", "additionalProperties", "allOf"})
"""What becomes fields, types and what is required."""
_BRANCHES = ("oneOf", "anyOf")


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
    required_place: Location = ()


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


def key_step(name: str) -> str:
    """Write the name of a field as one step of a key, in which dots, brackets and parentheses mean something.

    Examples:
        >>> key_step("d_tag_memo"), key_step("a.b[0]")
        ('d_tag_memo', 'a%2Eb%5B0]')
    """
    return "".join(f"%{ord(character):02X}" if character in "%.[(" else character for character in name)


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
        )
        inside = (*around, *flat.references)
        prefix = "" if key == "(body)" else key
        for part, (inner, place) in flat.inner.items():
            yield from self.fields(inner, place, prefix + part, around=inside)
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
        self, schema: JsonValue, location: Location, flat: _Flat, around: tuple[str, ...], *, optional: bool = False
    ) -> None:
        """Gather what a schema says; what it says itself wins over what it refers to."""
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            self._refer(reference, flat, around, optional=optional)
        for index, part in enumerate(_list(schema.get("allOf"))):
            self._flatten(part, (*location, "allOf", index), flat, around, optional=optional)
        for keyword in _BRANCHES:
            for index, part in enumerate(_list(schema.get(keyword))):
                self._flatten(part, (*location, keyword, index), flat, around, optional=True)
        flat.kinds |= _kinds(schema)
        if schema.get("nullable") is True and flat.kinds:  # OpenAPI 3.0
            flat.kinds.add("null")
        for property_name, inner in _dict(schema.get("properties")).items():
            flat.properties[property_name] = (inner, (*location, "properties", property_name))
        for index, name in enumerate(_list(schema.get("required"))):
            if isinstance(name, str) and not optional:
                flat.required[name] = (*location, "required", index)
        if isinstance(schema.get("items"), dict):
            flat.inner["[]"] = (schema["items"], (*location, "items"))
        free = schema.get("additionalProperties")
        if isinstance(free, dict) and free:
            flat.inner[".*"] = (free, (*location, "additionalProperties"))
        for keyword, value in schema.items():
            # of several schemas one may apply: what each of them says of itself is compared as it stands, below oneOf
            if not optional and (keyword not in _STRUCTURE or (keyword == "additionalProperties" and value is False)):
                flat.keywords[keyword] = value
                flat.places[keyword] = (*location, keyword)

    def _refer(self, reference: str, flat: _Flat, around: tuple[str, ...], *, optional: bool) -> None:
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
        self._flatten(found[0], found[1], flat, around, optional=optional)


def _kinds(schema: JsonObject) -> set[str]:
    """Return the JSON types that a schema allows, from what it says and what it implies."""
    said = schema.get("type")
    kinds = {kind for kind in (said if isinstance(said, list) else [said]) if isinstance(kind, str)}
    if not kinds:
        values = [*_list(schema.get("enum")), *([schema["const"]] if "const" in schema else [])]
        kinds = {kind_of(value) for value in values}
        kinds |= {"object"} if "properties" in schema or "additionalProperties" in schema else set()
        kinds |= {"array"} if "items" in schema else set()
    return kinds


def kind_of(value: JsonValue) -> str:
    """Return the JSON type of a value.

    Examples:
        >>> [kind_of(value) for value in (None, True, 1, 1.5, "", [], {})]
        ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']
    """
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _dict(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
