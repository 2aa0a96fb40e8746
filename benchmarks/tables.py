"""Tables of what was measured, for the terminal and for Markdown. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.rounds import Measured, Verdict, ratio_of

__all__ = [
    "Group",
    "Row",
    "as_markdown",
    "as_text",
    "group_rows",
    "level_rows",
    "limit_rows",
    "value_rows",
    "verdict_rows",
    "with_shares",
]

Row = Sequence[str]


@dataclass(frozen=True)
class Group:
    """How a group of measurements is shown.

    Attributes:
        name: of the group.
        base: what all of it is divided by.
        unit: of the values, after multiplication with `factor`.
    """

    name: str
    base: str
    unit: str
    factor: float = 1.0


def verdict_rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """Return a row for each limit, under a head.

    Example:
        >>> from benchmarks.rounds import Limit, judge
        >>> limit = Limit("a call, of bare httpx", "B", "calls", "ours", "httpx", 1.2)
        >>> verdict_rows([judge(limit, {"calls": {"ours": [1.3], "httpx": [1.0]}})])[1]
        ('B', 'a call, of bare httpx', '1.30 (1.30 to 1.30)', 'at most 1.2', 'MISSED')
    """
    rows: list[Row] = [("", "what", "measured: median (quartiles)", "limit", "")]
    for verdict in verdicts:
        word = verdict.word.replace("missed", "MISSED")
        limit = verdict.limit
        rows.append((limit.part, limit.sentence, verdict.shown, limit.asked, word))
    return rows


def group_rows(group: Group, measured: Measured) -> list[Row]:
    """Return a row for each thing measured in a group, under a head; nothing if it was not measured.

    Example:
        >>> group_rows(Group("calls", "httpx", "us"), {"calls": {"httpx": [2.0], "ours": [3.0]}})[2]
        ('ours', '3.0 us', '1.50 (1.50 to 1.50)')
    """
    values = measured.get(group.name, {})
    if group.base not in values:
        return []
    rows: list[Row] = [("", "median", f"in units of {group.base}: median (quartiles)")]
    for name, series in values.items():
        median = group.factor * statistics.median(series)
        rows.append((name, f"{median:.1f} {group.unit}", str(ratio_of(series, values[group.base]))))
    return rows


def level_rows(group: str, measured: Measured, *, base: str | None = None) -> list[Row]:
    """Return a row for each client with a column for each level, under a head: medians, or ratios to `base`.

    Example:
        >>> rates = {"httpx at 1": [100.0], "httpx at 50": [50.0], "ours at 1": [90.0], "ours at 50": [75.0]}
        >>> level_rows("rate", {"rate": rates})
        [('in flight', '1', '50'), ('httpx', '100', '50'), ('ours', '90', '75')]
        >>> level_rows("rate", {"rate": rates}, base="httpx")[2]
        ('ours', '0.90', '1.50')
    """
    values = measured.get(group, {})
    if base is not None and not any(name.startswith(f"{base} at ") for name in values):
        return []
    clients = list(dict.fromkeys(name.rpartition(" at ")[0] for name in values))
    levels = list(dict.fromkeys(name.rpartition(" at ")[2] for name in values))
    rows: list[Row] = [("threads" if "threads" in group else "in flight", *levels)]
    for client in clients:
        series = [(values[f"{client} at {level}"], values[f"{base} at {level}"] if base else None) for level in levels]
        rows.append(
            (
                client,
                *(f"{ratio_of(own, of).median:.2f}" if of else f"{statistics.median(own):.0f}" for own, of in series),
            )
        )
    return rows if clients else []


def limit_rows(group: str, base: str, measured: Measured) -> list[Row]:
    """Return a row for each client with how far it is from the fastest, and the server's share; nothing without it.

    Example:
        >>> measured = {"calls": {"bare": [90.0], "ours": [180.0]}, "calls, server": {"bare": [10.0], "ours": [20.0]}}
        >>> limit_rows("calls", "bare", with_shares(measured))[2]
        ('ours', '2.00 (2.00 to 2.00)', '10 %')
    """
    values, shares = measured.get(group, {}), measured.get(f"{group}, the server's share", {})
    if base not in values or not shares:
        return []
    head = ("", f"in units of {base}: median (quartiles)", "the server's share")
    return [
        head,
        *(
            (name, str(ratio_of(series, values[base])), f"{statistics.median(shares[name]):.0f} %")
            for name, series in values.items()
        ),
    ]


def value_rows(group: str, unit: str, measured: Measured) -> list[Row]:
    """Return a row for each thing measured in a group, with its median, under a head; nothing if it was not measured.

    Example:
        >>> value_rows("growth", "KiB", {"growth": {"invoices": [0.0, 8.0, 4.0]}})[1]
        ('invoices', '4 KiB')
    """
    values = measured.get(group, {})
    rows = [(name, f"{statistics.median(series):.0f} {unit}") for name, series in values.items()]
    return [("", "median"), *rows] if rows else []


def with_shares(measured: Measured) -> Measured:
    """Add, to each group that says what its requests cost the server, the server's share of the whole in percent.

    Example:
        >>> measured = {"calls": {"httpx": [90.0, 70.0]}, "calls, server": {"httpx": [10.0, 30.0]}}
        >>> with_shares(measured)["calls, the server's share"]
        {'httpx': [10.0, 30.0]}
    """
    shares = {}
    for name, costs in measured.items():
        group, _, whose = name.rpartition(", ")
        if whose == "server":
            shares[f"{group}, the server's share"] = {
                client: [100 * cost / (cost + own) for cost, own in zip(costs[client], series, strict=True)]
                for client, series in measured[group].items()
            }
    return {**measured, **shares}


def as_text(rows: Sequence[Row]) -> str:
    """Return a table for the terminal.

    Example:
        >>> print(as_text([("client", "us"), ("httpx", "320.0")]))
        client  us
        httpx   320.0
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """Return a table for a page.

    Example:
        >>> print(as_markdown([("client", "us"), ("httpx", "320.0")]))
        | client | us |
        |---|---|
        | httpx | 320.0 |
    """
    head, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join((head, "|" + "---|" * len(rows[0]), *others))
