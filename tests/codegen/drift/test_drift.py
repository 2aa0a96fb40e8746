"""No difference goes unnoticed, whatever stands where; what the overlay settles and what only words change is said."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.drift import nodes
from codegen.drift.compare import GROUPS, SEVERITIES, Drift, compare
from codegen.drift.coverage import Coverage, load_coverage
from codegen.drift.states import effective
from codegen.errors import CodegenError
from codegen.generate.regeneration import merged_document
from codegen.overlay.actions import read_overlay
from codegen.read.documents import load_document
from tests.support.checkout import REPOSITORY
from tests.support.drift import EXAMPLE, GONE, OPERATION, PATH, READ, REQUEST, SENT, at, changed, places_of, reordered
from tests.support.thorough import THOROUGH

COVERAGE = load_coverage(REPOSITORY)
PUBLISHED = load_document(REPOSITORY / "openapi.yaml", "openapi.yaml")
EFFECTIVE = merged_document(REPOSITORY)[0]


def test_equal_documents_have_no_drift(published):
    drift = compare(published, copy.deepcopy(published), COVERAGE)
    assert (drift.changes, drift.severity, drift.exit_code) == ((), "none", 0)


def test_the_order_of_keys_is_no_drift(published):
    assert compare(published, reordered(published), COVERAGE).changes == ()


def tried(document, place):
    """The document without what stands at a place, with other things there, and with more in it."""
    there = at(document, *place)
    yield changed(document, place, GONE)
    holder = at(document, *place[:-1])
    for other in ("other", {"other": 1}, [{"other": 1}], None) if THOROUGH else ("other", {"other": 1}):
        after = copy.deepcopy(document)
        at(after, *place[:-1])[place[-1]] = other
        yield after
    if isinstance(there, dict | list):
        yield changed(document, (*place, "new key" if isinstance(there, dict) else 0), {"type": "string"})
    elif isinstance(holder, dict):
        yield changed(document, (*place[:-1], "x-new"), there)


def test_whatever_changes_is_reported_with_its_place_in_both_directions():
    silent = []
    for place in places_of(EFFECTIVE):
        for after in tried(EFFECTIVE, place):
            for before, now in ((EFFECTIVE, after), (after, EFFECTIVE)):
                drift = compare(before, now, COVERAGE)
                if before != now and not drift.changes:
                    silent.append(place)
                assert all(change.place.startswith("#") and change.why for change in drift.changes)
    assert not silent


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "string", "object", "#/x", "#/paths", "a`b\n\x1b", '{"a": 1}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "$ref", "properties", "required", "items", "allOf", "oneOf", "enum", "default", "get"),
                    *("name", "in", "parameters", "content", "schema", "security", "servers", "a.b", "[]", ""),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300 if THOROUGH else 40)
@given(place=st.sampled_from([*places_of(PUBLISHED)]), value=VALUES)
def test_no_document_is_too_strange_to_be_compared(place, value):
    after = copy.deepcopy(PUBLISHED)
    at(after, *place[:-1])[place[-1]] = value
    for drift in (compare(PUBLISHED, after, COVERAGE), compare(after, PUBLISHED, COVERAGE)):
        assert bool(drift.changes) == (repr(reordered(reordered(after))) != repr(PUBLISHED))
        for change in drift.changes:
            assert change.group in GROUPS
            assert change.severity in SEVERITIES[1:]
            assert all(text.isprintable() for text in (change.operation, change.field, change.what, change.why))


RARE = ["oneOf", "anyOf", "allOf", "not", "dependentRequired", "additionalProperties", "pattern", "maxLength", "x-a"]


@pytest.mark.parametrize("keyword", RARE)
@pytest.mark.parametrize("place", [REQUEST, (*SENT, "metadata"), (*READ, "data")], ids=["body", "sent", "read"])
def test_what_no_rule_covers_is_listed_with_its_place_for_a_look(published, keyword, place):
    drift = compare(published, changed(published, (*place, keyword), [{"type": "string"}]), COVERAGE)
    (change,) = drift.changes
    assert (drift.exit_code, change.group) == (3, "changed in a way that no rule covers")
    assert change.place.endswith(f"/{keyword}")


def test_what_no_rule_covers_does_not_hide_a_plain_change(published):
    after = changed(changed(published, (*SENT, "amount", "not"), {}), (*SENT, "amount", "type"), "string")
    assert compare(published, after, COVERAGE).exit_code == 4


# words and examples


def test_a_revision_of_the_reply_examples_says_that_it_is_nothing_else(published):
    drift = compare(published, changed(published, (*EXAMPLE, "lnurl"), "lnurl1"), COVERAGE)
    (change,) = drift.changes
    assert (drift.exit_code, change.operation, change.what) == (0, f"POST {PATH}", "only examples changed")


def test_words_inside_of_what_no_rule_covers_are_words(published):
    before = changed(published, (*SENT, "metadata", "oneOf"), [{"type": "string", "description": "a"}])
    after = changed(published, (*SENT, "metadata", "oneOf"), [{"type": "string", "description": "b"}])
    assert [change.what for change in compare(before, after, COVERAGE).changes] == [
        "only descriptions or examples changed"
    ]


def test_a_field_that_is_called_like_words_is_a_field(published):
    before = changed(published, (*SENT, "description"), {"type": "string"})
    drift = compare(before, published, COVERAGE)
    assert [(change.group, change.field) for change in drift.changes] == [("request fields", "description")]


def test_words_are_said_beside_other_changes(published):
    after = changed(changed(published, (*SENT, "new"), {}), (*SENT, "amount", "description"), "In satoshi")
    assert [change.what for change in compare(published, after, COVERAGE).changes][-1] == "also descriptions changed"


# references


def component(document, schema):
    document = changed(document, (*SENT, "metadata"), {"$ref": "#/components/schemas/MetadataInput"})
    return changed(document, ("components", "schemas"), {"MetadataInput": schema})


def test_a_field_that_is_described_in_a_component_is_the_same(published):
    same = {"type": "string", "format": "json", "description": at(published, *SENT, "metadata")["description"]}
    drift = compare(published, component(published, same), COVERAGE)
    assert [(change.severity, change.what) for change in drift.changes] == [
        ("harmless", "`$ref` is new: `#/components/schemas/MetadataInput`")
    ]


def test_a_component_that_changed_is_told_where_it_is_used(published):
    before, after = (component(published, {"type": kind}) for kind in ("string", "array"))
    (change,) = compare(before, after, COVERAGE).changes
    assert (change.severity, change.field, change.place) == (
        "breaking",
        "metadata",
        "#/components/schemas/MetadataInput/type",
    )


def test_a_component_that_no_operation_uses_is_said_to_be_none(published):
    after = changed(published, ("components", "schemas"), {"A": {"$ref": "#/components/schemas/B"}, "B": {}})
    drift = compare(published, after, COVERAGE)
    assert {change.severity for change in drift.changes} == {"harmless"}
    assert all(change.why.startswith("no operation refers to it") for change in drift.changes)
    assert len(drift.changes) == 2


@pytest.mark.parametrize("turned", [False, True], ids=["new", "gone"])
def test_a_component_of_an_operation_that_is_new_or_gone_is_told_with_it(published, turned):
    schema = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    after = changed(
        published, ("components", "schemas"), {"A": {"oneOf": [{"$ref": "#/components/schemas/B"}]}, "B": {}}
    )
    after = changed(after, ("paths", "/v3/balance"), {"get": {"responses": {"200": schema}}})
    states = (after, published) if turned else (published, after)
    assert [change.operation for change in compare(*states, COVERAGE).changes] == ["GET /v3/balance"]


def test_a_reference_that_leads_nowhere_needs_an_action(published):
    after = changed(published, (*SENT, "metadata"), {"$ref": "#/components/schemas/MetadataInput"})
    (change,) = [each for each in compare(published, after, COVERAGE).changes if each.group == "types"]
    assert change.severity == "wrapper"
    assert "--stub-missing" in change.why


def test_schemas_that_lead_into_themselves_are_compared(published):
    link = {"$ref": "#/components/schemas/MetadataInput"}
    before, after = (
        component(published, {"type": "string", "properties": {"a": link, "b": {"type": kind}}}) for kind in ("x", "y")
    )
    assert compare(before, after, COVERAGE).changes


@pytest.mark.parametrize(
    ("names", "number", "message"),
    [("ab", 40, "unfolds into more than"), ("a", 2000, "unfolds into more than 400 levels")],
    ids=["multiply", "form a long chain"],
)
def test_schemas_that_lead_too_far_end_with_an_error(published, names, number, message):
    schemas = {
        f"A{index}": {"properties": {name: {"$ref": f"#/components/schemas/A{index + 1}"} for name in names}}
        for index in range(number)
    }
    after = changed(published, ("components", "schemas"), schemas)
    after = changed(after, (*SENT, "metadata"), {"$ref": "#/components/schemas/A0"})
    with pytest.raises(CodegenError, match=message):
        compare(published, after, COVERAGE)


def test_schemas_that_all_lead_to_each_other_end_with_an_error(published, monkeypatch):
    monkeypatch.setattr(nodes, "MOST_PARTS", 1000)
    links = {name: {"$ref": f"#/components/schemas/{name}"} for name in "ABCDEFGHIJ"}
    after = changed(published, ("components", "schemas"), {name: {"properties": links} for name in links})
    after = changed(after, (*SENT, "metadata"), links["A"])
    with pytest.raises(CodegenError, match="unfolds into more than 1,000 parts"):
        compare(published, after, COVERAGE)


# the overlay


def test_what_an_action_of_the_overlay_removes_is_listed_as_settled(published, overlay):
    after = changed(published, (*SENT, "amount", "default"), "999")
    before, now = effective(published, overlay), effective(after, overlay)
    drift = compare(before, now, COVERAGE, published=(published, after))
    (change,) = drift.changes
    assert (drift.exit_code, change.group, change.place[-15:]) == (0, "overlay", "/amount/default")


def test_without_the_action_the_same_default_needs_a_look(published):
    after = changed(published, (*SENT, "amount", "default"), "999")
    assert compare(published, after, COVERAGE).exit_code == 3


def test_an_action_that_does_not_fit_is_left_out(published):
    action = {"target": "$.nothing", "description": "It is gone.", "remove": True}
    actions = read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [action]}, "o")
    assert effective(published, actions) == published


# what the probe finds


def test_a_call_that_breaks_is_breaking_whatever_the_rules_say():
    drift = Drift((), "a", "b").with_broken([("POST /v3/a", "TypeError: got an unexpected `x`\x1b[2J")])
    (change,) = drift.changes
    assert (drift.exit_code, drift.old, change.operation) == (4, "a", "POST /v3/a")
    assert change.what == "a call breaks: `TypeError: got an unexpected 'x'?[2J`"


def test_a_document_of_its_own_is_compared_without_a_contract():
    assert compare({"paths": {"/a": {"get": {}}}}, {}, Coverage()).exit_code == 4


def test_the_only_operation_of_the_document_is_the_one_that_the_places_of_these_tests_name(published):
    assert at(published, *OPERATION)
