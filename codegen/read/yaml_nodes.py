"""YAML, and JSON as a part of it, as ruamel.yaml's nodes, which know their lines."""

import re
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from codegen.read.values import MAX_LEVELS

_LINE_BREAK = re.compile(r"\r\n?|\n")


class TooDeepError(Exception):
    """An object or a list lies in too many others; `args` hold its line, from 0."""


class _LimitedComposer(Composer):
    """Stops at the first node that is too deep, before the rest of the text is read."""

    level = 0

    def compose_node(self, parent: object, index: object) -> object:
        self.level += 1
        if self.level > MAX_LEVELS + 1:
            raise TooDeepError(self.parser.peek_event().start_mark.line)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


def compose(text: str) -> Node | None:
    """Return the root of a document's nodes; None if the text holds nothing.

    Raises:
        YAMLError: ruamel.yaml's, if the text is not one well-formed document.
        TooDeepError: It is nested too deeply.

    Examples:
        >>> root = compose("a: no")
        >>> [(key.value, value.value, value.tag, value.start_mark.line) for key, value in root.value]
        [('a', 'no', 'tag:yaml.org,2002:str', 0)]
    """
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _LimitedComposer
    root: Node | None = reader.compose(text)
    return root


def members_of(node: Node | None) -> dict[str | int, tuple[Node | None, Node]]:
    """Return what an object or a list holds: the node of each key, and that of its value."""
    if isinstance(node, MappingNode):
        return {key.value: (key, value) for key, value in node.value}
    return {index: (None, value) for index, value in enumerate(node.value)} if isinstance(node, SequenceNode) else {}


def line_of(root: Node | None, steps: Sequence[str | int]) -> int:
    """Return the line, from 0, of the last of some steps from the root that the nodes hold."""
    line, node = (root.start_mark.line, root) if root is not None else (0, None)
    for step in steps:
        found = members_of(node).get(step)
        if found is None:
            break
        line, node = (found[0] or found[1]).start_mark.line, found[1]
    return int(line)


def lines_before(text: str, offset: int) -> int:
    r"""Count the line ends before a place, whichever kind they are.

    Examples:
        >>> lines_before("a\rb\r\nc\n", 5)
        2
    """
    return len(_LINE_BREAK.findall(text, 0, offset))
