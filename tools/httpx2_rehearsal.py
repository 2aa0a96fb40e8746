"""Run the test suite with httpx swapped to httpx2, in a scratch copy of the repository.

    make rehearse-httpx2                        all but what is about the repository itself
    make rehearse-httpx2 ARGS="tests/wrapper"   a part of it

httpx2 (https://github.com/pydantic/httpx2) continues httpx, and openapi-python-client is moving there. On that day the
wrapper has to follow; this shows how far it would get today. The copy lies in `.rehearsal/`, which is kept for a look.
In the copy every word `httpx` of code, tests, documentation and their names becomes `httpx2`, `httpcore` becomes
`httpcore2`, the requirements are locked anew with nothing else changed, and the generated client is rewritten as it
comes out of the generator. It needs git and the package index.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".rehearsal"
SWAPPED = (
    "codegen",
    "generated_client",
    "wrapper",
    "emulator",
    "examples",
    "tests",
    "docs",
    "benchmarks",
    "conftest.py",
    "README.md",
)
WORD = re.compile(rb"\b(httpx|httpcore)\b")
NOT_OURS = ("tests/pages", "tests/codegen/drift/golden")

DEPENDENCIES = {
    "pyproject.toml": ('"httpx>=0.28,<0.29"', '"httpx2>=2.9"'),
    "codegen/requirements.in": ("\nhttpx\n", "\nhttpx2\n"),
}
"""The one line in each of two files that the real change consists of."""

REWRITE = """\
# The last step of the generator: runs in the folder of the package that it made.
import pathlib
import re

if __name__ == "__main__":
    for path in pathlib.Path().rglob("*.py"):
        path.write_text(re.sub(r"\\bhttpx\\b", "httpx2", path.read_text()))
"""


def main() -> None:
    """Make the copy, swap the library in it, and run the tests there."""
    copy()
    print(f"swapped in {swap()} files", flush=True)
    lock()
    run(sys.executable, "tools/environment.py", ".venv", "requirements/dev.txt", "--keep-wheels", "--install-project")
    run("./generate.sh")
    # tests/project is about this repository as it is: its locks, its figures, its peers, of which httpx2 is one
    selection = sys.argv[1:] or ["--numprocesses=2", "--dist=loadfile", "--ignore=tests/project"]
    done = subprocess.run(
        [SCRATCH / ".venv/bin/python", "-m", "pytest", "--quiet", *selection],
        cwd=SCRATCH,
        env=environment(),
        check=False,
    )
    sys.exit(done.returncode)


def copy() -> None:
    """Clone the repository, and bring what is not committed yet."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--local", ROOT, SCRATCH], check=True)  # noqa: S607 - git by its name
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git by its name
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    files = {name.decode() for name in listed.stdout.split(b"\0") if name}
    for name in files:
        target = SCRATCH / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        else:
            target.unlink(missing_ok=True)


def swap() -> int:
    """Write the new names, and return in how many files."""
    swapped = 0
    for path in text_files():
        before = path.read_bytes()
        after = WORD.sub(rb"\g<1>2", before)
        if after != before:
            path.write_bytes(after)
            swapped += 1
        path.rename(path.with_name(WORD.sub(rb"\g<1>2", path.name.encode()).decode()))  # the module for it too
    for name, (old, new) in DEPENDENCIES.items():
        path = SCRATCH / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            sys.exit(f"error: {name} holds {old!r} {text.count(old)} times: correct DEPENDENCIES in {__file__}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    # the generator of today writes httpx: the copy's generator writes what the one of tomorrow will
    (SCRATCH / "codegen/to_httpx2.py").write_text(REWRITE, encoding="utf-8")
    configuration = SCRATCH / "codegen/generator-config.yml"
    settings = configuration.read_text(encoding="utf-8")
    hook = f"post_hooks:\n  - python -B {SCRATCH}/codegen/to_httpx2.py"
    configuration.write_text(settings.replace("post_hooks:", hook), encoding="utf-8")
    return swapped


def text_files() -> Iterator[Path]:
    """Find what names the library: code, and documentation whose code runs."""
    for name in SWAPPED:
        top = SCRATCH / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            is_kept = path.suffix == ".md" and any(path.is_relative_to(SCRATCH / folder) for folder in NOT_OURS)
            if path.suffix in {".py", ".md"} and path.is_file() and not is_kept:
                yield path


def lock() -> None:
    """Lock the requirements anew: what is in the lock files already stays at its version."""
    compile_: list[str | Path] = [
        ROOT / ".venv/bin/uv",
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
    ]
    compile_ += ["--no-strip-extras", "--no-header", "--quiet"]
    run(*compile_, "requirements.in", "-o", "requirements.txt", folder=SCRATCH / "codegen")
    run(
        *(*compile_, "--extra", "all", "dev.in", "../pyproject.toml", "-o", "dev.txt"),
        folder=SCRATCH / "requirements",
    )


def run(*command: str | Path, folder: Path = SCRATCH) -> None:
    """Run a command in the copy; if it fails, so does this."""
    print("$", *(Path(part).name if isinstance(part, Path) else part for part in command), flush=True)
    if (code := subprocess.run(command, cwd=folder, env=environment(), check=False).returncode) != 0:
        sys.exit(code)


def environment() -> dict[str, str]:
    """Leave out what would let the copy import this repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
        "PYTHON": sys.executable
    }


if __name__ == "__main__":
    main()
