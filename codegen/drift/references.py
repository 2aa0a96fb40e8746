"""Follow references, and find what a changed component reaches without unfolding anything."""

from collections import defaultdict
from collections.abc import Iterator

from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import look_up


def references_in(value: JsonValue) -> Iterator[str]:
    """Yield the references in a value.

    Examples:
        >>> list(references_in([{"$ref": "#/a"}, {"b": {"$ref": "#/c", "d": 1}}]))
        ['#/a', '#/c']
    """
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            reference = each.get("$ref")
            if isinstance(reference, str):
                yield reference
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)


def affected_references(before: JsonObject, after: JsonObject) -> set[str]:
    """Return the references that lead to something else now, directly or through others.

    Each component is looked at once, however many others refer to it.
    """
    users: dict[str, set[str]] = defaultdict(set)
    """Who refers to a component."""
    seen: set[str] = set()
    changed: list[str] = []
    waiting = [*references_in(before), *references_in(after)]
    while waiting:
        reference = waiting.pop()
        if reference in seen:
            continue
        seen.add(reference)
        was, now = (found and found[0] for found in (look_up(before, reference), look_up(after, reference)))
        if not equal(was, now):
            changed.append(reference)
        for inner in {*references_in(was), *references_in(now)}:
            users[inner].add(reference)
            waiting.append(inner)
    affected: set[str] = set()
    while changed:
        reference = changed.pop()
        if reference not in affected:
            affected.add(reference)
            changed += users[reference]
    return affected
