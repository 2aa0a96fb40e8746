"""Find out which deviations from the document became obsolete, because the document now says the same.

The applier refuses such actions. Here it is told apart what can be deleted as it is, what is needed in part, and what
only has to point to another place.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

from jsonpath_rfc9535 import JSONPathQuery

from codegen.overlay.actions import Action
from codegen.overlay.additions import stubbed_component
from codegen.overlay.applier import Problem, apply_action, does_not_fit, equal, is_same_entry
from codegen.read.block_text import dumped
from codegen.read.documents import JsonObject, JsonValue

_DELETE, _DROP = "delete the action", "delete the action, or import again with --drop-obsolete"


@dataclass(frozen=True)
class Fitted:
    """A document with an overlay applied."""

    document: JsonObject
    obsolete: tuple[Action, ...]
    """The actions that were passed over, because the document has by itself what they would make of it."""


def fit_overlay(document: JsonObject, actions: Sequence[Action], name: str, *, drop: bool | None) -> Fitted:
    """Apply an overlay to a document that changed.

    Args:
        document: The document.
        actions: From `codegen.overlay.actions.read_overlay`.
        name: What messages call the overlay.
        drop: Whether to pass over the actions that are obsolete; None if this overlay cannot be edited.

    Raises:
        CodegenError: An action does not fit, or is obsolete and not to be passed over. Each is named with what to do;
            of an action that is obsolete in part it is said what is left of it.

    Examples:
        >>> from codegen.overlay.actions import read_overlay
        >>> actions = read_overlay({
        ...     "overlay": "1.0.0",
        ...     "info": {"title": "Deviations", "version": "1"},
        ...     "actions": [{"target": "$.info", "description": "It has no name.", "update": {"title": "Tazapay"}}],
        ... }, "overlay.yaml")
        >>> fitted = fit_overlay({"info": {"title": "Tazapay"}}, actions, "overlay.yaml", drop=True)
        >>> [action.number for action in fitted.obsolete]
        [1]
    """
    merged = deepcopy(document)
    problems: list[Problem] = []
    obsolete: list[Action] = []
    for action in actions:
        reason = _why_obsolete(document, merged, action)
        if reason is None:
            left = _what_is_left(merged, action)
            found = apply_action(merged, action)
            if found and left is not None:
                more = f", and so on: {len(found)} parts in all" if len(found) > 1 else ""
                found = [Problem(action, f"is obsolete in part: {found[0].what}{more}", left)]
            problems += found
        elif drop:
            obsolete.append(action)
        else:
            problems.append(Problem(action, f"is obsolete: {reason}", _DELETE if drop is None else _DROP))
    if problems:
        raise does_not_fit(problems, name)
    return Fitted(merged, tuple(obsolete))


def _why_obsolete(document: JsonObject, merged: JsonObject, action: Action) -> str | None:
    nodes = action.query.find(merged)
    if action.may_match_nothing and not nodes:
        return None
    if action.remove:
        holder = JSONPathQuery(env=action.query.env, segments=action.query.segments[:-1])
        # Without its holder, the target has moved, and what it is about may be somewhere else.
        gone = not nodes and any(isinstance(node.value, dict | list) for node in holder.find(merged))
        return "the document no longer has what it removes" if gone else None
    component = stubbed_component(action)
    schemas = _member(_member(document, "components"), "schemas")
    if component is not None and isinstance(schemas, dict) and component in schemas:
        return f"the document now defines {component} itself"
    if nodes and all(_has(node.value, action.update, node.location[-1] if node.location else "") for node in nodes):
        return "the document now has all that it adds"
    return None


def _has(value: object, update: JsonValue, key: int | str) -> bool:
    """Tell whether the value at a key has all that the update would merge into it, be it with words of its own."""
    if isinstance(value, dict) and isinstance(update, dict):
        return all(step in value and _has(value[step], new, step) for step, new in update.items())
    if isinstance(value, list):
        new = update if isinstance(update, list) else [update]
        return all(any(_stands_for(key, present, element) for present in value) for element in new)
    return equal(cast(JsonValue, value), update)


def _stands_for(key: int | str, present: JsonValue, element: JsonValue) -> bool:
    """Tell whether an element of a list is what an action adds; one that may be left out is not one that may not be."""
    demands = isinstance(element, dict) and element.get("required") is True
    is_demanded = isinstance(present, dict) and present.get("required") is True
    return is_same_entry(key, present, element) and is_demanded >= demands


def _what_is_left(merged: JsonObject, action: Action) -> str | None:
    """Return an action to put in the place of one whose content the document has in part; None if it has none of it."""
    nodes = action.query.find(merged)
    if action.remove or len(nodes) != 1 or not isinstance(action.update, dict) or not isinstance(nodes[0].value, dict):
        return None
    left = _left(nodes[0].value, action.update)
    if equal(left, action.update):
        return None
    if not left:
        return "delete the action: what the document says otherwise cannot be added, but removed and then added"
    instead: JsonObject = {"target": action.target, "description": action.description, "update": left}
    text = dumped([instead]).replace("\n", "\n    ").rstrip()
    return f"if the document's own words will do for the rest, put this in its place:\n    {text}"


def _left(value: JsonObject, update: JsonObject) -> JsonObject:
    """Return the part of an update that the value does not have, as far as an update can express it."""
    left: JsonObject = {}
    for key, new in update.items():
        old = value.get(key)
        if key not in value:
            left[key] = new
        elif isinstance(old, dict) and isinstance(new, dict):
            # what the document defines in another place is not to be defined here again
            if "$ref" not in old and (inner := _left(old, new)):
                left[key] = inner
        elif isinstance(old, list) and isinstance(new, list):
            if rest := [element for element in new if not any(is_same_entry(key, element, present) for present in old)]:
                left[key] = rest
        elif not equal(old, new):
            left[key] = new
    return left


def _member(value: JsonValue, key: str) -> JsonValue:
    return value.get(key) if isinstance(value, dict) else None
