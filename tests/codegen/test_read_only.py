"""./generate.sh in a checkout that is read-only, as in a container or on a share: what writes nothing works there."""

import os
import subprocess
import sys

import pytest

from tests.support.checkout import read_tree

# a mount of its own, which even root cannot write to
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && '
PAGE = "create-a-lightning-invoice.md"


@pytest.fixture
def run(checkout, tmp_path):
    """Run generate.sh in the checkout as if it were on a disk that is read-only."""
    in_own_namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*in_own_namespace, f"{READ_ONLY} ! touch x", checkout.root], check=False).returncode:
        pytest.skip("this system lets nobody mount a folder")

    def generate(*arguments, cache=tmp_path / "cache"):
        return subprocess.run(
            [*in_own_namespace, f'{READ_ONLY} exec ./generate.sh "$@"', checkout.root, *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, "XDG_CACHE_HOME": str(cache)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return generate


@pytest.fixture
def without_environment(checkout):
    """The checkout has no environment, and needs nothing to be installed: there is no network here."""
    (checkout.root / ".venv-codegen").unlink()
    (checkout.root / "codegen/requirements.txt").write_text("")
    return checkout


@pytest.mark.parametrize(
    ("option", "shown"),
    [("--check", "exactly what openapi.yaml"), ("--diff", "old: openapi.yaml, new: "), ("--extract", "openapi: 3.1.0")],
)
def test_what_writes_nothing_works(run, checkout, repository, tmp_path, option, shown):
    before = read_tree(checkout.root)
    done = run(option, *([] if option == "--check" else [repository / "tests/pages" / PAGE]))
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
    assert read_tree(checkout.root) == before
    assert not (tmp_path / "cache").exists(), "the environment of the checkout is good"


def test_what_writes_is_refused(run, checkout, repository):
    before = read_tree(checkout.root)
    for arguments in ((), ("--import", repository / "tests/pages" / PAGE)):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: Read-only file system: ")
        assert done.stderr.endswith("/.codegen-scratch\n")
    assert read_tree(checkout.root) == before


@pytest.mark.usefixtures("without_environment")
def test_an_environment_that_is_missing_is_made_once_in_the_cache_of_the_user(run, tmp_path):
    first, second = run("--help"), run("--help")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    (environment,) = (path for path in (tmp_path / "cache/tazapay-lightning").iterdir() if path.is_dir())
    assert first.stderr == (
        f"making {environment}, since .venv-codegen cannot be made here, from requirements.txt (once, about a minute)\n"
    )
    assert second.stderr == ""
    assert environment.with_name(f"{environment.name}.lock").is_file()


@pytest.mark.usefixtures("without_environment")
def test_a_cache_that_cannot_be_written_is_told_with_what_to_do(run, checkout):
    done = run("--check", cache=checkout.root / "cache")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {checkout.root}/cache/tazapay-lightning: Read-only file system. Name a folder that can be written in"
        " XDG_CACHE_HOME\n"
    )
