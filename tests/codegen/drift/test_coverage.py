"""The contract between the document and the wrapper is read strictly."""

import copy

import pytest

from codegen.drift.coverage import load_coverage, read_coverage
from codegen.errors import CodegenError
from tests.support.tables import each_row

CONTRACT = {
    "security": "http basic",
    "operations": {
        "GET /v3/a/{id}": {
            "method": "get_a",
            "request": {"(path 1)": {"arguments": ["a_id"], "always": True, "kinds": ["string"]}},
            "reply": {"data.id": {"attribute": "A.id", "kinds": ["string"]}},
        },
        "DELETE /v3/a/{id}": {"method": "delete_a"},
    },
}
OPERATION = ("operations", "GET /v3/a/{id}")
FIELD = (*OPERATION, "request", "(path 1)")


def test_an_operation_is_found_whatever_its_path_calls_the_parameter():
    coverage = read_coverage(CONTRACT, "coverage.yaml")
    assert coverage.operation("GET", "/v3/a/{name}").method == "get_a"
    assert coverage.operation("PUT", "/v3/a/{name}") is None


def test_an_operation_may_send_and_read_nothing_that_is_named():
    operation = read_coverage(CONTRACT, "coverage.yaml").operation("DELETE", "/v3/a/{id}")
    assert (operation.request, operation.reply) == ({}, {})


def test_a_method_may_return_whatever_it_likes():
    reply = read_coverage(CONTRACT, "coverage.yaml").operation("GET", "/v3/a/{id}").reply
    assert reply["data", "id"].names == ("A.id",)


@each_row(
    ("place", "value", "message"),
    [
        pytest.param(("security",), None, "", id="no security"),
        pytest.param(("operations",), [], "", id="a list of operations"),
        pytest.param((*OPERATION, "method"), None, "", id="no method"),
        pytest.param((*OPERATION, "methods"), "a", "methods", id="a key of an operation that is not known"),
        pytest.param((*OPERATION, "request"), [], "", id="a list of fields"),
        pytest.param((*FIELD, "kind"), [], "kind", id="a key of a field that is not known"),
        pytest.param((*FIELD, "kinds"), ["text"], "'text'", id="no type"),
        pytest.param((*FIELD, "kinds"), None, "", id="no types"),
        pytest.param((*FIELD, "kinds_by_option"), {"text": "form=5"}, "'text'", id="no type under an option"),
        pytest.param(FIELD, {"arguments": ["a"]}, "kinds", id="a field without types"),
    ],
)
def test_a_contract_of_another_form_is_refused(place, value, message):
    contract = copy.deepcopy(CONTRACT)
    holder = contract
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    if value is None:
        del holder[place[-1]]
    with pytest.raises(CodegenError, match="coverage.yaml is not of the form that its first lines describe") as caught:
        read_coverage(contract, "coverage.yaml")
    assert message in str(caught.value)


def test_a_repository_without_a_contract_is_told_so(tmp_path):
    with pytest.raises(CodegenError, match="codegen/wrapper_coverage.yaml is missing"):
        load_coverage(tmp_path)
