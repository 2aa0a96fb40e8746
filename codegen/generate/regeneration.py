"""From the two files to the client: everything that `./generate.sh` does without `--import`, in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.errors import CodegenError
from codegen.generate.document_checks import Operation, check_document
from codegen.generate.generator import generate, read_configuration
from codegen.generate.package_checks import check_package
from codegen.generate.probe import probe, refuse_broken
from codegen.layout import CONFIGURATION, DOCUMENT, OVERLAY, PACKAGE
from codegen.merge.supplement import read_supplements, supplemented
from codegen.overlay.actions import Action, read_overlay
from codegen.overlay.applier import apply_overlay
from codegen.read.documents import JsonObject, load_document
from codegen.team import team_files
from codegen.write.comparison import tree_differences
from codegen.write.placing import put_in_place, workspace, workspace_elsewhere


@dataclass(frozen=True)
class Outcome:
    """What a run found and did."""

    actions: tuple[tuple[str, int], ...]
    """The overlays in the order in which they were applied, each with the number of its actions."""
    operations: tuple[Operation, ...]
    files: int
    differences: tuple[str, ...]
    """What differed between the committed package and the regenerated one; see `codegen.write.comparison`."""


@dataclass(frozen=True)
class Overlay:
    """The deviations of one file."""

    name: str
    actions: tuple[Action, ...]


def team_overlays(root: Path, own: Sequence[str] = ()) -> tuple[Overlay, ...]:
    """Read the overlays that a team applies after ours: those of `generate.toml`, then those of the command line.

    Raises:
        CodegenError: A file is missing or refused, or is for another document.
    """
    files = team_files(root, own)["overlays"]
    return tuple(overlay_of(load_document(path, name), name) for name, path in files.items())


def read_overlays(root: Path, own: Sequence[str] = ()) -> tuple[Overlay, ...]:
    """Read our overlay and those that a team applies after it; raises what `team_overlays` raises."""
    return overlay_of(load_document(root / OVERLAY, OVERLAY), OVERLAY), *team_overlays(root, own)


def overlay_of(content: JsonObject, name: str) -> Overlay:
    """Check an overlay that was read.

    Raises:
        CodegenError: It is no valid overlay, or is for another document.
    """
    actions = read_overlay(content, name)
    extends = str(content.get("extends", DOCUMENT))
    if extends.rpartition("/")[2] != DOCUMENT:
        raise CodegenError(f"{name} extends {extends} and not {DOCUMENT}: it is for another document")
    return Overlay(name, actions)


def merged_document(root: Path, own: Sequence[str] = ()) -> tuple[JsonObject, tuple[Overlay, ...]]:
    """Return Tazapay's document with what supplements it and the overlays applied, and the overlays.

    Raises:
        CodegenError: A file is missing or refused, or an overlay does not fit the document.
    """
    document = supplemented(load_document(root / DOCUMENT, DOCUMENT), *read_supplements(root).values())
    overlays = read_overlays(root, own)
    for overlay in overlays:
        document = apply_overlay(document, overlay.actions, overlay.name)
    return document, overlays


def regenerate(root: Path, *, replace: bool, own: Sequence[str] = ()) -> Outcome:
    """Generate the client aside, compare it with the committed one and, if it differs, put it in its place.

    Args:
        root: The repository.
        replace: Whether to touch the repository at all; without, this only compares.
        own: Overlays to apply after ours.

    Raises:
        CodegenError: Anything that a person can put right, a call of the wrapper that the new client breaks among it;
            the committed package is as it was.
        OSError: Something cannot be read or written; the committed package is as it was.
    """
    if not replace:
        with workspace_elsewhere(root) as folder:
            return build(root, folder, *merged_document(root, own))[1]
    with workspace(root) as scratch:
        document, overlays = merged_document(root, own)
        package, outcome = build(root, scratch, document, overlays)
        if outcome.differences:
            refuse_broken(probe(root, package, document, outcome.operations))
            put_in_place(root, scratch, package, {})
    return outcome


def build(
    root: Path, folder: Path, document: JsonObject, overlays: Sequence[Overlay], at: Callable[[str], str] = str
) -> tuple[Path, Outcome]:
    """Generate the package in an empty folder and compare it with the committed one, which stays as it is.

    Args:
        root: The repository.
        folder: Where to write.
        document: The document with the overlays applied.
        overlays: What was applied.
        at: Says where a place of the document is; see `codegen.generate.document_checks`.

    Raises:
        CodegenError: The document is not fit for it, or the package is not whole.
        OSError: Something cannot be read or written.
    """
    committed = root / PACKAGE
    contents = check_document(document, f"{DOCUMENT} with {' and '.join(overlay.name for overlay in overlays)}", at)
    package = folder / committed.name
    generate(document, read_configuration(root / CONFIGURATION), package)
    check_package(package, contents)
    differences = tuple(tree_differences(committed, package, PACKAGE))
    files = sum(path.is_file() for path in package.rglob("*"))
    applied = tuple((overlay.name, len(overlay.actions)) for overlay in overlays)
    return package, Outcome(applied, contents.operations, files, differences)
