"""Fetching and updating an invoice: the id in the path, what goes over the wire, what comes back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tazapay_lightning import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidRequestError,
    InvoiceMismatchError,
    LightningClient,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
    hash_memo,
)
from tazapay_lightning.invoices.request import check_callback, check_invoice_id
from tests.support.bolt11_encoder import D, P, S, field, of_bytes, payment_request
from tests.support.service import (
    API_KEY,
    API_SECRET,
    Answering,
    CallMethod,
    Handler,
    call_sync,
    envelope,
    invoice_object,
)
from tests.support.tables import each_row

ID = "l11_abc123xyz"
OPERATIONS: list[tuple[str, dict[str, Any]]] = [("get_invoice", {}), ("update_invoice", {"metadata": {"a": "b"}})]
each_operation = pytest.mark.parametrize(("method", "arguments"), OPERATIONS, ids=["get", "update"])


def failing_first(*replies: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Return a handler that gives these replies and then a good one, and the list of its requests."""
    requests: list[httpx.Request] = []
    left = list(replies)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        reply = left.pop(0) if left else httpx.Response(200, content=envelope(invoice_object()))
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handle, requests


def test_a_fetch_is_a_get_of_the_invoices_path_without_body_or_key(call_everywhere: CallMethod) -> None:
    service = Answering()
    call_everywhere(service, "get_invoice", ID)
    (request,) = service.requests
    assert (request.method, request.url.raw_path) == ("GET", b"/v3/lightning_invoice_bolt11/l11_abc123xyz")
    assert request.read() == b""
    assert not {"idempotency-key", "content-type", "content-length"} & set(request.headers)


def test_an_update_is_a_put_of_the_metadata_alone(call_everywhere: CallMethod) -> None:
    service = Answering()
    call_everywhere(service, "update_invoice", ID, metadata={"order_id": "7890"})
    (request,) = service.requests
    assert (request.method, request.url.raw_path) == ("PUT", b"/v3/lightning_invoice_bolt11/l11_abc123xyz")
    assert json.loads(request.read()) == {"metadata": '{"order_id":"7890"}'}
    assert "idempotency-key" not in request.headers


def test_an_update_sends_an_object_where_the_client_is_told_to(call: CallMethod) -> None:
    service = Answering()
    call(service, "update_invoice", ID, metadata={"order_id": "7890"}, client={"metadata_format": "object"})
    assert json.loads(service.requests[0].read()) == {"metadata": {"order_id": "7890"}}


def test_metadata_can_be_emptied(call_everywhere: CallMethod) -> None:
    service = Answering()
    call_everywhere(service, "update_invoice", ID, metadata={})
    assert json.loads(service.requests[0].read()) == {"metadata": "{}"}


@each_operation
def test_what_comes_back_is_the_invoice(method: str, arguments: dict[str, Any], call_everywhere: CallMethod) -> None:
    invoice = call_everywhere(Answering(), method, ID, **arguments)
    assert (invoice.id, invoice.amount_sats, invoice.collect_id) == (ID, 123456, "col_98765")
    assert invoice.idempotency_key is None
    assert invoice.differences == ()


@each_row("hash_field", ["h_tag", "h_tag_memo"])
def test_the_hash_is_read_under_both_of_its_names(hash_field: str, call: CallMethod) -> None:
    body = envelope(invoice_object(**{"h_tag": None, hash_field: "ab" * 32}))
    assert call(Answering(body=body), "get_invoice", ID).memo_hash == "ab" * 32


def test_an_error_names_the_invoice_that_is_not_there(call: CallMethod) -> None:
    body = json.dumps({"message": f"no invoice {ID}"}).encode()
    with pytest.raises(NotFoundError, match=f"no invoice {ID}"):
        call(Answering(404, body), "get_invoice", ID)


def test_data_as_json_text_is_read(call: CallMethod) -> None:
    body = envelope(json.dumps(invoice_object()))
    assert call(Answering(body=body), "get_invoice", ID).amount_sats == 123456


STEPS = {
    "a?b=c": b"a%3Fb%3Dc", "a#b": b"a%23b", "a%2Fb": b"a%252Fb", "%2e%2e": b"%252e%252e", "a;b": b"a%3Bb",
    "a@b:c": b"a%40b%3Ac", "é": b"%C3%A9", "...": b"...", "a..b": b"a..b", "a+b": b"a%2Bb",
}  # fmt: skip


@each_row(("invoice_id", "path"), STEPS.items())
def test_an_id_stays_one_step_of_the_path(invoice_id: str, path: bytes) -> None:
    check_step(invoice_id, path, call_sync)


@each_row("invoice_id", ["a%2Fb", "é"])
def test_it_does_with_every_client(invoice_id: str, call_everywhere: CallMethod) -> None:
    check_step(invoice_id, STEPS[invoice_id], call_everywhere)


def check_step(invoice_id: str, path: bytes, call: CallMethod) -> None:
    service = Answering(body=envelope(invoice_object(id=invoice_id)))
    call(service, "get_invoice", invoice_id)
    assert service.requests[0].url.raw_path == b"/v3/lightning_invoice_bolt11/" + path


REFUSED = ["", ".", "..", "a/b", "/", "../x", "a\\b", "a b", " a", "a\n", "\ta", "a\x00", "\x7f", "\x85", "\u2028",
           "\u00a0", "\ud800", "a" * 256]  # fmt: skip


@each_row("invoice_id", REFUSED, ids=[f"{number}" for number, _ in enumerate(REFUSED)])
def test_an_id_that_could_be_more_than_one_step_is_refused(invoice_id: str) -> None:
    with pytest.raises(InvalidArgumentError, match="such as l11_abc123xyz") as caught:
        check_invoice_id(invoice_id)
    assert caught.value.argument == "invoice_id"


@each_operation
def test_such_an_id_is_refused_before_anything_is_sent(
    method: str, arguments: dict[str, Any], call_everywhere: CallMethod
) -> None:
    service = Answering()
    with pytest.raises(InvalidArgumentError) as caught:
        call_everywhere(service, method, "../x", **arguments)
    assert (caught.value.argument, service.requests) == ("invoice_id", [])


ACCEPTED = "invoice_id must be the id of an invoice, such as l11_abc123xyz (Invoice.id)"
NEVER = ", without slash, backslash, dot segment, blank or control character, of at most 255 characters"


@each_row(
    ("value", "told"),
    [
        (None, "; got NoneType"),
        (b"l11_abc123xyz", "; got bytes"),
        ("", f"{NEVER}; got ''"),
        ("a" * 256, f"{NEVER}; got '{'a' * 39}... (258 characters)"),
        ("a/b", f"{NEVER}; got 'a/b'"),
    ],
    ids=lambda value: str(value)[:9],
)
def test_a_wrong_id_is_told_in_these_words(value: Any, told: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_invoice_id(value)
    assert (str(caught.value), caught.value.argument) == (f"{ACCEPTED}{told}", "invoice_id")


def test_a_wrong_callback_is_told_in_these_words() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_callback("print", argument="on_poll", may_be_async=True)
    assert str(caught.value) == "on_poll must be a function of one argument, or None; got str"


def test_the_blocking_client_refuses_a_callback_that_nobody_would_await() -> None:
    async def tell(invoice: object) -> None:
        """Never run."""

    service = Answering()
    with pytest.raises(InvalidArgumentError) as caught:
        call_sync(service, "wait_for_payment", ID, on_poll=tell)
    assert str(caught.value) == (
        "on_poll must be a plain function here; got a coroutine function, which AsyncLightningClient takes"
    )
    assert (caught.value.argument, service.requests) == ("on_poll", [])


@pytest.mark.parametrize(
    ("fields", "asked", "received"),
    [
        ({"d_tag_memo": "Order #7891"}, "Order #7891", "Order #7890"),
        ({"h_tag": "ab" * 32}, "ab" * 32, "Order #7890"),
        ({"d_tag_memo": "half a \ud800"}, "half a ?", "Order #7890"),
    ],
    ids=["memo", "hash", "half a character"],
)
def test_a_payment_request_for_another_purpose_than_its_invoice_is_listed(
    fields: dict[str, Any], asked: str, received: str, call: CallMethod, caplog: pytest.LogCaptureFixture
) -> None:
    body = envelope(invoice_object(pay_to=payment_request(P, S, D, prefix="lnbcrt1234560n"), **fields))
    (difference,) = call(Answering(body=body), "get_invoice", ID).differences
    assert (difference.field, difference.asked, difference.received) == ("bolt11_description", asked, received)
    assert "bolt11_description differ" in caplog.text


def test_a_description_that_reads_like_the_hash_that_was_asked_for_is_a_mismatch(call: CallMethod) -> None:
    hash_of_memo = hash_memo("Order #7890")
    pay_to = payment_request(P, S, field("d", of_bytes(hash_of_memo.encode())), prefix="lnbcrt1234560n")
    service = Answering(body=envelope(invoice_object(pay_to=pay_to, h_tag_memo=hash_of_memo)))
    with pytest.raises(InvoiceMismatchError, match="for another purpose than the memo"):
        call(service, "create_invoice", amount_sats=123456, memo_hash=hash_of_memo)


@each_row("fields", [{"d_tag_memo": "Order #7890"}, {"h_tag": hash_memo("Order #7890")}, {"h_tag": "ab" * 20}, {}])
def test_a_payment_request_for_the_purpose_of_its_invoice_is_accepted(fields: dict[str, Any], call: CallMethod) -> None:
    body = envelope(invoice_object(pay_to=payment_request(P, S, D, prefix="lnbcrt1234560n"), **fields))
    assert call(Answering(body=body), "get_invoice", ID).differences == ()


@each_row(("prefix", "differences"), [("lnbc", []), ("lnbcrt", ["bolt11_network"]), ("lntbs", ["bolt11_network"])])
@each_row("method", ["get_invoice", "create_invoice"])
def test_a_request_of_production_for_another_network_is_listed(
    method: str, prefix: str, differences: list[str], call: CallMethod
) -> None:
    body = envelope(invoice_object(pay_to=payment_request(P, S, D, prefix=f"{prefix}1234560n")))
    given, arguments = ((ID,), {}) if method == "get_invoice" else ((), {"amount_sats": 123456})
    invoice = call(Answering(body=body), method, *given, client={"environment": "production"}, **arguments)
    assert [difference.field for difference in invoice.differences] == differences


def test_the_longest_id_is_255_characters() -> None:
    assert check_invoice_id("a" * 255) == "a" * 255


@each_row("metadata", [None, "{}", [], 7, {"a": float("nan")}, {1: "a"}], ids=repr)
def test_metadata_that_is_no_json_object_is_refused_before_anything_is_sent(metadata: Any, call: CallMethod) -> None:
    service = Answering()
    with pytest.raises(InvalidArgumentError) as caught:
        call(service, "update_invoice", ID, metadata=metadata)
    assert (caught.value.argument, service.requests) == ("metadata", [])


@each_operation
def test_another_invoice_than_the_one_asked_for_is_an_error(
    method: str, arguments: dict[str, Any], call: CallMethod
) -> None:
    body = envelope(invoice_object(id="l11_another"))
    with pytest.raises(
        UnexpectedResponseError, match="^asked for invoice l11_abc123xyz, but the reply is about l11_another$"
    ):
        call(Answering(body=body), method, ID, **arguments)


# which failures pass is the same for every operation, and is in test_retries
@pytest.mark.usefixtures("quick_retries")
@each_operation
def test_a_passing_failure_is_tried_again(method: str, arguments: dict[str, Any], call_everywhere: CallMethod) -> None:
    service, requests = failing_first(httpx.Response(503, headers={"Retry-After": "0"}))
    assert call_everywhere(service, method, ID, **arguments).id == ID
    assert len(requests) == 2
    assert requests[0].read() == requests[1].read()


@pytest.mark.usefixtures("quick_retries")
@each_operation
def test_a_lost_connection_is_tried_again(method: str, arguments: dict[str, Any], call: CallMethod) -> None:
    service, requests = failing_first(httpx.ReadError("reset"))
    assert call(service, method, ID, **arguments).id == ID
    assert len(requests) == 2


@each_operation
@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationError), (404, NotFoundError), (503, ServerError)],
    ids=lambda v: str(v)[:3],
)
def test_a_failure_leaves_no_invoice_in_doubt(
    status: int, error: type[Exception], method: str, arguments: dict[str, Any], call: CallMethod
) -> None:
    with pytest.raises(error) as caught:
        call(Answering(status, b""), method, ID, client={"max_retries": 0}, **arguments)
    failure: Any = caught.value
    assert (failure.outcome_unknown, failure.idempotency_key, failure.attempts) == (False, None, 1)
    assert "an invoice may exist" not in str(failure)


def test_a_lost_reply_to_an_update_leaves_no_invoice_in_doubt(call: CallMethod) -> None:
    service, _ = failing_first(httpx.ReadError("reset"))
    with pytest.raises(APIConnectionError) as caught:
        call(service, "update_invoice", ID, metadata={}, client={"max_retries": 0})
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (False, None)


def test_an_error_repeats_the_key_of_an_invoice_and_not_its_memo(call: CallMethod) -> None:
    body = json.dumps({"message": "key order-1 was used for Dr Jekyll"}).encode()
    with pytest.raises(InvalidRequestError, match=r"key order-1 was used for \[redacted\]"):
        call(Answering(409, body), "create_invoice", amount_sats=1, memo="Dr Jekyll", idempotency_key="order-1")


def test_an_error_repeats_no_hash_of_a_memo(call: CallMethod) -> None:
    body = json.dumps({"message": f"bad h_tag_memo {'ab' * 32}"}).encode()
    with pytest.raises(InvalidRequestError, match=r"bad h_tag_memo \[redacted\]"):
        call(Answering(400, body), "create_invoice", amount_sats=1, memo_hash="ab" * 32)


def test_what_was_submitted_as_metadata_is_not_repeated_in_an_error(call: CallMethod) -> None:
    body = json.dumps({"status": "error", "message": "bad value 'Dr Jekyll'"}).encode()
    with pytest.raises(ServerError) as caught:
        call(Answering(500, body), "update_invoice", ID, metadata={"name": "Dr Jekyll"}, client={"max_retries": 0})
    assert "Jekyll" not in f"{caught.value} {caught.value.body}"


@each_operation
@pytest.mark.parametrize("limit", ["timeout", "deadline"])
def test_the_limits_of_one_call_are_checked(
    limit: str, method: str, arguments: dict[str, Any], call: CallMethod
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call(Answering(), method, ID, **arguments, **{limit: 0})
    assert caught.value.argument == limit


@each_operation
def test_a_closed_client_says_so(method: str, arguments: dict[str, Any]) -> None:
    client = LightningClient(API_KEY, API_SECRET)
    client.close()
    with pytest.raises(ConfigurationError, match="this client is closed"):
        getattr(client, method)(ID, **arguments)


@each_operation
def test_a_payment_request_over_another_amount_than_its_invoice_is_an_error(
    method: str, arguments: dict[str, Any], call: CallMethod
) -> None:
    over_too_much = payment_request(P, S, D, prefix="lnbcrt12345600n")
    body = envelope(invoice_object(pay_to=over_too_much))
    with pytest.raises(InvoiceMismatchError, match="over 1234560000 millisatoshi; do not show it") as caught:
        call(Answering(body=body), method, ID, **arguments)
    assert caught.value.invoice is not None
    assert caught.value.invoice.bolt11 == over_too_much


def test_a_contradiction_is_told_in_these_words(call: CallMethod) -> None:
    body = envelope(invoice_object(pay_to=payment_request(P, S, D, prefix="lnbcrt12345600n")))
    with pytest.raises(InvoiceMismatchError) as caught:
        call(Answering(body=body), "get_invoice", ID)
    assert str(caught.value) == (
        "asked for 123456 satoshi, but invoice l11_abc123xyz has a payment request over "
        "1234560000 millisatoshi; do not show it to a payer"
    )


def test_a_long_id_is_shown_short(call: CallMethod) -> None:
    asked, received = "a" * 81, "b" * 81
    with pytest.raises(
        UnexpectedResponseError,
        match=f"^asked for invoice {'a' * 80}[.]{{3}}, but the reply is about {'b' * 80}[.]{{3}}$",
    ):
        call(Answering(body=envelope(invoice_object(id=received))), "get_invoice", asked)


def test_without_check_echo_that_is_only_listed(call: CallMethod) -> None:
    body = envelope(invoice_object(pay_to=payment_request(P, S, D, prefix="lnbcrt12345600n")))
    (difference,) = call(Answering(body=body), "get_invoice", ID, client={"check_echo": False}).differences
    assert (difference.field, difference.asked, difference.received) == (
        "bolt11_amount_msat",
        123456000,
        1234560000,
    )
