"""When a waiting client looks next, and what each look means: the policy alone, told the time."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import attrs
import pytest

from tazapay_lightning import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    InvalidArgumentError,
    InvalidRequestError,
    Invoice,
    InvoiceExpiredError,
    InvoiceMismatchError,
    NotFoundError,
    PaymentTimeoutError,
    PermissionDeniedError,
    RateLimitError,
    RequestFailedError,
    ServerError,
    UnexpectedResponseError,
)
from tazapay_lightning.invoices.waiting import PaymentWait, _equal_jitter
from tazapay_lightning.transport.replies import Reply
from tests.support.bolt11_encoder import D, P, S, payment_request
from tests.support.settings import settings
from tests.support.tables import each_row

MADE = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
START = 5000.0  # of the monotonic clock


def invoice(**fields: Any) -> Invoice:
    """Return an invoice that was made 100 seconds before the wait begins, and expires 600 seconds after that."""
    shown = {
        "id": "l11_1", "amount": 100, "status": "active", "payment_status": "unpaid",
        "created_at": "2026-03-01T11:58:20Z", "expiry_interval": 700,
    }  # fmt: skip
    return Invoice.from_payload({**shown, **fields})


def wait(subject: object = "l11_1", **options: Any) -> PaymentWait:
    arguments: dict[str, Any] = {
        "timeout": None,
        "poll_interval": None,
        "now": START,
        "jitter": lambda most: most,
        **options,
    }
    return PaymentWait(subject, **arguments)


def look(waiting: PaymentWait, after: float, seen: Invoice | None = None, **clocks: Any) -> float | None:
    """Look `after` seconds from the start, with all clocks right, and return in how many seconds to look next."""
    moment = MADE + timedelta(seconds=after)
    clocks = {"service_time": moment, "wall": moment, **clocks}
    next_poll = waiting.poll_succeeded(
        dated(seen or invoice(), clocks["service_time"]), wall=clocks["wall"], now=START + after
    )
    return None if next_poll is None else next_poll - START - after


def dated(invoice: Invoice, service_time: datetime | None) -> Invoice:
    """Return an invoice with a reply of this ``Date``, to the second."""
    headers = {} if service_time is None else {"date": format_datetime(service_time, usegmt=True)}
    return attrs.evolve(invoice, reply=Reply(status_code=200, headers=headers))


def miss(waiting: PaymentWait, after: float, error: APIError | None = None) -> float:
    return waiting.poll_failed(error or ServerError("busy", status_code=503), now=START + after) - START - after


# Arguments


@each_row("subject", [None, 7, b"l11_1", {"id": "l11_1"}], ids=lambda v: type(v).__name__)
def test_only_an_invoice_or_an_id_can_be_waited_for(subject: object) -> None:
    with pytest.raises(
        InvalidArgumentError, match=f"^invoice must be an Invoice or the id of one; got {type(subject).__name__}$"
    ) as caught:
        wait(subject)
    assert caught.value.argument == "invoice"


def test_an_id_is_checked() -> None:
    with pytest.raises(InvalidArgumentError, match="such as l11_abc123xyz"):
        wait("a/b")


@each_row("argument", ["timeout", "poll_interval"])
@each_row("value", [0, -1, float("nan"), float("inf"), True, "1", 86_401, timedelta(0)], ids=repr)
def test_a_time_that_makes_no_sense_is_refused(argument: str, value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument} must be seconds") as caught:
        wait(**{argument: value})
    assert caught.value.argument == argument


@pytest.mark.parametrize("subject", ["l11_1", invoice()], ids=["id", "invoice"])
def test_the_id_to_fetch_is_known(subject: object) -> None:
    assert wait(subject).invoice_id == "l11_1"


# A clock that stands still


@each_row("timeout", [0.5, 1, 10, 100, 86_400])
def test_a_wait_ends_when_its_time_was_slept_whatever_the_clock_says(timeout: float) -> None:
    waiting, slept = wait(timeout=timeout), 0.0
    with suppress(PaymentTimeoutError):
        while next_poll := waiting.poll_succeeded(invoice(expiry_interval=None), wall=MADE, now=START):
            slept += next_poll - START
            waiting.slept(until=next_poll, now=START)
    assert slept == pytest.approx(min(timeout, 3600))


def test_what_was_slept_has_passed_although_the_clock_does_not_show_it() -> None:
    waiting = wait("l11_1", timeout=50, poll_interval=8)
    waiting.slept(until=START + 30, now=START)
    assert waiting.seconds_left(START) == 20
    assert look(waiting, 0, service_time=MADE + timedelta(hours=2)) == 1
    assert miss(waiting, 0) == 8
    waiting.slept(until=START + 15, now=START)
    assert miss(waiting, 0) == 5


# Intervals


def intervals(waiting: PaymentWait, count: int) -> list[float]:
    after, found = 0.0, []
    for _ in range(count):
        pause = look(waiting, after, invoice(expiry_interval=80_000))
        assert pause is not None
        found.append(round(pause, 6))
        after += pause
    return found


def test_intervals_grow_by_half_to_ten_times_the_first() -> None:
    assert intervals(wait(), 8) == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0]


@pytest.mark.parametrize("interval", [0.2, timedelta(milliseconds=200)], ids=["number", "timedelta"])
def test_the_first_interval_can_be_chosen(interval: object) -> None:
    assert intervals(wait(poll_interval=interval), 8)[::7] == [0.2, 2.0]


def test_the_jitter_takes_off_at_most_half() -> None:
    found = [_equal_jitter(4.0) for _ in range(1000)]
    assert 2.0 <= min(found) < 2.1
    assert 3.9 < max(found) <= 4.0


def test_the_intervals_of_a_real_wait_have_jitter() -> None:
    pauses = {
        PaymentWait("l11_1", timeout=None, poll_interval=4, now=0.0).poll_succeeded(
            dated(invoice(expiry_interval=80_000), MADE), wall=MADE, now=0.0
        )
        for _ in range(20)
    }
    assert len(pauses) > 1
    assert all(pause is not None and 2.0 <= pause <= 4.0 for pause in pauses)


def test_no_sleep_goes_past_the_expiry() -> None:
    waiting = wait(poll_interval=400)
    assert look(waiting, 0) == 400
    assert look(waiting, 400) == 200


def test_no_sleep_goes_past_the_timeout() -> None:
    waiting = wait(timeout=100, poll_interval=70)
    assert look(waiting, 0) == 70
    assert look(waiting, 70) == 30


# What a look means


def test_a_paid_invoice_ends_the_wait() -> None:
    assert look(wait(), 3, invoice(payment_status="paid")) is None


def test_an_invoice_that_was_paid_after_its_expiry_is_paid() -> None:
    assert look(wait(invoice()), 10_000, invoice(payment_status="paid", status="expired")) is None


def test_an_expired_invoice_is_an_error_that_carries_it() -> None:
    expired = invoice(status="expired")
    with pytest.raises(
        InvoiceExpiredError,
        match="^invoice l11_1 expired before it was paid: make a new one$",
    ) as caught:
        look(wait(), 3, expired)
    assert caught.value.invoice == expired


def test_the_moment_of_expiry_is_looked_at_twice_before_it_is_believed() -> None:
    waiting = wait()
    assert look(waiting, 599) == 1
    assert look(waiting, 600) == 1
    with pytest.raises(InvoiceExpiredError):
        look(waiting, 601)


def test_one_odd_date_does_not_take_an_invoice_from_its_payer() -> None:
    waiting = wait()
    for after in (10, 30):
        assert look(waiting, after, service_time=MADE + timedelta(hours=2)) == 1
        assert look(waiting, after + 1) is not None
    assert look(waiting, 40, invoice(payment_status="paid")) is None


def test_the_second_look_comes_no_later_than_the_next_one_would() -> None:
    assert look(wait(poll_interval=0.5), 600) == 0.5


def test_the_timeout_is_an_error_that_carries_the_invoice() -> None:
    waiting, seen = wait(timeout=20), invoice()
    look(waiting, 19)
    with pytest.raises(
        PaymentTimeoutError,
        match="^the wait for the payment of invoice l11_1 is over, it is not paid yet; it can still be paid",
    ) as caught:
        look(waiting, 20, seen)
    assert caught.value.invoice == seen
    assert isinstance(caught.value, TimeoutError)


def test_where_both_end_the_wait_the_expiry_is_told() -> None:
    with pytest.raises(InvoiceExpiredError):
        look(wait(invoice(), timeout=700), 700)


def test_without_a_creation_the_interval_alone_is_waited() -> None:
    waiting = wait(poll_interval=3000)
    assert look(waiting, 10, invoice(created_at=None)) == 690
    with pytest.raises(InvoiceExpiredError):
        look(waiting, 700, invoice(created_at=None))


@pytest.mark.parametrize("fields", [{}, {"created_at": None}], ids=["interval", "both"])
def test_without_an_expiry_an_hour_is_waited(fields: dict[str, Any]) -> None:
    waiting = wait(poll_interval=3000)
    assert look(waiting, 1000, invoice(**fields, expiry_interval=None)) == 2600
    with pytest.raises(PaymentTimeoutError):
        look(waiting, 3600, invoice(**fields, expiry_interval=None))


def test_another_amount_than_at_the_beginning_is_an_error_that_carries_the_invoice() -> None:
    changed = invoice(amount=200)
    with pytest.raises(InvoiceMismatchError) as caught:
        look(wait(invoice()), 1, changed)
    assert str(caught.value) == ("invoice l11_1 was over 100 satoshi and is over 200 satoshi now: do not deliver")
    assert caught.value.invoice == changed
    (difference,) = caught.value.differences
    assert (difference.field, difference.asked, difference.received) == ("amount_sats", 100, 200)


def test_another_amount_than_at_an_earlier_look_is_an_error_even_if_it_is_paid() -> None:
    waiting = wait("l11_1")
    look(waiting, 1)
    with pytest.raises(InvoiceMismatchError):
        look(waiting, 2, invoice(amount=200, payment_status="paid"))


def test_another_payment_request_than_before_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    waiting = wait(invoice(bolt11=payment_request(P, S, D, prefix="lnbcrt1u")))
    look(waiting, 1, invoice())
    look(waiting, 2, invoice(bolt11=payment_request(P, S, D, prefix="lnbcrt1u")))
    assert not caplog.records
    look(waiting, 3, invoice(bolt11=payment_request(P, S, D, prefix="lnbcrt1u", timestamp=1)))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "the payment request of invoice l11_1 is not the one that it was")
    ]


def test_what_an_id_is_over_is_learnt_at_the_first_look() -> None:
    assert look(wait("l11_1"), 1, invoice(amount=200)) == 1


def test_a_long_id_is_shown_short_in_every_message(caplog: pytest.LogCaptureFixture) -> None:
    name, shown = "a" * 81, "a" * 80 + "..."
    known = invoice(id=name)
    with pytest.raises(InvoiceExpiredError, match=f"^invoice {shown} expired"):
        look(wait(name), 1, invoice(id=name, status="expired"))
    with pytest.raises(InvoiceMismatchError, match=f"^invoice {shown} was over"):
        look(wait(known), 1, invoice(id=name, amount=200))
    with pytest.raises(PaymentTimeoutError, match=f"of invoice {shown} is over"):
        look(wait(known, timeout=1), 1, known)
    miss(wait(known), 1)
    assert f"a poll of invoice {shown} failed" in caplog.text


# Clocks


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_wrong_clock_on_this_machine_neither_ends_nor_prolongs_a_wait(hours: int) -> None:
    wrong = MADE + timedelta(hours=hours)
    waiting = wait("l11_1", poll_interval=1000)
    assert look(waiting, 10, wall=wrong + timedelta(seconds=10)) == 590
    look(waiting, 600, wall=wrong + timedelta(seconds=600))
    with pytest.raises(InvoiceExpiredError):
        look(waiting, 601, wall=wrong + timedelta(seconds=601))


def test_a_wrong_clock_on_this_machine_does_not_end_a_wait_whose_first_look_fails() -> None:
    waiting = wait(invoice())
    assert miss(waiting, 0) == 1.0
    assert look(waiting, 1, invoice(payment_status="paid"), wall=MADE + timedelta(hours=2)) is None


def test_a_date_from_before_the_invoice_was_made_is_not_taken_for_the_services_time() -> None:
    assert look(wait(poll_interval=60.0), 550, service_time=datetime(1996, 1, 1, tzinfo=UTC)) == 50


def test_a_look_at_the_moment_of_expiry_by_our_clock_is_followed_by_a_pause() -> None:
    assert look(wait(poll_interval=5.0), 600, service_time=None) == 5


def test_without_the_services_time_the_end_by_our_clock_is_looked_at_and_not_believed() -> None:
    waiting = wait("l11_1", poll_interval=1000)
    assert look(waiting, 10, service_time=None) == 590
    assert look(waiting, 600, service_time=None) is not None
    assert look(waiting, 601, service_time=None) is not None


@pytest.mark.parametrize("service_time", [None, MADE - timedelta(days=365 * 30), MADE + timedelta(seconds=10)])
def test_no_clock_keeps_a_wait_going_for_longer_than_the_invoices_life(service_time: datetime | None) -> None:
    waiting = wait("l11_1", poll_interval=100)
    after = 0.0
    for _ in range(9):
        if after == 700:
            break
        after += look(waiting, after, service_time=service_time, wall=MADE) or 0
    with pytest.raises(InvoiceExpiredError):
        look(waiting, after, service_time=service_time, wall=MADE)
    assert after == 700


def test_a_look_between_does_not_make_two_in_a_row() -> None:
    waiting = wait()
    look(waiting, 100, service_time=MADE + timedelta(hours=1))
    look(waiting, 101, service_time=None)
    assert look(waiting, 102, service_time=MADE + timedelta(hours=1)) is not None


def test_a_service_that_shortens_the_time_is_believed() -> None:
    waiting = wait(poll_interval=1000)
    look(waiting, 10)
    assert look(waiting, 20, invoice(expiry_interval=200)) == 80


def test_the_payment_request_tells_when_the_service_does_not() -> None:
    silent = invoice(
        created_at=None, expiry_interval=None, bolt11=payment_request(P, S, D, timestamp=int(MADE.timestamp()))
    )
    waiting = wait(silent, poll_interval=4000)
    assert look(waiting, 10, silent) == 3590
    with pytest.raises(InvoiceExpiredError):
        look(waiting, 3600, silent)


# Looks that fail

PASSING: list[APIError] = [
    APIConnectionError("reset"), APITimeoutError("slow"), RateLimitError("429", status_code=429),
    InvalidRequestError("408", status_code=408), ServerError("500", status_code=500),
    ServerError("520", status_code=520),
    UnexpectedResponseError("HTML"), RequestFailedError("2xx that failed"),
]  # fmt: skip
FINAL: list[APIError] = [
    AuthenticationError("401", status_code=401), PermissionDeniedError("403", status_code=403),
    InvalidRequestError("400", status_code=400), InvalidRequestError("409", status_code=409),
    ServerError("301", status_code=301), APIConnectionError("not trusted", permanent=True),
]  # fmt: skip


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_a_look_that_fails_in_passing_is_repeated(error: APIError, caplog: pytest.LogCaptureFixture) -> None:
    assert miss(wait(), 1, error) == 1.0
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"a poll of invoice l11_1 failed, and is repeated: {error}")
    ]


@each_row("error", FINAL, ids=str)
def test_a_failure_that_looking_again_would_not_mend_ends_the_wait(error: APIError) -> None:
    with pytest.raises(type(error)) as caught:
        miss(wait(invoice()), 1, error)
    assert caught.value is error


def test_failed_looks_grow_apart_too() -> None:
    waiting = wait()
    assert [miss(waiting, after) for after in (1, 2, 3)] == [1.0, 1.5, 2.25]


def test_a_failed_look_is_not_repeated_later_than_the_expiry() -> None:
    waiting = wait(poll_interval=400)
    look(waiting, 0)
    assert miss(waiting, 300) == 300


def test_the_smallest_interval_grows_to_a_second() -> None:
    assert intervals(wait(poll_interval=1e-9), 60)[-1] == 1.0


def not_found() -> NotFoundError:
    return NotFoundError("404", status_code=404)


def test_an_unknown_id_ends_the_wait_at_once() -> None:
    with pytest.raises(NotFoundError):
        miss(wait("l11_1"), 1, not_found())


@pytest.mark.parametrize("between", [look, miss], ids=["a look", "another failure"])
def test_an_invoice_that_exists_may_be_not_found_twice_in_a_row(between: Any) -> None:
    waiting = wait(invoice())
    for round_ in range(2):
        miss(waiting, 1, not_found())
        miss(waiting, 2, not_found())
        between(waiting, 3 + round_)
    miss(waiting, 5, not_found())
    miss(waiting, 6, not_found())
    with pytest.raises(NotFoundError):
        miss(waiting, 7, not_found())


def test_an_invoice_that_was_seen_is_known_to_exist() -> None:
    waiting = wait("l11_1")
    look(waiting, 1)
    assert miss(waiting, 2, not_found()) == 1.5


def test_what_the_service_asks_to_wait_is_waited() -> None:
    assert miss(wait(), 1, RateLimitError("429", status_code=429, retry_after=42.0)) == 42.0


def test_a_wait_that_the_service_asks_for_does_not_shorten_the_interval() -> None:
    assert miss(wait(poll_interval=5), 1, RateLimitError("429", status_code=429, retry_after=2.0)) == 5.0


def test_a_wait_that_the_service_asks_for_ends_with_the_invoice() -> None:
    assert miss(wait(invoice()), 690, RateLimitError("429", status_code=429, retry_after=42.0)) == 10


def test_a_failure_at_the_end_tells_that_nobody_knows() -> None:
    seen, failure = invoice(), ServerError("503 Service Unavailable", status_code=503)
    with pytest.raises(
        PaymentTimeoutError, match="the last poll failed, so it may be paid: fetch it again .503 Service Unavailable."
    ) as caught:
        miss(wait(seen), 700, failure)
    assert caught.value.__cause__ is failure
    assert caught.value.invoice == seen


def test_a_failure_just_before_the_end_is_followed_by_one_more_look() -> None:
    assert miss(wait(invoice()), 699.5) == 0.5


# What each look may take


def test_a_look_may_not_take_more_than_what_is_left() -> None:
    assert wait(timeout=20).seconds_left(START) == 20.0


def test_the_last_look_may_take_five_seconds() -> None:
    assert wait(timeout=20).seconds_left(START + 20) == 5.0


def test_a_look_may_take_no_more_than_the_client_allows() -> None:
    allowed = settings(timeout=2.0, deadline=30.0)
    assert (allowed.within(20).timeout, allowed.within(20).deadline) == (2.0, 20)
