"""Read YAML or JSON strictly, into plain JSON values.

A document decides what goes over the wire, so nothing in it may be read in two ways: a key that occurs twice, a value
that JSON has no type for, a tag, a merge key and a second document are all refused, by file and line.
"""

import json
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from codegen.errors import CodegenError
from codegen.yaml_nodes import compose

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_VALUES = 200_000
"""More values than this are not a document but a small file whose aliases unfold into a huge one."""

_TAG = "tag:yaml.org,2002:"
_TYPED_SCALARS = frozenset(_TAG + name for name in ("bool", "float", "int", "null"))
_TEXT_SCALARS = frozenset(_TAG + name for name in ("str", "timestamp", "value"))


def load_document(path: Path, name: str) -> JsonObject:
    """Read the object that a YAML or JSON file holds.

    Args:
        path: The file.
        name: What messages call the file.

    Raises:
        CodegenError: The file is missing, or `parse_document` refuses it.
    """
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise CodegenError(f"{name} is missing: restore it, ./generate.sh reads it") from None
    return parse_document(source, name)


def parse_document(source: bytes, name: str, *, first_line: int = 1, aliases: bool = True) -> JsonObject:
    r"""Read the object that the bytes of a YAML or JSON document hold.

    Keys are their literal text, as in JSON: `200:` is the key "200". Timestamps stay text. An alias is unfolded into
    a copy, so that changing one place never changes another.

    Args:
        source: UTF-8, with or without a byte order mark.
        name: What messages call the document.
        first_line: The line of the file on which the document starts: messages count from there.
        aliases: Whether YAML's anchors and aliases are read, or refused.

    Raises:
        CodegenError: Not UTF-8, not well-formed, not an object, or one of the things this module refuses.

    Examples:
        >>> parse_document(b"200: {since: 2025-09-28}", "example.yaml")
        {'200': {'since': '2025-09-28'}}
        >>> parse_document(b"a: 1\nb: 2\na: 3\n", "example.yaml")
        Traceback (most recent call last):
        ...
        codegen.errors.CodegenError: example.yaml, line 3: the key 'a' was already given on line 1
    """
    return parse_nodes(source, name, first_line=first_line, aliases=aliases)[0]


def parse_nodes(
    source: bytes, name: str, *, first_line: int = 1, aliases: bool = True
) -> tuple[JsonObject, Node | None]:
    """Read as `parse_document` does, and return the root of YAML's nodes too, which know where things stand.

    JSON has none: it is read by another reader.
    """
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + first_line
        raise _refused(name, line, "the text is not UTF-8") from None
    try:
        # A YAML reader takes most JSON, but not "\ud83d\ude00", which is how JSON may write one character.
        reader = _NodeReader(name, first_line, aliases=aliases)
        value = _parse_json(text, reader) if text.lstrip().startswith("{") else reader.read(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise CodegenError(f"{name}: the document is nested too deeply") from None
    except UnicodeEncodeError:
        raise CodegenError(f"{name}: a text holds half of a surrogate pair, which UTF-8 cannot express") from None
    except ValueError as error:
        raise CodegenError(f"{name}: a number is infinite or not a number, which JSON cannot express") from error
    if not isinstance(value, dict):
        raise CodegenError(f"{name}: the document must be an object with keys, not {describe(value)}")
    return value, reader.root


def describe(value: JsonValue) -> str:
    """Say in one word or two what a value is, for messages.

    Examples:
        >>> describe([1]), describe(None), describe("x" * 100)
        ('a list', 'null', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...")
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    text = repr(value)
    return text if len(text) <= 61 else text[:58] + "..."


def _refused(name: str, line: int, problem: str) -> CodegenError:
    return CodegenError(f"{name}, line {line}: {problem}")


def _parse_json(text: str, reader: "_NodeReader") -> JsonValue:
    def unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        value: JsonObject = {}
        for key, member in pairs:
            if key in value:
                raise reader.twice(text, key)
            value[key] = member
        return value

    try:
        value: JsonValue = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise reader.refused(error.lineno - 1, f"not well-formed JSON: {error.msg}") from None
    return value


class _NodeReader:
    """Turn YAML into JSON values by way of its nodes, which know their lines; made for one document."""

    def __init__(self, name: str, first_line: int, *, aliases: bool) -> None:
        self.name = name
        self._first_line = first_line
        self._aliases = aliases
        self._yaml = YAML(typ="safe", pure=True)
        self.root: Node | None = None
        self._values = 0
        self._open: list[Node] = []

    def read(self, text: str) -> JsonValue:
        try:
            self.root = compose(self._yaml, text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self.refused(mark.line if mark else 0, f"not well-formed YAML: {error.problem}") from None
        except YAMLError as error:
            raise CodegenError(f"{self.name}: not well-formed YAML: {str(error).splitlines()[0]}") from None
        return None if self.root is None else self.value_of(self.root)

    def twice(self, text: str, key: str) -> CodegenError:
        """Find the line of a key that JSON gives twice: most JSON is YAML, whose nodes know."""
        try:
            self.read(text)
        except CodegenError as error:
            if "was already given" in str(error):
                return error
        return CodegenError(f"{self.name}: the key {key!r} is given twice in one object")

    def refused(self, line: int, problem: str) -> CodegenError:
        """Name a line that is counted from 0 in the document."""
        return _refused(self.name, line + self._first_line, problem)

    def value_of(self, node: Node) -> JsonValue:
        self._values += 1
        if node.anchor and not self._aliases:
            raise self._refused(node, f"the anchor &{node.anchor}: write out what it stands for in each place")
        if self._values > MAX_VALUES:
            raise self._refused(node, f"the document unfolds into more than {MAX_VALUES} values")
        if any(node is outer for outer in self._open):
            raise self._refused(node, "an alias here leads back to the value that holds it")
        self._open.append(node)
        try:
            if isinstance(node, ScalarNode):
                return self._scalar(node)
            if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
                return [self.value_of(item) for item in node.value]
            if isinstance(node, MappingNode) and node.tag == _TAG + "map":
                return self._mapping(node)
        finally:
            self._open.pop()
        raise self._refused(node, f"the tag {node.tag} has no meaning in JSON")

    def _scalar(self, node: ScalarNode) -> JsonValue:
        if node.tag in _TEXT_SCALARS:
            return str(node.value)
        if node.tag in _TYPED_SCALARS:
            try:
                value: JsonValue = self._yaml.constructor.construct_object(node)
            except ValueError:
                raise self._refused(node, f"{node.value!r} is not what its tag {node.tag} says") from None
            return value
        raise self._refused(node, f"the tag {node.tag} has no meaning in JSON")

    def _mapping(self, node: MappingNode) -> JsonObject:
        value: JsonObject = {}
        lines: dict[str, int] = {}
        for key, member in node.value:
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                raise self._refused(key, "a key must be plain text; merge keys (<<) are not read")
            if key.value in lines:
                raise self._refused(key, f"the key {key.value!r} was already given on line {lines[key.value]}")
            lines[key.value] = key.start_mark.line + self._first_line
            value[key.value] = self.value_of(member)
        return value

    def _refused(self, node: Node, problem: str) -> CodegenError:
        return self.refused(node.start_mark.line, problem)
