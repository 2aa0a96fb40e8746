"""The tests that guides show: run by the commands that they show, and the worker of Celery's guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.frameworks.guides import File, guide
from tests.frameworks.projects import Project


@pytest.mark.parametrize("name", ["celery", "tests"])
def test_the_tests_of_a_guide_pass_as_many_as_it_shows(name: str, tmp_path: Path) -> None:
    reader = Project(guide(name), tmp_path, {})
    reader.prepare()
    shown = sum(
        len(re.findall(r"^def test_", step.text, re.M)) for step in reader.guide.steps if isinstance(step, File)
    )
    [command] = [step for step in reader.guide.steps if isinstance(step, str) and step.startswith("pytest")]
    done = reader.run(command)
    assert re.search(rf"^=+ {shown} passed in ", done.stdout, re.MULTILINE), done.stdout


def test_a_worker_without_credentials_does_not_start(tmp_path: Path) -> None:
    reader = Project(guide("celery"), tmp_path, {"BROKER_URL": "memory://"})
    reader.prepare()
    [command] = [step for step in reader.guide.steps if isinstance(step, str) and step.startswith("celery")]
    done = reader.run(command)
    assert (done.returncode, "TAZAPAY_API_KEY" in done.stdout) == (1, True), done.stdout
