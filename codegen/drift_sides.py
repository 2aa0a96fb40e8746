"""Compare the fields of one side of an operation: those of its request, or those of its reply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from codegen.drift_changes import Change, pointer, printable, quoted
from codegen.drift_keywords import default_is_new, keyword_changes
from codegen.drift_overlay import Effects
from codegen.drift_rules import (
    Verdict,
    Wrapper,
    describe_type,
    field_added,
    field_removed,
    required_changed,
    type_changed,
)
from codegen.drift_schemas import Field
from codegen.references import Location

UNSEEN = Verdict("harmless", "the client does not see it")
"""What an action of the overlay removes or sets comes to no client."""

_GROUPS = {"request": "request fields", "reply": "reply fields"}


@dataclass(frozen=True)
class SideComparison:
    """Compares two states of one side of an operation."""

    wrapper: Wrapper
    operation: str
    effects: Effects
    """Those of the overlay on the new document."""

    def changes(self, old: Mapping[str, Field], new: Mapping[str, Field]) -> Iterator[Change]:
        """Yield what changed between two states of the fields."""
        for key in sorted(new.keys() - old.keys()):
            if not self._is_said_by_what_is_around(key, old, new):
                yield from self.added(new[key])
        for key in sorted(old.keys() - new.keys()):
            if not self._is_said_by_what_is_around(key, new, old):
                yield self._removed(old[key])
        for key in sorted(old.keys() & new.keys()):
            yield from self._pair(old[key], new[key])

    def added(self, field: Field) -> Iterator[Change]:
        """Yield that a field is new, and what keeps the generator from taking it."""
        necessity = "required" if field.required else "shown by the example" if field.is_shown_only else "optional"
        verdict = field_added(self.wrapper, field)
        what = f"new: {describe_type(field)}, {necessity}"
        yield self._change(_GROUPS[self.wrapper.side], field, what, verdict)
        yield from self.obstacles(field)

    def obstacles(self, field: Field) -> Iterator[Change]:
        """Yield what of a new field nothing can be generated from."""
        if field.dangling:
            yield self._change("types", field, describe_type(field), type_changed(self.wrapper, field, field))
        if "default" in field.keywords:
            place = field.places["default"]
            what = f"default is new: {quoted(field.keywords['default'])}"
            overlay = self.effects.dealing_with(place)
            yield self._change("defaults", field, what, default_is_new(), overlay, place)

    def _removed(self, field: Field) -> Change:
        what = f"gone: it was {describe_type(field)}"
        change = self._change(_GROUPS[self.wrapper.side], field, what, field_removed(self.wrapper, field))
        added = self.effects.definition(field.location)
        return change if added is None else replace(change, severity="harmless", why=UNSEEN.why, overlay=added[1])

    def _pair(self, old: Field, new: Field) -> Iterator[Change]:
        if old.name != new.name:
            why = "the wrapper gives it by position; targets of the overlay have to follow"
            yield self._change("operations", new, f"its name was {quoted(old.name)}", Verdict("wrapper", why))
        was, now = describe_type(old), describe_type(new)
        # an example that shows null says nothing of the type
        silent = (old.is_shown_only or new.is_shown_only) and not (old.kinds and new.kinds)
        if not silent and (was != now or old.dangling != new.dangling):
            yield self._change("types", new, f"{now}; it was {was}", type_changed(self.wrapper, old, new), new.overlay)
        if old.required != new.required and not old.is_shown_only and not new.is_shown_only:
            what = "required now" if new.required else "optional now"
            place = new.required_place
            overlay = self.effects.dealing_with(place)
            yield self._change("required", new, what, required_changed(self.wrapper, new), overlay, place)
        for change in keyword_changes(self.wrapper.side, old, new):
            place = new.places.get(change.keyword) or old.places[change.keyword]
            verdict = change.verdict
            if verdict.severity == "breaking" and self._is_unused(new):
                verdict = Verdict("harmless", "no public argument sends it")
            yield self._change(change.group, new, change.what, verdict, self.effects.dealing_with(place), place)

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
        """Tell whether a field came or went with what is around it, or counts only as a part of it."""
        if key == "(body)":
            return any(not other.startswith("(") for other in gone)
        parents = [key[:index] for index, character in enumerate(key) if character in ".[" and index]
        if not parents:
            return False
        around = there.get(parents[-1])
        if key.endswith("[]") and around is not None and "array" not in around.kinds:
            return True
        holders = [self.wrapper.covered(parent) for parent in parents]
        lost = any(
            parent not in there and (holder is None or not holder.holder)
            for parent, holder in zip(parents, holders, strict=True)
        )
        return lost or (holders[-1] is not None and holders[-1] is self.wrapper.covered(key))

    def _is_unused(self, field: Field) -> bool:
        """Tell whether a method of the wrapper calls the operation, but never sends this field."""
        wrapper = self.wrapper
        if wrapper.operation is None or wrapper.side == "reply" or field.required or field.key == "(body)":
            return False
        covered = wrapper.covered(field.key)
        return covered is None or bool(covered.reason)
