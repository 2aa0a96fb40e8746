"""A scratch folder for one run at a time.

The one of a run that writes lies in the repository, because only folders on one file system can take each other's place
in one step. The one of a run that only compares lies elsewhere: it must change nothing.
"""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE, SCRATCH
from codegen.write import interruptions
from codegen.write.journal import followed, settle, unsettled
from codegen.write.swap import recover

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
def workspace(root: Path, replaced: Sequence[str] = (PACKAGE,)) -> Iterator[Workspace]:
    """Give a run its scratch folder, and leave nothing of it behind.

    Waits until no other run is alive; what is found then was left by runs that were killed: an import that was
    decided is carried out, a package that stepped aside is put back, and then their scratch is removed.

    Args:
        root: The repository.
        replaced: What the run may replace, from the root of the repository; a link is followed.

    Raises:
        CodegenError: An import was interrupted that cannot be carried out any more, the repository cannot be written,
            or a link leads to where nothing can be replaced in one step.
        OSError: The repository cannot be written.
    """
    scratch, package = root / SCRATCH, followed(root / PACKAGE)
    with _alone(root):
        with interruptions.deferred():
            if unsettled(scratch):
                done = settle(root, scratch)
                print(f"an import that was interrupted has been {done}", file=sys.stderr, flush=True)
            recover(package, scratch / _RETIRED)
        shutil.rmtree(scratch, ignore_errors=True)
        _refuse_other_file_systems(root, replaced)
        fresh = scratch / "fresh"
        try:
            _make(fresh, scratch)
            yield Workspace(fresh, scratch / _RETIRED, scratch)
        finally:
            recover(package, scratch / _RETIRED)
            if not unsettled(scratch):  # else the next run needs what is in there
                shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def workspace_elsewhere(root: Path) -> Iterator[Path]:
    """Give a run that only compares an empty folder outside of the repository, which it leaves as it is.

    Waits until no other run is alive.

    Raises:
        CodegenError: A run was killed while it put things in place; see `refuse_what_was_interrupted`.
        OSError: The system's folder for temporary files cannot be written.
    """
    with _alone(root):
        _refuse_what_is_half_done(root)
        with tempfile.TemporaryDirectory(prefix="tazapay-codegen-") as folder:
            yield Path(folder)


def finish_what_was_interrupted(root: Path) -> None:
    """Carry out an import that was decided when its run was killed; costs nothing if there is none.

    Raises:
        CodegenError: It cannot be carried out any more.
        OSError: The repository cannot be written.
    """
    if unsettled(root / SCRATCH):
        with workspace(root, ()):
            pass


def refuse_what_was_interrupted(root: Path) -> None:
    """Refuse to read a repository in which a run was killed while it put things in place.

    Raises:
        CodegenError: That is so, and no run is alive that is still at it.
    """
    if _half_done(root):
        with _alone(root):
            _refuse_what_is_half_done(root)


def _refuse_what_is_half_done(root: Path) -> None:
    if _half_done(root):
        raise CodegenError(
            f"a run was killed while it put things in place, so {DOCUMENT}, {OVERLAY} and {PACKAGE} may not belong"
            " together: run ./generate.sh, which finishes that; nothing was changed now"
        )


def _half_done(root: Path) -> bool:
    scratch = root / SCRATCH
    return unsettled(scratch) or ((scratch / _RETIRED).exists() and not (root / PACKAGE).exists())


def _refuse_other_file_systems(root: Path, names: Sequence[str]) -> None:
    for name in names:
        place = followed(root / name)
        holder = next((folder for folder in place.parents if folder.exists()), root)
        if holder.stat().st_dev != root.stat().st_dev:
            raise CodegenError(
                f"{name} is a link to {place}, on another file system, where it cannot be replaced in one step: keep it"
                " on the one of the repository; nothing was written"
            )


def _make(fresh: Path, scratch: Path) -> None:
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        raise CodegenError(
            f"{scratch} cannot be made ({error.strerror}): a run that writes needs it; nothing was written"
        ) from None


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
