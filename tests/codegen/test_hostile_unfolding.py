"""A small document that unfolds into a huge one is refused by file and line before anything unfolds it."""

import json

import pytest

from codegen.errors import CodegenError
from codegen.generate.document_checks import MAX_CHAIN, check_document
from codegen.merge import unfolding
from codegen.merge.merging import merge
from codegen.read.sources import Source, read_source
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


def read(content):
    return read_source("p.json", json.dumps(content, indent=1).encode())


@each_row("schema", TWICE.values(), ids=TWICE)
def test_schemas_that_multiply_are_refused_by_the_line_of_the_outermost(schema):
    content = document(chain(schema))
    line = json.dumps(content, indent=1).split("\n").index('   "A0": {') + 1
    with pytest.raises(
        CodegenError, match=rf"^p\.json, line {line}: #/components/schemas/A0 unfolds into more than 20,"
    ):
        read(content)


@pytest.mark.parametrize("keyword", ["allOf", "not"])
def test_what_the_validator_would_unfold_is_refused_before_it_does(keyword):
    with pytest.raises(CodegenError, match="#/components/schemas/A0 unfolds into too much"):
        check_document(document(chain(TWICE[keyword])), "openapi.yaml")


def test_many_that_are_each_within_the_limit_are_refused_together():
    schemas = chain(TWICE["allOf"], 10) | {f"B{i}": {"allOf": [to("A0")]} for i in range(20)}
    with pytest.raises(CodegenError, match="unfolds into too much"):
        check_document(document(schemas), "openapi.yaml")


def test_pages_that_multiply_only_together_are_refused(published):
    settled = {key: published[key] for key in ("servers", "security")}
    schemas = chain(TWICE["properties"], 24)
    upper, lower = (
        {name: schemas[name] for name in schemas if (int(name[1:]) < 12) is first} for first in (True, False)
    )
    pages = [
        read_source(
            name, json.dumps(document(part, next(iter(part))) | settled | {"paths": {path: {"get": {}}}}).encode()
        )
        for name, part, path in (("upper.json", upper, "/v3/x"), ("lower.json", lower, "/v3/y"))
    ]
    current = Source("openapi.yaml", json.dumps({"openapi": "3.1.0", "paths": {}, "components": {}} | settled).encode())
    with pytest.raises(CodegenError, match=r"^upper\.json, line 1: #/components/schemas/A0 unfolds"):
        merge(current, pages)


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
    assert len(check_document(read(document(schemas)).document, "openapi.yaml").operations) == 1


def test_every_way_through_a_circle_counts():
    names = [f"A{i}" for i in range(9)]
    everyone = {name: {"type": "object", "properties": {f"p{other}": to(other) for other in names}} for name in names}
    with pytest.raises(CodegenError, match=r"^p\.json, line 9: GET /v3/x unfolds into more than"):
        read(document(everyone))


@each_row(
    ("schemas", "message"),
    [
        pytest.param(
            {"A0": to("A0")}, "refers to #/components/schemas/A0, which leads back to itself", id="a reference"
        ),
        pytest.param({"A0": {"allOf": [to("A0")]}}, "A0 is composed of itself: by `allOf`", id="allOf"),
        pytest.param({"A0": {"allOf": [{"items": to("A0")}]}}, "A0 is composed of itself: by `allOf`", id="items"),
        pytest.param(chain(lambda each: each), f"to a reference and so on, more than {MAX_CHAIN} times", id="a chain"),
    ],
)
def test_a_circle_that_nobody_can_follow_is_refused_by_name(schemas, message):
    with pytest.raises(CodegenError) as caught:
        check_document(document(schemas), "openapi.yaml")
    assert message in str(caught.value)


def test_more_levels_than_tools_can_recurse_into_are_refused():
    deep = chain(lambda each: {"properties": {"a": each}}, unfolding.MAX_HEIGHT)
    with pytest.raises(CodegenError, match=f"unfolds into more than {unfolding.MAX_HEIGHT} levels"):
        read(document(deep))
