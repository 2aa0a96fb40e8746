"""Read and check an OpenAPI Overlay document.

What is accepted is version 1.0 of the specification (https://spec.openapis.org/overlay/v1.0.0.html; patch releases make
no difference) without its leniencies: each action says why it exists, does exactly one thing, and has a target that is
RFC 9535 JSONPath. Its key `x-may-match-nothing: true` is for rules about the whole document. What each key may hold is
said in `schema.json`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from jsonpath_rfc9535 import JSONPathError, JSONPathQuery
from jsonpath_rfc9535 import compile as compile_path
from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # type: ignore[import-untyped]  # it brings no types

from codegen.errors import CodegenError
from codegen.read.documents import JsonObject, JsonValue, shown

STUB: JsonObject = {"type": "string", "format": "json"}
"""What Tazapay gives as the type of fields whose content it does not describe, and stands in for what is missing."""


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
    breaches = [
        f"{_place(overlay, [*error.absolute_path])}: {_problem(error)}" for error in _VALIDATOR.iter_errors(overlay)
    ]
    if breaches:
        raise CodegenError("\n".join([f"{name} is not a valid overlay:", *(f"  {breach}" for breach in breaches)]))
    actions = overlay["actions"] if isinstance(overlay["actions"], list) else []
    return tuple(_action(number, each) for number, each in enumerate(actions, 1) if isinstance(each, dict))


def _action(number: int, action: JsonObject) -> Action:
    target, description = str(action["target"]), str(action["description"])
    is_removal, is_rule = action.get("remove") is True, action.get("x-may-match-nothing") is True
    return Action(number, target, compile_path(target), description, action.get("update"), is_removal, is_rule)


def _place(overlay: JsonValue, steps: list[str | int]) -> str:
    """Say where a breach is: of an action its number and its target."""
    match steps, overlay:
        case ["actions", int(index), *inner], {"actions": list(actions)}:
            target = action.get("target") if isinstance(action := actions[index], dict) else None
            known = f" ({shown(target)})" if isinstance(target, str) else ""
            return ", ".join([f"action {index + 1}{known}", *map(str, inner)])
    return ", ".join(map(str, steps)) or "the overlay"


def _problem(error: ValidationError) -> str:
    """Say what is wrong: in the words of `schema.json` unless a key is missing or unknown."""
    if error.validator in {"required", "additionalProperties"}:
        return shown(error.message, 300)
    cause = f": {shown(str(error.cause))}" if error.cause else ""
    return f"must be {error.schema['description']}{cause}"


_FORMATS = FormatChecker(())


@_FORMATS.checks("json-path", raises=JSONPathError)  # type: ignore[untyped-decorator]  # as above
def _is_query(value: object) -> bool:
    return not isinstance(value, str) or compile_path(value) is not None


_VALIDATOR = Draft202012Validator(
    json.loads(Path(__file__).with_name("schema.json").read_text()), format_checker=_FORMATS
)
