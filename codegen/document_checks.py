"""What must be true of the merged document before anything is generated from it.

openapi-python-client drops an endpoint with a warning when a reference leads nowhere, lets a second operationId replace
the first in silence, and sends every `default:` as if the caller had chosen it. openapi-spec-validator finds the second
but not the others. So each has its check here, and each message names the place.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from codegen.documents import JsonObject, JsonValue, describe
from codegen.errors import CodegenError
from codegen.references import look_up

_VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
_NOT_OPERATIONS = frozenset({"summary", "description", "servers", "parameters"})

_DATA = frozenset({"const", "default", "enum", "example", "value", "variables"})
"""Keywords below which everything is data, or (server `variables`) needs its default: no schema is in there."""

_NAMED = frozenset(
    {
        *("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"),
        *("schemas", "responses", "requestBodies", "headers", "securitySchemes", "links", "callbacks", "pathItems"),
        *("paths", "webhooks", "content", "encoding", "mapping", "scopes", "examples", "parameters"),
    }
)
"""Keywords whose keys are names that somebody chose: a property may be called `default`."""


@dataclass(frozen=True, order=True)
class Operation:
    """One thing that the API can do."""

    path: str
    method: str
    operation_id: str

    def __str__(self) -> str:
        """Show it the way people write it."""
        return f"{self.method.upper()} {self.path}  {self.operation_id}"


@dataclass(frozen=True)
class Contents:
    """What a client generated from a document must hold."""

    operations: tuple[Operation, ...]
    """In the order of the document."""
    models: tuple[str, ...]
    """The titles of the schemas that describe objects."""


def check_document(document: JsonObject, name: str, at: Callable[[str], str] = str) -> Contents:
    """Return what a client must hold that is generated from a document, once the document is fit for that.

    Args:
        document: The document with the overlay applied.
        name: What messages call the document.
        at: Says where the place that a JSON pointer names is, for whoever knows more than the pointer.

    Raises:
        CodegenError: The document is not OpenAPI 3.0 or 3.1, refers to what it does not hold or to another document,
            gives a schema a `default`, or defines no operation. All that is found is listed.
    """
    found = list(places(document, "#"))
    # References first: the validator would follow a remote one onto the network.
    _refuse(name, _bad_references(document, found, at))
    _refuse(name, _breaches_of_openapi(document, at))
    defaults = [place for place, value in found if "default" in value]
    _refuse(
        name,
        [
            f"{at(place)} has a default: {_WHY_NO_DEFAULT}\n    target: {_query(document, f'{place}/default')}"
            for place in defaults
        ],
    )
    operations = tuple(_operations(document))
    if not operations:
        raise CodegenError(f"{name} defines no operation: there is nothing to generate")
    return Contents(operations, tuple(str(value["title"]) for _, value in found if _is_named_object(value)))


def _is_named_object(value: JsonObject) -> bool:
    return isinstance(value.get("title"), str) and (value.get("type") == "object" or "properties" in value)


_WHY_NO_DEFAULT = (
    "the client would send it although the caller chose nothing; remove it with an action of the overlay (remove: true)"
)


def _refuse(name: str, problems: list[str]) -> None:
    if problems:
        raise CodegenError("\n".join([f"{name} cannot be generated from:", *(f"  {problem}" for problem in problems)]))


def places(value: JsonValue, place: str, *, named: bool = False) -> Iterator[tuple[str, JsonObject]]:
    """Find every object whose keys are keywords of OpenAPI, with a JSON pointer to it."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from places(element, f"{place}/{index}")
    elif isinstance(value, dict):
        if not named:
            yield place, value
        for key, member in value.items():
            # `examples` is a map of example objects in most places, but a list of plain data in a schema
            data = key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(member, list))
            if named or not data:
                here = f"{place}/{_escaped(key)}"
                yield from places(member, here, named=not named and key in _NAMED)


def _escaped(step: str) -> str:
    """Write a key as one step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def steps_of(place: str, document: JsonValue) -> tuple[str | int, ...]:
    """Turn a JSON pointer into steps; what leads into a list becomes a number.

    Examples:
        >>> steps_of("#/paths/~1a/0", {"paths": {"/a": [1]}})
        ('paths', '/a', 0)
    """
    steps: list[str | int] = []
    for step in place.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            steps.append(int(key))
            document = document[int(key)]
        else:
            steps.append(key)
            document = document.get(key) if isinstance(document, dict) else None
    return tuple(steps)


def _query(document: JsonObject, place: str) -> str:
    """Write a place as the target of an action.

    Examples:
        >>> _query({"paths": {"/a": [{}]}}, "#/paths/~1a/0/default")
        "$.paths['/a'][0].default"
    """
    plain = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
    steps = steps_of(place, document)
    return "$" + "".join(f".{step}" if plain.fullmatch(str(step)) else f"[{step!r}]" for step in steps)


def _bad_references(document: JsonObject, found: list[tuple[str, JsonObject]], at: Callable[[str], str]) -> list[str]:
    problems = []
    for place, value in found:
        reference = value.get("$ref")
        if "$ref" not in value:
            continue
        if not isinstance(reference, str) or not reference.startswith("#"):
            problems.append(
                f"{at(place)} refers to {describe(reference)}: only references into the document (#/...) work"
            )
        elif not resolves(document, reference):
            problems.append(f"{at(place)} refers to {reference}, which the document does not hold")
        elif place.startswith("#/paths/") and place.count("/") == 2:
            problems.append(f"{at(place)} is a reference: the generator would drop its operations; write them out")
    return problems


def resolves(document: JsonValue, reference: str) -> bool:
    """Tell whether a reference leads to something inside the document.

    Examples:
        >>> document = {"paths": {"/a": [{"b": 1}]}}
        >>> resolves(document, "#/paths/~1a/0/b"), resolves(document, "#/paths/~1a/1"), resolves(document, "#b")
        (True, False, False)
    """
    return look_up(document, reference) is not None


def _breaches_of_openapi(document: JsonObject, at: Callable[[str], str]) -> list[str]:
    version = document.get("openapi")
    validator = _VALIDATORS.get(version[:3]) if isinstance(version, str) else None
    if validator is None:
        return [f"openapi: version {describe(version)} is not supported; 3.0.x and 3.1.x are"]
    breaches = []
    try:
        for error in validator(document).iter_errors():
            place = "/".join(["#", *(_escaped(str(step)) for step in error.absolute_path)])
            breaches.append(f"{at(place)}: {error.message.splitlines()[0][:300]}")
    except Exception as error:  # noqa: BLE001 - the validator stumbles over some of what it should refuse
        breaches.append(
            f"openapi-spec-validator cannot read it ({error!r}): look for a `components`, `parameters` or schema of "
            "the wrong type, and for references that lead in a circle"
        )
    return breaches


def _operations(document: JsonObject) -> Iterator[Operation]:
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method, operation in item.items() if isinstance(item, dict) else ():
            # Whatever else holds an object counts, also methods that the generator does not know and would pass over.
            if isinstance(operation, dict) and method not in _NOT_OPERATIONS and not method.startswith("x-"):
                yield Operation(path, method, str(operation.get("operationId", "(no operationId)")))
