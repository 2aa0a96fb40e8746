"""Apply an overlay, strictly.

The Overlay specification lets an action that matches nothing succeed, and lets one add what is already there. Here both
fail, unless an action says that it is a rule for the whole document (`x-may-match-nothing`). So when Tazapay changes
the document, the generation tells which of our deviations became obsolete, instead of carrying them along for ever.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from jsonpath_rfc9535 import JSONPathNode

from codegen.errors import CodegenError
from codegen.overlay.actions import Action
from codegen.read.documents import JsonObject, JsonValue, describe

_IDENTITY = {"parameters": ("name", "in"), "servers": ("url",), "tags": ("name",)}
"""By which of its keys OpenAPI tells one element of such a list from another."""

_CORRECT_TARGET = "delete the action if the document no longer has what it is about; otherwise correct its target"
_DELETE_PART = "delete that part from the action, or the whole action if nothing else is left in it"
_CORRECT_UPDATE = "correct the update, or delete the action if the document changed its mind"


@dataclass(frozen=True)
class Problem:
    """Why one action cannot be applied."""

    action: Action
    what: str
    remedy: str

    def __str__(self) -> str:
        """Name the action by everything that helps to find it, then say what is wrong and what to do."""
        return (
            f"action {self.action.number}: {self.what}\n"
            f"    target: {self.action.target}\n"
            f"    description: {' '.join(self.action.description.split())}\n"
            f"    what to do: {self.remedy}"
        )


def apply_overlay(document: JsonObject, actions: Sequence[Action], name: str) -> JsonObject:
    """Return a new document with every action applied, in order; the one given stays as it is.

    `update` merges into objects recursively, appends to lists and replaces scalars inside objects; `remove` deletes
    every match.

    Args:
        document: The OpenAPI document.
        actions: From `codegen.overlay.actions.read_overlay`.
        name: What messages call the overlay.

    Raises:
        CodegenError: An action matches nothing, adds what the document already has, or does not fit what it matches.
            Every such action is named by number, target and description, with what is wrong and what to do.

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
          action 1: adds what is already there: $['info']['title'] is 'Tazapay'
            target: $.info
            description: It has no name.
            what to do: delete that part from the action, or the whole action if nothing else is left in it
    """
    merged = deepcopy(document)
    problems: list[Problem] = []
    for action in actions:
        # Later actions are tried even after a failure, so that one run after a spec change lists all that is obsolete.
        problems += apply_action(merged, action)
    if problems:
        raise does_not_fit(problems, name)
    return merged


def does_not_fit(problems: Sequence[Problem], name: str) -> CodegenError:
    """Return the error that lists why an overlay cannot be applied."""
    return CodegenError("\n".join([f"{name} does not fit the document:", *(f"  {problem}" for problem in problems)]))


def apply_action(document: JsonObject, action: Action) -> list[Problem]:
    """Apply one action to the document itself, and return why that failed, if it did."""
    nodes = list({node.location: node for node in action.query.find(document)}.values())
    if not nodes and action.may_match_nothing:
        return []
    if not nodes:
        return [Problem(action, "its target matches nothing", _CORRECT_TARGET)]
    if action.remove:
        return _remove(nodes, action)
    merge = _Merge(action, [])
    for node in nodes:
        merge.into(node)
    return merge.problems


def _remove(nodes: list[JSONPathNode], action: Action) -> list[Problem]:
    def innermost_and_last_first(node: JSONPathNode) -> tuple[int, int]:
        key = node.location[-1] if node.location else 0
        return -len(node.location), -key if isinstance(key, int) else 0

    for node in sorted(nodes, key=innermost_and_last_first):
        if node.parent is None:
            return [Problem(action, "it would remove the whole document", "choose a target inside the document")]
        holder = node.parent.value
        if isinstance(holder, dict | list):
            del holder[node.location[-1]]  # type: ignore[arg-type]  # the location fits its holder: both come from one query
    return []


@dataclass
class _Merge:
    """The update of one action on its way into the document."""

    action: Action
    problems: list[Problem]

    def into(self, node: JSONPathNode) -> None:
        update = self.action.update
        path, value = node.path(), node.value
        if isinstance(value, dict) and isinstance(update, dict):
            self._object(value, update, path)
        elif isinstance(value, list) and not isinstance(update, list):
            key = node.location[-1] if node.location else ""
            self._append(value, update, path, key)
        elif isinstance(value, list):
            self._problem(f"{path} is a list and the update is one too", "append one entry with each action")
        elif isinstance(value, dict):
            self._problem(f"{path} is an object but the update is {describe(update)}", _CORRECT_UPDATE)
        else:
            self._problem(f"{path} is neither an object nor a list", "update the object that holds it")

    def _object(self, target: JsonObject, update: JsonObject, path: str) -> None:
        if not update:
            self._problem(f"adds what is already there: {path} is an object and the update adds nothing", _DELETE_PART)
        for key, new in update.items():
            here = f"{path}[{key!r}]"
            if key not in target:
                target[key] = deepcopy(new)
                continue
            old = target[key]
            if isinstance(old, dict) and isinstance(new, dict):
                self._object(old, new, here)
            elif isinstance(old, list) and isinstance(new, list):
                if not new:
                    self._problem(
                        f"adds what is already there: {here} is a list, the update adds nothing", _DELETE_PART
                    )
                for element in new:
                    self._append(old, element, here, key)
            elif isinstance(old, dict | list) or isinstance(new, dict | list):
                self._problem(f"{here} is {describe(old)} but the update says {describe(new)}", _CORRECT_UPDATE)
            elif equal(old, new):
                self._problem(f"adds what is already there: {here} is {describe(old)}", _DELETE_PART)
            else:
                target[key] = new

    def _append(self, target: list[JsonValue], element: JsonValue, path: str, key: int | str) -> None:
        for index, present in enumerate(target):
            if equal(present, element):
                self._problem(f"adds what is already there: {path}[{index}] is equal", _DELETE_PART)
                return
            if is_same_entry(key, present, element) and isinstance(element, dict):
                what = " and ".join(f"{name} {describe(element[name])}" for name in _IDENTITY[str(key)])
                self._problem(f"adds what is already there: {path}[{index}] has the same {what}", _DELETE_PART)
                return
        target.append(deepcopy(element))

    def _problem(self, what: str, remedy: str) -> None:
        self.problems.append(Problem(self.action, what, remedy))


def is_same_entry(key: int | str, one: JsonValue, other: JsonValue) -> bool:
    """Tell whether two elements of a list are equal, or are one thing by the names that OpenAPI tells them apart by.

    Args:
        key: That of the list, such as "parameters".
        one: An element.
        other: Another one.

    Examples:
        >>> is_same_entry("parameters", {"name": "A-Key", "in": "header"}, {"name": "a-key", "in": "header", "x": 1})
        True
        >>> is_same_entry("parameters", {"name": "A", "in": "query"}, {"name": "a", "in": "query"})
        False
    """
    names = _IDENTITY.get(str(key), ())
    if not names or not isinstance(one, dict) or not isinstance(other, dict):
        return equal(one, other)
    return all(name in one and name in other for name in names) and all(
        equal(_without_case(one, name), _without_case(other, name)) for name in names
    )


def _without_case(parameter: JsonObject, name: str) -> JsonValue:
    value = parameter[name]
    return value.lower() if parameter.get("in") == "header" and isinstance(value, str) else value


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
