"""The two states of the document that a report is about."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias

from codegen.layout import DOCUMENT
from codegen.merge.merging import merge
from codegen.overlay.actions import Action
from codegen.overlay.applier import apply_action
from codegen.read.documents import JsonObject, load_document
from codegen.read.revisions import is_file, read_state
from codegen.read.sources import Source, read_sources

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
        return (asked[0], read_state(root, asked[0])), (asked[1], read_state(root, asked[1]))
    now = DOCUMENT, load_document(root / DOCUMENT, DOCUMENT)
    if asked and is_file(asked[0]):
        merged = merge(Source(DOCUMENT, (root / DOCUMENT).read_bytes()), read_sources(asked))
        return now, (f"{DOCUMENT} with {asked[0]}", merged.document)
    revision = asked[0] if asked else "HEAD"
    return (revision, read_state(root, revision)), now


def effective(published: JsonObject, actions: Sequence[Action]) -> JsonObject:
    """Return a document as clients are generated from it: with every action that fits."""
    document = deepcopy(published)
    for action in actions:
        apply_action(document, action)
    return document
