"""Put one folder in the place of another so that a killed run or a full disk leaves one of the two, whole.

Linux and macOS can exchange two folders in one step. Elsewhere the old folder steps aside first, under a fixed name,
and `recover` puts it back if the run ended between the two steps.
"""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100  # "relative to the working directory", in Linux's fcntl.h
_RENAME_EXCHANGE = 2  # Linux's linux/fs.h
_RENAME_SWAP = 2  # macOS's sys/stdio.h


def replace_folder(new: Path, target: Path, retired: Path) -> None:
    """Move `new` to `target`; a folder that was at `target` is at `new` or `retired` afterwards.

    All three must be on one file system, and nothing may be at `retired`.

    Raises:
        OSError: The folder could not be moved; `target` is as it was.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        new.rename(target)
    elif not exchange(new, target):
        target.rename(retired)
        try:
            new.rename(target)
        except BaseException:
            recover(target, retired)
            raise


def recover(target: Path, retired: Path) -> bool:
    """Put the retired folder back where an interrupted `replace_folder` left nothing; tell whether that was so."""
    if target.exists() or not retired.exists():
        return False
    retired.rename(target)
    return True


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, if the operating system and the file system can; tell whether they did."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform.startswith("linux") and hasattr(library, "renameat2"):
        done: int = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, ctypes.c_uint(_RENAME_EXCHANGE))
        return done == 0
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        done = library.renamex_np(first, second, ctypes.c_uint(_RENAME_SWAP))
        return done == 0
    return False
