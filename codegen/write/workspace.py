"""A scratch folder for one run at a time.

The one of a run that writes lies in the repository, because only what lies on one file system can take another's place
in one step. The one of a run that only compares lies elsewhere: it must change nothing.
"""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import PACKAGE, SCRATCH
from codegen.write.placing import followed


@contextmanager
def workspace(root: Path, replaced: Sequence[str] = (PACKAGE,)) -> Iterator[Path]:
    """Give a run an empty scratch folder, and leave nothing of it behind, nor of runs that were killed.

    Waits until no other run is alive.

    Args:
        root: The repository.
        replaced: What the run may replace, from the root of the repository; a link is followed.

    Raises:
        CodegenError: The repository cannot be written, or a link leads to where nothing can be replaced in one step.
        OSError: The repository cannot be written.
    """
    scratch = root / SCRATCH
    with _alone(root):
        shutil.rmtree(scratch, ignore_errors=True)
        _refuse_other_file_systems(root, replaced)
        try:
            _make(scratch)
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def workspace_elsewhere(root: Path) -> Iterator[Path]:
    """Give a run that only compares an empty folder outside of the repository, which it leaves as it is.

    Waits until no other run is alive.

    Raises:
        OSError: The system's folder for temporary files cannot be written.
    """
    with _alone(root), tempfile.TemporaryDirectory(prefix="tazapay-codegen-") as folder:
        yield Path(folder)


def _refuse_other_file_systems(root: Path, names: Sequence[str]) -> None:
    for name in names:
        place = followed(root / name)
        holder = next((folder for folder in place.parents if folder.exists()), root)
        if holder.stat().st_dev != root.stat().st_dev:
            raise CodegenError(
                f"{name} is a link to {place}, on another file system, where it cannot be replaced in one step: keep it"
                " on the one of the repository; nothing was written"
            )


def _make(scratch: Path) -> None:
    try:
        scratch.mkdir()
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
