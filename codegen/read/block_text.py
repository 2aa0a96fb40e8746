"""Change single entries of a YAML text, and leave every other byte of it alone.

A YAML library that loads and dumps a document keeps most comments, but not all of the layout. Here the nodes that
ruamel.yaml composes only tell where an entry starts and ends; the text between is exchanged, so what is not touched
cannot change: comments, quotes, folded lines and blank lines stay as they are.
"""

import io
import re
from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from codegen.read.values import JsonValue, Steps

_INDENTATION = 2

_Member: TypeAlias = tuple[Node | None, Node]
"""The node of a key, which an element of a list has not, and that of its value."""


class Edit(NamedTuple):
    """What takes the place of a part of the text, in the order in which edits are to be made."""

    start: int
    end: int
    rank: int
    """Where several objects end, what is added to the inner one comes first."""
    new: str


class _Entry(NamedTuple):
    """One `key: value` of an object or one `- value` of a list, by offsets in the text."""

    start: int
    """Where the line of the key or the dash starts."""
    column: int
    end: int
    """Behind the line break of its last line."""


class BlockText:
    r"""A YAML text whose entries can be found, taken out, replaced, added and deleted.

    Each change is an edit of the text as it was given, or None if the entry does not stand on lines of its own; they
    are made together by `changed`.

    Examples:
        >>> from codegen.read.documents import Source
        >>> text = Source("example.yaml", b"a: 1 # one\n\nb:\n  c: 'x'\n").block
        >>> text.line(("b", "c")), text.entry(("b", "c"))
        (4, "c: 'x'\n")
        >>> text.changed(text.replaced(("b", "c"), "c: [y]\n"), text.added(("b",), "d: 2\n"))
        'a: 1 # one\n\nb:\n  c: [y]\n  d: 2\n'
    """

    def __init__(self, text: str, root: Node | None) -> None:
        """Take a text, without byte order mark, and the root of its nodes."""
        self._text = text
        self._root = root
        self._line_break = "\r\n" if "\r\n" in text else "\n"
        self._children: dict[int, dict[str | int, _Member]] = {}

    def line(self, steps: Steps) -> int:
        """Return the line, from 1, of the last of the steps that the text holds."""
        last = [self._root, *(key or value for key, value in self._way(steps))][-1]
        return 1 if last is None else int(last.start_mark.line) + 1

    def holds(self, steps: Steps) -> bool:
        """Tell whether the text has a value at the end of some steps."""
        return self._at(steps) is not None

    def entry(self, steps: Steps) -> str | None:
        """Return the lines of an entry without their indentation; None if it does not stand on lines of its own."""
        entry = self._entry(steps)
        if entry is None:
            return None
        text = re.sub(r"\r\n?", "\n", self._text[entry.start : entry.end])
        text = re.sub(rf"(?m)^ {{0,{entry.column}}}", "", text)  # a comment may have less
        return text if text.endswith("\n") else text + "\n"

    def replaced(self, steps: Steps, new: str) -> Edit | None:
        """Put an entry in the place of another."""
        entry = self._entry(steps)
        return entry and Edit(entry.start, entry.end, 0, self._indented(new, entry.column))

    def added(self, steps: Steps, new: str) -> Edit | None:
        """Put an entry at the end of an object or a list that has entries."""
        members = self._members(self._at(steps))
        last = self._entry((*steps, next(reversed(members)))) if members else None
        if last is None:
            return None
        lead = "" if self._text[last.end - 1] in "\r\n" else self._line_break
        return Edit(last.end, last.end, -last.column, lead + self._indented(new, last.column))

    def deleted(self, steps: Steps) -> Edit | None:
        """Take an entry away with the comment right above it and the blank lines below it."""
        entry = self._entry(steps)
        if entry is None:
            return None
        above = re.search(r"(?:^[ \t]*#.*\n)+\Z", self._text[: entry.start], re.MULTILINE)
        below = re.compile(r"(?:[^\S\n]*\n)*").match(self._text, entry.end)
        return Edit(above.start() if above else entry.start, below.end() if below else entry.end, 0, "")

    def changed(self, *edits: Edit | None) -> str | None:
        """Return the text with edits made; None if one of them cannot be made."""
        possible = [edit for edit in edits if edit is not None]
        if len(possible) < len(edits):
            return None
        parts, done = [], 0
        for edit in sorted(possible, key=lambda edit: edit[:3]):
            parts += [self._text[done : edit.start], edit.new]
            done = max(done, edit.end)  # what is added behind an entry that is deleted
        return "".join([*parts, self._text[done:]])

    def _indented(self, new: str, column: int) -> str:
        return indent(new.removesuffix("\n") + "\n", " " * column).replace("\n", self._line_break)

    def _members(self, node: Node | None) -> dict[str | int, _Member]:
        """Return what an object or a list holds; looked up once, since a document may have thousands of paths."""
        if id(node) not in self._children:
            found: dict[str | int, _Member] = {}
            if isinstance(node, MappingNode):
                found = {key.value: (key, value) for key, value in node.value}
            elif isinstance(node, SequenceNode):
                found = {index: (None, value) for index, value in enumerate(node.value)}
            self._children[id(node)] = found
        return self._children[id(node)]

    def _way(self, steps: Steps) -> Iterator[_Member]:
        """Yield what the steps lead through, as far as the text holds it."""
        node = self._root
        for step in steps:
            found = self._members(node).get(step)
            if found is None:
                return
            yield found
            node = found[1]

    def _at(self, steps: Steps) -> Node | None:
        way = [self._root, *(value for _key, value in self._way(steps))]
        return way[-1] if len(way) > len(steps) else None

    def _entry(self, steps: Steps) -> _Entry | None:
        holder = self._at(steps[:-1])
        found = self._members(holder).get(steps[-1])
        if not isinstance(holder, CollectionNode) or found is None or holder.flow_style:
            return None
        key, value = found
        first = (key or value).start_mark.index
        if key is None:  # the dash, which no node knows
            first = self._text.rfind("-", 0, first)
        start = self._text.rfind("\n", 0, first) + 1
        start = self._text.rfind("\r", start, first) + 1 or start
        if self._text[start:first].strip(" "):
            return None  # the first key of an object in a list shares its line with the dash
        return _Entry(start, first - start, self._end_of_last_line(key, value))

    def _end_of_last_line(self, key: Node | None, value: Node) -> int:
        """Find the end of an entry by its last leaf: the mark of a block is behind the comments below it."""
        while isinstance(value, CollectionNode) and not value.flow_style:
            last = value.value[-1]
            key, value = last if isinstance(last, tuple) else (None, last)
        end: int = value.end_mark.index
        if isinstance(value, ScalarNode) and value.style in {"|", ">"}:
            header, _, content = self._text[value.start_mark.index : end].partition("\n")
            if "+" in header.partition("#")[0]:
                return end  # the blank lines below belong to the text
            end -= len(content) - len(content.rstrip())
        elif value.start_mark.index == end and key is not None:
            end = key.end_mark.index  # no value at all, whose mark is at the next thing that is there
        line_break = self._text.find("\n", end)
        return len(self._text) if line_break < 0 else line_break + 1


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
