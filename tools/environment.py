"""Make a virtual environment that holds exactly what a hash-locked requirements file lists.

    python3 tools/environment.py FOLDER REQUIREMENTS [--keep-wheels] [--install-project]

Does nothing, and says nothing, when FOLDER is already what the arguments ask for: a stamp that is written last
tells, so that a run which was killed half-way is made again from the start. Two runs at the same time wait for
each other. Both `make` and `./generate.sh` call this, with nothing at hand but a Python, so it uses only the
standard library and the syntax of old Pythons, to be able to say "too old" instead of a SyntaxError.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, NoReturn

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
STAMP = "made-from.sha256"


def main() -> None:
    """Make the environment that the command line asks for, unless it is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--keep-wheels", action="store_true", help="keep what was downloaded in FOLDER/wheels")
    parser.add_argument("--install-project", action="store_true", help="install the project itself, editable")
    arguments = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        fail(
            "Python 3.11 or newer is needed; %s is %s. Name another one: PYTHON=python3.12 make test"
            % (sys.executable, sys.version.split()[0])
        )
    arguments.folder.parent.mkdir(parents=True, exist_ok=True)
    with only_one(arguments.folder):
        wanted = fingerprint(arguments)
        stamp = arguments.folder / STAMP
        if not (stamp.is_file() and stamp.read_text() == wanted):
            print(
                "making %s from %s (once, about a minute)" % (arguments.folder.name, arguments.requirements.name),
                file=sys.stderr,
            )
            make(arguments)
            stamp.write_text(wanted)


def only_one(folder: Path) -> IO[str]:
    """Hold a lock beside the folder, where the platform has one, for as long as the returned file is open."""
    lock = folder.with_name(folder.name + ".lock").open("w")
    try:
        import fcntl
    except ImportError:  # Windows: no lock; the stamp still tells a whole environment from half of one
        return lock
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def fingerprint(arguments: argparse.Namespace) -> str:
    """What the environment depends on, in one line: change any of it and the environment is made again."""
    digest = hashlib.sha256()
    for part in (
        sys.version.encode(),
        str(arguments.folder.resolve()).encode(),  # an environment cannot be moved
        arguments.requirements.read_bytes(),
        repr((arguments.keep_wheels, arguments.install_project)).encode(),
        (ROOT / "pyproject.toml").read_bytes() if arguments.install_project else b"",
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest() + "\n"


def make(arguments: argparse.Namespace) -> None:
    """Make the environment from nothing."""
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    run(
        "could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)",
        sys.executable,
        "-m",
        "venv",
        str(folder),
    )
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    locked = ["--require-hashes", "--only-binary", ":all:", "-r", str(arguments.requirements)]
    failed = "could not install %s (is the package index within reach?)" % arguments.requirements
    if arguments.keep_wheels:
        wheels = str(folder / "wheels")
        run(failed, *pip, "download", "--dest", wheels, *locked)
        run(failed, *pip, "install", "--no-index", "--find-links", wheels, *locked)
    else:
        run(failed, *pip, "install", *locked)
    if arguments.install_project:
        run(
            "could not install the project itself",
            *pip,
            "install",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--editable",
            str(ROOT),
        )


def run(failed: str, *command: str) -> None:
    """Run a command in silence; if it fails, say so and show the end of what it printed."""
    # an inherited PYTHONPATH or a user's site-packages must not decide what ends up in the environment
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment["PYTHONNOUSERSITE"] = "1"
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        fail(failed + ":\n" + done.stdout.decode(errors="replace").strip()[-2000:])


def fail(message: str) -> NoReturn:
    """Say what is wrong, and end."""
    print("error: " + message, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail("%s: %s" % (error.strerror or error, error.filename or "while making an environment"))
    except KeyboardInterrupt:
        fail("interrupted; the next run begins anew")
