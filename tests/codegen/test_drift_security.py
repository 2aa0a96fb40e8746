"""Security, by the operation and not by what its path calls things; servers, by their addresses."""

import pytest

from codegen.drift.compare import compare
from tests.support.drift import GONE, OPERATION, PATH, changed, only

BEARER = {"type": "http", "scheme": "bearer"}
GET = ("paths", f"{PATH}/{{id}}", "get")


def fetching(name="id", **said):
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    return {f"{PATH}/{{{name}}}": {"get": {"operationId": "a", "parameters": [parameter], "responses": {}, **said}}}


def with_paths(document, paths):
    return changed(document, ("paths",), {**document["paths"], **paths})


def security_of(drift):
    return [(change.operation, change.severity) for change in drift.changes if change.group == "security"]


@pytest.fixture
def with_bearer(published):
    return changed(published, ("components", "securitySchemes", "sec1"), BEARER)


def test_security_of_an_operation_whose_parameter_was_renamed_is_compared(with_bearer, coverage):
    before = with_paths(with_bearer, fetching())
    after = with_paths(with_bearer, fetching("invoice_id", security=[{"sec1": []}]))
    assert security_of(compare(before, after, coverage)) == [(f"GET {PATH}/{{invoice_id}}", "breaking")]


def test_security_of_a_new_operation_that_a_method_calls_already_is_judged(with_bearer, coverage):
    after = with_paths(with_bearer, fetching(security=[{"sec1": []}]))
    assert security_of(compare(with_bearer, after, coverage)) == [(f"GET {PATH}/{{id}}", "breaking")]


def test_security_of_a_new_operation_that_no_method_calls_is_part_of_what_is_new(with_bearer, coverage):
    paths = {"/v3/other": {"get": {"security": [{"sec1": []}], "responses": {}}}}
    assert security_of(compare(with_bearer, with_paths(with_bearer, paths), coverage)) == []


@pytest.mark.parametrize("place", [("security",), (*OPERATION, "security")], ids=["document", "operation"])
@pytest.mark.parametrize("security", [[], [{}], [{"sec1": []}, {}]], ids=["none", "empty", "one way is empty"])
def test_what_asks_for_nothing_is_harmless_and_says_so(with_bearer, coverage, place, security):
    drift = compare(with_bearer, changed(with_bearer, place, security), coverage)
    changes = [change for change in drift.changes if change.group == "security"]
    assert [change.severity for change in changes] == ["harmless"]
    assert "nothing has to be sent" in changes[0].why


def test_a_document_without_security_asks_for_nothing(published, coverage):
    assert compare(published, changed(published, ("security",), GONE), coverage).severity == "harmless"


@pytest.mark.parametrize("security", ["sec0", 5, {}, ["sec0"], [{"sec0": [], "sec1": []}]])
def test_what_the_wrapper_cannot_fulfil_is_breaking(with_bearer, coverage, security):
    assert compare(with_bearer, changed(with_bearer, ("security",), security), coverage).severity == "breaking"


def server(default, **said):
    return [{"url": "https://{host}.tazapay.com", "variables": {"host": {"default": default, **said}}}]


def test_another_default_of_a_variable_is_another_address(published, coverage):
    before, after = (changed(published, ("servers",), server(host)) for host in ("service-sandbox", "other"))
    drift = compare(before, after, coverage)
    assert [(change.severity, change.what) for change in drift.changes] == [
        ("breaking", "`https://service-sandbox.tazapay.com` is gone"),
        ("harmless", "`https://other.tazapay.com` is new"),
    ]


def test_the_same_address_with_a_variable_is_the_same(published, coverage):
    change = only(compare(published, changed(published, ("servers",), server("service-sandbox")), coverage))
    assert (change.severity, change.why) == ("harmless", "their addresses are the same")


@pytest.mark.parametrize("variables", [None, [], {"host": None}, {"host": {}}, {"other": {"default": "a"}}])
def test_a_variable_without_a_default_leaves_the_address_as_it_is(published, coverage, variables):
    url = "https://{host}.tazapay.com"
    after = changed(published, ("servers",), [{"url": url, "variables": variables}])
    assert f"`{url}` is new" in [change.what for change in compare(published, after, coverage).changes]
