"""What a change of one field means for our users: plain rules, and a look where none decides.

A method of the wrapper sends what `codegen/wrapper_coverage.yaml` says, and reads replies by itself, so that no
description of a reply can break it. An operation without a method is called with `client.call(...)`, whose callers
give each field of the request and read each field of the reply themselves.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from codegen.drift.changes import Severity
from codegen.drift.coverage import COVERAGE, KINDS, Covered, Key, OperationCoverage
from codegen.drift.fields import Node, Pair, kinds_of
from codegen.read.units import canonical

Side: TypeAlias = Literal["request", "reply"]


class Verdict(NamedTuple):
    """How a change is to be taken, and why."""

    severity: Severity
    why: str


SAME = Verdict("harmless", "what is sent and read is the same")
UNUSED = Verdict("harmless", "the wrapper does not use it")
LOOK = Verdict("wrapper", "look at it; calling the wrapper through the regenerated client decides")
ELSEWHERE = Verdict("harmless", "described in another place: what differs there is listed by itself")
DANGLING = Verdict("wrapper", "it is not there: let an action of the overlay define it, or import with --stub-missing")
_CALLERS = "callers of client.call(...)"


@dataclass(frozen=True)
class Use:
    """What our users have to do with one field: by a method of the wrapper, or by themselves."""

    operation: OperationCoverage | None
    """None: no method calls it."""
    side: Side
    key: Key

    @property
    def entry(self) -> Covered | None:
        """What the contract says of the field."""
        known = self._known
        if self.key:
            return known.get(self.key)
        is_used = any(not key[0].startswith("(") for key in known)
        return Covered(always=True, kinds=frozenset({"object"})) if is_used else None

    @property
    def whole(self) -> Covered | None:
        """What the contract says of a field around it that callers write or read as a whole, such as metadata."""
        around = (self._known.get(self.key[:length]) for length in range(len(self.key) - 1, 0, -1))
        return next((each for each in around if each is not None and each.names), None)

    @property
    def is_used(self) -> bool:
        """Whether somebody sends it or reads it."""
        return self.operation is None or self.entry is not None or self.whole is not None

    @property
    def _known(self) -> dict[Key, Covered]:
        operation = self.operation
        return {} if operation is None else dict(operation.request if self.side == "request" else operation.reply)

    def named(self) -> str:
        """Name the arguments or the attribute."""
        covered = self.entry or self.whole or Covered()
        if self.side == "reply" or self.operation is None:
            return covered.names[0] if covered.names else "the wrapper"
        given = ", ".join(f"{name}=" for name in covered.names)
        return f"{self.operation.method}({given})" if given else self.operation.method


def field_added(use: Use, kinds: Set[str], *, required: bool) -> Verdict:
    """Judge a field that is new."""
    entry = use.entry
    if entry is not None and (mismatch := kinds_changed(use, frozenset(), kinds)).severity != "harmless":
        return mismatch
    if use.side == "reply":
        shown = f"{use.named()} shows it" if entry and entry.names else "Reply.data holds it as it comes"
        return Verdict("harmless", shown)
    if required:
        return required_changed(use, required=True)
    if use.operation is None:
        return Verdict("harmless", f"optional: {_CALLERS} may give it")
    return Verdict("harmless", f"{use.named()} sends it" if entry else "optional, and the wrapper does not send it")


def field_removed(use: Use) -> Verdict:
    """Judge a field that is no longer there."""
    entry, is_reply = use.entry, use.side == "reply"
    if use.operation is None:
        return Verdict("breaking", f"{_CALLERS} who {'read' if is_reply else 'give'} it lose it")
    if entry is None:
        return Verdict("harmless", "a part of what callers write as a whole") if use.whole else UNUSED
    if not is_reply:
        return Verdict("breaking", f"{use.named()} would send what the service no longer knows")
    lost = f"{use.named()} becomes None for everybody who reads it"
    return Verdict("breaking", "without it no reply can be read" if entry.always else lost)


def required_changed(use: Use, *, required: bool) -> Verdict:
    """Judge a field that became required, or optional."""
    entry = use.entry
    if use.side == "reply":
        if required or (use.operation is not None and not (entry and entry.always)):
            return Verdict("harmless", "the wrapper reads replies with it and without it")
        return Verdict("wrapper", "a reply without it could not be read" if entry else f"{_CALLERS} may miss it")
    if not required:
        return Verdict("harmless", "requests with it are as good as before")
    if use.operation is None:
        return Verdict("breaking", f"{_CALLERS} have to give it: requests without it may be refused")
    if entry is not None and entry.always:
        return Verdict("harmless", f"{use.operation.method} sends it in every request")
    if entry is not None or use.whole is not None:
        return Verdict("breaking", f"{use.named()} may leave it out: requests without it may be refused")
    if len(use.key) > 1 and not use.key[0].startswith("("):
        return Verdict("harmless", "the wrapper does not send what holds it")
    todo = f"send it by an argument, and name that in {COVERAGE}"
    return Verdict("breaking", f"no argument of {use.operation.method} sends it: {todo}")


def kinds_changed(use: Use, was: Set[str], now: Set[str]) -> Verdict:
    """Judge other JSON types; an empty set allows all."""
    entry = use.entry
    if use.side == "reply":
        return _kinds_read(use, entry, now)
    if use.operation is None or entry is None:
        if not now or (was and _all_in(was, now)):
            return Verdict("harmless", "what was good is good now")
        return Verdict("wrapper" if use.operation else "breaking", "callers write it: what was good may be refused now")
    if _all_in(entry.kinds, now):
        return Verdict("harmless", f"{use.named()} sends {_listed(entry.kinds)}")
    option = next((option for kind, option in entry.kinds_by_option.items() if _all_in({kind}, now)), "")
    otherwise = f"; only clients with {option} send what is asked for" if option else ""
    return Verdict("breaking", f"{use.named()} sends {_listed(entry.kinds)}{otherwise}")


def _kinds_read(use: Use, entry: Covered | None, now: Set[str]) -> Verdict:
    if use.operation is None:
        return Verdict("wrapper", f"{_CALLERS} read it as it comes: look whether they can")
    if entry is None or not now or _all_in(now, entry.kinds):
        return Verdict("harmless", f"the wrapper reads {_listed(entry.kinds)}" if entry else UNUSED.why)
    if entry.always and not any(_all_in({kind}, entry.kinds) for kind in now):
        return Verdict("breaking", f"no reply can be read without it, and the wrapper reads {_listed(entry.kinds)}")
    return Verdict("wrapper", f"the wrapper reads {_listed(entry.kinds)}: otherwise {use.named()} is without it")


def _all_in(kinds: Set[str], allowed: Set[str]) -> bool:
    return not allowed or all(kind in allowed or (kind == "integer" and "number" in allowed) for kind in kinds)


def _listed(kinds: Set[str]) -> str:
    return ", ".join(sorted(kinds))


def type_changed(use: Use, pair: Pair, _key: str) -> Verdict | None:
    """Judge other JSON types that schemas name; None if no JSON Schema has such types."""
    was, now = kinds_of(pair.old.value), kinds_of(pair.new.value)
    if not (was | now) <= KINDS:
        return None
    return SAME if was == now else kinds_changed(use, was, now)


def enum_changed(use: Use, pair: Pair, key: str) -> Verdict:
    """Judge another list of values, or another only value."""
    was, now = (_values(node.at(key)) for node in (pair.old, pair.new))
    if use.side == "reply":
        return Verdict("harmless", "every value of a reply is passed on")
    if now is None or (was is not None and all(value in now for value in was)):
        return Verdict("harmless", "every value that was good is good now")
    return Verdict("breaking", "what is not listed may be refused")


def _values(node: Node) -> list[str] | None:
    listed = node.value if isinstance(node.value, list) else [node.value]
    return [canonical(value) for value in listed] if node.exists else None


def format_changed(use: Use, pair: Pair, _key: str) -> Verdict:
    """Judge another `format`."""
    now = pair.new.at("format").value
    if use.side == "reply":
        return Verdict("harmless", "a reply is read as it comes")
    entry = use.entry or Covered()
    if now is None or (now == "int64" and use.entry) or (now == "json" and "object" in entry.kinds_by_option):
        return SAME
    return Verdict("wrapper", f"what is sent may have to look otherwise: {LOOK.why}")


def default_changed(use: Use, pair: Pair, _key: str) -> Verdict:
    """Judge another `default` that no action of the overlay removes."""
    if use.side == "reply" or not pair.new.at("default").exists:
        return Verdict("harmless", "nothing is sent because of it")
    return Verdict("wrapper", "generated code sends it by itself: if it is a sample, let an action remove it")


def name_changed(use: Use, _pair: Pair, key: str) -> Verdict:
    """Judge another operationId, tag or title: generated modules and classes are called after them."""
    if use.operation is None and key != "title":
        return Verdict("breaking", f"the generated module is called after it, and {_CALLERS} import that")
    if use.side == "reply":
        return Verdict("harmless", "the class that Reply.parse() makes is called after it")
    return Verdict("wrapper", f"generated code is called after it: {LOOK.why}")
