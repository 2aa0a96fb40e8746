"""What changed about an operation although no rule said so: a report must not call that harmless."""

from collections.abc import Set

from codegen.drift.references import references_in
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import look_up

_WORDS = frozenset({"description", "summary", "title", "operationId"})  # where they are no names of fields
_NOT_HERE = frozenset({"example", "examples", "tags", "externalDocs", "security"})  # words too, or compared elsewhere


def differs(before: JsonObject, after: JsonObject, was: JsonValue, now: JsonValue, affected: Set[str]) -> bool:
    """Tell whether two states of an operation say something else, words and examples aside.

    Args:
        before: The document as it was, to look up references in.
        after: The document as it is.
        was: The operation as it was.
        now: The operation as it is.
        affected: The references that lead to something else now.

    Examples:
        >>> differs({}, {}, {"description": "a", "style": "form"}, {"description": "b", "style": "form"}, set())
        False
        >>> differs({}, {}, {"style": "form"}, {"style": "matrix"}, set())
        True
    """
    if not equal(_without_words(was), _without_words(now)):
        return True
    seen: set[str] = set()
    waiting = [*references_in(was)]
    while waiting:
        reference = waiting.pop()
        if reference in seen or reference not in affected:
            continue
        seen.add(reference)
        old, new = (found and found[0] for found in (look_up(before, reference), look_up(after, reference)))
        if not equal(_without_words(old), _without_words(new)):
            return True
        waiting += references_in(old)
    return False


def _without_words(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_without_words(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _without_words(inner)
        for key, inner in value.items()
        if not key.startswith("x-") and key not in _NOT_HERE and (key not in _WORDS or isinstance(inner, dict))
    }
    parts = kept.get("allOf")
    return parts[0] if len(kept) == 1 and isinstance(parts, list) and len(parts) == 1 else kept
