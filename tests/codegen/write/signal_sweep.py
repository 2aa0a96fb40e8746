"""Send a signal at every moment of a run: `python signal_sweep.py FOLDER PAGE (import|regenerate) (SIGINT|SIGTERM)`.

As `import_sweep` does, but through the command line's `main`, whose exit code and last words are what counts here;
each piece of output is a moment too. Prints one JSON list: for each moment that is tried whether the signal was sent,
the exit code, what was said on stderr, what is in the three places, and whether the scratch folder is there.
"""

import json
import os
import shutil
import signal
import sys
from io import TextIOWrapper
from pathlib import Path

import codegen.__main__
import codegen.generate.regeneration
import codegen.importing
from codegen.drift.coverage import load_coverage
from codegen.generate.document_checks import Contents
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SCRATCH
from codegen.options import Options
from tests.codegen.write.import_sweep import MOVES, NEW, OLD, PLACES, SAMPLED, content, write
from tests.support import thorough


class Moments:
    """Counts what a run does, and sends a signal at the n-th."""

    def __init__(self, moment: int, number: int) -> None:
        self.left, self.number = moment, number

    def pass_one(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)

    def hook(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event.startswith(MOVES) and event not in {"os.kill", "shutil.rmtree"}:  # the latter announces its moves
            self.pass_one()


class Output(TextIOWrapper):
    moments: Moments

    def write(self, text: str, /) -> int:
        self.moments.pass_one()
        return super().write(text)


def run(root: Path, arguments: list[str], moment: int, number: int) -> int:
    """Run the command line in a child process that gets the signal at its n-th move; return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 99
    try:
        for name, handle in (("out", 1), ("err", 2)):
            os.dup2(os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), handle)
        moments = Moments(moment, number)
        sys.stdout = Output(os.fdopen(1, "wb", closefd=False))
        sys.stdout.moments = moments
        sys.addaudithook(moments.hook)
        code = codegen.__main__.main(arguments)
        sys.stdout.flush()
        (root / "sent").write_text("yes" if moments.left <= 0 else "no")
    finally:
        os._exit(code)


def sweep(root: Path, arguments: list[str], number: int) -> list[dict[str, object]]:
    files = {name: (root / name).read_bytes() for name in (DOCUMENT, OVERLAY)}
    write(root / PACKAGE, OLD)
    old = {name: content(root / name) for name in PLACES}
    if arguments:
        codegen.importing.import_pages(root, Options(pages=[arguments[1]], stub_missing=True))
    else:
        codegen.generate.regeneration.regenerate(root, replace=True)
    new = {name: content(root / name) for name in PLACES}

    def attempt(moment: int) -> dict[str, object]:
        for folder in (PACKAGE, SCRATCH):
            shutil.rmtree(root / folder, ignore_errors=True)
        write(root, files)
        write(root / PACKAGE, OLD)
        code = run(root, arguments, moment, number)
        found = {name: content(root / name) if (root / name).exists() else None for name in PLACES}
        left = "old" if found == old else "new" if found == new else "broken"
        said, sent, scratch = (root / "err").read_text(), (root / "sent").read_text(), (root / SCRATCH).exists()
        return {"moment": moment, "code": code, "said": said, "left": left, "sent": sent, "scratch": scratch}

    ends = thorough.sweep(
        attempt, lambda end: (end["code"], end["left"], end["sent"]), lambda end: end["sent"] == "no", SAMPLED
    )
    return list(ends.values())


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write(root / "finished", NEW)
    codegen.__main__.ROOT = root
    coverage = load_coverage(root)
    codegen.importing.load_coverage = lambda _root: coverage
    codegen.generate.regeneration.check_document = lambda _document, _name, _at=str: Contents((), ())
    codegen.generate.regeneration.read_configuration = lambda _path: None
    codegen.generate.regeneration.check_package = lambda _package, _contents: None
    codegen.generate.regeneration.probe = codegen.importing.probe = lambda *_arguments: ()
    codegen.generate.regeneration.generate = lambda _document, _settings, output: shutil.copytree(
        root / "finished", output
    )
    given = ["--import", sys.argv[2], "--stub-missing"] if sys.argv[3] == "import" else []
    print(json.dumps(sweep(root, given, signal.Signals[sys.argv[4]])))
