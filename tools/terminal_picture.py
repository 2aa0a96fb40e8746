"""A picture of a terminal in SVG, which shows line by line what was on the screen, and when. Pure.

A reader whose system asks for less motion, or whose viewer knows no animation, sees the end at once. Blocks that draw a
QR code become shapes, so that it is one in every font.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape, unescape
from itertools import groupby
from typing import NamedTuple

_COLUMN, _LINE, _MARGIN, _TOP = 8.4, 18, 16, 40  # of a letter, of a line, around the screen, and of the bar above it
_BLOCKS = {"█": (0, 2), "▀": (0, 1), "▄": (1, 1)}
"""Where each begins and how high it is, in halves of a line."""
INK, PAPER = "e6edf3", "0d1117"
"""The colours of a terminal that names none."""
_COLOURS = {
    "default": f"#{INK}",
    "black": "#484f58",
    "red": "#ff7b72",
    "green": "#56d364",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#56d4dd",
    "white": "#ffffff",
}
_STYLE = """\
text { font: 14px ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }
.passing { opacity: 0; animation: shown linear }
.lasting { animation: hidden linear }
@keyframes shown { from, to { opacity: 1 } }
@keyframes hidden { from, to { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { .passing, .lasting { animation: none } }"""


class Run(NamedTuple):
    """Letters of one colour."""

    text: str
    colour: str = "default"
    background: str = "default"
    bold: bool = False


class Shown(NamedTuple):
    """What a line of the screen showed for a while: from when until when, in seconds; None for the end."""

    line: int
    runs: tuple[Run, ...]
    begin: float
    end: float | None


def drawn(title: str, columns: int, shown: Sequence[Shown]) -> str:
    """Return the picture of a terminal.

    Args:
        title: what is seen, for who cannot see it.
        columns: of the terminal.
        shown: its lines; those without an end are what it shows in the end.
    """
    lines = 1 + max((each.line for each in shown if each.end is None), default=0)
    width, height = columns * _COLUMN + 2 * _MARGIN, lines * _LINE + _TOP + _MARGIN
    label = f'aria-label="{escape(title)}"'
    dots = "".join(f'<circle cx="{20 + 18 * number}" cy="20" r="5" fill="#6e7681"/>' for number in range(3))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" {label}>',
            f"<style>\n{_STYLE}\n</style>",
            f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#{PAPER}"/>{dots}',
            *(_line(each) for each in shown if each.line < lines),
            "</svg>\n",
        ]
    )


def _line(shown: Shown) -> str:
    begin, end = f"{shown.begin:.2f}s", None if shown.end is None else f"{shown.end - shown.begin:.2f}s"
    kind = "lasting" if end is None else "passing"
    style = f"animation-duration:{begin}" if end is None else f"animation-duration:{end};animation-delay:{begin}"
    return f'<g class="{kind}" style="{style}">{"".join(_runs(shown))}</g>'


def _runs(shown: Shown) -> Iterator[str]:
    top, column = _TOP + shown.line * _LINE, 0
    for run in shown.runs:
        colour = _colour(run.colour)
        if run.background != "default":
            size = f'width="{len(run.text) * _COLUMN:.1f}" height="{_LINE}"'
            yield f'<rect x="{_x(column)}" y="{top}" {size} fill="{_colour(run.background)}"/>'
        for are_blocks, letters in groupby(run.text, key=_BLOCKS.__contains__):
            text = "".join(letters)
            if are_blocks:
                shape = f'transform="translate({_x(column)} {top}) scale({_COLUMN} {_LINE / 2:g})" d="{_path(text)}"'
                yield f'<path shape-rendering="crispEdges" fill="{colour}" {shape}/>'
            elif text.strip():
                bold = ' font-weight="600"' if run.bold else ""
                length = f'textLength="{len(text) * _COLUMN:.1f}"'
                yield f'<text x="{_x(column)}" y="{top + 14}" {length} fill="{colour}"{bold}>{escape(text)}</text>'
            column += len(text)


def _x(column: int) -> str:
    return f"{_MARGIN + column * _COLUMN:.1f}"


def _path(blocks: str) -> str:
    """Draw blocks that stand side by side, equal ones as one.

    Example:
        >>> _path("██▄")
        'M0 0h2v2h-2zM2 1h1v1h-1z'
    """
    parts, column = [], 0
    for block, same in groupby(blocks):
        wide, (top, high) = len(list(same)), _BLOCKS[block]
        parts.append(f"M{column} {top}h{wide}v{high}h-{wide}z")
        column += wide
    return "".join(parts)


def _colour(name: str) -> str:
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return _COLOURS[name.removeprefix("bright")]


def last_lines(picture: str) -> list[str]:
    """Return the text that a picture shows in the end, line by line; a line that only draws is "(drawing)"."""
    lines: dict[float, str] = {}
    for group in re.findall(r'<g class="lasting"[^>]*>(.*)</g>', picture):
        texts = re.findall(r'<text x="[^"]*" y="([^"]*)"[^>]*>([^<]*)</text>', group)
        if texts:
            lines[float(texts[0][0])] = " ".join(unescape(text).strip() for _, text in texts)
        elif drawing := re.search(r"translate\([^ ]* (\d+)\)", group):
            lines[float(drawing[1]) + 14] = "(drawing)"
    return [lines[top] for top in sorted(lines)]


def without_chance(lines: Iterable[str]) -> str:
    """Return lines without what differs from run to run: ids, keys, ports, times, payment requests, what is drawn.

    Example:
        >>> without_chance(["invoice l11_94057cc1921b", "lightning:lnbcrt50u1p", "qpzry9x8", "at http://127.0.0.1:4625"])
        'invoice (id) lightning:(request) at http://127.0.0.1:(port)'
        >>> without_chance(["expires 2026-11-28 14:10:30 UTC, in 14:59", "(drawing)", "(drawing)", "done"])
        'expires (date) (time) UTC, in (time) (drawing) done'
    """
    text = "\n".join(lines)
    for pattern, name in (
        (r"\blnbc\w+(?:\n[0-9a-z]+$)*", "(request)"),
        (r"\b(?:l11|col|evt)_\w+", "(id)"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "(key)"),
        (r"(127\.0\.0\.1):\d+", r"\1:(port)"),
        (r"\b\d{4}-\d\d-\d\d\b", "(date)"),
        (r"\b\d+:\d\d(?::\d\d)?\b", "(time)"),
        (r"\b\d+(?:\.\d+)? ?s\b", "(seconds)"),
        (r"\(drawing\)(?:\n\(drawing\))*", "(drawing)"),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text.strip()
