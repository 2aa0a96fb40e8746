"""Where the document and the contract with the wrapper do not fit each other, and what to do about it."""

from collections.abc import Iterator, Mapping

from codegen.drift.changes import printable
from codegen.drift.coverage import COVERAGE, Coverage, Covered, OperationCoverage, find_covered
from codegen.drift.fields import OperationPart, operations_of, reply_fields, request_fields
from codegen.drift.overlay_effects import Effects
from codegen.drift.schemas import Field
from codegen.read.documents import JsonObject


def coverage_gaps(document: JsonObject, coverage: Coverage) -> list[str]:
    """List what the document has and the contract does not, and the other way round.

    Args:
        document: The document with the overlay applied, which is what the client is generated from.
        coverage: The contract.

    Returns:
        A sentence for each operation and each field, in the order of the document, that says what to do and where.

    Raises:
        CodegenError: The schemas of an operation unfold into more fields than any operation has.

    Examples:
        >>> for gap in coverage_gaps({"paths": {"/v3/a": {"get": {}}}}, Coverage()):
        ...     print(gap)
        GET /v3/a is in no method of the wrapper: add one to both clients (the wrapper), and name it, with all of its
        fields, in codegen/wrapper_coverage.yaml
    """
    gaps = []
    known = set()
    for operation in operations_of(document):
        covered = coverage.operation(operation.method, operation.path)
        if covered is None:
            gaps.append(
                f"{printable(operation.name)} is in no method of the wrapper: add one to both clients"
                f" ({coverage.places['method']}), and name it, with all of its fields, in {COVERAGE}"
            )
            continue
        known.add(covered.name)
        gaps += _gaps_of(document, operation, covered, coverage)
    gaps += [
        f"{COVERAGE} names {covered.name}, which the document does not have: delete it there, and what it describes in"
        f" {coverage.places['method']}"
        for covered in coverage.operations.values()
        if covered.name not in known
    ]
    return gaps


def _gaps_of(
    document: JsonObject, operation: OperationPart, covered: OperationCoverage, coverage: Coverage
) -> Iterator[str]:
    nothing = Effects(document, ())
    name = printable(operation.name)
    request = request_fields(document, operation, nothing)
    for key, field in _open(request, covered.request):
        yield (
            f"{name}: no argument of {covered.method} sends the field `{printable(field.name)}`. Add one to both"
            f" clients ({coverage.places['method']}), let it fill the field ({coverage.places['request']}), and write"
            f" in {COVERAGE}: `{printable(key)}: {{arguments: [...], kinds: [...]}}`; or there, why nothing sends it:"
            f" `{printable(key)}: {{reason: ...}}`"
        )
    reply = reply_fields(document, operation, nothing)
    for key, field in _open(reply, covered.reply):
        entry = printable(key.rpartition(".")[2])
        yield (
            f"{name}: nothing shows the field `{printable(field.name)}` of the reply but Invoice.raw. Add an attribute"
            f" ({coverage.places['attribute']}), and write in {COVERAGE}: `{entry}: {{attribute: ..., kinds: [...]}}`;"
            f" or there, why nothing shows it: `{entry}: {{reason: ...}}`"
        )
    for side, found in (("request", request), ("reply", reply)):
        fields = covered.side(side)
        for key in fields:
            around = fields.get(key.partition(".")[0])
            # of an object, Tazapay documents more than the document shows
            if key not in found and not ("." in key and around is not None and around.holder):
                yield f"{COVERAGE}: {covered.name}: {side}: the document has no `{printable(key)}`: delete the entry"


def _open(found: Mapping[str, Field], covered: Mapping[str, Covered]) -> Iterator[tuple[str, Field]]:
    for key, field in found.items():
        if key != "(body)" and find_covered(covered, key) is None:
            yield key, field
