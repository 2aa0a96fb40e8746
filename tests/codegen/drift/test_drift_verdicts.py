"""Which verdict a change has: plain rules, for operations with a method of the wrapper and for those without one."""

import pytest

from codegen.drift.compare import compare
from codegen.drift.coverage import Coverage, load_coverage
from codegen.generate.regeneration import merged_document
from tests.support.checkout import REPOSITORY
from tests.support.drift import (
    BODY,
    GONE,
    KEEP,
    OPERATION,
    PARAMETERS,
    PATH,
    READ,
    REPLY,
    REQUEST,
    RESPONSES,
    SENT,
    at,
    changed,
)
from tests.support.tables import each_row

COVERED = load_coverage(REPOSITORY)
HARMLESS, LOOK, BREAKING = 0, 3, 4
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
ENVELOPE = {"content": {"application/json": {"schema": {"type": "object"}}}}
QUERY = {"name": "expand", "in": "query", "schema": STRING}
KEY = {"name": "Idempotency-Key", "in": "header", "schema": STRING}


def verdicts(published, place, was, now):
    """The exit codes for callers of the wrapper's method, and of client.call(...) where there is no method."""
    before = changed(published, place, was)
    after = changed(before, place, now)
    return tuple(compare(before, after, coverage).exit_code for coverage in (COVERED, Coverage()))


@each_row(
    ("place", "was", "now", "expected"),
    [
        # fields of a request
        pytest.param((*SENT, "new"), KEEP, STRING, (HARMLESS, HARMLESS), id="a new optional field"),
        pytest.param((*SENT, "d_tag_memo"), GONE, STRING, (HARMLESS, HARMLESS), id="a new field that is sent already"),
        pytest.param(
            (*SENT, "d_tag_memo"), GONE, INTEGER, (BREAKING, HARMLESS), id="a new field, sent in another type"
        ),
        pytest.param((*SENT, "metadata"), KEEP, GONE, (BREAKING, BREAKING), id="a field that is sent is gone"),
        pytest.param((*SENT, "new"), STRING, GONE, (HARMLESS, BREAKING), id="a field that is not sent is gone"),
        pytest.param((*REQUEST, "properties"), KEEP, GONE, (LOOK, LOOK), id="no field is described any more"),
        # types of a request
        pytest.param((*SENT, "amount", "type"), KEEP, "string", (BREAKING, BREAKING), id="the amount as text"),
        pytest.param((*SENT, "amount", "type"), KEEP, "number", (HARMLESS, HARMLESS), id="the amount as any number"),
        pytest.param((*SENT, "amount", "type"), KEEP, ["integer"], (HARMLESS, HARMLESS), id="the same type as a list"),
        pytest.param(
            (*SENT, "amount", "type"), KEEP, "money", (LOOK, LOOK), id="a type that JSON Schema does not know"
        ),
        pytest.param((*SENT, "metadata", "type"), KEEP, "object", (BREAKING, BREAKING), id="metadata as an object"),
        pytest.param((*SENT, "metadata", "nullable"), KEEP, True, (HARMLESS, HARMLESS), id="null as well"),
        # required
        pytest.param((*REQUEST, "required"), [], ["amount"], (HARMLESS, BREAKING), id="required, and always sent"),
        pytest.param(
            (*REQUEST, "required"), [], ["d_tag_memo"], (BREAKING, BREAKING), id="required, and may be left out"
        ),
        pytest.param((*REQUEST, "required"), [], ["new"], (BREAKING, BREAKING), id="required, and nothing sends it"),
        pytest.param((*REQUEST, "required"), KEEP, [], (HARMLESS, HARMLESS), id="optional now"),
        pytest.param((*REQUEST, "required"), KEEP, "amount", (LOOK, LOOK), id="no list of names"),
        pytest.param((*SENT, "metadata", "required"), [], ["a"], (BREAKING, BREAKING), id="a key that callers choose"),
        pytest.param(
            (*SENT, "payer"),
            {"properties": {"id": STRING}},
            {"properties": {"id": STRING}, "required": ["id"]},
            (HARMLESS, BREAKING),
            id="required inside of what is not sent",
        ),
        pytest.param((*BODY, "required"), KEEP, True, (HARMLESS, BREAKING), id="the body is required"),
        # enums, formats, defaults of a request
        pytest.param((*SENT, "metadata", "enum"), ["a"], ["a", "b"], (HARMLESS, HARMLESS), id="one more value"),
        pytest.param((*SENT, "metadata", "enum"), ["a", "b"], ["a"], (BREAKING, BREAKING), id="one value less"),
        pytest.param((*SENT, "metadata", "enum"), [1], [True], (BREAKING, BREAKING), id="true is not 1"),
        pytest.param((*SENT, "metadata", "enum"), KEEP, ["a"], (BREAKING, BREAKING), id="a list of values"),
        pytest.param((*SENT, "amount", "format"), KEEP, "int32", (LOOK, LOOK), id="smaller numbers"),
        pytest.param((*SENT, "amount", "format"), KEEP, GONE, (HARMLESS, HARMLESS), id="any number"),
        pytest.param((*SENT, "h_tag_memo", "format"), KEEP, "uuid", (LOOK, LOOK), id="another form of a text"),
        pytest.param((*SENT, "h_tag_memo", "default"), KEEP, "x", (LOOK, LOOK), id="a default that goes out"),
        pytest.param((*SENT, "new"), KEEP, {"default": "x"}, (LOOK, LOOK), id="a new field with a default"),
        pytest.param((*SENT, "amount", "default"), KEEP, GONE, (HARMLESS, HARMLESS), id="a default is gone"),
        # parameters
        pytest.param((*PARAMETERS, 0), KEEP, QUERY, (HARMLESS, HARMLESS), id="a new optional query parameter"),
        pytest.param((*PARAMETERS, 0), KEEP, {**QUERY, "required": True}, (BREAKING, BREAKING), id="a required one"),
        pytest.param(
            (*PARAMETERS, 0), KEEP, {**KEY, "required": True}, (HARMLESS, BREAKING), id="a header always sent"
        ),
        pytest.param((*OPERATION, "parameters"), [KEY], [], (BREAKING, BREAKING), id="a header that is sent is gone"),
        pytest.param(
            (*OPERATION, "parameters"),
            [KEY],
            [{**KEY, "name": "idempotency-key"}],
            (HARMLESS, HARMLESS),
            id="a header in lower case",
        ),
        pytest.param(
            (*OPERATION, "parameters"), [QUERY], [], (HARMLESS, BREAKING), id="a query that is not sent is gone"
        ),
        pytest.param(
            (*OPERATION, "parameters"),
            [QUERY],
            [{**QUERY, "style": "form"}],
            (LOOK, LOOK),
            id="another style of a parameter",
        ),
        pytest.param((*OPERATION, "parameters"), [QUERY, KEY], [KEY, QUERY], (HARMLESS, HARMLESS), id="another order"),
        # replies
        pytest.param((*READ, "trace_id"), KEEP, STRING, (HARMLESS, HARMLESS), id="a new field of the reply"),
        pytest.param((*READ, "message"), KEEP, GONE, (HARMLESS, BREAKING), id="a field that is not read is gone"),
        pytest.param((*READ, "data"), KEEP, GONE, (BREAKING, BREAKING), id="what holds the invoice is gone"),
        pytest.param((*READ, "data", "type"), KEEP, "object", (HARMLESS, LOOK), id="data is an object"),
        pytest.param((*READ, "data", "type"), KEEP, "array", (BREAKING, LOOK), id="data is what cannot be read"),
        pytest.param((*READ, "data", "type"), KEEP, ["object", "array"], (LOOK, LOOK), id="data may be unreadable"),
        pytest.param(
            (*READ, "data"),
            KEEP,
            {"type": "object", "properties": {"id": STRING, "amount": STRING, "d": INTEGER}},
            (HARMLESS, LOOK),
            id="data is described, in types that are read",
        ),
        pytest.param(
            (*READ, "data"),
            KEEP,
            {"type": "object", "properties": {"id": INTEGER}},
            (BREAKING, LOOK),
            id="data is described, with an id that is not read",
        ),
        pytest.param(
            (*READ, "data"),
            KEEP,
            {"type": "object", "properties": {"status": INTEGER}},
            (LOOK, LOOK),
            id="data is described, with a status that becomes None",
        ),
        pytest.param(
            (*READ, "status", "type"), KEEP, "integer", (HARMLESS, LOOK), id="another type of what is not read"
        ),
        pytest.param((*READ, "status", "enum"), KEEP, ["success"], (HARMLESS, HARMLESS), id="the values of a reply"),
        pytest.param((*READ, "status", "enum"), ["a"], ["b"], (HARMLESS, HARMLESS), id="other values of a reply"),
        pytest.param((*READ, "data", "format"), KEEP, "uuid", (HARMLESS, HARMLESS), id="another format of a reply"),
        pytest.param((*READ, "data", "default"), KEEP, "x", (HARMLESS, HARMLESS), id="a default in a reply"),
        pytest.param((*REPLY, "required"), KEEP, ["data"], (HARMLESS, HARMLESS), id="always in the reply"),
        pytest.param((*REPLY, "required"), ["data"], [], (LOOK, LOOK), id="not always in the reply"),
        pytest.param(REPLY, GONE, {"properties": {"data": STRING}}, (HARMLESS, HARMLESS), id="a reply is described"),
        pytest.param(REPLY, KEEP, GONE, (LOOK, LOOK), id="a reply is not described any more"),
        # statuses and media types
        pytest.param(RESPONSES, {"200": ENVELOPE}, {"201": ENVELOPE}, (HARMLESS, HARMLESS), id="200 becomes 201"),
        pytest.param((*RESPONSES, "202"), KEEP, ENVELOPE, (HARMLESS, HARMLESS), id="one more success"),
        pytest.param((*RESPONSES, "400"), KEEP, ENVELOPE, (HARMLESS, HARMLESS), id="an error is described"),
        pytest.param((*RESPONSES, "400"), ENVELOPE, {}, (HARMLESS, HARMLESS), id="an error is described otherwise"),
        pytest.param(RESPONSES, KEEP, {"400": ENVELOPE}, (LOOK, LOOK), id="no success is described"),
        pytest.param((*BODY, "content", "text/plain"), KEEP, {}, (HARMLESS, HARMLESS), id="one more form of the body"),
        pytest.param((*BODY, "content"), KEEP, {"text/plain": {}}, (BREAKING, BREAKING), id="a body that is not JSON"),
        pytest.param(
            (*RESPONSES, "200", "content"), KEEP, {"text/html": {}}, (BREAKING, BREAKING), id="a reply that is not JSON"
        ),
        # operations
        pytest.param(OPERATION, KEEP, GONE, (BREAKING, BREAKING), id="an operation is gone"),
        pytest.param((*OPERATION, "operationId"), KEEP, "other", (LOOK, BREAKING), id="another operationId"),
        pytest.param((*REQUEST, "title"), KEEP, "Other", (LOOK, LOOK), id="another title of the body"),
        pytest.param((*REPLY, "title"), KEEP, "Other", (HARMLESS, HARMLESS), id="another title of the reply"),
        pytest.param((*OPERATION, "tags"), KEEP, ["a"], (LOOK, BREAKING), id="a tag"),
        pytest.param((*OPERATION, "deprecated"), KEEP, True, (LOOK, LOOK), id="deprecated"),
        pytest.param((*OPERATION, "callbacks"), KEEP, {}, (LOOK, LOOK), id="callbacks"),
        pytest.param(
            (*OPERATION, "servers"), KEEP, [{"url": "https://b.example"}], (BREAKING, BREAKING), id="an address"
        ),
        pytest.param(("paths", PATH, "servers"), KEEP, [{"url": "https://b.example"}], (4, 4), id="that of a path"),
        pytest.param(
            ("paths", PATH, "parameters"), KEEP, [{**QUERY, "required": True}], (4, 4), id="that of a path too"
        ),
        pytest.param((*OPERATION, "security"), KEEP, [{"sec0": []}], (HARMLESS, HARMLESS), id="security, repeated"),
        pytest.param((*OPERATION, "security"), KEEP, [{"other": []}], (BREAKING, BREAKING), id="security of its own"),
        # the document
        pytest.param(("components", "securitySchemes", "sec0", "scheme"), KEEP, "bearer", (4, 4), id="bearer tokens"),
        pytest.param(
            ("components", "securitySchemes", "sec0", "description"), KEEP, "a", (0, 0), id="words on security"
        ),
        pytest.param(("security",), KEEP, [{"sec0": []}, {"x": []}], (HARMLESS, HARMLESS), id="another way as well"),
        pytest.param(("security",), KEEP, [{"sec0": [], "x": []}], (BREAKING, BREAKING), id="two things at once"),
        pytest.param(("servers",), KEEP, [], (BREAKING, BREAKING), id="a server is gone"),
        pytest.param(("servers", 0), KEEP, {"url": "https://b.example"}, (HARMLESS, HARMLESS), id="one more server"),
        pytest.param(("openapi",), KEEP, "3.0.0", (LOOK, LOOK), id="another version of OpenAPI"),
        pytest.param(("info", "version"), KEEP, "4", (HARMLESS, HARMLESS), id="another version of the document"),
        pytest.param(("webhooks",), KEEP, {}, (LOOK, LOOK), id="webhooks"),
    ],
)
def test_a_change_has_its_verdict(published, place, was, now, expected):
    assert verdicts(published, place, was, now) == expected


def fields_of_id(document, method):
    return at(document, "paths", f"{PATH}/{{id}}", method)


def test_a_new_operation_without_a_method_is_callable_and_listed_as_such(published):
    after = changed(published, ("paths", "/v3/balance"), {"get": {"operationId": "get_balance", "responses": {}}})
    drift = compare(published, after, COVERED)
    (change,) = drift.changes
    assert (drift.exit_code, change.operation, change.what) == (0, "GET /v3/balance", "new: `get_balance`")
    assert change.why == "callable with client.call(...); no method of the wrapper covers it"


def test_a_new_operation_that_a_method_calls_needs_a_look(published):
    drift = compare(changed(published, OPERATION, GONE), published, COVERED)
    assert drift.exit_code == 3
    assert drift.changes[0].why.startswith("create_invoice calls it")


def test_an_operation_at_another_address_moved():
    document = {"paths": {"/v3/a": {"get": {"operationId": "a"}}}}
    after = {"paths": {"/v4/a": {"get": {"operationId": "a"}}}}
    (change,) = compare(document, after, Coverage()).changes
    assert (change.severity, change.operation, change.what) == ("breaking", "GET /v4/a", "moved: it was `GET /v3/a`")


@each_row(
    ("coverage", "expected"),
    [pytest.param(COVERED, LOOK, id="a method"), pytest.param(Coverage(), BREAKING, id="none")],
)
def test_another_name_for_the_parameter_of_a_path_is_the_same_operation(coverage, expected):
    document = merged_document(REPOSITORY)[0]
    item = fields_of_id(document, "get")
    renamed = changed({"get": item}, ("get", "parameters"), [{**item["parameters"][0], "name": "invoice_id"}])
    before = changed(document, ("paths", f"{PATH}/{{id}}"), {"get": item})
    after = changed(changed(before, ("paths", f"{PATH}/{{id}}"), GONE), ("paths", f"{PATH}/{{invoice_id}}"), renamed)
    drift = compare(before, after, coverage)
    assert drift.exit_code == expected
    assert "`name` is `invoice_id`; it was `id`" in [change.what for change in drift.changes]


@pytest.mark.parametrize("name", ["a.b", "a[0]", "(body)", "metadata.x", "data.id", "*", "a\u202eb", ""])
def test_no_name_hides_a_required_field(published, name):
    after = changed(published, (*SENT, name), STRING)
    after = changed(after, (*REQUEST, "required"), ["amount", name])
    drift = compare(published, after, COVERED)
    assert [(change.group, change.severity) for change in drift.changes] == [("request fields", "breaking")]


def test_an_object_for_metadata_names_the_option_that_sends_one(published):
    (change,) = [
        each
        for each in compare(published, changed(published, (*SENT, "metadata", "type"), "object"), COVERED).changes
        if each.group == "types"
    ]
    assert 'only clients with metadata_format="object" send what is asked for' in change.why


def test_the_worst_verdict_decides_on_the_exit_code(published):
    after = changed(published, (*SENT, "new"), STRING)
    after = changed(after, (*SENT, "amount", "type"), "string")
    drift = compare(published, after, COVERED)
    assert (drift.severity, drift.exit_code, drift.count("harmless")) == ("breaking", 4, 1)
