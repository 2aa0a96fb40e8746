"""Read and check an OpenAPI Overlay document.

What is accepted is version 1.0 of the specification (https://spec.openapis.org/overlay/v1.0.0.html; patch releases make
no difference) without its leniencies: each action says why it exists, does exactly one thing, and has a target that is
RFC 9535 JSONPath. Its key `x-may-match-nothing: true` is for rules about the whole document.
"""

import re
from dataclasses import dataclass

from jsonpath_rfc9535 import JSONPathError, JSONPathQuery
from jsonpath_rfc9535 import compile as compile_path

from codegen.errors import CodegenError
from codegen.read.documents import JsonObject, JsonValue, describe

_OVERLAY_KEYS = {"overlay": True, "info": True, "extends": False, "actions": True}
_INFO_KEYS = {"title": True, "version": True}
_ACTION_KEYS = {"target": True, "description": True, "update": False, "remove": False}
STUB: JsonObject = {"type": "string", "format": "json"}
"""What Tazapay gives as the type of fields whose content it does not describe, and stands in for what is missing."""

_MAY_MATCH_NOTHING = "x-may-match-nothing"
"""For a rule about the whole document, which is not obsolete where no page breaks it at the moment."""


@dataclass(frozen=True)
class Action:
    """One deviation from the document."""

    number: int
    """Its place in the overlay, counted from 1."""
    target: str
    query: JSONPathQuery
    description: str
    update: JsonValue
    remove: bool
    may_match_nothing: bool = False


def read_overlay(overlay: JsonObject, name: str) -> tuple[Action, ...]:
    """Return the actions of an overlay document, in order.

    Args:
        overlay: The document as read by `codegen.read.documents`.
        name: What messages call the document.

    Raises:
        CodegenError: The document breaks the specification or this project's stricter rules; every breach is listed.

    Examples:
        >>> actions = read_overlay({
        ...     "overlay": "1.0.0",
        ...     "info": {"title": "Deviations", "version": "1"},
        ...     "actions": [{"target": "$.info", "description": "It has no name.", "update": {"title": "Tazapay"}}],
        ... }, "overlay.yaml")
        >>> actions[0].number, actions[0].target, actions[0].update
        (1, '$.info', {'title': 'Tazapay'})
    """
    breaches = _breaches_of_keys(overlay, _OVERLAY_KEYS, "the overlay")
    version, info, actions = overlay.get("overlay"), overlay.get("info"), overlay.get("actions")
    if "overlay" in overlay and not (isinstance(version, str) and re.fullmatch(r"1\.0\.[0-9]+", version)):
        breaches.append(f"overlay: version {describe(version)} is not supported; this applier reads 1.0.x, in quotes")
    if isinstance(info, dict):
        breaches += _breaches_of_keys(info, _INFO_KEYS, "info")
        breaches += [f"info: {key} must be text" for key in _INFO_KEYS if not _is_text(info.get(key, "absent"))]
    elif "info" in overlay:
        breaches.append(f"info must be an object, not {describe(info)}")
    if not _is_text(overlay.get("extends", "absent")):
        breaches.append("extends must be the address of the document that the overlay is for")
    read: list[Action] = []
    if isinstance(actions, list) and actions:
        for number, action in enumerate(actions, start=1):
            result = _read_action(number, action)
            if isinstance(result, Action):
                read.append(result)
            else:
                breaches += result
    elif "actions" in overlay:
        breaches.append("actions must be a list that is not empty")
    if breaches:
        raise CodegenError("\n".join([f"{name} is not a valid overlay:", *(f"  {breach}" for breach in breaches)]))
    return tuple(read)


def _read_action(number: int, action: JsonValue) -> Action | list[str]:
    """Return the action, or everything that is wrong with it."""
    where = f"action {number}"
    if not isinstance(action, dict):
        return [f"{where}: must be an object, not {describe(action)}"]
    target, description = action.get("target"), action.get("description")
    if isinstance(target, str):
        where = f"{where} ({target})"
    breaches = _breaches_of_keys(action, _ACTION_KEYS, where)
    if "description" in action and not _is_text(description):
        breaches.append(f"{where}: description must be text that gives the reason")
    if ("update" in action) == (action.get("remove") is True) or not isinstance(action.get("remove", False), bool):
        breaches.append(f"{where}: exactly one of `update: ...` and `remove: true` is needed")
    if not isinstance(action.get(_MAY_MATCH_NOTHING, False), bool):
        breaches.append(f"{where}: {_MAY_MATCH_NOTHING} must be true or false")
    query = None
    if isinstance(target, str):
        try:
            query = compile_path(target)
        except JSONPathError as error:
            breaches.append(f"{where}: target is not a JSONPath query (RFC 9535): {str(error).splitlines()[0]}")
    elif "target" in action:
        breaches.append(f"{where}: target must be text, not {describe(target)}")
    if breaches or query is None:
        return breaches
    is_removal, is_rule = action.get("remove") is True, action.get(_MAY_MATCH_NOTHING) is True
    return Action(number, str(target), query, str(description), action.get("update"), is_removal, is_rule)


def _breaches_of_keys(value: JsonObject, keys: dict[str, bool], where: str) -> list[str]:
    """List the required keys that are missing and the keys nobody knows; `x-` keys are free by the specification."""
    missing = [f"{where}: {key} is missing" for key, required in keys.items() if required and key not in value]
    unknown = [key for key in value if key not in keys and not key.startswith("x-")]
    return missing + [f"{where}: {key!r} is unknown; known are {', '.join(keys)}" for key in unknown]


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and bool(value.strip())
