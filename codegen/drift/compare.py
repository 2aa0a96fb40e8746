"""What changed between two states of Tazapay's document, and what each change means for our users.

Compared are the documents from which clients are generated, the overlays applied as far as they fit. Each change has a
verdict. *Breaking*: an application that works today may stop working. *Wrapper*: somebody has to look, and perhaps to
change the wrapper. *Harmless*: nothing has to be done.
"""

from collections.abc import Iterator, Set
from functools import partial

from codegen.drift.changes import GROUPS, SEVERITIES, Change, Drift, Severity, pointer, printable, quoted
from codegen.drift.coverage import Coverage, OperationCoverage
from codegen.drift.fields import Node, Pair, Unfolding, name_of, operations_of, places_that_differ
from codegen.drift.operations import WHOLE, OperationWalk, compare_security, compare_servers
from codegen.drift.verdicts import Verdict
from codegen.drift.walk import UNEXPLAINED, At, Rule, Walk, told_elsewhere
from codegen.errors import CodegenError
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject
from codegen.read.references import Location
from codegen.read.units import METHODS

__all__ = ["GROUPS", "SEVERITIES", "Change", "Drift", "Severity", "compare"]


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
    try:
        changes = [] if equal(before, after) else list(_changes(before, after, coverage))
        changes += _settled(*published, set(places_that_differ(before, after))) if published else ()
    except RecursionError:
        raise CodegenError("the documents cannot be compared: they nest or refer too deeply") from None
    return Drift(tuple(sorted(changes, key=_order)), *names)


def _order(change: Change) -> tuple[object, ...]:
    badness = -SEVERITIES.index(change.severity)
    return GROUPS.index(change.group), badness, change.operation, change.side, change.field, change.what


def _changes(before: JsonObject, after: JsonObject, coverage: Coverage) -> Iterator[Change]:
    unfoldings = Unfolding(before), Unfolding(after)
    roots = [Node({**each.document, "paths": each.of(each.document.get("paths"), ("paths",))}) for each in unfoldings]
    documents, (old, new) = Pair(*roots), map(operations_of, roots)
    pairs = [Pair(old[key], new[key]) for key in old if key in new]
    gone, come = ([every[key] for key in every if key not in other] for every, other in ((old, new), (new, old)))
    for operation in gone:
        name = operation.at("operationId")
        moved = [each for each in come if name.exists and equal(each.at("operationId").value, name.value)]
        if moved:
            come.remove(moved[0])
            pairs.append(Pair(operation, moved[0]))
            continue
        covered = _covered(operation, coverage)
        why = f"{covered.method} has nothing to call any more" if covered else "callers of client.call(...) lose it"
        yield _whole(operation, "gone", Verdict("breaking", why))
    for operation in come:
        covered = _covered(operation, coverage)
        verdict = Verdict("harmless", "callable with client.call(...); no method of the wrapper covers it")
        if covered:
            verdict = Verdict("wrapper", f"{covered.method} calls it: look whether it sends what is asked for")
        yield _whole(operation, f"new: {quoted(operation.at('operationId').value)}", verdict)
    found: list[Change] = []
    for pair in pairs:
        walk = OperationWalk(name_of(pair.new), _covered(pair.old, coverage), documents, coverage.security)
        walk.compare(pair)
        found += walk.told()
    document = _DocumentWalk("", None, documents, coverage.security)
    document.compare(documents, unfoldings[0].reached | unfoldings[1].reached)
    found += document.told()
    yield from found
    if not (found or gone or come):
        yield Change(UNEXPLAINED, "wrapper", "", "", "", "the documents differ", "read them side by side", "#")


def _whole(operation: Node, what: str, verdict: Verdict) -> Change:
    name = printable(name_of(operation))
    return Change("operations", verdict.severity, name, "", "", what, verdict.why, pointer(operation.place))


def _covered(operation: Node, coverage: Coverage) -> OperationCoverage | None:
    return coverage.operation(str(operation.place[2]), str(operation.place[1]))


class _DocumentWalk(Walk):
    """The comparison of what the document says about itself, and of what no operation holds."""

    def compare(self, pair: Pair, reached: Set[str]) -> None:
        """Compare all of it but what references of operations lead to, which these tell."""
        rules: dict[str, Rule] = {
            "info": self._about,
            "tags": self._about,
            "paths": self._paths,
            "components": partial(self._components, reached),
            "security": told_elsewhere,
            "servers": partial(compare_servers, self),
        }
        self.each(pair, WHOLE, rules)
        compare_security(self, pair)

    def _about(self, pair: Pair, _at: At) -> None:
        self.words.setdefault(str(pair.place[-1]), pair.place)

    def _paths(self, paths: Pair, at: At) -> None:
        if not paths.are_objects:
            self.unexplained(paths, at)
            return
        for item in map(paths.at, paths.keys):
            methods = [key for key in item.keys if key in METHODS and item.at(key).are_objects]
            if item.change == "changed":  # what a path says for all of its operations is compared with them
                shared = ("parameters", "servers") if any(item.at(key).change == "changed" for key in methods) else ()
                self.each(item, at, dict.fromkeys((*methods, *shared), told_elsewhere))
            elif not methods:
                self.unexplained(item, at)

    def _components(self, reached: Set[str], components: Pair, at: At) -> None:
        if not components.are_objects:
            self.unexplained(components, at)
            return
        for kind in components.keys:
            members = components.at(kind)
            verdict = Verdict("harmless", "no operation uses it")
            if kind == "securitySchemes":
                verdict = Verdict("harmless", "what has to be sent is listed under security, if it is another")
            for each in map(members.at, members.keys) if members.are_objects else [members]:
                if not each.is_same and pointer(each.place) not in reached:
                    self.add("words", at, f"{quoted(each.place[-1])} is {each.change}", verdict, each.place)


def _settled(old: JsonObject, new: JsonObject, differing: set[Location]) -> Iterator[Change]:
    """Yield what differs in the published documents and no longer in what clients are generated from."""
    around = {place[:length] for place in differing for length in range(len(place) + 1)}
    for place in places_that_differ(old, new):
        if place not in around and not any(place[:length] in differing for length in range(len(place))):
            name = f"{str(place[2]).upper()} {place[1]}" if place[0] == "paths" and len(place) > 2 else ""
            what = f"{quoted(place[-1])} is published otherwise"
            why = "an action of the overlay, or the supplement, settles it: what is generated is the same"
            yield Change("overlay", "harmless", printable(name), "", "", what, why, pointer(place))
