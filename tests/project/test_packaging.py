"""What users install: the wheel and the source distribution, and what an empty environment makes of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest

from codegen.team import documents
from tazapay_lightning import __version__
from tests.support.checkout import read_tree
from tests.support.package_index import Answer, answering

REPOSITORY = Path(__file__).resolve().parents[2]
WHEELS = Path(sys.prefix) / "wheels"  # what tools/environment.py --keep-wheels downloaded: no network here
PACKAGES = ("tazapay_lightning", "tazapay_lightning_api", "tazapay_lightning_emulator")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that is made of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (found,) = distributions.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment, outside the repository, in which only the wheel with all its extras is installed."""
    folder = tmp_path_factory.mktemp("a stranger's folder") / "environment"
    install(folder, f"{wheel}[all]")
    return folder


def install(folder: Path, what: object, *options: str) -> None:
    """Install something in an environment, new if there is none; by uv, which takes a tenth of pip's time."""
    if not folder.exists():
        venv.create(folder)
    uv = [
        Path(sys.executable).with_name("uv"),
        "pip",
        "install",
        "--quiet",
        "--no-cache",
        "--python",
        folder / "bin/python",
    ]
    run(*uv, "--no-index", "--find-links", WHEELS, *options, what)


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd or REPOSITORY.parent,
        env={"PATH": "/usr/bin:/bin", "PYTHONNOUSERSITE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(name))


def test_the_same_bytes_are_built_whatever_the_umask_and_the_times_of_the_files(
    distributions: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python has it since 3.11.4
        archive.extractall(copy, **safely)  # noqa: S202 - built a moment ago
    (root,) = copy.iterdir()
    (root / "PKG-INFO").unlink()  # what makes it a source distribution, and would be packed once more
    for path in root.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "again", root)
    assert read_tree(tmp_path / "again") == read_tree(distributions)


def test_the_version_has_its_section_in_the_changelog() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert top == {*PACKAGES, f"tazapay_lightning-{__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    present = {
        path.relative_to(folder).as_posix()
        for folder in (REPOSITORY / part for part in ("wrapper", "generated_client", "emulator"))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == present


def test_the_core_needs_only_what_the_generated_client_and_httpx_need(wheel: Path) -> None:
    required = [line for line in metadata_of(wheel).get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split("<")[0].split(">")[0] for line in required) == [
        "anyio",
        "attrs",
        "httpx",
        "python-dateutil",
        "sniffio",
    ]


def test_the_metadata_names_the_license_the_pythons_and_the_readme(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    assert (metadata["Version"], metadata["License-Expression"], metadata["Requires-Python"]) == (
        __version__,
        "MIT",
        ">=3.11",
    )
    assert str(metadata.get_payload()).startswith("# tazapay-lightning")


def test_the_source_distribution_can_regenerate_and_test(distributions: Path) -> None:
    (found,) = distributions.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        "generate.sh", *documents(REPOSITORY), "codegen/requirements.txt",
        "tools/environment.py",
        "requirements/dev.txt", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "tests/project/test_packaging.py",
    }  # fmt: skip
    assert needed <= names
    assert not [name for name in names if name.startswith((".venv", ".codegen-scratch")) or "__pycache__" in name]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_imports_in_an_empty_environment_and_is_typed(package: str, installed: Path) -> None:
    program = f"import {package} as p, pathlib; print(pathlib.Path(p.__file__).parent)"
    folder = Path(run(installed / "bin/python", "-I", "-c", program).strip())
    assert folder.is_relative_to(installed)
    assert (folder / "py.typed").is_file()


def test_the_command_line_works_in_an_empty_environment(installed: Path) -> None:
    assert run(installed / "bin/tazapay-lightning", "--version") == f"tazapay-lightning {__version__}\n"
    shown = json.loads(run(installed / "bin/tazapay-lightning", "demo", "--json"))
    assert shown["amount_btc"] == "0.00123456"


def test_it_installs_from_the_address_of_a_repository(tmp_path: Path) -> None:
    """What the README calls ADDRESS is here a clone behind a plain web server on loopback."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("this is not a checkout")
    clone = tmp_path / "clone.git"
    run("git", "clone", "--quiet", "--bare", f"file://{REPOSITORY}", clone)
    run("git", "-C", clone, "update-server-info")

    def file(path: str) -> Answer:
        found = clone / path.partition("?")[0].removeprefix("/clone.git/")
        return (200, found.read_bytes(), "application/octet-stream") if found.is_file() else (404, b"", "text/plain")

    folder = tmp_path / "environment"
    install(folder, "hatchling")  # what builds it: without a network, pip cannot bring it
    with answering(file) as address:
        install(folder, f"tazapay-lightning[all] @ git+{address}/clone.git", "--no-build-isolation")
    assert run(folder / "bin/tazapay-lightning", "--version") == f"tazapay-lightning {__version__}\n"


def test_the_core_alone_tells_what_the_command_line_needs(wheel: Path, tmp_path: Path) -> None:
    install(tmp_path / "environment", wheel)
    done = subprocess.run(
        [tmp_path / "environment/bin/tazapay-lightning", "demo"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert 'pip install "tazapay-lightning[cli]"' in done.stderr
