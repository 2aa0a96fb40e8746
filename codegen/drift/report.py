"""Write a drift report: as text for people, as JSON for machines, as Markdown for a pull request."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from codegen.drift.changes import SEVERITIES, Drift, Severity, printable

FORMATS = ("text", "json", "markdown")

_VERDICTS: dict[Severity, str] = {
    "none": "nothing changed",
    "harmless": "harmless",
    "wrapper": "needs a look or a wrapper change",
    "breaking": "breaking",
}
_MOST_IN_MARKDOWN = 200
"""Changes that a pull request's text shows: GitHub takes 65,536 characters."""
_LONGEST_PLACE = 500


def render(drift: Drift, form: str) -> str:
    """Return a report, without a line end at its end.

    Args:
        drift: From `codegen.drift.compare.compare`.
        form: One of `FORMATS`.

    Raises:
        ValueError: Another form.

    Examples:
        >>> from codegen.drift.changes import Change
        >>> change = Change("types", "wrapper", "GET /v3/a", "reply", "data", "array; it was string", "look", "#/paths")
        >>> print(render(Drift((change,), "HEAD", "openapi.yaml"), "text"))
        old: HEAD, new: openapi.yaml
        needs a look or a wrapper change: 1 change (1 needs a look or a wrapper change)
        <BLANKLINE>
        types
          needs a look or a wrapper change: GET /v3/a, reply, `data`: array; it was string
            look
            at #/paths
        >>> render(Drift(()), "text").splitlines()
        ['old: old, new: new', 'nothing changed']
    """
    if form == "json":
        return _json(drift)
    if form not in FORMATS:
        raise ValueError(f"a report is {', '.join(FORMATS)}, and not {form}")
    return "\n".join(_lines(drift, marked=form == "markdown"))


def _json(drift: Drift) -> str:
    counts = {severity: drift.count(severity) for severity in SEVERITIES[1:]}
    changes = [asdict(change) for change in drift.changes]
    about = {"old": drift.old, "new": drift.new, "severity": drift.severity, "counts": counts}
    return json.dumps({**about, "changes": changes}, indent=2, ensure_ascii=False)


def _lines(drift: Drift, *, marked: bool) -> Iterator[str]:
    """Yield the lines of a report, with the marks of Markdown or without."""
    bold, code = ("**", "`") if marked else ("", "")
    yield f"old: {code}{printable(drift.old)}{code}, new: {code}{printable(drift.new)}{code}" + "\n" * marked
    yield f"{bold}{_summary(drift)}{bold}"
    shown = drift.changes[:_MOST_IN_MARKDOWN] if marked else drift.changes
    start, inner = ("- ", "  - ") if marked else ("  ", "    ")
    for group, changes in groupby(shown, key=lambda change: change.group):
        yield f"\n### {group.capitalize()}\n" if marked else f"\n{group}"
        for change in changes:
            operation = f"{code}{change.operation}{code}" if change.operation else "the document"
            about = [operation, change.side, f"`{change.field}`" if change.field else ""]
            yield f"{start}{bold}{_VERDICTS[change.severity]}{bold}: {', '.join(filter(None, about))}: {change.what}"
            yield f"{inner}{change.why}"
            if change.severity == "wrapper":
                yield f"{inner}at {code}{printable(change.place, _LONGEST_PLACE)}{code}"
    if (more := len(drift.changes) - len(shown)) > 0:
        yield f"\n{more} more: `./generate.sh --diff --format text` lists all of them."


def _summary(drift: Drift) -> str:
    counts = [f"{drift.count(each)} {_VERDICTS[each]}" for each in reversed(SEVERITIES[1:]) if drift.count(each)]
    number = len(drift.changes)
    changes = f": {number} {'change' if number == 1 else 'changes'} ({', '.join(counts)})" if number else ""
    return _VERDICTS[drift.severity] + changes
