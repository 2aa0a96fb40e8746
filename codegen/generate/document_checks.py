"""What must be true of the merged document before anything is generated from it.

openapi-python-client drops an endpoint with a warning when a reference leads nowhere, lets a second operationId replace
the first in silence, and sends every `default:` as if the caller had chosen it. openapi-spec-validator finds the second
but not the others. So each has its check here, and each message names the place.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from codegen.errors import CodegenError
from codegen.generate.spec_validation import VALIDATORS
from codegen.generate.unfolding import unfolds_into_too_much
from codegen.read.documents import JsonObject, describe, shown
from codegen.read.references import escaped, look_up, places, references, steps_of

MAX_CHAIN = 20
"""A reference to a reference is rare; so many in a row are there to keep whoever follows them busy."""

_TOO_FAR = f"in a circle, or more than {MAX_CHAIN} times"

_MOST_PROBLEMS = 100
"""That one message lists."""

_LONGEST_PLACE = 500
"""Characters that a message spends on a place, which is as long as the names that lead to it."""

_NOT_OPERATIONS = frozenset({"summary", "description", "servers", "parameters"})


@dataclass(frozen=True, order=True)
class Operation:
    """One thing that the API can do."""

    path: str
    method: str
    operation_id: str

    def __str__(self) -> str:
        """Show it the way people write it."""
        return shown(f"{self.method.upper()} {self.path}  ") + shown(self.operation_id)


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

    def where(place: str) -> str:
        return shown(at(place), _LONGEST_PLACE)

    # References first: the validator would follow a remote one onto the network.
    _refuse(name, _bad_references(document, where))
    # Then what they lead to: the validator would follow each of them again and again.
    _refuse(name, [f"{where(place)} {problem}" for place, problem in unfolds_into_too_much(document)])
    _refuse(name, _breaches_of_openapi(document, where))
    _refuse(name, [_default_told(document, place, where) for place in bad_defaults(document)])
    _refuse(name, [name_told(document, place, where) for place in bad_names(document)])
    operations = tuple(_operations(document))
    if not operations:
        raise CodegenError(f"{name} defines no operation: there is nothing to generate")
    return Contents(operations, tuple(str(value["title"]) for _, value in found if _is_named_object(value)))


def _is_named_object(value: JsonObject) -> bool:
    return isinstance(value.get("title"), str) and (value.get("type") == "object" or "properties" in value)


def bad_defaults(document: JsonObject) -> list[str]:
    """Return the places whose default would be sent although the caller chose nothing: a reply's is not.

    Examples:
        >>> reply = {"responses": {"200": {"content": {"a": {"schema": {"default": 1}}}}}}
        >>> bad_defaults({"paths": {"/a": {"get": {"parameters": [{"schema": {"default": 1}}], **reply}}}})
        ['#/paths/~1a/get/parameters/0/schema']
    """
    return [place for place, value in places(document, "#") if "default" in value and not _OF_REPLY.match(place)]


_OF_REPLY = re.compile(r"#/(?:paths/[^/]+/[^/]+|components)/responses/")
_WHY_NO_DEFAULT = (
    "the client would send it although the caller chose nothing; remove it with an action of the overlay (remove: true)"
)


def _default_told(document: JsonObject, place: str, at: Callable[[str], str]) -> str:
    target = shown(target_of(document, f"{place}/default"), _LONGEST_PLACE)
    return f"{at(place)} has a default: {_WHY_NO_DEFAULT}\n    target: {target}"


NAMES_OF_MODELS = frozenset({"additional_properties", "cast", "cls", "d", "field_dict", "from_dict", "to_dict"})
"""A generated model uses them itself, `cast` if it has a list: with a property of such a name it does not work."""


def bad_names(document: JsonObject, names: Container[str] = NAMES_OF_MODELS) -> list[str]:
    """Return the places of properties whose attributes have one of these names.

    Examples:
        >>> bad_names({"components": {"schemas": {"A": {"properties": {"toDict": {}, "self": {}, "D": {}}}}}})
        ['#/components/schemas/A/properties/toDict', '#/components/schemas/A/properties/D']
    """
    return [
        f"{place}/properties/{escaped(name)}"
        for place, schema in places(document, "#")
        if isinstance(named := schema.get("properties"), dict)
        for name in named
        if python_name(name) in names
    ]


def python_name(name: str) -> str:
    """Return the name of the attribute that the generator gives a property.

    Examples:
        >>> [python_name(name) for name in ("toDict", "TO-DICT", "$d", "additional properties", "_d")]
        ['to_dict', 'to_dict', 'd', 'additional_properties', 'field_d']
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+", "_", name).strip("_").lower()
    return f"field_{words}" if name.startswith("_") else words


def name_told(document: JsonObject, place: str, at: Callable[[str], str]) -> str:
    """Say that a property breaks its model, and what to do."""
    name, target = str(steps_of(place, document)[-1]), target_of(document, place)
    return (
        f"{at(place)}: a property called {shown(name)} breaks its model, whose code uses that name itself; remove it by"
        " an action of the overlay (remove: true): a reply shows it all the same (Reply.data, Invoice.raw), and"
        f" body[{shown(repr(name))}] = ... sends it\n    target: {shown(target, _LONGEST_PLACE)}"
    )


def _refuse(name: str, problems: list[str]) -> None:
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        told = [*problems[:_MOST_PROBLEMS], *([f"and {more} more like these"] if more > 0 else [])]
        raise CodegenError("\n".join([f"{name} cannot be generated from:", *(f"  {problem}" for problem in told)]))


def target_of(document: JsonObject, place: str) -> str:
    """Write a place as the target of an action.

    Examples:
        >>> target_of({"paths": {"/a": [{}]}}, "#/paths/~1a/0/default")
        "$.paths['/a'][0].default"
    """
    plain = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
    steps = steps_of(place, document)
    return "$" + "".join(f".{step}" if plain.fullmatch(str(step)) else f"[{step!r}]" for step in steps)


def _bad_references(document: JsonObject, at: Callable[[str], str]) -> list[str]:
    problems = []
    for place, reference, problem in references(document, "#"):
        if problem or not isinstance(reference, str):
            problems.append(f"{at(place)} refers to {describe(reference)}, {problem}")
        elif look_up(document, reference) is None:
            problems.append(f"{at(place)} refers to {shown(reference)}, which the document does not hold")
        elif _leads_too_far(document, reference):
            problems.append(
                f"{at(place)} refers to {shown(reference)}, which leads to a reference, and so on: {_TOO_FAR}"
            )
        elif place.startswith("#/paths/") and place.count("/") == 2:
            problems.append(f"{at(place)} is a reference: the generator would drop its operations; write them out")
    return problems


def _leads_too_far(document: JsonObject, reference: str) -> bool:
    """Tell whether a reference leads to a reference, and so on, perhaps for ever."""
    for _ in range(MAX_CHAIN):
        found = look_up(document, reference)
        following = found[0].get("$ref") if found and isinstance(found[0], dict) else None
        if not isinstance(following, str):
            return False
        reference = following
    return True


def _breaches_of_openapi(document: JsonObject, at: Callable[[str], str]) -> list[str]:
    version = document.get("openapi")
    validator = VALIDATORS.get(version[:3]) if isinstance(version, str) else None
    if validator is None:
        return [f"openapi: version {describe(version)} is not supported; 3.0.x and 3.1.x are"]
    breaches = []
    try:
        for error in validator(document).iter_errors():
            place = "/".join(["#", *(escaped(str(step)) for step in error.absolute_path)])
            said = error.message.splitlines()[0]
            breaches.append(f"{at(place)}: {shown(said, 300)}")
    except Exception as error:  # noqa: BLE001 - the validator stumbles over some of what it should refuse
        breaches.append(
            f"openapi-spec-validator cannot read it ({shown(repr(error))}): look for a `components`, `parameters` or"
            " schema of the wrong type, and for references that lead in a circle"
        )
    return breaches


def _operations(document: JsonObject) -> Iterator[Operation]:
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method, operation in item.items() if isinstance(item, dict) else ():
            # Whatever else holds an object counts, also methods that the generator does not know and would pass over.
            if isinstance(operation, dict) and method not in _NOT_OPERATIONS and not method.startswith("x-"):
                yield Operation(path, method, str(operation.get("operationId", "(no operationId)")))
