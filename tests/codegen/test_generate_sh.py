"""./generate.sh as people run it, on copies of the repository, which are `warm` where the start is not the point."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.read.sources import extract_document
from tests.support.nightly import nightly

HOSTILE_RUFF = """\
[tool.ruff]
line-length = 40
indent-width = 2
[tool.ruff.format]
quote-style = "single"
[tool.ruff.lint]
select = ["ALL"]
[tool.ruff.lint.isort]
force-single-line = true
"""


@pytest.fixture
def warm(new_warm_checkout, tmp_path):
    return new_warm_checkout(tmp_path / "a folder" / "of the repository")


def test_the_committed_client_is_what_the_documents_give(checkout, committed_tree):
    done = checkout.run("--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert f": {len(committed_tree)} files, exactly what openapi.yaml and openapi.overlay.yaml " in done.stdout


def test_a_run_repairs_what_differs_and_tells_in_a_few_lines_what_it_did(warm, committed_tree, with_overlay, told):
    (warm.package / "client.py").write_text("edited by hand")
    (warm.package / "api/default/no_longer_generated.py").touch()
    done = warm.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert warm.tree() == committed_tree
    assert not (warm.root / ".codegen-scratch").exists()
    assert done.stdout.splitlines() == [
        f"{with_overlay}: {told[0]}",
        *told[1:],
        f"generated_client/tazapay_lightning_api: {len(committed_tree)} files, 2 changed",
    ]


@pytest.mark.parametrize("seed", [pytest.param("0", marks=nightly), "4294967295"])
def test_a_client_that_is_missing_is_made_the_same_whatever_the_hash_seed(checkout, committed_tree, seed):
    shutil.rmtree(checkout.root / "generated_client")
    done = checkout.run(variables={"PYTHONHASHSEED": seed})
    assert (done.returncode, done.stderr) == (0, "")
    assert checkout.tree() == committed_tree


def test_settings_of_ruff_around_the_repository_change_nothing(checkout, committed_tree):
    (checkout.root.parent / "pyproject.toml").write_text(HOSTILE_RUFF)
    (checkout.root / "pyproject.toml").write_text(HOSTILE_RUFF)
    (checkout.root / "generated_client/ruff.toml").write_text("line-length = 30\n")
    home = checkout.root.parent / "home"
    (home / ".config/ruff").mkdir(parents=True)
    (home / ".config/ruff/ruff.toml").write_text("line-length = 50\n")
    variables = {"HOME": str(home), "RUFF_CONFIG": str(home / ".config/ruff/ruff.toml"), "RUFF_LINE_LENGTH": "60"}
    ruff = checkout.root / ".venv-codegen/bin/ruff"
    obeying = subprocess.run(
        [ruff, "format", "--check", "--no-cache", checkout.package], check=False, capture_output=True
    )
    assert obeying.returncode == 1, "these settings are not hostile enough to show anything"
    shutil.rmtree(checkout.package)
    assert checkout.run(variables=variables).returncode == 0
    assert checkout.tree() == committed_tree


def test_what_the_caller_has_set_for_python_changes_nothing(checkout, committed_tree, tmp_path):
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("sitecustomize", "json", "codegen", "ruamel", "attrs", "httpx"):
        (trap / f"{name}.py").write_text("raise SystemExit('trapped')")
    variables = {
        "PYTHONPATH": str(trap),
        "PYTHONHOME": str(trap),
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "LC_ALL": "C",
        "CDPATH": str(trap),
    }
    shutil.rmtree(checkout.package)
    done = checkout.run(variables=variables, cwd=trap)
    assert (done.returncode, done.stderr) == (0, "")
    assert checkout.tree() == committed_tree


def test_a_run_without_changes_touches_nothing_and_leaves_nothing_behind(warm, committed_tree):
    def state():
        ours = [path for path in warm.root.rglob("*") if ".venv-codegen" not in path.name]
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in ours}

    before = state()
    done = warm.run()
    assert done.stdout.endswith(f": {len(committed_tree)} files, unchanged\n")
    assert state() == before


def change_a_byte(package: Path) -> None:
    path = package / "client.py"
    path.write_bytes(path.read_bytes().replace(b"timeout", b"Timeout", 1))


@pytest.mark.parametrize(
    ("damage", "shown"),
    [
        pytest.param(
            change_a_byte, "+++ generated_client/tazapay_lightning_api/client.py (regenerated)\n", id="a changed byte"
        ),
        pytest.param(
            lambda package: (package / "py.typed").unlink(),
            "only in the regenerated tree: generated_client/tazapay_lightning_api/py.typed\n",
            id="a missing file",
        ),
        pytest.param(
            lambda package: (package / "extra").touch(),
            "only in the committed tree: generated_client/tazapay_lightning_api/extra\n",
            id="an extra file",
        ),
    ],
)
def test_check_exits_1_on_a_difference_shows_it_and_repairs_nothing(warm, damage, shown):
    damage(warm.package)
    before = warm.tree()
    done = warm.run("--check")
    assert (done.returncode, done.stderr) == (1, "")
    assert shown in done.stdout
    assert done.stdout.splitlines()[-1].endswith("(1 difference): run ./generate.sh and commit the result")
    assert warm.tree() == before


def test_it_works_from_any_folder_through_a_chain_of_relative_links(checkout, tmp_path):
    links = tmp_path / "links with spaces" / "deep"
    links.mkdir(parents=True)
    (links / "first").symlink_to(os.path.relpath(checkout.root / "generate.sh", links))
    (links.parent / "second").symlink_to("deep/first")
    (checkout.root / "openapi.yaml").unlink()
    done = checkout.run(cwd=tmp_path, script=Path("links with spaces/second"))
    # the copy is the one that answers, since only there the document is missing
    assert (done.returncode, done.stderr) == (2, "error: openapi.yaml is missing: restore it, ./generate.sh reads it\n")


def test_it_needs_no_git_and_no_more_commands_than_every_system_has(checkout, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "sh", "dirname", "readlink"):
        (commands / name).symlink_to(str(shutil.which(name)))
    (checkout.package / "client.py").unlink()
    done = checkout.run(variables={"PATH": str(commands)}, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (checkout.package / "client.py").exists()


@nightly
def test_the_environment_is_made_if_it_is_missing(checkout):
    (checkout.root / ".venv-codegen").unlink()
    # Nothing to install, so that no network is needed; --help needs nothing either.
    (checkout.root / "codegen/requirements.txt").write_text("")
    done = checkout.run("--help")
    assert done.returncode == 0
    assert done.stderr.startswith("making .venv-codegen from requirements.txt")
    assert (checkout.root / ".venv-codegen/bin/python").exists()


def test_a_python_that_is_not_there_is_one_clear_error(checkout):
    done = checkout.run(variables={"PYTHON": "python-of-nobody"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: python-of-nobody is not there: install Python 3.11 or newer")
    assert done.stderr.count("\n") == 1


def test_help_names_every_option_and_exit_code(warm):
    done = warm.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--check", "--extract PAGE", "0 done", "1 --check found differences", "2 error"):
        assert word in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--chek"], ["--che"], ["page.md"], ["--check", "--extract", "x"], ["--extract"]]
)
def test_a_command_line_that_means_nothing_gives_the_usage_and_changes_nothing(warm, arguments):
    (warm.package / "client.py").unlink()
    done = warm.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: generate.sh ")
    assert not (warm.package / "client.py").exists()


def test_extract_prints_the_document_of_a_page_named_from_the_callers_folder(checkout, repository):
    script = checkout.root / "generate.sh"
    page = "create-a-lightning-invoice.md"
    command = [script, "--extract", page]
    done = subprocess.run(
        command,
        cwd=repository / "tests/pages",
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        check=True,
    )
    assert done.stdout == extract_document((repository / "tests/pages" / page).read_bytes(), page)


def test_extract_reads_a_page_from_stdin(checkout):
    done = subprocess.run(
        [checkout.root / "generate.sh", "--extract", "-"],
        input=b"~~~\r\nopenapi: 3.1.0\r\n~~~\r\n",
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"openapi: 3.1.0\r\n"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("no-such-page.md", "No such file or directory: no-such-page.md"),
        ("generate.sh", "no fenced block holds an OpenAPI"),
    ],
)
def test_extract_says_what_is_wrong_with_a_page(warm, page, message):
    done = warm.run("--extract", page)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr


def test_the_script_fits_one_screen(repository):
    assert len((repository / "generate.sh").read_text().splitlines()) <= 40
