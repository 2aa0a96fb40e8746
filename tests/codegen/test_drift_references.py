"""Components: what a reference leads to counts, not where it stands."""

import copy

import pytest

from codegen.drift.compare import compare
from codegen.errors import CodegenError
from codegen.overlay.actions import read_overlay
from tests.support.drift import METADATA, at, changed, only

INPUT = {"$ref": "#/components/schemas/MetadataInput"}
TEXT = {"type": "string", "format": "json"}


def with_component(document, schema, **components):
    return changed(document, ("components", "schemas"), {"MetadataInput": schema, **components})


def described(document):
    return {**INPUT, "description": at(document, *METADATA)["description"]}


def test_the_same_type_in_a_component_is_harmless(published, coverage):
    after = with_component(changed(published, METADATA, described(published)), TEXT)
    change = only(compare(published, after, coverage))
    assert (change.group, change.severity, change.field) == ("types", "harmless", "metadata")
    assert change.what == "`MetadataInput`, which is string (json); it was string (json)"


def test_a_component_that_the_document_does_not_hold_is_named(published, coverage):
    change = only(compare(published, changed(published, METADATA, described(published)), coverage))
    assert (change.group, change.severity) == ("types", "wrapper")
    assert "`#/components/schemas/MetadataInput`" in change.why
    assert "--stub-missing" in change.why


def test_a_component_that_the_overlay_defines_is_harmless(published, coverage):
    stub = {
        "target": "$.components",
        "description": "The page does not define it.",
        "update": {"schemas": {"MetadataInput": TEXT}},
    }
    overlay = read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [stub]}, "o")
    change = only(compare(published, changed(published, METADATA, described(published)), coverage, overlay))
    assert (change.severity, change.overlay) == ("harmless", "action 1 ($.components) defines it")
    assert change.what == "`MetadataInput`, which is string (json); it was string (json)"


def test_a_change_of_a_component_shows_where_it_is_used(published, coverage):
    inner = {"A": {"type": "object", "properties": {"b": INPUT}}}
    used = changed(published, METADATA, {"$ref": "#/components/schemas/A"})
    drift = compare(
        with_component(used, {"type": "string"}, **inner), with_component(used, {"type": "integer"}, **inner), coverage
    )
    assert only(drift).field == "metadata.b"
    assert only(drift).what == "`MetadataInput`, which is integer; it was `MetadataInput`, which is string"


def test_a_component_that_holds_itself_is_unfolded_once(published, coverage):
    used = changed(published, METADATA, INPUT)
    node = {"type": "object", "properties": {"next": INPUT, "value": {"type": "string"}}}
    other = copy.deepcopy(node)
    other["properties"]["value"]["type"] = "integer"
    drift = compare(with_component(used, node), with_component(used, other), coverage)
    assert [change.field for change in drift.changes] == ["metadata.value"]


def test_components_that_multiply_are_refused(published, coverage):
    schemas = {
        f"S{level}": {"properties": {f"p{copy}": {"$ref": f"#/components/schemas/S{level + 1}"} for copy in range(10)}}
        for level in range(9)
    }
    bomb = changed(
        changed(published, ("components", "schemas"), {**schemas, "S9": {"type": "string"}}),
        METADATA,
        {"$ref": "#/components/schemas/S0"},
    )
    with pytest.raises(CodegenError, match="unfolds into more than 20000 fields"):
        compare(published, bomb, coverage)


def test_a_reference_beside_a_description_keeps_both(published, coverage):
    component = {**TEXT, "description": "that of the component"}
    after = with_component(changed(published, METADATA, described(published)), component)
    assert [change.group for change in compare(published, after, coverage).changes] == ["types"]


def test_allof_of_a_reference_is_that_reference(published, coverage):
    one = with_component(changed(published, METADATA, INPUT), TEXT)
    other = with_component(changed(published, METADATA, {"allOf": [INPUT]}), TEXT)
    assert [change.severity for change in compare(one, other, coverage).changes] == ["harmless"]


@pytest.mark.parametrize("before_has_a_stub", [True, False])
def test_a_component_that_turns_out_to_be_no_text_breaks_clients_that_send_text(published, coverage, before_has_a_stub):
    stub = {
        "target": "$.components",
        "description": "The page does not define it.",
        "update": {"schemas": {"MetadataInput": TEXT}},
    }
    read = {"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [stub]}
    stubs = read_overlay(read, "o") if before_has_a_stub else None
    before = changed(published, METADATA, described(published))
    drift = compare(before, with_component(before, {"type": "object"}), coverage, (), stubs)
    assert (only(drift).group, only(drift).severity) == ("types", "breaking")


def test_a_component_that_turns_out_to_be_text_is_harmless(published, coverage):
    before = changed(published, METADATA, described(published))
    assert compare(before, with_component(before, TEXT), coverage).severity == "harmless"
