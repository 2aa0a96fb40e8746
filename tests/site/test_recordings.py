"""The recordings of a terminal in the documents are what the commands show today, but for ids, ports and times."""

from __future__ import annotations

import importlib.util

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


def test_a_line_that_is_written_over_is_shown_for_the_time_that_it_was_there() -> None:
    program = "import time; print('a', end='\\r', flush=True); time.sleep(0.2); print('b')"
    _, first, second = record(["python3", "-c", program], {}, 1.0, 4)
    assert [run.text for run in (*first.runs, *second.runs)] == ["a", "b"]
    assert first.line == second.line == 5
    assert first.begin < second.begin == first.end
    assert second.begin - first.begin >= 0.2
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
