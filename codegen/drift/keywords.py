"""What it means for our users that a schema says something else about a field: enum, default, limits, texts."""

from collections.abc import Iterator
from typing import NamedTuple

from codegen.drift.changes import named, quoted
from codegen.drift.rules import Side, Verdict
from codegen.drift.schemas import Field
from codegen.overlay.applier import equal
from codegen.read.documents import JsonValue

_UPPER = frozenset({"maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"})
_LOWER = frozenset({"minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"})
_LIMITS = _UPPER | _LOWER | {"pattern", "multipleOf", "uniqueItems"}
_TEXTS = frozenset({"description", "example", "examples", "externalDocs", "summary", "xml", "$comment"})
_DEFAULT_IS_GONE = Verdict(
    "harmless", "no default was ever sent; an action of the overlay that removes it is obsolete now"
)
_ELSEWHERE = frozenset({"format"})
"""What is part of the type."""


class KeywordChange(NamedTuple):
    """One keyword of a schema that is not what it was."""

    group: str
    keyword: str
    what: str
    verdict: Verdict


def keyword_changes(side: Side, before: Field, after: Field) -> Iterator[KeywordChange]:
    """Yield what a schema says otherwise about a field, apart from its type and whether it is required."""
    for keyword in sorted((before.keywords.keys() | after.keywords.keys()) - _ELSEWHERE):
        was, now = before.keywords.get(keyword), after.keywords.get(keyword)
        had, has = keyword in before.keywords, keyword in after.keywords
        if had == has and equal(was, now):
            continue
        what = f"{named(keyword)} {difference(had=had, has=has, was=was, now=now)}"
        if keyword in {"enum", "const"}:
            yield KeywordChange("enums", keyword, _enumdifference(keyword, was, now), _enum(side, was, now))
        elif keyword == "default":
            yield KeywordChange("defaults", keyword, what, default_is_new() if has else _DEFAULT_IS_GONE)
        elif keyword in _LIMITS:
            yield KeywordChange("limits", keyword, what, _limit(side, keyword, was, now))
        elif keyword == "title" and "object" not in after.kinds:
            yield KeywordChange("texts", keyword, what, Verdict("harmless", "it names nothing in the client"))
        elif keyword in _TEXTS or keyword.startswith("x-"):
            yield KeywordChange("texts", keyword, what, Verdict("harmless", "read it: it may say more than types do"))
        else:
            yield KeywordChange("other", keyword, what, _other(keyword, has=has))


def difference(*, had: bool, has: bool, was: JsonValue, now: JsonValue) -> str:
    """Say what became of a value."""
    if not had:
        return f"is new: {quoted(now)}"
    return f"changed from {quoted(was)} to {quoted(now)}" if has else f"is gone; it was {quoted(was)}"


def _enumdifference(keyword: str, was: JsonValue, now: JsonValue) -> str:
    if was is None or now is None:
        return f"{named(keyword)} {difference(had=was is not None, has=now is not None, was=was, now=now)}"
    added, removed = _without(now, was), _without(was, now)
    said = [
        f"{verb} {', '.join(map(quoted, values))}" for verb, values in (("adds", added), ("loses", removed)) if values
    ]
    return f"{named(keyword)} {' and '.join(said) or 'has another order'}"


def _enum(side: Side, was: JsonValue, now: JsonValue) -> Verdict:
    if now is None:
        return Verdict("harmless", "every value is allowed again")
    if side == "reply":
        if was is None:
            return Verdict(
                "wrapper",
                "generated enums are closed: a value that is not in the list loses the whole reply; let an action of"
                " the overlay remove the list, the wrapper passes every text on",
            )
        return Verdict("harmless", "the wrapper passes every text on, and the generated enum is made anew")
    if was is None:
        return Verdict("breaking", "every other value is refused now")
    if _without(was, now):
        return Verdict("breaking", "whoever sends such a value is refused now")
    return Verdict("harmless", "all values of before are still accepted")


def default_is_new() -> Verdict:
    """Judge a default: the values that Tazapay documents there are samples."""
    return Verdict(
        "wrapper",
        "a default would be sent although the caller chose nothing, so nothing is generated from it: let an action of"
        " the overlay remove it",
    )


def _limit(side: Side, keyword: str, was: JsonValue, now: JsonValue) -> Verdict:
    if side == "reply":
        return Verdict("harmless", "the wrapper takes what comes")
    if now is None or now is False or _is_looser(keyword, was, now):
        return Verdict("harmless", "everything that was accepted still is")
    return Verdict("breaking", "what was accepted may be refused now: let the wrapper check it before it sends")


def _is_looser(keyword: str, was: JsonValue, now: JsonValue) -> bool:
    if not (isinstance(was, int | float) and isinstance(now, int | float)):
        return False
    return (keyword in _UPPER and now >= was) or (keyword in _LOWER and now <= was)


def _other(keyword: str, *, has: bool) -> Verdict:
    if keyword == "title":
        return Verdict(
            "wrapper", "the generated class is called after it: the imports of the wrapper may have to follow"
        )
    if keyword == "deprecated":
        if has:
            return Verdict("wrapper", "plan to do without it, and tell those who use it")
        return Verdict("harmless", "it is here to stay")
    return Verdict("wrapper", "what this means for the client cannot be told by rule: look at it")


def _without(values: JsonValue, others: JsonValue) -> list[JsonValue]:
    listed, known = (value if isinstance(value, list) else [value] for value in (values, others))
    return [value for value in listed if not any(equal(value, other) for other in known)]
