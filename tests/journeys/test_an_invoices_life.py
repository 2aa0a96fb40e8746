"""An invoice from its creation to its payment or expiry, with both clients, against the emulator and its faults."""

from __future__ import annotations

import hashlib
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tazapay_lightning import (
    AuthenticationError,
    Invoice,
    InvoiceExpiredError,
    InvoiceMismatchError,
    LightningClient,
    NotFoundError,
    PaymentTimeoutError,
    decode_bolt11,
)
from tazapay_lightning_emulator import running_emulator
from tests.support.clients import KINDS, call_kind

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

FAST: dict[str, Any] = {"poll_interval": 0.01}


class Ask:
    """Calls a method of one kind of client."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, emulator: Emulator, method: str, *given: Any, **arguments: Any) -> Invoice:
        options = {"api_key": emulator.api_key, "api_secret": emulator.api_secret, "timeout": 5, "max_retries": 0}
        return call_kind(self._kind, emulator.base_url, method, *given, client=options, **arguments)


@pytest.fixture(params=KINDS)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each kind of client in turn."""
    return Ask(request.param)


@pytest.fixture
def invoice(tazapay_emulator: Emulator) -> Invoice:
    return Ask("sync")(tazapay_emulator, "create_invoice", amount_sats=123456, memo="Order #7890", expires_in=600)


def test_an_invoice_comes_with_a_payment_request_for_what_was_asked(invoice: Invoice) -> None:
    assert invoice.bolt11 is not None
    request = decode_bolt11(invoice.bolt11)
    assert (request.network, request.amount_msat, request.description) == ("bcrt", 123_456_000, "Order #7890")
    assert (request.timestamp, request.expires_at) == (invoice.created_at, invoice.expires_at)
    assert invoice.differences == ()


def test_a_hashed_memo_is_the_hash_in_the_payment_request(ask: Ask, tazapay_emulator: Emulator) -> None:
    created = ask(tazapay_emulator, "create_invoice", amount_sats=1, memo="secret plans", memo_as_hash=True)
    request = decode_bolt11(created.bolt11)
    assert (request.description, request.description_hash) == (None, hashlib.sha256(b"secret plans").hexdigest())


@pytest.mark.parametrize("data_as_string", [False, True], ids=["object", "text"])
def test_what_is_fetched_is_what_was_created(ask: Ask, data_as_string: bool) -> None:
    with running_emulator(data_as_string=data_as_string) as emulator:
        created = ask(emulator, "create_invoice", amount_sats=5, memo_hash="ab" * 32, metadata={"a": "b"})
        fetched = ask(emulator, "get_invoice", created.id)
    same = ("id", "amount_sats", "memo", "memo_hash", "status", "payment_status", "expiry_interval", "collect_id",
            "metadata", "created_at", "bolt11")  # fmt: skip
    assert {name: getattr(fetched, name) for name in same} == {name: getattr(created, name) for name in same}


def test_an_update_changes_the_metadata_and_nothing_else(
    ask: Ask, invoice: Invoice, tazapay_emulator: Emulator
) -> None:
    updated = ask(tazapay_emulator, "update_invoice", invoice.id, metadata={"table": "4"})
    fetched = ask(tazapay_emulator, "get_invoice", invoice.id)
    assert updated.metadata == fetched.metadata == {"table": "4"}
    assert (fetched.amount_sats, fetched.memo, fetched.bolt11) == (invoice.amount_sats, invoice.memo, invoice.bolt11)


@pytest.mark.parametrize(("method", "arguments"), [("get_invoice", {}), ("update_invoice", {"metadata": {}})])
def test_an_unknown_id_is_not_found(
    method: str, arguments: dict[str, Any], ask: Ask, tazapay_emulator: Emulator
) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(tazapay_emulator, method, "l11_unknown", **arguments)
    assert caught.value.code == 105


def test_another_keys_secret_opens_nothing(tazapay_emulator: Emulator, invoice: Invoice) -> None:
    with (
        LightningClient("someone", "else", base_url=tazapay_emulator.base_url) as client,
        pytest.raises(AuthenticationError),
    ):
        client.get_invoice(invoice.id)


def test_a_payment_ends_the_wait(ask: Ask, invoice: Invoice, tazapay_emulator: Emulator) -> None:
    looks = itertools.count(1)

    def pay_at_the_third_look(seen: Invoice) -> None:
        if next(looks) == 3:
            tazapay_emulator.pay(seen.id)

    paid = ask(tazapay_emulator, "wait_for_payment", invoice, on_poll=pay_at_the_third_look, **FAST)
    assert (paid.is_paid, paid.amount_sats, paid.collect_id) == (True, 123456, invoice.collect_id)


def test_the_expiry_on_the_services_clock_ends_the_wait(ask: Ask, invoice: Invoice, tazapay_emulator: Emulator) -> None:
    with pytest.raises(InvoiceExpiredError) as caught:
        ask(
            tazapay_emulator,
            "wait_for_payment",
            invoice,
            on_poll=lambda seen: tazapay_emulator.advance_clock(600),
            **FAST,
        )
    assert caught.value.invoice is not None
    assert (caught.value.invoice.status, caught.value.invoice.is_paid) == ("expired", False)


def test_an_invoice_that_is_paid_after_its_expiry_is_paid(
    ask: Ask, invoice: Invoice, tazapay_emulator: Emulator
) -> None:
    tazapay_emulator.advance_clock(601)
    tazapay_emulator.pay(invoice.id, even_if_expired=True)
    assert ask(tazapay_emulator, "wait_for_payment", invoice, **FAST).is_paid


def test_a_clock_of_the_service_that_is_far_ahead_does_no_harm(ask: Ask, tazapay_emulator: Emulator) -> None:
    tazapay_emulator.advance_clock(30 * 86_400)
    created = ask(tazapay_emulator, "create_invoice", amount_sats=5, expires_in=600)
    with pytest.raises(PaymentTimeoutError):
        ask(tazapay_emulator, "wait_for_payment", created, timeout=0.05, **FAST)
    tazapay_emulator.pay(created.id)
    assert ask(tazapay_emulator, "wait_for_payment", created, **FAST).is_paid


@pytest.mark.parametrize("seconds", [3600, 90_000])
def test_an_invoice_shows_its_code_by_the_services_clock(seconds: int, ask: Ask, tazapay_emulator: Emulator) -> None:
    tazapay_emulator.advance_clock(seconds)
    created = ask(tazapay_emulator, "create_invoice", amount_sats=5, expires_in=600)
    assert created.seconds_left == pytest.approx(600, abs=5)
    assert created.qr_svg()
    tazapay_emulator.advance_clock(600)
    assert ask(tazapay_emulator, "get_invoice", created.id).seconds_left == 0


def test_a_changed_amount_ends_the_wait(ask: Ask, invoice: Invoice, tazapay_emulator: Emulator) -> None:
    def change(seen: Invoice) -> None:
        tazapay_emulator.fail_next("wrong_amount", difference=1)

    with pytest.raises(InvoiceMismatchError) as caught:
        ask(tazapay_emulator, "wait_for_payment", invoice, on_poll=change, **FAST)
    assert [difference.field for difference in caught.value.differences] == ["bolt11_amount_msat"]


def test_a_wait_comes_through_a_network_that_loses_a_third_of_everything(
    ask: Ask, invoice: Invoice, tazapay_emulator: Emulator
) -> None:
    tazapay_emulator.fail_randomly(0.33, seed=11)
    looks = itertools.count(1)

    def pay_at_the_tenth_look(seen: Invoice) -> None:
        if next(looks) == 10:
            tazapay_emulator.pay(seen.id)

    paid = ask(tazapay_emulator, "wait_for_payment", invoice, on_poll=pay_at_the_tenth_look, poll_interval=0.001)
    assert paid.is_paid
    assert tazapay_emulator.faults_injected()


def test_a_wait_comes_through_a_time_without_any_service(
    ask: Ask, invoice: Invoice, tazapay_emulator: Emulator
) -> None:
    refused = threading.Event()

    def go_away(seen: Invoice) -> None:
        if not refused.is_set():
            refused.set()
            tazapay_emulator.pay(seen.id)
            tazapay_emulator.refuse_connections(seconds=0.3)

    assert ask(tazapay_emulator, "wait_for_payment", invoice, on_poll=go_away, **FAST).is_paid
