"""An import that ends anywhere leaves the old document or everything new, and importing again does all of it."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SUPPLEMENT
from codegen.write.placing import put_in_place, workspace
from tests.support.nightly import nightly
from tests.support.thorough import THOROUGH

PAGE = "create-with-metadata-input.md"


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


def state(checkout):
    return {name: (checkout.root / name).read_bytes() for name in (DOCUMENT, OVERLAY)} | checkout.tree()


@pytest.fixture
def arguments(repository):
    return "--import", str(repository / "tests/pages" / PAGE), "--stub-missing"


@pytest.fixture
def settled(checkout, arguments, new_checkout, tmp_path):
    """What the three places hold before an import and after it, and how many seconds it takes."""
    other = new_checkout(tmp_path / "other")
    started = time.monotonic()
    assert other.run_killed_after(60, *arguments).returncode == 0  # as those that are killed, but too late to be so
    return state(checkout), state(other), time.monotonic() - started


@nightly
def test_after_an_import_that_was_killed_at_any_moment_importing_again_does_it(
    checkout, arguments, settled, repository
):
    old, new, duration = settled
    moments, codes = random.Random(5), []
    for _ in range(20 if THOROUGH else 3):
        codes.append(checkout.run_killed_after(moments.uniform(0, duration), *arguments).returncode)
        assert checkout.run(*arguments).returncode == 0
        assert state(checkout) == new
        assert not (checkout.root / ".codegen-scratch").exists()
        for name in (DOCUMENT, OVERLAY):
            shutil.copy(repository / name, checkout.root)
        assert checkout.run().returncode == 0
        assert state(checkout) == old
    assert set(codes) - {0} == {-signal.SIGKILL}


@pytest.mark.parametrize("disaster", ["killed", pytest.param("full", marks=nightly)])
def test_whatever_moment_a_disaster_comes_the_document_is_the_last_and_importing_again_does_it(
    tmp_path, repository, disaster
):
    root = tmp_path / "repository"
    (root / "codegen").mkdir(parents=True)
    for name in (DOCUMENT, SUPPLEMENT, OVERLAY, "codegen/wrapper_coverage.yaml"):
        shutil.copy(repository / name, root / name)
    program = repository / "tests/codegen/write/import_sweep.py"
    sweep = [sys.executable, program, root, repository / "tests/pages" / PAGE]
    environment = {"PYTHONPATH": str(repository), "THOROUGH": str(int(THOROUGH))}
    done = subprocess.run([*sweep, disaster], env=environment, capture_output=True, text=True, check=True)
    ends = json.loads(done.stdout)
    old, new = ["old"] * 3, ["new"] * 3
    assert {end["end"] for end in ends} <= {"killed", "disk full", "half done", "done"}
    assert all(end["again"] == new for end in ends)
    assert {end["scratch"] for end in ends} == {"clean"}
    assert all(end["left"] == new or end["left"][0] == "old" for end in ends)
    assert all(end["left"] == old for end in ends if end["end"] == "disk full")
    # so many moments there were that the loop cannot have missed the run; how many there are depends on the Python
    assert ends[-1]["moment"] > 50


@pytest.fixture
def prepared(tmp_path):
    """A small repository, and a scratch folder with a new client."""
    root, scratch = tmp_path / "root", tmp_path / "root/.codegen-scratch"
    (root / PACKAGE).mkdir(parents=True)
    (root / PACKAGE / "a.py").write_text("old")
    for name in ("one", "two"):
        (root / name).write_text("old")
    (scratch / "client").mkdir(parents=True)
    (scratch / "client/a.py").write_text("new")
    return root, scratch


def contents(root):
    return [(root / name).read_text() for name in (f"{PACKAGE}/a.py", "one", "two")]


def test_the_client_and_the_files_are_put_in_place(prepared):
    root, scratch = prepared
    put_in_place(root, scratch, scratch / "client", {"one": b"new", "two": b"new"})
    assert contents(root) == ["new", "new", "new"]


def test_a_client_that_is_not_there_yet_is_put_in_place(prepared):
    root, scratch = prepared
    shutil.rmtree(root / PACKAGE)
    put_in_place(root, scratch, scratch / "client", {})
    assert contents(root) == ["new", "old", "old"]


def test_a_client_that_cannot_be_put_in_place_leaves_the_old_one(prepared, monkeypatch):
    root, scratch = prepared
    real = Path.rename

    def fail(source: Path, target: Path) -> Path:
        if source.name == "client":
            raise PermissionError(13, "Permission denied", str(target))
        return real(source, target)

    monkeypatch.setattr("pathlib.Path.rename", fail)
    with pytest.raises(PermissionError):
        put_in_place(root, scratch, scratch / "client", {"one": b"new"})
    assert contents(root) == ["old", "old", "old"]


def test_a_failure_half_way_says_what_is_in_place_and_what_to_do(prepared, monkeypatch):
    root, scratch = prepared
    real = Path.replace

    def fail(source: Path, target: Path) -> Path:
        if target.name == "two":
            raise PermissionError(13, "Permission denied", str(target))
        return real(source, target)

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(CodegenError) as caught:
        put_in_place(root, scratch, scratch / "client", {"one": b"new", "two": b"new"})
    assert str(caught.value) == (
        f"{PACKAGE} and one in place, but two could not be replaced (Permission denied): mend that and import again"
    )
    assert contents(root) == ["new", "new", "old"]


def test_what_is_left_of_a_run_that_was_killed_is_removed(tmp_path):
    (tmp_path / ".codegen-scratch/retired").mkdir(parents=True)
    with workspace(tmp_path) as scratch:
        assert list(scratch.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
