"""Make a virtual environment that holds exactly what a hash-locked requirements file lists.

    python3 tools/environment.py FOLDER REQUIREMENTS [--keep-wheels [--download FILE ...]] [--install-project]
    python3 tools/environment.py FOLDER REQUIREMENTS --or-in-cache

A lock is installed and never resolved: what it lists, by its hashes, without looking for what that needs (`pip check`
tells afterwards whether something is missing). So every pip makes the same environment, whatever was released since.

Does nothing, and says nothing, when FOLDER is already what the arguments ask for: a stamp that is written last
tells, so that a run which was killed half-way is made again from the start. Two runs at the same time wait for
each other. With --or-in-cache it prints where the environment is: in the user's cache if FOLDER would have to be made
and this user cannot, as in a checkout that is read-only.

Both `make` and `./generate.sh` call this, with nothing at hand but a Python, so it uses only the standard library and
the syntax of old Pythons, to be able to say "too old" instead of a SyntaxError.
"""

import argparse
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Mapping, NoReturn, Optional, Sequence

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
STAMP = "made-from.sha256"
LOCKED = ("--no-deps", "--require-hashes", "--only-binary", ":all:")

DISK_IS_FULL = "the disk is full: free a gigabyte, and run this again"

# What pip and Python print when they fail, and what to do about it: the first that is found decides.
ADVICE = {
    "No space left on device": DISK_IS_FULL,
    "No module named '?(venv|ensurepip)|ensurepip is not available": (
        "this Python came without it: install it (on Debian and Ubuntu: apt install python3-venv), or name another "
        "Python: PYTHON=python3.12 make test"
    ),
    "DO NOT MATCH THE HASHES": (
        "a hash differs. Either the lock was edited (`git checkout` brings it back, `make lock` makes it anew), or "
        "what was downloaded is not what was locked, as behind a proxy that rewrites downloads"
    ),
    "ProxyError|proxy connection error": (
        "the proxy refuses, or is not there. Set HTTPS_PROXY to one that lets pip through, or unset it, and run this "
        "again"
    ),
    "Could not fetch URL .*: 4..": (
        "the package index, or a proxy before it, refuses. Name another in PIP_INDEX_URL, or set HTTPS_PROXY, and run "
        "this again"
    ),
    "NewConnectionError|ConnectTimeout|Connection (refused|reset|aborted|broken)|timed out|SSLError|HTTP error": (
        "the package index cannot be reached. Connect this machine, or name a mirror in PIP_INDEX_URL, and run this "
        "again"
    ),
    "No matching distribution found": (
        "the package index has no wheel of it for this Python on this platform. Name another Python "
        "(PYTHON=python3.12 make test) or another index (PIP_INDEX_URL)"
    ),
}
REASON = re.compile(r" *(ERROR|Could not fetch URL|\S+ from |Expected |Got |OSError|error:)")
KEPT_OF_PIP = re.compile("PIP_(.*INDEX.*|.*CERT|PROXY|TRUSTED_HOST|.*CACHE.*|.*TIMEOUT|RETRIES|CONFIG_FILE|FIND_LINKS)")
"""The settings of pip that tell how to reach packages. All others could change what is installed, or where."""


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--keep-wheels", action="store_true", help="keep what was downloaded in FOLDER/wheels")
    parser.add_argument(
        "--download", type=Path, nargs="+", default=[], help="more locks, only downloaded, each by itself"
    )
    parser.add_argument("--or-in-cache", action="store_true", help="make it in the user's cache if FOLDER is read-only")
    parser.add_argument("--install-project", action="store_true", help="install the project itself, editable")
    return parser


def main() -> None:
    """Make the environment that the command line asks for, unless it is there."""
    arguments = command_line().parse_args()
    if sys.version_info < OLDEST_PYTHON:
        fail(
            "Python 3.11 or newer is needed; %s is %s. Name another one: PYTHON=python3.12 make test, or "
            "PYTHON=python3.12 ./generate.sh" % (sys.executable, sys.version.split()[0])
        )
    where = arguments.folder.name
    if arguments.or_in_cache and not is_made(arguments) and is_read_only(arguments.folder):
        arguments.folder = folder_in_cache(arguments.requirements)
        where = "%s, since %s cannot be made here," % (arguments.folder, where)
    if arguments.or_in_cache:
        print(arguments.folder)
    if is_made(arguments):  # before the lock, which nobody should have to wait for who only uses what is there
        return
    arguments.folder.parent.mkdir(parents=True, exist_ok=True)
    with only_one(arguments.folder):
        if not is_made(arguments):
            print(
                "making %s from %s (once, about a minute)" % (where, arguments.requirements.name),
                file=sys.stderr,
            )
            make(arguments)
            (arguments.folder / STAMP).write_text(fingerprint(arguments))


def is_made(arguments: argparse.Namespace) -> bool:
    """Tell whether the environment is there, whole, and made from what the arguments say."""
    stamp: Path = arguments.folder / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint(arguments)


def is_read_only(folder: Path) -> bool:
    """Tell whether this user may not make the folder anew, or hold its lock."""
    needed = (folder.parent, folder, folder.with_name(folder.name + ".lock"))
    return not all(os.access(str(path), os.W_OK) for path in needed if path.exists())


def folder_in_cache(requirements: Path) -> Path:
    """Return where an environment is made that cannot be where it belongs; each lock and each Python has its own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # a relative one is to be ignored, says the specification of XDG
        cache = Path(os.path.expanduser("~/.cache"))  # noqa: PTH111 - pathlib's raises for a user without a home
    key = hashlib.sha256(sys.version.encode() + b"\0" + requirements.read_bytes()).hexdigest()
    folder = cache / "tazapay-lightning" / ("codegen-" + key[:16])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail("%s: %s. Name a folder that can be written in XDG_CACHE_HOME" % (folder.parent, error.strerror))
    return folder


def only_one(folder: Path) -> IO[str]:
    """Hold a lock beside the folder, where the platform has one, for as long as the returned file is open."""
    lock = folder.with_name(folder.name + ".lock").open("w")
    try:
        import fcntl
    except ImportError:  # Windows: no lock; the stamp still tells a whole environment from half of one
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another run that makes %s" % folder.name, file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def fingerprint(arguments: argparse.Namespace) -> str:
    """What the environment depends on, in one line: change any of it and the environment is made again."""
    digest = hashlib.sha256()
    for part in (
        sys.version.encode(),
        str(arguments.folder.resolve()).encode(),  # an environment cannot be moved
        *(path.read_bytes() for path in (arguments.requirements, *arguments.download)),
        repr((arguments.keep_wheels, arguments.install_project)).encode(),
        (ROOT / "pyproject.toml").read_bytes() if arguments.install_project else b"",
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest() + "\n"


def make(arguments: argparse.Namespace) -> None:
    """Make the environment from nothing."""
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    failed = "could not make a virtual environment"
    run(failed, sys.executable, "-m", "venv", "--without-pip", str(folder))
    run(failed, python, "-m", "ensurepip", "--default-pip")  # what venv does by itself, but silent about why it fails
    pip = [python, "-m", "pip"]
    install_locked(pip, arguments.requirements, folder / "wheels" if arguments.keep_wheels else None)
    for lock in arguments.download:
        run(
            "could not download %s" % lock, *pip, "download", "--dest", str(folder / "wheels"), *LOCKED, "-r", str(lock)
        )
    if arguments.install_project:
        editable = ("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT))
        run("could not install the project itself", *pip, "install", *editable)
        check_completeness(pip, arguments.requirements)


def install_locked(pip: Sequence[str], lock: Path, wheels: Optional[Path] = None) -> None:
    """Install what a lock lists, and nothing else; given a folder for wheels, download them there and install those."""
    failed = "could not install %s" % lock
    if wheels is None:
        run(failed, *pip, "install", *LOCKED, "-r", str(lock))
    else:
        run(failed, *pip, "download", "--dest", str(wheels), *LOCKED, "-r", str(lock))
        run(failed, *pip, "install", "--no-index", "--find-links", str(wheels), *LOCKED, "-r", str(lock))
    check_completeness(pip, lock)


def check_completeness(pip: Sequence[str], lock: Path) -> None:
    """Fail if what is installed needs something that is not."""
    run("%s does not list all that is needed (`make lock` makes it anew)" % lock, *pip, "check")


def run(failed: str, *command: str) -> None:
    """Run a command in silence; if it fails, say so, what to do about it, and show the end of what it printed."""
    # an inherited PYTHONPATH or a user's site-packages must not decide what ends up in the environment
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME")
        and not (name.startswith("PIP_") and not KEPT_OF_PIP.fullmatch(name))
    }
    environment.update(PYTHONNOUSERSITE="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    if output_of_failure(command, environment) is None:
        return
    # Once more, to hear why: pip says that an index refused only with all its words, which double its time.
    printed = output_of_failure(command, dict(environment, PIP_VERBOSE="2", PIP_RETRIES="0"))
    if printed is not None:
        advice = next((": " + advice for pattern, advice in ADVICE.items() if re.search(pattern, printed)), "")
        lines = printed.splitlines()
        reasons = [line for line in lines if REASON.match(line)] or lines
        fail("%s%s\n%s" % (failed, advice, "\n".join(reasons[-10:])))


def output_of_failure(command: Sequence[str], environment: Mapping[str, str]) -> Optional[str]:
    """Run a command, and return what it printed if it failed."""
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode(errors="replace").strip() if done.returncode else None


def fail(message: str) -> NoReturn:
    """Say what is wrong, and end."""
    print("error: " + message, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        what = DISK_IS_FULL if error.errno == errno.ENOSPC else error.strerror or error
        fail("%s: %s" % (error.filename or "while making an environment", what))
    except KeyboardInterrupt:
        fail("interrupted; the next run begins anew")
