"""Write a drift report: as text for people, as JSON for machines, as Markdown for a pull request."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Literal, TypeAlias

from codegen.drift.changes import SEVERITIES, Change, Drift, Severity

Format: TypeAlias = Literal["text", "json", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "json", "markdown")

_VERDICTS: dict[Severity, str] = {
    "none": "nothing changed",
    "harmless": "harmless",
    "wrapper": "needs a wrapper change",
    "breaking": "breaking",
}
_MOST_IN_MARKDOWN = 200
"""Changes that a pull request's text shows: GitHub takes 65,536 characters."""


def render(drift: Drift, form: str) -> str:
    """Return a report, without a line end at its end.

    Args:
        drift: From `codegen.drift.compare.compare`.
        form: One of `FORMATS`.

    Raises:
        ValueError: Another form.

    Examples:
        >>> change = Change("types", "wrapper", "GET /v3/a", "reply", "data", "object; it was string", "decode it")
        >>> print(render(Drift((change,)), "text"))
        needs a wrapper change: 1 change (1 needs a wrapper change)
        <BLANKLINE>
        types
          needs a wrapper change: GET /v3/a, reply, `data`: object; it was string
            decode it
        >>> render(Drift(()), "text")
        'nothing changed'
        >>> render(Drift(()), "json").splitlines()[1:3]
        ['  "severity": "none",', '  "counts": {']
    """
    if form == "json":
        return _json(drift)
    if form == "markdown":
        return "\n".join(_markdown(drift))
    if form != "text":
        raise ValueError(f"a report is {', '.join(FORMATS)}, and not {form}")
    return "\n".join(_text(drift))


def _json(drift: Drift) -> str:
    counts = {severity: drift.count(severity) for severity in SEVERITIES[1:]}
    changes = [asdict(change) for change in drift.changes]
    return json.dumps({"severity": drift.severity, "counts": counts, "changes": changes}, indent=2, ensure_ascii=False)


def _text(drift: Drift) -> Iterator[str]:
    yield _summary(drift)
    for group, changes in groupby(drift.changes, key=lambda change: change.group):
        yield f"\n{group}"
        for change in changes:
            yield f"  {_VERDICTS[change.severity]}: {_subject(change, plain=True)}{change.what}"
            yield f"    {change.why}"
            if change.wrapper:
                yield f"    in the wrapper: {change.wrapper}"
            if change.overlay:
                yield f"    overlay: {change.overlay}"


def _markdown(drift: Drift) -> Iterator[str]:
    yield f"**{_summary(drift)}**"
    for group, changes in groupby(drift.changes[:_MOST_IN_MARKDOWN], key=lambda change: change.group):
        yield f"\n### {group.capitalize()}\n"
        for change in changes:
            yield f"- **{_VERDICTS[change.severity]}**: {_subject(change, plain=False)}{change.what}"
            yield f"  - {change.why}"
            if change.wrapper:
                yield f"  - in the wrapper: {_code(change.wrapper)}"
            if change.overlay:
                yield f"  - overlay: {_code(change.overlay)}"
    if (more := len(drift.changes) - _MOST_IN_MARKDOWN) > 0:
        yield f"\n{more} more: `./generate.sh --diff --format text` lists all of them."


def _summary(drift: Drift) -> str:
    verdict, number = _VERDICTS[drift.severity], len(drift.changes)
    if not number:
        return verdict
    words: dict[Severity, tuple[str, str]] = {
        "breaking": ("breaking", "breaking"),
        "wrapper": ("needs a wrapper change", "need a wrapper change"),
        "harmless": ("harmless", "harmless"),
    }
    counts = [
        f"{drift.count(severity)} {each[drift.count(severity) != 1]}"
        for severity, each in words.items()
        if drift.count(severity)
    ]
    return f"{verdict}: {number} {'change' if number == 1 else 'changes'} ({', '.join(counts)})"


def _subject(change: Change, *, plain: bool) -> str:
    """Say what a change is about; only foreign text stands in code spans."""
    operation = change.operation if plain or not change.operation else _code(change.operation)
    parts = [operation or "the document", change.side, f"`{change.field}`" if change.field else ""]
    return ", ".join(filter(None, parts)) + ": "


def _code(text: str) -> str:
    r"""Put text into a code span of Markdown, whatever is in it (CommonMark 0.31, section 6.1).

    Examples:
        >>> _code("$.paths['/v3/a']"), _code("a `b` c")
        ("`$.paths['/v3/a']`", '``a `b` c``')
    """
    fence = "`"
    while fence in text:
        fence += "`"
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"
