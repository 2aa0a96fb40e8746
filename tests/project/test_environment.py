"""Set-up: what is locked is installed as it is, with every pip and whatever was released since."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.package_index import PIN, answering, index_of, served, wheel
from tests.support.thorough import THOROUGH
from tools import environment

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = [*(REPOSITORY / "requirements").glob("*.txt"), REPOSITORY / "codegen/requirements.txt"]
WHEELS = Path(sys.prefix) / "wheels"  # tools/environment.py downloaded the pips there: no network here
PIPS = ["22.3", "23.2.1", "newest"]
INSTALLATIONS = [(lock, version) for lock in LOCKS for version in PIPS]
# Each takes seconds: `make test` has each pip and a lock with extras, of each lock a few pins, and `make thorough` all.
SAMPLE = {("browser", "23.2.1"), ("requirements", "22.3"), ("distributed", "newest")}
INSTALLATIONS = [(lock, version) for lock, version in INSTALLATIONS if THOROUGH or (lock.stem, version) in SAMPLE]


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with a pip each, out of their wheels: unpacked, since a pip in a wheel is compiled anew each time."""
    folder = tmp_path_factory.mktemp("pips")
    for path in WHEELS.glob("pip-*.whl"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / path.name.split("-")[1])
    (newest,) = {path.name for path in folder.iterdir()} - set(PIPS)
    return {**{version: folder / version for version in PIPS}, "newest": folder / newest}


def pip_command(python: Path, pips: dict[str, Path], version: str) -> list[str]:
    """Return the command that runs a pip in an environment that has none."""
    if version == "22.3" and sys.version_info >= (3, 12):
        pytest.skip("no Python newer than 3.11 brings pip 22.3, which needs a module that is gone since")
    return [str(python), str(pips[version] / "pip")]


def empty_environment(folder: Path) -> Path:
    venv.create(folder)
    return folder / "bin/python"


def installed(python: Path) -> dict[str, str]:
    program = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"
    shown = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True).stdout
    return {name: version for name, _, version in (line.partition("==") for line in shown.split())}


def some_pins(lock: str) -> str:
    """Return eight pins of a lock and those with extras; the whole lock if it is to be thorough."""
    pins = list(PIN.finditer(lock))
    chosen = pins if THOROUGH else [*pins[:8], *(pin for pin in pins[8:] if "[" in pin["requirement"])]
    return "".join(f"{pin[0]}\n" for pin in chosen)


Serve = Callable[[dict[str, bytes]], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Make pip see nothing but these wheels, whatever the settings of this machine."""
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with ExitStack() as stack:
        yield lambda wheels: monkeypatch.setenv("PIP_INDEX_URL", stack.enter_context(served(wheels)))


@pytest.mark.parametrize(
    ("lock", "version"),
    INSTALLATIONS,
    ids=[f"{lock.parent.name}-{lock.stem}-{version}" for lock, version in INSTALLATIONS],
)
def test_a_lock_is_installed_as_it_is_although_newer_releases_are_required_with_extras(
    lock: Path,
    version: str,
    pips: dict[str, Path],
    tmp_path: Path,
    serve: Serve,
) -> None:
    index = index_of(some_pins(lock.read_text()))
    (tmp_path / "lock.txt").write_text(index.lock)
    python = empty_environment(tmp_path / "environment")
    serve(index.wheels)
    environment.install_locked(pip_command(python, pips, version), tmp_path / "lock.txt")
    assert installed(python) == index.installed


def test_the_same_lock_cannot_be_resolved_by_the_pip_that_python_3_11_brings(
    pips: dict[str, Path],
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Shows that the index above is the trap that it is meant to be."""
    index = index_of("a==1 \\\n    --hash=sha256:0\nb==1 \\\n    --hash=sha256:0\n")
    (tmp_path / "lock.txt").write_text(index.lock)
    serve(index.wheels)
    monkeypatch.setattr(environment, "LOCKED", [option for option in environment.LOCKED if option != "--no-deps"])
    python = empty_environment(tmp_path / "environment")
    with pytest.raises(SystemExit):
        environment.install_locked(pip_command(python, pips, "23.2.1"), tmp_path / "lock.txt")
    assert "In --require-hashes mode, all requirements must have their versions pinned" in capsys.readouterr().err


CLOSED = "http://127.0.0.1:1"
UNREACHABLE = {
    "no network": (f"{CLOSED}/simple/", "", "the package index cannot be reached. Connect this machine"),
    "no proxy": ("https://packages.invalid/simple/", CLOSED, "the proxy refuses, or is not there. Set HTTPS_PROXY"),
    "a proxy that opens no tunnel": ("https://packages.invalid/simple/", "403", "the proxy refuses, or is not there."),
    "a proxy that answers 403": (
        "http://localhost/simple/",
        "403",
        "the package index, or a proxy before it, refuses.",
    ),
}


@pytest.mark.parametrize(
    ("case", "version"),
    [(case, version) for case in UNREACHABLE for version in PIPS if THOROUGH or version == "23.2.1"],
)
def test_an_index_out_of_reach_is_told_with_what_to_do(
    case: str,
    version: str,
    pips: dict[str, Path],
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address, proxy, advice = UNREACHABLE[case]
    (tmp_path / "lock.txt").write_text("a==1 --hash=sha256:" + "0" * 64)
    serve({})
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_RETRIES", "0")
    python = empty_environment(tmp_path / "environment")
    with answering(lambda _path: (403, b"<html>blocked</html>", "text/html")) as refusing:
        monkeypatch.setenv("PIP_PROXY", refusing if proxy == "403" else proxy)
        with pytest.raises(SystemExit, match="2"):
            environment.install_locked(pip_command(python, pips, version), tmp_path / "lock.txt")
    assert f"error: could not install {tmp_path}/lock.txt: {advice}" in capsys.readouterr().err


def test_a_wrong_hash_is_told_with_what_to_do_and_nothing_is_installed(
    pips: dict[str, Path], tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lock.txt").write_text("a==1 --hash=sha256:" + "0" * 64)
    serve(dict([wheel("a", "1")]))
    python = empty_environment(tmp_path / "environment")
    with pytest.raises(SystemExit, match="2"):
        environment.install_locked(pip_command(python, pips, "23.2.1"), tmp_path / "lock.txt")
    said = capsys.readouterr().err
    assert "a hash differs. Either the lock was edited (`git checkout` brings it back" in said
    assert f"Expected sha256 {'0' * 64}" in said
    assert installed(python) == {}


def test_a_lock_in_which_something_is_missing_is_told(
    pips: dict[str, Path], tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    file, content = wheel("a", "1", "b>=2")
    (tmp_path / "lock.txt").write_text(f"a==1 --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    serve({file: content})
    python = empty_environment(tmp_path / "environment")
    with pytest.raises(SystemExit, match="2"):
        environment.install_locked(pip_command(python, pips, "23.2.1"), tmp_path / "lock.txt")
    said = capsys.readouterr().err
    assert "lock.txt does not list all that is needed (`make lock` makes it anew)" in said
    assert "a 1 requires b, which is not installed." in said


def test_no_setting_of_pip_but_where_packages_are_reaches_the_installation(
    pips: dict[str, Path], tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, content = wheel("a", "1")
    (tmp_path / "lock.txt").write_text(f"a==1 --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    (tmp_path / "constraints.txt").write_text("a==2")
    serve({file: content})
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    python = empty_environment(tmp_path / "environment")
    environment.install_locked(pip_command(python, pips, "23.2.1"), tmp_path / "lock.txt")
    assert installed(python) == {"a": "1"}


def test_each_lock_has_a_folder_of_its_own_in_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    one, two = (environment.folder_in_cache(tmp_path / name) for name in ("one", "two"))
    assert one != two
    assert one.parent == two.parent == tmp_path / ".cache/tazapay-lightning"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert environment.folder_in_cache(tmp_path / "one") == tmp_path / "elsewhere/tazapay-lightning" / one.name


def make(folder: Path, lock: Path, python: object = sys.executable) -> subprocess.Popen[str]:
    script = REPOSITORY / "tools/environment.py"
    return subprocess.Popen(
        [str(python), script, folder, lock], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_or_ensurepip_is_told_what_to_install(
    module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = empty_environment(tmp_path / "python")
    (packages,) = (tmp_path / "python/lib").glob("python*/site-packages")
    # as if the module were not there: the one that finds modules of the standard library passes over it
    hide = f"p.find_spec = lambda name, *more, find=p.find_spec: None if name == {module!r} else find(name, *more)"
    (packages / "hide.pth").write_text(f"import importlib.machinery as m; p = m.PathFinder; {hide}\n")
    with pytest.raises(SystemExit, match="2"):
        environment.run("could not make a virtual environment", str(python), "-m", module)
    assert capsys.readouterr().err.startswith(
        "error: could not make a virtual environment: this Python came without it: install it (on Debian and Ubuntu: "
        "apt install python3-venv), or name another Python: PYTHON=python3.12 make test\n"
    )


def test_two_runs_at_once_make_a_half_made_environment_anew_and_once(tmp_path: Path, serve: Serve) -> None:
    file, content = wheel("a", "1")
    (tmp_path / "lock.txt").write_text(f"a==1 --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    serve({file: content})
    folder = tmp_path / "environment"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").write_text("half a file")
    runs = [make(folder, tmp_path / "lock.txt") for _ in range(2)]
    said = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sorted(said) == [
        "making environment from lock.txt (once, about a minute)\n",
        "waiting for another run that makes environment\n",
    ]
    assert installed(folder / "bin/python")["a"] == "1"


@pytest.mark.parametrize("size", ["8k", "1m"])
def test_a_full_disk_is_told(size: str, tmp_path: Path) -> None:
    """Too full for the first file, and full while the environment is made."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "lock.txt").write_text("")
    mount = f"mount -t tmpfs -o size={size} tmpfs {tmp_path}/disk"
    script = f"{sys.executable} {REPOSITORY}/tools/environment.py {tmp_path}/disk/environment {tmp_path}/lock.txt"
    in_own_namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*in_own_namespace, mount], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    done = subprocess.run([*in_own_namespace, f"{mount} && {script}"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the disk is full: free a gigabyte, and run this again" in done.stderr
    assert "Traceback" not in done.stderr
