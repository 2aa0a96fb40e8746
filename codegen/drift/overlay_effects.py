"""Which differences the overlay deals with already."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from codegen.overlay.actions import Action
from codegen.overlay.applier import apply_action
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location


class Effects:
    """What the actions of an overlay do to a document, one after the other; those that do not fit do nothing.

    Attributes:
        merged: The document with all that fit.
    """

    def __init__(self, document: JsonObject, actions: Sequence[Action]) -> None:
        self._removed: dict[Location, Action] = {}
        self._set: dict[Location, tuple[Action, JsonValue]] = {}
        merged = deepcopy(document) if actions else document
        self.merged = merged
        for action in actions:
            for node in action.query.find(merged):
                if action.remove:
                    self._removed[node.location] = action
                elif isinstance(node.value, dict):
                    self._set |= {place: (action, value) for place, value in _parts(action.update, node.location)}
            apply_action(merged, action)

    def dealing_with(self, location: Location) -> str:
        """Name the action that removes or replaces what is at a location; empty if there is none."""
        for end in range(len(location), 0, -1):
            action = self._removed.get(location[:end])
            if action is not None:
                return f"{_name(action)} removes it"
        found = self._set.get(location)
        if found is not None and not isinstance(found[1], dict | list):
            return f"{_name(found[0])} sets it"
        return ""

    def definition(self, location: Location) -> tuple[JsonValue, str] | None:
        """Return what an action adds at a location, and name the action."""
        found = self._set.get(location)
        return None if found is None else (found[1], f"{_name(found[0])} defines it")


def _name(action: Action) -> str:
    return f"action {action.number} ({action.target})"


def _parts(value: JsonValue, location: Location) -> Iterator[tuple[Location, JsonValue]]:
    """List everything in an update, with where it goes."""
    for key, member in value.items() if isinstance(value, dict) else ():
        here = (*location, key)
        yield here, member
        yield from _parts(member, here)
