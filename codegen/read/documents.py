"""Read YAML or JSON strictly, into plain JSON values.

A document decides what goes over the wire, so nothing in it may be read in two ways: a key that occurs twice, a value
that JSON has no type for, a tag, a merge key and a second document are all refused, by file and line.
"""

import json
import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from codegen.errors import CodegenError
from codegen.read.values import (
    MOST_BITS,
    NO_NUMBER,
    TOO_DEEP,
    JsonObject,
    JsonValue,
    describe,
    first_fault,
    shown,
)
from codegen.read.yaml_nodes import TooDeepError, compose, line_of, lines_before

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
) -> tuple[JsonObject, Callable[[], Node | None]]:
    """Read as `parse_document` does, and return what gives the root of the nodes too, which know where things stand."""
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = lines_before(source[: error.start].decode("latin-1"), error.start) + first_line
        raise CodegenError(f"{name}, line {line}: the text is not UTF-8") from None
    reader = _NodeReader(text, name, first_line, aliases=aliases)
    value = reader.read()
    fault = first_fault(value)
    if fault is None and not isinstance(value, dict):
        fault = (), f"the document must be an object with keys, not {describe(value)}"
    if fault is not None:
        raise reader.refused(line_of(reader.root, fault[0]), fault[1])
    return value, lambda: reader.root  # type: ignore[return-value]  # it is an object, or has a fault


class _NodeReader:
    """Turn YAML into JSON values by way of its nodes, which know their lines; made for one document."""

    def __init__(self, text: str, name: str, first_line: int, *, aliases: bool) -> None:
        self._text = text
        self._name = name
        self._first_line = first_line
        self._aliases = aliases
        self._constructor = YAML(typ="safe", pure=True).constructor
        self._values = 0
        self._open: list[Node] = []

    def read(self) -> JsonValue:
        # A YAML reader takes most JSON, but not "\ud83d\ude00", which is how JSON may write one character.
        if self._text.lstrip().startswith("{"):
            try:
                value: JsonValue = json.loads(self._text, object_pairs_hook=_unique, parse_int=_whole)
            except json.JSONDecodeError as error:
                raise self.refused(lines_before(self._text, error.pos), f"not well-formed JSON: {error.msg}") from None
            except (_TwiceError, RecursionError):
                pass  # the nodes tell where that is
            else:
                return value
        if sum(map(self._text.count, (":", ",", "- "))) > MAX_VALUES:  # before the reader takes its time for them
            raise self.refused(0, f"the document has more than {MAX_VALUES} values")
        root = self.root
        return None if root is None else self.value_of(root)

    @cached_property
    def root(self) -> Node | None:
        """Return the nodes, which are read when the first line is asked for if the text is JSON."""
        # JSON may be indented by tabs; they end no line
        text = self._text.replace("\t", " ") if self._text.lstrip().startswith("{") else self._text
        try:
            return compose(text)
        except TooDeepError as error:
            raise self.refused(error.args[0], TOO_DEEP) from None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = f"not well-formed YAML: {shown(str(error.problem))}"
            raise self.refused(mark.line if mark else 0, problem) from None
        except ReaderError as error:
            found = f"the character {chr(error.character)!r} is not allowed"
            raise self.refused(lines_before(text, error.position), f"not well-formed YAML: {found}") from None
        except YAMLError as error:
            problem = f"not well-formed YAML: {shown(str(error).splitlines()[0])}"
            raise CodegenError(f"{self._name}: {problem}") from None

    def refused(self, line: int, problem: str) -> CodegenError:
        """Name a line that is counted from 0 in the document."""
        return CodegenError(f"{self._name}, line {line + self._first_line}: {problem}")

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
            if isinstance(node, ScalarNode) and node.tag in _TEXT_SCALARS:
                return str(node.value)
            if isinstance(node, ScalarNode) and node.tag in _TYPED_SCALARS:
                return self._typed(node)
            if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
                return [self.value_of(item) for item in node.value]
            if isinstance(node, MappingNode) and node.tag == _TAG + "map":
                return self._mapping(node)
        finally:
            self._open.pop()
        raise self._refused(node, f"the tag {shown(str(node.tag))} has no meaning in JSON")

    def _typed(self, node: ScalarNode) -> JsonValue:
        try:
            value: JsonValue = self._constructor.construct_object(node)
        except ValueError:
            what = f"{describe(node.value)} is not what its tag {node.tag} says"
            raise self._refused(node, NO_NUMBER if len(node.value) > MOST_BITS else what) from None
        return value

    def _mapping(self, node: MappingNode) -> JsonObject:
        value: JsonObject = {}
        lines: dict[str, int] = {}
        for key, member in node.value:
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                raise self._refused(key, "a key must be plain text; merge keys (<<) are not read")
            if key.value in lines:
                problem = f"the key {describe(key.value)} was already given on line {lines[key.value]}"
                raise self._refused(key, problem)
            lines[key.value] = key.start_mark.line + self._first_line
            value[key.value] = self.value_of(member)
        return value

    def _refused(self, node: Node, problem: str) -> CodegenError:
        return self.refused(node.start_mark.line, problem)


class _TwiceError(Exception):
    """An object gives a key twice."""


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _TwiceError
    return value


def _whole(digits: str) -> int | float:
    # Python refuses to read thousands of digits, and does not say where they are.
    return int(digits) if len(digits) <= MOST_BITS else math.inf
