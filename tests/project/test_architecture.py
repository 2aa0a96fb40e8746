"""The pictures in docs/architecture.md draw no import that is not allowed, and leave out no room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.emulator.test_rooms import MAY_IMPORT as EMULATOR
from tests.wrapper.test_rooms import MAY_IMPORT as WRAPPER

PAGE = (Path(__file__).resolve().parents[2] / "docs/architecture.md").read_text()
ARROW = re.compile(r"^ +(\w+)\S*?(?:\[.*?\])? --> (\w+)", re.MULTILINE)
SMALL = {"clock", "emulator", "errors", "pytest_plugin", "server"}
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
