"""End an import at every moment: `python import_sweep.py FOLDER PAGE (killed|full)`.

Python tells an audit hook before each thing it does to the file system. So a run can be killed, or find the disk full,
at the first such moment, at the second, and so on until one gets through: nothing is left to luck. The generator copies
a finished package, nothing is called through it, and what the wrapper covers is read once, which takes half of the
time and writes nothing; everything else is real. Which moments are tried is said in `tests.support.thorough`.

Prints one JSON list: for each moment that is tried how the run ended, what it left in the three places, and what
importing again made of it. A process of its own, since it forks for every run and audit hooks cannot be taken off.
"""

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import codegen.generate.regeneration
import codegen.importing
from codegen.drift.coverage import load_coverage
from codegen.errors import CodegenError
from codegen.generate.document_checks import Contents
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SCRATCH
from codegen.options import Options
from tests.support import thorough

OLD = {"__init__.py": b"old", "api/create.py": b"old create", "api/stale.py": b"stale"}
NEW = {"__init__.py": b"new", "api/create.py": b"new create", "py.typed": b""}
MOVES = ("open", "os.", "shutil.", "fcntl.")
Disaster = Callable[[str, tuple[object, ...], bool], None]


def write(folder: Path, tree: dict[str, bytes]) -> None:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def kill(_event: str, _arguments: tuple[object, ...], _first: bool) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk(event: str, arguments: tuple[object, ...], first: bool) -> None:
    """Fail the move, whatever it is, and from then on everything that needs room."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if first or writes or event == "os.mkdir":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


PLACES = (DOCUMENT, OVERLAY, PACKAGE)
SAMPLED = 8  # every 8th moment, unless it is to be thorough


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def import_page(root: Path, page: str) -> None:
    codegen.importing.import_pages(root, Options(pages=[page], stub_missing=True))


def run(root: Path, page: str, moment: int, disaster: Disaster) -> str:
    """Import in a child process that meets a disaster at its n-th move; return how it ended."""
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {0: "done", 1: "disk full", 2: "half done", -signal.SIGKILL: "killed"}.get(code, f"exit code {code}")
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
    except CodegenError as error:
        os._exit(2 if "in place, but" in str(error) else 4)
    except OSError as error:
        # copytree, our stand-in for the generator, gathers its errors in one that has no number
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
        import_page(root, page)
        scratch = "scratch" if (root / SCRATCH).exists() else "clean"
        return {"moment": moment, "end": end, "left": after, "again": left(), "scratch": scratch}

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
    codegen.generate.regeneration.probe = codegen.importing.probe = lambda *_arguments: ()
    codegen.generate.regeneration.generate = lambda _document, _settings, output: shutil.copytree(
        root / "finished", output
    )
    print(json.dumps(sweep(root, sys.argv[2], kill if sys.argv[3] == "killed" else fill_disk)))
