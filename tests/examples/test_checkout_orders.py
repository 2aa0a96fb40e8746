"""The states of orders and attempts, with plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import attrs
import pytest

from examples.checkout.forms import MAX_NAME_LENGTH
from examples.checkout.orders import FOLLOWS, Attempt, Order, State, idempotency_key, memo, order_id, state_of, verdict
from tazapay_lightning import MAX_MEMO_BYTES, Difference, Invoice
from tests.support.tables import each_row

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PRICE = 21_000
ORDER = Order(id="0123456789abcdef" * 2, title="Coffee beans", name="", amount_sats=PRICE, created_at=NOW)


def invoice(**changes: Any) -> Invoice:
    payload = {
        "id": "l11_1",
        "amount": PRICE,
        "status": "active",
        "payment_status": "unpaid",
        "expiry_interval": 900,
        "created_at": NOW.isoformat(),
    }
    return Invoice.from_payload(payload | changes)


def attempt(state: State = State.WAITING, **changes: Any) -> Attempt:
    known = None if state is State.ASKED else invoice()
    waiting = Attempt(
        order_id=ORDER.id,
        number=1,
        key=idempotency_key(ORDER.id, 1),
        expires_in=900,
        asked_at=NOW,
        state=state,
        invoice=known,
        answered_at=NOW,
    )
    return attrs.evolve(waiting, **changes)


def test_nothing_follows_paid() -> None:
    assert FOLLOWS[State.PAID] == frozenset()


def test_an_expired_attempt_can_still_be_paid_and_never_waits_again() -> None:
    assert FOLLOWS[State.EXPIRED] == {State.PAID, State.HELD}


def test_an_invoice_that_the_service_calls_paid_over_the_price_pays() -> None:
    assert verdict(ORDER, attempt(), invoice(payment_status="paid"), NOW) is State.PAID


def test_a_payment_after_the_expiry_pays() -> None:
    late = invoice(payment_status="paid", status="expired")
    assert verdict(ORDER, attempt(State.EXPIRED), late, NOW + timedelta(days=1)) is State.PAID


@each_row("amount", [PRICE - 1, PRICE + 1])
@each_row("state", [State.WAITING, State.EXPIRED])
def test_a_payment_over_another_amount_is_held_for_a_person(state: State, amount: int) -> None:
    assert verdict(ORDER, attempt(state), invoice(payment_status="paid", amount=amount), NOW) is State.HELD


def test_a_payment_whose_payment_request_is_over_another_amount_is_held_for_a_person() -> None:
    odd = attrs.evolve(
        invoice(payment_status="paid"), differences=(Difference("bolt11_amount_msat", PRICE * 1000, PRICE * 1000 - 1),)
    )
    assert verdict(ORDER, attempt(), odd, NOW) is State.HELD


def test_another_invoice_says_nothing() -> None:
    assert verdict(ORDER, attempt(), invoice(id="l11_2", payment_status="paid"), NOW) is State.WAITING


def test_an_unpaid_invoice_over_another_amount_is_not_believed_to_be_expired() -> None:
    assert verdict(ORDER, attempt(), invoice(amount=1, status="expired"), NOW, over=True) is State.WAITING


def test_an_active_invoice_keeps_waiting() -> None:
    assert verdict(ORDER, attempt(), invoice(), NOW) is State.WAITING


@pytest.mark.parametrize("payment_status", ["unpaid", "processing", None])
def test_no_other_payment_status_than_paid_pays(payment_status: str | None) -> None:
    assert verdict(ORDER, attempt(), invoice(payment_status=payment_status), NOW) is State.WAITING


def test_the_service_says_when_an_invoice_is_over() -> None:
    assert verdict(ORDER, attempt(), invoice(status="expired"), NOW) is State.EXPIRED
    assert verdict(ORDER, attempt(), invoice(), NOW, over=True) is State.EXPIRED


def test_our_clock_ends_an_invoice_only_a_minute_after_its_end() -> None:
    end = NOW + timedelta(seconds=900)
    assert verdict(ORDER, attempt(), invoice(), end + timedelta(seconds=59)) is State.WAITING
    assert verdict(ORDER, attempt(), invoice(), end + timedelta(seconds=60)) is State.EXPIRED


def test_an_order_is_paid_as_soon_as_any_attempt_paid() -> None:
    paid = attrs.evolve(ORDER, paid_attempt=1)
    for state in State:
        assert state_of(paid, attempt(state, number=2)) is State.PAID


def test_an_order_is_not_paid_by_the_state_of_an_attempt_alone() -> None:
    assert [state_of(ORDER, attempt(state)) for state in (State.ASKED, State.WAITING, State.EXPIRED, State.HELD)] == [
        State.ASKED,
        State.WAITING,
        State.EXPIRED,
        State.HELD,
    ]
    assert state_of(ORDER, None) is State.ASKED


def test_the_time_left_is_the_earlier_of_two_clocks() -> None:
    behind, ahead = (
        invoice(created_at=(NOW + timedelta(seconds=shift)).isoformat()) for shift in (-300, 300)
    )  # the service's clock
    assert attempt(invoice=behind).seconds_left(NOW) == 600
    assert attempt(invoice=ahead).seconds_left(NOW) == 900
    assert attempt().seconds_left(NOW + timedelta(seconds=100)) == 800
    assert attempt().seconds_left(NOW + timedelta(days=1)) == 0
    assert attempt(invoice=invoice(created_at=None, expiry_interval=None)).seconds_left(NOW) == 900
    assert attempt(State.ASKED).seconds_left(NOW) == 0


def test_an_order_page_leads_to_one_order_per_choice() -> None:
    token = "0123456789abcdef" * 2
    ids = {order_id(token, *choice) for choice in product(("beans", "espresso"), ("", "Ada"))}
    assert len(ids) == 4
    assert order_id(token, "beans", "Ada") in ids


@each_row("token", ["", "0" * 31, "0" * 33, "g" * 32, "A" * 32, "0" * 32 + "\n", "٠" * 32])
def test_a_token_that_no_page_carries_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="open the order page again"):
        order_id(token, "beans", "")


def test_keys_differ_by_order_and_by_attempt_only() -> None:
    keys = {idempotency_key(order, number) for order in ("a" * 32, "b" * 32) for number in (1, 2, 11)}
    assert len(keys) == 6
    assert idempotency_key("a" * 32, 1) in keys


def test_the_longest_memo_fits_into_a_payment_request() -> None:
    longest = attrs.evolve(
        ORDER, title="Coffee beans, 250 g", name="\N{HOT BEVERAGE}\N{PILE OF POO}" * (MAX_NAME_LENGTH // 2)
    )
    assert len(memo(longest).encode()) < MAX_MEMO_BYTES
