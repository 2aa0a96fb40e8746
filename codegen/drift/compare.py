"""What changed between two states of Tazapay's document, and what each change means for our users.

Compared are the documents from which clients are generated, the overlays applied as far as they fit. Each change has a
verdict. *Breaking*: an application that works today may stop working. *Wrapper*: somebody has to look, and perhaps to
change the wrapper. *Harmless*: nothing has to be done.
"""

from collections.abc import Iterator
from dataclasses import replace

from codegen.drift import facts
from codegen.drift.changes import GROUPS, SEVERITIES, Change, Drift, Severity, printable, quoted
from codegen.drift.coverage import Coverage, OperationCoverage
from codegen.drift.facts import Facts, State, Where
from codegen.drift.nodes import WORDS, Nodes, Operation
from codegen.drift.verdicts import LOOK, RULES, Difference
from codegen.errors import CodegenError
from codegen.generate.unfolding import unfolds_into_too_much
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject
from codegen.read.references import Location, pointer_to

__all__ = ["GROUPS", "SEVERITIES", "Change", "Drift", "Severity", "compare"]

UNEXPLAINED = "changed in a way that no rule covers"
_SETTLED = "an action of the overlay, or the supplement, settles it: what is generated is the same"
_WORDS_WHY = "what is sent and read is the same; read them, they may say more than types do"


def compare(
    before: JsonObject,
    after: JsonObject,
    coverage: Coverage,
    *,
    published: tuple[JsonObject, JsonObject] | None = None,
    names: tuple[str, str] = ("old", "new"),
) -> Drift:
    """Compare two states of the document.

    Operations are the same if method and path are, whatever the path calls its parameters. The time it takes grows with
    the size of the documents, and with the number of operations that use a component that changed.

    Args:
        before: The document as it was, overlays applied.
        after: The document as it is. Both may be anything that `codegen.read.documents` reads.
        coverage: What the wrapper does with each field.
        published: Both without overlays: what differs only there is listed as settled by an overlay.
        names: What the report calls the two.

    Returns:
        No change if, and only if, the documents say the same; the order of their keys does not matter.

    Raises:
        CodegenError: The documents unfold into more than any document of an API has.

    Examples:
        >>> drift = compare({"info": {"title": "sandbox"}}, {"info": {"title": "Tazapay"}}, Coverage())
        >>> drift.severity, drift.exit_code, drift.changes[0].what
        ('harmless', 0, 'only info changed')
    """
    for place, problem in (each for document in (before, after) for each in unfolds_into_too_much(document)):
        raise CodegenError(f"the documents cannot be compared: {printable(place)} {problem}")
    try:
        changes = _changes(before, after, coverage)
        told = {_about(change) for change in changes}
        changes += [
            replace(change, group="overlay", severity="harmless", why=_SETTLED)
            for change in (_changes(*published, coverage) if published else ())
            if _about(change) not in told
        ]
    except RecursionError:
        raise CodegenError("the documents cannot be compared: they nest or refer too deeply") from None
    return Drift(tuple(sorted(changes, key=_order)), *names)


def _about(change: Change) -> tuple[str, str]:
    return change.operation, "words" if change.group == "words" else change.place


def _order(change: Change) -> tuple[object, ...]:
    badness = -SEVERITIES.index(change.severity)
    return GROUPS.index(change.group), badness, change.operation, change.side, change.field, change.what


def _changes(old: JsonObject, new: JsonObject, coverage: Coverage) -> list[Change]:
    before, after = State(Nodes(old)), State(Nodes(new))
    documents = before.of_document(), after.of_document()
    changes = [] if equal(old, new) else [*_of_operations(before, after, documents, coverage)]
    reached = before.nodes.reached | after.nodes.reached  # which is told where it is used
    left, right = (
        {slot: fact for slot, fact in each.items() if slot[1] != facts.COMPONENT or fact.place not in reached}
        for each in documents
    )
    changes += _differences("", left, right, None, coverage.security)
    if changes or equal(old, new):
        return changes
    return [Change(UNEXPLAINED, "wrapper", "", "", "", "the documents differ", "read them side by side", "#")]


def _of_operations(before: State, after: State, documents: tuple[Facts, Facts], coverage: Coverage) -> Iterator[Change]:
    old, new = before.nodes.operations(), after.nodes.operations()
    moved = {str(now.said("operationId")): shape for shape, now in new.items() if shape not in old}
    moved.pop("None", None)
    for shape, was in old.items():
        now = new.pop(shape if shape in new else moved.get(str(was.said("operationId")), shape), None)
        covered = coverage.operation(was.method, was.path)
        if now is None:
            before.of_operation(was)  # for what it refers to
            by = covered.method if covered else "client.call(...)"
            yield _whole(was, "gone", "breaking", f"{by} has nothing to call any more")
            continue
        if was.name != now.name:
            severity: Severity = "harmless" if was.shape == now.shape else "breaking"
            why = "names of parameters make no difference, everything else is another address"
            yield _whole(now, f"moved: it was {quoted(was.name)}", severity, why)
        both = before.of_operation(was), after.of_operation(now)
        for one, other, document in zip(both, both[::-1], documents, strict=True):
            if ((), "security") in other:  # without one of its own, that of the document holds
                one.setdefault(((), "security"), document[facts.DOCUMENT, "security"])
        told = [*_differences(now.name, *both, covered, coverage.security)]
        if not told and not equal(was.whole, now.whole):
            told = [_words(now.name, "only the way it is written changed", now.node.place)]
        yield from told
    for now in new.values():
        after.of_operation(now)  # for what it refers to
        covered = coverage.operation(now.method, now.path)
        why = "callable with client.call(...); no method of the wrapper covers it"
        if covered:
            why = f"{covered.method} calls it: look whether it sends what is asked for"
        yield _whole(now, f"new: {quoted(now.said('operationId'))}", "wrapper" if covered else "harmless", why)


def _whole(operation: Operation, what: str, severity: Severity, why: str) -> Change:
    name, place = printable(operation.name), pointer_to(operation.node.place)
    return Change("operations", severity, name, "", "", what, why, place)


def _words(operation: str, what: str, place: Location) -> Change:
    return Change("words", "harmless", printable(operation), "", "", what, _WORDS_WHY, pointer_to(place))


def _differences(
    name: str, old: Facts, new: Facts, covered: OperationCoverage | None, security: str
) -> Iterator[Change]:
    """Judge each fact that differs, and tell in one line that words do."""
    words: dict[str, Location] = {}
    silent: dict[Where, int] = {}  # what is inside of it, from so many steps on, is told by what was said of it
    is_told = False
    for where, keyword in sorted(old.keys() | new.keys()):
        was, now = old.get((where, keyword)), new.get((where, keyword))
        found = Difference(where, was, now, old, new, covered, security)
        fact = now or was
        if fact is None or (was and now and equal(was.value, now.value)):
            continue
        is_inside = any(len(where) >= silent.get(where[:steps], len(where) + 1) for steps in range(len(where) + 1))
        is_new = now is not None and was is None
        if (is_new and keyword == facts.DESCRIBED) or (
            is_inside and not (is_new and keyword in {"default", facts.DANGLING})
        ):
            continue
        if keyword in facts.TELLS_INSIDE and not (was and now):
            silent[where] = len(where) + (keyword == facts.DESCRIBED)
        if where == facts.DOCUMENT and keyword in {"info", "tags"}:
            words.setdefault(keyword, fact.place)
            continue
        if keyword in WORDS:
            words.setdefault("examples" if keyword.startswith("example") else "descriptions", fact.place)
            continue
        group, rule = RULES.get(keyword, (UNEXPLAINED, None))
        verdict = rule(found) if rule else None
        if verdict is None and found.is_only_words:
            words.setdefault("descriptions or examples", fact.place)
            continue
        is_told = True
        if keyword == facts.FIELD and not (was and now):
            group = f"{found.at.side} fields"
        about = printable(name), found.at.side, printable(found.at.name), _what(found, keyword)
        severity, why = verdict or LOOK
        yield Change(group if verdict else UNEXPLAINED, severity, *about, why, pointer_to(fact.place))
    if words:
        what = f"{'also' if is_told else 'only'} {' and '.join(sorted(words))} changed"
        yield _words(name, what, next(iter(words.values())))


def _what(found: Difference, keyword: str) -> str:
    was, now = found.values
    if keyword == facts.FIELD:
        needed = "required" if now else "optional"
        kind = quoted(" or ".join(sorted(found.kinds())) or "anything")
        return f"{needed} now" if found.was and found.now else f"new: {kind}, {needed}" if found.now else "gone"
    if keyword in {facts.ERROR, facts.COMPONENT}:  # what it holds would be long
        return (
            f"{quoted(found.where[-1])} is {'changed' if found.was and found.now else 'new' if found.now else 'gone'}"
        )
    key = quoted(keyword.strip("()"))
    if found.was is None:
        return f"{key} is new: {quoted(now)}"
    return f"{key} is {'gone' if found.now is None else quoted(now)}; it was {quoted(was)}"
