"""Compose YAML into ruamel.yaml's nodes with libyaml's parser, which is twenty times as fast as the one in Python.

PyYAML brings libyaml, and openapi-spec-validator brings PyYAML; but PyYAML reads YAML 1.1, in which `no` is false and
`012` is ten. So only its parser is used: what a plain scalar means is for ruamel.yaml to say, by YAML 1.2. Texts with
anything that the two read in two ways go to ruamel.yaml, and so does whatever libyaml refuses: ruamel.yaml then
decides, and has the words for it.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tag import Tag

from codegen.read.json_places import lines_before

_READ_IN_TWO_WAYS = re.compile(
    r"&\S|(?<!\w)!|(?<!\w)\?(?!\w)"  # anchors, tags, keys that are announced
    r"|^(?:%|---|\.\.\.)"  # directives, and where documents begin and end
    r"|\r(?!\n)"  # the line break of nobody any more
    r"|[^\r\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"  # tabs, other line breaks
    r"|[^\n]\Z",  # a last line without an end
    re.MULTILINE,
)
# libyaml composes by recursion in C, which nothing stops before the stack ends
_MANY_LEVELS = re.compile(r"^(?: |- ){200}", re.MULTILINE)
_OPENED = re.compile(r"(?:^|(?<=[\s\[{,:]))[\[{](?![\]}])", re.MULTILINE)
_MOST_OPENED = 1_000
# ruamel.yaml takes many seconds to find that brackets which open and open are nested too deeply; no text for
# people holds so many
_OPENS = re.compile(r"[\[{]")
_OPENED_IN_A_ROW = re.compile(r"[\[{](?:\s*[\[{]){199}")


def compose(reader: YAML, text: str) -> Node | None:
    r"""Return the root of a document's nodes; None if the text holds nothing.

    Args:
        reader: A reader of the safe, pure kind; its resolver says what plain scalars mean.
        text: YAML.

    Raises:
        YAMLError: ruamel.yaml's, if the text is not one well-formed document.
        RecursionError: It is nested too deeply.

    Examples:
        >>> root = compose(YAML(typ="safe", pure=True), "a: no\n")
        >>> [(key.value, value.value, value.tag, value.start_mark.line) for key, value in root.value]
        [('a', 'no', 'tag:yaml.org,2002:str', 0)]
    """
    if _OPENED_IN_A_ROW.search(text):
        raise RecursionError
    if not _READ_IN_TWO_WAYS.search(text) and not _MANY_LEVELS.search(text) and _count_opened(text) <= _MOST_OPENED:
        root = _composed(reader, text)
        if root is not None:
            return root
    slow: Node | None = reader.compose(text)
    return slow


def line_of(root: Node | None, steps: Sequence[str | int]) -> int:
    """Return the line, from 0, of the last of some steps from the root that the nodes hold."""
    line, node = (root.start_mark.line, root) if root is not None else (0, None)
    for step in steps:
        found: list[tuple[Node, Node]] = []
        if isinstance(node, MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
        elif isinstance(node, SequenceNode) and isinstance(step, int):
            found = [(value, value) for value in node.value[step : step + 1]]
        if not found:
            break
        line, node = found[0][0].start_mark.line, found[0][1]
    return int(line)


def too_deep_line(text: str, levels: int) -> int:
    """Return the line, from 0, of the first object or list of a YAML text that lies in so many others."""
    in_a_row = _OPENED_IN_A_ROW.search(text)
    if in_a_row:
        opened = list(_OPENS.finditer(in_a_row[0]))[levels]
        return lines_before(text, in_a_row.start() + opened.start())
    level = line = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line = event.start_mark.line
        level += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if level > levels:
            break
    return int(line)


def _count_opened(text: str) -> int:
    return sum(1 for _ in _OPENED.finditer(text))


def _composed(reader: YAML, text: str) -> Node | None:
    """Return what libyaml makes of a text; None if it is not there, refuses the text, or its marks would differ."""
    try:
        library = importlib.import_module("yaml")
        parser = importlib.import_module("yaml._yaml").CParser
    except ImportError:  # PyYAML without libyaml: slower, and otherwise the same
        return None
    kinds = {
        library.ScalarNode: ScalarNode,
        library.SequenceNode: SequenceNode,
        library.MappingNode: MappingNode,
    }

    resolved: dict[Any, str] = {}

    class Parser(parser):  # type: ignore[misc, valid-type]  # looked up at run time: it has no types
        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            asked = (kind, value, implicit)
            if asked not in resolved:
                resolved[asked] = str(reader.resolver.resolve(kinds[kind], value, implicit))
            return resolved[asked]

        def descend_resolver(self, *_where: Any) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    try:
        root = Parser(text).get_single_node()
        return None if root is None else _Converter(kinds).node(root)
    except (library.YAMLError, _MarksDifferError):
        return None


class _MarksDifferError(Exception):
    """There is a value that is left out: libyaml and ruamel.yaml put it in different places."""


class _Converter:
    """Makes nodes of ruamel.yaml from those of PyYAML; marks have the same attributes in both."""

    def __init__(self, kinds: dict[Any, Any]) -> None:
        self._kinds = kinds
        self._tags: dict[str, Tag] = {}

    def node(self, node: Any) -> Node:
        """Return a node with all that is in it."""
        kind = self._kinds[type(node)]
        tag = self._tags.get(node.tag) or self._tags.setdefault(node.tag, Tag(suffix=node.tag))
        start, end = node.start_mark, node.end_mark
        if kind is ScalarNode:
            if start.index == end.index:
                raise _MarksDifferError
            return ScalarNode(tag, node.value, start, end, style=node.style or None)
        if kind is SequenceNode:
            inner: list[Any] = [self.node(each) for each in node.value]
        else:
            inner = [(self.node(key), self.node(value)) for key, value in node.value]
        made: Node = kind(tag, inner, start, end, flow_style=node.flow_style)
        return made
