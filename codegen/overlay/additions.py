"""Actions that a document needs before a client can be generated from it, written ready for the overlay.

Tazapay's pages refer to schemas that they do not define, have path parameters that they do not declare, and give sample
values as defaults.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from codegen.generate.document_checks import bad_defaults, target_of
from codegen.overlay.actions import STUB
from codegen.read.block_text import dumped
from codegen.read.documents import JsonObject, JsonValue, shown
from codegen.read.references import look_up, places, pointer_to
from codegen.read.units import is_operation, title, units

_SCHEMA = re.compile(r"#/components/schemas/([A-Za-z0-9._-]+)")


@dataclass(frozen=True)
class Addition:
    """An action that would make a document fit."""

    place: str
    """What it is about, as a JSON pointer."""
    problem: str
    """What is wrong there."""
    effect: str
    """What the action does about it."""
    action: str
    """The action, as an entry of an overlay's list."""


def missing_definitions(document: JsonObject) -> list[Addition]:
    """Return what defines the schemas and the path parameters that a document uses and does not define.

    Examples:
        >>> [found] = missing_definitions({"paths": {"/a": {"get": {"$ref": "#/components/schemas/A"}}}})
        >>> found.place, found.effect
        ('#/paths/~1a/get', 'defines A as string/json')
        >>> print(found.action, end="")
        - target: $
          description: >-
            Tazapay's pages refer to A and do not define it. Fields whose content they leave open are text that holds
            JSON; if this one is not, correct it. Delete this when a page defines it.
          update:
            components:
              schemas:
                A:
                  type: string
                  format: json
        >>> [found] = missing_definitions({"paths": {"/a/{id}": {"get": {}}}})
        >>> found.problem, found.effect
        ('does not declare {id}, which its path has', 'declares {id} of GET /a/{id}')
    """
    return [*_missing_schemas(document), *_undeclared_parameters(document)]


def sample_defaults(document: JsonObject) -> list[Addition]:
    """Return what removes each default that a request would send although the caller chose nothing.

    Examples:
        >>> [found] = sample_defaults({"paths": {"/a": {"get": {"parameters": [{"schema": {"default": 1}}]}}}})
        >>> found.action.splitlines()[0]
        "- target: $.paths['/a'].get.parameters[0].schema.default"
    """
    reason = "Defaults of Tazapay's pages are samples. This one would be sent whenever a caller leaves the field out."
    return [
        Addition(
            place,
            "has a default, which would be sent although the caller chose nothing",
            f"removes the default of {shown(place, 500)}",
            _action(f"{target_of(document, place)}.default", reason, {"remove": True}),
        )
        for place in bad_defaults(document)
    ]


def _missing_schemas(document: JsonObject) -> Iterator[Addition]:
    missing: dict[str, str] = {}
    for place, value in places(document, "#"):
        reference = value.get("$ref")
        found = _SCHEMA.fullmatch(reference) if isinstance(reference, str) else None
        if found and look_up(document, found[0]) is None:
            missing.setdefault(found[1], place)
    for name, place in sorted(missing.items()):
        reason = (
            f"Tazapay's pages refer to {name} and do not define it. Fields whose content they leave open are text that"
            " holds JSON; if this one is not, correct it. Delete this when a page defines it."
        )
        action = _action("$", reason, {"update": {"components": {"schemas": {name: dict(STUB)}}}})
        problem = f"refers to #/components/schemas/{name}, which nothing defines"
        yield Addition(place, problem, f"defines {name} as string/json", action)


def _undeclared_parameters(document: JsonObject) -> Iterator[Addition]:
    parts = units(document)
    for unit, operation in parts.items():
        if not is_operation(unit) or not isinstance(operation, dict):
            continue
        listed = operation.get("parameters"), parts.get((*unit[:2], "parameters"))
        declared = {name for parameters in listed for name in _in_path(document, parameters)}
        for name in re.findall(r"\{([^{}]+)\}", unit[1]):
            if name not in declared:
                parameter: JsonObject = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                reason = f"The page of {title(unit)} does not declare this part of its path. Delete this when it does."
                place = pointer_to(unit)
                yield Addition(
                    place,
                    f"does not declare {{{shown(name)}}}, which its path has",
                    f"declares {{{shown(name)}}} of {title(unit)}",
                    _action(target_of(document, place), reason, {"update": {"parameters": [parameter]}}),
                )


def _in_path(document: JsonObject, parameters: JsonValue) -> Iterator[str]:
    for parameter in parameters if isinstance(parameters, list) else ():
        reference = parameter.get("$ref") if isinstance(parameter, dict) else None
        found = look_up(document, reference) if isinstance(reference, str) else (parameter, ())
        if found and isinstance(found[0], dict) and found[0].get("in") == "path":
            yield str(found[0].get("name"))


def _action(target: str, reason: str, what: JsonObject) -> str:
    said = ["description: >-", *wrap(reason, 110, initial_indent="  ", subsequent_indent="  ")]
    lines = [*dumped({"target": target}).splitlines(), *said, *dumped(what).splitlines()]
    return "- " + "\n  ".join(lines) + "\n"
