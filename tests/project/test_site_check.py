"""The check of a built site finds what must not be in it, and lets through what may."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.tables import each_row
from tools.site_check import main, problems

FOREIGN = "https://elsewhere.example/a"


def found(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return list(problems(folder))


@each_row(
    "html",
    [
        f'<script src="{FOREIGN}"></script>',
        f'<link rel="stylesheet" href="{FOREIGN}">',
        f'<link rel="preload icon" href="{FOREIGN}">',
        f'<img src="{FOREIGN}">',
        f'<img srcset="index.html 1x, {FOREIGN} 2x">',
        f'<video poster="{FOREIGN}"></video>',
        f'<object data="{FOREIGN}"></object>',
        f'<iframe src="{FOREIGN}"></iframe>',
        f'<p style="background: url({FOREIGN})">',
        f"<style>p {{ color: red }} @font-face {{ src: url('{FOREIGN}') }}</style>",
        f'<style>@import "{FOREIGN}";</style>',
        f'<svg><image href="{FOREIGN}"/></svg>',
        f'<svg><use xlink:href="{FOREIGN}"/></svg>',
    ],
)
def test_whatever_a_page_loads_from_elsewhere_is_found(html: str, tmp_path: Path) -> None:
    assert found(tmp_path, index_html=html) == [f"index.html: loads {FOREIGN}, which is not of this site"]


def test_an_address_without_a_scheme_is_elsewhere_too(tmp_path: Path) -> None:
    assert found(tmp_path, index_html='<script src="//elsewhere.example/a"></script>') == [
        "index.html: loads //elsewhere.example/a, which is not of this site"
    ]


def test_stylesheets_and_pictures_are_read_too(tmp_path: Path) -> None:
    picture = f'<svg xmlns="http://www.w3.org/2000/svg"><style>@import url({FOREIGN});</style></svg>'
    assert found(tmp_path, site_css=f"p {{ background: url( '{FOREIGN}' ) }}", picture_svg=picture) == [
        f"picture.svg: loads {FOREIGN}, which is not of this site",
        f"site.css: loads {FOREIGN}, which is not of this site",
    ]


@each_row(
    ("html", "problem"),
    [
        ('<a href="none.html">', "links to none.html, which is not there"),
        ('<a href="folder/">', "links to folder/, which is not there"),
        ('<a href="#none">', "links to #none, but the page has no such anchor"),
        ('<a href="other.html#none">', "links to other.html#none, but the page has no such anchor"),
        ('<a href="../outside.html">', "links to ../outside.html, which is outside the site"),
        ('<img src="none.png">', "loads none.png, which is not there"),
        ('<link rel="stylesheet" href="none.css">', "loads none.css, which is not there"),
    ],
)
def test_a_reference_within_the_site_that_leads_nowhere_is_found(html: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "site/folder").mkdir(parents=True, exist_ok=True)
    (tmp_path / "outside.html").write_text("")
    assert found(tmp_path / "site", index_html=html, other_html='<h2 id="a">') == [f"index.html: {problem}"]


@each_row(
    "html",
    [
        f'<a href="{FOREIGN}">read there</a>',
        '<a href="mailto:somebody@example.com">',
        '<a href="lightning:lnbc1">',
        '<link rel="canonical" href="https://elsewhere.example/">',
        '<a href="other.html#a%C3%A4">',
        '<a href="./other.html?q=1">',
        '<a href="">',
        '<a href="/other.html">',
        '<a href="#b"><h2 id="b">',
        '<img src="data:image/png;base64,AAAA">',
        '<p style="fill: url(#gradient)">',
    ],
)
def test_what_readers_may_follow_and_what_is_there_are_let_through(html: str, tmp_path: Path) -> None:
    assert found(tmp_path, index_html=html, other_html='<h2 id="aä">') == []


def test_the_command_fails_with_a_line_for_each_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text('<a href="none.html"><img src="none.png">')
    monkeypatch.setattr(sys, "argv", ["site_check", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: index.html: loads none.png, which is not there",
        "error: index.html: links to none.html, which is not there",
    ]


def test_a_folder_without_a_site_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["site_check", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds no site"):
        main()
