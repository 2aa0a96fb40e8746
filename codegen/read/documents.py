"""Read YAML or JSON strictly, into plain JSON values, with the lines on which things stand.

A document decides what goes over the wire, so nothing in it may be read in two ways: a key that occurs twice, a value
that JSON has no type for, a tag, a merge key and a second document are all refused, by file and line.
"""

import json
import math
import re
from functools import cached_property
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from codegen.errors import CodegenError
from codegen.read.block_text import BlockText, dumped
from codegen.read.units import Unit, units
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

__all__ = ["JsonObject", "JsonValue", "Source", "describe", "load_document", "parse_document", "shown"]

MAX_VALUES = 100_000
"""More values than this are not a document but a small file whose aliases unfold into a huge one."""

_TAG = "tag:yaml.org,2002:"
_TYPED_SCALARS = frozenset(_TAG + name for name in ("bool", "float", "int", "null"))
_TEXT_SCALARS = frozenset(_TAG + name for name in ("str", "timestamp", "value"))
_LINE_BREAK = re.compile(r"\r\n?|\n")


def load_document(path: Path, name: str) -> JsonObject:
    """Read the object that a YAML or JSON file holds; raises what `load_source` raises."""
    return load_source(path, name).document


def load_source(path: Path, name: str, *, aliases: bool = True) -> "Source":
    """Read a file of the repository.

    Args:
        path: The file.
        name: What messages call the file.
        aliases: Whether it may have anchors, which keep it from being taken over in parts.

    Raises:
        CodegenError: The file is missing, or `Source` refuses it.
    """
    try:
        return Source(name, path.read_bytes(), aliases=aliases)
    except FileNotFoundError:
        raise CodegenError(f"{name} is missing: restore it, ./generate.sh reads it") from None


def parse_document(content: bytes, name: str) -> JsonObject:
    r"""Read the object that the bytes of a YAML or JSON document hold; raises what `Source` raises.

    Keys are their literal text, as in JSON: `200:` is the key "200". Timestamps stay text. An alias is unfolded into
    a copy, so that changing one place never changes another.

    Examples:
        >>> parse_document(b"200: {since: 2025-09-28}", "example.yaml")
        {'200': {'since': '2025-09-28'}}
        >>> parse_document(b"a: 1\nb: 2\na: 3\n", "example.yaml")
        Traceback (most recent call last):
        ...
        codegen.errors.CodegenError: example.yaml, line 3: the key 'a' was already given on line 1
    """
    return Source(name, content, aliases=True).document


def decoded(content: bytes, name: str, first_line: int = 1) -> str:
    """Return a text without its byte order mark, or refuse what is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = lines_before(content[: error.start].decode("latin-1"), error.start) + first_line
        raise CodegenError(f"{name}, line {line}: the text is not UTF-8") from None


def lines_before(text: str, offset: int) -> int:
    r"""Count the line ends before a place, whichever kind they are.

    Examples:
        >>> lines_before("a\rb\r\nc\n", 5)
        2
    """
    return len(_LINE_BREAK.findall(text, 0, offset))


class Source:
    """A document, and where in which file everything in it stands."""

    def __init__(self, name: str, content: bytes, first_line: int = 1, *, aliases: bool = False) -> None:
        """Read the document.

        Args:
            name: What messages call the file.
            content: The bytes of the document: UTF-8, with or without a byte order mark.
            first_line: The line of the file on which the document starts: messages count from there.
            aliases: Whether it may have anchors, which keep it from being taken over in parts.

        Raises:
            CodegenError: Not UTF-8, not well-formed, not an object, or one of the things this module refuses.
        """
        self.name = name
        self.text = decoded(content, name, first_line)
        self._mark = content[: len(content) - len(self.text.encode())]
        self._first_line = first_line
        self._aliases = aliases
        self._values = 0
        self._constructor = YAML(typ="safe", pure=True).constructor
        value = self._read()
        fault = first_fault(value)
        if fault is not None:
            raise CodegenError(f"{self.at(*fault[0])}: {fault[1]}")
        if not isinstance(value, dict):
            raise CodegenError(f"{self.at()}: the document must be an object with keys, not {describe(value)}")
        self.document: JsonObject = value

    @cached_property
    def block(self) -> BlockText:
        """The text with its entries; those of JSON do not stand on lines of their own."""
        return BlockText(self.text, self._root)

    @cached_property
    def parts(self) -> dict[Unit, JsonValue]:
        """The document, taken apart."""
        return units(self.document)

    def encoded(self, text: str) -> bytes:
        """Return the bytes of a text that takes the place of this one, with a byte order mark if this one has it."""
        return self._mark + text.encode()

    def at(self, *steps: str | int) -> str:
        """Say where the value at the end of some steps stands, for messages: `page.md, line 7`."""
        return f"{self.name}, line {self._first_line + self.block.line(steps) - 1}"

    def entry(self, steps: Unit) -> str:
        """Return an entry as lines of YAML: those of the document if it has them, with its quotes and its comments."""
        return self.block.entry(steps) or dumped({steps[-1]: self.parts[steps]})

    def _read(self) -> JsonValue:
        # A YAML reader takes most JSON, but not "\ud83d\ude00", which is how JSON may write one character.
        if self.text.lstrip().startswith("{"):
            try:
                value: JsonValue = json.loads(self.text, object_pairs_hook=_unique, parse_int=_whole)
            except json.JSONDecodeError as error:
                raise self._refused(lines_before(self.text, error.pos), f"not well-formed JSON: {error.msg}") from None
            except (_TwiceError, RecursionError):
                pass  # the nodes tell where that is
            else:
                return value
        if sum(map(self.text.count, (":", ",", "- "))) > MAX_VALUES:  # before the reader takes its time for them
            raise self._refused(0, f"the document has more than {MAX_VALUES} values")
        return None if self._root is None else self._value_of(self._root)

    @cached_property
    def _root(self) -> Node | None:
        """The nodes, which know their lines; they are read when the first line is asked for if the text is JSON."""
        # JSON may be indented by tabs; they end no line
        text = self.text.replace("\t", " ") if self.text.lstrip().startswith("{") else self.text
        reader = YAML(typ="safe", pure=True)
        reader.Composer = _LimitedComposer
        try:
            root: Node | None = reader.compose(text)
        except _TooDeepError as error:
            raise self._refused(error.args[0], TOO_DEEP) from None
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line = mark.line if mark else lines_before(text, getattr(error, "position", 0))
            problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
            raise self._refused(line, f"not well-formed YAML: {shown(problem)}") from None
        return root

    def _value_of(self, node: Node, level: int = 0) -> JsonValue:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._unread(node, f"the document unfolds into more than {MAX_VALUES} values")
        if level > MAX_LEVELS:  # an alias leads back to what holds it
            raise self._unread(node, TOO_DEEP)
        if node.anchor and not self._aliases:
            raise self._unread(node, f"the anchor &{shown(node.anchor)}: write out what it stands for in each place")
        if isinstance(node, ScalarNode) and node.tag in _TEXT_SCALARS:
            return str(node.value)
        if isinstance(node, ScalarNode) and node.tag in _TYPED_SCALARS:
            try:
                value: JsonValue = self._constructor.construct_object(node)
            except (ValueError, KeyError):
                raise self._unread(node, NO_NUMBER) from None
            return value
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self._value_of(item, level + 1) for item in node.value]
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, level + 1)
        raise self._unread(node, f"the tag {shown(str(node.tag))} has no meaning in JSON")

    def _mapping(self, node: MappingNode, level: int) -> JsonObject:
        value: JsonObject = {}
        lines: dict[str, int] = {}
        for key, member in node.value:
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                raise self._unread(key, "a key must be plain text; merge keys (<<) are not read")
            if key.value in lines:
                problem = f"the key {describe(key.value)} was already given on line {lines[key.value]}"
                raise self._unread(key, problem)
            lines[key.value] = key.start_mark.line + self._first_line
            value[key.value] = self._value_of(member, level)
        return value

    def _unread(self, node: Node, problem: str) -> CodegenError:
        return self._refused(node.start_mark.line, problem)

    def _refused(self, line: int, problem: str) -> CodegenError:
        """Name a line that is counted from 0 in the document."""
        return CodegenError(f"{self.name}, line {line + self._first_line}: {problem}")


class _TooDeepError(Exception):
    """An object or a list lies in too many others; `args` hold its line, from 0."""


class _LimitedComposer(Composer):
    """Stops at the first node that is too deep, before the rest of the text is read."""

    level = 0

    def compose_node(self, parent: object, index: object) -> object:
        self.level += 1
        if self.level > MAX_LEVELS + 1:
            raise _TooDeepError(self.parser.peek_event().start_mark.line)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


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
