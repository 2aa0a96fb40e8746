"""The repository itself: locks, set-up, CI, and what must not be in any file of it."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.tables import each_row

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = [*(REPOSITORY / "requirements").glob("*.txt"), REPOSITORY / "codegen/requirements.txt"]
MADE_BY_PYTHON = ("demo", "test", "check", "generate", "lines", "oldest")
MADE = {
    ".venv",
    ".venv-codegen",
    ".git",
    ".codegen-scratch",
    ".next-generator",
    ".rehearsal",
    ".bench",
    "dist",
    "screenshots",
    "site",
    ".cache",
    "__pycache__",
} | {f".{tool}_cache" for tool in ("mypy", "pytest", "ruff")}


def files_of_the_project() -> list[Path]:
    """Return every text file that belongs to the project, with git or without."""
    files = []
    for path in REPOSITORY.rglob("*"):
        parts = path.relative_to(REPOSITORY).parts
        made = any(part in MADE or part.startswith((".hypothesis", ".coverage", ".venv")) for part in parts)
        if path.is_file() and not made and path.suffix not in {".pyc", ".png"}:
            files.append(path)
    return files


@each_row("lock", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lock_pins_every_requirement_with_hashes_and_holds_no_address(lock: Path) -> None:
    text = lock.read_text()
    pinned = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==[^\s;]+", text, re.MULTILINE)
    requirements = re.findall(r"^[^\s#].*", text, re.MULTILINE)
    assert len(pinned) == len(requirements) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
    names = [re.split(r"\[|==", pin)[0] for pin in pinned]
    assert sorted(set(names)) == sorted(names), "one version for every Python, or they would not generate the same"
    assert "://" not in text
    assert "--index" not in text


def test_generator_and_formatter_are_pinned_exactly_in_one_file() -> None:
    text = (REPOSITORY / "codegen/requirements.in").read_text()
    assert re.search(r"^openapi-python-client==\d", text, re.MULTILINE)
    assert re.search(r"^ruff==\d", text, re.MULTILINE)


def test_the_handwritten_code_is_formatted_by_the_same_ruff_as_the_generated() -> None:
    pinned = [version for lock in LOCKS for version in re.findall(r"^ruff==(\S+)", lock.read_text(), re.MULTILINE)]
    assert len(pinned) == 3
    assert len(set(pinned)) == 1


def test_ci_runs_what_the_readme_tells_on_every_supported_python() -> None:
    script = (REPOSITORY / ".ci/run").read_text()
    assert all(f"\nmake {target}\n" in script for target in ("demo", "test"))
    assert re.search(r"\n +make [^\n]* check\n", script)
    workflow = (REPOSITORY / ".github/workflows/ci.yml").read_text()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    supported = [line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line]
    assert supported == ["3.11", "3.12", "3.13", "3.14"]
    assert f"python: {supported}".replace("'", '"') in workflow
    assert "- run: .ci/run" in workflow


def test_pre_commit_runs_what_make_check_runs() -> None:
    (parts,) = re.findall(r"^check: (.*?) ##", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    hooks = YAML(typ="safe").load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [f"make {part}" for part in parts.split()]
    assert all(hook["always_run"] and not hook["pass_filenames"] for hook in hooks)


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    homes = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w")
    assert [path for path in files_of_the_project() if homes.search(path.read_text())] == []


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A Python that takes itself for 3.10."""
    venv.create(tmp_path / "old")
    (packages,) = (tmp_path / "old/lib").glob("python*/site-packages")
    older = "sys.version_info = (3, 10, 12, 'final', 0); sys.version = '3.10.12 (main)'"
    (packages / "older.pth").write_text(f"import sys; {older}\n")
    return tmp_path / "old/bin/python"


@each_row(
    "command",
    [
        pytest.param(["./generate.sh", "--check"], id="generate.sh"),
        pytest.param(["{python}", "-m", "codegen", "--check"], id="python -m codegen"),
        *(pytest.param(["make", "PYTHON={python}", target], id=f"make {target}") for target in MADE_BY_PYTHON),
    ],
)
def test_a_python_that_is_too_old_is_told_so_before_anything_else(old_python: Path, command: list[str]) -> None:
    done = subprocess.run(
        [part.format(python=old_python) for part in command],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "PYTHON": str(old_python)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    message, *rest = done.stderr.splitlines()
    assert message.startswith(
        f"error: Python 3.11 or newer is needed; {old_python} is 3.10.12. Name another one: PYTHON="
    )
    assert all(line.startswith("make: ***") for line in rest)


def test_make_without_a_target_lists_the_targets() -> None:
    listed = subprocess.run(
        ["make", "-C", REPOSITORY, "--no-print-directory"], capture_output=True, text=True, check=True
    )
    assert {"demo", "test", "check", "generate"} <= {line.split()[1] for line in listed.stdout.splitlines()}
