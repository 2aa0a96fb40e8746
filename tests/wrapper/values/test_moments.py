"""Which texts are moments, and which moments they are."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning.values.moments import read_moment, service_time
from tests.support.tables import each_row

INDIA = timezone(timedelta(hours=5, minutes=30))


@each_row(
    ("text", "expected"),
    [
        ("2025-09-28T08:15:30Z", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("2025-09-28t08:15:30z", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("2025-09-28 08:15:30", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("2025-09-28T08:15:30.5Z", datetime(2025, 9, 28, 8, 15, 30, 500_000, tzinfo=UTC)),
        ("2025-09-28T08:15:30.123456789Z", datetime(2025, 9, 28, 8, 15, 30, 123_456, tzinfo=UTC)),
        ("2025-09-28T08:15:30-05:30", datetime(2025, 9, 28, 13, 45, 30, tzinfo=UTC)),
        ("2025-09-28T08:15:30+05:30", datetime(2025, 9, 28, 8, 15, 30, tzinfo=INDIA)),
        ("9999-12-31T23:59:59-23:59", datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(minutes=1439)))),
    ],
)
def test_a_moment_is_read_in_every_documented_form(text: str, expected: datetime) -> None:
    moment = read_moment(text)
    assert moment == expected
    assert moment.utcoffset() is not None


@each_row("digits", range(1, 10))
def test_up_to_nine_fractional_digits_are_read(digits: int) -> None:
    text = f"2025-09-28T08:15:30.{'1' * digits}Z"
    assert read_moment(text).microsecond == int("1" * min(digits, 6)) * 10 ** max(0, 6 - digits)


@each_row(
    ("text", "expected"),
    [
        ("Sun, 28 Sep 2025 08:15:30 GMT", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("28 Sep 2025 08:15:30 -0530", datetime(2025, 9, 28, 13, 45, 30, tzinfo=UTC)),
        ("2025-03-11 12:25:08.284979602 +0000 UTC", datetime(2025, 3, 11, 12, 25, 8, 284_979, tzinfo=UTC)),
        ("2025-03-11 12:25:08 +0530 IST", datetime(2025, 3, 11, 12, 25, 8, tzinfo=INDIA)),
        ("2025-03-11 12:25:08 +0530 +0530", datetime(2025, 3, 11, 12, 25, 8, tzinfo=INDIA)),
        ("2025-03-11 12:25:08.28 +0000 UTC m=+0.000012", datetime(2025, 3, 11, 12, 25, 8, 280_000, tzinfo=UTC)),
        ("2025-W39-7T08:15:30Z", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("2025-271T08:15:30Z", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("20250928T081530Z", datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)),
        ("2025-09-28T08:15Z", datetime(2025, 9, 28, 8, 15, tzinfo=UTC)),
        ("2025-09-28T24:00:00Z", datetime(2025, 9, 29, tzinfo=UTC)),
        ("2025-09-28T08:15:30.1234567890Z", datetime(2025, 9, 28, 8, 15, 30, 123_456, tzinfo=UTC)),
        ("13/02/2025 10:00", datetime(2025, 2, 13, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_in_another_form_is_read_if_there_is_one_way_to_read_it(text: str, expected: datetime) -> None:
    moment = read_moment(text)
    assert moment == expected
    assert moment.utcoffset() is not None


@each_row(
    "value",
    [
        "", "now", "Monday", "10:00", "Sep 2025", "28 Sep", "2025", "2025-09", "202509",  # no whole date
        "2025-09-28", "20250928", "28 Sep 2025", "2025-W39-7",  # no time
        "01/02/2025 10:00", "10-10-10", "101010T101010", "1759047330", "1759047330.5", "9" * 20,  # two readings
        "Sun, 28 Sep 2025 08:15:30 EST", "2025-09-28 08:15:30 IST",  # where is that?
        "2025-13-01T00:00:00Z", "2025-02-29 10:00:00", "2025-09-28T24:15:30Z", "2025-09-28T08:15:60Z",
        "2025-09-28T08:15:30.Z", "2025-09-28T08:15:30+24:00", "0000-01-01T00:00:00Z", "9999-12-31T24:00:00Z",
        "２０２５-09-28T08:15:30Z", "created at 2025-09-28T08:15:30Z", "2025-09-28T08:15:30Z" + " " * 60,
        None, 1759047330, 1.5, True, [], {}, b"2025-09-28T08:15:30Z",
    ],
    ids=ascii,
)  # fmt: skip
def test_everything_else_is_no_moment(value: object) -> None:
    with pytest.raises(ValueError, match="^not a moment$") as caught:
        read_moment(value)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize("text", ["Tue, 11 Mar 2025 12:25:08 GMT", "2025-09-28T08:15:30.123Z"])
@given(data=st.data())
def test_a_misspelt_moment_is_an_aware_moment_or_a_value_error(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    misspelt = text[:place] + data.draw(st.text("0123456789:-+/.TZ ", max_size=3)) + text[place + 1 :]
    try:
        moment = read_moment(misspelt)
    except ValueError:
        return
    assert moment.utcoffset() is not None


def test_documented_forms_are_read_without_loading_dateutil() -> None:
    program = (
        "import sys; from tazapay_lightning.values.moments import read_moment; read_moment('2025-09-28T08:15:30.5Z'); "
        "assert 'dateutil' not in sys.modules; read_moment('20250928T081530Z'); assert 'dateutil' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"))
def test_any_text_is_an_aware_moment_or_a_value_error(text: str) -> None:
    try:
        moment = read_moment(text)
    except ValueError:
        return
    assert moment.utcoffset() is not None


CREATION = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told_by(moment: datetime, creation: datetime | None) -> datetime | None:
    """Return the service's time as a reply of this ``Date`` tells it."""
    return service_time({"date": format_datetime(moment, usegmt=True)}, creation)


@pytest.mark.parametrize("ahead", [timedelta(minutes=-1), timedelta(0), timedelta(days=1)], ids=str)
def test_a_reply_is_from_a_minute_before_the_creation_at_the_earliest(ahead: timedelta) -> None:
    assert told_by(CREATION + ahead, CREATION) == CREATION + ahead


def test_an_earlier_reply_is_not_of_this_time() -> None:
    assert told_by(CREATION - timedelta(minutes=1, seconds=1), CREATION) is None


def test_without_a_creation_any_reply_is_of_this_time() -> None:
    earliest = datetime(1996, 1, 1, tzinfo=UTC)
    assert told_by(earliest, None) == earliest


@pytest.mark.parametrize("headers", [{}, {"date": ""}, {"date": "soon"}], ids=repr)
def test_a_reply_without_a_readable_date_tells_no_time(headers: dict[str, str]) -> None:
    assert service_time(headers, None) is None


def test_a_reply_of_the_last_year_that_dates_have_tells_no_time() -> None:
    assert told_by(datetime(9998, 12, 31, tzinfo=UTC), None) is not None
    assert told_by(datetime(9999, 1, 1, tzinfo=UTC), None) is None
