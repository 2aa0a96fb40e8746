"""Change single entries of a YAML text, and leave every other byte of it alone.

A YAML library that loads and dumps a document keeps most comments, but not all of the layout. Here the nodes that
ruamel.yaml composes only tell where an entry starts and ends; the text between is exchanged, so what is not touched
cannot change: comments, quotes, folded lines and blank lines stay as they are.
"""

import io
import re
from dataclasses import dataclass
from textwrap import indent

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, Node, ScalarNode

from codegen.read.values import JsonValue, Steps
from codegen.read.yaml_nodes import line_of, members_of

_INDENTATION = 2


@dataclass(frozen=True)
class _Entry:
    """One `key: value` of an object or one `- value` of a list, by offsets in the text."""

    start: int
    """Where the line of the key or the dash starts."""
    column: int
    end: int
    """Behind the line break of its last line."""


class BlockText:
    r"""A YAML text whose entries can be found, taken out, replaced, added and deleted.

    Changes are collected and made by `changed`, each to the text as it was given.

    Examples:
        >>> from codegen.read.documents import parse_nodes
        >>> source = b"a: 1 # one\n\nb:\n  c: 'x'\n"
        >>> text = BlockText(source.decode(), parse_nodes(source, "example.yaml")[1]())
        >>> text.line(("b", "c")), text.entry(("b", "c"))
        (4, "c: 'x'\n")
        >>> text.replace(("b", "c"), "c: [y]\n")
        True
        >>> text.add(("b",), "d: 2\n")
        True
        >>> text.changed()
        'a: 1 # one\n\nb:\n  c: [y]\n  d: 2\n'
    """

    def __init__(self, text: str, root: Node | None) -> None:
        """Take a text, without byte order mark, and its nodes from `codegen.read.documents`."""
        self.text = text
        self._root = root
        self._line_break = "\r\n" if "\r\n" in text else "\n"
        self._edits: list[tuple[int, int, int, str]] = []
        self._children: dict[int, dict[str | int, tuple[Node | None, Node]]] = {}

    def line(self, steps: Steps) -> int:
        """Return the line, from 1, of the last of the steps that the text holds."""
        return line_of(self._root, steps) + 1

    def entry(self, steps: Steps) -> str | None:
        """Return the lines of an entry without their indentation; None if it does not stand on lines of its own."""
        entry = self._entry(steps)
        if entry is None:
            return None
        text = re.sub(r"\r\n?", "\n", self.text[entry.start : entry.end])
        text = re.sub(rf"(?m)^ {{0,{entry.column}}}", "", text)  # a comment may have less
        return text if text.endswith("\n") else text + "\n"

    def replace(self, steps: Steps, new: str) -> bool:
        """Put an entry in the place of another; tell whether that one stands on lines of its own."""
        entry = self._entry(steps)
        if entry is not None:
            self._edits.append((entry.start, entry.end, 0, self._indented(new, entry.column)))
        return entry is not None

    def add(self, steps: Steps, new: str) -> bool:
        """Put an entry at the end of an object or a list; tell whether its entries stand on lines of their own."""
        members = self._members(self._at(steps))
        last = self._entry((*steps, next(reversed(members)))) if members else None
        if last is not None:
            lead = "" if self.text[last.end - 1] in "\r\n" else self._line_break
            self._edits.append((last.end, last.end, -last.column, lead + self._indented(new, last.column)))
        return last is not None

    def delete(self, steps: Steps) -> bool:
        """Take an entry away with the comment right above it and the blank lines below it."""
        entry = self._entry(steps)
        if entry is None:
            return False
        start, end = entry.start, entry.end
        while (above := self.text.rfind("\n", 0, max(start - 1, 0)) + 1) < start and self.text[
            above:start
        ].lstrip().startswith("#"):
            start = above
        while (below := self.text.find("\n", end)) >= 0 and not self.text[end:below].strip():
            end = below + 1
        self._edits.append((start, end, 0, ""))
        return True

    def changed(self) -> str:
        """Return the text with every change made."""
        parts, done = [], 0
        # where several objects end, what is added to the inner one comes first
        for start, end, _column, new in sorted(self._edits, key=lambda edit: edit[:3]):
            parts += [self.text[done:start], new]
            done = max(done, end)  # what is added behind an entry that is deleted
        return "".join([*parts, self.text[done:]])

    def _indented(self, new: str, column: int) -> str:
        return indent(new.removesuffix("\n") + "\n", " " * column).replace("\n", self._line_break)

    def _members(self, node: Node | None) -> dict[str | int, tuple[Node | None, Node]]:
        """Return what an object or a list holds; looked up once, since a document may have thousands of paths."""
        if id(node) not in self._children:
            self._children[id(node)] = members_of(node)
        return self._children[id(node)]

    def _at(self, steps: Steps) -> Node | None:
        node = self._root
        for step in steps:
            found = self._members(node).get(step)
            if found is None:
                return None
            node = found[1]
        return node

    def _entry(self, steps: Steps) -> _Entry | None:
        holder = self._at(steps[:-1])
        found = self._members(holder).get(steps[-1])
        if not isinstance(holder, CollectionNode) or found is None or holder.flow_style:
            return None
        key, value = found
        first = (key or value).start_mark.index
        if key is None:  # the dash, which no node knows
            first = self.text.rfind("-", 0, first)
        start = self.text.rfind("\n", 0, first) + 1
        start = self.text.rfind("\r", start, first) + 1 or start
        if self.text[start:first].strip(" "):
            return None  # the first key of an object in a list shares its line with the dash
        return _Entry(start, first - start, self._end_of_last_line(key, value))

    def _end_of_last_line(self, key: Node | None, value: Node) -> int:
        """Find the end of an entry by its last leaf: the mark of a block is behind the comments below it."""
        while isinstance(value, CollectionNode) and not value.flow_style:
            last = value.value[-1]
            key, value = last if isinstance(last, tuple) else (None, last)
        end: int = value.end_mark.index
        if isinstance(value, ScalarNode) and value.style in {"|", ">"}:
            header, _, content = self.text[value.start_mark.index : end].partition("\n")
            if "+" in header.partition("#")[0]:
                return end  # the blank lines below belong to the text
            end -= len(content) - len(content.rstrip())
        elif value.start_mark.index == end and key is not None:
            end = key.end_mark.index  # no value at all, whose mark is at the next thing that is there
        line_break = self.text.find("\n", end)
        return len(self.text) if line_break < 0 else line_break + 1


def dumped(value: JsonValue) -> str:
    r"""Write a value as YAML, for what has no text of its own that could be taken over.

    Examples:
        >>> dumped({"200": {"required": ["a"], "since": "2025-09-28"}})
        "'200':\n  required:\n    - a\n  since: '2025-09-28'\n"
    """
    yaml = YAML()
    yaml.width = 118
    yaml.indent(mapping=_INDENTATION, sequence=2 * _INDENTATION, offset=_INDENTATION)
    stream = io.StringIO()
    yaml.dump(value, stream)
    # where it folds a long text it leaves a space at the end of the line, which means nothing there
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().removesuffix("...\n").splitlines())


def nested(key: str, inside: str) -> str:
    r"""Write an object of one key whose value is the entries given.

    Examples:
        >>> nested("/v3/x", "get: 1\nput: 2\n")
        '/v3/x:\n  get: 1\n  put: 2\n'
    """
    return dumped({key: None}) + indent(inside, " " * _INDENTATION)
