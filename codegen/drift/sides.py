"""Compare the fields of one side of an operation: those of its request, or those of its reply."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from codegen.drift.changes import Change, pointer, printable, quoted
from codegen.drift.conditions import condition_changed
from codegen.drift.formats import format_changed
from codegen.drift.keywords import default_is_new, keyword_changes
from codegen.drift.overlay_effects import Effects
from codegen.drift.parts import as_dict, as_list, only_required
from codegen.drift.rules import Verdict, Wrapper, field_added, field_removed, part_added, required_changed
from codegen.drift.schemas import BRANCHES, STRUCTURE, Field
from codegen.drift.types import describe_type, type_arrived, type_changed
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location

UNSEEN = Verdict("harmless", "the client does not see it")
"""What an action of the overlay removes or sets comes to no client."""

_GROUPS = {"request": "request fields", "reply": "reply fields"}


class _Found(NamedTuple):
    """One difference between two states of a field, not yet judged for the overlay."""

    group: str
    what: str
    verdict: Verdict
    keyword: str = ""
    place: Location = ()
    overlay: str = ""


@dataclass(frozen=True)
class SideComparison:
    """Compares two states of one side of an operation."""

    wrapper: Wrapper
    operation: str
    effects: Effects
    """Those of the overlay on the new document."""
    fields: Mapping[str, Field]
    """All fields as they are."""
    known: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    """All fields as they were with the overlay, which may have known some before the document did."""

    def changes(self, old: Mapping[str, Field]) -> Iterator[Change]:
        """Yield what changed since the fields were others."""
        # what was described and is only named now is gone; what was only named and is described now is new
        new = {key: each for key, each in self.fields.items() if not each.is_named_only or key not in old}
        old = {key: each for key, each in old.items() if not each.is_named_only or key not in self.fields}
        for key in sorted(new.keys() - old.keys()):
            if not self._is_said_by_what_is_around(key, old, new):
                yield from self._part_added(new[key]) if self.wrapper.is_part(key) else self.added(new[key])
        for key in sorted(old.keys() - new.keys()):
            if old[key].is_named_only:
                yield self._changed(old[key], self._required(replace(old[key], required=False)))
            elif old[key].is_shown_only and key in self.fields:
                yield self._changed(self.fields[key], self._required(self.fields[key]))
            elif not self._is_said_by_what_is_around(key, new, old):
                yield self._removed(old[key])
        for key in sorted(old.keys() & new.keys()):
            yield from self._pair(old[key], new[key])

    def arrived(self, *, is_called: bool) -> Iterator[Change]:
        """Yield what is to be known about an operation that is new as a whole, and that a method may call already."""
        for field in self.fields.values():
            if not is_called:
                yield from self.obstacles(field)
            elif field.key == "(body)":
                yield from (*self.obstacles(field), *self.misfits(field))
            else:
                yield from self._part_added(field) if self.wrapper.is_part(field.key) else self.added(field)
        for key in self.known.keys() - self.fields.keys() if is_called else ():
            yield self._removed(self.known[key])

    def added(self, field: Field) -> Iterator[Change]:
        """Yield that a field is new, what keeps the generator from taking it, and what does not fit the wrapper."""
        necessity = "required" if field.required else "shown by the example" if field.is_shown_only else "optional"
        verdict = field_added(self.wrapper, field)
        what = f"new: {describe_type(field)}, {necessity}"
        yield self._change(_GROUPS[self.wrapper.side], field, what, verdict)
        yield from self.obstacles(field)
        yield from self.misfits(field)

    def obstacles(self, field: Field) -> Iterator[Change]:
        """Yield what of a new field nothing can be generated from."""
        if field.dangling:
            yield self._change("types", field, describe_type(field), type_changed(self.wrapper, field, field))
        if "default" in field.keywords:
            place = field.places["default"]
            what = f"default is new: {quoted(field.keywords['default'])}"
            overlay = self.effects.dealing_with(place)
            yield self._change("defaults", field, what, default_is_new(), overlay, place)

    def misfits(self, field: Field) -> Iterator[Change]:
        """Yield what of a new field does not fit what the wrapper does with it already.

        The measure is what the overlay said of the field before the document did; where it said nothing, anything went.
        """
        covered = self.wrapper.covered(field.key)
        if field.key != "(body)" and (covered is None or (covered.reason and self.wrapper.side == "request")):
            return
        known = self.known.get(field.key)
        before = known or replace(field, kinds=frozenset(), keywords={}, alternatives={}, required=False)
        found = [each for each in self._keywords(before, field) if each.keyword not in {"default", "title"}]
        verdict = type_arrived(self.wrapper, field) if known is None else type_changed(self.wrapper, known, field)
        if verdict is not None and not field.dangling:
            found.append(_Found("types", describe_type(field), verdict, overlay=field.overlay))
        if self.wrapper.side == "reply" and field.required and not before.required and field.key != "(body)":
            found.append(self._required(field))
        for each in found:
            if each.verdict.severity != "harmless":
                yield self._changed(field, each)

    def _part_added(self, field: Field) -> Iterator[Change]:
        around = self.fields.get(_around(field.key))
        verdict = part_added(self.wrapper, field)
        if verdict.severity == "breaking" and around is not None and around.kinds and "object" not in around.kinds:
            verdict = Verdict("wrapper", f"{describe_type(around)} has no fields of its own: look at what is meant")
        what = f"new: {describe_type(field)}, {'required' if field.required else 'optional'}"
        group = "required" if field.required else _GROUPS[self.wrapper.side]
        overlay = self.effects.dealing_with(field.required_place) if field.required else ""
        yield self._change(group, field, what, verdict, overlay)
        yield from self.obstacles(field)

    def _removed(self, field: Field) -> Change:
        what = f"gone: it was {describe_type(field)}"
        around, verdict = self.fields.get(_around(field.key)), field_removed(self.wrapper, field)
        is_closed = around is not None and around.keywords.get("additionalProperties") is False
        if is_closed and self.wrapper.side == "request" and self.wrapper.is_part(field.key):
            verdict = Verdict("breaking", "callers may write it, and what is not listed is refused")
        change = self._change(_GROUPS[self.wrapper.side], field, what, verdict)
        added = self.effects.definition(field.location)
        return change if added is None else replace(change, severity="harmless", why=UNSEEN.why, overlay=added[1])

    def _pair(self, old: Field, new: Field) -> Iterator[Change]:
        if old.name != new.name:
            why = "the wrapper gives it by position; targets of the overlay have to follow"
            yield self._change("operations", new, f"its name was {quoted(old.name)}", Verdict("wrapper", why))
        was, now = describe_type(old), describe_type(new)
        is_same = was == now and equal(old.keywords.get("format"), new.keywords.get("format"))
        # an example that shows null says nothing of the type
        silent = (old.is_shown_only or new.is_shown_only) and not (old.kinds and new.kinds)
        if not silent and (not is_same or old.dangling != new.dangling):
            yield self._change("types", new, f"{now}; it was {was}", type_changed(self.wrapper, old, new), new.overlay)
        if old.required != new.required and not old.is_shown_only and not new.is_shown_only:
            yield self._changed(new, self._required(new))
        for each in self._keywords(old, new):
            is_unused = each.verdict.severity == "breaking" and self._is_unused(new)
            unused = each._replace(verdict=Verdict("harmless", "no public argument sends it"))
            yield self._changed(new, unused if is_unused else each)

    def _required(self, field: Field) -> _Found:
        place = field.required_place
        verdict = required_changed(self.wrapper, field)
        what = "required now" if field.required else "optional now"
        return _Found("required", what, verdict, "required", place, self.effects.dealing_with(place))

    def _keywords(self, old: Field, new: Field) -> Iterator[_Found]:
        """Yield what is said otherwise about a field, also by those of several schemas that are the same two."""
        for change in keyword_changes(self.wrapper.side, old, new):
            was, now = old.keywords.get(change.keyword), new.keywords.get(change.keyword)
            if change.keyword in BRANCHES and _is_said_by_their_keywords(was, now):
                continue
            place = new.places.get(change.keyword) or old.places[change.keyword]
            verdict = condition_changed(self.wrapper, self.fields, new, change.keyword, was) or change.verdict
            overlay = self.effects.dealing_with(place)
            yield _Found(change.group, change.what, verdict, change.keyword, place, overlay)
        for label in sorted(old.alternatives.keys() & new.alternatives.keys()):
            yield from self._alternative(label, old, new)

    def _alternative(self, label: str, old: Field, new: Field) -> Iterator[_Found]:
        was, now = (
            replace(each, keywords=each.alternatives[label].keywords, places=each.alternatives[label].places)
            for each in (old, new)
        )
        where = f" (of the alternative {quoted(label.strip())})"
        for change in keyword_changes(self.wrapper.side, was, now):
            place = now.places.get(change.keyword) or was.places[change.keyword]
            overlay = self.effects.dealing_with(place)
            yield _Found(change.group, change.what + where, change.verdict, change.keyword, place, overlay)
        verdict = format_changed(self.wrapper.side, self.wrapper.covered(new.key), was, now)
        if verdict is not None:
            yield _Found("types", f"{describe_type(now)}{where}; it was {describe_type(was)}", verdict)

    def _changed(self, field: Field, found: _Found) -> Change:
        return self._change(found.group, field, found.what, found.verdict, found.overlay, found.place)

    def _change(
        self, group: str, field: Field, what: str, verdict: Verdict, overlay: str = "", place: Location = ()
    ) -> Change:
        overlay = overlay or self.effects.dealing_with(field.location)
        if overlay and not field.dangling and verdict.severity != "harmless":
            verdict = UNSEEN
        return Change(
            *(group, verdict.severity, self.operation, self.wrapper.side, printable(field.name), what, verdict.why),
            wrapper=self.wrapper.place(field.key),
            overlay=overlay,
            place=pointer(place or field.location),
        )

    def _is_said_by_what_is_around(self, key: str, there: Mapping[str, Field], gone: Mapping[str, Field]) -> bool:
        """Tell whether a field came or went with what is around it."""
        if key == "(body)":
            return any(not other.startswith("(") for other in gone)
        parents = [key[:index] for index, character in enumerate(key) if character in ".[" and index]
        if not parents:
            return False
        around = there.get(parents[-1])
        if key.endswith("[]") and around is not None and "array" not in around.kinds:
            return True
        holders = [self.wrapper.covered(parent) for parent in parents]
        return any(
            parent not in there and (holder is None or not holder.holder)
            for parent, holder in zip(parents, holders, strict=True)
        )

    def _is_unused(self, field: Field) -> bool:
        """Tell whether a method of the wrapper calls the operation, but never sends this field."""
        wrapper = self.wrapper
        if wrapper.operation is None or wrapper.side == "reply" or field.required or field.key == "(body)":
            return False
        covered = wrapper.covered(field.key)
        return covered is None or bool(covered.reason)


def _around(key: str) -> str:
    """Return the key of what holds a field."""
    return max(key.rpartition(".")[0], key.rpartition("[")[0], key=len)


def _is_said_by_their_keywords(was: JsonValue, now: JsonValue) -> bool:
    """Tell whether two lists of alternatives differ only in what is compared keyword by keyword."""
    if only_required(was) or only_required(now):
        return False
    old, new = ([_structure(branch) for branch in as_list(each)] for each in (was, now))
    return bool(old) and equal(old, new)


def _structure(branch: JsonValue) -> JsonValue:
    kept: JsonObject = {key: value for key, value in as_dict(branch).items() if key in STRUCTURE}
    return kept if isinstance(branch, dict) else branch
