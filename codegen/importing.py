"""From published pages to the client: everything that `./generate.sh --import` does, in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.drift.compare import Drift, compare
from codegen.drift.coverage import load_coverage
from codegen.drift.report import render
from codegen.drift.states import effective
from codegen.errors import CodegenError
from codegen.generate.probe import probe
from codegen.generate.regeneration import Outcome, Overlay, build, overlay_of, team_overlays
from codegen.layout import DOCUMENT, OVERLAY, PACKAGE
from codegen.merge.merging import Merged, merge, rewritten
from codegen.merge.supplement import read_supplements, superseded, supplemented
from codegen.options import Options
from codegen.overlay.actions import Action
from codegen.overlay.additions import Addition, missing_definitions, sample_defaults
from codegen.overlay.applier import fit_overlay
from codegen.read.documents import JsonObject, Source, load_source, parse_document, shown
from codegen.read.references import steps_of
from codegen.read.sources import read_sources
from codegen.read.units import title
from codegen.write.placing import put_in_place, workspace, workspace_elsewhere

_MOST_EXPLAINED = 20


@dataclass(frozen=True)
class Imported:
    """What an import found and did."""

    told: tuple[str, ...]
    """What changed in the document, and what else came of that, a line each."""
    drift: Drift
    report: str
    """The drift, in the format asked for."""
    outcome: Outcome | None
    """What the generation gave; None if there was nothing to do."""


@dataclass(frozen=True)
class _Fit:
    """The document with every overlay applied, and what our overlay is to be."""

    document: JsonObject
    overlays: tuple[Overlay, ...]
    text: str
    """Of our overlay."""
    told: tuple[str, ...]
    """What became of its actions."""


def import_pages(root: Path, options: Options) -> Imported:
    """Merge published pages into the document, regenerate the client, and put all of it in place together.

    Args:
        root: The repository.
        options: The pages, and what may be done with them; see `codegen.options`.

    Raises:
        CodegenError: Anything that a person can put right; nothing was written.
        OSError: Something cannot be read or written; nothing was written.
    """
    names, form = options.pages or [], options.format
    sources = read_sources(names)
    titles = DOCUMENT, f"{DOCUMENT} with {', '.join(names)}"
    with workspace_elsewhere(root) if options.dry_run else workspace(root, (DOCUMENT, OVERLAY, PACKAGE)) as scratch:
        current = load_source(root / DOCUMENT, DOCUMENT, aliases=False)
        overlay = load_source(root / OVERLAY, OVERLAY)
        supplements, others = read_supplements(root), team_overlays(root, options.overlay)
        merged = merge(current, sources)
        coverage = load_coverage(root)
        text, document = rewritten(current, merged) if merged.changed else (current.text, current.document)
        if not merged.changed and not (options.drop_obsolete or options.stub_missing or options.drop_samples):
            drift = compare(document, document, coverage, names=titles)
            return Imported((), drift, render(drift, form), None)
        told = [f"{DOCUMENT}: imported {title(unit)}" for unit in merged.changed]
        for name, supplement in supplements.items():
            units = {*superseded(document, supplement)} - {*superseded(current.document, supplement)}
            told += [f"{name}: {title(unit)} is superseded, and can be deleted there" for unit in sorted(units)]
        before, document = (supplemented(each, *supplements.values()) for each in (current.document, document))
        fit = _fit(document, merged, overlay, others, options)
        actions = [action for each in (overlay_of(overlay.document, OVERLAY), *others) for action in each.actions]
        was = effective(before, actions)
        drift = compare(was, fit.document, coverage, published=(before, document), names=titles)
        new = {OVERLAY: (overlay, fit.text), DOCUMENT: (current, text)}  # the document last: see `put_in_place`
        files = {name: old.encoded(changed_to) for name, (old, changed_to) in new.items() if changed_to != old.text}
        if not files:
            return Imported((), drift, render(drift, form), None)
        package, outcome = build(root, scratch, fit.document, fit.overlays, _places_in(merged))
        broken = probe(root, package, fit.document, outcome.operations, _places_in(merged))
        drift = drift.with_broken(broken)
        report = render(drift, form)  # before anything is written, since after that nothing may fail any more
        if not options.dry_run:
            put_in_place(root, scratch, package if outcome.differences else None, files)
    return Imported((*told, *fit.told), drift, report, outcome)


def _fit(document: JsonObject, merged: Merged, overlay: Source, others: Sequence[Overlay], options: Options) -> _Fit:
    """Fit the overlays to the new document, as far as the options allow to change ours."""
    ours = overlay_of(overlay.document, OVERLAY)
    fitted = fit_overlay(document, ours.actions, OVERLAY, drop=options.drop_obsolete)
    whole = _applied(fitted.document, others)
    missing, samples = missing_definitions(whole), sample_defaults(whole)
    unfit = ([] if options.stub_missing else [*missing]) + ([] if options.drop_samples else [*samples])
    if unfit:
        raise CodegenError(_explained(unfit, _places_in(merged)))
    added = [*missing, *samples]
    text = _edited(overlay, ours, fitted.obsolete, added)
    edited = overlay_of(parse_document(text.encode(), OVERLAY), OVERLAY)
    if len(edited.actions) != len(ours.actions) - len(fitted.obsolete) + len(added):
        raise _not_in_place()
    if added or fitted.obsolete:  # what was written is what counts
        whole = _applied(document, (edited, *others))
    dropped = [f"{OVERLAY}: dropped action {action.number} ({action.target})" for action in fitted.obsolete]
    told = [*dropped, *(f"{OVERLAY}: added an action that {addition.effect}" for addition in added)]
    return _Fit(whole, (edited, *others), text, tuple(told))


def _applied(document: JsonObject, overlays: Sequence[Overlay]) -> JsonObject:
    for overlay in overlays:
        document = fit_overlay(document, overlay.actions, overlay.name, drop=None).document
    return document


def _edited(overlay: Source, ours: Overlay, obsolete: Sequence[Action], added: Sequence[Addition]) -> str:
    """Take actions out of the text of our overlay, and add others."""
    if not obsolete and not added:
        return overlay.text
    if len(obsolete) == len(ours.actions):
        raise CodegenError(f"{OVERLAY}: every action is obsolete, and an overlay without any is not valid; keep one")
    block = overlay.block
    edits = [block.deleted(("actions", action.number - 1)) for action in obsolete]
    edits += [block.added(("actions",), "\n" + addition.action) for addition in added]
    text = block.changed(*edits)
    if text is None:
        raise _not_in_place()
    return text


def _not_in_place() -> CodegenError:
    return CodegenError(f"{OVERLAY} cannot be edited in place; give each action lines of its own")


def _explained(unfit: Sequence[Addition], at: Callable[[str], str]) -> str:
    lines = ["the pages cannot be imported as they are:"]
    for addition in unfit[:_MOST_EXPLAINED]:
        lines.append(f"  {shown(at(addition.place), 500)} {addition.problem}. This action of {OVERLAY} would help:")
        lines += [f"      {line}" for line in addition.action.splitlines()]
    if len(unfit) > _MOST_EXPLAINED:
        lines.append(f"  and {len(unfit) - _MOST_EXPLAINED} more like these")
    lines.append(
        "  add the actions, or import again with --stub-missing, which defines what is missing, and --drop-samples,"
        " which removes defaults; a page that defines it can be imported together with this one"
    )
    return "\n".join(lines)


def _places_in(merged: Merged) -> Callable[[str], str]:
    """Return what tells the file and the line of a place in the merged document."""

    def at(place: str) -> str:
        steps = steps_of(place, merged.document)
        for length in range(min(len(steps), 3), 0, -1):
            source = merged.origin.get(tuple(str(step) for step in steps[:length]))
            if source is not None:
                return f"{source.at(*steps)} ({place})"
        return place

    return at
