"""The pictures in the documents draw no import that is not allowed, leave out no room, and show the tree of errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tazapay_lightning
from tazapay_lightning import TazapayError
from tests.emulator.test_rooms import MAY_IMPORT as EMULATOR
from tests.wrapper.test_rooms import MAY_IMPORT as WRAPPER

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "architecture.md").read_text()
ARROW = re.compile(r"^ +(\w+)\S*?(?:\[.*?\])? --> (\w+)", re.MULTILINE)
SMALL = {"activity", "clock", "emulator", "errors", "pytest_plugin", "server", "shell"}
"""Modules of the emulator that are no room: everything may import them, or they stand beside its top."""
DRAWN_AS_ONE = {"clients": {"client", "async_client"}, "backends": {"transport"}, "top": {"app"}}


def arrows(heading: str) -> set[tuple[str, str]]:
    section = PAGE.partition(f"### {heading}")[2]
    return set(ARROW.findall(section.partition("```mermaid\n")[2].partition("```")[0]))


def rooms(name: str) -> set[str]:
    return DRAWN_AS_ONE.get(name, {name})


@pytest.mark.parametrize(("heading", "allowed"), [("The wrapper", WRAPPER), ("The emulator", EMULATOR)])
def test_every_arrow_is_an_import_that_is_allowed(heading: str, allowed: dict[str, set[str]]) -> None:
    drawn = arrows(heading)
    assert len(drawn) >= 6
    wrong = {
        (above, below)
        for above, below in drawn
        if below != "generated" and not all(rooms(below) & (allowed[room] | {room}) for room in rooms(above))
    }
    assert wrong == set()


@pytest.mark.parametrize(("heading", "allowed"), [("The wrapper", WRAPPER), ("The emulator", EMULATOR)])
def test_every_room_is_drawn(heading: str, allowed: dict[str, set[str]]) -> None:
    drawn = {room for arrow in arrows(heading) for name in arrow for room in rooms(name)}
    assert {room for room in allowed if not room.startswith("_") and room} - SMALL <= drawn


def test_the_tree_of_errors_is_that_of_the_classes() -> None:
    public = [getattr(tazapay_lightning, name) for name in tazapay_lightning.__all__]
    errors = [each for each in public if isinstance(each, type) and issubclass(each, TazapayError)]
    tree = {(error.__bases__[0].__name__, error.__name__) for error in errors if error is not TazapayError}
    assert set(ARROW.findall((DOCS / "reference/errors.md").read_text())) == tree
