"""End an import at every moment: `python import_sweep.py FOLDER PAGE (exchange|renames) (killed|full)`.

As `disaster_sweep` does for a plain run: the generator copies a finished package, and what the wrapper covers is read
once, which takes half of the time and writes nothing; everything else is the real thing. Which moments are tried is
said in `tests.support.thorough`.
Prints one JSON list: for each moment that is tried how the run ended, what it left in the three places, and what the
start of the next run made of it.
"""

import errno
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import codegen.generate.regeneration
import codegen.importing
import codegen.write.swap
from codegen.drift.coverage import load_coverage
from codegen.generate.document_checks import Contents
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SCRATCH
from codegen.write.workspace import workspace
from tests.codegen.disaster_sweep import MOVES, NEW, OLD, Disaster, fill_disk, kill, write
from tests.support import thorough

PLACES = (DOCUMENT, OVERLAY, PACKAGE)
SAMPLED = 8  # every 8th moment, unless it is to be thorough


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def import_page(root: Path, page: str) -> None:
    codegen.importing.import_pages(root, [page], drop_obsolete=False, stub_missing=True)


def run(root: Path, page: str, moment: int, disaster: Disaster) -> str:
    """Import in a child process that meets a disaster at its n-th move; return how it ended."""
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {0: "done", 1: "disk full", -signal.SIGKILL: "killed"}.get(code, f"exit code {code}")
    moves = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal moves
        if event.startswith(MOVES) and event not in {"os.kill", "shutil.rmtree"}:  # the latter only announces its moves
            moves += 1
            if moves >= moment:
                disaster(event, arguments, moves == moment)

    try:
        sys.addaudithook(hook)
        import_page(root, page)
    except OSError as error:
        os._exit(1 if error.errno == errno.ENOSPC or isinstance(error, shutil.Error) else 3)
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not come back into the loop
        os._exit(4)
    os._exit(0)


def sweep(root: Path, page: str, disaster: Disaster) -> list[dict[str, object]]:
    files = {name: (root / name).read_bytes() for name in (DOCUMENT, OVERLAY)}
    write(root / PACKAGE, OLD)
    old = {name: content(root / name) for name in PLACES}
    import_page(root, page)
    new = {name: content(root / name) for name in PLACES}

    def left() -> list[str]:
        found = {name: content(root / name) if (root / name).exists() else None for name in PLACES}
        named = {"old": old, "new": new, "missing": dict.fromkeys(PLACES)}
        return [
            next((word for word, wanted in named.items() if wanted[name] == found[name]), "broken") for name in PLACES
        ]

    def attempt(moment: int) -> dict[str, object]:
        for folder in (PACKAGE, SCRATCH):
            shutil.rmtree(root / folder, ignore_errors=True)
        write(root, files)
        write(root / PACKAGE, OLD)
        end, after = run(root, page, moment, disaster), left()
        with workspace(root):  # what the next run does first
            pass
        scratch = "scratch" if (root / SCRATCH).exists() else "clean"
        return {"moment": moment, "end": end, "left": after, "next": left(), "scratch": scratch}

    ends = thorough.sweep(attempt, lambda end: {**end, "moment": None}, lambda end: end["end"] == "done", SAMPLED)
    return list(ends.values())


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write(root / "finished", NEW)
    coverage = load_coverage(root)
    codegen.importing.load_coverage = lambda _root: coverage
    codegen.generate.regeneration.check_document = lambda _document, _name, _at: Contents((), ())
    codegen.generate.regeneration.read_configuration = lambda _path: None
    codegen.generate.regeneration.check_package = lambda _package, _contents: None
    codegen.generate.regeneration.generate = lambda _document, _settings, output: shutil.copytree(
        root / "finished", output
    )
    if sys.argv[3] == "renames":
        codegen.write.swap.exchange = lambda _one, _other: False
    print(json.dumps(sweep(root, sys.argv[2], kill if sys.argv[4] == "killed" else fill_disk)))
