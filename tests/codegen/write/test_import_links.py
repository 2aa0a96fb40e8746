"""What is replaced may be a link, may have rights of its own, and may be where nothing can be written."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from codegen.layout import DOCUMENT, OVERLAY, PACKAGE
from codegen.write.placing import put_in_place

PAGE = "tests/pages/create-with-metadata-input.md"


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


@pytest.fixture
def linked(checkout):
    """A checkout in which both files and the client lie elsewhere, and relative links lead to them."""
    elsewhere = checkout.root.parent / "elsewhere"
    elsewhere.mkdir()
    for name in (DOCUMENT, OVERLAY, PACKAGE):
        place = checkout.root / name
        target = elsewhere / f"the real {place.name}"
        place.rename(target)
        place.symlink_to(os.path.relpath(target, place.parent))
    return checkout


def links(checkout):
    return {name: (checkout.root / name).readlink() for name in (DOCUMENT, OVERLAY, PACKAGE)}


def test_an_import_follows_links_and_leaves_them_links(linked, new_checkout, tmp_path, repository):
    before = links(linked)
    plain = new_checkout(tmp_path / "plain")
    for where in (linked, plain):
        done = where.run("--import", str(repository / PAGE), "--stub-missing")
        assert done.returncode == 0, done.stderr
    assert links(linked) == before
    assert linked.tree() == plain.tree()
    for name in (DOCUMENT, OVERLAY):
        assert (linked.root / name).read_bytes() == (plain.root / name).read_bytes()
    assert sorted(path.name for path in linked.root.parent.joinpath("elsewhere").iterdir()) == [
        "the real openapi.overlay.yaml",
        "the real openapi.yaml",
        "the real tazapay_lightning_api",
    ]
    assert linked.run("--check").returncode == 0


def test_a_plain_run_follows_the_link_to_the_client(linked, committed_tree):
    before = links(linked)
    (linked.package / "client.py").write_text("edited by hand")
    done = linked.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert links(linked) == before
    assert linked.tree() == committed_tree


def test_a_link_to_nothing_is_followed_too(linked, committed_tree):
    shutil.rmtree(linked.package.resolve())
    assert linked.run().returncode == 0
    assert linked.package.is_symlink()
    assert linked.tree() == committed_tree


@pytest.fixture
def other_file_system(tmp_path):
    memory = Path("/dev/shm")  # noqa: S108 - the one other file system that a Linux has
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", [DOCUMENT, OVERLAY, PACKAGE])
def test_a_link_to_another_file_system_is_refused_before_anything_is_done(
    checkout, other_file_system, repository, name
):
    target = other_file_system / "target"
    shutil.move(checkout.root / name, target)
    (checkout.root / name).symlink_to(target)

    def state():
        paths = sorted(path for path in checkout.root.rglob("*") if not path.name.startswith(".venv-codegen"))
        return paths, checkout.tree(), [(checkout.root / file).read_bytes() for file in (DOCUMENT, OVERLAY)]

    before = state()
    done = checkout.run("--import", str(repository / PAGE), "--stub-missing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {name} is a link to {target}, on another file system, where it cannot be replaced in one step: keep it"
        " on the one of the repository; nothing was written\n"
    )
    assert state() == before
    assert checkout.run("--check").returncode == 0


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_the_rights_of_a_file_stay_as_they_were(tmp_path, mode):
    (tmp_path / "one").write_text("old")
    (tmp_path / "one").chmod(mode)
    (tmp_path / "scratch").mkdir()
    put_in_place(tmp_path, tmp_path / "scratch", None, {"one": b"new"})
    assert ((tmp_path / "one").read_text(), (tmp_path / "one").stat().st_mode & 0o777) == ("new", mode)


def as_somebody_without_privileges(root: Path) -> str:
    """Start a run in a child process that is not root, if we are, and return what it said."""
    code = (
        "import fcntl, os, sys\n"
        "from pathlib import Path\n"
        "from codegen.write.placing import workspace\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    with workspace(Path(sys.argv[1])): print('made')\n"
        "except OSError as error: print(f'{error.strerror}: {error.filename}')\n"
    )
    repository = Path(__file__).parents[3]
    command = [sys.executable, "-B", "-c", code, str(root)]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(repository)}, cwd="/", capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_repository_that_cannot_be_written_is_named_and_left_as_it_is():
    with tempfile.TemporaryDirectory() as folder:  # and not tmp_path, into which only its owner can look
        root = Path(folder)
        root.chmod(0o555)
        assert as_somebody_without_privileges(root) == (f"Permission denied: {root}/.codegen-scratch\n")
        root.chmod(0o777)
        assert as_somebody_without_privileges(root) == "made\n"
        assert list(root.iterdir()) == []
        root.chmod(0o755)


def test_a_loop_of_links_is_an_error_and_no_defect(checkout):
    (checkout.root / DOCUMENT).unlink()
    (checkout.root / DOCUMENT).symlink_to(DOCUMENT)
    done = checkout.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Too many levels of symbolic links: ")
    assert DOCUMENT in done.stderr
    assert "Traceback" not in done.stderr
