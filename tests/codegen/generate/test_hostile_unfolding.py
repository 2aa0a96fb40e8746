"""A small document that unfolds into a huge one is refused by file and line before anything unfolds it."""

import pytest

from codegen.errors import CodegenError
from codegen.generate import unfolding
from codegen.generate.document_checks import MAX_CHAIN, check_document
from tests.support.tables import each_row

DEPTH = 30


def to(name):
    return {"$ref": f"#/components/schemas/{name}"}


def document(schemas, first="A0"):
    reply = {"description": "", "content": {"application/json": {"schema": to(first)}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/v3/x": {"get": {"operationId": "x", "responses": {"200": reply}}}},
        "components": {"schemas": schemas},
    }


def chain(schema, depth=DEPTH):
    """Schemas of which each is made from a reference to the next one."""
    return {f"A{i}": schema(to(f"A{i + 1}")) for i in range(depth)} | {f"A{depth}": {"type": "string"}}


TWICE = {
    "allOf": lambda each: {"allOf": [each, each]},
    "oneOf": lambda each: {"oneOf": [each, each]},
    "properties": lambda each: {"type": "object", "properties": {"a": each, "b": each}},
    "items": lambda each: {"type": "array", "items": {"anyOf": [each, each]}},
    "not": lambda each: {"not": each, "allOf": [each]},
    "additionalProperties": lambda each: {"additionalProperties": each, "properties": {"a": each}},
}


@each_row("schema", TWICE.values(), ids=TWICE)
def test_schemas_that_multiply_are_refused_by_the_outermost_before_anything_follows_them(schema):
    with pytest.raises(CodegenError, match=r"  #/components/schemas/A0 unfolds into more than 100,000 fields: schemas"):
        check_document(document(chain(schema)), "openapi.yaml")


def test_many_that_are_each_within_the_limit_are_refused_together():
    schemas = chain(TWICE["allOf"], 13) | {f"B{i}": {"allOf": [to("A0")]} for i in range(20)}
    with pytest.raises(CodegenError, match="unfolds into more than 100,000 fields"):
        check_document(document(schemas), "openapi.yaml")


def test_the_place_is_told_by_file_and_line():
    with pytest.raises(CodegenError, match=r"  page.md, line 7 unfolds into more than"):
        check_document(document(chain(TWICE["oneOf"])), "openapi.yaml", lambda _place: "page.md, line 7")


CIRCLES = {
    "a property": {"A0": {"type": "object", "properties": {"next": to("A0")}}},
    "two properties": {
        "A0": {"type": "object", "properties": {"a": to("A1"), "b": to("A1")}},
        "A1": {"type": "object", "properties": {"back": to("A0"), "self": to("A1")}},
    },
    "elements below allOf": {
        "A0": {"allOf": [{"type": "object", "properties": {"kids": {"type": "array", "items": to("A0")}}}]}
    },
}


@pytest.mark.parametrize("schemas", CIRCLES.values(), ids=CIRCLES)
def test_schemas_may_lead_back_to_themselves(schemas):
    assert len(check_document(document(schemas), "openapi.yaml").operations) == 1


@each_row(
    ("schemas", "message"),
    [
        pytest.param(
            {"A0": to("A0")}, "to #/components/schemas/A0, which leads to a reference, and so on: in a circle", id="one"
        ),
        pytest.param({"A0": {"allOf": [to("A0")]}}, "references that lead in a circle", id="allOf"),
        pytest.param({"A0": {"allOf": [{"items": to("A0")}]}}, "references that lead in a circle", id="items"),
        pytest.param(
            chain(lambda each: each),
            f"to a reference, and so on: in a circle, or more than {MAX_CHAIN} times",
            id="a chain",
        ),
    ],
)
def test_a_circle_that_nobody_can_follow_is_refused_by_name(schemas, message):
    with pytest.raises(CodegenError) as caught:
        check_document(document(schemas), "openapi.yaml")
    assert message in str(caught.value)


def test_more_levels_than_tools_can_recurse_into_are_refused():
    deep = chain(lambda each: {"properties": {"a": each}}, unfolding.MAX_HEIGHT)
    with pytest.raises(CodegenError, match=f"unfolds into more than {unfolding.MAX_HEIGHT} levels"):
        check_document(document(deep), "openapi.yaml")
