"""What it means for our users that a field came, went or became required."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from codegen.drift.changes import Severity, quoted
from codegen.drift.coverage import Coverage, Covered, OperationCoverage, find_covered
from codegen.drift.schemas import Field

Side: TypeAlias = Literal["request", "reply"]

_WORDS = frozenset({"title", "description", "example", "examples", "externalDocs", "deprecated", "$comment"})
UNCONTRACTED = "the wrapper does not call this operation"


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

    def is_part(self, key: str) -> bool:
        """Tell whether a field counts only as a part of what a caller writes or reads as a whole, as in metadata."""
        return (
            self.operation is not None and self.covered(key) is not None and key not in self.operation.side(self.side)
        )

    def place(self, key: str) -> str:
        """Say where in the wrapper a field is, or would be, dealt with."""
        if self.operation is None or key == "(body)":
            return ""
        covered = self.covered(key)
        if self.side == "request":
            sent = f": {arguments_of(covered, self.operation)}" if covered and covered.names else ""
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
        return Verdict("harmless", f"{UNCONTRACTED}; the generated model has it")
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
        return Verdict("harmless", f"{UNCONTRACTED}; the generated function takes it")
    if covered is not None and covered.always:
        return Verdict("harmless", f"{arguments_of(covered, operation)} sends it in every request already")
    if covered is not None and covered.names:
        if field.required:
            return Verdict("breaking", f"it is required, but {arguments_of(covered, operation)} may be left out")
        return Verdict("harmless", f"{arguments_of(covered, operation)} sends it already")
    if field.required:
        return Verdict(
            "breaking",
            "it is required and no public argument sends it: the service refuses every request until the wrapper does;"
            f" {_contract(field, 'arguments: [...], always: true')}",
        )
    if covered is not None:
        return Verdict("harmless", f"left out on purpose: {covered.reason}")
    return Verdict("wrapper", f"no public argument sends it: {_contract(field, 'arguments: [...]')}")


def part_added(wrapper: Wrapper, field: Field) -> Verdict:
    """Judge a field that is new in what callers write or read as a whole."""
    if field.required:
        return required_changed(wrapper, field)
    said = [keyword for keyword in field.keywords if keyword not in _WORDS and not keyword.startswith("x-")]
    if not (field.kinds or field.component or field.dangling or said):
        return Verdict("harmless", "it is a part of what callers write and read as a whole, and anything is good")
    if wrapper.side == "request":
        return Verdict("wrapper", "callers write it themselves: what they write may not fit what is described now")
    return Verdict("wrapper", "it is passed on as it comes: look whether generated code reads more strictly now")


def field_removed(wrapper: Wrapper, field: Field) -> Verdict:
    """Judge a field that is no longer there."""
    covered, operation = wrapper.covered(field.key), wrapper.operation
    if wrapper.is_part(field.key):
        return Verdict("harmless", "it was a part of what callers write and read as a whole, and no more is said of it")
    if operation is None:
        return Verdict("breaking", f"{UNCONTRACTED}, but callers of the generated one lose the field")
    if covered is None or covered.reason:
        return Verdict("harmless", covered.reason if covered else "the wrapper has nothing that uses it")
    if wrapper.side == "request":
        return Verdict("breaking", f"{arguments_of(covered, operation)} would send what the service no longer knows")
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
    if wrapper.is_part(field.key) and covered is not None:
        if wrapper.side == "request" and field.required:
            what = f"callers write what {arguments_of(covered, operation)} takes" if operation else "callers write it"
            return Verdict("breaking", f"{what}: what lacks it is refused now")
        covered = None
    if wrapper.side == "request":
        if not field.required:
            return Verdict("harmless", "requests with it are as good as before")
        if covered is not None and covered.always and operation is not None:
            return Verdict("harmless", f"{arguments_of(covered, operation)} is in every request")
        if field.key == "(body)" and operation is not None:
            return Verdict("harmless", "the wrapper sends a body with every request")
        given = arguments_of(covered, operation) if covered and covered.names and operation else "what sends it"
        return Verdict("breaking", f"requests without it are refused now, and {given} may be left out")
    if field.required:
        if covered is not None and covered.always:
            return Verdict("harmless", "a reply without it is refused already")
        return Verdict(
            "wrapper",
            "generated code now raises KeyError on a reply without it: let an action of the overlay remove the entry"
            " unless the service always sends it",
        )
    if covered is not None and (covered.always or covered.holder):
        shown = f"Invoice.{covered.names[0]}" if covered.names else "the invoice"
        return Verdict("wrapper", f"{shown} is essential: a reply without it is refused as unreadable")
    return Verdict("harmless", "what is missing in a reply is None already")


def arguments_of(covered: Covered, operation: OperationCoverage) -> str:
    """Name the arguments that send a field.

    Examples:
        >>> arguments_of(Covered(names=("amount_sats", "amount_btc")), OperationCoverage("", "create_invoice", {}, {}))
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
