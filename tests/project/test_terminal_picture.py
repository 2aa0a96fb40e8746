"""Pictures of a terminal: what is shown when, to readers with and without animation."""

from __future__ import annotations

import doctest
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tools import terminal_picture
from tools.terminal_picture import Run, Shown, drawn, last_lines

SVG = "{http://www.w3.org/2000/svg}"
SHOWN = [
    Shown(0, (Run("$ ", "green", bold=True), Run("wait <id>", bold=True)), 0.0, None),
    Shown(1, (Run("14:59"),), 0.5, 1.5),
    Shown(1, (Run("paid", "56d364"),), 1.5, None),
    Shown(2, (Run("██▄ ", "ffffff", "000000"),), 1.5, None),
]
PICTURE = drawn("a wait", 40, SHOWN)


def test_the_picture_is_well_formed_and_says_what_it_is() -> None:
    root = ET.fromstring(PICTURE)  # noqa: S314 - our own picture
    assert (root.get("role"), root.get("aria-label")) == ("img", "a wait")


def test_the_last_lines_are_what_stays() -> None:
    assert last_lines(PICTURE) == ["$ wait <id>", "paid", "(drawing)"]


def test_without_animation_what_passes_is_hidden_and_what_stays_is_seen() -> None:
    style = re.search("<style>(.*)</style>", PICTURE, re.DOTALL)
    assert style is not None
    still = re.sub(r"animation[^;}]*|@keyframes.*\n", "", style[1])
    assert ".passing { opacity: 0;" in still
    assert "opacity" not in still.partition(".lasting")[2].partition("}")[0]
    assert "@media (prefers-reduced-motion: reduce) { .passing, .lasting { animation: none }" in style[1]


def test_what_passes_is_shown_from_its_beginning_to_its_end() -> None:
    assert '<g class="passing" style="animation-duration:1.00s;animation-delay:0.50s">' in PICTURE


def test_the_blocks_of_a_code_are_drawn_and_not_written() -> None:
    root = ET.fromstring(PICTURE)  # noqa: S314 - our own picture
    assert [path.get("d") for path in root.iter(f"{SVG}path")] == ["M0 0h2v2h-2zM2 1h1v1h-1z"]
    assert "█" not in PICTURE


def test_the_committed_recordings_are_small_and_load_nothing() -> None:
    pictures = list((Path(__file__).resolve().parents[2] / "docs/images").glob("*.svg"))
    assert {"demo.svg", "wait.svg"} <= {path.name for path in pictures}
    for path in pictures:
        assert path.stat().st_size < 100_000, path.name
        assert not re.search(r"href|url\(|@import|<script", path.read_text()), path.name


def test_the_examples_of_the_picture_hold() -> None:
    results = doctest.testmod(terminal_picture)
    assert results.attempted > 0
    assert results.failed == 0
