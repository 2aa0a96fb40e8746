"""What a drift report consists of."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from codegen.read.documents import JsonValue

Severity: TypeAlias = Literal["none", "harmless", "wrapper", "breaking"]

SEVERITIES: tuple[Severity, ...] = ("none", "harmless", "wrapper", "breaking")
"""From nothing to the worst."""

GROUPS = (
    *("calls", "operations", "request fields", "reply fields", "types", "required", "enums", "formats", "defaults"),
    *("media types", "statuses", "security", "servers", "changed in a way that no rule covers", "overlay", "words"),
)
"""In the order of a report."""

_EXIT_CODES: dict[Severity, int] = {"none": 0, "harmless": 0, "wrapper": 3, "breaking": 4}
_LONGEST_QUOTE = 160


@dataclass(frozen=True)
class Change:
    """One difference between two states of the document. Whatever comes from the document went through `quoted`."""

    group: str
    severity: Severity
    operation: str
    """Method and path, such as ``POST /v3/lightning_invoice_bolt11``; empty for what concerns the whole document."""
    side: str
    """"request" or "reply"; empty for the whole operation."""
    field: str
    """The field that it is about, such as ``data.collect``; empty for the whole operation."""
    what: str
    """What changed, in a few words."""
    why: str
    """Why it has this severity, and what to do."""
    place: str = ""
    """A JSON pointer to it in the new document; in the old one if it was removed."""


@dataclass(frozen=True)
class Drift:
    """All differences between two states of the document: by group, the worst first."""

    changes: tuple[Change, ...]
    old: str = "old"
    """What the report calls the state before."""
    new: str = "new"

    @property
    def severity(self) -> Severity:
        """That of the worst change; "none" if there is none."""
        return max((change.severity for change in self.changes), key=SEVERITIES.index, default="none")

    @property
    def exit_code(self) -> int:
        """0 nothing or harmless, 3 needs a wrapper change or a look, 4 breaking."""
        return _EXIT_CODES[self.severity]

    def count(self, severity: Severity) -> int:
        """Tell how many changes have a severity."""
        return sum(change.severity == severity for change in self.changes)

    def with_broken(self, calls: Iterable[tuple[str, str]]) -> "Drift":
        """Return the report that also lists calls of the wrapper which the regenerated client breaks.

        Args:
            calls: Operations, each with the last line of the traceback of its call.

        Examples:
            >>> Drift(()).with_broken([("GET /v3/a/{id}", "TypeError: got an unexpected keyword")]).exit_code
            4
        """
        why = "the wrapper was called through the regenerated client, and this is how the call ended"
        broken = (
            Change("calls", "breaking", printable(operation), "", "", f"a call breaks: {quoted(line)}", why)
            for operation, line in calls
        )
        return replace(self, changes=(*broken, *self.changes))


def printable(text: str, longest: int = _LONGEST_QUOTE) -> str:
    r"""Return foreign text in one line that can neither steer a terminal nor end a code span of Markdown.

    Examples:
        >>> printable("one\n  two `three` \x1b[31m"), len(printable("x" * 1000))
        ("one two 'three' ?[31m", 160)
    """
    line = " ".join(text.split()).replace("`", "'")
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= longest else line[: longest - 3] + "..."


def quoted(value: JsonValue) -> str:
    r"""Show a value of a document between backticks, which make it a code span in Markdown.

    Examples:
        >>> quoted("amount"), quoted(5), quoted(["a", None])
        ('`amount`', '`5`', '`["a", null]`')
        >>> quoted("")
        '`""`'
    """
    text = value if isinstance(value, str) and value.strip() else json.dumps(value, ensure_ascii=False)
    return f"`{printable(text)}`"
