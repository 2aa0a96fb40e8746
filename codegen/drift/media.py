"""What it means for our users that a request or a reply may have another kind of body."""

from codegen.drift.fields import OperationPart, success_status
from codegen.drift.parts import as_dict
from codegen.drift.rules import Side, Verdict
from codegen.read.documents import JsonObject
from codegen.read.references import look_up

_TAKEN_FOR_TEXT = ("text/", "application/octet-stream")
"""What generated code reads instead of JSON, if it stands before it."""


def media_kinds(document: JsonObject, operation: OperationPart, side: Side) -> frozenset[str]:
    """Return the kinds of bodies that a request or the reply of success may have, wherever the document lists them.

    Examples:
        >>> document = {"components": {"requestBodies": {"A": {"content": {"text/plain": {}}}}}}
        >>> operation = OperationPart("post", "/a", {"requestBody": {"$ref": "#/components/requestBodies/A"}}, {})
        >>> media_kinds(document, operation, "request"), media_kinds(document, operation, "reply")
        (frozenset({'text/plain'}), frozenset())
    """
    if side == "request":
        holder = operation.said.get("requestBody")
    else:
        holder = as_dict(operation.said.get("responses")).get(success_status(operation))
    seen: set[str] = set()
    while isinstance(holder, dict) and isinstance(reference := holder.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        found = look_up(document, reference)
        holder = found[0] if found is not None else None
    return frozenset(as_dict(as_dict(holder).get("content")))


def media_changed(side: Side, before: frozenset[str], after: frozenset[str], merged: frozenset[str]) -> Verdict:
    """Judge other kinds of bodies.

    Args:
        side: What goes out, or what comes in.
        before: The kinds as they were.
        after: The kinds as they are.
        merged: The kinds as they are with the overlay, which the client is generated from.

    Examples:
        >>> kinds = [frozenset({kind}) for kind in ("application/json", "application/xml")]
        >>> media_changed("reply", kinds[0], kinds[1], kinds[1]).severity
        'breaking'
        >>> media_changed("reply", kinds[0], kinds[1], kinds[0]).why
        'an action of the overlay makes it JSON'
    """
    if not _has_json(after, side) and _has_json(merged, side):
        return Verdict("harmless", "an action of the overlay makes it JSON")
    if not _has_json(after, side):
        verb = "sends JSON, which is no longer understood" if side == "request" else "reads JSON, and nothing else"
        return Verdict("breaking", f"the wrapper {verb}")
    if side == "request":
        return Verdict("harmless", "JSON is still understood")
    if any(_plain(kind).startswith(_TAKEN_FOR_TEXT) for kind in after - before):
        return Verdict("wrapper", "generated code reads the first kind that it knows: see that JSON is the first")
    return Verdict("harmless", "JSON is still there to be read")


def _has_json(kinds: frozenset[str], side: Side) -> bool:
    """Tell whether JSON is among the kinds; in a reply, also a format that is written in JSON (RFC 6839)."""
    return any(
        _plain(kind) == "application/json" or (side == "reply" and _plain(kind).endswith("+json")) for kind in kinds
    )


def _plain(kind: str) -> str:
    """Return a kind without its parameters, such as a charset."""
    return kind.partition(";")[0].strip().lower()
