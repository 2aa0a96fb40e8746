"""What it means for our users that a field came, went, became required or has another type."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from codegen.coverage import KINDS, Coverage, Covered, OperationCoverage, find_covered
from codegen.drift_changes import Severity, quoted
from codegen.drift_schemas import Field

Side: TypeAlias = Literal["request", "reply"]

_GENERATED_FORMATS = frozenset({"date", "date-time", "uuid", "binary"})
"""Formats for which openapi-python-client generates another Python type than for plain text."""

_UNCONTRACTED = "the wrapper does not call this operation"


class Verdict(NamedTuple):
    """How a change is to be taken, and why."""

    severity: Severity
    why: str


@dataclass(frozen=True)
class Wrapper:
    """What the wrapper does with one side of an operation."""

    coverage: Coverage
    operation: OperationCoverage | None
    """None: no method calls it."""
    side: Side

    def covered(self, key: str) -> Covered | None:
        """Return what the wrapper does with a field; None if nothing, or if nobody said."""
        return None if self.operation is None else find_covered(self.operation.side(self.side), key)

    def place(self, key: str) -> str:
        """Say where in the wrapper a field is, or would be, dealt with."""
        if self.operation is None or key == "(body)":
            return ""
        covered = self.covered(key)
        if self.side == "request":
            sent = f": {_arguments(covered, self.operation)}" if covered and covered.names else ""
            return self.coverage.places["request"] + sent
        if covered and covered.names:
            return f"{self.coverage.places['attribute']}: Invoice.{covered.names[0]}"
        return self.coverage.places["attribute" if "." in key else "envelope"]


def field_added(wrapper: Wrapper, field: Field) -> Verdict:
    """Judge a field that is new."""
    covered, operation = wrapper.covered(field.key), wrapper.operation
    if wrapper.side == "request":
        return _request_field_added(wrapper, field, covered)
    if operation is None:
        return Verdict("harmless", f"{_UNCONTRACTED}; the generated model has it")
    if covered is None:
        return Verdict("wrapper", f"{_only_raw(field)}: {_contract(field, 'attribute: ...')}")
    if covered.names:
        return Verdict("harmless", f"Invoice.{covered.names[0]} shows it already")
    return Verdict("harmless", covered.reason or "the wrapper reads it already")


def _request_field_added(wrapper: Wrapper, field: Field, covered: Covered | None) -> Verdict:
    operation = wrapper.operation
    if operation is None:
        if field.required:
            return Verdict("breaking", "it is required: callers of the generated function must give it")
        return Verdict("harmless", f"{_UNCONTRACTED}; the generated function takes it")
    if covered is not None and covered.always:
        return Verdict("harmless", f"{_arguments(covered, operation)} sends it in every request already")
    if covered is not None and covered.names:
        if field.required:
            return Verdict("breaking", f"it is required, but {_arguments(covered, operation)} may be left out")
        return Verdict("harmless", f"{_arguments(covered, operation)} sends it already")
    if field.required:
        return Verdict(
            "breaking",
            "it is required and no public argument sends it: the service refuses every request until the wrapper does;"
            f" {_contract(field, 'arguments: [...], always: true')}",
        )
    if covered is not None:
        return Verdict("harmless", f"left out on purpose: {covered.reason}")
    return Verdict("wrapper", f"no public argument sends it: {_contract(field, 'arguments: [...]')}")


def field_removed(wrapper: Wrapper, field: Field) -> Verdict:
    """Judge a field that is no longer there."""
    covered, operation = wrapper.covered(field.key), wrapper.operation
    if operation is None:
        return Verdict("breaking", f"{_UNCONTRACTED}, but callers of the generated one lose the field")
    if covered is None or covered.reason:
        return Verdict("harmless", covered.reason if covered else "the wrapper has nothing that uses it")
    if wrapper.side == "request":
        return Verdict("breaking", f"{_arguments(covered, operation)} would send what the service no longer knows")
    shown = f"Invoice.{covered.names[0]}" if covered.names else "the invoice"
    if field.is_shown_only:
        lost = "no reply could be read" if covered.always else f"{shown} would be None"
        return Verdict(
            "wrapper", f"only the example is without it; if the service stopped sending it, {lost}: ask Tazapay"
        )
    if covered.always or covered.holder:
        return Verdict("breaking", f"without it no reply can be read: {shown} is essential")
    return Verdict("breaking", f"{shown} becomes None for everybody who reads it")


def required_changed(wrapper: Wrapper, field: Field) -> Verdict:
    """Judge a field that became required, or optional."""
    covered, operation = wrapper.covered(field.key), wrapper.operation
    if wrapper.side == "request":
        if not field.required:
            return Verdict("harmless", "requests with it are as good as before")
        if covered is not None and covered.always and operation is not None:
            return Verdict("harmless", f"{_arguments(covered, operation)} is in every request")
        if field.key == "(body)" and operation is not None:
            return Verdict("harmless", "the wrapper sends a body with every request")
        given = _arguments(covered, operation) if covered and covered.names and operation else "what sends it"
        return Verdict("breaking", f"requests without it are refused now, and {given} may be left out")
    if field.required:
        if covered is not None and covered.always:
            return Verdict("harmless", "a reply without it is refused already")
        return Verdict(
            "wrapper",
            "generated code now raises KeyError on a reply without it: let an action of the overlay remove the entry"
            " unless the service always sends it",
        )
    if covered is not None and covered.always:
        return Verdict(
            "wrapper", f"Invoice.{covered.names[0]} is essential: a reply without it is refused as unreadable"
        )
    return Verdict("harmless", "what is missing in a reply is None already")


def type_changed(wrapper: Wrapper, before: Field, after: Field) -> Verdict:
    """Judge another type, another format, or another way to say the same."""
    if after.dangling:
        return Verdict(
            "wrapper",
            f"the document does not hold {quoted(after.dangling)}, so nothing can be generated: let an action of the"
            " overlay define it, or import with --stub-missing, which adds that action",
        )
    if before.dangling:  # something was generated from it: an overlay took it for text, as --stub-missing does
        before = replace(before, kinds=frozenset({"string"}), dangling="")
    if _shape(before) == _shape(after) and before.component == after.component:
        return Verdict("harmless", "the generated type is the same")
    if _shape(before) == _shape(after):
        if "object" in after.kinds and wrapper.side == "request":
            return Verdict("wrapper", "the type is the same, but its generated class has another name")
        return Verdict("harmless", "the type is the same, only said in another place")
    covered = wrapper.covered(after.key)
    if _allows(after, before) if wrapper.side == "request" else _allows(before, after):
        return Verdict("harmless", "what was good before is good now")
    if wrapper.operation is None:
        return Verdict("breaking", f"{_UNCONTRACTED}, but the generated type changes for those who do")
    if covered is None:
        return Verdict("harmless", "the wrapper has nothing that uses it")
    if covered.reason or after.kinds - {"null"} <= covered.kinds:
        if after.is_shown_only:
            return Verdict("harmless", "the wrapper reads both")
        verb = "send" if wrapper.side == "request" else "decode"
        return Verdict("wrapper", f"the wrapper has to {verb} it otherwise; its public names can stay")
    known = ", ".join(sorted(covered.kinds)) or "nothing else"
    verb = "writes" if wrapper.side == "request" else "reads"
    return Verdict("breaking", f"the wrapper {verb} {known} there: what it does now fails")


def describe_type(field: Field) -> str:
    """Say a type in words.

    Examples:
        >>> describe_type(Field("metadata", "metadata", frozenset({"string"}), True, (), {"format": "json"}))
        'string (json)'
        >>> describe_type(Field("a", "a", frozenset(), True, (), component="A", dangling="#/components/schemas/A"))
        'reference to `A`, which is not there'
    """
    if field.dangling:
        return f"reference to {quoted(field.component)}, which is not there"
    said = " or ".join(kind if kind in KINDS else quoted(kind) for kind in sorted(field.kinds)) or "any type"
    form = field.keywords.get("format")
    said = f"{said} ({str(form)[:40]})" if isinstance(form, str) and form.isascii() and form.isprintable() else said
    return f"{quoted(field.component)}, which is {said}" if field.component else said


def _shape(field: Field) -> tuple[frozenset[str], object]:
    """Return what decides on the generated type, apart from the name of a class."""
    form = field.keywords.get("format")
    return field.kinds, form if isinstance(form, str) and form in _GENERATED_FORMATS else None


def _allows(wide: Field, narrow: Field) -> bool:
    """Tell whether every value that one type allows is allowed by the other, in the same generated form."""
    kinds = wide.kinds | {"integer"} if "number" in wide.kinds else wide.kinds
    return _shape(wide)[1] == _shape(narrow)[1] and (not kinds or (bool(narrow.kinds) and narrow.kinds <= kinds))


def _arguments(covered: Covered, operation: OperationCoverage) -> str:
    """Name the arguments that send a field.

    Examples:
        >>> _arguments(Covered(names=("amount_sats", "amount_btc")), OperationCoverage("", "create_invoice", {}, {}))
        'create_invoice(amount_sats=, amount_btc=)'
    """
    return f"{operation.method}({', '.join(f'{name}=' for name in covered.names)})"


def _only_raw(field: Field) -> str:
    return "Invoice shows it only in raw" if "." in field.key else "nothing reads it"


def _contract(field: Field, entry: str) -> str:
    entry_key = field.key.rpartition(".")[2] if field.key.startswith("data.") else field.key
    what = "an argument" if entry.startswith("arguments") else "an attribute"
    return (
        f"add {what}, and name it in codegen/wrapper_coverage.yaml ({quoted(f'{entry_key}: {{{entry}}}')}), or a reason"
    )
