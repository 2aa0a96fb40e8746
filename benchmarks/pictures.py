"""Which tables of docs/performance.md are drawn, and where the pictures stand on the page. Pure but for the command.

    python -m benchmarks.pictures docs/performance.md

draws them anew from the figures that the page holds, without measuring. A picture is made of the rows that its table
shows, so that the two cannot differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.charts import Bar, Chart, Panel, described, drawn
from benchmarks.peers import OURS
from benchmarks.tables import Row

__all__ = ["FOLDER", "illustrated", "write_page"]

FOLDER = "images"
"""Where the pictures lie, beside the page."""

_PREFIX = "performance-"
_PICTURE = re.compile(rf"^!\[[^\n]*\]\({FOLDER}/{_PREFIX}[a-z-]+\.svg\)\n\n", re.MULTILINE)
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class _Picture:
    """What is made of the table with this number in a section of the page, which a letter names."""

    name: str
    title: str
    section: str
    table: int
    panels: Callable[[Sequence[Row]], list[Panel]]


def _by_median(rows: Sequence[Row]) -> list[Panel]:
    """One bar for each row, by its second column."""
    return [Panel("", [_bar(row[0], row[1]) for row in rows[1:]])]


def _by_level(*levels: str, of: str = "in flight") -> Callable[[Sequence[Row]], list[Panel]]:
    """One panel for each of some columns."""

    def panels(rows: Sequence[Row]) -> list[Panel]:
        columns = [(level, rows[0].index(level)) for level in levels if level in rows[0]]
        return [Panel(f"{level} {of}", [_bar(row[0], row[at]) for row in rows[1:]]) for level, at in columns]

    return panels


def _bar(label: str, text: str) -> Bar:
    value = _NUMBER.match(text)
    if value is None:
        raise ValueError(f"{label}: not a figure: {text}")
    return Bar(label, float(value[0]), text, ours=OURS in label)


_PICTURES = (
    _Picture("import", "Import and construction: processor time, less is better", "A", 0, _by_median),
    _Picture("first-invoice", "Start to first invoice: processor time, less is better", "A", 1, _by_median),
    _Picture("call", "One call: processor time, less is better", "B", 0, _by_median),
    _Picture("in-flight", "Requests per second, more is better", "C", 0, _by_level("50", "500")),
    _Picture("threads", "Blocking calls per second, more is better", "C", 4, _by_level("32", "100", of="threads")),
    _Picture("payment-request", "Reading a payment request: processor time, less is better", "D", 0, _by_median),
    _Picture("webhook", "Verifying a webhook: processor time, less is better", "D", 1, _by_median),
    _Picture("memory", "Resident memory after a first invoice, less is better", "E", 0, _by_median),
    _Picture("idle", "Memory of an idle client over https, less is better", "E", 1, _by_median),
)


def illustrated(page: str) -> tuple[str, Mapping[str, str]]:
    r"""Return a page with a picture above each table that has one, and the pictures by the names of their files.

    A page that has its pictures already is returned as it is.

    Example:
        >>> page, pictures = illustrated("## B. One call\n\n|  | median |\n|---|---|\n| httpx | 3.0 us |\n")
        >>> page.splitlines()[2]
        '![One call: processor time, less is better: httpx 3.0 us](images/performance-call.svg)'
        >>> list(pictures)
        ['performance-call.svg']
        >>> illustrated(page) == (page, pictures)
        True
    """
    pictures: dict[str, str] = {}
    parts: list[str] = []
    for section in re.split(r"(?=^## )", _PICTURE.sub("", page), flags=re.MULTILINE):
        done = 0
        for number, table in enumerate(_TABLE.finditer(section)):
            for picture in _PICTURES:
                if section.startswith(f"## {picture.section}. ") and picture.table == number:
                    chart = Chart(picture.title, picture.panels(list(_rows(table[0]))))
                    file = f"{_PREFIX}{picture.name}.svg"
                    pictures[file] = drawn(chart)
                    parts += [section[done : table.start()], f"![{described(chart)}]({FOLDER}/{file})\n\n"]
                    done = table.start()
        parts.append(section[done:])
    return "".join(parts), pictures


def _rows(table: str) -> Iterator[Row]:
    """Yield the rows of a table in Markdown, without the line under its head."""
    for number, line in enumerate(table.splitlines()):
        if number != 1:
            yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def write_page(file: Path, page: str) -> None:
    """Write a page with its pictures, and remove those of earlier pages."""
    text, pictures = illustrated(page)
    folder = file.parent / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{_PREFIX}*.svg"):
        old.unlink()
    for name, picture in pictures.items():
        (folder / name).write_text(picture, "utf-8")
    file.write_text(text, "utf-8")


if __name__ == "__main__":
    page_file = Path(sys.argv[1])
    write_page(page_file, page_file.read_text("utf-8"))
