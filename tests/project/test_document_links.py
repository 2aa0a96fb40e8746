"""Links among the documents, as they are on GitHub: files and headings that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
DOCUMENTS = [*(REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")), *DOCS.rglob("*.md")]
MARKDOWN = MarkdownIt("commonmark")


def links_of(document: Path) -> Iterator[str]:
    for block in MARKDOWN.parse(document.read_text()):
        for token in block.children or ():
            for attribute in ("href", "src"):
                if attribute in token.attrs:
                    yield str(token.attrs[attribute])
            if token.type == "html_inline":
                yield from re.findall(r'(?:src|href)="([^"]+)"', token.content)
        if block.type == "html_block":
            yield from re.findall(r'(?:src|href)="([^"]+)"', block.content)


def headings_of(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    blocks = MARKDOWN.parse(document.read_text())
    titles = [text for mark, text in pairwise(blocks) if mark.type == "heading_open"]
    words = ["".join(part.content for part in title.children or ()) for title in titles]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in words}


def relative_links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for link in links_of(document):
            if not urlsplit(link).scheme:
                yield document, link


def test_every_link_among_the_documents_leads_to_a_file_and_a_heading_that_are_there() -> None:
    links = list(relative_links())
    assert len(links) > 80
    broken = []
    for document, link in links:
        path, _, heading = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (heading and target.suffix == ".md" and heading not in headings_of(target)):
            broken.append(f"{document.relative_to(REPOSITORY)}: {link}")
    assert broken == []


def test_the_readme_leads_to_every_guide_and_to_the_first_page_of_the_site() -> None:
    linked = {link.partition("#")[0] for link in links_of(REPOSITORY / "README.md")}
    assert {path.relative_to(REPOSITORY).as_posix() for path in (DOCS / "index.md", *DOCS.glob("*s.md"))} <= linked


def test_no_document_of_the_site_leads_out_of_it_but_by_a_whole_address() -> None:
    outside = [
        f"{document.relative_to(DOCS)}: {link}"
        for document, link in relative_links()
        if DOCS in document.parents and DOCS not in (document.parent / link).resolve().parents
    ]
    assert outside == []
