"""A run that ends anywhere leaves the old package or the new one, whole."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import codegen.generate.regeneration
import codegen.write.swap
from codegen.layout import PACKAGE, SCRATCH
from codegen.write.swap import exchange, recover, replace_folder
from codegen.write.workspace import workspace
from tests.support.nightly import nightly

OLD = {"__init__.py": b"old", "api/stale.py": b"stale"}
NEW = {"__init__.py": b"new", "api/create.py": b"create", "py.typed": b""}


def write(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def root(tmp_path, repository):
    """A repository with what a run reads, and no package yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("openapi.yaml", "openapi.supplement.yaml", "openapi.overlay.yaml"):
        shutil.copy(repository / name, folder)
    return folder


@pytest.fixture(params=["exchange", "renames"])
def way(request, monkeypatch, tmp_path):
    """Each of the two ways to replace a folder, with a generator that copies a finished package."""
    finished = write(tmp_path / "finished", NEW)
    monkeypatch.setattr(codegen.generate.regeneration, "read_configuration", lambda _path: None)
    monkeypatch.setattr(codegen.generate.regeneration, "check_package", lambda _package, _contents: None)
    monkeypatch.setattr(
        codegen.generate.regeneration,
        "generate",
        lambda _document, _settings, output: shutil.copytree(finished, output),
    )
    if request.param == "renames":
        monkeypatch.setattr(codegen.write.swap, "exchange", lambda _one, _other: False)
    return request.param


@pytest.mark.parametrize(
    ("way", "disaster"),
    [
        ("renames", "killed"),
        pytest.param("exchange", "full", marks=nightly),
        pytest.param("exchange", "killed", marks=nightly),
        pytest.param("renames", "full", marks=nightly),
    ],
)
def test_a_disaster_at_any_moment_leaves_a_whole_package(root, repository, way, disaster):
    sweep = [sys.executable, repository / "tests/codegen/disaster_sweep.py", root, way, disaster]
    done = subprocess.run(sweep, env={"PYTHONPATH": str(repository)}, capture_output=True, text=True, check=True)
    ends = json.loads(done.stdout)
    aside = way == "renames" and disaster == "killed"  # between two renames the package is aside, until the next run
    assert {end["end"] for end in ends} == {"killed" if disaster == "killed" else "disk full", "done"}
    assert {end["left"] for end in ends} == {"old", "new", "missing"} if aside else {"old", "new"}
    assert {end["next"] for end in ends} == {"old", "new"}
    assert {end["scratch"] for end in ends} == {"clean"}
    assert all(end["next"] == {"missing": "old"}.get(end["left"], end["left"]) for end in ends)
    assert [end["left"] for end in ends if end["end"] == "done"][-1] == "new"
    # so many moments were tried that the loop cannot have missed the run; how many there are depends on the Python
    assert len(ends) > 30


def test_a_package_that_is_not_there_yet_is_put_in_place(root, way):
    codegen.generate.regeneration.regenerate(root, replace=True)
    assert read(root / PACKAGE) == NEW


def test_a_package_is_replaced_with_every_file_that_is_no_longer_generated(root, way):
    write(root / PACKAGE, OLD)
    codegen.generate.regeneration.regenerate(root, replace=True)
    assert read(root / PACKAGE) == NEW
    assert sorted(path.name for path in root.iterdir() if not path.name.startswith("openapi")) == ["generated_client"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may have no exchange, and then the renames serve")
def test_linux_exchanges_two_folders_in_one_step(tmp_path):
    one, other = write(tmp_path / "one", OLD), write(tmp_path / "other", NEW)
    assert exchange(one, other)
    assert (read(one), read(other)) == (NEW, OLD)


def test_an_exchange_with_nothing_changes_nothing(tmp_path):
    one = write(tmp_path / "one", OLD)
    assert not exchange(one, tmp_path / "nothing")
    assert read(one) == OLD


def test_a_second_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    monkeypatch.setattr(codegen.write.swap, "exchange", lambda _one, _other: False)
    target = write(tmp_path / "target", OLD)
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "never made", target, tmp_path / "retired")
    assert read(target) == OLD
    assert not (tmp_path / "retired").exists()


def test_recovery_keeps_a_target_that_is_there(tmp_path):
    target, retired = write(tmp_path / "target", NEW), write(tmp_path / "retired", OLD)
    assert not recover(target, retired)
    assert read(target) == NEW


def test_recovery_brings_the_retired_folder_back(tmp_path):
    retired = write(tmp_path / "retired", OLD)
    assert recover(tmp_path / "target", retired)
    assert read(tmp_path / "target") == OLD


def test_the_scratch_of_a_run_that_was_killed_is_removed(root):
    write(root / SCRATCH / "fresh" / "tazapay_lightning_api", NEW)
    with workspace(root) as scratch:
        assert list(scratch.fresh.iterdir()) == []
    assert not (root / SCRATCH).exists()
