"""End a run at every moment: `python disaster_sweep.py FOLDER (exchange|renames) (killed|full)`.

Python tells an audit hook before each thing it does to the file system. So a run can be killed, or find the disk full,
at the first such moment, at the second, and so on until one gets through: nothing is left to luck. Reading
the document is left out and the generator copies a finished package, which makes a run last milliseconds.

Prints one JSON list: for each moment how the run ended, what it left, and what the start of the next run made of it.
A process of its own, since it forks for every run and audit hooks cannot be taken off again.
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
import codegen.write.swap
from codegen.generate.document_checks import Contents
from codegen.layout import PACKAGE, SCRATCH
from codegen.write.workspace import workspace

OLD = {"__init__.py": b"old", "api/create.py": b"old create", "api/stale.py": b"stale"}
NEW = {"__init__.py": b"new", "api/create.py": b"new create", "py.typed": b""}
MOVES = ("open", "os.", "shutil.", "ctypes.", "fcntl.")
TOO_MANY = 2000
Disaster = Callable[[str, tuple[object, ...], bool], None]


def write(folder: Path, tree: dict[str, bytes]) -> None:
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def state(folder: Path) -> str:
    if not folder.exists():
        return "missing"
    tree = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return "old" if tree == OLD else "new" if tree == NEW else f"broken: {sorted(tree)}"


def kill(_event: str, _arguments: tuple[object, ...], _first: bool) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk(event: str, arguments: tuple[object, ...], first: bool) -> None:
    """Fail the move, whatever it is, and from then on everything that needs room."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if first or writes or event == "os.mkdir":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(root: Path, moment: int, disaster: Disaster) -> str:
    """Regenerate in a child process that meets a disaster at its n-th move; return how it ended."""
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {0: "done", 1: "disk full", -signal.SIGKILL: "killed"}.get(code, f"exit code {code}")
    moves = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal moves
        if event.startswith(MOVES) and event != "os.kill":
            moves += 1
            if moves >= moment:
                disaster(event, arguments, moves == moment)

    try:
        sys.addaudithook(hook)
        codegen.generate.regeneration.regenerate(root, replace=True)
    except OSError as error:
        # copytree, our stand-in for the generator, gathers its errors in one that has no number
        os._exit(1 if error.errno == errno.ENOSPC or isinstance(error, shutil.Error) else 3)
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not come back into the loop
        os._exit(4)
    os._exit(0)


def sweep(root: Path, disaster: Disaster) -> list[dict[str, str]]:
    package = root / PACKAGE
    ends = []
    for moment in range(1, TOO_MANY):
        shutil.rmtree(package, ignore_errors=True)
        shutil.rmtree(root / SCRATCH, ignore_errors=True)
        write(package, OLD)
        end, left = run(root, moment, disaster), state(package)
        with workspace(root):  # what the next run does first
            pass
        scratch = "scratch" if (root / SCRATCH).exists() else "clean"
        ends.append({"end": end, "left": left, "next": state(package), "scratch": scratch})
        if left == "new" and end == "done" and ends[-2:-1] != [] and ends[-2]["end"] == "done":
            break  # twice: a failure that the run survives, such as one while it cleans up, is not the end yet
    return ends


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write(root / "finished", NEW)
    codegen.generate.regeneration.merged_document = lambda _root, _own: ({}, ())
    codegen.generate.regeneration.check_document = lambda _document, _name, _at: Contents((), ())
    codegen.generate.regeneration.read_configuration = lambda _path: None
    codegen.generate.regeneration.check_package = lambda _package, _contents: None
    codegen.generate.regeneration.generate = lambda _document, _settings, output: shutil.copytree(
        root / "finished", output
    )
    if sys.argv[2] == "renames":
        codegen.write.swap.exchange = lambda _one, _other: False
    print(json.dumps(sweep(root, kill if sys.argv[3] == "killed" else fill_disk)))
