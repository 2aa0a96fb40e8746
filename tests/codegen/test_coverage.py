"""The contract between the document and the wrapper is read strictly."""

import copy

import pytest

from codegen.drift.coverage import load_coverage, read_coverage
from codegen.errors import CodegenError
from tests.support.tables import each_row

CONTRACT = {
    "places": {"method": "client.py", "request": "a.py", "envelope": "b.py", "attribute": "c.py"},
    "security": "http basic",
    "objects": {"invoice": {"id": {"attribute": "id", "kinds": ["string"]}}},
    "operations": {
        "GET /v3/a/{id}": {
            "method": "get_a",
            "request": {"(path 1)": {"arguments": ["a_id"], "kinds": ["string"]}},
            "reply": {"data": {"object": "invoice"}, "status": {"reason": "It says nothing."}},
        }
    },
}
OPERATION = ("operations", "GET /v3/a/{id}")


def test_an_operation_is_found_whatever_its_path_calls_the_parameter():
    coverage = read_coverage(CONTRACT, "coverage.yaml")
    assert coverage.operation("GET", "/v3/a/{name}").method == "get_a"
    assert coverage.operation("PUT", "/v3/a/{name}") is None


def test_the_fields_of_an_object_are_those_of_what_holds_it():
    reply = read_coverage(CONTRACT, "coverage.yaml").operation("GET", "/v3/a/{id}").reply
    assert sorted(reply) == ["data", "data.id", "status"]


@each_row(
    ("place", "value", "message"),
    [
        pytest.param(("places",), None, "places must be an object, not null", id="no places"),
        pytest.param(("places", "request"), "", "places: request must be text, not ''", id="a place without a name"),
        pytest.param(("security",), 5, "security must be text, not 5", id="security that is no text"),
        pytest.param(("operations",), [], "operations must be an object, not a list", id="a list of operations"),
        pytest.param(
            (*OPERATION, "method"), None, "operations: GET /v3/a/{id}: method must be text, not null", id="no method"
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {},
            "request: a: exactly one of arguments, attribute, object and reason",
            id="nothing said",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "reason": "b"},
            "exactly one of arguments",
            id="two things said",
        ),
        pytest.param((*OPERATION, "request", "a"), {"arguments": []}, "exactly one of arguments", id="an empty list"),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kind": []},
            "kind is unknown; known are always,",
            id="a key nobody knows",
        ),
        pytest.param(
            (*OPERATION, "request", "a"), {"arguments": "a"}, "arguments and kinds must be lists", id="no list"
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds": ["text"]},
            "'text' is no type of JSON Schema",
            id="no type",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds": [5]},
            "5 is no type of JSON Schema",
            id="a type that is no text",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds_by_option": {"text": "form=5"}},
            "'text' is no type of JSON Schema",
            id="no type under an option",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds_by_option": ["object"]},
            "kinds_by_option must name the option of each kind",
            id="options without names",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds_by_option": {"object": " "}},
            "kinds_by_option must name the option of each kind",
            id="an option without a name",
        ),
        pytest.param(
            (*OPERATION, "request", "a"),
            {"arguments": ["a"], "kinds": ["string"], "kinds_by_option": {"string": "form=5"}},
            "by default, or under an option, and not both",
            id="a type by default and under an option",
        ),
        pytest.param(
            (*OPERATION, "reply", "data"),
            {"object": "order"},
            "reply: data: there is no object 'order'",
            id="no such object",
        ),
    ],
)
def test_a_contract_of_another_form_is_refused_with_the_place(place, value, message):
    contract = copy.deepcopy(CONTRACT)
    holder = contract
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    with pytest.raises(CodegenError) as caught:
        read_coverage(contract, "coverage.yaml")
    assert str(caught.value).startswith("coverage.yaml: ")
    assert message in str(caught.value)


def test_a_repository_without_a_contract_is_told_so(tmp_path):
    with pytest.raises(CodegenError, match="codegen/wrapper_coverage.yaml is missing"):
        load_coverage(tmp_path)
