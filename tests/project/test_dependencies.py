"""The oldest and the newest dependencies: what `make oldest` holds, and what `make newest` tells."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.tables import each_row
from tools.newest import tell, versions_report
from tools.pins import names, pins

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = [
    each for extra, requirements in PROJECT["optional-dependencies"].items() if extra != "all" for each in requirements
]
LOCKED = pins((REPOSITORY / "requirements/oldest.txt").read_text())


@each_row("requirement", sorted({*PROJECT["dependencies"], *EXTRAS}))
def test_the_oldest_that_is_allowed_is_what_make_oldest_tests(requirement: str) -> None:
    allowed = re.fullmatch(r"([a-z0-9-]+)>=([\d.]+)(?:,<[\d.]+)?", requirement)
    assert allowed, "a dependency without a lower bound"
    name, floor = allowed.groups()
    assert f"{LOCKED[name]}.".startswith(f"{floor}."), "run make lock"


def test_the_oldest_dependencies_are_tested_with_the_test_tools_of_all_other_tests() -> None:
    everyday = pins((REPOSITORY / "requirements/dev.txt").read_text())
    tools = names((REPOSITORY / "requirements/tests.in").read_text())
    assert "pytest" in tools
    assert {name: LOCKED[name] for name in tools} == {name: everyday[name] for name in tools}


def test_the_report_lists_what_is_newer_than_the_lock_or_not_in_it() -> None:
    report = versions_report({"attrs": "25.1", "httpx": "0.28.1"}, {"attrs": "26.1", "httpx": "0.28.1", "new": "1.0"})
    assert report.splitlines()[2:] == [
        "| distribution | locked | newest |",
        "|---|---|---|",
        "| attrs | 25.1 | 26.1 |",
        "| new | not locked | 1.0 |",
    ]


def test_the_report_says_that_nothing_differs() -> None:
    assert versions_report({"attrs": "26.1"}, {"attrs": "26.1", "pip": "26.0"}).endswith(
        "All are as in requirements/dev.txt."
    )


def test_the_report_goes_to_the_terminal_and_to_the_summary_of_a_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    tell("one")
    tell("two")
    assert summary.read_text() == capsys.readouterr().out == "one\ntwo\n"


def test_pins_are_read_with_or_without_extras_markers_and_hashes() -> None:
    lock = "httpx==0.28.1 \\\n    --hash=sha256:00\n    # via pytest\ncelery[redis]==5.6.0 ; os_name == 'nt'\n"
    assert pins(lock) == {"httpx": "0.28.1", "celery": "5.6.0"}


def test_requirements_are_named_as_locks_spell_them() -> None:
    assert names("# tools\npytest\n\nruamel.yaml>=0.18  # reads\n") == ["pytest", "ruamel-yaml"]
