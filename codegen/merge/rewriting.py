"""Write a merged document into the text of the one that was there, and touch nothing else of it."""

from collections.abc import Iterator, Mapping

from codegen.errors import CodegenError
from codegen.merge.merging import Merged
from codegen.read.block_text import Edit, dumped, nested
from codegen.read.documents import JsonObject, Source, parse_document
from codegen.read.units import Unit, canonical, joined, units


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
    possible = [edit for edit in edits if edit is not None]
    return dumped(merged.document) if len(possible) < len(edits) else block.changed(*possible)


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
