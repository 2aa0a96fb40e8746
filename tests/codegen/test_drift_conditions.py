"""Conditions between the fields of a request: what the contract proves is decided, what it does not is for people."""

import pytest

from codegen.drift.compare import compare
from codegen.drift.coverage import Coverage
from tests.support.drift import GONE, REPLY, REQUEST, changed, only

CONDITIONS = [
    pytest.param("dependentRequired", {"d_tag_memo": ["amount"]}, "harmless", id="what is always sent"),
    pytest.param("dependentRequired", {"nobody": ["metadata"]}, "harmless", id="of what is never sent"),
    pytest.param("dependentRequired", {"amount": ["metadata"]}, "breaking", id="what may be left out"),
    pytest.param("dependentRequired", {"d_tag_memo": ["nobody"]}, "breaking", id="what is never sent"),
    pytest.param("dependentRequired", {"d_tag_memo": "amount"}, "wrapper", id="no list of names"),
    pytest.param("anyOf", [{"required": ["amount"]}, {"required": ["btc"]}], "harmless", id="one of two, always sent"),
    pytest.param("anyOf", [{"required": ["metadata"]}, {"required": ["d_tag_memo"]}], "breaking", id="neither always"),
    pytest.param("anyOf", [{"required": ["amount", "metadata"]}], "breaking", id="one field more than always"),
    pytest.param("anyOf", [{"required": ["amount"]}, {"minProperties": 9}], "wrapper", id="something else as well"),
    pytest.param("oneOf", [{"required": ["amount"]}, {"required": ["btc"]}], "harmless", id="exactly one is ever sent"),
    pytest.param("oneOf", [{"required": ["amount"]}, {"required": ["metadata"]}], "breaking", id="both may be sent"),
    pytest.param("oneOf", [{"required": ["btc"]}, {"required": ["sat"]}], "breaking", id="none is ever sent"),
    pytest.param("additionalProperties", False, "harmless", id="no other fields than those listed"),
    pytest.param("minProperties", 1, "harmless", id="one field at least"),
    pytest.param("minProperties", 2, "breaking", id="more fields than the shortest call sends"),
    pytest.param("maxProperties", 5, "harmless", id="as many fields as there are"),
    pytest.param("maxProperties", 4, "breaking", id="fewer fields than there are"),
    pytest.param("maxProperties", "4", "breaking", id="a limit that is no number"),
    pytest.param("not", {"required": ["metadata"]}, "wrapper", id="what must not be"),
    pytest.param("propertyNames", {"maxLength": 20}, "wrapper", id="how names must be"),
    pytest.param("if", {"required": ["metadata"]}, "wrapper", id="a case"),
]


@pytest.mark.parametrize(("keyword", "value", "severity"), CONDITIONS)
def test_a_condition_of_the_request_has_its_verdict(published, coverage, keyword, value, severity):
    change = only(compare(published, changed(published, (*REQUEST, keyword), value), coverage))
    assert (change.field, change.severity) == ("the body", severity)
    assert change.why


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("dependentRequired", {"amount": ["metadata"]}),
        ("anyOf", [{"required": ["metadata"]}]),
        ("additionalProperties", False),
        ("minProperties", 5),
    ],
)
def test_a_condition_that_is_gone_is_harmless(published, coverage, keyword, value):
    assert compare(changed(published, (*REQUEST, keyword), value), published, coverage).severity == "harmless"


def test_a_closed_request_that_lost_a_field_refuses_it(published, coverage):
    before = changed(published, (*REQUEST, "properties", "metadata"), GONE)
    change = only(compare(before, changed(before, (*REQUEST, "additionalProperties"), False), coverage))
    assert (change.severity, "`metadata`" in change.why) == ("breaking", True)


def test_a_closed_part_of_a_request_refuses_what_its_other_parts_list(published, coverage):
    after = changed(published, (*REQUEST, "allOf"), [{"type": "object", "additionalProperties": False}])
    drift = compare(published, after, coverage)
    assert drift.severity == "breaking"


def test_a_closed_request_with_patterns_for_names_is_for_people_to_read(published, coverage):
    before = changed(published, (*REQUEST, "patternProperties"), {"^a": {}})
    after = changed(before, (*REQUEST, "additionalProperties"), False)
    assert compare(before, after, coverage).severity == "wrapper"


def test_a_condition_of_an_operation_that_no_method_calls_is_for_people_to_read(published):
    after = changed(published, (*REQUEST, "dependentRequired"), {"d_tag_memo": ["amount"]})
    assert only(compare(published, after, Coverage())).severity == "wrapper"


def test_a_condition_of_the_reply_is_for_people_to_read(published, coverage):
    after = changed(published, (*REPLY, "dependentRequired"), {"data": ["message"]})
    assert only(compare(published, after, coverage)).severity == "wrapper"
