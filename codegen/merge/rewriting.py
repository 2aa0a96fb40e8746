"""Write a merged document into the text of the one that was there, and touch nothing else of it."""

from collections.abc import Mapping

from codegen.errors import CodegenError
from codegen.merge.merging import Merged
from codegen.read.block_text import BlockText, dumped, nested
from codegen.read.documents import JsonObject, JsonValue, parse_document
from codegen.read.sources import Source
from codegen.read.units import Unit, canonical, units


def rewritten(current: Source, merged: Merged) -> tuple[str, JsonObject]:
    """Return the text of the document that was there with the parts that changed, as their pages write them.

    The document that the text holds comes with it.

    Parts that are replaced stay where they were; new ones are put behind their siblings. Where a part does not stand
    on lines of its own, what holds it is written anew.

    Raises:
        CodegenError: The text is written in a way that its parts cannot be exchanged; it is to be written in blocks.
    """
    text = _spliced(current, merged)
    document = parse_document(text.encode(), current.name)
    got, wanted = units(document), units(merged.document)
    differing = [unit for unit in got.keys() | wanted if canonical(got.get(unit)) != canonical(wanted.get(unit))]
    if differing:
        remedy = "give each key a line of its own, with plain indentation"
        raise CodegenError(f"{current.at(*min(differing))}: cannot be edited in place; {remedy}")
    return text, document


def _spliced(current: Source, merged: Merged) -> str:
    anew: set[Unit] = set()
    while True:
        block = current.block()
        stuck = _splice(block, current, merged, anew)
        if stuck is None:
            return block.changed()
        if not stuck:
            break
        anew = {unit for unit in anew if unit[: len(stuck)] != stuck} | {stuck}
    return dumped(merged.document)


def _splice(block: BlockText, current: Source, merged: Merged, anew: set[Unit]) -> Unit | None:
    """Make all changes; return what has to be written anew instead, as soon as there is such a thing."""
    additions: dict[Unit, dict[Unit, str]] = {}
    for unit in sorted(anew):
        if not block.replace(unit, dumped({unit[-1]: _value_at(merged.document, unit)})):
            return unit[:-1]
    listed = dict.fromkeys(unit[:1] if unit[0] == "tags" else unit for unit in merged.changed)
    for unit in listed:
        if any(unit[: len(whole)] == whole for whole in anew):
            continue
        source = merged.changed.get(unit)
        text = source.entry(unit) if source else dumped({unit[-1]: _value_at(merged.document, unit)})
        held = _held(current.document, unit)
        if held == len(unit):
            if not block.replace(unit, text):
                return unit[:-1]
        elif not _value_at(current.document, unit[:held]):
            return unit[:held]  # an object without entries has no indentation to follow
        else:
            additions.setdefault(unit[: held + 1], {})[unit[held + 1 :]] = text
    for unit, texts in additions.items():
        if not block.add(unit[:-1], _tree(unit[-1], texts)):
            return unit[:-1]
    return None


def _tree(key: str, texts: Mapping[Unit, str]) -> str:
    """Write a new entry from the entries in it, in which its own key is already gone."""
    if () in texts:
        return texts[()]
    inner: dict[str, dict[Unit, str]] = {}
    for unit, text in texts.items():
        inner.setdefault(unit[0], {})[unit[1:]] = text
    return nested(key, "".join(_tree(step, inside) for step, inside in inner.items()))


def _held(document: JsonValue, unit: Unit) -> int:
    """Count the keys as far as the document goes."""
    for length, step in enumerate(unit):
        if not isinstance(document, dict) or step not in document:
            return length
        document = document[step]
    return len(unit)


def _value_at(document: JsonValue, unit: Unit) -> JsonValue:
    """Follow the keys; None if the document does not go so far."""
    for step in unit:
        document = document.get(step) if isinstance(document, dict) else None
    return document
