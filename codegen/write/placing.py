"""Put a new client and the documents that it was made from in place, each in one step and the document last.

Wherever that is cut short, the document is the old one: importing again does all of it, and a plain run makes the
client that belongs to what is there. `--check` tells whether one of them is needed.

A link stays a link: what it leads to is replaced.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import PACKAGE
from codegen.write import interruptions


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
    for path in ready.values():
        for file in path.rglob("*") if path.is_dir() else [path]:
            if file.is_file():
                _flush(file)
    interruptions.hold()
    done: list[str] = []
    for name, new in ready.items():
        try:
            _replace(new, followed(root / name), scratch / "retired")
        except OSError as error:
            if not done:
                raise
            raise CodegenError(
                f"{' and '.join(done)} {'is' if len(done) == 1 else 'are'} in place, but {name} could not be replaced"
                f" ({error.strerror or error}): when that is mended, import again"
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


def _flush(path: Path) -> None:
    """Let the disk have it, so that it survives the loss of power."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
