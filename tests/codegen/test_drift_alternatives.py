"""What one of several schemas says counts as much as what a schema says alone."""

import pytest

from codegen.drift.compare import compare
from tests.support.drift import REPLY, SENT, changed

MEMO = (*SENT, "d_tag_memo")
TEXT = {"type": "string", "maxLength": 10}
NULL = {"type": "null"}
WORDS = {"summary": "Create an invoice"}


def memo(document, keyword, *branches, place=MEMO, **schemas):
    document = changed(document, place, {keyword: list(branches)})
    return changed(document, ("components", "schemas"), schemas) if schemas else document


def verdicts(drift):
    return {(change.group, change.severity) for change in drift.changes}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"maxLength": 5}, ("limits", "breaking")),
        ({"maxLength": 20}, ("limits", "harmless")),
        ({"enum": ["a"]}, ("enums", "breaking")),
        ({"format": "byte"}, ("types", "wrapper")),
        ({"not": {}}, ("other", "wrapper")),
        ({"default": "a"}, ("defaults", "wrapper")),
        ({"description": "A text"}, ("texts", "harmless")),
    ],
)
def test_a_keyword_of_an_alternative_is_judged_as_anywhere(published, coverage, keyword, now, found):
    before, after = (memo(published, keyword, NULL, schema) for schema in (TEXT, {**TEXT, **now}))
    assert verdicts(compare(before, after, coverage)) == {found}


def test_a_keyword_behind_the_reference_of_an_alternative_is_not_hidden_by_another_change(published, coverage):
    reference = {"$ref": "#/components/schemas/Memo"}
    before, after = (memo(published, "oneOf", reference, NULL, Memo={**TEXT, **now}) for now in ({}, {"maxLength": 5}))
    after = changed(after, (*SENT, "amount", "deprecated"), True)
    assert verdicts(compare(before, after, coverage)) == {("limits", "breaking"), ("other", "wrapper")}


def test_what_an_alternative_requires_behind_its_reference_is_not_hidden(published, coverage):
    reference, fields = {"$ref": "#/components/schemas/Data"}, {"type": "object", "properties": {"id": {}}}
    place = (*REPLY, "properties", "data")
    before, after = (
        memo(published, "oneOf", reference, NULL, place=place, Data={**fields, **now})
        for now in ({}, {"required": ["id"]})
    )
    after = changed(after, (*SENT, "amount", "minimum"), 0)
    assert ("other", "wrapper") in verdicts(compare(before, after, coverage))


def test_the_same_field_of_two_alternatives_is_not_overlooked_in_the_first(published, coverage):
    def data(limit):
        one, other = ({"type": "object", "properties": {"a": {"type": "string", **said}}} for said in (limit, {}))
        return memo(published, "oneOf", one, other, place=(*SENT, "metadata"))

    drift = compare(data({"maxLength": 9}), data({"maxLength": 5}), coverage)
    assert ("limits", "breaking") in verdicts(drift)


def test_another_alternative_is_for_people_to_read(published, coverage):
    drift = compare(memo(published, "anyOf", TEXT), memo(published, "anyOf", NULL, TEXT), coverage)
    assert ("other", "wrapper") in verdicts(drift)
    assert ("limits", "breaking") not in verdicts(drift)


def test_the_alternative_is_named(published, coverage):
    before, after = (memo(published, "anyOf", NULL, {**TEXT, "maxLength": most}) for most in (10, 5))
    (change,) = compare(before, after, coverage).changes
    assert change.what == "maxLength changed from `10` to `5` (of the alternative `anyOf string`)"
    assert change.place.endswith("/d_tag_memo/anyOf/1/maxLength")
