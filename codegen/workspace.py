"""A scratch folder inside the repository, for one run at a time.

It lies in the repository because only folders on one file system can take each other's place in one step.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codegen.journal import settle, unsettled
from codegen.layout import PACKAGE, SCRATCH
from codegen.swap import recover

_RETIRED = "retired"


@dataclass(frozen=True)
class Workspace:
    """Where one run may write."""

    fresh: Path
    """An empty folder for this run alone."""
    retired: Path
    """Where the old package steps aside, if the file system cannot exchange folders."""
    scratch: Path
    """The folder that holds both, where a journal may be."""


@contextmanager
def workspace(root: Path, package: Path) -> Iterator[Workspace]:
    """Give a run its scratch folder, and leave nothing of it behind.

    Waits until no other run is alive; what is found then was left by runs that were killed: an import that was
    decided is carried out, a package that stepped aside is put back, and then their scratch is removed.

    Args:
        root: The repository.
        package: The committed package.

    Raises:
        CodegenError: An import was interrupted that cannot be carried out any more.
        OSError: The repository cannot be written.
    """
    scratch = root / SCRATCH
    with _alone(root):
        if unsettled(scratch):
            settle(root, scratch)
            print("an import that was interrupted has been carried out", file=sys.stderr, flush=True)
        recover(package, scratch / _RETIRED)
        shutil.rmtree(scratch, ignore_errors=True)
        fresh = scratch / "fresh"
        try:
            fresh.mkdir(parents=True)
            yield Workspace(fresh, scratch / _RETIRED, scratch)
        finally:
            recover(package, scratch / _RETIRED)
            if not unsettled(scratch):  # else the next run needs what is in there
                shutil.rmtree(scratch, ignore_errors=True)


def finish_what_was_interrupted(root: Path) -> None:
    """Carry out an import that was decided when its run was killed; costs nothing if there is none.

    Raises:
        CodegenError: It cannot be carried out any more.
        OSError: The repository cannot be written.
    """
    if unsettled(root / SCRATCH):
        with workspace(root, root / PACKAGE):
            pass


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock on the repository's folder itself, so that no lock file is left; a killed run lets go of it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; two runs at a time are then the caller's to avoid
        yield
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run of ./generate.sh to end", file=sys.stderr, flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
