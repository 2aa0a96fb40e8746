"""The values of a document, each with its place, and with what its references lead to.

A reference is never followed into itself, and what a document unfolds into is counted: a small one may be huge.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from codegen.errors import CodegenError
from codegen.generate.unfolding import MAX_FIELDS
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location, look_up, members
from codegen.read.units import METHODS, path_shape

WORDS = frozenset({"description", "summary", "example", "examples", "externalDocs", "$comment"})
"""What explains and binds nobody, where it is a keyword and not the name of a field."""

SHARED = ("parameters", "servers")
"""What a path says for its operations, and they are compared with."""

MOST_PARTS = 2 * MAX_FIELDS  # counted in each operation that refers to them, words and examples too


class Node(NamedTuple):
    """A value of the document, and the references that led to it."""

    value: JsonValue
    place: Location
    around: frozenset[str] = frozenset()

    def at(self, step: str) -> "Node":
        """Return what it holds there; None if nothing."""
        held = self.value if isinstance(self.value, dict) else {}
        return Node(held.get(step), (*self.place, step), self.around)


class Operation(NamedTuple):
    """An operation, with what its path says about all of its operations."""

    path: str
    method: str
    item: Node

    @property
    def name(self) -> str:
        """Method and path, the way people write them."""
        return f"{self.method.upper()} {self.path}"

    @property
    def shape(self) -> tuple[str, str]:
        """The method and the path without the names of its parameters."""
        return self.method, path_shape(self.path)

    @property
    def whole(self) -> JsonValue:
        """All that is said of it, as it is written."""
        return [self.node.value, *(self.item.at(key).value for key in SHARED)]

    def said(self, keyword: str) -> JsonValue:
        """Return what is said of it under a keyword."""
        return self.node.at(keyword).value

    @property
    def node(self) -> Node:
        """What is said, at its own place."""
        return Node(self.item.at(self.method).value, ("paths", self.path, self.method))


@dataclass
class Nodes:
    """All values of one document."""

    document: JsonObject
    reached: set[Location] = field(default_factory=set)
    """Where the references that were followed lead to."""
    _parts: int = 0

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return the operations by shape; a second one of the same shape by its own path."""
        found: dict[tuple[str, str], Operation] = {}
        paths = Node(self.document, ()).at("paths")
        for path in paths.value if isinstance(paths.value, dict) else ():
            item = self.resolved(paths.at(path))
            for method in METHODS:
                if isinstance(item.at(method).value, dict):
                    operation = Operation(path, method, item)
                    found[(method, path) if operation.shape in found else operation.shape] = operation
        return found

    def resolved(self, node: Node) -> Node:
        """Put beside a reference what it leads to, unless it leads into itself or nowhere."""
        reference = node.value.get("$ref") if isinstance(node.value, dict) else None
        if not isinstance(reference, str) or reference in node.around:
            return node
        found = look_up(self.document, reference)
        if found is None:
            return node
        self.reached.add(found[1])
        target = self.resolved(Node(*found, node.around | {reference}))
        if not isinstance(target.value, dict) or not isinstance(node.value, dict):
            return node
        return target._replace(value={**target.value, **node.value})

    def unfolded(self, node: Node) -> JsonValue:
        """Return a value with all that it refers to."""
        node = self.resolved(node)
        if isinstance(node.value, list):
            return [self.unfolded(node._replace(value=each)) for each in node.value]
        if not isinstance(node.value, dict):
            return node.value
        self.count()
        return {key: self.unfolded(node.at(key)) for key in node.value}

    def count(self) -> None:
        """Count one part more that is read.

        Raises:
            CodegenError: The document unfolds into more than any document of an API has.
        """
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise CodegenError(f"the document unfolds into more than {MOST_PARTS:,} parts: schemas multiply")


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
