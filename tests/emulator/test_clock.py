from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, create_app, running_emulator
from tazapay_lightning_emulator.clock import LAST_MOMENT, MAX_ADVANCE, Clock, utc_now

if TYPE_CHECKING:
    from tests.emulator.conftest import RawClient

Create = Callable[..., dict[str, Any]]
Post = Callable[..., httpx.Response]

INVOICES = "/v3/lightning_invoice_bolt11"
CLOCK = "/_emulator/clock"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

NOT_FORWARD: list[Any] = [0, -1, -0.5, float("nan"), float("inf"), 3153600001, True, "60", None, [60]]


def status_of(client: httpx.Client, invoice: dict[str, Any]) -> str:
    status: str = client.get(f"{INVOICES}/{invoice['id']}").json()["data"]["status"]
    return status


def refusal(reply: httpx.Response) -> str:
    assert reply.status_code == 400
    [problem] = reply.json()["errors"]
    remarks: str = problem["remarks"]
    return remarks


def test_an_invoice_expires_when_its_interval_has_passed_and_not_before(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=600)
    emulator.advance_clock(570)
    assert status_of(client, created) == "active"
    emulator.advance_clock(30)
    assert status_of(client, created) == "expired"


def test_the_first_moment_of_being_expired_is_creation_plus_interval(call_app: Post) -> None:
    moment = NOON
    app = create_app(now=lambda: moment)
    created = call_app(app, json={"amount": 1, "expiry_interval": 60}).json()["data"]
    statuses = []
    for passed in (59.999_999, 60):
        moment = NOON + timedelta(seconds=passed)
        statuses.append(call_app(app, "GET", f"{INVOICES}/{created['id']}").json()["data"]["status"])
    assert statuses == ["active", "expired"]


def test_a_new_invoice_is_active_however_late_in_a_second_it_was_asked_for(call_app: Post) -> None:
    readings = iter(NOON + timedelta(seconds=0.9 * each) for each in range(1000))
    app = create_app(now=lambda: next(readings))
    created = [call_app(app, json={"amount": 1, "expiry_interval": 1}).json()["data"] for _ in range(20)]
    assert {invoice["status"] for invoice in created} == {"active"}


def test_expiry_does_not_count_as_an_update(client: httpx.Client, emulator: Emulator, create: Create) -> None:
    created = create(expiry_interval=1)
    emulator.advance_clock(1)
    [expired] = emulator.invoices()
    assert expired == {**created, "status": "expired", "idempotency_key": None, "replays": 0}
    assert client.get("/_emulator/invoices").json() == [expired]


def test_an_expired_invoice_can_be_updated_and_stays_expired(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    created = create(expiry_interval=1)
    emulator.advance_clock(1)
    updated = client.put(f"{INVOICES}/{created['id']}", json={"metadata": {"order": "1"}}).json()["data"]
    assert (updated["status"], updated["metadata"]) == ("expired", {"order": "1"})


def test_a_replay_is_byte_for_byte_the_first_reply_even_after_expiry(post: Post, emulator: Emulator) -> None:
    fields, key = {"amount": 1, "expiry_interval": 1}, {"Idempotency-Key": "order-1"}
    first = post(fields, headers=key)
    emulator.advance_clock(3600)
    assert post(fields, headers=key).content == first.content


def test_a_key_is_forgotten_when_the_clock_was_moved_by_a_day(post: Post, emulator: Emulator) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = post({"amount": 1}, headers=key)
    emulator.advance_clock(timedelta(hours=24))
    assert post({"amount": 1}, headers=key).json()["data"]["id"] != first.json()["data"]["id"]


def test_the_date_of_every_reply_is_by_the_emulators_clock(
    client: httpx.Client, emulator: Emulator, create: Create
) -> None:
    emulator.advance_clock(timedelta(days=400))
    invoice = create()
    replies = [
        client.get(f"{INVOICES}/{invoice['id']}"),
        client.get(f"{INVOICES}/l11_absent"),
        client.get("/nothing"),
        client.get("/_emulator/invoices"),
    ]
    for reply in replies:
        [date] = reply.headers.get_list("date")
        assert abs(parsedate_to_datetime(date) - emulator.now()) < timedelta(minutes=1)
        assert parsedate_to_datetime(date) > utc_now() + timedelta(days=399)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("status_before_commit", {}),
        ("html_after_commit", {}),
        ("close_mid_body", {}),
        ("wrong_content_length", {}),
        ("drip", {"pause": 0, "drip_head": True}),
    ],
)
def test_replies_of_faults_have_one_date_and_it_is_the_emulators(
    emulator: Emulator, raw: RawClient, kind: Any, parameters: dict[str, Any]
) -> None:
    emulator.advance_clock(timedelta(days=400))
    emulator.fail_next(kind, **parameters)
    received = raw.create()
    assert received.head.lower().count(b"\r\ndate: ") == 1
    assert parsedate_to_datetime(received.header("date") or "") > utc_now() + timedelta(days=399)


def test_a_reply_to_an_unforeseen_failure_has_the_date_as_well(call_app: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("tazapay_lightning_emulator.invoices.book.new_invoice", fail)
    reply = call_app(create_app(now=lambda: NOON), json={"amount": 1})
    assert (reply.status_code, reply.headers["date"]) == (500, "Sun, 01 Mar 2026 12:00:00 GMT")


def test_another_server_tells_the_date_itself_as_long_as_the_clock_is_the_machines(call_app: Post) -> None:
    app = create_app()
    assert "date" not in call_app(app, "GET", CLOCK).headers
    assert call_app(app, "POST", CLOCK, json={"seconds": 86_400}).headers["date"]


def test_a_retry_after_as_a_date_is_by_the_emulators_clock(emulator: Emulator, post: Post) -> None:
    emulator.advance_clock(timedelta(days=400))
    emulator.fail_next("status_before_commit", retry_after=5, retry_after_as_date=True)
    headers = post({"amount": 1}).headers
    asked = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    assert timedelta(seconds=5) <= asked <= timedelta(seconds=6)


def test_the_clock_goes_on_by_itself_from_where_it_was_moved_to() -> None:
    moment = NOON
    clock = Clock(lambda: moment)
    clock.advance(3600)
    moment += timedelta(seconds=1)
    assert clock.now() == NOON + timedelta(seconds=3601)
    assert clock.ahead == timedelta(hours=1)


def test_the_time_is_told_in_utc_whatever_the_base_tells() -> None:
    clock = Clock(lambda: NOON.astimezone(timezone(timedelta(hours=2))))
    assert clock.now().isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_moved_clock_is_for_one_emulator_only(emulator: Emulator) -> None:
    emulator.advance_clock(timedelta(days=1))
    with running_emulator() as another:
        assert another.now() < emulator.now() - timedelta(hours=23)


@pytest.mark.parametrize("by", [*NOT_FORWARD, timedelta(), timedelta(seconds=-1), MAX_ADVANCE + timedelta(seconds=1)])
def test_the_clock_only_goes_forward_and_not_too_far_at_a_time(by: Any) -> None:
    clock = Clock(lambda: NOON)
    with pytest.raises(ValueError, match="a number greater than 0, at most 3153600000; the clock only goes forward"):
        clock.advance(by)
    assert clock.now() == NOON


def test_the_clock_does_not_come_to_the_year_3000() -> None:
    clock = Clock(lambda: LAST_MOMENT - timedelta(seconds=10))
    with pytest.raises(ValueError, match="the clock ends with the year 2999"):
        clock.advance(10)
    assert clock.advance(9) < LAST_MOMENT


def test_the_control_endpoint_shows_and_moves_the_clock(client: httpx.Client, emulator: Emulator) -> None:
    before = client.get(CLOCK).json()
    assert before["ahead"] == 0
    assert abs(datetime.fromisoformat(before["now"]) - utc_now()) < timedelta(minutes=1)
    moved = client.post(CLOCK, json={"seconds": 3600.5})
    assert (moved.status_code, moved.json()["ahead"]) == (200, 3600.5)
    assert abs(datetime.fromisoformat(moved.json()["now"]) - emulator.now()) < timedelta(minutes=1)
    assert client.get(CLOCK).json()["ahead"] == 3600.5


@pytest.mark.parametrize("seconds", [0, -1, 3153600001, 10**80, True, "60", None, [60]])
def test_the_control_endpoint_refuses_a_time_that_is_not_forward(client: httpx.Client, seconds: Any) -> None:
    assert refusal(client.post(CLOCK, json={"seconds": seconds})).startswith("seconds: a number greater than 0")
    assert client.get(CLOCK).json()["ahead"] == 0


@pytest.mark.parametrize("body", [{}, {"hours": 1}, {"seconds": 1, "planted": 1}])
def test_the_control_endpoint_takes_seconds_and_nothing_else(client: httpx.Client, body: Any) -> None:
    reply = client.post(CLOCK, json=body)
    assert refusal(reply) == "fields: seconds, and nothing else"
    assert "planted" not in reply.text


def test_a_web_page_cannot_move_the_clock_with_a_form(client: httpx.Client) -> None:
    reply = client.post(CLOCK, content=b'{"seconds": 1}', headers={"Content-Type": "text/plain"})
    assert refusal(reply).startswith("Content-Type")
