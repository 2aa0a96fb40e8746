"""Which operations and documents are compared, and that no difference goes unnoticed."""

import copy
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.drift.compare import GROUPS, SEVERITIES, compare
from codegen.drift.coverage import load_coverage
from codegen.read.documents import load_document
from tests.support.checkout import REPOSITORY
from tests.support.drift import GONE, OPERATION, PATH, REPLY, SENT, SHOWN, changed, only, reordered
from tests.support.thorough import THOROUGH, sample

COVERAGE = load_coverage(REPOSITORY)
REPLY_FIELDS = (*REPLY, "properties")


def test_equal_documents_have_no_drift(published, coverage, overlay):
    drift = compare(published, copy.deepcopy(published), coverage, overlay)
    assert (drift.changes, drift.severity, drift.exit_code) == ((), "none", 0)


def test_the_order_of_keys_is_no_drift(published, coverage):
    assert compare(published, reordered(published), coverage).changes == ()


def page_of_get(**operation):
    schema = {"type": "object", "properties": {"data": {"type": "string"}}}
    return {
        "get": {
            "operationId": "get_v3lightning_invoice_bolt11{id}",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
            **operation,
        }
    }


def test_an_operation_that_the_overlay_names_and_a_method_calls_is_harmless(published, coverage, overlay):
    after = changed(published, ("paths", f"{PATH}/{{id}}"), page_of_get())
    change = only(compare(published, after, coverage, overlay))
    assert (change.severity, change.why) == ("harmless", "get_invoice calls it already")


def test_without_a_name_in_the_overlay_such_an_operation_needs_one(published, coverage):
    after = changed(published, ("paths", f"{PATH}/{{id}}"), page_of_get())
    change = only(compare(published, after, coverage))
    assert (change.group, change.severity) == ("operations", "wrapper")
    assert "give it that name again" in change.why


def test_a_new_operation_with_a_sample_id_for_its_default_needs_an_action(published, coverage, overlay):
    sample = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "default": "l11_abc123xyz"}}
    after = changed(published, ("paths", f"{PATH}/{{id}}"), page_of_get(parameters=[sample]))
    changes = {change.group: change for change in compare(published, after, coverage, overlay).changes}
    assert changes["defaults"].severity == "wrapper"
    assert changes["defaults"].field == "id (path)"


def test_another_name_for_the_parameter_of_a_path_is_the_same_operation(published, coverage):
    before = changed(published, ("paths", f"{PATH}/{{id}}"), page_of_get())
    renamed = {"name": "invoice_id", "in": "path", "required": True, "schema": {"type": "string"}}
    after = changed(published, ("paths", f"{PATH}/{{invoice_id}}"), page_of_get(parameters=[renamed]))
    drift = compare(before, after, coverage)
    assert {(change.group, change.severity) for change in drift.changes} == {("operations", "wrapper")}
    assert [change.what for change in drift.changes if change.field] == ["its name was `id (path)`"]


def places_of(value, place=()):
    yield place
    for key, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places_of(member, (*place, key))


PUBLISHED = load_document(REPOSITORY / "openapi.yaml", "openapi.yaml")
EXAMPLES = 100 if THOROUGH else 20
PLACES = [place for place in places_of(PUBLISHED) if place and not isinstance(place[-1], int)]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "string", "object", "#/x", "a`b\n\x1b", '{"a": 1}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "$ref",
                    "properties",
                    "required",
                    "items",
                    "allOf",
                    "oneOf",
                    "enum",
                    "default",
                    "get",
                    "name",
                    "in",
                    "parameters",
                    "content",
                    "schema",
                    "a.b",
                    "[]",
                    "",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=EXAMPLES)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_whatever_stands_where_in_a_document_a_difference_is_reported_in_both_directions(place, value):
    after = changed(PUBLISHED, place, value)
    coverage = COVERAGE
    for drift in (compare(PUBLISHED, after, coverage), compare(after, PUBLISHED, coverage)):
        assert bool(drift.changes) == (repr(reordered(reordered(after))) != repr(PUBLISHED))
        for change in drift.changes:
            assert change.group in GROUPS
            assert change.severity in SEVERITIES[1:]
            assert change.why
            assert all(text.isprintable() for text in (change.operation, change.field, change.what, change.why))


@settings(deadline=None, max_examples=EXAMPLES)
@given(place=st.sampled_from(PLACES))
def test_whatever_is_gone_is_reported(place):
    drift = compare(PUBLISHED, changed(PUBLISHED, place, GONE), COVERAGE)
    assert drift.changes


NAMES = ["a.b", "a[0]", "(body)", "metadata.x", "data.id", "%2E", "*", "a\u202eb", ""]


@pytest.mark.parametrize(("place", "name"), sample(product([SENT, REPLY_FIELDS, SHOWN], NAMES), 2))
def test_no_name_hides_a_new_field(published, coverage, place, name):
    drift = compare(published, changed(published, (*place, name), {"type": "string"}), coverage)
    assert [(change.group, change.severity) for change in drift.changes] == [
        ("request fields" if place == SENT else "reply fields", "wrapper")
    ]


@pytest.mark.parametrize("name", ["a.b", "a[0]", "(path 1)", "amount"])
def test_no_name_hides_a_new_parameter(published, coverage, name):
    parameter = {"name": name, "in": "query", "schema": {"type": "string"}}
    drift = compare(published, changed(published, (*OPERATION, "parameters", 0), parameter), coverage)
    assert [(change.group, change.severity) for change in drift.changes] == [("request fields", "wrapper")]


@pytest.mark.parametrize("method", ["get", "put"])
def test_an_operation_by_the_name_that_the_overlay_gave_it_before_is_harmless(published, coverage, overlay, method):
    name = {"get": "get_lightning_invoice", "put": "update_lightning_invoice"}[method]
    metadata = {"type": "object", "properties": {"metadata": {"type": "string"}}}
    body = {"requestBody": {"content": {"application/json": {"schema": metadata}}}} if method == "put" else {}
    page = {method: page_of_get(operationId=name, **body)["get"]}
    after = changed(published, ("paths", f"{PATH}/{{id}}"), page)
    change = only(compare(published, after, coverage, overlay[:10], overlay))
    assert (change.group, change.severity, change.overlay) == ("operations", "harmless", "")
