"""Values from outside appear in messages short, on one line, and harmless to a terminal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tazapay_lightning
from tazapay_lightning import (
    AsyncLightningClient,
    ConfigurationError,
    LightningClient,
    TazapayError,
    btc_to_sats,
    decode_bolt11,
    encode_json_field,
    format_btc,
    hash_memo,
    sats_to_btc,
    sign_webhook,
    signature_header,
    verify_memo,
    verify_webhook,
)
from tazapay_lightning.bulk import idempotency_key
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.settings import Credentials
from tazapay_lightning.values.safe_text import printable, shown
from tazapay_lightning.webhooks.signature import Secret
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_a_value_that_cannot_be_shown_is_still_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"environment .* got a value of type Hostile"):
        LightningClient("k", "s", environment=Hostile())  # type: ignore[arg-type]  # the wrong type is what is tested


@given(st.integers() | st.text() | st.floats() | st.binary() | st.lists(st.text()))
def test_what_is_shown_is_never_more_than_a_line(value: object) -> None:
    text = shown(value)
    assert len(text) < 80
    assert "\n" not in text


@given(st.text())
def test_what_is_printable_has_the_same_length_and_prints(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(text).isprintable()


def test_a_long_text_is_cut_where_it_is_asked_to_be() -> None:
    assert (printable("abcdef", most=3), printable("abc", most=3)) == ("abc...", "abc")


LONG = 1_000_000 if THOROUGH else 100_000  # for the shortest limit, either is no nearer to it


class Huge:
    def __repr__(self) -> str:
        return "x\n" * LONG


def nested(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


HUGE: dict[str, object] = {
    "text": "x" * LONG,
    "number as text": "1" * LONG,
    "int": 10**100_000,
    "negative int": -(10**100_000),
    "NaN with a payload": Decimal("NaN" + "1" * 100_000),
    "signalling NaN with a payload": Decimal("sNaN" + "1" * 100_000),
    "Decimal": Decimal("1" * 100_000),
    "bytes": b"x" * LONG,
    "list": ["x"] * 100_000,
    "nested list": nested(5000),
    "mapping": {"x" * LONG: {"x" * LONG: 10**100_000}},
    "mapping with such a key": {10**100_000: 1},
    "mapping with such a value": {"a": Huge()},
    "header": {"content-" + "x" * LONG: "a"},
    "header with such a value": {"X-" + "x" * LONG: "é"},
    "object": Huge(),
    "object that cannot be shown": Hostile(),
    "type": type("X" * LONG, (), {}),
    "object of such a type": type("X" * LONG, (), {})(),
    "url": "https://" + "x" * LONG + "/\\",
    "other scheme": "x" * LONG + "://example.com",
    "port": "https://example.com:" + "x" * LONG,
    "payment request": "lnbc" + "1" * LONG,
}
FUNCTIONS: dict[str, Callable[[Any], object]] = {
    "btc_to_sats": btc_to_sats,
    "sats_to_btc": sats_to_btc,
    "format_btc": format_btc,
    "hash_memo": hash_memo,
    "verify_memo": lambda value: verify_memo("m", value),
    "encode_json_field": encode_json_field,
    "decode_json_field": tazapay_lightning.decode_json_field,
    "decode_bolt11": decode_bolt11,
    "signature_header": signature_header,
    "sign_webhook": lambda value: sign_webhook(value, "s"),
    "verify_webhook": lambda value: verify_webhook(value, "x", "s"),
    "verify_webhook, signature": lambda value: verify_webhook(b"{}", value, "s"),
    "verify_webhook, tolerance": lambda value: verify_webhook(b"{}", "x", "s", tolerance=value),
    "idempotency_key": lambda value: idempotency_key(value, value),
    **{
        name: lambda value, name=name: LightningClient("k", "s", **{name: value})
        for name in (
            *("environment", "base_url", "timeout", "deadline", "max_retries", "metadata_format", "check_echo"),
            "http_client",
        )
    },
    "backend": lambda value: AsyncLightningClient("k", "s", backend=value),
    "with_options": lambda value: CLIENT.with_options(headers=value),
    "get_invoice": lambda value: CLIENT.get_invoice(value),
    "update_invoice": lambda value: CLIENT.update_invoice("l11_1", metadata=value),
    "call": lambda value: CLIENT.call(value),
    "wait_for_payment": lambda value: CLIENT.wait_for_payment(value),
    "wait_for_payment, on_poll": lambda value: CLIENT.wait_for_payment("l11_1", timeout=value),
    **{
        f"create_invoice, {name}": lambda value, name=name: CLIENT.create_invoice(**{"amount_sats": 1, name: value})
        for name in ("amount_sats", "amount_btc", "memo", "memo_as_hash", "memo_hash", "expires_in", "metadata",
                     "idempotency_key", "timeout", "deadline", "max_retries", "headers")
    },
}  # fmt: skip
CLIENT = LightningClient("k", "s", base_url="http://127.0.0.1:1", max_retries=0)


@each_row("function", FUNCTIONS)
def test_the_message_about_a_refused_argument_is_short_however_large_the_argument_is(function: str) -> None:
    messages = {name: message_of(partial(FUNCTIONS[function], huge)) for name, huge in HUGE.items()}
    assert not {name: len(message) for name, message in messages.items() if len(message) > 2100}


def message_of(refuse: Callable[[], object]) -> str:
    try:
        refuse()
    except TazapayError as error:
        return str(error)
    return ""  # it is not refused


@pytest.mark.parametrize("client", [LightningClient, AsyncLightningClient])
def test_a_client_that_is_not_made_yet_has_a_repr(client: Any) -> None:
    assert repr(client.__new__(client)) == f"{client.__name__}(host=None)"


@each_row("name", sorted(tazapay_lightning.__all__))
def test_an_object_of_our_own_repr_has_one_before_it_is_made(name: str) -> None:
    kind = getattr(tazapay_lightning, name)
    if isinstance(kind, type) and not attrs.has(kind):
        assert kind.__name__ in repr(kind.__new__(kind))


@pytest.mark.parametrize("kind", [Credentials, Redaction, Secret])
def test_an_object_that_holds_secrets_has_a_repr_before_it_is_made(kind: Any) -> None:
    assert repr(kind.__new__(kind)) == f"{kind.__name__}(...)"
