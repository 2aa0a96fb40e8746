"""What a document says about each of its operations, fact by fact, so that two states of it can be compared.

A fact is one keyword of one field, parameter, reply or operation. Nothing is left out: what has no name of its own here
is a fact under its keyword. What two documents may write in two ways is one fact: a reference and what it leads to, one
type and a list of it, the order of required fields and of parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from codegen.drift.coverage import KINDS, Key, parameter_key
from codegen.drift.nodes import SHARED, Node, Nodes, Operation, without_words
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location, look_up, pointer_to
from codegen.read.units import METHODS, canonical

Side: TypeAlias = Literal["", "request", "reply"]
Where: TypeAlias = tuple[str, ...]
"""What a fact is about: the steps to it, those of what holds it first."""

FIELD, MEDIA, STATUS, ERROR = "(field)", "(media type)", "(status)", "(error)"
DESCRIBED, DANGLING, COMPONENT = "properties", "(leads nowhere)", "(component)"
"""Facts that no keyword states, and that fields are described; sorted, (field) is the first that is said of a field."""


TELLS_INSIDE = frozenset({FIELD, MEDIA, STATUS, DESCRIBED, DANGLING})
"""What is new or gone with all that is inside."""


class At(NamedTuple):
    """The field that a fact is about; the whole operation if it has no side."""

    side: Side = ""
    name: str = ""
    key: Key = ()

    def inner(self, step: str) -> "At":
        """Return a field inside of it."""
        name = f"{self.name}[]" if step == "[]" else f"{self.name}.{step}" if self.key else step
        return At(self.side, name, (*self.key, step))


class Fact(NamedTuple):
    """What is said, and where."""

    value: JsonValue
    place: Location
    at: At


Facts: TypeAlias = dict[tuple[Where, str], Fact]


_Rule: TypeAlias = Callable[[Where, Node, At], None]
DOCUMENT: Where = ("the document",)


def _nothing(_where: Where, _node: Node, _at: At) -> None:
    """Leave a keyword to what reads it elsewhere."""


@dataclass
class State:
    """One state of the document."""

    nodes: Nodes
    facts: Facts = field(default_factory=dict)
    """Of the operation that is read."""

    def of_operation(self, operation: Operation) -> Facts:
        """Return what is said about an operation.

        Raises:
            CodegenError: The document unfolds into more than any document of an API has.
        """
        self.facts = {}
        rules = {"parameters": _nothing, "requestBody": self._body, "responses": self._responses}
        self._object((), operation.node, At(), {**rules, "security": self._security})
        self._parameters(operation.node, operation.item, operation.path)
        if operation.item.at("servers").value is not None and ((), "servers") not in self.facts:
            self._add((), "servers", operation.item.at("servers"), At())
        return self.facts

    def of_document(self) -> Facts:
        """Return what the document says about itself, and what no operation holds."""
        self.facts = {}
        rules = {"security": self._security, "components": self._components, "paths": self._paths}
        self._object(DOCUMENT, Node({"security": [], **self.nodes.document}, ()), At(), rules)
        return self.facts

    # parts of a document; each rule reads one

    def _add(self, where: Where, keyword: str, node: Node, at: At, value: JsonValue = None) -> None:
        self.facts[where, keyword] = Fact(self.nodes.unfolded(node) if value is None else value, node.place, at)

    def _held(self, where: Where, keyword: str, node: Node, at: At) -> JsonObject:
        """Return what an object holds; if it is none, that is a fact, and nothing is held."""
        self.nodes.count()
        if isinstance(node.value, dict):
            return node.value
        self._add(where, keyword, node, at)
        return {}

    def _object(self, where: Where, node: Node, at: At, rules: Mapping[str, _Rule]) -> None:
        """Read what an object says, each keyword by its rule or as a fact."""
        whole = self.nodes.resolved(node)
        for key in self._held(where, "", whole, at):
            is_reference = key == "$ref" and isinstance(whole.at(key).value, str)
            if is_reference and look_up(self.nodes.document, str(whole.at(key).value)) is None:
                self._add(where, DANGLING, node.at(key), at)
            else:
                rules.get(key, partial(self._plain, key))(where, (node if is_reference else whole).at(key), at)

    def _plain(self, keyword: str, where: Where, node: Node, at: At) -> None:
        self._add(where, keyword, node, at)

    def _parameters(self, whole: Node, item: Node, path: str) -> None:
        steps = [step[1:-1] for step in path.split("/") if step.startswith("{") and step.endswith("}")]
        known: dict[Key, tuple[Node, At]] = {}
        for holder in (item, whole):  # what an operation says takes the place of what its path says
            listed, seen = holder.at("parameters"), set[Key]()
            for index, element in enumerate(listed.value if isinstance(listed.value, list) else [listed.value]):
                node = self.nodes.resolved(Node(element, (*listed.place, index)))
                name, kind = node.at("name").value, node.at("in").value
                # in a path, the place of a parameter matters and its name does not
                is_step = kind == "path" and name in steps
                key = parameter_key(str(kind), str(steps.index(str(name)) + 1) if is_step else str(name))
                if isinstance(name, str) and isinstance(kind, str) and key not in seen:
                    seen.add(key)
                    known[key] = node, At("request", f"{name} ({kind})", key)
                elif element is not None:
                    self._add(("parameters", canonical(element)), "parameters", node, At())
        for key, (node, at) in known.items():
            self._field(("parameters", *key), node, at, {"schema": self._schema})

    def _field(self, where: Where, node: Node, at: At, rules: Mapping[str, _Rule]) -> None:
        """Read a parameter or the body, which say themselves whether they are required."""
        said = self.nodes.resolved(node)
        self._add(where, FIELD, said, at, said.at("in").value == "path" or said.at("required").value is True)
        self._object(where, node, at, {**rules, "required": _nothing, "in": _nothing})

    def _body(self, _where: Where, node: Node, _at: At) -> None:
        self._field(("body",), node, At("request", "the body"), {"content": self._content})

    def _content(self, where: Where, content: Node, at: At) -> None:
        for kind in self._held(where, "content", content, at):
            inner = (*where, kind.partition(";")[0].strip().lower())
            inner = (*where, kind) if (inner, MEDIA) in self.facts else inner
            self._add(inner, MEDIA, content.at(kind), at, kind)
            self._object(inner, content.at(kind), at, {"schema": self._schema})

    def _responses(self, where: Where, replies: Node, _at: At) -> None:
        at, replies = At("reply", "the body"), self.nodes.resolved(replies)
        held = self._held(where, "responses", replies, at)
        good = [status for status in held if status.startswith("2")] or [each for each in held if each == "default"]
        for status in held:
            # the only success is the same whatever its status is
            inner = ("reply", ("success" if len(good) == 1 else f"success {status}") if status in good else status)
            self._add(inner, STATUS, replies.at(status), at, status)
            if status in good:
                self._object(inner, replies.at(status), at, {"content": self._content})
            else:
                self._add(inner, ERROR, replies.at(status), at)

    def _schema(self, where: Where, node: Node, at: At) -> None:
        where, said = (*where, "schema"), self.nodes.resolved(node)
        rules: dict[str, _Rule] = {"items": lambda _, items, _at: self._schema((*where, "[]"), items, at.inner("[]"))}
        rules |= self._properties(where, said, at) | self._types(where, said, at)
        self._object(where, node, at, rules)

    def _properties(self, where: Where, node: Node, at: At) -> dict[str, _Rule]:
        """Read the fields of a schema, unless they are not described as OpenAPI has it; return what was read."""
        listed, needed = node.at("properties"), node.at("required").value
        fields = {} if listed.value is None else listed.value
        is_list = isinstance(needed, list) and all(isinstance(name, str) for name in needed)
        names = dict.fromkeys(map(str, needed)) if isinstance(needed, list) and is_list else {}
        if not isinstance(fields, dict):
            return {}
        if listed.value is not None:
            self._add(where, DESCRIBED, listed, at, "...")
        for name in {**fields, **names}:
            inner = listed.at(name) if name in fields else node.at("required")._replace(value={})
            self._add((*where, name), FIELD, inner, at.inner(name), name in names)
            self._schema((*where, name), inner, at.inner(name))
        return dict.fromkeys(("properties", *(["required"] if is_list else [])), _nothing)

    def _types(self, where: Where, node: Node, at: At) -> dict[str, _Rule]:
        kinds, null = node.at("type").value, node.at("nullable").value
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(kinds, list) or not KINDS.issuperset(map(str, kinds)) or not isinstance(null, bool | None):
            return {}
        listed = {*map(str, kinds), *(["null"] if null else [])}
        self._add(where, "type", node.at("type"), at, " or ".join(sorted(listed)))
        return {"type": _nothing, "nullable": _nothing}

    def _security(self, where: Where, security: Node, at: At) -> None:
        """Read the ways to authorise a request, each as what has to be sent together."""
        ways = security.value if isinstance(security.value, list) else [security.value]
        labels = ([self._scheme(name) for name in way] if isinstance(way, dict) else [repr(way)] for way in ways)
        said = {" and ".join(sorted(each)) or "nothing" for each in labels}
        self._add(where, "security", security, at, [*sorted(said)])

    def _scheme(self, name: str) -> str:
        found = look_up(self.nodes.document, pointer_to(("components", "securitySchemes", name)))
        scheme = without_words(found[0]) if found else None
        if not isinstance(scheme, dict):
            return f"{name}, which is not defined"
        kind = f"{scheme.get('type')} {scheme.get('scheme', '')}".strip().lower()
        return kind if scheme.keys() <= {"type", "scheme"} else f"{kind} {sorted(scheme.items(), key=repr)}"

    def _paths(self, where: Where, paths: Node, at: At) -> None:
        """Read what paths say beside their operations."""
        for path in self._held(where, "paths", paths, at):
            item = self.nodes.resolved(paths.at(path))
            known = [method for method in METHODS if isinstance(item.at(method).value, dict)]
            self._object(("paths", path), item, at, dict.fromkeys((*known, *(SHARED if known else ())), _nothing))
            if not known:
                self._add(("paths", path), "(path)", item, at)

    def _components(self, where: Where, components: Node, at: At) -> None:
        for kind in self._held(where, "components", components, at):
            held = components.at(kind)
            for name in self._held(("components",), kind, held, at):
                self.facts[("components", kind, name), COMPONENT] = Fact(*held.at(name)[:2], at)
