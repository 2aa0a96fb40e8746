"""YAML as ruamel.yaml's nodes, which know their lines."""

import re
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from codegen.read.json_places import lines_before

# ruamel.yaml takes many seconds to find that brackets which open and open are nested too deeply
_OPENED_IN_A_ROW = re.compile(r"[\[{](?:[^\[\]{}]*[\[{]){199}")
_OPENS = re.compile(r"[\[{]")


def compose(reader: YAML, text: str) -> Node | None:
    """Return the root of a document's nodes; None if the text holds nothing.

    Raises:
        YAMLError: ruamel.yaml's, if the text is not one well-formed document.
        RecursionError: It is nested too deeply.

    Examples:
        >>> root = compose(YAML(typ="safe", pure=True), "a: no")
        >>> [(key.value, value.value, value.tag, value.start_mark.line) for key, value in root.value]
        [('a', 'no', 'tag:yaml.org,2002:str', 0)]
    """
    if _OPENED_IN_A_ROW.search(text):
        raise RecursionError
    root: Node | None = reader.compose(text)
    return root


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
