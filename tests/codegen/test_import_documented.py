"""docs/regenerating.md shows what the commands really print; its console blocks run as every document's do."""

import re
import shutil

import pytest

EXAMPLE = ("--import", "tests/pages/create-with-metadata-input.md")


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def blocks(repository):
    text = (repository / "docs/regenerating.md").read_text()
    return [content for _, content in re.findall(r"^```(text|yaml)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def documented(checkout, repository):
    shutil.copytree(repository / "tests/pages", checkout.root / "tests/pages")
    return checkout


def test_the_refusal_of_the_example_is_the_one_shown(documented, blocks):
    done = documented.run(*EXAMPLE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr in blocks


def test_the_report_of_the_example_is_the_one_shown(documented, blocks):
    done = documented.run(*EXAMPLE, "--stub-missing")
    assert done.returncode == 0
    assert done.stdout in blocks


def test_the_overlay_of_a_team_is_the_file_that_the_commands_name(repository, blocks):
    assert (repository / "tests/pages/team.overlay.yaml").read_text() in blocks
