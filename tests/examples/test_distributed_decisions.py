"""The distributed bulk's rules, without Celery and Redis: orders, what to do with them, what a failure means."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest

from examples.distributed_bulk.decisions import Asked, Decision, Kind, Record, decide, judge, lost
from examples.distributed_bulk.orders import Order, OrdersError, read_orders, sample_orders
from examples.distributed_bulk.report import exit_code, invoices_per_order, table
from examples.distributed_bulk.settings import DAY, KEY_USABLE, MOST_TRIES, Settings, SettingsError
from tazapay_lightning import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    InvalidRequestError,
    InvoiceMismatchError,
    RateLimitError,
    ServerError,
    TazapayError,
)
from tests.support.tables import each_row

ORDER = Order(order_id="7890", amount_sats=123_456, memo="Order #7890", metadata={"a": [1, 2]}, expires_in=900)
ASKED = Asked(fingerprint=ORDER.fingerprint(), amount_sats=ORDER.amount_sats, key="the-key", at=1_000.0)
INVOICE = {"fingerprint": ORDER.fingerprint(), "amount_sats": ORDER.amount_sats, "invoice_id": "l11_1"}


def failed(error: APIError, *, outcome_unknown: bool) -> APIError:
    error.outcome_unknown = outcome_unknown
    return error


def test_an_order_survives_a_message() -> None:
    assert Order.from_dict(ORDER.to_dict()) == ORDER


@each_row(
    "change",
    [{"order_id": "1"}, {"amount_sats": 1}, {"memo": None}, {"metadata": {"a": [2, 1]}}, {"expires_in": None}],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_changes_the_fingerprint(change: Mapping[str, object]) -> None:
    assert attrs.evolve(ORDER, **change).fingerprint() != ORDER.fingerprint()


def test_a_fingerprint_is_the_same_on_every_machine_and_for_ever() -> None:
    pinned = "3806cb1e7378698c868a151d05e90eab1214b540ae986b69b1c9c3d355a8a4a6"
    assert ORDER.fingerprint() == pinned


@each_row(
    ("line", "complaint"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: an order is a JSON object"),
        ('{"order_id": "1", "amount_sats": 5, "memo": NaN}', "line 2: NaN is not JSON"),
        ('{"order_id": "1", "order_id": "2", "amount_sats": 5}', "line 2: a key comes twice"),
        ('{"order_id": 1, "amount_sats": 5}', "line 2: order_id must be a text"),
        ('{"order_id": "", "amount_sats": 5}', "line 2: order_id must be a text"),
        ('{"order_id": "1"}', "line 2: amount_sats must be a whole number"),
        ('{"order_id": "1", "amount_sats": 5.0}', "line 2: amount_sats must be a whole number"),
        ('{"order_id": "1", "amount_sats": true}', "line 2: amount_sats must be a whole number"),
        ('{"order_id": "1", "amount_sats": 0}', "line 2: amount_sats must be a whole number"),
        ('{"order_id": "1", "amount_sats": 5, "memo": 5}', "line 2: memo must be a text"),
        ('{"order_id": "1", "amount_sats": 5, "metadata": []}', "line 2: metadata must be a JSON object"),
        ('{"order_id": "1", "amount_sats": 5, "expires_in": 0}', "line 2: expires_in must be a whole number"),
        ('{"order_id": "1", "amount_sats": 5, "amount_btc": 1}', "line 2: unknown field 'amount_btc'"),
        ('{"order_id": "0", "amount_sats": 5}', "line 2: order 0 is on line 1 already"),
    ],
)
def test_a_bad_line_is_named(line: str, complaint: str) -> None:
    with pytest.raises(OrdersError) as refused:
        list(read_orders(['{"order_id": "0", "amount_sats": 5}', line]))
    assert str(refused.value).startswith(complaint)


def test_a_new_order_is_sent() -> None:
    assert decide(ORDER, Record(), now=1_000.0)[0] is Decision.SEND


def test_an_order_with_an_invoice_is_never_sent_however_old_it_is() -> None:
    record = Record(asked=ASKED, invoice=INVOICE, tries=MOST_TRIES)
    assert decide(ORDER, record, now=1_000.0 + 365 * DAY) == (Decision.CREATED, "l11_1")


def test_an_order_in_doubt_is_sent_again_while_its_key_lives() -> None:
    assert decide(ORDER, Record(asked=ASKED), now=1_000.0 + KEY_USABLE)[0] is Decision.SEND


def test_an_order_in_doubt_is_not_sent_when_its_key_may_be_forgotten() -> None:
    decision, words = decide(ORDER, Record(asked=ASKED), now=1_000.0 + KEY_USABLE + 1)
    assert decision is Decision.HUMAN
    assert "the-key" in words


def test_a_key_is_used_for_less_than_its_life() -> None:
    assert KEY_USABLE < DAY


@pytest.mark.parametrize("record", [Record(asked=ASKED), Record(asked=ASKED, invoice=INVOICE)], ids=["asked", "billed"])
def test_a_changed_order_is_refused_with_both_amounts(record: Record) -> None:
    decision, words = decide(attrs.evolve(ORDER, amount_sats=5), record, now=1_000.0)
    assert decision is Decision.CHANGED
    assert "123456" in words
    assert "5" in words.split()


def test_a_changed_memo_is_no_change_of_amount_and_refused_all_the_same() -> None:
    decision, words = decide(attrs.evolve(ORDER, memo="x"), Record(asked=ASKED), now=1_000.0)
    assert decision is Decision.CHANGED
    assert "the same 123456 satoshi" in words


def test_a_refusal_with_nothing_in_doubt_is_a_refusal() -> None:
    record = Record(failure={"kind": "refused", "message": "400"})
    assert decide(ORDER, record, now=1_000.0) == (Decision.REFUSED, "400")


def test_a_refusal_after_a_request_in_doubt_is_for_a_person() -> None:
    record = Record(asked=ASKED, failure={"kind": "refused", "message": "400"})
    assert decide(ORDER, record, now=1_000.0)[0] is Decision.HUMAN


def test_an_order_that_nothing_helps_is_given_up() -> None:
    assert decide(ORDER, Record(asked=ASKED, tries=MOST_TRIES - 1), now=1_000.0)[0] is Decision.SEND
    assert decide(ORDER, Record(asked=ASKED, tries=MOST_TRIES), now=1_000.0)[0] is Decision.GIVEN_UP


@each_row(
    ("error", "kind", "outcome_unknown"),
    [
        (failed(ServerError("503", status_code=503), outcome_unknown=True), Kind.REPEAT, True),
        (failed(ServerError("503", status_code=503, retry_after=9), outcome_unknown=True), Kind.THROTTLED, True),
        (failed(RateLimitError("429", status_code=429), outcome_unknown=False), Kind.THROTTLED, False),
        (failed(APIConnectionError("lost"), outcome_unknown=True), Kind.REPEAT, True),
        (failed(APIConnectionError("refused", nothing_sent=True), outcome_unknown=False), Kind.REPEAT, False),
        (APIConnectionError("certificate", nothing_sent=True, permanent=True), Kind.HOPELESS, False),
        (AuthenticationError("401", status_code=401), Kind.HOPELESS, False),
        (InvalidRequestError("400", status_code=400), Kind.REFUSED, False),
        (InvoiceMismatchError("amount"), Kind.MISMATCH, True),
    ],
    ids=["503", "503-retry-after", "429", "lost", "not-reached", "certificate", "401", "400", "mismatch"],
)
def test_what_a_failure_means(error: TazapayError, kind: Kind, outcome_unknown: bool) -> None:
    failure = judge(error)
    assert (failure.kind, failure.outcome_unknown) == (kind, outcome_unknown)


def test_an_order_that_was_never_enqueued_by_this_process_is_lost_at_once() -> None:
    assert lost([ORDER], held=frozenset(), enqueued={}, now=0.0, patience=35.0) == [ORDER]


def test_an_order_in_a_workers_hand_is_not_lost() -> None:
    assert lost([ORDER], held=frozenset({"7890"}), enqueued={}, now=0.0, patience=35.0) == []


def test_the_times_follow_from_each_other_and_stay_far_below_the_life_of_a_key() -> None:
    for settings in (
        Settings(redis_url="redis://x"),
        Settings(redis_url="redis://x", deadline=600.0, longest_wait=600.0),
        Settings(redis_url="redis://x", deadline=0.1, longest_wait=0.1),
    ):
        assert settings.deadline < settings.lease
        assert settings.longest_delivery < settings.visibility_timeout < DAY / 4


def test_settings_survive_the_environment_of_a_worker() -> None:
    settings = Settings(redis_url="redis://:secret@x/0", namespace="shop-1", rate=2.5, deadline=4.0, longest_wait=2.0)
    assert Settings.from_environment(settings.to_environment()) == settings
    assert "secret" not in repr(settings)


@each_row(
    ("variable", "value"),
    [
        ("BULK_REDIS_URL", ""),
        ("BULK_REDIS_URL", "http://x"),
        ("BULK_NAMESPACE", "a b"),
        ("BULK_NAMESPACE", "*"),
        ("BULK_RATE", "0"),
        ("BULK_RATE", "fast"),
        ("BULK_DEADLINE", "nan"),
        ("BULK_LONGEST_WAIT", "601"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_environment({"BULK_REDIS_URL": "redis://x"} | {variable: value})


@each_row(
    ("stored", "found"),
    [
        ([], "NOT one each: 7890 has 0"),
        ([{"idempotency_key": "k", "amount": 123_456}] * 2, "NOT one each: 7890 has 2"),
        ([{"idempotency_key": "k", "amount": 5}], "NOT one each: 7890 has 1"),
        (
            [{"idempotency_key": "k", "amount": 123_456}, {"idempotency_key": "x", "amount": 5}],
            "NOT one each: nobody's order has 1",
        ),
    ],
    ids=["none", "two", "another-amount", "one-too-many"],
)
def test_the_count_at_the_end_can_fail(stored: list[Mapping[str, object]], found: str) -> None:
    assert invoices_per_order([ORDER], {"7890": "k"}, stored) == found


@each_row(
    ("decision", "code"),
    [
        (Decision.CREATED, 0),
        (Decision.REFUSED, 1),
        (Decision.CHANGED, 1),
        (Decision.SEND, 3),
        (Decision.GIVEN_UP, 3),
        (Decision.HUMAN, 3),
    ],
)
def test_the_exit_code_tells_whether_somebody_has_to_look(decision: Decision, code: int) -> None:
    assert exit_code([Decision.CREATED, decision]) == code


def test_a_long_list_is_cut_and_counted() -> None:
    outcomes = [(order, Decision.REFUSED, "400") for order in sample_orders(13)]
    assert table([("orders", 13)], outcomes).endswith("  order-0010: 400\n  and 3 more")
