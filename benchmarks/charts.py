"""Bar charts as SVG: light and dark by what the reader's system prefers, and text that can be read aloud. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "Chart", "Panel", "described", "drawn"]

_WIDTH, _MARGIN, _VALUE = 560, 20, 84  # of the picture, around it, and for the figure behind the longest bar
_LONGEST = _WIDTH - 2 * _MARGIN - _VALUE
_TITLE, _HEADING, _ROW, _THICKNESS = 44, 30, 40, 14

_STYLE = """\
.paper { fill: #ffffff; stroke: #d0d7de }
text { fill: #1f2328; font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
.title { font-size: 16px; font-weight: 600 }
.heading { font-weight: 600 }
.bar { fill: #8c959f }
.ours { fill: #b45309 }
.bold { font-weight: 600 }
@media (prefers-color-scheme: dark) {
.paper { fill: #161b22; stroke: #30363d }
text { fill: #e6edf3 }
.bar { fill: #6e7681 }
.ours { fill: #f0a04b }
}"""


@dataclass(frozen=True)
class Bar:
    """One measurement.

    Attributes:
        label: what was measured.
        value: how long the bar is, in units of the longest one of its panel.
        text: the value in words.
        ours: whether it is of the client that the page is about, which is set in bold.
    """

    label: str
    value: float
    text: str
    ours: bool = False


@dataclass(frozen=True)
class Panel:
    """Bars that are drawn to one scale, under a heading; "" for none."""

    heading: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Chart:
    """A picture with a title and one panel below the other."""

    title: str
    panels: Sequence[Panel]


def described(chart: Chart) -> str:
    """Tell in words what a chart shows.

    Example:
        >>> described(Chart("A call", [Panel("", [Bar("httpx", 2.0, "2 ms"), Bar("ours", 3.0, "3 ms")])]))
        'A call: httpx 2 ms, ours 3 ms'
        >>> described(Chart("Calls", [Panel("at once", [Bar("a", 1, "1 s")]), Panel("in turn", [Bar("a", 2, "2 s")])]))
        'Calls: at once: a 1 s; in turn: a 2 s'
    """
    panels = [
        (f"{panel.heading}: " if panel.heading else "") + ", ".join(f"{bar.label} {bar.text}" for bar in panel.bars)
        for panel in chart.panels
    ]
    return f"{chart.title}: {'; '.join(panels)}"


def drawn(chart: Chart) -> str:
    """Return a chart as a file of SVG.

    Example:
        >>> picture = drawn(Chart("A call", [Panel("", [Bar("a < b", 2.0, "2 ms"), Bar("ours", 4.0, "4 ms", True)])]))
        >>> [line for line in picture.splitlines() if "2 ms" in line and "text" in line][-1]
        '<text x="246" y="78">2 ms</text>'
    """
    lines: list[str] = []
    bottom = float(_TITLE)
    for panel in chart.panels:
        if panel.heading:
            lines.append(f'<text class="heading" x="{_MARGIN}" y="{bottom + 20:g}">{escape(panel.heading)}</text>')
            bottom += _HEADING
        longest = max(bar.value for bar in panel.bars)
        for bar in panel.bars:
            lines += _bar(bar, bottom, bar.value / longest)
            bottom += _ROW
    height = bottom + _MARGIN / 2
    size = f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title words">',
            f'<title id="title">{escape(chart.title)}</title>',
            f'<desc id="words">{escape(described(chart))}</desc>',
            f"<style>\n{_STYLE}\n</style>",
            f'<rect class="paper" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
            f'<text class="title" x="{_MARGIN}" y="30">{escape(chart.title)}</text>',
            *lines,
            "</svg>\n",
        ]
    )


def _bar(bar: Bar, top: float, share: float) -> Iterator[str]:
    """The label, below it the bar, and behind that the value."""
    bold = ' class="bold"' if bar.ours else ""
    length = max(1.0, round(share * _LONGEST, 1))
    yield f'<text{bold} x="{_MARGIN}" y="{top + 16:g}">{escape(bar.label)}</text>'
    kind = "bar ours" if bar.ours else "bar"
    yield f'<rect class="{kind}" x="{_MARGIN}" y="{top + 22:g}" width="{length:g}" height="{_THICKNESS}" rx="2"/>'
    yield f'<text{bold} x="{_MARGIN + length + 8:g}" y="{top + 34:g}">{escape(bar.text)}</text>'
