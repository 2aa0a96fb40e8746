"""What a difference means for our users: plain rules, and a look where none decides.

A method of the wrapper sends what `codegen/wrapper_coverage.yaml` says, and reads replies by itself, so that no
description of a reply can break it. An operation without a method is called with `client.call(...)`, whose callers
give each field of the request and read each field of the reply themselves.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from codegen.drift import facts
from codegen.drift.changes import Severity
from codegen.drift.coverage import COVERAGE, KINDS, Covered, OperationCoverage
from codegen.drift.facts import At, Fact, Facts, Where
from codegen.drift.nodes import without_words
from codegen.overlay.applier import equal
from codegen.read.documents import JsonValue
from codegen.read.units import canonical

Use: TypeAlias = Literal["callers", "always", "sometimes", "whole", "inside", "nobody"]
"""Who sends or reads a field: callers of client.call(...), a method of the wrapper always or sometimes, callers of it
as part of a whole such as metadata; or nobody, because nothing is sent that could hold it, or nothing is."""


class Verdict(NamedTuple):
    """How a difference is to be taken, and why."""

    severity: Severity
    why: str


LOOK = Verdict("wrapper", "look at it; calling the wrapper through the regenerated client decides")
_UNUSED = Verdict("harmless", "the wrapper does not use it")
_FIELDS: dict[tuple[str, str], tuple[Severity, Set[Use], str]] = {
    ("request", "gone"): (
        "breaking",
        {"callers", "always", "sometimes"},
        "would send what the service no longer knows",
    ),
    ("request", "required"): (
        "breaking",
        {"callers", "sometimes", "whole", "nobody"},
        f"may not send it, and requests without it may be refused; {COVERAGE} names what sends a field",
    ),
    ("reply", "gone"): ("breaking", {"callers", "always", "sometimes"}, "can no longer be read, or becomes None"),
    ("reply", "optional"): ("wrapper", {"callers", "always"}, "may miss it: a reply without it may not be readable"),
}
"""For whom it matters that a field is gone, or became required or optional; for all others it is harmless."""


@dataclass(frozen=True)
class Difference:
    """One fact that two states of the document do not have in common."""

    where: Where
    was: Fact | None
    now: Fact | None
    before: Facts
    after: Facts
    """All facts of the two states."""
    operation: OperationCoverage | None
    """What the wrapper does with the operation; None: no method calls it."""
    security: str
    """What the clients send to authorise a request."""

    @property
    def at(self) -> At:
        """The field that it is about."""
        return (self.now or self.was or Fact(None, (), At())).at

    @property
    def values(self) -> tuple[JsonValue, JsonValue]:
        """What was said, and what is said now."""
        return self.was and self.was.value, self.now and self.now.value

    @property
    def is_reply(self) -> bool:
        """Whether it is about what the service sends."""
        return self.at.side == "reply"

    @property
    def is_only_words(self) -> bool:
        """Whether both say the same but for words and examples."""
        return bool(self.was and self.now) and equal(*map(without_words, self.values))

    def use(self) -> tuple[Use, Covered]:
        """Return who uses the field, and what the contract says of it."""
        if self.operation is None:
            return "callers", Covered()
        known, key = self.operation.reply if self.is_reply else self.operation.request, self.at.key
        if not key:
            is_used = any(not each[0].startswith("(") for each in known)
            return ("always", Covered(kinds=frozenset({"object"}))) if is_used else ("nobody", Covered())
        if key in known:
            return "always" if known[key].always else "sometimes", known[key]
        around = (known.get(key[:length], Covered()).names for length in range(len(key) - 1, 0, -1))
        if names := next(filter(None, around), ()):
            return "whole", Covered(names)
        return "inside" if len(key) > 1 and not key[0].startswith("(") else "nobody", Covered()

    @property
    def is_used(self) -> bool:
        """Whether somebody sends it or reads it."""
        return self.use()[0] not in {"inside", "nobody"}

    def named(self) -> str:
        """Name the arguments or the attribute."""
        names = self.use()[1].names
        if self.operation is None:
            return "callers of client.call(...)"
        if self.is_reply:
            return names[0] if names else "the wrapper"
        return f"{self.operation.method}({', '.join(f'{name}=' for name in names)})"

    def kinds(self) -> set[str]:
        """Return the JSON types that the field may have now; none if that is left open."""
        return _kinds(self.after.get(((*self.where, "schema"), "type")))


def _kinds(said: Fact | None) -> set[str]:
    return set(str(said.value).split(" or ")) if said and said.value else set()


def _field(found: Difference) -> Verdict:
    """Judge a field, a parameter or the body that is new or gone, or that became required or optional."""
    use, entry = found.use()
    if found.was is None and entry.kinds and (told := _types(found, set(), found.kinds())).severity != "harmless":
        return told
    event = "gone" if found.now is None else "required" if found.now.value else "new" if not found.was else "optional"
    severity, users, why = _FIELDS.get((found.at.side, event), ("harmless", set[Use](), ""))
    return Verdict(severity, f"{found.named()} {why}") if use in users else Verdict("harmless", "nothing depends on it")


def _type(found: Difference) -> Verdict | None:
    was, now = _kinds(found.was), _kinds(found.now)
    if not was | now <= KINDS:
        return None
    return _types(found, was, now) if found.is_used else _UNUSED


def _types(found: Difference, was: Set[str], now: Set[str]) -> Verdict:
    """Judge other JSON types; an empty set allows all."""
    use, entry = found.use()
    does = f"{found.named()} {'reads' if found.is_reply else 'sends'} {', '.join(sorted(entry.kinds)) or 'any'}"
    if found.is_reply and use != "callers":
        if not entry.kinds or _all_in(now, entry.kinds):
            return Verdict("harmless", does)
        is_lost = use == "always" and not any(_all_in({kind}, entry.kinds) for kind in now)
        return Verdict("breaking" if is_lost else "wrapper", does)
    sent = entry.kinds or was
    if not found.is_reply and (not now or (sent and _all_in(sent, now))):
        return Verdict("harmless", "what was good is good now")
    option = next((option for kind, option in entry.kinds_by_option.items() if _all_in({kind}, now)), "")
    otherwise = f"; only clients with {option} send what is asked for" if option else ""
    return Verdict("wrapper" if found.is_reply or use == "whole" else "breaking", does + otherwise)


def _all_in(kinds: Set[str], allowed: Set[str]) -> bool:
    return not allowed or all(kind in allowed or (kind == "integer" and "number" in allowed) for kind in kinds)


def _values(found: Difference) -> Verdict:
    """Judge another list of values, or another only value."""
    was, now = ({canonical(each) for each in (value if isinstance(value, list) else [value])} for value in found.values)
    if found.is_reply or not found.is_used or not found.now or (found.was and was <= now):
        return Verdict("harmless", "what was good is good now, and every value of a reply is passed on")
    return Verdict("breaking", "what is not listed may be refused")


def _format(found: Difference) -> Verdict:
    now, (_, entry) = found.values[1], found.use()
    is_known = (now == "int64" and entry.kinds) or (now == "json" and "object" in entry.kinds_by_option)
    if found.is_reply or not found.is_used or now is None or is_known:
        return Verdict("harmless", "what is sent and read is the same")
    return Verdict("wrapper", f"what is sent may have to look otherwise: {LOOK.why}")


def _default(found: Difference) -> Verdict:
    if found.is_reply or found.now is None:
        return Verdict("harmless", "nothing is sent because of it")
    return Verdict("wrapper", "generated code sends it by itself: if it is a sample, let an action remove it")


def _name(found: Difference) -> Verdict:
    """Judge another operationId, tag, title or name of a parameter."""
    if found.is_reply or found.at.key[:1] == ("(header)",):
        return Verdict("harmless", "names of headers have no case, and those of replies matter to Reply.parse() only")
    is_title = found.where[-1:] == ("schema",)
    severity: Severity = "wrapper" if found.operation or is_title else "breaking"
    return Verdict(severity, f"generated code is called after it: {LOOK.why}")


def _dangling(found: Difference) -> Verdict:
    if found.now is None:
        return Verdict("harmless", "it is defined now")
    return Verdict("wrapper", "it is not there: let an action of the overlay define it, or import with --stub-missing")


def _media_type(found: Difference) -> Verdict:
    def has_json(known: Facts) -> bool:
        kinds = {where[-1] for where, keyword in known if keyword == facts.MEDIA and where[:-1] == found.where[:-1]}
        return any(kind == "application/json" or (found.is_reply and kind.endswith("+json")) for kind in kinds)

    severity: Severity = "breaking" if has_json(found.before) and not has_json(found.after) else "harmless"
    return Verdict(severity, "JSON is what the clients send and read, and nothing else")


def _status(found: Difference) -> Verdict:
    is_left = any(where[-1].startswith("success") for where, keyword in found.after if keyword == facts.STATUS)
    if is_left or not found.where[-1].startswith("success"):
        return Verdict("harmless", "every 2xx is read as a success, and every other status raises its error")
    return Verdict("wrapper", "look at it: no reply is described as a success")


def _security(found: Difference) -> Verdict:
    ways = found.values[1]
    is_accepted = not ways or (isinstance(ways, list) and {"nothing", found.security} & {*map(str, ways)})
    return Verdict("harmless" if is_accepted else "breaking", f"the clients send {found.security}, and nothing else")


def _servers(found: Difference) -> Verdict | None:
    was, now = (_addresses(value) for value in found.values)
    if was is None or now is None or was == now:
        return None
    is_known = found.where == facts.DOCUMENT and was <= now
    return Verdict(
        "harmless" if is_known else "breaking", "the clients call the addresses that they know, for everything"
    )


def _addresses(servers: JsonValue) -> set[str] | None:
    """Return the addresses of servers; None if they are not listed as OpenAPI has it."""
    listed = servers if isinstance(servers, list) else [servers] if servers else []
    urls = [each.get("url") if isinstance(each, dict) else None for each in listed]
    return {str(url) for url in urls} if all(isinstance(url, str) for url in urls) else None


def _error(found: Difference) -> Verdict | None:
    return None if found.is_only_words else Verdict("harmless", "errors are read as they come")


RULES: dict[str, tuple[str, Callable[[Difference], Verdict | None]]] = {
    facts.FIELD: ("required", _field),
    **dict.fromkeys(("enum", "const"), ("enums", _values)),
    **dict.fromkeys(("operationId", "tags", "title", "name"), ("operations", _name)),
    "type": ("types", _type),
    "$ref": (
        "types",
        lambda _: Verdict("harmless", "described in another place: what differs there is listed by itself"),
    ),
    facts.DANGLING: ("types", _dangling),
    "format": ("formats", _format),
    "default": ("defaults", _default),
    facts.MEDIA: ("media types", _media_type),
    facts.STATUS: ("statuses", _status),
    facts.ERROR: ("statuses", _error),
    "security": ("security", _security),
    "servers": ("servers", _servers),
    facts.COMPONENT: (
        "words",
        lambda _: Verdict("harmless", "no operation refers to it; what security asks for is listed by itself"),
    ),
}
"""Each fact that a rule judges, with its group in the report; what has none, or None from its rule, is for a look."""
