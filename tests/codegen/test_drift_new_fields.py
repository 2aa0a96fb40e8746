"""A new field that the wrapper knows already is judged as it stands, not only by its name."""

import pytest

from codegen.drift.compare import compare
from codegen.overlay.actions import read_overlay
from codegen.overlay.applier import apply_overlay
from tests.support.drift import GONE, METADATA, OPERATION, PATH, REPLY, REQUEST, SENT, at, changed, only

DATA = (*REPLY, "properties", "data")
HEADER = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 255}}


def bare(published, name):
    """The document before it knew a field of the request."""
    return changed(changed(published, (*SENT, name), GONE), (*REQUEST, "required"), [])


def verdicts(drift):
    return {(change.group, change.severity) for change in drift.changes if change.severity != "harmless"}


@pytest.mark.parametrize(
    ("name", "schema", "group", "severity"),
    [
        pytest.param("metadata", {"type": "integer"}, "types", "breaking", id="a type that the wrapper cannot write"),
        pytest.param("metadata", {"type": "object"}, "types", "breaking", id="a type only under an option"),
        pytest.param("amount", {"type": "integer", "maximum": 1000}, "limits", "breaking", id="a limit"),
        pytest.param("amount", {"type": "integer", "enum": [1, 5]}, "enums", "breaking", id="a list of values"),
        pytest.param("amount", {"type": "integer", "format": "int32"}, "types", "breaking", id="a narrow number"),
        pytest.param("d_tag_memo", {"type": "string", "format": "byte"}, "types", "wrapper", id="an encoding"),
        pytest.param("d_tag_memo", {"type": "string", "not": {}}, "other", "wrapper", id="a keyword without a rule"),
        pytest.param("d_tag_memo", {"type": "string", "deprecated": True}, "other", "wrapper", id="a deprecated field"),
    ],
)
def test_a_new_field_of_the_request_that_does_not_fit_has_the_verdict_of_what_does_not_fit(
    published, coverage, name, schema, group, severity
):
    drift = compare(bare(published, name), changed(bare(published, name), (*SENT, name), schema), coverage)
    assert verdicts(drift) == {(group, severity)}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("metadata", {"type": "string", "format": "json", "description": "Key-value pairs"}),
        ("metadata", {}),
        ("amount", {"type": "integer", "format": "int64"}),
        ("amount", {"type": ["number", "null"]}),
        ("d_tag_memo", {"type": "string", "title": "Memo", "example": "Order"}),
    ],
)
def test_a_new_field_of_the_request_that_fits_is_harmless(published, coverage, name, schema):
    before = bare(published, name)
    change = only(compare(before, changed(before, (*SENT, name), schema), coverage))
    assert (change.group, change.severity) == ("request fields", "harmless")
    assert "already" in change.why


def with_data(document, **properties):
    required = [name for name, schema in properties.items() if schema.pop("required", False)]
    document = changed(document, (*REPLY[:-1], "examples"), {})  # which would show what the schema does not say
    return changed(document, DATA, {"type": "object", "properties": properties, "required": required})


@pytest.mark.parametrize(
    ("schema", "group", "severity"),
    [
        pytest.param({"type": "string", "enum": ["a"]}, "enums", "wrapper", id="a closed list"),
        pytest.param({"type": "array"}, "types", "breaking", id="a type that the wrapper cannot read"),
        pytest.param({"type": "string", "required": True}, "required", "wrapper", id="a reply without it is lost"),
        pytest.param({"type": "string", "format": "byte"}, "types", "wrapper", id="an encoding"),
    ],
)
def test_a_new_field_of_the_reply_that_does_not_fit_is_not_harmless(published, coverage, schema, group, severity):
    before = with_data(published)
    drift = compare(before, with_data(published, h_tag_memo=schema), coverage)
    assert verdicts(drift) == {(group, severity)}


def test_a_list_of_amounts_in_the_reply_needs_a_wrapper_change(published, coverage):
    before = with_data(published)
    drift = compare(before, with_data(published, amount={"type": "integer", "enum": [5]}), coverage)
    assert ("enums", "wrapper") in verdicts(drift)


def test_the_id_may_be_required_in_the_reply(published, coverage):
    drift = compare(with_data(published), with_data(published, id={"type": "string", "required": True}), coverage)
    assert verdicts(drift) == set()


# what the overlay knew before the document did


@pytest.mark.parametrize(
    ("schema", "severity"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 255}, "none"),
        ({"type": "string", "maxLength": 300}, "none"),
        ({"type": "string", "maxLength": 64}, "breaking"),
        ({"type": "string", "format": "uuid", "maxLength": 255}, "wrapper"),
    ],
)
def test_a_header_is_measured_by_what_the_overlay_said_of_it(published, coverage, overlay, schema, severity):
    after = changed(published, (*OPERATION, "parameters", 0), {**HEADER, "schema": schema})
    drift = compare(published, after, coverage, (), overlay)
    assert drift.severity == ("harmless" if severity == "none" else severity)


def test_an_operation_that_the_overlay_knew_is_measured_by_what_it_said(published, coverage, overlay):
    operation = {
        "operationId": "update_lightning_invoice",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 5}}],
        "requestBody": {
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"metadata": {"type": "integer"}},
                        "additionalProperties": False,
                    }
                }
            }
        },
        "responses": at(published, *OPERATION, "responses"),
    }
    after = changed(published, ("paths", f"{PATH}/{{id}}"), {"put": operation})
    drift = compare(published, after, coverage, overlay[:10], overlay)
    assert verdicts(drift) == {("limits", "breaking"), ("types", "breaking")}


# parts of what callers write as a whole


def open_metadata(document, **said):
    return changed(document, METADATA, {"type": "object", **said})


@pytest.mark.parametrize(
    ("said", "group", "severity"),
    [
        pytest.param({"required": ["order"]}, "required", "breaking", id="a key that nobody describes"),
        pytest.param(
            {"required": ["order"], "properties": {"order": {"type": "string"}}},
            "required",
            "breaking",
            id="a key that is described",
        ),
        pytest.param({"properties": {"order": {"type": "string"}}}, "request fields", "wrapper", id="a type for a key"),
        pytest.param(
            {"additionalProperties": {"type": "string"}}, "request fields", "wrapper", id="a type for all keys"
        ),
        pytest.param({"additionalProperties": False}, "other", "breaking", id="no other keys"),
        pytest.param({"minProperties": 1}, "limits", "breaking", id="one key at least"),
    ],
)
def test_what_is_asked_of_the_keys_of_metadata_is_not_harmless(published, coverage, said, group, severity):
    drift = compare(open_metadata(published), open_metadata(published, **said), coverage)
    assert verdicts(drift) == {(group, severity)}


def test_a_key_of_metadata_that_is_only_described_is_harmless(published, coverage):
    after = open_metadata(published, properties={"order": {"description": "Your number"}})
    assert compare(open_metadata(published), after, coverage).severity == "harmless"


def test_a_key_that_is_required_of_a_text_is_for_people_to_read(published, coverage):
    drift = compare(published, changed(published, (*METADATA, "required"), ["order"]), coverage)
    assert verdicts(drift) == {("required", "wrapper")}


def test_metadata_that_every_update_sends_does_not_have_every_key(published, coverage, overlay):
    before = apply_overlay(published, overlay, "overlay")
    place = ("paths", f"{PATH}/{{id}}", "put", "requestBody", *REQUEST[-3:], "properties", "metadata")
    described = {"type": "object", "properties": {"order": {"type": "string"}}}
    before = changed(before, place, described)
    drift = compare(before, changed(before, place, {**described, "required": ["order"]}), coverage)
    assert verdicts(drift) == {("required", "breaking")}


def test_a_field_that_is_required_and_nowhere_described_is_breaking(published, coverage):
    drift = compare(published, changed(published, (*REQUEST, "required", 1), "customer"), coverage)
    assert (only(drift).field, only(drift).severity) == ("customer", "breaking")


def test_a_field_that_is_no_longer_required_and_was_nowhere_described_is_harmless(published, coverage):
    before = changed(published, (*REQUEST, "required", 1), "customer")
    assert compare(before, published, coverage).severity == "harmless"


def test_a_field_that_is_described_and_only_named_afterwards_is_gone(published, coverage):
    drift = compare(published, changed(published, (*SENT, "amount"), GONE), coverage)
    assert (only(drift).what.partition(":")[0], only(drift).severity) == ("gone", "breaking")


def test_a_stub_of_the_overlay_is_what_a_component_is_measured_by(published, coverage):
    stub = {
        "target": "$",
        "description": "The page does not define it.",
        "update": {"components": {"schemas": {"MetadataInput": {"type": "string", "format": "json"}}}},
    }
    overlay = read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [stub]}, "o")
    after = changed(bare(published, "metadata"), METADATA, {"$ref": "#/components/schemas/MetadataInput"})
    assert compare(bare(published, "metadata"), after, coverage, overlay).severity == "harmless"


def test_what_the_overlay_knew_of_an_operation_and_its_page_does_not_is_gone(published, coverage, overlay):
    reply = {
        "200": {
            "content": {
                "application/json": {"schema": {"type": "object", "properties": {"status": {"type": "string"}}}}
            }
        }
    }
    operation = {
        "operationId": "get_lightning_invoice",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": reply,
    }
    after = changed(published, ("paths", f"{PATH}/{{id}}"), {"get": operation})
    drift = compare(published, after, coverage, overlay[:10], overlay)
    assert verdicts(drift) == {("reply fields", "breaking")}
    assert compare(published, after, coverage, overlay).severity == "harmless"


def test_a_key_that_is_no_longer_listed_is_refused_where_no_other_is_taken(published, coverage):
    def closed(*names):
        return open_metadata(published, additionalProperties=False, properties={name: {} for name in names})

    assert verdicts(compare(closed("a", "b"), closed("a"), coverage)) == {("request fields", "breaking")}
    assert compare(closed("a"), closed("a", "b"), coverage).severity == "harmless"


def test_a_field_that_only_an_example_showed_may_be_required_without_a_word(published, coverage):
    before = changed(published, DATA, {"type": "object"})
    drift = compare(before, changed(before, (*DATA, "required"), ["id", "collect"]), coverage)
    assert {(change.field, change.group, change.severity) for change in drift.changes} == {
        ("data.id", "required", "harmless"),
        ("data.collect", "required", "wrapper"),
    }


@pytest.mark.parametrize(("schema", "severity"), [({"enum": ["a"]}, "wrapper"), ({}, "harmless")])
def test_a_key_of_metadata_in_a_reply_is_harmless_only_if_nothing_is_said_of_it(published, coverage, schema, severity):
    before = with_data(published, metadata={"type": "object"})
    after = with_data(published, metadata={"type": "object", "properties": {"order": schema}})
    assert compare(before, after, coverage).severity == severity
