"""What changed between two states of Tazapay's document, and what each change means for our users.

Compared are the documents as published, without the overlay: what the service says, not what we make of it. Each change
has a verdict. *Breaking*: an application that works today may stop working. *Wrapper*: applications go on, but the
wrapper or the overlay has to follow. *Harmless*: nothing has to be done.
"""

from collections.abc import Iterator, Sequence

from codegen.drift.changes import GROUPS, SEVERITIES, Change, Drift, Severity, named, pointer, printable, quoted
from codegen.drift.coverage import Coverage
from codegen.drift.fields import OperationPart, by_shape
from codegen.drift.keywords import difference
from codegen.drift.leftovers import differs
from codegen.drift.operations import SIDES, Comparison, State
from codegen.drift.overlay_effects import Effects
from codegen.drift.references import affected_references, references_in
from codegen.drift.rules import Verdict, Wrapper
from codegen.drift.security import security_changes
from codegen.drift.sides import SideComparison
from codegen.overlay.actions import Action
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue

__all__ = ["GROUPS", "SEVERITIES", "Change", "Drift", "Severity", "compare"]

_OF_EVERY_OPERATION = frozenset({"parameters", "servers"})
_COMPARED_ELSEWHERE = frozenset({"paths", "components", "security", "servers"})


def compare(
    before: JsonObject,
    after: JsonObject,
    coverage: Coverage,
    overlay_actions: Sequence[Action] = (),
    actions_before: Sequence[Action] | None = None,
) -> Drift:
    """Compare two states of the document as published, without the overlay.

    Operations are the same if method and path are, whatever the path calls its parameters. The time it takes grows with
    the size of the documents, and with the number of operations that use a component that changed.

    Args:
        before: The document as it was.
        after: The document as it is. Both may be anything that `codegen.read.documents` reads.
        coverage: What the wrapper does with each field.
        overlay_actions: All actions of the overlay; a change that one of them deals with is harmless.
        actions_before: Those that belonged to the document as it was, if they are not the same.

    Returns:
        No change if, and only if, the documents say the same; the order of their keys does not matter.

    Raises:
        CodegenError: The schemas of an operation unfold into more fields than any operation has.

    Examples:
        >>> drift = compare({"info": {"title": "sandbox"}}, {"info": {"title": "Tazapay"}}, Coverage())
        >>> drift.severity, drift.exit_code, drift.changes[0].what
        ('harmless', 0, 'info changed from `{"title": "sandbox"}` to `{"title": "Tazapay"}`')
    """
    if equal(before, after):
        return Drift(())
    old_actions = overlay_actions if actions_before is None else actions_before
    states = State(before, Effects(before, old_actions)), State(after, Effects(after, overlay_actions))
    changes = [*_operations(*states, coverage), *security_changes(before, after, coverage), *_document(before, after)]
    if not changes:
        what = "what changed is nothing that an operation uses, such as a component on its own"
        changes.append(Change("other", "harmless", "", "", "", what, "no client is generated from it"))
    return Drift(tuple(sorted(changes, key=_order)))


def _order(change: Change) -> tuple[object, ...]:
    badness = -SEVERITIES.index(change.severity)
    return GROUPS.index(change.group), badness, change.operation, change.side, change.field, change.what


def _operations(before: State, after: State, coverage: Coverage) -> Iterator[Change]:
    old, new = by_shape(before.document), by_shape(after.document)
    affected = affected_references(before.document, after.document)
    for key in old.keys() - new.keys():
        yield _removed(old[key], coverage)
    for key in new.keys() - old.keys():
        yield from _added(before, after, new[key], coverage)
    for key in old.keys() & new.keys():
        was, now = old[key], new[key]
        is_same = was.path == now.path and equal(was.said, now.said) and equal(_shared(was), _shared(now))
        if not is_same or affected & {*references_in(was.said), *references_in(_shared(was))}:
            found = list(Comparison(before, after, was, now, coverage).changes())
            yield from found
            said: tuple[JsonValue, JsonValue] = ([was.said, _shared(was)], [now.said, _shared(now)])
            told = any(change.group != "texts" for change in found)
            if not told and differs(before.document, after.document, *said, affected):
                yield _not_told(was)


def _shared(operation: OperationPart) -> JsonValue:
    """Return what the path says for all of its operations."""
    return {key: value for key, value in operation.item.items() if key in _OF_EVERY_OPERATION}


def _not_told(operation: OperationPart) -> Change:
    return Change(
        "other",
        "wrapper",
        printable(operation.name),
        "",
        "",
        "something changed that no rule here knows",
        "read the two documents side by side: what this means for callers cannot be told",
        place=pointer(operation.location),
    )


def _removed(operation: OperationPart, coverage: Coverage) -> Change:
    covered = coverage.operation(operation.method, operation.path)
    why = "the wrapper does not call it, but callers of the generated function lose it"
    place = ""
    if covered is not None:
        why, place = f"{covered.method} has nothing to call any more", coverage.places["method"]
    return Change(
        "operations",
        "breaking",
        printable(operation.name),
        "",
        "",
        "gone",
        why,
        place,
        place=pointer(operation.location),
    )


def _added(before: State, after: State, operation: OperationPart, coverage: Coverage) -> Iterator[Change]:
    """Yield a new operation, and what of it the method that the wrapper has already leaves out."""
    covered, place = coverage.operation(operation.method, operation.path), (*operation.location, "operationId")
    overlay = after.effects.dealing_with(place)
    if covered is None:
        verdict = Verdict(
            "wrapper",
            "no public method calls it: add one to both clients, and name it in codegen/wrapper_coverage.yaml",
        )
    elif overlay or (before.effects.definition(place) or [None])[0] == operation.said.get("operationId", ""):
        verdict = Verdict("harmless", f"{covered.method} calls it already")
    else:
        why = f"{covered.method} calls it already, by the name that the overlay gave it: let an action of the overlay"
        verdict = Verdict("wrapper", f"{why} give it that name again, and its request and reply their titles")
    name = printable(operation.name)
    yield Change(
        *(
            "operations",
            verdict.severity,
            name,
            "",
            "",
            f"new: {quoted(operation.said.get('operationId'))}",
            verdict.why,
        ),
        wrapper=coverage.places["method"],
        overlay=overlay,
        place=pointer(operation.location),
    )
    for side in SIDES:
        fields = after.fields(operation, side)
        known = before.known(operation, side) if covered else {}
        comparison = SideComparison(Wrapper(coverage, covered, side), name, after.effects, fields, known)
        yield from (
            change for change in comparison.arrived(is_called=covered is not None) if change.severity != "harmless"
        )


def _document(before: JsonObject, after: JsonObject) -> Iterator[Change]:
    """Compare what the document says about itself."""
    for key in sorted((before.keys() | after.keys()) - _COMPARED_ELSEWHERE):
        was, now = before.get(key), after.get(key)
        if not equal(was, now):
            texts = key in {"info", "tags", "externalDocs"} or key.startswith("x-")
            what = f"{named(key)} {difference(had=key in before, has=key in after, was=was, now=now)}"
            why = "it is about the document, not about the client" if texts else "no operation depends on it"
            yield Change("texts" if texts else "other", "harmless", "", "", "", what, why, place=pointer((key,)))
