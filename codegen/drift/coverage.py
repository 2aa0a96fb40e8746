"""The contract between the document and the wrapper: which argument sends a field, which attribute shows one.

It stands in `codegen/wrapper_coverage.yaml`. The drift report judges changes by it, and the wrapper's tests prove it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codegen.errors import CodegenError
from codegen.generate.package_checks import path_shape
from codegen.read.documents import JsonObject, JsonValue, describe, load_document

COVERAGE = "codegen/wrapper_coverage.yaml"

KINDS = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
"""The types that JSON Schema knows."""

_KEYS = frozenset({"arguments", "attribute", "object", "reason", "always", "kinds", "kinds_by_option"})
_PLACES = ("method", "request", "envelope", "attribute")


@dataclass(frozen=True)
class Covered:
    """What the wrapper does with one field."""

    names: tuple[str, ...] = ()
    """The public arguments that send it, or the attribute of `Invoice` that shows it; empty if there is none."""
    reason: str = ""
    """Why there is none."""
    holder: str = ""
    """The object whose fields have entries of their own; empty for what counts as a whole."""
    always: bool = False
    """Whether every request sends it, or no reply is an invoice without it."""
    kinds: frozenset[str] = frozenset()
    """The JSON types that the wrapper writes there unless it is told otherwise, or that it can read there."""
    kinds_by_option: Mapping[str, str] = field(default_factory=dict)
    """The JSON types that it writes only under an option of the client, such as ``metadata_format="object"``."""


@dataclass(frozen=True)
class OperationCoverage:
    """What the wrapper does with one operation."""

    name: str
    """Method and path as the contract writes them."""
    method: str
    """The method of both clients that calls it."""
    request: Mapping[str, Covered]
    reply: Mapping[str, Covered]

    def side(self, side: str) -> Mapping[str, Covered]:
        """Return the fields of "request" or "reply"."""
        return self.request if side == "request" else self.reply


@dataclass(frozen=True)
class Coverage:
    """What the wrapper does with every field of every operation."""

    places: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(_PLACES, "the wrapper"))
    """Where in the wrapper something of a kind is."""
    security: str = ""
    """The kind of security that the wrapper can provide, such as ``http basic``."""
    operations: Mapping[tuple[str, str], OperationCoverage] = field(default_factory=dict)
    """By method in lower case and shape of the path."""

    def operation(self, method: str, path: str) -> OperationCoverage | None:
        """Return what is said about an operation, whatever the document calls the parameters of its path."""
        return self.operations.get((method.lower(), path_shape(path)))


def find_covered(fields: Mapping[str, Covered], key: str) -> Covered | None:
    """Return what covers a field: its own entry, or that of a field around it that counts as a whole.

    Examples:
        >>> fields = {"metadata": Covered(names=("metadata",)), "data": Covered(holder="invoice")}
        >>> find_covered(fields, "metadata.order_id").names, find_covered(fields, "data.new")
        (('metadata',), None)
    """
    known = fields.get(key)
    while known is None and key:
        key = max(key.rpartition(".")[0], key.rpartition("[")[0], key=len)
        known = fields.get(key)
        if known is not None and known.holder:
            return None
    return known


def load_coverage(root: Path) -> Coverage:
    """Read the contract of a repository.

    Raises:
        CodegenError: The contract is missing, or `read_coverage` refuses it.
    """
    return read_coverage(load_document(root / COVERAGE, COVERAGE), COVERAGE)


def read_coverage(contract: JsonObject, name: str) -> Coverage:
    """Return the contract that a document holds.

    Args:
        contract: The document as read by `codegen.read.documents`.
        name: What messages call the document.

    Raises:
        CodegenError: A part is missing, has another form, or is unknown; the message names the place.

    Examples:
        >>> coverage = read_coverage({
        ...     "places": {"method": "client.py", "request": "a.py", "envelope": "b.py", "attribute": "c.py"},
        ...     "security": "http basic",
        ...     "objects": {"invoice": {"id": {"attribute": "id", "kinds": ["string"]}}},
        ...     "operations": {
        ...         "GET /v3/a/{id}": {"method": "get", "request": {}, "reply": {"data": {"object": "invoice"}}}
        ...     },
        ... }, "coverage.yaml")
        >>> coverage.operation("GET", "/v3/a/{name}").reply["data.id"].names
        ('id',)
    """
    reader = _Reader(name)
    places = reader.object(contract, "places", "")
    objects = {
        each: reader.fields(reader.object(contract["objects"], each, "objects: "), f"objects: {each}: ", {})
        for each in reader.object(contract, "objects", "")
        if isinstance(contract["objects"], dict)
    }
    listed = reader.object(contract, "operations", "")
    operations = {}
    for each in listed:
        where = f"operations: {each}: "
        method, _, path = each.partition(" ")
        said = reader.object(listed, each, "operations: ")
        operations[(method.lower(), path_shape(path))] = OperationCoverage(
            each,
            reader.text(said, "method", where),
            reader.fields(reader.object(said, "request", where), f"{where}request: ", {}),
            reader.fields(reader.object(said, "reply", where), f"{where}reply: ", objects),
        )
    return Coverage(
        {place: reader.text(places, place, "places: ") for place in _PLACES},
        reader.text(contract, "security", ""),
        operations,
    )


@dataclass(frozen=True)
class _Reader:
    """Reads parts of the contract and refuses what has another form."""

    name: str

    def object(self, holder: JsonValue, key: str, where: str) -> JsonObject:
        value = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(value, dict):
            raise CodegenError(f"{self.name}: {where}{key} must be an object, not {describe(value)}")
        return value

    def text(self, holder: JsonObject, key: str, where: str) -> str:
        value = holder.get(key)
        if not isinstance(value, str) or not value.strip():
            raise CodegenError(f"{self.name}: {where}{key} must be text, not {describe(value)}")
        return value

    def fields(
        self, listed: JsonObject, where: str, objects: Mapping[str, Mapping[str, Covered]]
    ) -> dict[str, Covered]:
        """Read the entries of fields, with those of the objects that they hold."""
        fields: dict[str, Covered] = {}
        for key in listed:
            covered = self.covered(self.object(listed, key, where), f"{where}{key}: ")
            fields[parameter_key(key)] = covered
            if covered.holder and covered.holder not in objects:
                raise CodegenError(f"{self.name}: {where}{key}: there is no object {covered.holder!r}")
            fields |= {f"{key}.{inner}": each for inner, each in objects.get(covered.holder, {}).items()}
        return fields

    def covered(self, said: JsonObject, where: str) -> Covered:
        arguments, attribute = said.get("arguments", []), said.get("attribute")
        names = [attribute] if attribute is not None else arguments
        kinds, always = said.get("kinds", []), said.get("always", False)
        options = said.get("kinds_by_option", {})
        if len([key for key in ("arguments", "attribute", "object", "reason") if said.get(key)]) != 1:
            raise CodegenError(f"{self.name}: {where}exactly one of arguments, attribute, object and reason is needed")
        if unknown := sorted(said.keys() - _KEYS):
            raise CodegenError(
                f"{self.name}: {where}{', '.join(unknown)} is unknown; known are {', '.join(sorted(_KEYS))}"
            )
        if not isinstance(names, list) or not isinstance(kinds, list) or not isinstance(always, bool):
            raise CodegenError(f"{self.name}: {where}arguments and kinds must be lists, and always true or false")
        if not isinstance(options, dict) or not all(
            isinstance(each, str) and each.strip() for each in options.values()
        ):
            raise CodegenError(f"{self.name}: {where}kinds_by_option must name the option of each kind in text")
        if options.keys() & {kind for kind in kinds if isinstance(kind, str)}:
            raise CodegenError(f"{self.name}: {where}a kind is written by default, or under an option, and not both")
        if wrong := [kind for kind in [*kinds, *options] if not isinstance(kind, str) or kind not in KINDS]:
            raise CodegenError(f"{self.name}: {where}{describe(wrong[0])} is no type of JSON Schema")
        texts = {key: self.text(said, key, where) if key in said else "" for key in ("reason", "object")}
        return Covered(
            tuple(str(each) for each in names),
            texts["reason"],
            texts["object"],
            always,
            frozenset(map(str, kinds)),
            {kind: str(option) for kind, option in options.items()},
        )


def parameter_key(key: str) -> str:
    """Return the key of a field as it is compared: names of headers have no case (RFC 9110, section 5.1).

    Examples:
        >>> parameter_key("(header Idempotency-Key)"), parameter_key("Amount")
        ('(header idempotency-key)', 'Amount')
    """
    return key.lower() if key.startswith("(header ") else key
