"""Merge published documents into the one that is there and into its text, or say why that cannot be done.

An operation replaces the one with its path and method; everything else has to agree. What the operations share, such as
a component, may change only together with every operation that uses it: a page says nothing about the others.

Of the text nothing is touched but what changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from codegen.errors import CodegenError
from codegen.read.block_text import Edit, dumped, nested
from codegen.read.documents import JsonObject, JsonValue, Source, describe, parse_document
from codegen.read.sources import read_version
from codegen.read.units import Unit, canonical, is_operation, joined, order, path_shape, title, units, used_parts

_SETTLED = ("servers", "security")
"""Where requests go and how they sign in: no page of one operation decides that for all of them."""


@dataclass(frozen=True)
class Merged:
    """A document with pages merged into it."""

    document: JsonObject
    changed: Mapping[Unit, Source]
    """What differs from the document that was there, with where it comes from, in the order of `units.order`."""
    origin: Mapping[Unit, Source]
    """Where each part of the document stands: a page, or the document that was there."""


def merge(current: Source, sources: Sequence[Source]) -> Merged:
    """Merge documents into the one that is there; the order in which they are given does not matter.

    Raises:
        CodegenError: The documents contradict each other or the one that is there; every conflict is explained by file
            and line.
    """
    before = current.parts
    given, problems = _united(sources)
    problems += _unsettled(current, before, sources)
    # of patch releases the newest holds for all
    given["openapi",] = max([current, *sources], key=lambda each: read_version(each.document.get("openapi")) or ())
    parts, origin = dict(before), dict.fromkeys(before, current)
    changed: dict[Unit, Source] = {}
    for unit in sorted(given, key=order):
        value = given[unit].parts[unit]
        if unit[0] not in _SETTLED and (unit not in before or canonical(before[unit]) != canonical(value)):
            changed[unit] = origin[unit] = given[unit]
            parts[unit] = value
    problems += _twice(parts, origin)
    problems += _left_behind(current, before, parts, changed, given)
    if problems:
        names = ", ".join(sorted({source.name for source in sources}))
        told = [f"{names} cannot be merged into {current.name}:", *(f"  {problem}" for problem in sorted(problems))]
        raise CodegenError("\n".join(told))
    return Merged(joined(parts), changed, origin)


def _united(sources: Sequence[Source]) -> tuple[dict[Unit, Source], list[str]]:
    """Choose for each part the source that gives it, and list the parts that two sources give differently."""
    given: dict[Unit, Source] = {}
    problems = []
    for source in sorted(sources, key=lambda source: source.name):
        for unit, value in source.parts.items():
            other = given.setdefault(unit, source)
            if other is source:
                continue
            if canonical(other.parts[unit]) == canonical(value):
                # the same, perhaps in other quotes or lines: not the order of arguments decides which
                given[unit] = min(other, source, key=lambda candidate: candidate.entry(unit))
            elif unit != ("openapi",):
                places = f"{other.at(*unit)} and {source.at(*unit)}"
                problems.append(f"{places} say different things about {title(unit)}: import the one that is right")
    return given, problems


def _unsettled(current: Source, before: Mapping[Unit, JsonValue], sources: Sequence[Source]) -> list[str]:
    """List what the pages say differently than the document although it concerns every operation."""
    problems = []
    way_out = (
        f"if that is true for every operation, start anew: ./generate.sh --extract PAGE >{current.name},"
        " then import the others"
    )
    version = read_version(current.document.get("openapi")) or ()
    for source in sources:
        schemes = [unit for unit in source.parts if unit[:2] == ("components", "securitySchemes") and unit in before]
        settled = [*((key,) for key in _SETTLED), *schemes]
        other = [unit for unit in settled if canonical(source.parts.get(unit)) != canonical(before.get(unit))]
        if (read_version(source.document["openapi"]) or ())[:2] != version[:2]:  # 3.0 and 3.1 read schemas differently
            other.append(("openapi",))
        problems += [
            f"{source.at(*unit)} says otherwise about {title(unit)} than {current.at(*unit)}; {way_out}"
            for unit in other
        ]
    return problems


def _twice(parts: Mapping[Unit, JsonValue], origin: Mapping[Unit, Source]) -> list[str]:
    """List operations that have one operationId, and paths that differ only in the names of their parameters."""
    problems = []
    paths: dict[str, Unit] = {}
    ids: dict[str, Unit] = {}

    def tell(one: Unit, other: Unit, what: str) -> None:
        places = " and ".join(f"{title(unit)} ({origin[unit].at(*unit)})" for unit in (one, other))
        problems.append(
            f"{places} have {what}; if the old one is no longer published, delete it from openapi.yaml first"
        )

    for unit, value in parts.items():
        if unit[0] == "paths":
            first = paths.setdefault(path_shape(unit[1]), unit)
            if first[1] != unit[1]:
                tell(first, unit, "one path with two names for its parameter")
        if is_operation(unit) and isinstance(value, dict) and isinstance(name := value.get("operationId"), str):
            first = ids.setdefault(name, unit)
            if first != unit:
                tell(first, unit, f"the same operationId {describe(name)}")
    return problems


def _left_behind(
    current: Source,
    before: Mapping[Unit, JsonValue],
    parts: Mapping[Unit, JsonValue],
    changed: Mapping[Unit, Source],
    given: Mapping[Unit, Source],
) -> list[str]:
    """List the operations that are not imported although something changes that they share with those that are."""
    used = {unit: used_parts(value) for unit, value in parts.items()}
    # A component that is new changes nothing for those who had to do without it, or with a stub of the overlay.
    shared = {unit for unit in changed if not is_operation(unit) and (unit in before or unit[0] == "paths")}
    problems = []
    for user in (unit for unit in parts if shared and is_operation(unit) and unit not in given):
        reached = [user, *((*user[:2], key) for key in ("parameters", "servers"))]
        for part in reached:  # which grows
            reached += used.get(part, set()).difference(reached)
        problems += [
            f"{title(user)} ({current.at(*user)}) uses {title(cause)}, which {changed[cause].at(*cause)}"
            " changes: import its page too, which says whether that holds for it"
            for cause in sorted(shared.intersection(reached))
        ]
    return problems


def rewritten(current: Source, merged: Merged) -> tuple[str, JsonObject]:
    """Return the text of the document that was there with the parts that changed, as their pages write them.

    The document that the text holds comes with it.

    Parts that are replaced stay where they were; new ones are put behind their siblings. Where a part does not stand
    on lines of its own, the key at the top of the document that holds it is written anew; of JSON all is.

    Raises:
        CodegenError: The text is written in a way that its parts cannot be exchanged; it is to be written in blocks.
    """
    text = _spliced(current, merged)
    document = parse_document(text.encode(), current.name)
    if canonical(joined(units(document))) != canonical(merged.document):
        remedy = "give each key a line of its own, with plain indentation"
        raise CodegenError(f"{current.at()}: the document cannot be edited in place; {remedy}")
    return text, document


def _spliced(current: Source, merged: Merged) -> str:
    block = current.block
    edits: list[Edit | None] = []
    for key in dict.fromkeys(unit[0] for unit in merged.changed):
        found = [*_edits(current, merged, key)]
        if None in found:
            anew = dumped({key: merged.document[key]})
            found = [block.replaced((key,), anew) or block.added((), anew)]
        edits += found
    return block.changed(*edits) or dumped(merged.document)


def _edits(current: Source, merged: Merged, key: str) -> Iterator[Edit | None]:
    """Yield how each part below a key at the top of the document gets into the text; None if it cannot."""
    block = current.block
    additions: dict[Unit, dict[Unit, str]] = {}
    for unit, source in merged.changed.items():
        if unit[0] != key:
            continue
        if block.holds(unit):
            yield block.replaced(unit, source.entry(unit))
        else:
            length = max(length for length in range(len(unit)) if block.holds(unit[:length]))
            additions.setdefault(unit[: length + 1], {})[unit[length + 1 :]] = source.entry(unit)
    for unit, texts in additions.items():
        yield block.added(unit[:-1], _tree(unit[-1], texts))


def _tree(key: str, texts: Mapping[Unit, str]) -> str:
    """Write a new entry from the entries in it, in which its own key is already gone."""
    if () in texts:
        return texts[()]
    inner: dict[str, dict[Unit, str]] = {}
    for unit, text in texts.items():
        inner.setdefault(unit[0], {})[unit[1:]] = text
    return nested(key, "".join(_tree(step, inside) for step, inside in inner.items()))
