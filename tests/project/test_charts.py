"""The bar charts of docs/performance.md: what they show, and that they are made of the page's own figures."""

from __future__ import annotations

import doctest
import importlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.charts import Bar, Chart, Panel, described, drawn
from benchmarks.pictures import FOLDER, illustrated, write_page
from tests.support.tables import each_row

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/performance.md"
SVG = "{http://www.w3.org/2000/svg}"
CHART = Chart(
    "A <call>",
    [
        Panel("50 in flight", [Bar("httpx & more", 100.0, "100"), Bar("tazapay-lightning", 400.0, "400", ours=True)]),
        Panel("500 in flight", [Bar("httpx & more", 20.0, "20"), Bar("tazapay-lightning", 10.0, "10", ours=True)]),
    ],
)
TABLE = "## B. One call\n\nHow.\n\n|  | median | ratio |\n|---|---|---|\n| httpx | 2.0 us | 1 |\n"


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own picture


def bars(picture: str) -> list[float]:
    return [float(bar.get("width", "")) for bar in parsed(picture).iter(f"{SVG}rect") if bar.get("y") != "0.5"]


def texts(picture: str) -> list[str | None]:
    return [text.text for text in parsed(picture).iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_share_of_the_longest_of_their_panel() -> None:
    first, second, third, fourth = bars(drawn(CHART))
    assert first == pytest.approx(second / 4)
    assert fourth == pytest.approx(third / 2)
    assert second == third


def test_title_labels_and_figures_are_text() -> None:
    assert texts(drawn(CHART)) == [
        *("A <call>", "50 in flight", "httpx & more", "100", "tazapay-lightning", "400"),
        *("500 in flight", "httpx & more", "20", "tazapay-lightning", "10"),
    ]


def test_a_chart_is_told_in_words_to_who_does_not_see_it() -> None:
    root = parsed(drawn(CHART))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "A <call>"
    assert root.findtext(f"{SVG}desc") == described(CHART)
    assert described(CHART).endswith("500 in flight: httpx & more 20, tazapay-lightning 10")


def test_our_own_bar_is_told_by_bold_letters_and_not_by_its_colour_alone() -> None:
    bold = [text.text for text in parsed(drawn(CHART)).iter(f"{SVG}text") if text.get("class") == "bold"]
    assert bold == ["tazapay-lightning", "400", "tazapay-lightning", "10"]


def test_colours_follow_what_the_system_of_the_reader_prefers() -> None:
    style = parsed(drawn(CHART)).findtext(f"{SVG}style") or ""
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for name in (".paper", "text", ".bar", ".ours"):
        (colours,) = (set(re.findall(rf"^{re.escape(name)} \{{ fill: (#\w+)", part, re.MULTILINE)) for part in [light])
        assert colours
        assert colours.isdisjoint(re.findall(rf"^{re.escape(name)} \{{ fill: (#\w+)", dark, re.MULTILINE))


def test_everything_is_within_the_picture() -> None:
    for name, picture in illustrated(PAGE.read_text())[1].items():
        root = parsed(picture)
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        for bar in root.iter(f"{SVG}rect"):
            assert float(bar.get("x", "")) + float(bar.get("width", "")) <= width, name
        for text in root.iter(f"{SVG}text"):
            assert float(text.get("y", "")) <= height, name
            letters = float(text.get("x", "")) + 8.5 * len(text.text or "")  # a wide letter of 14 pixels, on average
            assert letters <= width, f"{name}: {text.text}"


def test_a_picture_stands_above_its_table_and_an_illustrated_page_stays_as_it_is() -> None:
    page, pictures = illustrated(TABLE)
    (name,) = pictures
    assert f"How.\n\n![One call: processor time, less is better: httpx 2.0 us]({FOLDER}/{name})\n\n|  |" in page
    assert illustrated(page) == (page, pictures)


def test_a_part_that_was_not_measured_has_no_picture() -> None:
    assert illustrated("## B. One call\n\nNot measured.\n") == ("## B. One call\n\nNot measured.\n", {})


def test_a_cell_that_is_no_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="httpx: not a figure: quick"):
        illustrated(TABLE.replace("2.0 us", "quick"))


def test_pictures_of_an_earlier_page_are_removed(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "performance-old.svg").write_text("")
    (tmp_path / FOLDER / "demo.svg").write_text("")
    write_page(tmp_path / "performance.md", TABLE)
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} == {"performance-call.svg", "demo.svg"}


def test_the_committed_pictures_are_those_of_the_committed_figures() -> None:
    page, pictures = illustrated(PAGE.read_text())
    assert page == PAGE.read_text()
    assert len(pictures) == 9
    kept = {path.name: path.read_text() for path in (PAGE.parent / FOLDER).glob("performance-*.svg")}
    assert kept == pictures


@each_row("module", ["charts", "pictures"])
def test_the_examples_of_the_charts_hold(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"benchmarks.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
