"""Compare two states of one operation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from codegen.drift.changes import Change, named, pointer, printable, quoted
from codegen.drift.coverage import Coverage
from codegen.drift.fields import OperationPart, by_shape, reply_fields, request_fields, shape_of, success_status
from codegen.drift.keywords import difference
from codegen.drift.media import media_changed, media_kinds
from codegen.drift.overlay_effects import Effects
from codegen.drift.rules import Side, Verdict, Wrapper
from codegen.drift.schemas import Field
from codegen.drift.sides import UNSEEN, SideComparison
from codegen.overlay.applier import equal
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location

SIDES: tuple[Side, ...] = ("request", "reply")
_READ = {"request": request_fields, "reply": reply_fields}
_COMPARED_ELSEWHERE = frozenset({"requestBody", "responses", "parameters", "security"})
_TEXTS = frozenset({"summary", "description", "externalDocs"})


@dataclass(frozen=True)
class State:
    """One state of the document, and what the overlay does to it."""

    document: JsonObject
    effects: Effects

    @cached_property
    def merged(self) -> dict[tuple[str, str], OperationPart]:
        """All operations as they are with the overlay, by method and shape of the path."""
        return by_shape(self.effects.merged)

    def known(self, operation: OperationPart, side: Side) -> dict[str, Field]:
        """Return all fields of one side of an operation as they are with the overlay; none if it knows it neither."""
        found = self.merged.get(shape_of(operation))
        return {} if found is None else _READ[side](self.effects.merged, found, Effects(self.effects.merged, ()))

    def media(self, operation: OperationPart, side: Side) -> frozenset[str]:
        """Return the kinds of bodies that one side of an operation may have, without the overlay."""
        return media_kinds(self.document, operation, side)

    def merged_media(self, operation: OperationPart, side: Side) -> frozenset[str]:
        """Return the kinds of bodies that one side of an operation may have, with the overlay."""
        found = self.merged.get(shape_of(operation))
        return frozenset() if found is None else media_kinds(self.effects.merged, found, side)

    def fields(self, operation: OperationPart, side: Side) -> dict[str, Field]:
        """Return all fields of one side of an operation."""
        return _READ[side](self.document, operation, self.effects)


@dataclass(frozen=True)
class Comparison:
    """Two states of one operation."""

    before: State
    after: State
    old: OperationPart
    new: OperationPart
    coverage: Coverage
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.new.name))

    def changes(self) -> Iterator[Change]:
        """Yield everything that changed.

        Raises:
            CodegenError: The schemas unfold into more fields than any operation has.
        """
        yield from self._operation()
        yield from self._bodies()
        covered = self.coverage.operation(self.new.method, self.new.path)
        for side in SIDES:
            old, new = self.before.fields(self.old, side), self.after.fields(self.new, side)
            if side == "reply" and _lost_example(old, new):
                why = "the fields that only it showed are as they were, for all we know"
                yield self._change(
                    "texts", "the example of the reply is gone", Verdict("harmless", why), self.new.location
                )
                old = {key: each for key, each in old.items() if not each.is_shown_only}
            wrapper = Wrapper(self.coverage, covered, side)
            known = self.before.known(self.old, side) if new.keys() - old.keys() else {}
            yield from SideComparison(wrapper, self.name, self.after.effects, new, known).changes(old)

    def _operation(self) -> Iterator[Change]:
        if self.old.path != self.new.path:
            why = "the generated function calls its argument otherwise; targets of the overlay have to follow"
            yield self._change(
                "operations", f"its path was {quoted(self.old.path)}", Verdict("wrapper", why), self.new.location
            )
        for key in sorted((self.old.said.keys() | self.new.said.keys()) - _COMPARED_ELSEWHERE):
            was, now = self.old.said.get(key), self.new.said.get(key)
            if not equal(was, now):
                group = "texts" if key in _TEXTS or key.startswith("x-") else "operations"
                said = difference(had=key in self.old.said, has=key in self.new.said, was=was, now=now)
                what = f"{named(key)} {said}"
                yield self._change(group, what, _operation_keyword(key, now), (*self.new.location, key))

    def _bodies(self) -> Iterator[Change]:
        """Compare kinds of bodies and statuses of replies."""
        for side in SIDES:
            old, new = self.before.media(self.old, side), self.after.media(self.new, side)
            if old and new and old != new:
                verdict = media_changed(side, old, new, self.after.merged_media(self.new, side))
                what = f"the body of the {side} may be {_listed(new)}; it was {_listed(old)}"
                yield self._change("operations", what, verdict, self.new.location)
        was, now = (_dict(operation.said.get("responses")) for operation in (self.old, self.new))
        place = (*self.new.location, "responses")
        for status in sorted(was.keys() ^ now.keys()):
            what = f"the reply {quoted(status)} is {'new' if status in now else 'gone'}"
            yield self._change("reply fields", what, Verdict("harmless", _STATUSES), (*place, status))
        for status in sorted(was.keys() & now.keys()):
            if status not in {success_status(self.old), success_status(self.new)} and not equal(
                was[status], now[status]
            ):
                what = f"the reply {quoted(status)} is described otherwise"
                yield self._change("reply fields", what, Verdict("harmless", _STATUSES), (*place, status))

    def _change(self, group: str, what: str, verdict: Verdict, place: Location) -> Change:
        overlay = self.after.effects.dealing_with(place)
        verdict = UNSEEN if overlay else verdict
        return Change(
            *(group, verdict.severity, self.name, "", "", what, verdict.why), overlay=overlay, place=pointer(place)
        )


_STATUSES = "the wrapper takes every 2xx for success, and reads whatever an error says"


def _operation_keyword(key: str, now: JsonValue) -> Verdict:
    if key in _TEXTS or key.startswith("x-"):
        return Verdict("harmless", "read it: it may say more than types do")
    if key == "operationId":
        return Verdict(
            "wrapper",
            "the generated module is called after it: let an action of the overlay name it, or import the new one",
        )
    if key == "tags":
        return Verdict(
            "wrapper", "the generated module lies in a folder called after the first tag: the imports have to follow"
        )
    if key == "deprecated":
        verdict = "plan to do without it, and tell those who use it" if now else "it is here to stay"
        return Verdict("wrapper" if now else "harmless", verdict)
    if key == "servers":
        return Verdict("breaking", "the wrapper calls all operations at one address")
    return Verdict("wrapper", "what this means for the client cannot be told by rule: look at it")


def _lost_example(old: dict[str, Field], new: dict[str, Field]) -> bool:
    shown = [each.is_shown_only and each.key not in new for each in old.values()]
    return any(shown) and not any(each.is_shown_only for each in new.values()) and not any("." in key for key in new)


def _listed(kinds: frozenset[str]) -> str:
    return ", ".join(map(quoted, sorted(kinds)))


def _dict(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
