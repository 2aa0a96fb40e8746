"""Take the OpenAPI document out of a page that Tazapay publishes.

Each page is a Markdown file with one whole OpenAPI document in a fenced block. What a fenced block is, is decided by
CommonMark (section 4.5), through markdown-it: any length of backticks or tildes, with or without an info string, and
shorter fences inside are content.
"""

import codecs
import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from codegen.errors import CodegenError
from codegen.read.yaml_nodes import lines_before

_DOCUMENT = re.compile(
    r"""^(?:openapi|"openapi"|'openapi'|swagger|"swagger"|'swagger')[ \t]*:|\A\s*\{.*"(?:openapi|swagger)"\s*:""",
    re.MULTILINE | re.DOTALL,
)


MAX_LINES = 100_000
"""Markdown takes its time for every line; a document of 300 operations has about 30,000."""

_MOST_LINES = 5
"""That a message names."""


@dataclass(frozen=True)
class Extracted:
    """A document that was taken out of a page."""

    content: bytes
    first_line: int
    """Of the page, counted from 1."""


def extract_document(page: bytes, name: str) -> bytes:
    r"""Return the OpenAPI document inside a published page, byte for byte; see `find_document`.

    Examples:
        >>> extract_document(b"# Create\n\n````yaml post /v3\nopenapi: 3.1.0\n\n````\n", "page.md")
        b'openapi: 3.1.0\n\n'
    """
    return find_document(page, name).content


def find_document(page: bytes, name: str) -> Extracted:
    r"""Return the OpenAPI document inside a published page, byte for byte, and where it starts.

    Everything between the fences is kept as it is: line ends, trailing blank lines, odd spacing; only as many leading
    spaces as the fence itself has belong to the page. Other fenced blocks, such as sample requests, are passed over.

    Args:
        page: The page as published.
        name: What messages call the page.

    Raises:
        CodegenError: The page is not UTF-8, holds no document or more than one, or its fence is never closed (the page
            was cut short), or the block stands in a list or a quotation, where its lines are not the document's.

    Examples:
        >>> find_document(b"# Create\n\n````yaml post /v3\nopenapi: 3.1.0\n\n````\n", "page.md").first_line
        4
    """
    try:
        text = page.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = lines_before(page[: error.start].decode("latin-1"), error.start) + 1
        raise CodegenError(f"{name}, line {line}: the page is not UTF-8 text") from None
    if lines_before(text, len(text)) > MAX_LINES:
        raise CodegenError(f"{name}, line {MAX_LINES + 1}: the page has more lines than a document of an API can have")
    # Fences are blocks, and what is inside the other blocks matters to nobody here; headings end no fence.
    reader = MarkdownIt("commonmark").disable(["inline", "heading", "lheading", "reference"])
    fences = [token for token in reader.parse(text) if token.type == "fence"]
    blocks = [fence for fence in fences if _DOCUMENT.search(fence.content)]
    if not blocks:
        raise _without_document(name, text, fences)
    if len(blocks) > 1:
        raise CodegenError(f"{name}: OpenAPI documents start on {_lines(blocks)}; a page must hold exactly one")
    content = _content(blocks[0], page.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True), name)
    return Extracted(content, _first_line(blocks[0]) + 1)


def _without_document(name: str, text: str, fences: list[Token]) -> CodegenError:
    missing = "no fenced block holds an OpenAPI document (one that starts with `openapi:`)"
    if fences:
        return CodegenError(f"{name}, {_lines(fences)}: {missing}")
    if not text.strip():
        return CodegenError(f"{name}, line 1: the page is empty, {missing}")
    last = lines_before(text, len(text.rstrip())) + 1
    return CodegenError(f"{name}, {f'lines 1 to {last}' if last > 1 else 'line 1'}: {missing}")


def _lines(fences: list[Token]) -> str:
    numbers = [str(_first_line(fence)) for fence in fences[:_MOST_LINES]]
    more = " and more" if len(fences) > _MOST_LINES else ""
    return f"line{'s' if len(fences) > 1 else ''} {' and '.join(numbers)}{more}"


def _first_line(fence: Token) -> int:
    """Return the number of the line that opens the fence, counted from 1 as editors do."""
    return fence.map[0] + 1 if fence.map else 1


def _content(fence: Token, lines: list[bytes], name: str) -> bytes:
    start = _first_line(fence)
    end = fence.map[1] if fence.map else start
    if fence.level:
        raise CodegenError(f"{name}, line {start}: the block stands in a list or a quotation; it must stand by itself")
    closing = lines[end - 1].strip()
    # CommonMark closes an open block at the end of the page; for us that is half of a download.
    if end - start < 1 or set(closing) != {ord(fence.markup[0])} or len(closing) < len(fence.markup):
        raise CodegenError(f"{name}, line {start}: the block is never closed; is the page cut short?")
    indentation = len(lines[start - 1]) - len(lines[start - 1].lstrip(b" "))
    return b"".join(re.sub(rb"\A {0,%d}" % indentation, b"", line) for line in lines[start : end - 1])
