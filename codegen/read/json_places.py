"""Where the members of a JSON text stand: `json.loads` gives their values and forgets their lines."""

import json
import re
from collections.abc import Iterator
from functools import cached_property

Steps = tuple[str | int, ...]
"""The way from the root of a document to a value: keys, and indexes of lists."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_LINE_BREAK = re.compile(r"\r\n?|\n")


def lines_before(text: str, offset: int) -> int:
    r"""Count the line ends before a place, whichever kind they are.

    Examples:
        >>> lines_before("a\rb\r\nc\n", 5)
        2
    """
    return len(_LINE_BREAK.findall(text, 0, offset))


class JsonPlaces:
    r"""Finds the lines of a JSON text that `json.loads` takes.

    Examples:
        >>> JsonPlaces('{"a": 1,\n "b": [2,\n 3]}').line(("b", 1))
        2
    """

    def __init__(self, text: str) -> None:
        """Take a text; it is read when the first line is asked for."""
        self._text = text

    def line(self, steps: Steps) -> int:
        """Return the line, from 0, of the last of the steps that the text holds; the first line if it holds none."""
        known = (self._offsets.get(steps[:length]) for length in range(len(steps), 0, -1))
        return self._line(next((offset for offset in known if offset is not None), 0))

    def twice(self) -> tuple[str, int, int] | None:
        """Return the first key that an object gives twice, with its two lines from 0."""
        seen: dict[Steps, int] = {}
        for steps, offset in _members(self._text):
            if steps in seen:
                return str(steps[-1]), self._line(seen[steps]), self._line(offset)
            seen[steps] = offset
        return None

    def deeper_than(self, levels: int) -> int:
        """Return the line, from 0, of the first object or list that lies in so many others; the last if none does."""
        level = 0
        for token in _TOKEN.finditer(self._text):
            level += (token[0] in "{[") - (token[0] in "}]")
            if level > levels:
                return self._line(token.start())
        return self._line(len(self._text))

    @cached_property
    def _offsets(self) -> dict[Steps, int]:
        return dict(_members(self._text))

    def _line(self, offset: int) -> int:
        return lines_before(self._text, offset)


def _members(text: str) -> Iterator[tuple[Steps, int]]:
    """Yield every key of an object and every element of a list with its offset."""
    around: list[str | int | None] = []  # of each object and list: where we are in it; None before a key
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "}]":
            around.pop()
        elif mark == ",":
            around[-1] = around[-1] + 1 if isinstance(around[-1], int) else None
        elif around and around[-1] is None:
            around[-1] = str(json.loads(mark))
            yield tuple(step for step in around if step is not None), token.start()
        elif mark != ":":
            if around and isinstance(around[-1], int):
                yield tuple(step for step in around if step is not None), token.start()
            if mark in "{[":
                around.append(None if mark == "{" else 0)
