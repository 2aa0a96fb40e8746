"""From the two files to the client: everything that `./generate.sh` does, in order."""

from dataclasses import dataclass
from pathlib import Path

from codegen.applier import apply_overlay
from codegen.comparison import tree_differences
from codegen.document_checks import Operation, check_document
from codegen.documents import JsonObject, load_document
from codegen.errors import CodegenError
from codegen.generator import generate, read_configuration
from codegen.layout import CONFIGURATION, DOCUMENT, OVERLAY, PACKAGE
from codegen.overlay import read_overlay
from codegen.package_checks import check_package
from codegen.swap import replace_folder
from codegen.workspace import workspace


@dataclass(frozen=True)
class Outcome:
    """What a run found and did."""

    actions: int
    operations: tuple[Operation, ...]
    files: int
    differences: tuple[str, ...]
    """What differed between the committed package and the regenerated one; see `codegen.comparison`."""


def merged_document(root: Path) -> tuple[JsonObject, int]:
    """Return Tazapay's document with the overlay applied, and how many actions that took.

    Raises:
        CodegenError: A file is missing or refused, or the overlay does not fit the document.
    """
    document = load_document(root / DOCUMENT, DOCUMENT)
    overlay = load_document(root / OVERLAY, OVERLAY)
    actions = read_overlay(overlay, OVERLAY)
    if overlay.get("extends", DOCUMENT) != DOCUMENT:
        raise CodegenError(f"{OVERLAY} extends {overlay['extends']} and not {DOCUMENT}: it is for another document")
    return apply_overlay(document, actions, OVERLAY), len(actions)


def regenerate(root: Path, *, replace: bool) -> Outcome:
    """Generate the client aside, compare it with the committed one and, if it differs, put it in its place.

    Args:
        root: The repository.
        replace: Whether to touch the committed package at all; without, this only compares.

    Raises:
        CodegenError: Anything that a person can put right; the committed package is as it was.
        OSError: Something cannot be read or written; the committed package is as it was.
    """
    committed = root / PACKAGE
    document, actions = merged_document(root)
    contents = check_document(document, f"{DOCUMENT} with {OVERLAY}")
    configuration = read_configuration(root / CONFIGURATION)
    with workspace(root, committed) as scratch:
        package = scratch.fresh / committed.name
        generate(document, configuration, package)
        check_package(package, contents)
        differences = tuple(tree_differences(committed, package, PACKAGE))
        files = sum(path.is_file() for path in package.rglob("*"))
        if differences and replace:
            replace_folder(package, committed, scratch.retired)
    return Outcome(actions, contents.operations, files, differences)
