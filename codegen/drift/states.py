"""The two states of the document that a report is about."""

import shutil
import subprocess
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT
from codegen.merge.merging import merge
from codegen.overlay.actions import Action
from codegen.overlay.applier import apply_action
from codegen.read.documents import JsonObject, Source, load_document, parse_document
from codegen.read.sources import read_sources

State: TypeAlias = tuple[str, JsonObject]
"""What a report calls it, and the published document."""


def read_states(root: Path, asked: Sequence[str]) -> tuple[State, State]:
    """Return the old and the new state.

    Args:
        root: The repository.
        asked: Two states. Or one: a revision is the old one, and a file is the new one, merged as an import would do
            it; the other is the document as it is. Nothing stands for the last commit.

    Raises:
        CodegenError: There is no such state, or a file cannot be merged.
        OSError: A file cannot be read.
    """
    if len(asked) == 2:
        return (asked[0], _read_state(root, asked[0])), (asked[1], _read_state(root, asked[1]))
    now = DOCUMENT, load_document(root / DOCUMENT, DOCUMENT)
    if asked and _is_file(asked[0]):
        merged = merge(Source(DOCUMENT, (root / DOCUMENT).read_bytes()), read_sources(asked))
        return now, (f"{DOCUMENT} with {asked[0]}", merged.document)
    revision = asked[0] if asked else "HEAD"
    return (revision, _read_state(root, revision)), now


def effective(published: JsonObject, actions: Sequence[Action]) -> JsonObject:
    """Return a document as clients are generated from it: with every action that fits."""
    document = deepcopy(published)
    for action in actions:
        apply_action(document, action)
    return document


def _read_state(root: Path, what: str) -> JsonObject:
    """Return the document of a revision, or that of a published page, a YAML or a JSON document.

    Args:
        root: The repository.
        what: A file, `-` for stdin, or what git takes for a revision; a file comes first.

    Raises:
        CodegenError: There is no such thing, or it holds no document.
        OSError: The file cannot be read.
    """
    if _is_file(what):
        return read_sources([what])[0].document
    git = shutil.which("git")
    if git is None:
        raise CodegenError(f"{what} is no file, and there is no git that could know it as a revision")
    # one argument with a colon is never an option; ./ for a repository inside another one
    # and git reads a folder that is another user's only if told to: this program is run from it anyway
    command = [git, "-c", "safe.directory=*", "-C", str(root), "show", "--end-of-options", f"{what}:./{DOCUMENT}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = f" ({said[-1]})" if said else ""
        raise CodegenError(f"{what} is neither a file nor a revision that holds {DOCUMENT}{reason}")
    return parse_document(done.stdout, f"{DOCUMENT} of {what}")


def _is_file(what: str) -> bool:
    """Tell a file or stdin from a revision."""
    return what == "-" or Path(what).is_file()
