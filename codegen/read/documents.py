"""Read YAML or JSON strictly, into plain JSON values.

A document decides what goes over the wire, so nothing in it may be read in two ways: a key that occurs twice, a value
that JSON has no type for, a tag, a merge key and a second document are all refused, by file and line.
"""

import json
import math
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from codegen.errors import CodegenError
from codegen.read.json_places import JsonPlaces, lines_before
from codegen.read.values import (
    MAX_LEVELS,
    MOST_BITS,
    NO_NUMBER,
    TOO_DEEP,
    JsonObject,
    JsonValue,
    describe,
    first_fault,
    shown,
)
from codegen.read.yaml_nodes import compose, line_of, too_deep_line

__all__ = ["JsonObject", "JsonValue", "describe", "load_document", "parse_document", "parse_nodes", "shown"]

MAX_VALUES = 100_000
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
        line = lines_before(source[: error.start].decode("latin-1"), error.start) + first_line
        raise _refused(name, line, "the text is not UTF-8") from None
    # A YAML reader takes most JSON, but not "\ud83d\ude00", which is how JSON may write one character.
    is_json = text.lstrip().startswith("{")
    reader = _NodeReader(name, first_line, aliases=aliases)
    places = JsonPlaces(text)
    try:
        value = _parse_json(text, reader, places) if is_json else reader.read(text)
    except RecursionError:
        line = places.deeper_than(MAX_LEVELS) if is_json else too_deep_line(text, MAX_LEVELS)
        raise reader.refused(line, TOO_DEEP) from None
    fault = first_fault(value)
    if fault is not None:
        steps, problem = fault
        raise reader.refused(places.line(steps) if is_json else line_of(reader.root, steps), problem)
    if not isinstance(value, dict):
        what = f"the document must be an object with keys, not {describe(value)}"
        raise reader.refused(line_of(reader.root, ()), what)
    return value, reader.root


def _given_twice(key: str, line: int) -> str:
    return f"the key {describe(key)} was already given on line {line}"


def _refused(name: str, line: int, problem: str) -> CodegenError:
    return CodegenError(f"{name}, line {line}: {problem}")


def _parse_json(text: str, reader: "_NodeReader", places: JsonPlaces) -> JsonValue:
    def unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise _TwiceError
        return value

    try:
        value: JsonValue = json.loads(text, object_pairs_hook=unique, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise reader.refused(lines_before(text, error.pos), f"not well-formed JSON: {error.msg}") from None
    except _TwiceError:
        raise reader.twice(places) from None
    return value


class _TwiceError(Exception):
    """An object gives a key twice."""


def _whole(digits: str) -> int | float:
    # Python refuses to read thousands of digits, and does not say where they are.
    return int(digits) if len(digits) <= MOST_BITS else math.inf


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
        if sum(text.count(mark) for mark in (":", ",", "- ")) > MAX_VALUES:  # before the reader takes its time for them
            raise self.refused(0, f"the document has more than {MAX_VALUES} values")
        try:
            self.root = compose(self._yaml, text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = f"not well-formed YAML: {shown(str(error.problem))}"
            raise self.refused(mark.line if mark else 0, problem) from None
        except ReaderError as error:
            found = f"the character {chr(error.character)!r} is not allowed"
            raise self.refused(lines_before(text, error.position), f"not well-formed YAML: {found}") from None
        except YAMLError as error:
            problem = f"not well-formed YAML: {shown(str(error).splitlines()[0])}"
            raise CodegenError(f"{self.name}: {problem}") from None
        return None if self.root is None else self.value_of(self.root)

    def twice(self, places: JsonPlaces) -> CodegenError:
        """Name a key that JSON gives twice."""
        key, first, second = places.twice() or ("", 0, 0)
        return self.refused(second, _given_twice(key, first + self._first_line))

    def refused(self, line: int, problem: str) -> CodegenError:
        """Name a line that is counted from 0 in the document."""
        return _refused(self.name, line + self._first_line, problem)

    def value_of(self, node: Node) -> JsonValue:
        self._values += 1
        if node.anchor and not self._aliases:
            raise self._refused(node, f"the anchor &{shown(node.anchor)}: write out what it stands for in each place")
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
        raise self._refused(node, f"the tag {shown(str(node.tag))} has no meaning in JSON")

    def _scalar(self, node: ScalarNode) -> JsonValue:
        if node.tag in _TEXT_SCALARS:
            return str(node.value)
        if node.tag in _TYPED_SCALARS:
            try:
                value: JsonValue = self._yaml.constructor.construct_object(node)
            except ValueError:
                if len(node.value) > MOST_BITS:
                    raise self._refused(node, NO_NUMBER) from None
                raise self._refused(node, f"{describe(node.value)} is not what its tag {node.tag} says") from None
            return value
        raise self._refused(node, f"the tag {shown(str(node.tag))} has no meaning in JSON")

    def _mapping(self, node: MappingNode) -> JsonObject:
        value: JsonObject = {}
        lines: dict[str, int] = {}
        for key, member in node.value:
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                raise self._refused(key, "a key must be plain text; merge keys (<<) are not read")
            if key.value in lines:
                raise self._refused(key, _given_twice(key.value, lines[key.value]))
            lines[key.value] = key.start_mark.line + self._first_line
            value[key.value] = self.value_of(member)
        return value

    def _refused(self, node: Node, problem: str) -> CodegenError:
        return self.refused(node.start_mark.line, problem)
