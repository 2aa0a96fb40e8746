from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import httpx
import pytest
from attrs import define, field

IN_A_LINE = {"a", "b", "bdi", "code", "span", "strong", "time"}
WITHOUT_END = {"meta", "link", "img", "input", "br"}


@define(eq=False)
class Element:
    """An element as a browser reads it: its attributes, what is in it, and its text."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(factory=list)

    @property
    def text(self) -> str:
        """Its text, with blanks as a browser shows them."""
        return " ".join(self._unfolded.split())

    @property
    def _unfolded(self) -> str:
        text = "".join(child if isinstance(child, str) else child._unfolded for child in self.children)
        return text if self.tag in IN_A_LINE else f" {text} "

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements in it with this tag and these attributes."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if tag in ("", child.tag) and attributes.items() <= child.attributes.items():
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        [found] = self.all(tag, **attributes)
        return found


class Reader(HTMLParser):
    """Reads a page, and fails where elements are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in WITHOUT_END:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(html: str) -> Element:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader._open == [reader.root]
    return reader.root


Look = Callable[..., Element]


@pytest.fixture
def look(client: httpx.Client) -> Look:
    """Open the page, and read it."""

    def opened() -> Element:
        reply = client.get("/")
        assert reply.status_code == 200
        return read(reply.text)

    return opened
