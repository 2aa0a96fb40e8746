"""What `--import` reads: published pages, YAML and JSON documents.

Each page is a Markdown file with one whole OpenAPI document in a fenced block. What a fenced block is, is decided by
CommonMark (section 4.5), through markdown-it: any length of backticks or tildes, with or without an info string, and
shorter fences inside are content.
"""

import codecs
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt

from codegen.errors import CodegenError
from codegen.read.documents import JsonObject, JsonValue, Source, decoded, describe, lines_before, shown
from codegen.read.references import references, steps_of

MAX_BYTES = 2_000_000
"""A document of 300 operations has about 1 MB; what is bigger than this is no documentation of an API."""

MAX_LINES = 100_000
"""Markdown takes its time for every line; a document of 300 operations has about 30,000."""

_MARKDOWN, _DOCUMENT = {".md", ".markdown"}, {".yaml", ".yml", ".json"}
_FENCE_OR_KEY = re.compile(
    r"""\A\s*\{|^(?:(?P<fence> {0,3}(?:`{3}|~{3}))|["']?(?:openapi|swagger)["']?[ \t]*:)""", re.MULTILINE
)
_START = re.compile(
    r"""^(["']?)(?:openapi|swagger)\1[ \t]*:|\A\s*\{.*"(?:openapi|swagger)"\s*:""", re.MULTILINE | re.DOTALL
)
"""What tells a fenced block with a document from one with a sample request."""


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
    if len(content) > MAX_BYTES:
        raise CodegenError(f"{name}: more than {MAX_BYTES:,} bytes, which is more than a document of an API can have")
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
        CodegenError: It holds no document or two, is not OpenAPI 3.0 or 3.1, defines no operation, has a
            reference to another document or a path that is none. The message names the file and the line.

    Examples:
        >>> read_source("stdin", b"# Title\n```\nopenapi: 3.1.0\npaths: {/a: {get: {}}}\n```\n").at("paths")
        'stdin, line 4'
    """
    source = Source(name, *_found(content, name)) if _is_page(name, content) else Source(name, content)
    _check_version(source)
    _check_paths(source)
    _check_references(source)
    return source


def extract_document(page: bytes, name: str) -> bytes:
    r"""Return the OpenAPI document inside a published page, byte for byte.

    Everything between the fences is kept as it is: line ends, trailing blank lines, odd spacing; only as many leading
    spaces as the fence itself has belong to the page. Other fenced blocks, such as sample requests, are passed over.

    Args:
        page: The page as published.
        name: What messages call the page.

    Raises:
        CodegenError: The page is not UTF-8, holds no document or more than one, or its fence is never closed (the page
            was cut short), or the block stands in a list or a quotation, where its lines are not the document's.

    Examples:
        >>> extract_document(b"# Create\n\n````yaml post /v3\nopenapi: 3.1.0\n\n````\n", "page.md")
        b'openapi: 3.1.0\n\n'
    """
    return _found(page, name)[0]


def _found(page: bytes, name: str) -> tuple[bytes, int]:
    """Return the document inside a page, and its first line, counted from 1."""
    text = decoded(page, name)
    if lines_before(text, len(text)) > MAX_LINES:
        raise CodegenError(f"{name}, line {MAX_LINES + 1}: the page has more lines than a document of an API can have")
    # Fences are blocks, and what is inside the other blocks matters to nobody here; headings end no fence.
    reader = MarkdownIt("commonmark").disable(["inline", "heading", "lheading", "reference"])
    fences = [token for token in reader.parse(text) if token.type == "fence" and _START.search(token.content)]
    bounds = [fence.map or [0, 0] for fence in fences]
    if not fences:
        raise CodegenError(f"{name}, line 1: no fenced block holds an OpenAPI document (one that starts with openapi:)")
    if len(fences) > 1:
        starts = " and ".join(str(start + 1) for start, _end in bounds[:5])
        raise CodegenError(f"{name}: OpenAPI documents start on lines {starts}; a page must hold exactly one")
    fence, (start, end) = fences[0], bounds[0]
    if fence.level:
        problem = "the block stands in a list or a quotation; it must stand by itself"
        raise CodegenError(f"{name}, line {start + 1}: {problem}")
    lines = page.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)
    closing = lines[end - 1].strip()
    # CommonMark closes an open block at the end of the page; for us that is half of a download.
    if end - start < 2 or set(closing) != {ord(fence.markup[0])} or len(closing) < len(fence.markup):
        raise CodegenError(f"{name}, line {start + 1}: the block is never closed; is the page cut short?")
    indentation = len(lines[start]) - len(lines[start].lstrip(b" "))
    content = b"".join(re.sub(rb"\A {0,%d}" % indentation, b"", line) for line in lines[start + 1 : end - 1])
    return content, start + 2


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
    first = _FENCE_OR_KEY.search(content.decode("utf-8-sig", errors="replace"))
    return first is None or first["fence"] is not None


def _check_version(source: Source) -> None:
    key = "swagger" if "swagger" in source.document else "openapi"
    if key == "swagger" or read_version(source.document.get(key)) is None:
        found = f"{key} {describe(source.document[key])}" if key in source.document else f"there is no key `{key}`"
        known = "OpenAPI 3.0.x and 3.1.x can be imported, the version in quotes or with all three numbers"
        raise CodegenError(f"{source.at(key)}: {found}: only {known}")


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
    odd = re.search(r"[?#\\\s]", unquote(path)) or not unquote(path).isprintable()
    return "has a character that no path may have" if odd else ""


def _check_references(source: Source) -> None:
    document: JsonObject = source.document
    for place, reference, problem in references(document, "#"):
        if problem:
            where = source.at(*steps_of(place, document), "$ref")
            raise CodegenError(f"{where}: refers to {describe(reference)}, {problem}")
