"""What `--import` reads: published pages, YAML and JSON documents, each with the lines on which things stand."""

import os
import re
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from codegen.errors import CodegenError
from codegen.read.block_text import BlockText, dumped
from codegen.read.documents import JsonObject, JsonValue, describe, parse_nodes, shown
from codegen.read.published_page import find_document
from codegen.read.references import references, steps_of
from codegen.read.units import Unit, units
from codegen.read.values import MAX_NAME

MAX_BYTES = 2_000_000
"""A document of 300 operations has about 1 MB; what is bigger than this is no documentation of an API."""

_MARKDOWN, _DOCUMENT = {".md", ".markdown"}, {".yaml", ".yml", ".json"}
_FENCE_OR_KEY = re.compile(
    r"""^(?:(?P<fence> {0,3}(?:`{3}|~{3}))|["']?(?:openapi|swagger)["']?[ \t]*:)""", re.MULTILINE
)


class Source:
    """A document, and where in which file everything in it stands."""

    def __init__(self, name: str, content: bytes, first_line: int = 1, *, aliases: bool = False) -> None:
        """Read the document.

        Args:
            name: What messages call the file.
            content: The bytes of the document.
            first_line: The line of the file on which the document starts.
            aliases: Whether it may have anchors, which keep it from being taken over in parts.

        Raises:
            CodegenError: `codegen.read.documents` refuses it.
        """
        self.name = name
        self.document, self._nodes = parse_nodes(content, name, first_line=first_line, aliases=aliases)
        self.text = content.decode("utf-8-sig")
        self._mark = content[: len(content) - len(self.text.encode())]
        self._first_line = first_line

    def block(self) -> BlockText:
        """Return the text with its entries, to be changed; those of JSON do not stand on lines of their own."""
        return BlockText(self.text, self._nodes())

    @cached_property
    def _block(self) -> BlockText:
        return self.block()

    @cached_property
    def parts(self) -> dict[Unit, JsonValue]:
        """The document, taken apart."""
        return units(self.document)

    def encoded(self, text: str) -> bytes:
        """Return the bytes of a text that takes the place of this one, with a byte order mark if this one has it."""
        return self._mark + text.encode()

    def at(self, *steps: str | int) -> str:
        """Say where the value at the end of some steps stands, for messages: `page.md, line 7`."""
        return f"{self.name}, line {self._first_line + self._block.line(steps) - 1}"

    def entry(self, steps: tuple[str, ...]) -> str:
        """Return an entry as lines of YAML: those of the document if it has them, with its quotes and its comments."""
        text = self._block.entry(steps)
        value: JsonValue = self.document
        for step in steps:
            value = value[step] if isinstance(value, dict) else None
        return text if text is not None else dumped({steps[-1]: value})


def read_sources(names: Sequence[str]) -> list[Source]:
    """Read every file named on the command line; `-` is stdin.

    Raises:
        CodegenError: A file is not one document that can be imported: see `read_source`.
        OSError: A file cannot be read.
    """
    if names.count("-") > 1:
        raise CodegenError("- is named more than once, but stdin can be read only once")
    return [read_source(*read_bytes(name)) for name in names]


def read_bytes(name: str) -> tuple[str, bytes]:
    """Read a file that may be a pipe, `-` for stdin, and return what messages call it, and what is in it.

    Raises:
        CodegenError: It is too big.
        OSError: It cannot be read.
    """
    if name == "-":
        name, content = "stdin", sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with open(name, "rb", opener=_without_waiting) as file:
            content = file.read(MAX_BYTES + 1)
    _check_size(name, content)
    return name, content


def _without_waiting(name: str, flags: int) -> int:
    """Open a file, and also a pipe that nobody writes to: by default that would wait for a writer, for ever."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(descriptor, True)  # whoever writes already may take their time
    return descriptor


def read_source(name: str, content: bytes) -> Source:
    r"""Read a published page, or a YAML or JSON document.

    The ending of the name tells which it is; without one that is known, whether a fence or the key `openapi` is first.

    Raises:
        CodegenError: It is too big, holds no document or two, is not OpenAPI 3.0 or 3.1, defines no operation, has a
            reference to another document or a path that is none. The message names the file and the line.

    Examples:
        >>> read_source("stdin", b"# Title\n```\nopenapi: 3.1.0\npaths: {/a: {get: {}}}\n```\n").at("paths")
        'stdin, line 4'
    """
    _check_size(name, content)
    if _is_page(name, content):
        found = find_document(content, name)
        source = Source(name, found.content, found.first_line)
    else:
        source = Source(name, content)
    _check_version(source)
    _check_paths(source)
    _check_references(source)
    return source


def _check_size(name: str, content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise CodegenError(f"{name}: more than {MAX_BYTES:,} bytes, which is more than a document of an API can have")


def read_version(value: JsonValue) -> tuple[int, ...] | None:
    """Return the numbers of a version of OpenAPI that can be generated from; None for every other value.

    Examples:
        >>> read_version("3.1.0"), read_version("3.2.0"), read_version(3.1)
        ((3, 1, 0), None, None)
    """
    found = isinstance(value, str) and re.fullmatch(r"3\.[01]\.[0-9]{1,3}", value)
    return tuple(int(number) for number in str(value).split(".")) if found else None


def _is_page(name: str, content: bytes) -> bool:
    ending = Path(name).suffix.lower()
    if ending in _MARKDOWN | _DOCUMENT:
        return ending in _MARKDOWN
    text = content.decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith("{"):
        return False
    first = _FENCE_OR_KEY.search(text)
    return first is None or first["fence"] is not None


def _check_version(source: Source) -> None:
    document = source.document
    if "swagger" in document:
        version = document["swagger"]
        what = f"this is Swagger {shown(version) if isinstance(version, str) else describe(version)}"
        raise CodegenError(f"{source.at('swagger')}: {what}; only OpenAPI 3.0.x and 3.1.x can be imported")
    if "openapi" not in document:
        raise CodegenError(f"{source.at()}: no OpenAPI document: the key `openapi` is missing")
    if read_version(document["openapi"]) is None:
        what = f"OpenAPI {describe(document['openapi'])} is not supported"
        raise CodegenError(f"{source.at('openapi')}: {what}; 3.0.x and 3.1.x are, in quotes or with all three numbers")


def _check_paths(source: Source) -> None:
    paths = source.document.get("paths")
    if not isinstance(paths, dict) or all(path.startswith("x-") for path in paths):
        raise CodegenError(f"{source.at('paths')}: the document defines no operation, there is nothing to import")
    for path, item in paths.items():
        if path.startswith("x-"):
            continue
        problem = _path_fault(path)
        if problem:
            raise CodegenError(f"{source.at('paths', path)}: the path {describe(path)} {problem}")
        if not isinstance(item, dict) or not item:
            what = f"{shown(path)} must hold operations, not {describe(item) if item else 'nothing'}"
            raise CodegenError(f"{source.at('paths', path)}: {what}")


def _path_fault(path: str) -> str:
    steps = unquote(path).split("/")
    if steps[0] or len(steps) < 2 or {".", ".."} & set(steps) or "" in steps[1:-1]:
        return "must start with / and go straight down, without . and .."
    for name in re.findall(r"/:([A-Za-z_][A-Za-z0-9_]*)", path):
        return f"has a parameter in a form that OpenAPI does not know: write {{{name}}} instead of :{name}"
    if re.search(r"[?#\\\s]", unquote(path)) or not unquote(path).isprintable():
        return "has a character that no path may have"
    return ""


def _check_references(source: Source) -> None:
    document: JsonObject = source.document
    for place, reference, problem in references(document, "#"):
        if not problem and len(str(reference)) > 2 * MAX_NAME:
            problem = f"which has more than {2 * MAX_NAME:,} characters"
        if problem:
            where = source.at(*steps_of(place, document), "$ref")
            raise CodegenError(f"{where}: refers to {describe(reference)}, {problem}")
