"""The contract between the document and the wrapper: which argument sends a field, which attribute shows one.

It stands in `codegen/wrapper_coverage.yaml`. The drift report judges changes by it, and the wrapper's tests prove it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from codegen.errors import CodegenError
from codegen.read.documents import JsonObject, load_document
from codegen.read.units import path_shape

COVERAGE = "codegen/wrapper_coverage.yaml"

_SIDES = ("request", "reply")
KINDS = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
"""The types that JSON Schema knows."""

Key: TypeAlias = tuple[str, ...]
"""The steps to a field: ``("data", "id")``, ``("(header)", "idempotency-key")``, ``("(path)", "1")``; ``()``: body."""


@dataclass(frozen=True)
class Covered:
    """What the wrapper does with one field."""

    names: tuple[str, ...] = ()
    """The public arguments that send it, or the attribute that shows it; empty for what only holds other fields."""
    always: bool = False
    """Whether every request has it, or no reply can be read without it."""
    kinds: frozenset[str] = frozenset()
    """The JSON types that the wrapper writes there unless it is told otherwise, or that it can read there."""
    kinds_by_option: Mapping[str, str] = field(default_factory=dict)
    """The JSON types that it writes only under an option of the client, such as ``metadata_format="object"``."""


@dataclass(frozen=True)
class OperationCoverage:
    """What the wrapper does with one operation."""

    method: str
    """The method of both clients that calls it."""
    request: Mapping[Key, Covered] = field(default_factory=dict)
    reply: Mapping[Key, Covered] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """What the wrapper does with each field of the operations that a method of it calls."""

    security: str = "http basic"
    """The kind of security that the wrapper can provide."""
    operations: Mapping[tuple[str, str], OperationCoverage] = field(default_factory=dict)
    """By method in lower case and shape of the path."""

    def operation(self, method: str, path: str) -> OperationCoverage | None:
        """Return what is said about an operation, whatever the document calls the parameters of its path."""
        return self.operations.get((method.lower(), path_shape(path)))


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
        CodegenError: A part is missing, has another form, or is unknown.

    Examples:
        >>> coverage = read_coverage({
        ...     "security": "http basic",
        ...     "operations": {
        ...         "GET /a/{id}": {"method": "get", "reply": {"data.id": {"attribute": "A.id", "kinds": ["string"]}}}
        ...     },
        ... }, "coverage.yaml")
        >>> coverage.operation("GET", "/a/{name}").reply["data", "id"].names
        ('A.id',)
    """
    try:
        listed: Any = contract["operations"]
        return Coverage(str(contract["security"]), dict(_operation(each, said) for each, said in listed.items()))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CodegenError(f"{name} is not of the form that its first lines describe: {error!r}") from None


def _operation(name: str, said: Any) -> tuple[tuple[str, str], OperationCoverage]:
    method, _, path = name.partition(" ")
    sides = [{key_of(key): _covered(**entry) for key, entry in said.get(side, {}).items()} for side in _SIDES]
    if unknown := said.keys() - {"method", *_SIDES}:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))}")
    return (method.lower(), path_shape(path)), OperationCoverage(str(said["method"]), *sides)


def _covered(
    kinds: list[str],
    arguments: Sequence[str] = (),
    attribute: str = "",
    *,
    always: bool = False,
    kinds_by_option: Mapping[str, str] | None = None,
) -> Covered:
    """Read one entry: its keys are the arguments."""
    if unknown := {*kinds, *(kinds_by_option or {})} - KINDS:
        raise ValueError(f"{sorted(unknown)} are no types of JSON Schema")
    names = (attribute,) if attribute else tuple(arguments)
    return Covered(names, always is True, frozenset(kinds), kinds_by_option or {})


def key_of(text: str) -> Key:
    """Return the key of a field as the contract writes it: names of headers have no case (RFC 9110, section 5.1).

    Examples:
        >>> key_of("(header Idempotency-Key)"), key_of("data.id")
        (('(header)', 'idempotency-key'), ('data', 'id'))
    """
    if not text.startswith("("):
        return tuple(text.split("."))
    where, _, name = text[1:].removesuffix(")").partition(" ")
    return parameter_key(where, name)


def parameter_key(where: str, name: str) -> Key:
    """Return the key of a parameter."""
    return f"({where})", name.lower() if where == "header" else name
