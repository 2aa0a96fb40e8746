"""Run the tests of wrapper/ and emulator/ with the newest of everything that pyproject.toml and the tests allow.

    make newest                            all of these tests
    make newest ARGS="tests/wrapper -x"    some of them, or with other options of pytest

The environment, `.venv-newest`, is resolved anew in each run and is not locked: the point is to hear of a release that
breaks something before `make lock` meets it. The report lists the distributions that differ from requirements/dev.txt,
and whether the tests pass; it is also added to the file that GITHUB_STEP_SUMMARY names, if that is set. The exit code
is 0 if they pass, 1 if they fail, and 2 if the environment cannot be made.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.pins import canonical, pins  # noqa: E402 - the folder of this file is not that of the packages

ENVIRONMENT = ROOT / ".venv-newest"
PYTHON = str(ENVIRONMENT / "bin/python")
LOCK = ROOT / "requirements/dev.txt"
TESTS = ("tests/wrapper", "tests/journeys", "tests/emulator", "wrapper", "emulator")
PASSED, FAILED, NO_ENVIRONMENT = 0, 1, 2


def main() -> int:
    """Make the environment, run the tests in it, and report."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    if not make_environment():
        tell("### Newest dependencies\n\nThe environment cannot be made: see the log.")
        return NO_ENVIRONMENT
    tell(versions_report(pins(LOCK.read_text(encoding="utf-8")), installed()))
    arguments = sys.argv[1:] or ["--numprocesses=2", "--dist=loadfile", *TESTS]
    passed = subprocess.run([PYTHON, "-m", "pytest", "--quiet", *arguments], cwd=ROOT, check=False).returncode == 0
    tell("\nThe tests pass." if passed else "\n**The tests fail**: see the log.")
    return PASSED if passed else FAILED


def make_environment() -> bool:
    """Return whether the newest of everything can be installed together."""
    print("making an environment with the newest of everything", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--only-binary", ":all:"]
    everything = ["-r", str(ROOT / "requirements/tests.in"), "--editable", f"{ROOT}[all]"]
    return subprocess.run([*pip, *everything], check=False).returncode == 0


def installed() -> dict[str, str]:
    """Return the version of each distribution in the environment."""
    listed = subprocess.run(
        [PYTHON, "-m", "pip", "list", "--disable-pip-version-check", "--format=freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {canonical(name): version for name, _, version in (line.partition("==") for line in listed.splitlines())}


def versions_report(locked: dict[str, str], newest: dict[str, str]) -> str:
    """Return a Markdown table of the distributions that are installed in another version than the locked one.

    Examples:
        >>> print(versions_report({"attrs": "25.1", "httpx": "0.28.1"}, {"attrs": "26.1", "httpx": "0.28.1"}))
        ### Newest dependencies
        <BLANKLINE>
        | distribution | locked | newest |
        |---|---|---|
        | attrs | 25.1 | 26.1 |
    """
    rows = [
        f"| {name} | {locked.get(name, 'not locked')} | {version} |"
        for name, version in sorted(newest.items())
        if locked.get(name) != version and name not in {"pip", "setuptools"}
    ]
    head = ["### Newest dependencies", ""]
    if not rows:
        return "\n".join([*head, "All are as in requirements/dev.txt."])
    return "\n".join([*head, "| distribution | locked | newest |", "|---|---|---|", *rows])


def tell(text: str) -> None:
    """Print a part of the report, and add it to the summary of the workflow's run."""
    print(text, flush=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
