"""The recordings of a terminal in the documents are what the commands show today, but for ids, ports and times."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.site.conftest import REPOSITORY, unavailable
from tools.recording import RECORDINGS, record
from tools.terminal_picture import INK, PAPER, last_lines, without_chance


@pytest.fixture(autouse=True)
def _terminal() -> None:
    if importlib.util.find_spec("pyte") is None:
        unavailable("pyte is not installed: make docs-test")


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_a_recording_shows_what_the_commands_show_today(name: str) -> None:
    committed = last_lines((REPOSITORY / "docs/images" / name).read_text())
    assert without_chance(last_lines(RECORDINGS[name]())) == without_chance(committed), "make recording"


def test_a_line_that_is_written_over_is_shown_for_the_time_that_it_was_there(tmp_path: Path) -> None:
    """The command writes over the line once that was on the screen."""
    program = f"printf 'a\\r'; while [ ! -e {tmp_path}/seen ]; do sleep 0.01; done; printf b"
    seen = tmp_path / "seen"
    _, first, second = record(["sh", "-c", program], {}, 1.0, 4, lambda screen: seen.touch() if "a" in screen else None)
    assert [run.text for run in (*first.runs, *second.runs)] == ["a", "b"]
    assert first.line == second.line == 5
    assert first.begin < second.begin == first.end
    assert second.end is None


def test_colours_of_the_terminal_are_kept() -> None:
    _, shown = record(["printf", r"\033[1;32mpaid\033[0m, \033[7mreversed\033[0m"], {}, 0.0, 0)
    assert [(run.text, run.colour, run.background, run.bold) for run in shown.runs] == [
        ("paid", "green", "default", True),
        (", ", "default", "default", False),
        ("reversed", PAPER, INK, False),
    ]


def test_a_command_that_fails_ends_the_recording_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match=r"sh -c echo no; exit 3 ended with 3\nno"):
        list(record(["sh", "-c", "echo no; exit 3"], {}, 0.0, 0))


def test_a_command_that_does_not_end_is_killed() -> None:
    with pytest.raises(RuntimeError, match=r"sleep 60 ended with -9"):
        list(record(["sleep", "60"], {}, 0.0, 0, longest=0.1))
