"""Unfold a document, and walk two of them side by side."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from codegen.errors import CodegenError
from codegen.generate.package_checks import path_shape
from codegen.generate.unfolding import MAX_FIELDS
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.places import members
from codegen.read.references import Location, look_up
from codegen.read.units import METHODS

WORDS = frozenset({"description", "summary", "example", "examples", "externalDocs", "$comment"})
"""What explains and binds nobody, where it is a keyword and not the name of a field."""

OperationId: TypeAlias = tuple[str, str, int]
"""Method, shape of the path, and how many operations of the document have both before it: what makes it the same."""


class Unfolded(dict[str, JsonValue]):
    """An object of a document with what it refers to, beside the reference."""

    place: Location = ()
    """Where it stands: for a reference, what that leads to."""
    is_dangling: bool = False
    """Whether it refers to what the document does not hold."""


@dataclass
class Unfolding:
    """Puts beside each reference what it leads to, unless it leads into itself or nowhere."""

    document: JsonObject
    reached: set[str] = field(default_factory=set)
    """The references that lead somewhere."""
    _parts: int = 0

    def of(self, value: JsonValue, place: Location, around: frozenset[str] = frozenset()) -> JsonValue:
        """Return a value of the document with all that it refers to.

        Raises:
            CodegenError: That is more than any document of an API has.
        """
        if isinstance(value, list):
            return [self.of(each, (*place, index), around) for index, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise CodegenError(f"the document unfolds into more than {MAX_FIELDS:,} parts: schemas multiply")
        unfolded = Unfolded()
        unfolded.place = place
        if isinstance(reference := value.get("$ref"), str) and reference not in around:
            found = look_up(self.document, reference)
            unfolded.is_dangling = found is None
            target = self.of(*found, around | {reference}) if found else None
            if isinstance(target, Unfolded):
                unfolded.update(target)
                unfolded.place, unfolded.is_dangling = target.place, target.is_dangling
                self.reached.add(reference)
        unfolded.update((key, self.of(each, (*place, key), around)) for key, each in value.items())
        return unfolded


@dataclass(frozen=True)
class Node:
    """A place in a document, where something stands or not."""

    value: JsonValue = None
    place: Location = ()
    exists: bool = True

    def at(self, key: str) -> "Node":
        """Return the member of an object."""
        holder = self.value if isinstance(self.value, dict) else {}
        value, place = holder.get(key), (*self.place, key)
        return Node(value, value.place if isinstance(value, Unfolded) else place, key in holder)

    @property
    def is_dangling(self) -> bool:
        """Whether it refers to what the document does not hold."""
        return isinstance(self.value, Unfolded) and self.value.is_dangling


NOTHING = Node(exists=False)


@dataclass(frozen=True)
class Pair:
    """The same place in two documents."""

    old: Node
    new: Node

    def at(self, key: str) -> "Pair":
        """Return a member of both."""
        return Pair(self.old.at(key), self.new.at(key))

    @property
    def keys(self) -> list[str]:
        """The keys of either, in a fixed order."""
        return sorted({key for node in (self.old, self.new) if isinstance(node.value, dict) for key in node.value})

    @property
    def place(self) -> Location:
        """Where it is in the new document; in the old one if it was removed."""
        return self.new.place if self.new.exists else self.old.place

    @property
    def change(self) -> str:
        """Whether it came, went, or is another."""
        return "changed" if self.old.exists and self.new.exists else "new" if self.new.exists else "gone"

    @property
    def are_objects(self) -> bool:
        """Whether both hold members, or are not there."""
        return all(isinstance(node.value, dict) or not node.exists for node in (self.old, self.new))

    @property
    def is_same(self) -> bool:
        """Whether both say the same."""
        return self.old.exists == self.new.exists and equal(self.old.value, self.new.value)

    @property
    def is_only_words(self) -> bool:
        """Whether what differs is words and examples only."""
        old, new = without_words(self.old.value), without_words(self.new.value)
        return self.old.exists == self.new.exists and equal(old, new)


def operations_of(document: Node) -> dict[OperationId, Node]:
    """Return the operations of a document, in its order, each at the place of its path."""
    found, seen = {}, Counter[tuple[str, str]]()
    paths = document.at("paths")
    for path in paths.value if isinstance(paths.value, dict) else ():
        for method in METHODS:
            operation = Node(paths.at(path).at(method).value, ("paths", path, method))
            if isinstance(operation.value, dict):
                shape = shape_of(operation)
                found[*shape, seen[shape]] = operation
                seen[shape] += 1
    return found


def shape_of(operation: Node) -> tuple[str, str]:
    """Return the method and the path without the names of its parameters."""
    return str(operation.place[2]), path_shape(str(operation.place[1]))


def name_of(operation: Node) -> str:
    """Return method and path, the way people write them."""
    _, path, method = operation.place
    return f"{str(method).upper()} {path}"


def without_words(value: JsonValue, *, named: bool = False) -> JsonValue:
    """Return a value without words and examples.

    Examples:
        >>> without_words({"properties": {"summary": {"type": "string", "summary": "A field"}}})
        {'properties': {'summary': {'type': 'string'}}}
    """
    if not isinstance(value, dict | list):
        return value
    inner = {step: without_words(member, named=names) for step, member, names in members(value, named=named)}
    if isinstance(value, list):
        return list(inner.values())
    return {key: inner.get(key, member) for key, member in value.items() if named or key not in WORDS}


def kinds_of(schema: JsonValue) -> frozenset[str]:
    """Return the JSON types that a schema allows, from what it says and what it implies; none if it leaves them open.

    Examples:
        >>> sorted(kinds_of({"type": "string", "nullable": True})), sorted(kinds_of({"items": {}})), kinds_of({})
        (['null', 'string'], ['array'], frozenset())
    """
    if not isinstance(schema, dict):
        return frozenset()
    said = schema.get("type")
    kinds = {str(kind) for kind in (said if isinstance(said, list) else [said]) if kind is not None}
    if not kinds:
        kinds = {kind for kind, keyword in (("object", "properties"), ("array", "items")) if keyword in schema}
    return frozenset(kinds | {"null"} if kinds and schema.get("nullable") is True else kinds)


def places_that_differ(old: JsonValue, new: JsonValue, place: Location = ()) -> Iterator[Location]:
    """Yield the innermost places in which two values differ.

    Examples:
        >>> list(places_that_differ({"a": [1, 2], "b": 1}, {"a": [1, 3]}))
        [('a', 1), ('b',)]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key in old and key in new:
                yield from places_that_differ(old[key], new[key], (*place, key))
            else:
                yield (*place, key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from places_that_differ(was, now, (*place, index))
    elif not equal(old, new):
        yield place
