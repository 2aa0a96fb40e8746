"""Add operations that no published page in the document describes yet; a published one always wins."""

from pathlib import Path

from codegen.layout import SUPPLEMENT
from codegen.read.documents import JsonObject, JsonValue, load_document
from codegen.read.units import Unit, is_operation, joined, path_shape, units
from codegen.team import team_files


def read_supplements(root: Path) -> dict[str, JsonObject]:
    """Read our supplement and those of a team, by their names.

    Raises:
        CodegenError: A file is missing or refused.
    """
    files = {SUPPLEMENT: root / SUPPLEMENT, **team_files(root)["supplements"]}
    return {name: load_document(path, name) for name, path in files.items()}


def supplemented(document: JsonObject, *supplements: JsonObject) -> JsonObject:
    """Return the document with the operations and components of supplements that it does not define itself.

    Args:
        document: What is published.
        supplements: OpenAPI documents of which only `paths` and `components` count; a later one wins over an earlier.

    Examples:
        >>> supplement = {"paths": {"/a": {"get": {"x": 1}}, "/b/{id}": {"get": {}}}}
        >>> supplemented({"paths": {"/b/{name}": {"get": {"y": 2}}}}, supplement)["paths"]
        {'/b/{name}': {'get': {'y': 2}}, '/a': {'get': {'x': 1}}}
    """
    for supplement in reversed(supplements):
        in_vain = superseded(document, supplement)
        added = {unit: value for unit, value in _offered(supplement).items() if unit not in in_vain}
        document = joined({**units(document), **added}) if added else document
    return document


def superseded(document: JsonObject, supplement: JsonObject) -> tuple[Unit, ...]:
    """Return what the supplement holds in vain, because the document defines it.

    Examples:
        >>> superseded({"paths": {"/b/{name}": {"get": {}}}}, {"paths": {"/b/{id}": {"get": {}, "put": {}}}})
        (('paths', '/b/{id}', 'get'),)
    """
    defined = {_same(unit) for unit in units(document)}
    return tuple(unit for unit in _offered(supplement) if _same(unit) in defined)


def _offered(supplement: JsonObject) -> dict[Unit, JsonValue]:
    return {unit: value for unit, value in units(supplement).items() if is_operation(unit) or unit[0] == "components"}


def _same(unit: Unit) -> Unit:
    """Return a part with its path's shape: the names of path parameters do not tell one operation from another."""
    return (unit[0], path_shape(unit[1]), *unit[2:]) if is_operation(unit) else unit
