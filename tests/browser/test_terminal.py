"""The QR codes of the command line, scanned off the screen of a terminal by a library that did not make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tazapay_lightning_emulator import Emulator, running_emulator
from tests.browser.conftest import SCREENSHOTS, unavailable
from tests.support.terminal import Cell, Screen, in_a_terminal

if TYPE_CHECKING:
    from PIL.Image import Image

WIDE, HIGH = 8, 16
"""Pixels of a character."""
THEMES = {"dark": ("#ffffff", "#000000"), "light": ("#000000", "#ffffff")}
ARGUMENTS = ["create", "--amount-sats", "123456", "--memo", "Order #7890"]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with running_emulator() as emulator:
        for name in ("API_KEY", "API_SECRET", "BASE_URL"):
            monkeypatch.setenv(f"TAZAPAY_{name}", getattr(emulator, name.lower()))
        yield emulator


def photograph(screen: Screen, theme: str, name: str) -> Image:
    """Draw the blocks of a screen as a terminal of a theme does, cell by cell; of other characters, their place."""
    try:
        from PIL import Image, ImageDraw
    except ModuleNotFoundError:
        unavailable("pillow is not installed: make browser-test")
    rows = screen.cells()
    foreground, background = THEMES[theme]
    picture = Image.new("RGB", (WIDE * max(map(len, rows)), HIGH * len(rows)), background)
    draw = ImageDraw.Draw(picture)
    for top, row in enumerate(rows):
        for left, cell in enumerate(row):
            _draw(draw, left * WIDE, top * HIGH, cell, foreground, background)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture.save(SCREENSHOTS / f"terminal-{name}-{theme}.png")
    return picture


def _draw(draw: object, left: int, top: int, cell: Cell, foreground: str, background: str) -> None:
    ink, paper = ("#ffffff", "#000000") if cell.is_white_on_black else (foreground, background)
    upper, lower = {"\u2588": (ink, ink), "\u2580": (ink, paper), "\u2584": (paper, ink)}.get(
        cell.character, (paper, paper)
    )
    right, middle, bottom = left + WIDE - 1, top + HIGH // 2, top + HIGH - 1
    draw.rectangle((left, top, right, middle - 1), fill=upper)  # type: ignore[attr-defined]  # of an optional library
    draw.rectangle((left, middle, right, bottom), fill=lower)  # type: ignore[attr-defined]  # likewise


def scanned(picture: Image) -> list[str]:
    try:
        import zxingcpp
    except ModuleNotFoundError:
        unavailable("zxing-cpp is not installed: make browser-test")
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def payment_request(emulator: Emulator) -> str:
    (stored,) = emulator.invoices()
    return f"LIGHTNING:{stored['payment_request'].upper()}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "no colours"])
def test_the_code_of_a_new_invoice_is_scanned_off_the_screen(
    emulator: Emulator, theme: str, variables: dict[str, str]
) -> None:
    with in_a_terminal(*ARGUMENTS, columns=120, rows=40, **variables) as terminal:
        screen = Screen(terminal.read_to_the_end())
    assert scanned(photograph(screen, theme, "create")) == [payment_request(emulator)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("columns", [120, 80], ids=["beside", "above"])
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "no colours"])
def test_the_code_at_a_countdown_is_scanned_off_the_screen(
    emulator: Emulator, theme: str, columns: int, variables: dict[str, str]
) -> None:
    with in_a_terminal(*ARGUMENTS, "--wait", columns=columns, rows=40, **variables) as terminal:
        terminal.read_until(lambda written: "expires in" in written.rpartition("\u2588")[2] or columns == 120)
        terminal.read_until(lambda written: len(Screen(written).code()) == 31)
        screen = Screen(terminal.written)
    assert scanned(photograph(screen, theme, f"wait-{columns}")) == [payment_request(emulator)]
