"""What it means for our users that a field has another `format`: how large a number may be, how a text has to look."""

from codegen.drift.changes import quoted
from codegen.drift.coverage import Covered
from codegen.drift.rules import Side, Verdict
from codegen.drift.schemas import Field
from codegen.read.documents import JsonValue

GENERATED_FORMATS = frozenset({"date", "date-time", "uuid", "binary"})
"""Formats for which openapi-python-client generates another Python type than for plain text."""

_WHOLE_NUMBERS = frozenset({None, "int64"})
"""They allow every number that the wrapper sends: amounts up to 21 million BTC in satoshi, seconds in a `timedelta`."""
_SAFE_NUMBERS = _WHOLE_NUMBERS | {"int32", "double"}
"""Python reads them exactly, as far as amounts go: a double holds 53 bits."""
_PLAIN_TEXTS = frozenset(
    {
        *(None, "json", "password", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
        *("uri", "uri-reference", "iri", "iri-reference"),
    }
)
"""Texts that mean what they are, and are passed on as they come."""
_ENCODED = frozenset({"byte", "base64url", "binary"})
"""Texts that stand for other bytes than their own."""
_GREATEST_INT32 = 2**31 - 1


def format_changed(side: Side, covered: Covered | None, before: Field, after: Field) -> Verdict | None:
    """Judge another `format`, apart from the Python type that is generated.

    Args:
        side: What goes out is judged by what the service still takes, what comes in by what is still read right.
        covered: What the wrapper does with the field; None if nobody said: it is judged for any caller then.
        before: The field as it was.
        after: The field as it is.

    Returns:
        None if the format is the same.

    Examples:
        >>> number = frozenset({"integer"})
        >>> wide, narrow = (Field("a", "a", number, True, (), {"format": form}) for form in ("int64", "int32"))
        >>> format_changed("request", None, wide, narrow).severity, format_changed("reply", None, wide, narrow).severity
        ('breaking', 'harmless')
        >>> format_changed("reply", None, wide, wide)
    """
    was, now = _form(before), _form(after)
    if was == now:
        return None
    is_number = bool(after.kinds & {"integer", "number"})
    if side == "reply":
        return _reply_number(now) if is_number else _reply_text(was, now)
    return _request_number(was, now) if is_number else _request_text(covered, was, now)


def _form(field: Field) -> str | None:
    form: JsonValue = field.keywords.get("format")
    return form if form is None or isinstance(form, str) else quoted(form)


def _request_number(was: str | None, now: str | None) -> Verdict:
    if now in _WHOLE_NUMBERS or (was, now) == ("float", "double"):
        return Verdict("harmless", "every number that was good is good now")
    if now == "int32":
        return Verdict("breaking", f"numbers beyond {_GREATEST_INT32} were good, and are refused now")
    return Verdict("wrapper", "which numbers are good now cannot be told by rule: look at it")


def _request_text(covered: Covered | None, was: str | None, now: str | None) -> Verdict:
    writes_json = covered is not None and "object" in covered.kinds_by_option
    if was in _ENCODED:
        return Verdict("wrapper", "the text is no longer an encoding of other bytes: look at what is sent")
    if now in (None, "password") or (now == "json" and writes_json):
        return Verdict("harmless", "every text that was good is good now")
    return Verdict("wrapper", "what the text has to look like is another: look at what is sent")


def _reply_number(now: str | None) -> Verdict:
    if now in _SAFE_NUMBERS:
        return Verdict("harmless", "Python reads such a number exactly")
    return Verdict("wrapper", "such a number may not be exact, or is unknown here: look at what it means for amounts")


def _reply_text(was: str | None, now: str | None) -> Verdict:
    if was in _ENCODED or now not in _PLAIN_TEXTS:
        return Verdict("wrapper", "the text means something else now, and the wrapper passes it on as it comes")
    return Verdict("harmless", "the wrapper passes every text on")
