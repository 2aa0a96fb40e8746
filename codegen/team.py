"""What a team that vendors the client adds to our files: the overlays and supplements that `generate.toml` lists."""

import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY, SUPPLEMENT, TEAM
from codegen.read.values import shown

_OURS = (DOCUMENT, SUPPLEMENT, OVERLAY)


def team_files(root: Path, own: Sequence[str] = ()) -> dict[str, dict[str, Path]]:
    """Return the overlays and the supplements of a team, in their order, by what messages call them.

    Args:
        root: The repository, in which `generate.toml` may list files.
        own: Overlays that the command line names; they come after those.

    Raises:
        CodegenError: Something in `generate.toml` cannot be meant, or a file is named twice.
        OSError: `generate.toml` cannot be read.
    """
    files: dict[str, dict[str, Path]] = {"overlays": {}, "supplements": {}}
    used = {(root / name).resolve() for name in _OURS}

    def use(kind: str, name: str, path: Path, where: str) -> None:
        if path.resolve() in used:
            raise CodegenError(
                f"{where}: {shown(name)} is used already: name a file once, and none of {', '.join(_OURS)}"
            )
        used.add(path.resolve())
        files[kind][name] = path

    text = (root / TEAM).read_bytes() if os.path.lexists(root / TEAM) else b""
    for kind, names in _parsed(text).items():
        if kind not in files:
            raise CodegenError(f"{_at(text, kind)}: {shown(kind)} is no key of {TEAM}, which has {' and '.join(files)}")
        if not isinstance(names, list) or not all(isinstance(each, str) and each.isprintable() for each in names):
            raise CodegenError(f"{_at(text, kind)}: {kind} must be a list of files, such as ['team/{kind}.yaml']")
        for name in names:
            path, where = root / name, _at(text, name)
            inside = not Path(name).is_absolute() and path.resolve().is_relative_to(root.resolve())
            if not (inside and path.is_file()):
                raise CodegenError(f"{where}: {shown(name)} is no path from {TEAM} to a file of this repository")
            use(kind, name, path, where)
    for name in own:
        use("overlays", name, Path(name), "--overlay")
    return files


def documents(root: Path) -> tuple[str, ...]:
    """Return what a copy of the repository needs to generate the same client, beside `codegen`: paths from its root.

    Raises:
        CodegenError: As `team_files`.
    """
    listed = [name for names in team_files(root).values() for name in names]
    return (*_OURS, *([TEAM] if listed else []), *listed)


def _parsed(text: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not UTF-8 is a ValueError, too
        raise CodegenError(f"{TEAM} is not well-formed TOML: {shown(str(error), 300)}") from None


def _at(text: bytes, word: str) -> str:
    """Say on which line a key or a file stands: the last one that has it."""
    entry = re.compile(rf"(?<![\w./-]){re.escape(word)}(?![\w./-])")
    lines = text.decode("utf-8-sig").splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if entry.search(line.partition("#")[0])]
    return f"{TEAM}, line {numbers[-1]}" if numbers else TEAM
