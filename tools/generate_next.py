"""Regenerate the client with the newest openapi-python-client, aside, and report what would change.

    make generate-next                  with the newest release
    make generate-next ARGS="0.28.3"    with another one

Everything happens in `.next-generator/`: an environment with that release and the formatter that is pinned today, and a
copy of what `./generate.sh` reads. The report lists the files that differ, and the public names that differ as griffe
(https://mkdocstrings.github.io/griffe/) sees them: a name that is gone or takes other arguments breaks whoever calls
the generated package. The exit code is 0 if nothing differs, 1 if something does, and 2 if it cannot be generated.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codegen.layout import PACKAGE  # noqa: E402 - as above
from codegen.team import documents  # noqa: E402 - as above
from codegen.write.comparison import tree_differences  # noqa: E402 - the folder of this file is not that of the packages

SCRATCH = ROOT / ".next-generator"
GENERATOR = "openapi-python-client"
INPUTS = ("codegen", "generated_client", "wrapper", "emulator")
SAME, DIFFERENT, FAILED = 0, 1, 2


def main() -> int:
    """Regenerate aside, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version", nargs="?", help=f"a release of {GENERATOR} (default: the newest)")
    parser.add_argument("--full", action="store_true", help="show the lines that differ, and not only the files")
    arguments = parser.parse_args()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    python = environment(requirements(arguments.version))
    release = output(python, "-c", f"from importlib.metadata import version; print(version({GENERATOR!r}))")
    copy = SCRATCH / "repository"
    for name in (*INPUTS, *documents(ROOT)):
        place = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        place(ROOT / name, copy / name)
    done = subprocess.run([python, "-P", "-m", "codegen"], cwd=copy, env={"PYTHONPATH": str(copy)}, check=False)
    if done.returncode != 0:
        print(f"{GENERATOR} {release} cannot generate the client from what is committed: see above", file=sys.stderr)
        return FAILED
    return report(release, copy / PACKAGE, python, full=arguments.full)


def requirements(version: str | None) -> list[str]:
    """Return what the environment needs: today's requirements, apart from the generator's release."""
    listed = []
    for line in (ROOT / "codegen/requirements.in").read_text(encoding="utf-8").splitlines():
        requirement = line.partition("#")[0].strip()
        if requirement and not requirement.startswith(GENERATOR):
            listed.append(requirement)
    return [*listed, f"{GENERATOR}=={version}" if version else GENERATOR, "griffe"]


def environment(packages: list[str]) -> str:
    """Make the environment, and return its Python."""
    print(f"making an environment with {', '.join(packages)}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", SCRATCH / "environment"], check=True)
    python = str(SCRATCH / "environment/bin/python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--only-binary", ":all:"]
    if subprocess.run([*pip, *packages], check=False).returncode != 0:
        free = [package for package in packages if not package.startswith("ruff")]
        print("trying with the formatter that this release wants: layout will differ too", file=sys.stderr, flush=True)
        if subprocess.run([*pip, *free, "ruff"], check=False).returncode != 0:
            print("error: the environment cannot be made (is the package index within reach?)", file=sys.stderr)
            sys.exit(FAILED)
    return python


def report(release: str, regenerated: Path, python: str, *, full: bool) -> int:
    """Print the differences in files and in public names."""
    differences = tree_differences(ROOT / PACKAGE, regenerated, PACKAGE)
    pinned = re.search(
        rf"^{GENERATOR}==(\S+)", (ROOT / "codegen/requirements.in").read_text(encoding="utf-8"), re.MULTILINE
    )
    today = pinned[1] if pinned else "no release that is pinned"
    if not differences:
        print(f"{GENERATOR} {release} generates exactly what is committed, which {today} made")
        return SAME
    print(f"{GENERATOR} {release} would change {len(differences)} files of what {today} made:")
    for difference in differences:
        print(difference if full else f"  {summary(difference)}")
    names = output(python, __file__.replace("generate_next", "public_names"), str(ROOT / PACKAGE), str(regenerated))
    print("\npublic names:")
    print(names or "  none differs")
    return DIFFERENT


def summary(difference: str) -> str:
    r"""Return one line for a file: what happened to it, or how many lines it gains and loses.

    Examples:
        >>> summary("only in the committed tree: a/b.py")
        'only in the committed tree: a/b.py'
        >>> summary("--- a.py (committed)\n+++ a.py (regenerated)\n@@ -1 +1 @@\n-x\n+y\n+z")
        'a.py: 2 lines more, 1 less'
    """
    lines = difference.splitlines()
    if not lines[0].startswith("--- "):
        return lines[0]
    more, less = (sum(line.startswith(sign) for line in lines[2:]) for sign in "+-")
    return f"{lines[0].removeprefix('--- ').removesuffix(' (committed)')}: {more} lines more, {less} less"


def output(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
