"""Components that published pages refer to and none of them defines."""

import re
from collections.abc import Iterator
from textwrap import wrap

from codegen.generate.document_checks import places, resolves
from codegen.overlay.actions import Action
from codegen.read.block_text import dumped
from codegen.read.documents import JsonObject, JsonValue

_SCHEMA = re.compile(r"#/components/schemas/([A-Za-z0-9._-]+)")
_STUB: JsonObject = {"type": "string", "format": "json"}
"""What Tazapay gives as the type of fields whose content it does not describe."""


def missing_schemas(document: JsonObject) -> dict[str, str]:
    """Name the schemas that a document refers to and does not define, each with the first place that refers to it.

    Examples:
        >>> missing_schemas({"paths": {"/a": {"$ref": "#/components/schemas/A"}, "/b": {"$ref": "#/components/x/B"}}})
        {'A': '#/paths/~1a'}
    """
    missing: dict[str, str] = {}
    for place, reference in _references(document):
        found = _SCHEMA.fullmatch(reference)
        if found and not resolves(document, reference):
            missing.setdefault(found[1], place)
    return dict(sorted(missing.items()))


def _references(document: JsonObject) -> Iterator[tuple[str, str]]:
    for place, value in places(document, "#"):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield place, reference


def stub_action(name: str) -> str:
    """Return the action of the overlay that defines a schema, as an entry of its list.

    Examples:
        >>> print(stub_action("MetadataInput"), end="")
        - target: $
          description: >-
            Tazapay's pages refer to MetadataInput and do not define it. Fields whose content they leave open are text
            that holds JSON; if this one is not, correct it. Delete this when a page defines it.
          update:
            components:
              schemas:
                MetadataInput:
                  type: string
                  format: json
    """
    reason = (
        f"Tazapay's pages refer to {name} and do not define it. Fields whose content they leave open are text that"
        " holds JSON; if this one is not, correct it. Delete this when a page defines it."
    )
    update: JsonObject = {"update": {"components": {"schemas": {name: dict(_STUB)}}}}
    lines = ["- target: $", "  description: >-", *wrap(reason, 112, initial_indent=" " * 4, subsequent_indent=" " * 4)]
    return "\n".join([*lines, *(f"  {line}" for line in dumped(update).splitlines())]) + "\n"


def stubbed_component(action: Action) -> str | None:
    """Return the schema that an action stubs; None if it does something else."""
    schemas: JsonValue = action.update
    for key in ("components", "schemas"):
        if not isinstance(schemas, dict) or schemas.keys() != {key}:
            return None
        schemas = schemas[key]
    if action.target != "$" or not isinstance(schemas, dict) or len(schemas) != 1:
        return None
    name, schema = next(iter(schemas.items()))
    return name if schema == _STUB else None
