"""Put a new client and the documents that it was made from in place: one run at a time, the document last.

Each is replaced in one step. Wherever that is cut short, the document is the old one: importing again does all of it,
and a plain run makes the client that belongs to what is there. `--check` tells whether one of them is needed.

What is to be put in place is made in a scratch folder. That of a run that writes lies in the repository, because only
what lies on one file system can take another's place in one step; that of a run that only compares lies elsewhere: it
must change nothing. A link stays a link: what it leads to is replaced.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import PACKAGE, SCRATCH
from codegen.write import interruptions


@contextmanager
def workspace(root: Path, replaced: Sequence[str] = (PACKAGE,)) -> Iterator[Path]:
    """Give a run an empty scratch folder, and leave nothing of it behind, nor of runs that were killed.

    Waits until no other run is alive.

    Args:
        root: The repository.
        replaced: What the run may replace, from the root of the repository; a link is followed.

    Raises:
        CodegenError: A link leads to where nothing can be replaced in one step.
        OSError: The repository cannot be written.
    """
    scratch = root / SCRATCH
    with _alone(root):
        shutil.rmtree(scratch, ignore_errors=True)
        _refuse_other_file_systems(root, replaced)
        try:
            scratch.mkdir()
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


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock on the repository's folder itself, so that no lock file is left; a killed run lets go of it."""
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


def put_in_place(root: Path, scratch: Path, package: Path | None, files: Mapping[str, bytes]) -> None:
    """Replace the client and then files of the repository, in the order given. From here on no signal is heard.

    Args:
        root: The repository.
        scratch: A folder of this run's own on the same file system.
        package: The new client, which is moved from where it is; None to leave the old one.
        files: The new contents, by their paths in the repository.

    Raises:
        OSError: The first could not be written or moved; nothing was changed.
        CodegenError: Another could not be moved; it says which are in place.
    """
    ready: dict[str, Path] = {} if package is None else {PACKAGE: package}
    for number, (name, content) in enumerate(files.items()):
        ready[name] = scratch / f"file-{number}"
        ready[name].write_bytes(content)
        shutil.copymode(followed(root / name), ready[name])
    interruptions.hold()
    done: list[str] = []
    for name, new in ready.items():
        try:
            _replace(new, followed(root / name), scratch / "retired")
        except OSError as error:
            if not done:
                raise
            cause = error.strerror or error
            raise CodegenError(
                f"{' and '.join(done)} in place, but {name} could not be replaced ({cause}): mend that and import again"
            ) from error
        done.append(name)


def followed(path: Path) -> Path:
    """Return where a path leads to, through links: that is what can be replaced without replacing a link."""
    return Path(os.path.realpath(path))


def _replace(new: Path, target: Path, retired: Path) -> None:
    """Move a file or a folder to where there may be another, which is kept if that fails."""
    if not new.is_dir():
        new.replace(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(retired)
    try:
        new.rename(target)
    except BaseException:
        if retired.exists():
            retired.rename(target)
        raise
