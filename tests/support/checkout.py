"""A copy of everything that `./generate.sh` needs, to be broken at will.

The copies share the repository's `.venv-codegen` through a symbolic link: tools/environment.py takes an environment for
what its resolved path and its requirements say, so a link to a good one is a good one. All of them must run the Python
that made it, which is the one that runs the tests.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codegen.drift.coverage import COVERAGE
from codegen.layout import DOCUMENT, PACKAGE, TEAM
from codegen.read.documents import Source
from codegen.team import documents
from tools import environment

REPOSITORY = Path(__file__).resolve().parents[2]
INPUTS = ("generate.sh", "tools", "codegen", "generated_client", "wrapper", "emulator", *documents(REPOSITORY))


def read_tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its content, apart from what Python leaves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository's part that generates."""

    root: Path

    @property
    def package(self) -> Path:
        return self.root / PACKAGE

    def tree(self) -> dict[str, bytes]:
        return read_tree(self.package)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that a file holds once; in the document, which lists imported operations later, the first."""
        path = self.root / file
        text = path.read_text()
        times = text.count(old)
        assert times == 1 or (times and file == DOCUMENT), f"{file} holds {old!r} {times} times"
        path.write_text(text.replace(old, new, 1))

    def add_hook(self, command: str) -> None:
        """Make the generator run a command after ruff."""
        with (self.root / "codegen/generator-config.yml").open("a") as file:
            file.write(f"  - {command}\n")

    def run_into_a_full_disk(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run generate.sh with a standard output that takes nothing."""
        with Path("/dev/full").open("w") as full:
            return subprocess.run(
                [self.root / "generate.sh", *arguments],
                env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )

    def start(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        script: Path | None = None,
    ) -> "subprocess.Popen[str]":
        """Start generate.sh in a process group of its own."""
        return subprocess.Popen(
            [script or self.root / "generate.sh", *arguments],
            cwd=cwd or self.root,
            env={"PYTHON": sys.executable, "PATH": os.environ["PATH"]} | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        script: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run generate.sh to its end."""
        with self.start(*arguments, variables=variables, cwd=cwd, script=script) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @staticmethod
    def kill(process: "subprocess.Popen[str]") -> None:
        """Kill a started generate.sh with everything that it started, and wait until it is gone."""
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)


def copy_repository(root: Path) -> Checkout:
    """Copy everything that `./generate.sh` needs into a new folder."""
    for name in INPUTS:
        source = REPOSITORY / name
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            # codegen with what Python compiled, or each run would compile it anew, but not what it is just compiling;
            # the package as it is generated
            left_out = shutil.ignore_patterns("__pycache__" if name == "generated_client" else "*.pyc.*")
            shutil.copytree(source, root / name, ignore=left_out)
        else:
            shutil.copy(source, root / name)
    (root / ".venv-codegen").symlink_to(made_environment())
    return Checkout(root)


def documented_repository(root: Path) -> Checkout:
    """Copy what the documents' commands need, as it was before a team has done what docs/regenerating.md shows."""
    checkout = copy_repository(root)
    shutil.copytree(REPOSITORY / "tests/pages", root / "tests/pages", ignore=shutil.ignore_patterns("__pycache__"))
    has_added = (root / TEAM).exists()
    (root / TEAM).unlink(missing_ok=True)
    for name, steps in ((DOCUMENT, ("paths", "/v3/checkout")), (COVERAGE, ("operations", "POST /v3/checkout"))):
        block = Source(name, (root / name).read_bytes(), aliases=True).block
        text = block.changed(block.deleted(steps))
        if text is not None:
            (root / name).write_text(text)
            has_added = True
    if has_added:
        done = checkout.run()
        assert done.returncode == 0, done.stderr
    return checkout


@cache
def made_environment() -> Path:
    """The repository's `.venv-codegen`, which `make test` makes before the tests start; none of them waits for that."""
    folder = REPOSITORY / ".venv-codegen"
    arguments = environment.command_line().parse_args([str(folder), str(REPOSITORY / "codegen/requirements.txt")])
    if not environment.is_made(arguments):
        raise RuntimeError(f"{folder.name} is not there or not up to date: run `make codegen-environment`")
    return folder
