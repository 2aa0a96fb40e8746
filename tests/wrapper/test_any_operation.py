"""`call`: any operation of a generated package, with what `create_invoice` has; and options for one call or client.

The document has only the operations of invoices, so other generated modules are played by modules of the same form.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from tazapay_lightning import (
    APIConnectionError,
    AsyncLightningClient,
    ConfigurationError,
    InvalidArgumentError,
    InvalidRequestError,
    LightningClient,
    NotFoundError,
    RequestFailedError,
    ServerError,
    UnexpectedResponseError,
)
from tazapay_lightning_api.api.default import create_lightning_invoice, get_lightning_invoice, update_lightning_invoice
from tazapay_lightning_api.models import CreateLightningInvoiceRequest, UpdateLightningInvoiceRequest
from tazapay_lightning_api.types import UNSET, Unset
from tests.support.service import API_KEY, API_SECRET, Answering, CallMethod, envelope, invoice_object
from tests.support.tables import each_row

ID = "l11_abc123xyz"
AT_ONCE = {"Retry-After": "0"}


def generated(get_kwargs: Callable[..., dict[str, Any]], *, described: Callable[[int], bool] | None = None) -> Any:
    """Return a module of the form that the generator gives to an operation, which describes replies of some status."""

    def parse(*, client: Any, response: Any) -> object:
        return {"model of": response.json()} if described and described(response.status_code) else None

    module = ModuleType("tazapay_lightning_api.api.default.post_checkout")
    module.__dict__.update(_get_kwargs=get_kwargs, _parse_response=parse)
    return module


def checkout(*, body: Any, tazapay_account: str | Unset = UNSET) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if not isinstance(tazapay_account, Unset):
        headers["tz-account-id"] = tazapay_account
    return {"method": "post", "url": "/v3/checkout", "json": body.to_dict(), "headers": headers}


def listing(*, limit: int | Unset = UNSET, active: bool | Unset = UNSET, kinds: list[str] | Unset = UNSET) -> Any:
    params = {"limit": limit, "active": active, "kinds": kinds}
    return {"method": "get", "url": "/v3/things", "params": {k: v for k, v in params.items() if v is not UNSET}}


def by_path(id: str, part: str) -> dict[str, Any]:  # noqa: A002 - what the generator calls it
    return {"method": "get", "url": f"/v3/things/{id}/{part}"}


def replacing(*, idempotency_key: str | Unset = UNSET) -> dict[str, Any]:
    headers = {} if isinstance(idempotency_key, Unset) else {"Idempotency-Key": idempotency_key}
    return {"method": "put", "url": "/v3/things/1", "headers": headers}


def form() -> dict[str, Any]:
    return {"method": "post", "url": "/v3/forms", "data": {"a": "b"}, "files": {"c": b"d"}}


def upload() -> dict[str, Any]:
    return {"method": "post", "url": "/v3/files", "content": b"a"}


CHECKOUT, LISTING, BY_PATH, REPLACING, FORM, UPLOAD = map(
    generated, (checkout, listing, by_path, replacing, form, upload)
)


def body(**fields: Any) -> Any:
    """Stand for a generated model."""
    return SimpleNamespace(to_dict=lambda: fields)


def failing_first(*replies: httpx.Response | Exception) -> tuple[Callable[[httpx.Request], httpx.Response], list[Any]]:
    requests: list[Any] = []
    left = list(replies)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        reply = left.pop(0) if left else httpx.Response(200, content=envelope({"id": "chk_1"}))
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handle, requests


def test_a_post_carries_its_body_credentials_and_a_key(call_everywhere: CallMethod) -> None:
    service = Answering(body=envelope({"id": "chk_1"}))
    reply: Any = call_everywhere(service, "call", CHECKOUT, body=body(amount=1, name="Zoë"), tazapay_account="acc_1")
    (request,) = service.requests
    assert (request.method, request.url.path, json.loads(request.read())) == (
        "POST", "/v3/checkout", {"amount": 1, "name": "Zoë"},
    )  # fmt: skip
    assert request.headers["authorization"].startswith("Basic ")
    assert (request.headers["content-type"], request.headers["tz-account-id"]) == ("application/json", "acc_1")
    assert request.headers["idempotency-key"] == reply.idempotency_key
    assert uuid.UUID(reply.idempotency_key).version == 4
    assert (reply.data, reply.status_code, reply.attempts) == ({"id": "chk_1"}, 200, 1)


@pytest.mark.usefixtures("quick_retries")
def test_all_attempts_of_a_post_share_one_key(call: CallMethod) -> None:
    service, requests = failing_first(httpx.Response(503, headers=AT_ONCE), httpx.ReadError("reset"))
    reply: Any = call(service, "call", CHECKOUT, body=body(amount=1), idempotency_key="order-1")
    assert [request.headers["idempotency-key"] for request in requests] == ["order-1"] * 3
    assert (reply.attempts, reply.idempotency_key) == (3, "order-1")


def test_a_post_whose_outcome_is_unknown_says_so_with_its_key(call: CallMethod) -> None:
    service, _ = failing_first(httpx.ReadError("reset"))
    with pytest.raises(APIConnectionError) as caught:
        call(service, "call", CHECKOUT, body=body(), idempotency_key="order-1", max_retries=0)
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (True, "order-1")


def test_an_operation_that_names_the_key_itself_gets_it(call: CallMethod) -> None:
    service = Answering()
    asked = CreateLightningInvoiceRequest(amount=1)
    reply: Any = call(service, "call", create_lightning_invoice, body=asked, idempotency_key="order-1")
    replaced: Any = call(service, "call", REPLACING, idempotency_key="order-2")  # although it is no POST
    assert [request.headers.get_list("idempotency-key") for request in service.requests] == [["order-1"], ["order-2"]]
    assert (reply.data["amount"], replaced.idempotency_key) == (123456, "order-2")


def test_a_get_has_a_query_and_neither_key_nor_body(call_everywhere: CallMethod) -> None:
    service = Answering()
    reply: Any = call_everywhere(service, "call", LISTING, limit=5, active=True, kinds=["a b", "c&d"])
    (request,) = service.requests
    assert (request.method, request.url.raw_path) == ("GET", b"/v3/things?limit=5&active=true&kinds=a+b&kinds=c%26d")
    assert (request.read(), reply.idempotency_key) == (b"", None)
    assert not {"idempotency-key", "content-type"} & set(request.headers)


def test_a_put_goes_as_generated_code_says(call: CallMethod) -> None:
    service = Answering()
    asked = UpdateLightningInvoiceRequest(metadata='{"a":1}')
    call(service, "call", update_lightning_invoice, id=ID, body=asked)
    assert service.requests[0].url.path.endswith(f"/{ID}")
    assert json.loads(service.requests[0].read()) == {"metadata": '{"a":1}'}


@each_row("data", [None, [], [1], "text", {"id": "x"}, {"d": 1, "cls": 2, "to_dict": 3}], ids=repr)
def test_data_may_be_anything(data: object, call: CallMethod) -> None:
    reply: Any = call(Answering(201, envelope(data)), "call", LISTING)
    assert (reply.status_code, reply.data) == (201, data)


def test_a_reply_without_a_body_is_a_success(call_everywhere: CallMethod) -> None:
    reply: Any = call_everywhere(Answering(204, b""), "call", LISTING)
    assert (reply.status_code, reply.data, reply.envelope) == (204, None, None)


@each_row(
    ("status", "content", "kind"),
    [(404, b"", NotFoundError), (500, b"<html>", ServerError), (200, b"{", UnexpectedResponseError),
     (200, b'{"status":"error","message":"no"}', RequestFailedError)],
)  # fmt: skip
def test_a_failure_is_the_documented_error(
    status: int, content: bytes, kind: type[Exception], call: CallMethod
) -> None:
    with pytest.raises(kind):
        call(Answering(status, content, {"x-request-id": "r1"}), "call", LISTING, max_retries=0)


def test_what_was_submitted_is_not_repeated_in_an_error(call: CallMethod) -> None:
    service = Answering(400, json.dumps({"message": "bad name 'Dr Jekyll'"}).encode())
    with pytest.raises(Exception, match="bad name '\\[redacted\\]'"):
        call(service, "call", CHECKOUT, body=body(customer={"name": "Dr Jekyll"}))


def test_what_was_submitted_in_a_query_or_a_path_is_not_repeated_in_an_error_or_a_log(
    call: CallMethod, caplog: pytest.LogCaptureFixture
) -> None:
    service = Answering(400, json.dumps({"message": "no jekyll@example.org"}).encode())
    with caplog.at_level("DEBUG", logger="tazapay_lightning"), pytest.raises(InvalidRequestError) as caught:
        call(service, "call", LISTING, kinds=["jekyll@example.org"])
    assert "jekyll" not in f"{caught.value}{caught.value.body}{caplog.text}"


def test_a_number_and_a_uuid_are_steps_of_a_path(call: CallMethod) -> None:
    service = Answering()
    call(service, "call", BY_PATH, id=7, part=uuid.UUID(int=1))
    assert service.requests[0].url.path == "/v3/things/7/00000000-0000-0000-0000-000000000001"


# Arguments


@each_row(
    ("operation", "arguments", "argument", "words"),
    [
        (get_lightning_invoice.sync, {}, "operation", "must be a module of the generated package: "),
        (json, {}, "operation", "got <module 'json' from "),
        (None, {}, "operation", "must be a module of the generated package: "),
        (LISTING, {"size": 5}, "size", "post_checkout has no argument 'size'; it takes limit, active, kinds"),
        (FORM, {"size": 5}, "size", "post_checkout has no argument 'size'; it takes no arguments"),
        (CHECKOUT, {}, "body", "needs the argument body"),
        (CHECKOUT, {"body": {"amount": 1}}, "body", "Bodies are models of the generated package"),
        (CHECKOUT, {"body": body(amount=float("nan"))}, "body", "no request can be made of the arguments"),
        (CHECKOUT, {"body": body(amount=object())}, "body", "no request can be made of the arguments"),
        (FORM, {}, "body", "a body of JSON is what can be sent, and this one goes as data, files."),
        (UPLOAD, {}, "body", "a body of JSON is what can be sent, and this one goes as content."),
        (BY_PATH, {"id": "a"}, "part", "needs the argument part"),
        (BY_PATH, {"id": "..", "part": "x"}, "id", "must be one step of a path"),
        (BY_PATH, {"id": "a", "part": "b/c"}, "part", "must be one step of a path"),
        (BY_PATH, {"id": None, "part": "x"}, "id", "must be one step of a path"),
        (BY_PATH, {"id": True, "part": "x"}, "id", "must be one step of a path"),
        (BY_PATH, {"id": b"a", "part": "x"}, "id", "must be one step of a path"),
        (BY_PATH, {"id": 10**255, "part": "x"}, "id", "must be one step of a path"),
        (LISTING, {"kinds": ["\ud800"]}, "body", "no request can be made of the arguments"),
        (CHECKOUT, {"body": body(), "tazapay_account": "a\r\nX: y"}, "body", "a value of a header that is not visible"),
        (CHECKOUT, {"body": body(), "tazapay_account": "\u20ac"}, "body", "not visible ASCII"),
        (LISTING, {"headers": {"Expect": "100-continue"}}, "headers", "got Expect, which the client itself sets"),
        (LISTING, {"headers": {"Proxy-Authorization": "x"}}, "headers", "got Proxy-Authorization, which the client"),
        (LISTING, {"idempotency_key": "k"}, "idempotency_key", "takes no idempotency_key"),
        (CHECKOUT, {"body": body(), "idempotency_key": "a b"}, "idempotency_key", "1 to 255 visible ASCII"),
        (LISTING, {"timeout": 0}, "timeout", "must be seconds"),
        (LISTING, {"deadline": True}, "deadline", "must be seconds"),
        (LISTING, {"max_retries": 21}, "max_retries", "must be an int from 0 to 20"),
        (LISTING, {"headers": {"Authorization": "x"}}, "headers", "got Authorization, which the client itself sets"),
        (LISTING, {"headers": {"idempotency-KEY": "x"}}, "headers", "got idempotency-KEY, which the client"),
        (LISTING, {"headers": {"Content-Type": "x"}}, "headers", "got Content-Type, which the client itself sets"),
        (LISTING, {"headers": {"Transfer-Encoding": "x"}}, "headers", "got Transfer-Encoding, which the client"),
        (LISTING, {"headers": {"a b": "x"}}, "headers", "got 'a b', which is no name of a header"),
        (LISTING, {"headers": {"X-Token": "s3cret\r\nX: y"}}, "headers", "a value of X-Token that is not visible"),
        (LISTING, {"headers": {"X-Token": 7}}, "headers", "a value of X-Token that is not visible"),
        (LISTING, {"headers": [("a", "b")]}, "headers", "must be a mapping"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused_by_its_name_before_anything_is_sent(
    operation: Any, arguments: dict[str, Any], argument: str, words: str, call: CallMethod
) -> None:
    service = Answering()
    with pytest.raises(InvalidArgumentError) as caught:
        call(service, "call", operation, **arguments)
    assert (caught.value.argument, service.requests) == (argument, [])
    assert f" {words}" in f" {caught.value}"  # from the beginning of a word on
    assert "s3cret" not in str(caught.value)


def test_a_closed_client_calls_nothing() -> None:
    client = LightningClient(API_KEY, API_SECRET)
    client.close()
    with pytest.raises(ConfigurationError, match="this client is closed"):
        client.call(LISTING)


# The generated model


def test_parse_makes_the_generated_model_of_any_success(call: CallMethod) -> None:
    for status in (200, 201, 299):
        reply: Any = call(
            Answering(status, envelope(json.dumps(invoice_object()))), "call", get_lightning_invoice, id=ID
        )
        assert type(reply.parse()).__name__ == "GetLightningInvoiceResponse"


def test_no_success_is_parsed_as_the_reply_that_the_document_describes_for_another_status(
    call: CallMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    for described, parsed in ((lambda status: status == 299, True), (lambda status: not 200 <= status <= 299, False)):
        operation = generated(listing, described=described)
        monkeypatch.setitem(sys.modules, operation.__name__, operation)
        reply: Any = call(Answering(200, b"{}"), "call", operation)
        if parsed:
            assert reply.parse() == {"model of": {}}
        else:
            with pytest.raises(UnexpectedResponseError, match="describes no reply of this kind"):
                reply.parse()


def test_parse_of_what_is_not_as_the_document_says_is_unexpected(call: CallMethod) -> None:
    listed: Any = call(Answering(200, b"[1]"), "call", get_lightning_invoice, id=ID)
    with pytest.raises(UnexpectedResponseError, match="not what the document describes"):
        listed.parse()


# What a reply may look like without breaking a call that made an invoice (DESIGN: the wrapper reads replies itself)


@each_row("status", [200, 201, 202, 299])
def test_an_invoice_is_read_whatever_the_status_of_success(status: int, create: Any) -> None:
    invoice = create(Answering(status), amount_sats=123456)
    assert (invoice.reply.status_code, invoice.id) == (status, ID)


@each_row("name", ["d", "cls", "to_dict", "self", "additional_properties", "json"])
def test_no_name_of_a_field_breaks_an_invoice(name: str, create: Any) -> None:
    content = json.dumps({"data": invoice_object(**{name: {name: 1}}), name: 1, "status": "success"}).encode()
    assert create(Answering(201, content), amount_sats=123456).raw[name] == {name: 1}


def test_an_invoice_has_the_reply_that_it_came_with(create_everywhere: Any) -> None:
    service = Answering(200, envelope(invoice_object()), {"x-request-id": "r1", "set-cookie": "a=b"})
    invoice = create_everywhere(service, amount_sats=123456, idempotency_key="order-1")
    assert (invoice.reply.request_id, invoice.reply.idempotency_key, invoice.reply.attempts) == ("r1", "order-1", 1)
    assert "set-cookie" not in invoice.reply.headers
    assert invoice.reply.parse().status == "success"


def test_an_error_has_the_name_of_its_request(call_everywhere: CallMethod) -> None:
    with pytest.raises(NotFoundError) as caught:
        call_everywhere(Answering(404, b"", {"X-Request-ID": "r1"}), "get_invoice", ID)
    assert caught.value.request_id == "r1"


# Options for one call, and for a client on the same connections

METHODS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("create_invoice", (), {"amount_sats": 123456}),
    ("get_invoice", (ID,), {}),
    ("update_invoice", (ID,), {"metadata": {}}),
    ("call", (LISTING,), {}),
]
each_method = each_row(("method", "given", "arguments"), METHODS, ids=[row[0] for row in METHODS])


@pytest.mark.usefixtures("quick_retries")
@each_method
def test_retries_and_headers_are_those_of_the_call(
    method: str, given: tuple[Any, ...], arguments: dict[str, Any], call: CallMethod
) -> None:
    service = Answering(503, b"", AT_ONCE)
    with pytest.raises(ServerError) as caught:
        call(service, method, *given, **arguments, max_retries=1, headers={"X-Team": "billing"})
    assert caught.value.attempts == len(service.requests) == 2
    assert {request.headers["x-team"] for request in service.requests} == {"billing"}


def test_a_header_may_take_the_place_of_the_user_agent(call_everywhere: CallMethod) -> None:
    service = Answering()
    call_everywhere(service, "get_invoice", ID, headers={"user-agent": "shop/1"})
    assert service.requests[0].headers.get_list("user-agent") == ["shop/1"]


@pytest.mark.parametrize("kind", [LightningClient, AsyncLightningClient])
def test_the_settings_of_a_client_can_be_read_and_not_set(kind: Any) -> None:
    client = kind(API_KEY, API_SECRET, environment="production", timeout=1, deadline=2, max_retries=3)
    assert (client.base_url, client.environment) == ("https://service.tazapay.com", "production")
    assert (client.timeout, client.deadline, client.max_retries) == (1.0, 2.0, 3)
    for name in ("base_url", "environment", "timeout", "deadline", "max_retries"):
        with pytest.raises(AttributeError):
            setattr(client, name, None)


@pytest.mark.parametrize("kind", [LightningClient, AsyncLightningClient])
def test_a_client_with_other_options_leaves_the_first_as_it_is(kind: Any) -> None:
    client = kind(API_KEY, API_SECRET)
    other = client.with_options(timeout=1, deadline=2, max_retries=0)
    assert type(other) is kind
    assert (other.timeout, other.deadline, other.max_retries) == (1.0, 2.0, 0)
    assert (client.timeout, client.deadline, client.max_retries) == (30.0, 90.0, 2)


def test_options_go_along_with_what_was_there(call: Any) -> None:
    service = Answering()
    with httpx.Client(transport=httpx.MockTransport(service)) as own:
        client = LightningClient(API_KEY, API_SECRET, http_client=own).with_options(headers={"X-A": "1", "X-B": "1"})
        client = client.with_options(headers={"x-b": "2"}, metadata_format="object", check_echo=False)
        invoice = client.create_invoice(amount_sats=7, metadata={"a": 1}, headers={"X-C": "3"})
    headers = service.requests[0].headers
    assert (headers["x-a"], headers["x-b"], headers["x-c"]) == ("1", "2", "3")
    assert json.loads(service.requests[0].read())["metadata"] == {"a": 1}
    assert [difference.field for difference in invoice.differences] == ["amount_sats", "metadata"]


@each_row(
    ("options", "argument"),
    [
        ({"timeout": 0}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"headers": {"Authorization": "x"}}, "headers"),
        ({"metadata_format": "xml"}, "metadata_format"),
        ({"check_echo": 1}, "check_echo"),
    ],
)
@each_row("kind", [LightningClient, AsyncLightningClient])
def test_a_wrong_option_is_refused_by_its_name(kind: Any, options: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        kind(API_KEY, API_SECRET).with_options(**options)
    assert caught.value.argument == argument


def test_closing_a_client_closes_those_with_other_options() -> None:
    client = LightningClient(API_KEY, API_SECRET)
    other = client.with_options(timeout=1)
    other.close()
    with pytest.raises(ConfigurationError, match="this client is closed"):
        client.get_invoice(ID)


def test_a_uuid_is_a_key(create: Any) -> None:
    key = uuid.UUID("12345678-1234-4234-8234-123456789abc")
    assert create(Answering(), amount_sats=123456, idempotency_key=key).idempotency_key == str(key)


def test_an_error_keeps_its_key_when_a_reply_leads_to_a_foreign_exception(
    create: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr("tazapay_lightning.invoices.invoice.service_time", overflow)
    reply = Answering(200, envelope(invoice_object()), {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"})
    with pytest.raises(UnexpectedResponseError) as caught:
        create(reply, amount_sats=123456, idempotency_key="order-1")
    assert (caught.value.idempotency_key, caught.value.outcome_unknown) == ("order-1", True)
