"""What it means for our users that a request has conditions between its fields.

The contract says which fields the wrapper always sends and which it may send. Where a condition speaks of nothing else,
its verdict is proven: it holds for every request, or there is a call that fails.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from codegen.drift.changes import quoted
from codegen.drift.coverage import OperationCoverage
from codegen.drift.parts import key_step, only_required
from codegen.drift.rules import Verdict, Wrapper
from codegen.drift.schemas import Field
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location

_GONE = Verdict("harmless", "everything that was accepted still is")


class _Sent(NamedTuple):
    """The fields of a body."""

    method: str
    always: frozenset[str]
    """Those of the call with the fewest arguments."""
    ever: frozenset[str]
    """Those of a call with all arguments."""


def condition_changed(
    wrapper: Wrapper, fields: Mapping[str, Field], field: Field, keyword: str, was: JsonValue
) -> Verdict | None:
    """Judge a condition that a request has now, or no longer has.

    Args:
        wrapper: What the wrapper does with the request.
        fields: All fields of the request as they are.
        field: The one whose schema has the condition.
        keyword: Which condition, such as "dependentRequired".
        was: What it was; None if there was none.

    Returns:
        None if the contract cannot prove anything about it: other rules have to judge it.

    Examples:
        >>> from codegen.drift.coverage import Coverage, Covered
        >>> request = {"amount": Covered(("amount_sats",), always=True), "memo": Covered(("memo",))}
        >>> wrapper = Wrapper(Coverage(), OperationCoverage("POST /a", "create", request, {}), "request")
        >>> says = {"dependentRequired": {"memo": ["amount"]}}
        >>> body = Field("(body)", "the body", frozenset({"object"}), True, (), says)
        >>> condition_changed(wrapper, {}, body, "dependentRequired", None).severity
        'harmless'
        >>> says["dependentRequired"] = {"amount": ["memo"]}
        >>> condition_changed(wrapper, {}, body, "dependentRequired", None).severity
        'breaking'
    """
    if wrapper.side == "reply" or wrapper.operation is None:
        return None
    now = field.keywords.get(keyword)
    if keyword == "additionalProperties" and "patternProperties" in field.keywords:
        return None
    if keyword == "additionalProperties" and field.key != "(body)":
        return _closed_map(wrapper, field, now)
    if field.key != "(body)":
        return None
    sent = _sent(wrapper.operation)
    if keyword == "additionalProperties":
        return _closed(sent, fields, field.places.get(keyword, ())) if now is False else _GONE
    if keyword == "dependentRequired":
        return _dependent(sent, was, now)
    if keyword in {"anyOf", "oneOf"}:
        return _alternatives(sent, keyword, was, now)
    if keyword in {"minProperties", "maxProperties"} and isinstance(now, int) and not isinstance(now, bool):
        return _count(sent, keyword, now)
    return None


def _sent(operation: OperationCoverage) -> _Sent:
    body = {key: each for key, each in operation.request.items() if each.names and key[:1] != "(" and "." not in key}
    always = frozenset(key for key, covered in body.items() if covered.always)
    return _Sent(operation.method, always, frozenset(body))


def _closed(sent: _Sent, fields: Mapping[str, Field], place: Location) -> Verdict:
    """Judge that other fields than those listed beside the condition are refused."""
    listed = {key for key in sent.ever if key in fields and fields[key].location[:-2] == place[:-1]}
    refused = sorted(sent.ever - listed)
    if refused:
        return Verdict("breaking", f"other fields are refused now, and {sent.method} sends {_listed(refused)}")
    return Verdict("harmless", f"{sent.method} sends no other fields")


def _closed_map(wrapper: Wrapper, field: Field, now: JsonValue) -> Verdict | None:
    covered = wrapper.covered(field.key)
    if covered is None or not covered.names or (field.kinds and "object" not in field.kinds):
        return None
    if now is False:
        return Verdict("breaking", "other keys are refused now, and callers choose the keys themselves")
    return _GONE


def _dependent(sent: _Sent, was: JsonValue, now: JsonValue) -> Verdict | None:
    old, new = _pairs(was), _pairs(now)
    if old is None or new is None:
        return None
    for name, needed in sorted(new - old):
        if name in sent.ever and needed not in sent.always:
            what = f"{sent.method} may send {quoted(name)} without {quoted(needed)}"
            return Verdict("breaking", f"{what}, and that is refused now")
    return Verdict("harmless", f"every request of {sent.method} has what is asked for") if new - old else _GONE


def _pairs(value: JsonValue) -> set[tuple[str, str]] | None:
    """Return which field needs which other; None if this is no such list."""
    if value is not None and not (isinstance(value, dict) and all(isinstance(each, list) for each in value.values())):
        return None
    return set(_needs(value)) if isinstance(value, dict) else set()


def _needs(value: JsonObject) -> Iterator[tuple[str, str]]:
    for name, needed in value.items():
        for each in needed if isinstance(needed, list) else ():
            yield key_step(name), key_step(str(each))


def _alternatives(sent: _Sent, keyword: str, was: JsonValue, now: JsonValue) -> Verdict | None:
    """Judge that a request needs one of several sets of fields; exactly one of them with oneOf."""
    branches = only_required(now)
    if branches is None:
        return _GONE if now is None and only_required(was) else None
    if was is not None and only_required(was) is None:
        return None
    held = [names for names in branches if names <= sent.always]
    if not held:
        return Verdict(
            "breaking", f"the call of {sent.method} with the fewest arguments has none of these sets of fields"
        )
    if keyword == "oneOf" and len([names for names in branches if names <= sent.ever]) > 1:
        return Verdict(
            "breaking", f"{sent.method} may send more than one of these sets of fields, which is refused now"
        )
    return Verdict("harmless", f"every request of {sent.method} has {_listed(sorted(held[0]))}")


def _count(sent: _Sent, keyword: str, now: int) -> Verdict:
    if keyword == "minProperties":
        least, is_good = len(sent.always), now <= len(sent.always)
        said = f"{sent.method} sends {least} at least"
    else:
        is_good, said = now >= len(sent.ever), f"{sent.method} sends {len(sent.ever)} at most"
    return Verdict("harmless" if is_good else "breaking", f"{said}{'' if is_good else ', and that is refused now'}")


def _listed(names: list[str]) -> str:
    return ", ".join(map(quoted, names))
