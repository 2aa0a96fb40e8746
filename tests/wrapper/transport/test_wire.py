"""What goes over the wire, to the byte: each fact about it has one test."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tazapay_lightning import AsyncLightningClient, LightningClient, ServerError, __version__, hash_memo
from tests.support.clients import call_kind, caller, each_kind
from tests.support.service import Answering, Create, OneReplyServer, envelope, invoice_object, read_request
from tests.support.tables import each_row

StartServer = Callable[..., OneReplyServer]

FIRST_LINE = "POST /v3/lightning_invoice_bolt11 HTTP/1.1"
HEADERS = """\
Accept-Encoding: identity
Accept: application/json
Authorization: Basic {token}
Content-Length: {length}
Content-Type: application/json
Host: {host}
Idempotency-Key: order-7890
User-Agent: tazapay-lightning/{version}"""
ORDER: dict[str, Any] = {
    "amount_btc": "0.00123456",
    "memo": "Payment for order #7890 €",
    "idempotency_key": "order-7890",
}
ORDER_BODY = '{"amount":123456,"d_tag_memo":"Payment for order #7890 €"}'.encode()


def create_over_a_socket(kind: str, server: OneReplyServer) -> None:
    call_kind(kind, server.base_url, "create_invoice", client={"api_key": "my-key", "api_secret": "my-secret"}, **ORDER)


@each_kind
def test_a_request_is_these_bytes_and_no_others(kind: str, one_reply_server: StartServer) -> None:
    server = one_reply_server(envelope(invoice_object(d_tag_memo=ORDER["memo"])))
    create_over_a_socket(kind, server)
    (request,) = server.received
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == ORDER_BODY
    first, *headers = head.decode().split("\r\n")
    assert first == FIRST_LINE
    assert "\n".join(sorted(headers)) == HEADERS.format(
        host=server.base_url.removeprefix("http://"),
        token=b64encode(b"my-key:my-secret").decode(),
        version=__version__,
        length=len(ORDER_BODY),
    )


def body_sent(create: Create, **arguments: Any) -> dict[str, Any]:
    handler = Answering(200, envelope(invoice_object(amount=1)))
    create(handler, amount_sats=1, **arguments)
    sent: dict[str, Any] = json.loads(handler.requests[0].content)
    return sent


def test_only_what_the_caller_gave_is_sent(create_everywhere: Create) -> None:
    assert body_sent(create_everywhere) == {"amount": 1}


@each_row(
    ("arguments", "sent"),
    [
        ({"memo": "Order"}, {"d_tag_memo": "Order"}),
        ({"memo": ""}, {"d_tag_memo": ""}),
        ({"memo": "Order", "memo_as_hash": True}, {"h_tag_memo": hash_memo("Order")}),
        ({"memo": "x" * 640, "memo_as_hash": True}, {"h_tag_memo": hash_memo("x" * 640)}),
        ({"memo_hash": "Ab" * 32}, {"h_tag_memo": "Ab" * 32}),
        ({"memo": "Order", "memo_hash": hash_memo("Order").upper()}, {"h_tag_memo": hash_memo("Order").upper()}),
        ({"memo": "Order", "memo_hash": hash_memo("Order"), "memo_as_hash": True}, {"h_tag_memo": hash_memo("Order")}),
        ({"expires_in": 60}, {"expiry_interval": 60}),
        ({"expires_in": timedelta(minutes=2)}, {"expiry_interval": 120}),
        ({"metadata": {"order_id": "7890", "lines": [1]}}, {"metadata": '{"order_id":"7890","lines":[1]}'}),
        ({"metadata": {}}, {"metadata": "{}"}),
    ],
)
def test_each_argument_goes_out_as_its_field(arguments: dict[str, Any], sent: dict[str, Any], create: Create) -> None:
    assert body_sent(create, **arguments) == {"amount": 1, **sent}


def test_metadata_goes_out_as_an_object_if_the_client_says_so(create_everywhere: Create) -> None:
    sent = body_sent(
        create_everywhere, client={"metadata_format": "object"}, metadata={"order_id": "7890", "n": [1, None]}
    )
    assert sent == {"amount": 1, "metadata": {"order_id": "7890", "n": [1, None]}}


@each_row(("amount", "sent"), [({"amount_btc": Decimal("1E-8")}, 1), ({"amount_btc": "2"}, 200_000_000)])
def test_an_amount_of_btc_goes_out_in_satoshi(amount: dict[str, Any], sent: int, create: Create) -> None:
    handler = Answering(200, envelope(invoice_object(amount=sent)))
    create(handler, **amount)
    assert json.loads(handler.requests[0].content)["amount"] == sent


def test_each_call_has_a_fresh_uuid_as_its_idempotency_key(create: Create) -> None:
    handler = Answering()
    invoices = [create(handler, amount_sats=123456) for _ in range(2)]
    keys = [request.headers["idempotency-key"] for request in handler.requests]
    assert [invoice.idempotency_key for invoice in invoices] == keys
    assert len(set(keys)) == 2
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", key) for key in keys
    )


@each_row("key", ["k", "!" * 255, "order-7890~"])
def test_the_callers_idempotency_key_goes_out_as_it_is(key: str, create: Create) -> None:
    handler = Answering()
    create(handler, amount_sats=123456, idempotency_key=key)
    assert handler.requests[0].headers["idempotency-key"] == key


@each_row(
    ("options", "url"),
    [
        ({}, "https://service-sandbox.tazapay.com/v3/lightning_invoice_bolt11"),
        ({"environment": "sandbox"}, "https://service-sandbox.tazapay.com/v3/lightning_invoice_bolt11"),
        ({"environment": "production"}, "https://service.tazapay.com/v3/lightning_invoice_bolt11"),
        (
            {"base_url": "https://gateway.example/tazapay/"},
            "https://gateway.example/tazapay/v3/lightning_invoice_bolt11",
        ),
        (
            {"base_url": "https://gateway.example:8443", "environment": "production"},
            "https://gateway.example:8443/v3/lightning_invoice_bolt11",
        ),
    ],
)
def test_the_environment_or_the_base_url_decides_where_a_request_goes(
    options: dict[str, Any], url: str, create: Create
) -> None:
    handler = Answering()
    create(handler, client=options, amount_sats=123456)
    assert str(handler.requests[0].url) == url


def create_with(own: httpx.Client | httpx.AsyncClient, **options: Any) -> None:
    """Create an invoice through an HTTP client of the caller's, and close only ours."""
    if isinstance(own, httpx.Client):
        with LightningClient("my-key", "my-secret", http_client=own, **options) as client:
            client.create_invoice(amount_sats=123456)
        return

    async def run() -> None:
        async with AsyncLightningClient("my-key", "my-secret", http_client=own, **options) as client:
            await client.create_invoice(amount_sats=123456)

    asyncio.run(run())


both_kinds = pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])


@both_kinds
def test_headers_of_an_own_http_client_are_kept_but_its_authentication_is_not_used(kind: Any) -> None:
    handler = Answering()
    own_headers = {"X-Trace": "1", "Accept": "text/html"}
    create_with(kind(transport=httpx.MockTransport(handler), headers=own_headers, auth=("other", "x")))
    headers = handler.requests[0].headers
    assert (headers["x-trace"], headers["accept"]) == ("1", "application/json")
    assert headers["authorization"] == "Basic " + b64encode(b"my-key:my-secret").decode()


@both_kinds
def test_an_own_http_client_follows_no_redirects_either(kind: Any) -> None:
    handler = Answering(307, b"", {"Location": "https://elsewhere.example/"})
    with pytest.raises(ServerError):
        create_with(kind(transport=httpx.MockTransport(handler), follow_redirects=True), max_retries=0)
    assert len(handler.requests) == 1


@both_kinds
def test_an_own_http_client_is_not_closed_with_the_client(kind: Any) -> None:
    own = kind(transport=httpx.MockTransport(Answering()))
    create_with(own)
    assert not own.is_closed


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_hook_of_an_own_http_client_may_read_the_reply_first(encoding: str, one_reply_server: StartServer) -> None:
    body = envelope(invoice_object())
    server = one_reply_server(gzip.compress(body) if encoding == "gzip" else body, encoding)

    async def read(response: httpx.Response) -> None:
        await response.aread()

    create_with(httpx.Client(event_hooks={"response": [lambda response: response.read()]}), base_url=server.base_url)
    own = httpx.AsyncClient(event_hooks={"response": [read]})
    create_with(own, base_url=server.base_url)
    assert len(server.received) == 2


@each_kind
def test_cookies_are_not_kept(kind: str, listen: Any) -> None:
    body = envelope(invoice_object(amount=1))
    requests: list[bytes] = []

    def set_cookie(connection: Any) -> None:
        requests.append(read_request(connection))
        head = f"HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    base_url = f"http://127.0.0.1:{listen(set_cookie).port}"

    with caller(kind, base_url) as call:
        for _ in range(2):
            call("create_invoice", amount_sats=1, idempotency_key="order-1")
    assert len(requests) == 2
    assert b"cookie" not in b"".join(requests).lower()


@each_kind
def test_a_proxy_of_the_environment_is_not_asked_for_a_loopback_address(
    kind: str, monkeypatch: pytest.MonkeyPatch, one_reply_server: StartServer
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = one_reply_server(envelope(invoice_object(d_tag_memo=ORDER["memo"])))
    create_over_a_socket(kind, server)
    assert len(server.received) == 1
