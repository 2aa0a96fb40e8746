"""docs/reliability.md: the table at a glance says what the figures say, and the page is what the tool writes."""

from __future__ import annotations

import doctest
import sys
from pathlib import Path

import pytest

from tazapay_lightning_emulator import FAULT_KINDS
from tools import reliability, reliability_page
from tools.reliability_page import BEGIN, COLUMNS, END, ENDS, Row, glance, rows_of, with_rows

PAGE = Path(__file__).resolve().parents[2] / "docs/reliability.md"
KEPT = (92, 87, 0, 13, 0, 13, 0, 0, 0, 0)


def counts(**changed: int) -> tuple[int, ...]:
    return tuple(changed.get(name, kept) for name, kept in zip(COLUMNS, KEPT, strict=True))


def cells(*rows: Row) -> list[list[str]]:
    _head, _line, *lines = glance(rows)
    return [line.strip("| ").split(" | ") for line in lines]


def test_the_page_is_what_the_tool_writes_from_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "reliability.md"
    copy.write_text(PAGE.read_text())
    monkeypatch.setattr(sys, "argv", ["reliability", str(copy), "--from-page"])
    reliability.main()
    assert copy.read_text() == PAGE.read_text()


def test_at_a_glance_every_kind_of_fault_is_told_in_words() -> None:
    _, rows = rows_of(PAGE.read_text())
    assert {row[1].strip("`") for row in cells(*rows)} == set(FAULT_KINDS) == set(reliability_page.WORDS)


def test_marks_tell_how_many_calls_ended_in_which_way() -> None:
    [row] = cells(Row("drip", "async", counts(invoice=50, unknown=49, refused=1)))
    assert dict(zip(ENDS, row[2:], strict=False)) == {"invoice": "●", "refused": "○", "unknown": "○", "mismatch": "-"}


def test_the_clients_are_counted_together() -> None:
    [row] = cells(
        Row("drip", "blocking", counts(invoice=100, unknown=0)), Row("drip", "async", counts(invoice=0, mismatch=87))
    )
    assert row[2:6] == ["●", "-", "○", "○"]


@pytest.mark.parametrize("what", ["doubled", "lost", "foreign", "leaked"])
def test_a_broken_promise_of_one_client_takes_the_place_of_the_mark(what: str) -> None:
    [row] = cells(Row("drip", "blocking", counts()), Row("drip", "async", counts(**{what: 2})))
    assert row[-1] == f"2 {what}"


def test_statuses_share_a_line_where_they_end_alike_and_only_there() -> None:
    rows = [Row(f"html_before_commit(status={status})", "async", counts()) for status in (500, 502)]
    rows += [Row("html_before_commit(status=200)", "async", counts(invoice=13, unknown=87))]
    assert [row[0].partition(": ")[2] for row in cells(*rows)] == ["500, 502", "200"]


def test_figures_are_read_back_as_they_were_written() -> None:
    rows = [Row("drip(drip_head=True, pause=0.05)", "async", counts()), Row("truncated_json", "aiohttp", counts())]
    page = with_rows(f"before\n{BEGIN}{END}\nafter\n", "100 calls in each row.", rows)
    assert rows_of(page) == ("100 calls in each row.", rows)
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")


def test_a_page_without_a_place_for_the_figures_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.md").write_text("no marks\n")
    monkeypatch.setattr(sys, "argv", ["reliability", str(tmp_path / "page.md")])
    with pytest.raises(SystemExit, match="holds no <!-- measured: begin -->"):
        reliability.main()


def test_the_examples_of_the_page_hold() -> None:
    results = doctest.testmod(reliability_page)
    assert results.attempted > 0
    assert results.failed == 0
