"""Put several files and folders in place together: all of them or none, whenever the run ends.

What is to be put in place lies ready in the scratch folder first, beside a copy of what it replaces. Then a journal
appears there, in one step: from that moment on the change is decided, and whoever finds the journal carries it out. If
carrying it out fails, the journal is turned round in one step, and whoever finds it puts everything back.

A link stays a link: what it leads to is replaced.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from codegen.errors import CodegenError
from codegen.write import interruptions
from codegen.write.swap import replace_folder

_FORWARD, _BACK = "journal.json", "journal-back.json"


@dataclass(frozen=True)
class _Change:
    """One file or folder that is replaced."""

    target: str
    """From the root of the repository."""
    new: str
    """What the target is to be, by its `_digest`."""
    old: str
    """What it was; empty if it was not there."""


def put_in_place(root: Path, scratch: Path, files: Mapping[str, bytes], folders: Mapping[str, Path]) -> None:
    """Replace files and folders of the repository, all or none.

    Args:
        root: The repository.
        scratch: A folder in it that is this run's own.
        files: The new content of files, by their paths in the repository.
        folders: New folders, which are moved from where they are, by their paths in the repository.

    Raises:
        OSError: Something could not be written or moved; everything is as it was.
        CodegenError: Something could not be moved, and not be moved back either; the journal is left to the next run.
    """
    ready = scratch / "ready"
    ready.mkdir()
    changes = []
    for number, (target, content) in enumerate(files.items()):
        place = followed(root / target)
        (ready / f"{number}-new").write_bytes(content)
        shutil.copyfile(place, ready / f"{number}-old")
        for copy in ("new", "old"):
            shutil.copymode(place, ready / f"{number}-{copy}")
        changes.append(_Change(target, _digest(ready / f"{number}-new"), _digest(place)))
    for number, (target, folder) in enumerate(folders.items(), start=len(files)):
        folder.rename(ready / f"{number}-new")
        changes.append(_Change(target, _digest(ready / f"{number}-new"), _digest(followed(root / target))))
    (ready / _FORWARD).write_text(json.dumps([asdict(change) for change in changes]), encoding="utf-8")
    for path in [*ready.rglob("*"), ready]:
        _flush(path)
    interruptions.hold()
    (ready / _FORWARD).rename(scratch / _FORWARD)
    try:
        _flush(scratch)
        settle(root, scratch)
    except BaseException as failure:
        if (scratch / _FORWARD).exists():
            _take_back(root, scratch, failure)
        raise


def _take_back(root: Path, scratch: Path, failure: BaseException) -> None:
    try:
        (scratch / _FORWARD).rename(scratch / _BACK)
        settle(root, scratch)
    except (OSError, CodegenError) as error:
        raise CodegenError(
            f"the import could not be put in place ({failure}), and not be taken back ({error}): when that is mended,"
            " run ./generate.sh, which does one or the other"
        ) from failure


def followed(path: Path) -> Path:
    """Return where a path leads to, through links: that is what can be replaced without replacing a link."""
    return Path(os.path.realpath(path))


def unsettled(scratch: Path) -> bool:
    """Tell whether a run ended between its decision and its end."""
    return (scratch / _FORWARD).exists() or (scratch / _BACK).exists()


def settle(root: Path, scratch: Path) -> str:
    """Carry out what a journal says, if there is one: again and again, until nothing is left to do.

    Returns:
        What happened to the import, for messages; nothing if there was no journal.

    Raises:
        CodegenError: Somebody changed one of the files since.
        OSError: Something could not be moved; the journal stays.
    """
    back = (scratch / _BACK).exists()
    journal = scratch / (_BACK if back else _FORWARD)
    if not journal.exists():
        return ""
    changes = [_Change(**change) for change in json.loads(journal.read_text(encoding="utf-8"))]
    places = {change.target: followed(root / change.target) for change in changes}
    wanted = {places[change.target]: change.old if back else change.new for change in changes}
    edited = [change.target for change in changes if _digest(places[change.target]) not in {change.old, change.new, ""}]
    if edited:
        names = ", ".join(edited)
        raise CodegenError(
            f"an import was interrupted, and {names} changed since: put everything in order (git diff shows it), then"
            f" delete {scratch.name} and import again"
        )
    for place, digest in wanted.items():
        if _digest(place) != digest:
            _place(place, digest, scratch / "ready")
    for place in wanted:
        _flush(place.parent)
    journal.unlink()
    return "taken back" if back else "carried out"


def _place(target: Path, digest: str, ready: Path) -> None:
    aside = next(path for path in (ready / f"aside-{number}" for number in range(1000)) if not path.exists())
    if not digest:
        target.rename(aside)
        return
    source = next(path for path in sorted(ready.iterdir()) if _digest(path) == digest)
    if source.is_dir():
        replace_folder(source, target, aside)
    else:
        source.replace(target)


def _digest(path: Path) -> str:
    """Return the same text for the same file or folder, whatever Python leaves there; nothing for nothing."""
    if not path.exists():
        return ""
    total = hashlib.sha256(b"folder" if path.is_dir() else b"file")
    for file in _files(path) if path.is_dir() else [path]:
        content = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
        for part in (os.fsencode(file.relative_to(path)), content):
            total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if "__pycache__" not in path.relative_to(folder).parts and (path.is_symlink() or not path.is_dir()):
            yield path


def _flush(path: Path) -> None:
    """Let the disk have it, so that it survives the loss of power."""
    if os.name != "posix":  # elsewhere folders cannot be opened, and the system keeps the order by itself
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
