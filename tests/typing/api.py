"""Read by mypy only: what type checkers see of the public API, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import assert_type
from uuid import uuid4

import httpx

import tazapay_lightning
from tazapay_lightning import (
    APIError,
    APIStatusError,
    AsyncLightningClient,
    Bolt11,
    Difference,
    InvalidArgumentError,
    Invoice,
    InvoiceMismatchError,
    LightningClient,
    RateLimitError,
    TazapayError,
    WebhookEvent,
    btc_to_sats,
    bulk,
    decode_bolt11,
    decode_json_field,
    encode_json_field,
    format_btc,
    hash_memo,
    sats_to_btc,
    sign_webhook,
    signature_header,
    verify_memo,
    verify_webhook,
)
from tazapay_lightning_emulator import Emulator, Fault, FaultPlan, RequestRecord, create_app, running_emulator

assert_type(tazapay_lightning.__version__, str)
assert_type(tazapay_lightning.MAX_SATS, int)
assert_type(tazapay_lightning.MAX_MEMO_BYTES, int)

# pure functions
assert_type(btc_to_sats("0.1"), int)
assert_type(btc_to_sats(Decimal(1)), int)
assert_type(btc_to_sats(1), int)
assert_type(sats_to_btc(1), Decimal)
assert_type(format_btc(1), str)
assert_type(hash_memo("memo"), str)
assert_type(verify_memo("memo", "hash"), bool)
assert_type(encode_json_field({"a": [1, None]}), str)
assert_type(decode_json_field(None), dict[str, object])
assert_type(decode_bolt11("lnbc1"), Bolt11)
assert_type(verify_webhook(b"", "s", "k", tolerance=timedelta(hours=25)), WebhookEvent)
assert_type(sign_webhook(b"", "k"), str)
assert_type(signature_header({"signature": "s"}), str)
assert_type(signature_header([(b"signature", b"s")]), str)
verify_webhook("text", "s", "k")  # type: ignore[arg-type]  # the raw bytes, not what was made of them
btc_to_sats(0.1)  # type: ignore[arg-type]  # a float is refused
sats_to_btc("1")  # type: ignore[arg-type]  # satoshi are ints
hash_memo(b"memo")  # type: ignore[arg-type]  # a memo is text


def blocking() -> None:
    with LightningClient() as client:
        assert_type(client, LightningClient)
        assert_type(client.create_invoice(amount_sats=1), Invoice)
        client.create_invoice(amount_btc="0.1", memo="m", memo_as_hash=True, expires_in=timedelta(hours=1))
        client.create_invoice(amount_btc=Decimal(1), memo_hash="h", expires_in=1, metadata={"a": {"b": [1]}})
        client.create_invoice(amount_sats=1, idempotency_key="k", timeout=1, deadline=timedelta(seconds=1.5))
        client.create_invoice(amount_sats=1, idempotency_key=uuid4(), max_retries=0, headers={"X-Team": "billing"})
        client.create_invoice(1)  # type: ignore[call-overload]  # keywords only
        client.create_invoice(memo="m")  # type: ignore[call-overload]  # an amount is needed
        client.create_invoice(amount_sats=1, amount_btc="0.1")  # type: ignore[call-overload]  # and not two
        client.create_invoice(amount_btc=0.1)  # type: ignore[call-overload]  # a float is refused
        client.create_invoice(amount_btc=1)  # type: ignore[call-overload]  # an int is nearly always satoshi
        assert_type(client.get_invoice("l11_1", timeout=1, deadline=timedelta(seconds=1)), Invoice)
        assert_type(client.update_invoice("l11_1", metadata={"a": "b"}), Invoice)
        assert_type(client.wait_for_payment("l11_1", timeout=1.5, poll_interval=timedelta(seconds=1)), Invoice)
        client.wait_for_payment(client.get_invoice("l11_1"), on_poll=print)
        client.get_invoice(7)  # type: ignore[arg-type]  # ids are text
        client.update_invoice("l11_1", {})  # type: ignore[call-arg]  # what is set is named
        client.update_invoice("l11_1", metadata="{}")  # type: ignore[arg-type]  # a mapping, not its text
        client.create_invoice(amount=1)  # type: ignore[call-overload]  # an amount has its unit in its name
    LightningClient("k", "s", environment="production", metadata_format="object", http_client=httpx.Client())
    LightningClient("k", "s", base_url="http://emulator:8787", allow_http=True)
    LightningClient("k", "s", environment="live")  # type: ignore[arg-type]  # there are two environments
    LightningClient("k", "s", timeout=None)  # type: ignore[arg-type]  # nothing waits for ever
    LightningClient("k", "s", http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # of the wrong kind


# a misspelt name is an error, and so is a method that a client does not have; it stands here and is not used, for mypy
from tazapay_lightning import LightningClint  # type: ignore[attr-defined] # noqa: E402, F401

assert_type(LightningClient().with_options(timeout=1), LightningClient)


async def tell(invoice: Invoice) -> None:
    """Be a callback that is a coroutine function."""


async def asynchronous() -> None:
    async with AsyncLightningClient() as client:
        assert_type(client, AsyncLightningClient)
        assert_type(await client.create_invoice(amount_sats=1), Invoice)
        assert_type(await client.get_invoice("l11_1"), Invoice)
        assert_type(await client.update_invoice("l11_1", metadata={}), Invoice)
        assert_type(await client.wait_for_payment("l11_1", on_poll=tell), Invoice)
    AsyncLightningClient("k", "s", http_client=httpx.AsyncClient())
    AsyncLightningClient("k", "s", http_client=httpx.Client())  # type: ignore[arg-type]  # of the wrong kind


def results(invoice: Invoice) -> None:
    assert_type(invoice.id, str)
    assert_type(invoice.amount_sats, int)
    assert_type(invoice.amount_btc, Decimal)
    assert_type(invoice.memo, str | None)
    assert_type(invoice.memo_hash, str | None)
    assert_type(invoice.status, str | None)
    assert_type(invoice.payment_status, str | None)
    assert_type(invoice.is_paid, bool)
    assert_type(invoice.is_expired, bool)
    assert_type(invoice.expiry_interval, int | None)
    assert_type(invoice.expires_at, datetime | None)
    assert_type(invoice.collect_id, str | None)
    assert_type(invoice.metadata, Mapping[str, object])
    assert_type(invoice.created_at, datetime | None)
    assert_type(invoice.updated_at, datetime | None)
    assert_type(invoice.bolt11, str | None)
    assert_type(invoice.lightning_uri, str | None)
    assert_type(invoice.qr_svg(), str)
    assert_type(invoice.qr_png(scale=4), bytes)
    assert_type(invoice.qr_terminal(), str)
    assert_type(invoice.differences, tuple[Difference, ...])
    assert_type(invoice.idempotency_key, str | None)
    assert_type(invoice.raw, Mapping[str, object])
    assert_type(invoice.to_dict(), dict[str, object])
    invoice.amount_sats = 1  # type: ignore[misc]  # frozen
    invoice.metadata["a"] = 1  # type: ignore[index]  # read-only


def requests_and_events(request: Bolt11, event: WebhookEvent) -> None:
    assert_type(request.network, str)
    assert_type(request.amount_msat, int | None)
    assert_type(request.timestamp, datetime)
    assert_type(request.expires_at, datetime)
    assert_type(request.description, str | None)
    assert_type(event.created_at, datetime | None)
    assert_type(event.data, Mapping[str, object])
    assert_type(event.collect_id, str | None)
    event.data["a"] = 1  # type: ignore[index]  # read-only


def failures(error: APIError, status: APIStatusError, rate: RateLimitError, mismatch: InvoiceMismatchError) -> None:
    assert_type(error.idempotency_key, str | None)
    assert_type(error.outcome_unknown, bool)
    assert_type(error.attempts, int)
    assert_type(status.status_code, int)
    assert_type(status.code, int | None)
    assert_type(status.message, str)
    assert_type(status.errors, tuple[Mapping[str, object], ...])
    assert_type(status.headers, Mapping[str, str])
    assert_type(status.body, str)
    assert_type(rate.retry_after, float | None)
    assert_type(mismatch.invoice, Invoice | None)
    assert_type(mismatch.differences, tuple[Difference, ...])
    assert_type(InvalidArgumentError("m").argument, str)


async def many() -> None:
    async with AsyncLightningClient(backend="aiohttp") as client:
        AsyncLightningClient(backend="requests")  # type: ignore[arg-type]  # there are two
        async for result in bulk.create_invoices(client, [{"order_id": "1"}], key=partial(bulk.idempotency_key, "s")):
            assert_type(result.invoice, Invoice | None)
            assert_type(result.error, TazapayError | None)
            assert_type(result.idempotency_key, str | None)
            assert_type(result.outcome_unknown, bool)


def emulated() -> None:
    with running_emulator(data_as_string=True) as emulator:
        assert_type(emulator, Emulator)
        assert_type(emulator.base_url, str)
        emulator.fail_next("reset_after_commit", times=2, idempotency_key="order-1")
        emulator.fail_next("network gone")  # type: ignore[arg-type]  # faults have names
        emulator.fail_randomly(0.3, seed=7, kinds={"drip": 2, Fault("delay_after_commit", seconds=1): 1})
        assert_type(emulator.faults_injected(), list[RequestRecord])
    create_app(faults=FaultPlan("drip"))
