"""An import that ends anywhere leaves the old repository or the new one."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SUPPLEMENT
from codegen.write.journal import put_in_place, settle, unsettled
from codegen.write.workspace import workspace
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
def test_an_import_that_is_killed_at_random_moments_leaves_the_old_repository_or_the_new_one(
    checkout, arguments, settled, repository
):
    old, new, duration = settled
    moments, codes = random.Random(5), []
    for _ in range(20 if THOROUGH else 3):
        moment = moments.uniform(0, duration)
        codes.append(checkout.run_killed_after(moment, *arguments).returncode)
        with workspace(checkout.root):  # what the next run does first
            pass
        found = state(checkout)
        assert found in (old, new), f"killed after {moment:.3f} s"
        assert not (checkout.root / ".codegen-scratch").exists()
        if found == new:
            for name in (DOCUMENT, OVERLAY):
                shutil.copy(repository / name, checkout.root)
            shutil.rmtree(checkout.package)
            shutil.copytree(repository / PACKAGE, checkout.package, ignore=shutil.ignore_patterns("__pycache__"))
    assert set(codes) - {0} == {-signal.SIGKILL}
    done = checkout.run("--check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("way", "disaster"),
    [
        ("exchange", "killed"),
        pytest.param("renames", "full", marks=nightly),
        pytest.param("exchange", "full", marks=nightly),
        pytest.param("renames", "killed", marks=nightly),
    ],
)
def test_a_disaster_at_any_moment_leaves_all_three_places_old_or_all_three_new(tmp_path, repository, way, disaster):
    root = tmp_path / "repository"
    (root / "codegen").mkdir(parents=True)
    for name in (DOCUMENT, SUPPLEMENT, OVERLAY, "codegen/wrapper_coverage.yaml"):
        shutil.copy(repository / name, root / name)
    sweep = [sys.executable, repository / "tests/codegen/import_sweep.py", root, repository / "tests/pages" / PAGE]
    environment = {"PYTHONPATH": str(repository), "THOROUGH": str(int(THOROUGH))}
    done = subprocess.run([*sweep, way, disaster], env=environment, capture_output=True, text=True, check=True)
    ends = json.loads(done.stdout)
    old, new = ["old"] * 3, ["new"] * 3
    assert {end["end"] for end in ends} == {"killed" if disaster == "killed" else "disk full", "done"}
    assert all(end["next"] in (old, new) for end in ends)
    assert {end["scratch"] for end in ends} == {"clean"}
    if disaster == "full":  # a run that goes on to tell of the failure leaves nothing to the next one
        assert all(end["left"] == (old if end["end"] == "disk full" else new) for end in ends)
    else:
        assert any(end["left"] not in (old, new) for end in ends), "no run was killed while it put things in place"
    # so many moments there were that the loop cannot have missed the run; how many there are depends on the Python
    assert ends[-1]["moment"] > 80


@pytest.fixture
def decided(tmp_path, monkeypatch):
    """A repository whose import was killed right after it was decided."""
    root, scratch = tmp_path / "repository", tmp_path / "repository/.codegen-scratch"
    (root / "client").mkdir(parents=True)
    (root / "client/a.py").write_text("old")
    (root / "spec.yaml").write_text("old")
    (scratch / "fresh/client").mkdir(parents=True)
    (scratch / "fresh/client/a.py").write_text("new")
    with monkeypatch.context() as patch:
        patch.setattr("codegen.write.journal.settle", lambda _root, _scratch: None)
        put_in_place(root, scratch, {"spec.yaml": b"new"}, {"client": scratch / "fresh/client"})
    return root, scratch


def contents(root):
    return [(root / name).read_text() for name in ("spec.yaml", "client/a.py")]


def test_what_was_decided_is_carried_out_once(decided):
    root, scratch = decided
    assert (unsettled(scratch), contents(root)) == (True, ["old", "old"])
    settle(root, scratch)
    assert (unsettled(scratch), contents(root)) == (False, ["new", "new"])
    (root / "spec.yaml").write_text("newer")
    settle(root, scratch)
    assert contents(root) == ["newer", "new"]


def test_a_file_that_somebody_changed_meanwhile_is_not_overwritten(decided):
    root, scratch = decided
    (root / "spec.yaml").write_text("edited by hand")
    with pytest.raises(CodegenError, match=r"interrupted, and spec.yaml changed since.*delete \.codegen-scratch"):
        settle(root, scratch)
    assert contents(root) == ["edited by hand", "old"]


def test_what_python_leaves_in_the_client_is_no_change(decided):
    root, scratch = decided
    (root / "client/__pycache__").mkdir()
    (root / "client/__pycache__/a.pyc").touch()
    settle(root, scratch)
    assert contents(root) == ["new", "new"]


def test_a_failure_half_way_puts_everything_back(tmp_path, monkeypatch):
    root, scratch = tmp_path, tmp_path / ".codegen-scratch"
    scratch.mkdir()
    for name in ("one", "two"):
        (root / name).write_text("old")
    moved = []

    def fail_once(source, target):
        moved.append(target.name)
        if len(moved) == 2:
            raise PermissionError(13, "Permission denied", str(target))
        return source.rename(target)

    monkeypatch.setattr("pathlib.Path.replace", fail_once)
    with pytest.raises(PermissionError):
        put_in_place(root, scratch, {"one": b"new", "two": b"new too"}, {})
    assert moved == ["one", "two", "one"]
    assert [(root / name).read_text() for name in ("one", "two")] == ["old", "old"]
    assert not unsettled(scratch)
