"""Apply an overlay, strictly.

The Overlay specification lets an action that matches nothing succeed, and lets one add what is already there. Here both
fail, unless an action says that it is a rule for the whole document (`x-may-match-nothing`). So when Tazapay changes
the document, the generation tells which of our deviations became obsolete, instead of carrying them along for ever.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from textwrap import indent
from typing import cast

from jsonpath_rfc9535 import JSONPathNode, JSONPathQuery

from codegen.errors import CodegenError
from codegen.overlay.actions import STUB, Action
from codegen.read.block_text import dumped
from codegen.read.documents import JsonObject, JsonValue, describe

_CORRECT = "correct the action, or delete it if the document no longer has what it is about"


@dataclass(frozen=True)
class Problem:
    """Why one action cannot be applied."""

    action: Action
    what: str
    remedy: str
    is_obsolete: bool = False
    """Whether the document has by itself what the action would make of it."""

    def __str__(self) -> str:
        """Name the action by everything that helps to find it, then say what is wrong and what to do."""
        return (
            f"action {self.action.number}: {self.what}\n"
            f"    target: {self.action.target}\n"
            f"    description: {' '.join(self.action.description.split())}\n"
            f"    what to do: {self.remedy}"
        )


@dataclass(frozen=True)
class Fitted:
    """A document with an overlay applied."""

    document: JsonObject
    obsolete: tuple[Action, ...]
    """The actions that were passed over, because the document has by itself what they would make of it."""


def apply_overlay(document: JsonObject, actions: Sequence[Action], name: str) -> JsonObject:
    """Return a new document with every action applied: `fit_overlay`, without passing over any.

    Examples:
        >>> from codegen.overlay.actions import read_overlay
        >>> actions = read_overlay({
        ...     "overlay": "1.0.0",
        ...     "info": {"title": "Deviations", "version": "1"},
        ...     "actions": [{"target": "$.info", "description": "It has no name.", "update": {"title": "Tazapay"}}],
        ... }, "overlay.yaml")
        >>> apply_overlay({"info": {"version": "3"}}, actions, "overlay.yaml")
        {'info': {'version': '3', 'title': 'Tazapay'}}
        >>> apply_overlay({"info": {"title": "Tazapay"}}, actions, "overlay.yaml")
        Traceback (most recent call last):
        ...
        codegen.errors.CodegenError: overlay.yaml does not fit the document:
          action 1: is obsolete: the document now has all that it adds: $['info']['title']
            target: $.info
            description: It has no name.
            what to do: delete the action
    """
    return fit_overlay(document, actions, name, drop=None).document


def fit_overlay(document: JsonObject, actions: Sequence[Action], name: str, *, drop: bool | None) -> Fitted:
    """Apply an overlay, every action in order; the document that is given stays as it is.

    `update` merges into objects recursively, appends to lists and replaces scalars inside objects; `remove` deletes
    every match.

    Args:
        document: The OpenAPI document.
        actions: From `codegen.overlay.actions.read_overlay`.
        name: What messages call the overlay.
        drop: Whether to pass over the actions that are obsolete; None if this overlay cannot be edited.

    Raises:
        CodegenError: An action matches nothing, adds what the document already has, or does not fit what it matches.
            Every such action is named by number, target and description, with what is wrong and what to do; of an
            action that is obsolete in part it is said what is left of it.
    """
    merged = deepcopy(document)
    problems: list[Problem] = []
    obsolete: list[Action] = []
    for action in actions:
        # Later actions are tried even after a failure, so that one run after a spec change lists all that is obsolete.
        found = apply_action(merged, action)
        if drop and found and all(problem.is_obsolete for problem in found):
            obsolete.append(action)
        else:
            problems += found
    if problems:
        or_drop = ", or import again with --drop-obsolete" if drop is False else ""
        told = (replace(each, remedy=each.remedy + or_drop) if each.is_obsolete else each for each in problems)
        raise CodegenError("\n".join([f"{name} does not fit the document:", *(f"  {problem}" for problem in told)]))
    return Fitted(merged, tuple(obsolete))


def apply_action(document: JsonObject, action: Action) -> list[Problem]:
    """Apply one action to the document itself, and return why that failed, if it did; what is obsolete does nothing."""
    nodes = list({node.location: node for node in action.query.find(document)}.values())
    if not nodes and action.may_match_nothing:
        return []
    if not nodes:
        holder = JSONPathQuery(env=action.query.env, segments=action.query.segments[:-1])
        # Without its holder, the target has moved, and what it is about may be somewhere else.
        if action.remove and any(isinstance(node.value, dict | list) for node in holder.find(document)):
            return [_obsolete(action, "the document no longer has what it removes")]
        return [Problem(action, "its target matches nothing", _CORRECT)]
    if action.remove:
        return _remove(nodes, action)
    if component := _defined(document, action):
        return [_obsolete(action, f"the document now defines {component} itself")]
    merge = _Merge()
    left = [merge.into(node, action.update) for node in nodes]
    if merge.wrong:
        return [Problem(action, what, _CORRECT) for what in merge.wrong]
    return [_already_there(action, merge, left)] if merge.there else []


def _obsolete(action: Action, reason: str) -> Problem:
    return Problem(action, f"is obsolete: {reason}", "delete the action", is_obsolete=True)


def _defined(document: JsonObject, action: Action) -> str | None:
    """Return the schema that an action only stubs, and the document defines."""
    match action.update, document:
        case {"components": {"schemas": dict(stubs)}}, {"components": {"schemas": dict(schemas)}}:
            return next((name for name, schema in stubs.items() if schema == STUB and name in schemas), None)
    return None


def _already_there(action: Action, merge: "_Merge", left: list[JsonObject]) -> Problem:
    if not merge.did:
        return _obsolete(action, f"the document now has all that it adds: {merge.there[0]}")
    remedy = "delete that part from the action"
    if len(left) == 1 and left[0]:
        instead: JsonObject = {"target": action.target, "description": action.description, "update": left[0]}
        text = indent(dumped([instead]), "    ").rstrip()
        remedy = f"if the document's own words will do for the rest, put this in its place:\n{text}"
    return Problem(action, f"is obsolete in part: adds what is already there: {merge.there[0]}", remedy)


def _remove(nodes: list[JSONPathNode], action: Action) -> list[Problem]:
    for node in sorted(nodes, key=_depth_and_index, reverse=True):
        if node.parent is None:
            return [Problem(action, "it would remove the whole document", _CORRECT)]
        holder = node.parent.value
        if isinstance(holder, dict | list):
            del holder[node.location[-1]]  # type: ignore[arg-type]  # the location fits its holder: both come from one query
    return []


def _depth_and_index(node: JSONPathNode) -> tuple[int, int]:
    index = node.location[-1] if node.location else 0
    return len(node.location), index if isinstance(index, int) else 0


@dataclass
class _Merge:
    """An update on its way into the document."""

    wrong: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    """The places of what the document had already."""
    did: bool = False
    """Whether anything was new to the document."""

    def into(self, node: JSONPathNode, update: JsonValue) -> JsonObject:
        """Merge it into a place, and return what the place did not have, if that is an object."""
        path, value = node.path(), cast("JsonValue", node.value)
        if isinstance(value, dict) and isinstance(update, dict):
            return self._object(value, update, path)
        if isinstance(value, list) and not isinstance(update, list):
            self._append(value, update, path, node.location[-1] if node.location else "")
        else:
            self.wrong.append(f"{path} is {describe(value)} and the update {describe(update)}")
        return {}

    def _object(self, target: JsonObject, update: JsonObject, path: str) -> JsonObject:
        left: JsonObject = {}
        if not update:
            self.there.append(path)
        for key, new in update.items():
            here, old = f"{path}[{key!r}]", target.get(key)
            if isinstance(old, dict) and isinstance(new, dict):
                inner = self._object(old, new, here)
                if inner and "$ref" not in old:  # what stands in another place is not to be defined here again
                    left[key] = inner
            elif isinstance(old, list) and isinstance(new, list):
                if not new:
                    self.there.append(here)
                if rest := [element for element in new if self._append(old, element, here, key)]:
                    left[key] = rest
            elif isinstance(old, dict | list) or (key in target and isinstance(new, dict | list)):
                self.wrong.append(f"{here} is {describe(old)} but the update says {describe(new)}")
            elif key in target and equal(old, new):
                self.there.append(here)
            else:
                left[key] = new
                target[key] = deepcopy(new)
                self.did = True
        return left

    def _append(self, target: list[JsonValue], element: JsonValue, path: str, key: int | str) -> bool:
        """Append an element to a list, and tell whether it was new to the list."""
        for index, present in enumerate(target):
            if equal(_identity(key, present), _identity(key, element)):
                self.there.append(f"{path}[{index}]")
                if _is_required(element) and not _is_required(present):
                    self.wrong.append(f"{path}[{index}] is not required, which cannot be added: remove it first")
                return False
        target.append(deepcopy(element))
        self.did = True
        return True


def _is_required(parameter: JsonValue) -> bool:
    return isinstance(parameter, dict) and parameter.get("required") is True


def _identity(key: int | str, element: JsonValue) -> JsonValue:
    """Return what tells an element of a list of OpenAPI from the others.

    Args:
        key: That of the list, such as "parameters".
        element: An element.

    Examples:
        >>> _identity("parameters", {"name": "A-Key", "in": "header", "x": 1}), _identity("tags", {"name": "a", "x": 1})
        (['a-key', 'header'], ['a'])
        >>> _identity("anything", {"name": "a", "in": "query"})
        {'name': 'a', 'in': 'query'}
    """
    match key, element:
        case "parameters", {"name": str(name), "in": "header"}:
            return [name.lower(), "header"]
        case "parameters", {"name": name, "in": place}:
            return [name, place]
        case ("servers", {"url": name}) | ("tags", {"name": name}):
            return [name]
    return element


def equal(left: JsonValue, right: JsonValue) -> bool:
    """Compare as JSON does: unlike Python, which takes True for 1.

    Examples:
        >>> equal([1, {"a": None}], [1.0, {"a": None}]), equal(True, 1), equal({"a": 1}, {"a": True})
        (True, False, False)
    """
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right
