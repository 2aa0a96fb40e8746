"""One change of the published document each: its group, its verdict, and what it touches."""

import pytest

from codegen.drift.compare import compare
from codegen.drift.coverage import Coverage
from codegen.overlay.actions import read_overlay
from tests.support.drift import GONE, OPERATION, REPLY, REQUEST, SENT, SHOWN, changed, only
from tests.support.thorough import sample


@pytest.fixture
def drift_of(published, coverage):
    """Compare the published document with itself after one change, without an overlay."""
    return lambda place, value: compare(published, changed(published, place, value), coverage)


CHANGES = [
    # requests
    pytest.param(
        (*SENT, "payer_email"),
        {"type": "string"},
        "request fields",
        "wrapper",
        "payer_email",
        "no public argument sends it",
        "operations.py",
        id="a new optional field of the request",
    ),
    pytest.param(
        (*SENT, "amount"),
        GONE,
        "request fields",
        "breaking",
        "amount",
        "create_invoice(amount_sats=, amount_btc=) would send what the service no longer knows",
        "operations.py",
        id="a field of the request that an argument sends is gone",
    ),
    pytest.param(
        (*REQUEST, "required", 1),
        "metadata",
        "required",
        "breaking",
        "metadata",
        "may be left out",
        "(metadata=)",
        id="a field that an argument may leave out is required",
    ),
    pytest.param(
        (*REQUEST, "required"),
        [],
        "required",
        "harmless",
        "amount",
        "as good as before",
        "",
        id="a required field is optional",
    ),
    pytest.param(
        (*OPERATION, "requestBody", "required"),
        True,
        "required",
        "harmless",
        "the body",
        "with every request",
        "",
        id="the body is required",
    ),
    pytest.param(
        (*SENT, "amount", "type"),
        "string",
        "types",
        "breaking",
        "amount",
        "the wrapper writes integer there",
        "amount_sats=",
        id="another type than the wrapper can write",
    ),
    pytest.param(
        (*SENT, "metadata", "type"),
        "object",
        "types",
        "breaking",
        "metadata",
        'create clients with metadata_format="object"',
        "(metadata=)",
        id="another type that the wrapper writes only under an option",
    ),
    pytest.param(
        (*SENT, "amount", "type"),
        "number",
        "types",
        "harmless",
        "amount",
        "what was good before is good now",
        "",
        id="a type that allows more",
    ),
    pytest.param(
        (*SENT, "metadata", "format"),
        GONE,
        "types",
        "harmless",
        "metadata",
        "the generated type is the same",
        "",
        id="a format that generates nothing is gone",
    ),
    pytest.param(
        (*SENT, "d_tag_memo", "format"),
        "date-time",
        "types",
        "wrapper",
        "d_tag_memo",
        "has to send it otherwise",
        "(memo=)",
        id="a format that generates another type",
    ),
    pytest.param(
        (*SENT, "metadata", "enum"),
        ["a"],
        "enums",
        "breaking",
        "metadata",
        "every other value is refused",
        "(metadata=)",
        id="a list of the values that a request may have",
    ),
    pytest.param(
        (*SENT, "h_tag_memo", "default"),
        "x",
        "defaults",
        "wrapper",
        "h_tag_memo",
        "nothing is generated from it",
        "(memo_hash=",
        id="a default that no action removes",
    ),
    pytest.param(
        (*SENT, "amount", "default"),
        GONE,
        "defaults",
        "harmless",
        "amount",
        "is obsolete now",
        "",
        id="a default is gone",
    ),
    pytest.param(
        (*SENT, "expiry_interval", "maximum"),
        86400,
        "limits",
        "breaking",
        "expiry_interval",
        "may be refused now",
        "expires_in=",
        id="a limit for a request",
    ),
    pytest.param(
        (*SENT, "h_tag_memo", "deprecated"),
        True,
        "other",
        "wrapper",
        "h_tag_memo",
        "plan to do without it",
        "memo_hash=",
        id="a field is deprecated",
    ),
    pytest.param(
        (*SENT, "h_tag_memo", "not"),
        {"type": "null"},
        "other",
        "wrapper",
        "h_tag_memo",
        "look at it",
        "",
        id="a keyword whose meaning no rule knows",
    ),
    pytest.param(
        (*SENT, "amount", "description"),
        "Amount in satoshi",
        "texts",
        "harmless",
        "amount",
        "read it",
        "",
        id="a description",
    ),
    # replies
    pytest.param(
        (*SHOWN, "lnurl"),
        "lnurl1",
        "reply fields",
        "wrapper",
        "data.lnurl",
        "Invoice shows it only in raw",
        "invoice.py",
        id="a new field that the example shows",
    ),
    pytest.param(
        (*REPLY, "properties", "trace_id"),
        {"type": "string"},
        "reply fields",
        "wrapper",
        "trace_id",
        "nothing reads it",
        "replies.py",
        id="a new field of the envelope",
    ),
    pytest.param(
        (*SHOWN, "h_tag_memo"),
        "00",
        "reply fields",
        "harmless",
        "data.h_tag_memo",
        "Invoice.memo_hash shows it already",
        "",
        id="a field that the wrapper reads already",
    ),
    pytest.param(
        (*SHOWN, "collect"),
        GONE,
        "reply fields",
        "wrapper",
        "data.collect",
        "Invoice.collect_id would be None",
        "Invoice.collect_id",
        id="the example no longer shows a field",
    ),
    pytest.param(
        (*SHOWN, "id"),
        GONE,
        "reply fields",
        "wrapper",
        "data.id",
        "no reply could be read",
        "Invoice.id",
        id="the example no longer shows what is essential",
    ),
    pytest.param(
        (*REPLY, "properties", "data", "type"),
        "object",
        "types",
        "wrapper",
        "data",
        "has to decode it otherwise",
        "replies.py",
        id="data is an object",
    ),
    pytest.param(
        (*REPLY, "properties", "data", "type"),
        "array",
        "types",
        "breaking",
        "data",
        "the wrapper reads object, string there",
        "replies.py",
        id="data is what the wrapper cannot read",
    ),
    pytest.param(
        (*SHOWN, "amount"),
        "123456",
        "types",
        "harmless",
        "data.amount",
        "the wrapper reads both",
        "",
        id="the example shows another type that the wrapper reads",
    ),
    pytest.param(
        (*SHOWN, "amount"),
        {"btc": 1},
        "types",
        "breaking",
        "data.amount",
        "the wrapper reads integer, number, string",
        "Invoice.amount_sats",
        id="the example shows a type that the wrapper cannot read",
    ),
    pytest.param(
        (*REPLY, "required"),
        ["message"],
        "required",
        "wrapper",
        "message",
        "KeyError",
        "replies.py",
        id="a field of the envelope is in every reply",
    ),
    pytest.param(
        (*REPLY, "properties", "status", "enum"),
        ["success", "failure"],
        "enums",
        "wrapper",
        "status",
        "enums are closed",
        "",
        id="a list of the values that a reply may have",
    ),
    pytest.param(
        (*REPLY, "properties", "data", "maxLength"),
        5,
        "limits",
        "harmless",
        "data",
        "takes what comes",
        "",
        id="a limit for a reply",
    ),
    pytest.param(
        (*OPERATION, "responses", "400"),
        {"description": ""},
        "reply fields",
        "harmless",
        "",
        "every 2xx",
        "",
        id="another status is documented",
    ),
    pytest.param(
        SHOWN[:-2],
        {},
        "texts",
        "harmless",
        "",
        "as they were, for all we know",
        "",
        id="the example is gone",
    ),
    # operations, security, servers, the rest
    pytest.param(
        OPERATION,
        GONE,
        "operations",
        "breaking",
        "",
        "create_invoice has nothing to call any more",
        "client.py",
        id="an operation is gone",
    ),
    pytest.param(
        ("paths", "/v3/other"),
        {"get": {"operationId": "other", "responses": {}}},
        "operations",
        "wrapper",
        "",
        "no public method calls it",
        "client.py",
        id="a new operation",
    ),
    pytest.param(
        (*OPERATION, "operationId"),
        "other",
        "operations",
        "wrapper",
        "",
        "the generated module is called after it",
        "",
        id="another operationId that no action replaces",
    ),
    pytest.param(
        (*OPERATION, "tags"),
        ["Lightning"],
        "operations",
        "wrapper",
        "",
        "the imports have to follow",
        "",
        id="a tag",
    ),
    pytest.param(
        (*OPERATION, "requestBody", "content"),
        {"text/plain": {}},
        None,
        "breaking",
        "",
        "JSON, which is no longer understood",
        "",
        id="a body that is no longer JSON",
    ),
    pytest.param(
        (*OPERATION, "parameters", 0),
        {"name": "IDEMPOTENCY-KEY", "in": "header", "schema": {"type": "string"}},
        "request fields",
        "harmless",
        "IDEMPOTENCY-KEY (header)",
        "create_invoice(idempotency_key=) sends it in every request",
        "idempotency_key=",
        id="a header that the wrapper sends already",
    ),
    pytest.param(
        (*OPERATION, "parameters", 0),
        {"name": "Account", "in": "header", "required": True},
        "request fields",
        "breaking",
        "Account (header)",
        "the service refuses every request until the wrapper does",
        "operations.py",
        id="a header that nobody sends is required",
    ),
    pytest.param(
        ("components", "securitySchemes", "sec0", "scheme"),
        "bearer",
        "security",
        "breaking",
        "",
        "the wrapper sends http basic",
        "settings.py",
        id="another way to authorise",
    ),
    pytest.param(
        (*OPERATION, "security"),
        [{"sec0": []}],
        "security",
        "harmless",
        "",
        "what has to be sent is the same",
        "",
        id="an operation repeats what holds for all",
    ),
    pytest.param(
        (*OPERATION, "security"),
        [{"other": []}],
        "security",
        "breaking",
        "",
        "no request would be accepted",
        "",
        id="an operation is authorised in a way that is not defined",
    ),
    pytest.param(
        ("security", 0),
        {},
        "security",
        "harmless",
        "",
        "which the wrapper sends, is still accepted",
        "",
        id="nothing has to be sent any more",
    ),
    pytest.param(
        ("servers", 0),
        {"url": "https://b.example"},
        "servers",
        "harmless",
        "",
        "goes on calling",
        "",
        id="another server",
    ),
    pytest.param(("servers",), [], "servers", "breaking", "", "may call it", "settings.py", id="a server is gone"),
    pytest.param(("info", "version"), "4", "texts", "harmless", "", "not about the client", "", id="another version"),
    pytest.param(
        ("components", "schemas"),
        {"A": {}},
        "other",
        "harmless",
        "",
        "no client is generated from it",
        "",
        id="a component that nothing uses",
    ),
]


@pytest.mark.parametrize(("place", "value", "group", "severity", "field", "why", "wrapper"), CHANGES)
def test_a_change_has_its_verdict(drift_of, place, value, group, severity, field, why, wrapper):
    drift = drift_of(place, value)
    found = [change for change in drift.changes if why in change.why]
    assert len(found) == 1, drift.changes
    (change,) = found
    assert change.group == (group or "operations")
    assert change.severity == severity
    assert change.field == field
    assert wrapper in change.wrapper
    if group is not None:
        assert drift.severity == severity


EXIT_CODES = {"harmless": 0, "wrapper": 3, "breaking": 4}


@pytest.mark.parametrize(("place", "value", "_group", "severity", "_field", "_why", "_wrapper"), sample(CHANGES, 6))
def test_the_worst_verdict_decides_on_the_exit_code(drift_of, place, value, _group, severity, _field, _why, _wrapper):
    assert drift_of(place, value).exit_code == EXIT_CODES[severity]


@pytest.mark.parametrize(
    ("place", "was", "now", "says"),
    [
        pytest.param((*SENT, "amount", "default"), "1", "999", "action 1 ", id="a default that it removes"),
        pytest.param((*OPERATION, "operationId"), "one", "other", "action 5 ", id="a name that it replaces"),
        pytest.param((*REQUEST, "title"), "One", "Other", "action 6 ", id="a title that it sets"),
        pytest.param((*OPERATION, "requestBody", "required"), True, False, "action 4 ", id="what it makes required"),
    ],
)
def test_a_change_that_an_action_of_the_overlay_deals_with_is_harmless_and_names_it(
    published, coverage, overlay, place, was, now, says
):
    before, after = (changed(published, place, value) for value in (was, now))
    change = only(compare(before, after, coverage, overlay))
    assert change.severity == "harmless"
    assert change.overlay.startswith(says)


def test_without_the_action_the_same_default_needs_one(drift_of):
    assert drift_of((*SENT, "amount", "default"), "999").severity == "wrapper"


def test_a_value_that_is_added_to_the_enum_of_a_reply_is_harmless(published, coverage):
    place = (*REPLY, "properties", "status", "enum")
    before = changed(published, place, ["success"])
    change = only(compare(before, changed(published, place, ["success", "failure"]), coverage))
    assert (change.group, change.severity, change.what) == ("enums", "harmless", "enum adds `failure`")


def test_a_value_that_the_enum_of_a_request_loses_is_breaking(published, coverage):
    place = (*SENT, "metadata", "enum")
    before = changed(published, place, ["a", "b", "c"])
    change = only(compare(before, changed(published, place, ["a", "d"]), coverage))
    assert (change.severity, change.what) == ("breaking", "enum adds `d` and loses `b`, `c`")


@pytest.mark.parametrize(
    ("keyword", "was", "now", "severity"),
    [
        ("maxLength", 10, 9, "breaking"),
        ("maxLength", 10, 11, "harmless"),
        ("minimum", 1, 2, "breaking"),
        ("minimum", 2, 1, "harmless"),
        ("pattern", "a", "b", "breaking"),
    ],
)
def test_a_limit_is_breaking_if_it_allows_less(published, coverage, keyword, was, now, severity):
    place = (*SENT, "d_tag_memo", keyword)
    drift = compare(changed(published, place, was), changed(published, place, now), coverage)
    assert (only(drift).group, only(drift).severity) == ("limits", severity)


def test_a_limit_of_a_field_that_no_argument_sends_is_harmless(published, coverage):
    before = changed(published, (*SENT, "new"), {"type": "string"})
    change = only(compare(before, changed(before, (*SENT, "new", "maxLength"), 5), coverage))
    assert (change.severity, change.why) == ("harmless", "no public argument sends it")


def test_a_field_of_an_operation_that_no_method_calls_is_judged_for_callers_of_the_generated_function(published):
    drift = compare(published, changed(published, (*SENT, "metadata"), GONE), Coverage())
    assert (only(drift).severity, only(drift).wrapper) == ("breaking", "")


@pytest.mark.parametrize(
    ("place", "was", "now", "severity", "says"),
    [
        pytest.param(
            (*OPERATION, "requestBody", "content", "text/plain"),
            GONE,
            {},
            "harmless",
            "JSON is still understood",
            id="one more form of the body",
        ),
        pytest.param(
            (*OPERATION, "responses", "400"),
            {"description": "a"},
            {"description": "b"},
            "harmless",
            "every 2xx",
            id="an error",
        ),
        pytest.param(
            (*OPERATION, "deprecated"), GONE, True, "wrapper", "plan to do without it", id="an operation is deprecated"
        ),
        pytest.param(
            (*OPERATION, "deprecated"),
            True,
            False,
            "harmless",
            "here to stay",
            id="an operation is not deprecated any more",
        ),
        pytest.param(
            (*OPERATION, "servers"),
            GONE,
            [{"url": "https://b.example"}],
            "breaking",
            "at one address",
            id="an address of its own",
        ),
        pytest.param(
            (*OPERATION, "callbacks"), GONE, {"a": {}}, "wrapper", "look at it", id="a part whose meaning no rule knows"
        ),
        pytest.param(
            ("servers",),
            [{"url": "a"}],
            [{"url": "a", "description": "b"}],
            "harmless",
            "addresses are the same",
            id="a server",
        ),
    ],
)
def test_what_is_around_the_fields_has_its_verdict(published, coverage, place, was, now, severity, says):
    before, after = (published if value is GONE else changed(published, place, value) for value in (was, now))
    change = only(compare(before, after, coverage))
    assert change.severity == severity
    assert says in change.why


def test_a_field_that_the_overlay_defines_where_the_document_lost_it_is_harmless(published, coverage):
    place = (*SENT, "h_tag_memo")
    action = {
        "target": "$.paths.*.post.requestBody.content.*.schema.properties",
        "description": "The service still takes it.",
        "update": {"h_tag_memo": {"type": "string"}},
    }
    actions = read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [action]}, "o")
    change = only(compare(published, changed(published, place, GONE), coverage, actions))
    assert (change.severity, change.overlay[:9]) == ("harmless", "action 1 ")
