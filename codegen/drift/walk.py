"""Compare what two states of one operation say, keyword by keyword.

Each keyword that differs is judged by a rule or, where none covers it, listed with its place for a look: so that
nothing that differs can get lost, whatever it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from codegen.drift import verdicts
from codegen.drift.changes import Change, pointer, printable, quoted
from codegen.drift.coverage import Key, OperationCoverage
from codegen.drift.fields import WORDS, Node, Pair, kinds_of
from codegen.drift.verdicts import LOOK, Side, Use, Verdict
from codegen.read.references import Location

UNEXPLAINED = "changed in a way that no rule covers"
WRITTEN = "the way it is written"
_JUDGES: dict[str, tuple[str, Callable[[Use, Pair, str], Verdict | None]]] = {
    **dict.fromkeys(("type", "nullable"), ("types", verdicts.type_changed)),
    **dict.fromkeys(("enum", "const"), ("enums", verdicts.enum_changed)),
    **dict.fromkeys(("operationId", "tags", "title"), ("operations", verdicts.name_changed)),
    "$ref": ("types", lambda _use, _pair, _key: verdicts.ELSEWHERE),
    "format": ("formats", verdicts.format_changed),
    "default": ("defaults", verdicts.default_changed),
}
"""The keywords that say one thing by themselves, each with its group in the report and its rule."""
_OF_USED = ("types", "enums", "formats")
"""What matters only where the wrapper sends or reads the field."""


@dataclass(frozen=True)
class At:
    """The field whose keywords are compared; the whole operation if it has no side."""

    side: Side | None = None
    name: str = ""
    key: Key = ()

    def inner(self, step: str) -> "At":
        """Return a field inside of it."""
        name = f"{self.name}[]" if step == "[]" else f"{self.name}.{step}" if self.key else step
        return At(self.side, name, (*self.key, step))


Rule: TypeAlias = Callable[[Pair, At], None]
"""Compares one member of two objects."""


def told_elsewhere(_pair: Pair, _at: At) -> None:
    """Leave a member to a rule of another place."""


@dataclass
class Walk:
    """The comparison of one operation, or of what the document says about itself."""

    operation: str
    covered: OperationCoverage | None
    documents: Pair
    security: str
    """What the clients send to authorise a request."""
    changes: list[Change] = field(default_factory=list)
    words: dict[str, Location] = field(default_factory=dict)
    """The kinds of words that differ, each with its first place."""

    def add(self, group: str, at: At, what: str, verdict: Verdict, place: Location) -> None:
        """Note a change."""
        about = printable(self.operation), at.side or "", printable(at.name)
        self.changes.append(Change(group, verdict.severity, *about, what, verdict.why, pointer(place)))

    def told(self) -> Iterator[Change]:
        """Yield the changes, with a line about words and examples."""
        yield from self.changes
        if self.words:
            what = f"{'also' if self.changes else 'only'} {' and '.join(sorted(self.words))} changed"
            why = "what is sent and read is the same; read them, they may say more than types do"
            place = pointer(next(iter(self.words.values())))
            yield Change("words", "harmless", printable(self.operation), "", "", what, why, place)

    def use(self, at: At) -> Use:
        """Return what our users have to do with a field."""
        return Use(self.covered, at.side or "request", at.key)

    def unexplained(self, pair: Pair, at: At) -> None:
        """Note a difference that no rule covers, unless it is in words and examples only."""
        if pair.is_only_words:
            self.words.setdefault("descriptions or examples", pair.place)
        else:
            self.add(UNEXPLAINED, at, _what(pair), LOOK, pair.place)

    def each(self, pair: Pair, at: At, rules: Mapping[str, Rule]) -> None:
        """Judge each keyword of two objects that differs, each rule once."""
        if not pair.are_objects:
            self.unexplained(pair, at)
            return
        differing = [key for key in pair.keys if not pair.at(key).is_same]
        for rule, key in {rules[key]: key for key in differing if key in rules}.items():
            rule(pair.at(key), at)
        for key in differing:
            inner = pair.at(key)
            if key in rules:
                continue
            if key in WORDS:
                self.words.setdefault("examples" if key.startswith("example") else "descriptions", inner.place)
                continue
            group, judge = _JUDGES.get(key, (UNEXPLAINED, None))
            use = self.use(at)
            verdict = judge(use, pair, key) if judge else None
            if verdict is None:
                self.unexplained(inner, at)
            else:
                unused = group in _OF_USED and not use.is_used
                self.add(group, at, _what(inner), verdicts.UNUSED if unused else verdict, inner.place)

    # fields

    def schema(self, pair: Pair, at: At) -> None:
        """Compare two schemas of one field, and all fields inside."""
        if pair.change == "gone" or not pair.are_objects or not pair.keys:
            self.unexplained(pair, at)
        elif pair.new.is_dangling and not pair.at("$ref").is_same:
            self._dangling(pair.new, at)
        else:
            properties = partial(self._properties, pair)  # one rule for two members
            self.each(pair, at, {"properties": properties, "required": properties, "items": self._items})

    def _dangling(self, node: Node, at: At) -> None:
        self.add("types", at, f"refers to {quoted(node.at('$ref').value)}", verdicts.DANGLING, node.place)

    def _items(self, items: Pair, at: At) -> None:
        self.schema(items, at.inner("[]"))

    def _properties(self, pair: Pair, _member: Pair, at: At) -> None:
        listed, needed = pair.at("properties"), pair.at("required")
        before, after = (_names(node) for node in (needed.old, needed.new))
        if not listed.are_objects or before is None or after is None:
            self.unexplained(needed if listed.are_objects else listed, at)
            return
        is_silent = listed.old.exists and not listed.new.exists
        if is_silent:  # which does not say that each of its fields is gone
            self.unexplained(listed, at)
        for name in sorted(after if is_silent else {*listed.keys, *before, *after}):
            inner, field_at, required = listed.at(name), at.inner(name), name in after
            was_there = inner.old.exists or name in before
            if not was_there:
                self.field_added(inner.new, field_at, required=required)
            elif not inner.new.exists and not required:
                self.field_removed(inner.old, field_at)
            elif required != (name in before):
                self.required(field_at, needed.place, required=required)
            if was_there and (inner.new.exists or required) and not inner.is_same:
                self.schema(inner, field_at)
        if sorted(before) == sorted(after) and before != after:
            self.words.setdefault(WRITTEN, needed.place)

    def field_added(self, node: Node, at: At, *, required: bool) -> None:
        """Note a field or a parameter that is new."""
        if node.is_dangling:
            self._dangling(node, at)
        kinds = kinds_of(node.value)
        kind = quoted(" or ".join(sorted(kinds)) or "anything")
        what = f"new: {kind}, {'required' if required else 'optional'}"
        verdict = verdicts.field_added(self.use(at), kinds, required=required)
        self.add(f"{at.side} fields", at, what, verdict, node.place)
        if node.at("default").exists and at.side == "request":
            self.each(Pair(Node({}), Node({"default": node.at("default").value}, node.place)), at, {})

    def field_removed(self, node: Node, at: At) -> None:
        """Note a field or a parameter that is gone."""
        self.add(f"{at.side} fields", at, "gone", verdicts.field_removed(self.use(at)), node.place)

    def required(self, at: At, place: Location, *, required: bool) -> None:
        """Note that a field became required, or optional."""
        verdict = verdicts.required_changed(self.use(at), required=required)
        self.add("required", at, "required now" if required else "optional now", verdict, place)


def _names(node: Node) -> list[str] | None:
    """Return the names that a list holds; None if it is no such list."""
    names = node.value if node.exists else []
    return [str(name) for name in names] if isinstance(names, list) and all(isinstance(n, str) for n in names) else None


def _what(pair: Pair) -> str:
    key = quoted(pair.place[-1]) if pair.place else "the document"
    if pair.change == "new":
        return f"{key} is new: {quoted(pair.new.value)}"
    return f"{key} is {'gone' if pair.change == 'gone' else quoted(pair.new.value)}; it was {quoted(pair.old.value)}"
