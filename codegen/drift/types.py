"""What it means for our users that a field has another type, or arrives with one."""

from dataclasses import replace

from codegen.drift.changes import SEVERITIES, quoted
from codegen.drift.coverage import KINDS, Covered
from codegen.drift.formats import GENERATED_FORMATS, format_changed
from codegen.drift.rules import UNCONTRACTED, Verdict, Wrapper
from codegen.drift.schemas import Field


def type_changed(wrapper: Wrapper, before: Field, after: Field) -> Verdict:
    """Judge another type, another format, or another way to say the same."""
    if after.dangling:
        return Verdict(
            "wrapper",
            f"the document does not hold {quoted(after.dangling)}, so nothing can be generated: let an action of the"
            " overlay define it, or import with --stub-missing, which adds that action",
        )
    if before.dangling:  # something was generated from it: an overlay took it for text, as --stub-missing does
        before = replace(before, kinds=frozenset({"string"}), keywords={"format": "json"}, dangling="")
    verdict = _kinds_changed(wrapper, before, after)
    is_readable = isinstance(after.keywords.get("format", ""), str)  # or the generator stumbles over it
    form = (
        None
        if is_readable and _is_unused(wrapper, after)
        else format_changed(wrapper.side, _own(wrapper, after), before, after)
    )
    return verdict if form is None else max(verdict, form, key=lambda each: SEVERITIES.index(each.severity))


def type_arrived(wrapper: Wrapper, field: Field) -> Verdict | None:
    """Judge the type of a field that the document did not have, and the contract has; None if all is well."""
    covered = _own(wrapper, field)
    if covered is None or not covered.kinds or field.dangling:
        return None
    anything = replace(field, kinds=frozenset(), keywords={})
    verdicts = [format_changed(wrapper.side, covered, anything, field)]
    if wrapper.side == "request":
        verdicts.insert(0, _refused(covered, field))
    elif not field.kinds - {"null"} <= covered.kinds:
        verdicts.insert(0, _unreadable(covered))
    said = [verdict for verdict in verdicts if verdict is not None and verdict.severity != "harmless"]
    return max(said, key=lambda each: SEVERITIES.index(each.severity), default=None)


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


def _kinds_changed(wrapper: Wrapper, before: Field, after: Field) -> Verdict:
    is_same = _shape(before) == _shape(after)
    if is_same and before.component == after.component:
        return Verdict("harmless", "the generated type is the same")
    if is_same:
        if "object" in after.kinds and wrapper.side == "request":
            return Verdict("wrapper", "the type is the same, but its generated class has another name")
        return Verdict("harmless", "the type is the same, only said in another place")
    covered = wrapper.covered(after.key)
    if _allows(after, before) if wrapper.side == "request" else _allows(before, after):
        return Verdict("harmless", "what was good before is good now")
    if wrapper.operation is None:
        return Verdict("breaking", f"{UNCONTRACTED}, but the generated type changes for those who do")
    if covered is None:
        return Verdict("harmless", "the wrapper has nothing that uses it")
    if wrapper.is_part(after.key) and wrapper.side == "request":
        return Verdict("breaking", "callers write it themselves: what they write may be refused now")
    if wrapper.is_part(after.key):
        return Verdict("wrapper", "it is passed on as it comes: whoever reads it sees another type")
    if not covered.reason:
        failing = _failing(wrapper, covered, before, after)
        if failing is not None:
            return failing
    if after.is_shown_only:
        return Verdict("harmless", "the wrapper reads both")
    verb = "send" if wrapper.side == "request" else "decode"
    return Verdict("wrapper", f"the wrapper has to {verb} it otherwise; its public names can stay")


def _failing(wrapper: Wrapper, covered: Covered, before: Field, after: Field) -> Verdict | None:
    """Return what no longer works with another type; None if everything does."""
    if wrapper.side == "reply":
        return None if after.kinds - {"null"} <= covered.kinds else _unreadable(covered)
    lost = [
        option
        for kind, option in sorted(covered.kinds_by_option.items())
        if before.kinds and _accepts(before, kind) and not _accepts(after, kind)
    ]
    if lost and _refused(covered, after) is None:
        return Verdict("breaking", f"what clients with {' or '.join(lost)} send is refused now: create them without it")
    return _refused(covered, after)


def _refused(covered: Covered, field: Field) -> Verdict | None:
    """Return why the service would refuse what the wrapper sends, and which option would help."""
    refused = sorted(kind for kind in covered.kinds if not _accepts(field, kind))
    if covered.kinds and not refused:
        return None
    known = ", ".join(sorted(covered.kinds)) or "nothing else"
    ways = [option for kind, option in sorted(covered.kinds_by_option.items()) if _accepts(field, kind)]
    if not ways:
        return Verdict("breaking", f"the wrapper writes {known} there: what it does now fails")
    return Verdict(
        "breaking",
        f"the wrapper writes {known} there by default, which is refused now: create clients with {' or '.join(ways)},"
        " and let an action of the overlay keep the generated type, or the wrapper follow it",
    )


def _unreadable(covered: Covered) -> Verdict:
    known = ", ".join(sorted(covered.kinds)) or "nothing else"
    return Verdict("breaking", f"the wrapper reads {known} there: what it does now fails")


def _own(wrapper: Wrapper, field: Field) -> Covered | None:
    return None if wrapper.is_part(field.key) else wrapper.covered(field.key)


def _is_unused(wrapper: Wrapper, field: Field) -> bool:
    """Tell whether a method calls the operation, but neither sends nor shows this field."""
    covered = wrapper.covered(field.key)
    return wrapper.operation is not None and (covered is None or bool(covered.reason))


def _accepts(field: Field, kind: str) -> bool:
    return not field.kinds or kind in field.kinds or (kind == "integer" and "number" in field.kinds)


def _shape(field: Field) -> tuple[frozenset[str], object]:
    """Return what decides on the generated type, apart from the name of a class."""
    form = field.keywords.get("format")
    return field.kinds, form if isinstance(form, str) and form in GENERATED_FORMATS else None


def _allows(wide: Field, narrow: Field) -> bool:
    """Tell whether every value that one type allows is allowed by the other, in the same generated form."""
    kinds = wide.kinds | {"integer"} if "number" in wide.kinds else wide.kinds
    return _shape(wide)[1] == _shape(narrow)[1] and (not kinds or (bool(narrow.kinds) and narrow.kinds <= kinds))
