"""Compare two folders byte by byte, and show what differs."""

import difflib
from pathlib import Path


def tree_differences(committed: Path, regenerated: Path, name: str) -> list[str]:
    """List what differs between the committed tree and the regenerated one, for people to read.

    Only `__pycache__`, which Python makes by itself, does not count. A text file that changed gives a unified diff.

    Args:
        committed: The folder in the repository; it may be missing.
        regenerated: The folder that it should equal.
        name: What the output calls the committed folder.

    Returns:
        One text for each file that differs, by the order of their names; nothing when the trees are equal.

    Raises:
        OSError: A file cannot be read.
    """
    old, new = _files(committed), _files(regenerated)
    differences = []
    for file in sorted(old | new):
        label = f"{name}/{file}"
        if file not in new:
            differences.append(f"only in the committed tree: {label}")
        elif file not in old:
            differences.append(f"only in the regenerated tree: {label}")
        elif (committed / file).is_symlink():
            differences.append(f"a symbolic link and not a file: {label}")
        elif (before := (committed / file).read_bytes()) != (after := (regenerated / file).read_bytes()):
            differences.append(_unified(before, after, label))
    return differences


def _files(folder: Path) -> set[str]:
    """Name everything that is not a folder; a link to a folder counts as one thing, whatever is behind it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and "__pycache__" not in path.relative_to(folder).parts
    }


def _unified(before: bytes, after: bytes, label: str) -> str:
    # What is no text, and a line end of another system, shows as what it is.
    old, new = (
        content.decode(errors="backslashreplace").replace("\r", "\\r").splitlines(keepends=True)
        for content in (before, after)
    )
    lines = difflib.unified_diff(old, new, f"{label} (committed)", f"{label} (regenerated)")
    told = (line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)
    return "".join(told).rstrip("\n")
