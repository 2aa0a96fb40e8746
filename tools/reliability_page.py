"""What tools/reliability.py writes into docs/reliability.md: every fault at a glance, and all figures below. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
COLUMNS = "faults met", "invoice", "refused", "unknown", "mismatch", "resumed", "doubled", "lost", "foreign", "leaked"
ENDS = COLUMNS[1:5]
"""How a call can end."""
BROKEN = COLUMNS[6:]
"""What must never happen."""

MANY, FEW, NONE, KEPT = "●", "○", "-", "✓"
LEGEND = f"""\
How calls end while half of the requests meet a fault, for all three clients together. {MANY} half of the calls or more,
{FEW} fewer, {NONE} none.

- invoice: the call returned it, at the first attempt or a later one;
- refused: an error that says that no invoice exists;
- unknown: an error that says that one may exist, with the key to call again with;
- mismatch: an `InvoiceMismatchError`, with an invoice that is not the one asked for;
- resumed: every call that had not ended in an invoice was made again with its key, once the faults had stopped.
  {KEPT} then each order has exactly one invoice, none doubled and none lost, no call returned another order's
  (foreign), and no error shows the credentials in what an error reporter sends, local variables of every frame
  included (leaked). Otherwise it says how often which of these was broken."""

WORDS = {
    "refuse": "connections are refused",
    "reset_before_commit": "connection reset, the request was not carried out",
    "reset_after_commit": "connection reset, the invoice was made",
    "close_mid_body": "connection closed in the middle of the reply",
    "delay_before_commit": "no reply in time, the invoice is made later",
    "delay_after_commit": "no reply in time, the invoice was made",
    "drip": "the reply comes a byte at a time",
    "status_before_commit": "an error status, the request was not carried out",
    "status_after_commit": "an error status, although the invoice was made",
    "html_before_commit": "a page of HTML, the request was not carried out",
    "html_after_commit": "a page of HTML, although the invoice was made",
    "truncated_json": "half of the reply, as if it were all",
    "bad_gzip": "a reply that is not what its encoding says",
    "wrong_content_length": "a reply shorter or longer than it says",
    "huge_body": "a reply of 20 megabytes",
    "gzip_bomb": "a reply that unpacks to 100 megabytes",
    "stale_reply": "the reply to another order",
    "foreign_reply": "the reply to another order over the same amount",
    "answer_twice": "a second reply, unasked",
    "wrong_amount": "another amount in the reply",
    "zero_times": "a reply without its times",
    "odd_encoding": "an encoding that is none",
}
"""What each kind of fault is, in a few words."""

_ROW = re.compile(r"\| `(?P<fault>[^`]+)` \| (?P<client>\w+) \| (?P<counts>\d+(?: \| \d+)+) \|")
_STATUS = re.compile(r"\bstatus=(\d+)")


@dataclass(frozen=True)
class Row:
    """What one client counted under one fault.

    Attributes:
        fault: as ``str`` writes it, with its parameters.
        client: "blocking", "async" or "aiohttp".
        counts: in the order of `COLUMNS`.
    """

    fault: str
    client: str
    counts: tuple[int, ...]

    def __str__(self) -> str:
        return f"| `{self.fault}` | {self.client} | {' | '.join(map(str, self.counts))} |"


def rows_of(page: str) -> tuple[str, list[Row]]:
    """Read back what was measured: how, in a sentence, and the rows.

    Raises:
        ValueError: the page has no place for them.
    """
    _, block, _ = _parts(page)
    rows = [
        Row(row["fault"], row["client"], tuple(map(int, row["counts"].split(" | ")))) for row in _ROW.finditer(block)
    ]
    setting = next((line for line in block.splitlines() if " calls in each row" in line), "")
    return setting, rows


def with_rows(page: str, setting: str, rows: Sequence[Row]) -> str:
    """Return the page with what was measured between its two marks.

    Raises:
        ValueError: the page has no place for it.
    """
    before, _, after = _parts(page)
    columns = ["fault", "client", *COLUMNS]
    lines = [
        *(BEGIN, "", *LEGEND.splitlines(), "", *glance(rows), ""),
        *('<details markdown="1">', "<summary>All figures, by fault and client</summary>", "", setting, ""),
        *(f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *map(str, rows)),
        *("", "</details>", "", END),
    ]
    return before + "\n".join(lines) + after


def glance(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a table with one line for each kind of fault, or two where its statuses end differently.

    Example:
        >>> counts = (92, 87, 0, 13, 0, 13, 0, 0, 0, 0)
        >>> rows = [Row(f"status_after_commit(status={status})", "async", counts) for status in (500, 502)]
        >>> list(glance(rows))[-1]
        '| an error status, although the invoice was made: 500, 502 | `status_after_commit` | ● | - | ○ | - | ✓ |'
        >>> list(glance([Row("truncated_json", "async", (92, 87, 0, 13, 0, 13, 2, 0, 0, 0))]))[-1]
        '| half of the reply, as if it were all | `truncated_json` | ● | - | ○ | - | 2 doubled |'
    """
    counted: dict[str, Counter[str]] = {}
    for row in rows:
        counted.setdefault(row.fault, Counter()).update(dict(zip(COLUMNS, row.counts, strict=True)))
    faults_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for fault, counts in counted.items():
        kind = fault.partition("(")[0]
        faults_of.setdefault((kind, (*_ends(counts), _verdict(counts))), []).append(fault)
    yield f"| what happens | fault | {' | '.join(ENDS)} | resumed |"
    yield "|---|---" + "|:---:" * (len(ENDS) + 1) + "|"
    for (kind, cells), faults in faults_of.items():
        statuses = [status for fault in faults for status in _STATUS.findall(fault)]
        words = f"{WORDS[kind]}{': ' if statuses else ''}{', '.join(statuses)}"
        yield f"| {words} | `{kind}` | {' | '.join(cells)} |"


def _ends(counts: Counter[str]) -> Iterator[str]:
    calls = sum(counts[end] for end in ENDS)
    for end in ENDS:
        yield MANY if 2 * counts[end] >= calls else FEW if counts[end] else NONE


def _verdict(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in BROKEN if counts[name]) or KEPT


def _parts(page: str) -> tuple[str, str, str]:
    before, begin, rest = page.partition(BEGIN)
    block, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page holds no {BEGIN} ... {END}")
    return before, block, after
