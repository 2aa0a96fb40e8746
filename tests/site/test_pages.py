"""The pages of the site: all of them, with their diagrams drawn, and without anything from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath

from tests.site.conftest import REPOSITORY
from tools.site_check import problems, read_page

PAGES = {path.relative_to(REPOSITORY / "docs") for path in (REPOSITORY / "docs").rglob("*.md")}


def test_every_document_is_a_page_that_the_navigation_lists(site: Path) -> None:
    listed = {normpath(link.partition("#")[0]) for link in read_page(site / "index.html").links}
    assert {page.with_suffix(".html").as_posix() for page in PAGES} - {"index.html"} <= listed


def test_nothing_is_loaded_from_elsewhere_and_no_link_within_the_site_is_broken(site: Path) -> None:
    assert list(problems(site)) == []


def test_every_diagram_is_drawn_when_the_site_is_built(site: Path) -> None:
    drawn = 0
    for page in PAGES:
        written = (REPOSITORY / "docs" / page).read_text().count("\n```mermaid\n")
        html = (site / page.with_suffix(".html")).read_text()
        assert html.count('<figure class="diagram">') == len(re.findall(r'<svg id="diagram-\w+"', html)) == written
        drawn += written
    assert drawn >= 7


def test_every_diagram_has_a_title_and_a_description_for_who_does_not_see_it(site: Path) -> None:
    for page in PAGES:
        for drawing in re.findall(
            r'<figure class="diagram">.*?</figure>', (site / page.with_suffix(".html")).read_text()
        ):
            named = re.search(r'aria-describedby="([\w-]+)" aria-labelledby="([\w-]+)"', drawing)
            assert named is not None, page
            assert re.search(
                rf'<title id="{named[2]}">[A-Z].+?</title><desc id="{named[1]}">[A-Z].+?</desc>', drawing
            ), page


def test_diagrams_on_one_page_do_not_share_ids(site: Path) -> None:
    ids = re.findall(r'<svg id="(diagram-\w+)"', (site / "architecture.html").read_text())
    assert len(set(ids)) == len(ids)


def test_the_full_table_of_reliability_is_folded_below_the_one_at_a_glance(site: Path) -> None:
    page = (site / "reliability.html").read_text()
    glance, folded = page.index("connections are refused"), page.index("<summary>All figures")
    assert glance < folded < page.index("<code>refuse(seconds=0.05)</code>") < page.index("</details>")
