"""Where the signature stands among the headers of a request."""

from __future__ import annotations

from email.message import Message
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders

from tazapay_lightning import (
    ConfigurationError,
    InvalidArgumentError,
    WebhookSignatureError,
    sign_webhook,
    signature_header,
    verify_webhook_request,
)
from tests.support.tables import each_row

EVENT = b'{"id": "evt_1", "type": "collect.succeeded", "created_at": "2025-09-28T08:15:30Z"}'
MISSING = "^there is no signature: no header `signature` and no `webhook-signature`, or an empty one"


def message(pairs: dict[str, str]) -> Message:
    """Return headers as the server of the standard library has them."""
    headers = Message()
    for name, value in pairs.items():
        headers[name] = value
    return headers


@each_row(
    "make",
    [
        dict, MappingProxyType, httpx.Headers, StarletteHeaders, message, lambda pairs: list(pairs.items()),
        lambda pairs: iter(pairs.items()),
        lambda pairs: [(name.encode(), text.encode()) for name, text in pairs.items()],
        lambda pairs: {name.encode(): text.encode() for name, text in pairs.items()},
        lambda pairs: [[name, text] for name, text in pairs.items()],
    ],
    ids=[
        "dict", "read-only mapping", "httpx", "Starlette", "http.server", "pairs", "iterator", "ASGI", "dict of bytes",
        "lists",
    ],
)  # fmt: skip
@each_row("name", ["signature", "Signature", "SIGNATURE", "webhook-signature", "Webhook-Signature"])
def test_the_signature_is_found_in_the_headers_of_every_framework(make: Any, name: str) -> None:
    assert signature_header(make({"Content-Type": "application/json", name: "c2lnbmVk"})) == "c2lnbmVk"


@pytest.mark.parametrize("name", ["HTTP_SIGNATURE", "HTTP_WEBHOOK_SIGNATURE"])
def test_the_signature_is_found_in_the_environment_of_a_wsgi_request(name: str) -> None:
    environment = {"REQUEST_METHOD": "POST", "wsgi.version": (1, 0), "wsgi.input": object(), name: "c2lnbmVk"}
    assert signature_header(environment) == "c2lnbmVk"


def test_the_signature_is_found_where_each_header_has_a_list_of_values() -> None:
    assert signature_header({"Host": ["a", "b"], "Signature": ["c2lnbmVk"]}) == "c2lnbmVk"


def test_two_values_in_a_list_are_two_values() -> None:
    with pytest.raises(WebhookSignatureError, match="comes with 2 different values"):
        signature_header({"Signature": ["first", "second"]})


def test_other_headers_may_hold_anything() -> None:
    assert signature_header({"X-Retry": 3, "X-None": None, "signature": "c2lnbmVk"}) == "c2lnbmVk"


@pytest.mark.parametrize("names", [("signature", "webhook-signature"), ("webhook-signature", "signature")])
def test_signature_comes_before_webhook_signature(names: tuple[str, str]) -> None:
    assert signature_header([(name, f"of {name}") for name in names]) == "of signature"


def test_an_empty_header_is_no_header() -> None:
    assert signature_header({"signature": " \t", "webhook-signature": "c2lnbmVk"}) == "c2lnbmVk"


def test_blanks_around_the_value_are_left_out() -> None:
    assert signature_header({"signature": "\t c2ln bmVk \t"}) == "c2ln bmVk"
    assert signature_header({"signature": "\u00a0c2ln\n"}) == "\u00a0c2ln\n", "HTTP knows no other blanks"


@each_row(
    "headers",
    [
        {},
        [],
        {"signature": ""},
        {"x-signature": "a"},
        {"signatures": "a"},
        {"webhook_signature": "a"},
        {"sıgnature": "a"},
    ],
    ids=ascii,
)
def test_without_a_signature_both_names_are_told(headers: Any) -> None:
    with pytest.raises(WebhookSignatureError, match=MISSING):
        signature_header(headers)


@pytest.mark.parametrize("name", ["signature", "webhook-signature"])
def test_one_header_with_two_values_is_refused(name: str) -> None:
    with pytest.raises(WebhookSignatureError, match=f"^the header `{name}` comes with 2 different values") as caught:
        signature_header([(name, "first"), (name.upper(), "second")])
    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


def test_one_header_twice_with_the_same_value_is_accepted() -> None:
    assert signature_header([("signature", "c2lnbmVk"), (b"Signature", b" c2lnbmVk")]) == "c2lnbmVk"


def test_two_values_of_the_header_that_is_not_read_do_not_matter() -> None:
    headers = [("webhook-signature", "first"), ("webhook-signature", "second"), ("signature", "c2lnbmVk")]
    assert signature_header(headers) == "c2lnbmVk"


@each_row(
    "headers",
    [
        None, 1, "signature", ["signature"], [("signature",)], [("signature", "a", "b")], {"signature": None},
        {"signature": [1]}, {1: "c2lnbmVk"}, dict, object(),
    ],
    ids=lambda headers: type(headers).__name__,
)  # fmt: skip
def test_what_is_no_headers_is_refused_by_name(headers: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        signature_header(headers)
    assert caught.value.argument == "headers"
    assert str(caught.value) == (
        "headers must be a mapping of names to values, or pairs of them, each a str or bytes; "
        f"got {type(headers).__name__}, or something else within"
    )


names = st.sampled_from(["signature", "Webhook-Signature", b"SIGNATURE"]) | st.text() | st.binary()


@given(st.lists(st.tuples(names, st.text() | st.binary())))
def test_any_headers_give_a_text_or_the_one_error(headers: list[tuple[str | bytes, str | bytes]]) -> None:
    try:
        assert signature_header(headers)
    except WebhookSignatureError:
        return


# The whole request at once


def test_a_request_is_verified_with_the_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_WEBHOOK_SECRET", "whsec_1")
    headers = {"Webhook-Signature": sign_webhook(EVENT, "whsec_1")}
    assert verify_webhook_request(EVENT, headers).id == "evt_1"
    with pytest.raises(WebhookSignatureError):
        verify_webhook_request(EVENT, headers, "whsec_2")


def test_a_request_without_a_signature_is_refused() -> None:
    with pytest.raises(WebhookSignatureError):
        verify_webhook_request(EVENT, {}, "whsec_1")


def test_a_request_is_refused_by_its_age() -> None:
    headers = {"signature": sign_webhook(EVENT, "whsec_1")}
    with pytest.raises(WebhookSignatureError, match="the tolerance is 60 s"):
        verify_webhook_request(EVENT, headers, "whsec_1", tolerance=60)


@pytest.mark.parametrize("value", [None, ""])
def test_without_any_secret_the_variable_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("TAZAPAY_WEBHOOK_SECRET", value)
    with pytest.raises(ConfigurationError, match="^no webhook secret: pass secret, or set TAZAPAY_WEBHOOK_SECRET$"):
        verify_webhook_request(EVENT, {})
