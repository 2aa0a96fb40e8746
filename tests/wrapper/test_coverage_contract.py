"""What the wrapper does with each field of an operation, line by line: codegen/wrapper_coverage.yaml.

Requests are those of both clients, which fill them from arguments of their own; replies are read by functions that both
share, so one client stands for both. A method for another operation needs its rows in CALLS, SENT and SHOWN.
"""

from __future__ import annotations

import base64
import inspect
import json
from datetime import UTC, datetime
from typing import Any, get_args

import attrs
import httpx
import pytest

from codegen.drift.coverage import KINDS, load_coverage
from codegen.drift.nodes import Nodes
from codegen.generate.regeneration import merged_document
from tazapay_lightning import (
    AsyncLightningClient,
    Invoice,
    LightningClient,
    UnexpectedResponseError,
    hash_memo,
)
from tazapay_lightning.transport.settings import MetadataFormat
from tests.support.checkout import REPOSITORY
from tests.support.service import API_KEY, API_SECRET, Answering, call_sync, envelope
from tests.support.tables import each_row

COVERAGE = load_coverage(REPOSITORY)
OPERATIONS = {operation.method: operation for operation in COVERAGE.operations.values()}
ID = "l11_abc123xyz"
MOMENT = datetime(2025, 9, 28, 8, 15, 30, tzinfo=UTC)

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "create_invoice": ((), {"amount_sats": 123456}),
    "get_invoice": ((ID,), {}),
    "update_invoice": ((ID,), {"metadata": {}}),
}
"""The fewest arguments that each method takes."""

SENT: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {
    ("create_invoice", "amount_sats"): ({"amount_sats": 5000}, 5000),
    ("create_invoice", "amount_btc"): ({"amount_sats": None, "amount_btc": "0.00005"}, 5000),
    ("create_invoice", "memo"): ({"memo": "Order #7890"}, "Order #7890"),
    ("create_invoice", "memo_hash"): ({"memo_hash": "ab" * 32}, "ab" * 32),
    ("create_invoice", "memo_as_hash"): ({"memo": "Order", "memo_as_hash": True}, hash_memo("Order")),
    ("create_invoice", "expires_in"): ({"expires_in": 600}, 600),
    ("create_invoice", "metadata"): ({"metadata": {"order": 1}}, '{"order":1}'),
    ("create_invoice", "idempotency_key"): ({"idempotency_key": "order-7890"}, "order-7890"),
    ("get_invoice", "invoice_id"): ({"invoice_id": "l11_other"}, "l11_other"),
    ("update_invoice", "invoice_id"): ({"invoice_id": "l11_other"}, "l11_other"),
    ("update_invoice", "metadata"): ({"metadata": {"order": 1}}, '{"order":1}'),
}
"""For each argument: a call that gives it, and what goes out then."""

SHOWN: dict[tuple[str, str], tuple[Any, Any]] = {
    ("id", "string"): (ID, ID),
    ("amount", "integer"): (5000, 5000),
    ("amount", "number"): (5000.0, 5000),
    ("amount", "string"): ("5000", 5000),
    ("d_tag_memo", "string"): ("Order #7890", "Order #7890"),
    ("h_tag_memo", "string"): ("ab" * 32, "ab" * 32),
    ("h_tag", "string"): ("cd" * 32, "cd" * 32),
    ("collect", "string"): ("col_1", "col_1"),
    ("expiry_interval", "integer"): (600, 600),
    ("expiry_interval", "number"): (600.0, 600),
    ("expiry_interval", "string"): ("600", 600),
    ("metadata", "object"): ({"order": 1}, {"order": 1}),
    ("metadata", "string"): ('{"order": 1}', {"order": 1}),
    ("status", "string"): ("expired", "expired"),
    ("payment_status", "string"): ("paid", "paid"),
    ("created_at", "string"): ("2025-09-28T08:15:30Z", MOMENT),
    ("updated_at", "string"): ("2025-09-28T08:15:30Z", MOMENT),
}
"""For each field of an invoice and each form that it may have: a value, and what the attribute is then."""

OF_A_KIND: dict[str, list[Any]] = {
    "array": [[], ["a"], [["order", 1]]],
    "boolean": [True, False],
    "integer": [0, 600, 1759047330],
    "number": [5.5, 600.0],
    "object": [{}, {"order": 1}],
    "string": ["", "a text", "600", "2025-09-28T08:15:30Z", '{"order": 1}'],
}
"""Values of each type, for fields that cannot be read from any of them."""

LOCAL = {"timeout", "deadline", "max_retries", "headers"}
"""Arguments that say how to call, and not what to send."""

NOT_OF_ONE_FIELD = {
    "bolt11": "no documented field carries it, so it is looked for in all of them",
    "differences": "what the reply and the request do not have in common",
    "idempotency_key": "that of the request",
    "raw": "all fields",
    "reply": "what all fields came in",
}


class Service:
    """Answers with an invoice over the amount and with the id that were asked for, and keeps the requests."""

    def __init__(self, *, as_text: bool = False, without: str = "", **fields: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._fields = fields
        self._as_text = as_text
        self._without = without

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        asked = json.loads(request.content or b"{}")
        data = {"id": self.last_step if request.method != "POST" else ID, "amount": asked.get("amount", 5000)}
        data |= self._fields
        data = {key: value for key, value in data.items() if f"data.{key}" != self._without}
        body = envelope(json.dumps(data) if self._as_text else data)
        return httpx.Response(200, stream=httpx.ByteStream(body))

    @property
    def last_step(self) -> str:
        return self.requests[-1].url.path.rpartition("/")[2]

    def sent(self, key: str) -> Any:
        """What the only request carried in a field; None if nothing."""
        (request,) = self.requests
        where, *rest = key
        if where == "(header)":
            return request.headers.get(rest[0])
        return self.last_step if where == "(path)" else json.loads(request.content or b"{}").get(where)


def call_with(call, service, method, client=None, **arguments):
    given, named = CALLS[method]
    named = named | arguments
    if "invoice_id" in named:
        given = (named.pop("invoice_id"),)
    return call(service, method, *given, client=client, **named)


KIND_OF = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def rows(side, *, having=lambda _covered: True):
    return [
        pytest.param(method, key, id=f"{method} {'.'.join(key)}")
        for method, operation in OPERATIONS.items()
        for key, covered in getattr(operation, side).items()
        if having(covered)
    ]


INVOICES = {
    method: operation
    for method, operation in OPERATIONS.items()
    if any(name.startswith("Invoice.") for covered in operation.reply.values() for name in covered.names)
}
"""Methods that return an invoice: what else one returns is tested where it is written."""


def test_every_operation_of_the_contract_is_in_the_document():
    document = merged_document(REPOSITORY)[0]
    described = set(Nodes(document).operations())
    assert described >= COVERAGE.operations.keys()


# what is sent, by both clients


@pytest.mark.parametrize("client", [LightningClient, AsyncLightningClient])
@pytest.mark.parametrize("method", OPERATIONS)
def test_every_argument_of_a_method_is_in_the_contract(client, method):
    parameters = set(inspect.signature(getattr(client, method)).parameters) - {"self"}
    named = {name for covered in OPERATIONS[method].request.values() for name in covered.names}
    assert parameters - LOCAL == named


def test_every_attribute_of_an_invoice_is_in_the_contract():
    named = {
        name.removeprefix("Invoice.")
        for operation in INVOICES.values()
        for covered in operation.reply.values()
        for name in covered.names
    }
    public = {each.name for each in attrs.fields(Invoice) if not each.name.startswith("_")}
    assert public - NOT_OF_ONE_FIELD.keys() == named


@each_row(
    ("method", "key", "argument"),
    [
        pytest.param(method, key, name, id=f"{method}({name}=)")
        for method, operation in OPERATIONS.items()
        for key, covered in operation.request.items()
        for name in covered.names
    ],
)
def test_an_argument_sends_the_field_that_the_contract_says(call, method, key, argument):
    assert (method, argument) in SENT, f"give {method}({argument}=) an example in SENT of this test"
    arguments, expected = SENT[method, argument]
    service = Service()
    call_with(call, service, method, **arguments)
    assert service.sent(key) == expected


@each_row(("method", "key"), rows("request", having=lambda covered: covered.always))
def test_a_field_that_is_always_sent_is_in_the_shortest_call(call, method, key):
    service = Service()
    call_with(call, service, method)
    assert service.sent(key) is not None


@each_row(("method", "key"), rows("request", having=lambda covered: not covered.always))
def test_a_field_that_nobody_gave_is_not_sent(call, method, key):
    service = Service()
    call_with(call, service, method)
    assert service.sent(key) is None


def kinds_sent(call, method, key, client=None):
    """The JSON types that the arguments of a field send."""
    kinds = set()
    for argument in OPERATIONS[method].request[key].names:
        service = Service()
        call_with(call, service, method, client=client, **SENT[method, argument][0])
        kinds.add(KIND_OF[type(service.sent(key))])
    return kinds


@each_row(("method", "key"), rows("request", having=lambda covered: covered.names != ()))
def test_the_kinds_of_a_field_are_those_that_clients_send_by_default(call, method, key):
    assert kinds_sent(call, method, key) == OPERATIONS[method].request[key].kinds


@each_row(
    ("method", "key", "kind", "option"),
    [
        pytest.param(method, key, kind, option, id=f"{method} {'.'.join(key)} as {kind}")
        for method, operation in OPERATIONS.items()
        for key, covered in operation.request.items()
        for kind, option in covered.kinds_by_option.items()
    ],
)
def test_a_kind_under_an_option_is_what_clients_with_that_option_send(call, method, key, kind, option):
    name, _, value = option.partition("=")
    assert kinds_sent(call, method, key, {name: json.loads(value)}) == {kind}


@each_row("form", get_args(MetadataFormat))
@each_row(("method", "key"), rows("request", having=lambda covered: covered.names != ()))
def test_no_form_of_metadata_sends_a_kind_that_the_contract_does_not_name(call, method, key, form):
    covered = OPERATIONS[method].request[key]
    by_option = {kind for kind, option in covered.kinds_by_option.items() if option == f'metadata_format="{form}"'}
    assert kinds_sent(call, method, key, {"metadata_format": form}) == (by_option or covered.kinds)


@each_row("method", OPERATIONS)
def test_a_request_is_authorised_in_the_way_that_the_contract_says(call_everywhere, method):
    service = Service()
    call_with(call_everywhere, service, method)
    (request,) = service.requests
    scheme, _, token = request.headers["authorization"].partition(" ")
    assert f"http {scheme.lower()}" == COVERAGE.security
    assert base64.b64decode(token).decode() == f"{API_KEY}:{API_SECRET}"


# what is read, by the functions that both clients share


def read_rows(kinds):
    return [
        pytest.param(method, key[-1], kind, covered, id=f"{method} {'.'.join(key)} as {kind}")
        for method, operation in INVOICES.items()
        for key, covered in operation.reply.items()
        for kind in sorted(kinds(covered))
    ]


@each_row(("method", "field", "kind", "covered"), read_rows(lambda covered: covered.kinds if covered.names else ()))
def test_an_attribute_shows_the_field_that_the_contract_says_in_every_form(method, field, kind, covered):
    assert (field, kind) in SHOWN, f"give {field} as {kind} an example in SHOWN of this test"
    value, expected = SHOWN[field, kind]
    attribute = covered.names[0].removeprefix("Invoice.")
    arguments = {"amount_sats": 5000} if method == "create_invoice" else {}
    without = call_with(call_sync, Service(), method, **arguments)
    invoice = call_with(call_sync, Service(**{field: value}), method, **arguments)
    assert getattr(invoice, attribute) == expected
    if not covered.always:
        assert getattr(without, attribute) != expected


@each_row(("method", "field", "kind", "covered"), read_rows(lambda covered: KINDS - {"null"} - covered.kinds))
def test_a_field_in_a_form_that_the_contract_does_not_name_is_not_read(method, field, kind, covered):
    for value in OF_A_KIND[kind]:
        service = Service(**{field: value}) if covered.names else Answering(200, envelope(value))
        if covered.always:
            with pytest.raises(UnexpectedResponseError):
                call_with(call_sync, service, method, client={"max_retries": 0})
        else:
            invoice = call_with(call_sync, service, method)
            assert not getattr(invoice, covered.names[0].removeprefix("Invoice."))


@each_row("absent", [True, False], ids=["absent", "null"])
@each_row(("method", "key"), rows("reply", having=lambda covered: covered.always and covered.names))
def test_a_reply_without_what_is_essential_is_no_invoice(method, key, absent):
    service = Service(without=".".join(key)) if absent else Service(**{key[-1]: None})
    with pytest.raises(UnexpectedResponseError):
        call_with(call_sync, service, method, client={"max_retries": 0})


@each_row(("method", "key"), rows("reply", having=lambda covered: not covered.always))
def test_a_reply_without_anything_else_is_an_invoice(method, key):
    shown = {field: SHOWN[field, kind][0] for field, kind in SHOWN if field not in {"id", "amount"}}
    invoice = call_with(call_sync, Service(without=".".join(key), **shown), method)
    assert key[-1] not in invoice.raw


@pytest.mark.parametrize("method", INVOICES)
def test_what_is_essential_is_taken_from_the_reply(method):
    invoice = call_with(call_sync, Service(amount=7000), method, client={"check_echo": False})
    assert invoice.amount_sats == 7000


@each_row("as_text", [True, False], ids=["JSON text", "object"])
@each_row("method", INVOICES)
def test_data_is_read_in_both_forms_that_the_contract_names(call_everywhere, method, as_text):
    assert OPERATIONS[method].reply["data",].kinds == {"string", "object"}
    assert call_with(call_everywhere, Service(as_text=as_text, status="active"), method).status == "active"
