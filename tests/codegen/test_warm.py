"""A run that is forked from a warm process is the script's run: same exit code, same words, same files."""

import pytest

from codegen.layout import DOCUMENT, OVERLAY
from tests.support.nightly import nightly

IMPORT = ("--import", "tests/pages/create-with-metadata-input.md", "--stub-missing", "--format", "json")


@pytest.fixture
def warm(new_warm_checkout, tmp_path):
    return new_warm_checkout(tmp_path / "warm")


def outcome(checkout, arguments, **options):
    done = checkout.run(*arguments, **options)
    files = {name: (checkout.root / name).read_bytes() for name in (DOCUMENT, OVERLAY)} | checkout.tree()
    return done.returncode, done.stdout, done.stderr, files


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(IMPORT, 0, id="import", marks=nightly),
        pytest.param(IMPORT[:2], 2, id="refused"),
        pytest.param(["--diff", IMPORT[1]], 3, id="diff", marks=nightly),
        pytest.param(["--chek"], 2, id="usage"),
        pytest.param(["--help"], 0, id="help", marks=nightly),
    ],
)
def test_it_ends_says_and_leaves_what_the_script_does(
    checkout, new_warm_checkout, tmp_path, repository, arguments, code
):
    expected = outcome(checkout, arguments, cwd=repository)
    assert expected[0] == code
    for copy in ("one that generates", "one that may copy what was generated"):
        assert outcome(new_warm_checkout(tmp_path / copy), arguments, cwd=repository) == expected


def test_a_difference_from_what_was_generated_before_is_found(warm):
    assert warm.run("--check").returncode == 0
    (warm.package / "client.py").write_text("edited by hand")
    assert warm.run("--check").returncode == 1


def test_other_settings_are_another_generation(warm):
    assert warm.run("--check").returncode == 0
    warm.add_hook("echo >&2 the tool gave up; exit 3")
    done = warm.run("--check")
    assert (done.returncode, done.stdout, "the tool gave up" in done.stderr) == (2, "", True)
