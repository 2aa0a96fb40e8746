"""The emulator against Tazapay's published document, with every check that schemathesis has.

The document is the one that the client is generated from: openapi.yaml with openapi.supplement.yaml and
openapi.overlay.yaml. It says nothing about errors and little about bounds, so a second overlay, below, adds what
Tazapay's documentation says elsewhere and what the emulator documents as its own assumptions; then no check has to be
left out. The same strict applier applies it: an addition that the document has by now fails here, too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from starlette.responses import PlainTextResponse

from codegen.generate.regeneration import merged_document
from codegen.overlay.actions import read_overlay
from codegen.overlay.applier import apply_overlay
from tazapay_lightning_emulator import DEFAULT_API_KEY, DEFAULT_API_SECRET, Emulator, app, running_emulator
from tazapay_lightning_emulator.api import operations as invoice_operations
from tazapay_lightning_emulator.api.fields import MAX_AMOUNT, MAX_EXPIRY_INTERVAL, MAX_MEMO_BYTES
from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError
from tazapay_lightning_emulator.invoices import book as invoice_book
from tazapay_lightning_emulator.invoices.invoice import InvoiceFields
from tests.support.plain_http import NO_TLS
from tests.support.thorough import THOROUGH

ROOT = Path(__file__).resolve().parents[3]
INVOICES = "/v3/lightning_invoice_bolt11"
INVOICE_BY_ID = f"{INVOICES}/{{id}}"
CREATE = f"$.paths['{INVOICES}'].post"
FETCH = f"$.paths['{INVOICE_BY_ID}'].get"
UPDATE = f"$.paths['{INVOICE_BY_ID}'].put"
REQUEST = f"{CREATE}.requestBody.content['application/json'].schema.properties"
NEW_METADATA = f"{UPDATE}.requestBody.content['application/json'].schema.properties"

Addition: TypeAlias = tuple[str, str, dict[str, Any] | None]
"""Target, reason, and what to add (None: remove what is there)."""

ERROR = {
    "type": "object",
    "required": ["status", "message", "errors"],
    "additionalProperties": False,
    "properties": {
        "status": {"const": "error"},
        "message": {"type": "string", "minLength": 1},
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["code", "message", "remarks"],
                "additionalProperties": False,
                "properties": {
                    "code": {"enum": [100, 105, 108, 109, 111]},
                    "message": {"type": "string", "minLength": 1},
                    "remarks": {"type": "string", "minLength": 1},
                },
            },
        },
    },
}


def reply_of(operation: str) -> str:
    return f"{operation}.responses['200'].content['application/json'].schema"


TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
INVOICE: dict[str, Any] = {
    "type": "object",
    "required": [
        "id",
        "object",
        "amount",
        "payment_request",
        "collect",
        "expiry_interval",
        "metadata",
        "status",
        "payment_status",
        "created_at",
        "updated_at",
    ],
    "not": {"required": ["d_tag_memo", "h_tag_memo"]},
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^l11_[0-9a-f]+$"},
        "object": {"const": "lightning_invoice_bolt11"},
        "amount": {"type": "integer", "minimum": 1, "maximum": MAX_AMOUNT},
        "d_tag_memo": {"type": "string"},
        "h_tag_memo": {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"},
        "payment_request": {"type": "string", "pattern": "^lnbcrt[0-9]+[mun]?1[02-9ac-hj-np-z]+$"},
        "collect": {"type": "string", "pattern": "^col_[0-9a-f]+$"},
        "expiry_interval": {"type": "integer", "minimum": 1, "maximum": MAX_EXPIRY_INTERVAL},
        "metadata": {"type": "object"},
        "status": {"const": "active"},
        "payment_status": {"const": "unpaid"},
        "created_at": TIME,
        "updated_at": TIME,
    },
}

FETCHED_INVOICE = {
    **INVOICE,
    "required": [*INVOICE["required"], "h_tag"],
    "properties": {
        **{name: schema for name, schema in INVOICE["properties"].items() if name != "h_tag_memo"},
        "h_tag": {"anyOf": [{"type": "null"}, INVOICE["properties"]["h_tag_memo"]]},
    },
}
DATA = {CREATE: INVOICE, FETCH: FETCHED_INVOICE, UPDATE: FETCHED_INVOICE}

EITHER_METADATA = {"metadata": {"anyOf": [{"type": "string", "format": "json"}, {"type": "object"}]}}


def of_every_reply(operation: str) -> list[Addition]:
    reply = reply_of(operation)
    return [
        (
            f"{operation}.responses",
            "Tazapay's documentation describes errors on a page of its own.",
            {"4XX": {"description": "refused", "content": {"application/json": {"schema": ERROR}}}},
        ),
        (reply, "The emulator always sends all three.", {"required": ["status", "message", "data"]}),
        (f"{reply}.properties.status", "The emulator says success and never failure with a 200.", {"const": "success"}),
    ]


ADDITIONS: list[Addition] = [
    *(addition for operation in DATA for addition in of_every_reply(operation)),
    (f"{REQUEST}.amount", "Assumption: see the package.", {"minimum": 1, "maximum": MAX_AMOUNT}),
    (
        f"{REQUEST}.d_tag_memo",
        "Assumption: see the package. JSON Schema counts characters, so the format, below, keeps to the bytes.",
        {"maxLength": MAX_MEMO_BYTES, "format": "memo"},
    ),
    (f"{REQUEST}.h_tag_memo", "SHA-256 has 256 bits.", {"pattern": "^[0-9A-Fa-f]{64}$"}),
    (f"{REQUEST}.expiry_interval", "Assumption: see the package.", {"minimum": 1, "maximum": MAX_EXPIRY_INTERVAL}),
    (f"{REQUEST}.metadata", "Tazapay's examples show an object as well, so the type is said anew.", None),
    (
        REQUEST,
        "Tazapay's examples show an object as well as its JSON text.",
        EITHER_METADATA,
    ),
    (f"{NEW_METADATA}.metadata", "As for a new invoice.", None),
    (NEW_METADATA, "As for a new invoice.", EITHER_METADATA),
]

DATA_AS_OBJECT: list[Addition] = [
    addition
    for operation, invoice in DATA.items()
    for addition in (
        (f"{reply_of(operation)}.properties.data", "Every well-formed example of Tazapay shows an object here.", None),
        (f"{reply_of(operation)}.properties", "These are the documented fields of the object.", {"data": invoice}),
    )
]


def document(additions: list[Addition]) -> dict[str, Any]:
    """The document that the client is generated from, with the additions applied as an overlay."""
    merged, _overlays = merged_document(ROOT)
    more: dict[str, Any] = {
        "overlay": "1.0.0",
        "info": {"title": "What the tests know beyond the document", "version": "1"},
        "actions": [
            {"target": target, "description": reason, **({"remove": True} if update is None else {"update": update})}
            for target, reason, update in additions
        ],
    }
    return apply_overlay(merged, read_overlay(more, "the additions of this test"), "the additions of this test")


texts = st.text(st.characters(exclude_categories=["Cs"]))
schemathesis.openapi.format("memo", texts.filter(lambda text: len(text.encode()) <= MAX_MEMO_BYTES))
schemathesis.openapi.format("json", st.dictionaries(texts, texts | st.integers() | st.none()).map(json.dumps))


def load(additions: list[Addition]) -> Any:
    """A schema that draws the same examples in every run, so that no run fails that another would have passed."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 8,
            "auth": {"basic": {"username": DEFAULT_API_KEY, "password": DEFAULT_API_SECRET}},
            "generation": {
                "max-examples": 150 if THOROUGH else 20,
                "deterministic": True,
                "database": "none",
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document(additions), config=config)

    @schema.hook("map_body")
    def write_integers_as_integers(context: object, body: Any) -> Any:
        """JSON Schema counts 21.0 as an integer, the emulator does not; that it refuses it has a test of its own."""
        if not isinstance(body, dict):
            return body
        return {
            name: int(value)
            if name in ("amount", "expiry_interval") and isinstance(value, float) and value.is_integer()
            else value
            for name, value in body.items()
        }

    return schema


AS_PUBLISHED = load(ADDITIONS)
WITH_OBJECT = load([*ADDITIONS, *DATA_AS_OBJECT])


class Checked:
    """An emulator to check cases against, and a count of what came of them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.replies: Counter[tuple[str, str, int]] = Counter()
        self.echoes: Counter[str] = Counter()
        self._with_id: Counter[str] = Counter()  # by method, so that the order of the tests does not count
        reply = httpx.post(
            f"{emulator.base_url}{INVOICES}",
            auth=(emulator.api_key, emulator.api_secret),
            json={"amount": 21},
            verify=NO_TLS,
        )
        data = reply.json()["data"]
        self.stored_id: str = (json.loads(data) if isinstance(data, str) else data)["id"]

    def check(self, case: Any) -> None:
        mode = case.meta.generation.mode.value
        if mode == "positive" and "id" in (case.path_parameters or {}):
            self._with_id[case.method] += 1
            if self._with_id[case.method] % 3:  # a made-up id never meets an invoice; one in three stays so
                case.path_parameters["id"] = self.stored_id
        # no check is excluded, and no status is excused
        reply = case.call_and_validate(base_url=self.emulator.base_url, additional_checks=[self.echoes_what_was_asked])
        # a header that nobody knows counts as negative, and is passed over as HTTP wants it
        if "x-schemathesis-unknown-property" not in (case.headers or {}):
            # by the operation, because a case can try another method on its path: which one is drawn anew in each run
            self.replies[case.operation.method.upper(), mode, reply.status_code] += 1

    def echoes_what_was_asked(self, context: object, response: Any, case: Any) -> None:
        """Beyond the document: a successful reply holds the invoice that was asked for."""
        if response.status_code != 200:
            return
        data = response.json()["data"]
        invoice = json.loads(data) if isinstance(data, str) else data
        jsonschema_rs.validate(INVOICE if case.method == "POST" else FETCHED_INVOICE, invoice)
        # two cases may draw the same idempotency key, and then the second is rightly answered with the first's invoice
        if any(name.lower() == "idempotency-key" for name in case.headers or {}):
            return
        if case.method == "POST":
            asked = case.body
            assert invoice["amount"] == asked["amount"]
            assert invoice["expiry_interval"] == asked.get("expiry_interval", 3600)
            assert invoice.get("h_tag_memo") == asked.get("h_tag_memo")
            assert invoice.get("d_tag_memo") == (None if "h_tag_memo" in asked else asked.get("d_tag_memo"))
        else:
            assert invoice["id"] == self.stored_id
        if case.method != "GET":
            metadata = case.body.get("metadata", {})
            assert invoice["metadata"] == (json.loads(metadata) if isinstance(metadata, str) else metadata)
        self.echoes[case.method] += 1

    def assert_that_every_kind_of_reply_was_checked(self) -> None:
        """Of the operations that were checked in this process: `make test` has several."""
        good, absent = ("positive", 200), ("positive", 404)
        bad, unknown, wrong_method = ("negative", 400), ("negative", 401), ("negative", 405)
        expected = {
            "POST": {good, bad, unknown, wrong_method},
            "PUT": {good, absent, bad, unknown, wrong_method},
            "GET": {good, absent, unknown, wrong_method},
        }
        least = {("POST", *good): 50, ("POST", *bad): 50, ("PUT", *bad): 20}
        share = 1 if THOROUGH else 10  # of the examples, see `load`
        methods = {method for method, _, _ in self.replies}
        assert methods
        for method in methods:
            kinds = {(mode, status) for each, mode, status in self.replies if each == method}
            assert kinds - ({("negative", 404)} if method == "GET" else set()) == expected[method]
            assert all(self.replies[reply] >= number / share for reply, number in least.items() if reply[0] == method)
            assert self.echoes[method] >= 25 / share


@pytest.fixture(scope="module")
def with_data_as_string() -> Iterator[Checked]:
    with running_emulator(data_as_string=True) as emulator:
        checked = Checked(emulator)
        yield checked
    checked.assert_that_every_kind_of_reply_was_checked()


@pytest.fixture(scope="module")
def with_data_as_object() -> Iterator[Checked]:
    with running_emulator() as emulator:
        checked = Checked(emulator)
        yield checked
    checked.assert_that_every_kind_of_reply_was_checked()


# One function for each operation: schemathesis gives the operations of one function one name, and pytest-xdist runs
# but one test of a name.


@AS_PUBLISHED.include(method="POST", path=INVOICES).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_creating_with_data_as_string_conforms_to_the_published_document(
    case: Any, with_data_as_string: Checked
) -> None:
    with_data_as_string.check(case)


@AS_PUBLISHED.include(method="GET", path=INVOICE_BY_ID).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_fetching_with_data_as_string_conforms_to_the_published_document(
    case: Any, with_data_as_string: Checked
) -> None:
    with_data_as_string.check(case)


@AS_PUBLISHED.include(method="PUT", path=INVOICE_BY_ID).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_updating_with_data_as_string_conforms_to_the_published_document(
    case: Any, with_data_as_string: Checked
) -> None:
    with_data_as_string.check(case)


@WITH_OBJECT.include(method="POST", path=INVOICES).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_creating_with_data_as_object_conforms_to_the_documented_object(
    case: Any, with_data_as_object: Checked
) -> None:
    with_data_as_object.check(case)


@WITH_OBJECT.include(method="GET", path=INVOICE_BY_ID).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_fetching_with_data_as_object_conforms_to_the_documented_object(
    case: Any, with_data_as_object: Checked
) -> None:
    with_data_as_object.check(case)


@WITH_OBJECT.include(method="PUT", path=INVOICE_BY_ID).parametrize()  # type: ignore[untyped-decorator]  # schemathesis does not type it
def test_updating_with_data_as_object_conforms_to_the_documented_object(
    case: Any, with_data_as_object: Checked
) -> None:
    with_data_as_object.check(case)


def accept_everybody(*args: object) -> None:
    """In place of `authenticate`."""


def accept_everything(body: Any) -> InvoiceFields:
    """In place of `read_fields`."""
    return InvoiceFields(1, None, None, 1, {})


def fail(*args: object) -> None:
    """In place of `new_invoice`."""
    raise RuntimeError


def reply_without_envelope(invoice: object, **kwargs: object) -> bytes:
    """In place of `success_body`."""
    return json.dumps(invoice).encode()


def reply_of_another_type(status_code: int, body: bytes, headers: object = None) -> PlainTextResponse:
    """In place of `json_response`."""
    return PlainTextResponse(body, status_code)


def refuse_everything(body: object) -> None:
    """In place of `read_fields`."""
    raise RequestRefusedError(400, "no", [Problem(Code.BAD_JSON, "no", "no")])


def refuse_in_another_shape(message: str, problems: object) -> bytes:
    """In place of `error_body`."""
    return b'{"error": "no"}'


@pytest.mark.parametrize(
    ("name", "sabotage", "finding"),
    [
        ("authenticate", accept_everybody, "IgnoredAuth"),
        ("read_fields", accept_everything, "AcceptedNegativeData"),
        ("read_fields", refuse_everything, "RejectedPositiveData"),
        ("new_invoice", fail, "ServerError"),
        ("success_body", reply_without_envelope, "JsonSchemaError"),
        ("error_body", refuse_in_another_shape, "JsonSchemaError"),
        ("json_response", reply_of_another_type, "UndefinedContentType"),
    ],
)
def test_an_emulator_that_does_not_conform_is_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str, sabotage: Callable[..., object], finding: str
) -> None:
    for module in (app, invoice_book, invoice_operations):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, sabotage)
    operation = WITH_OBJECT[INVOICES]["POST"]
    found: set[str] = set()
    with running_emulator() as emulator:

        @settings(
            max_examples=40 if THOROUGH else 5,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        )
        def look(case: Any) -> None:
            try:
                case.call_and_validate(base_url=emulator.base_url, auth=(emulator.api_key, emulator.api_secret))
            except FailureGroup as group:
                found.update(type(failure).__name__ for failure in group.exceptions)

        look()
    assert finding in found
