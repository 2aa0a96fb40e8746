"""Each rule by itself, over a contract made for it."""

import pytest

from codegen.drift.coverage import Coverage, Covered, OperationCoverage
from codegen.drift.keywords import keyword_changes
from codegen.drift.rules import Wrapper, field_added, field_removed, required_changed
from codegen.drift.schemas import Field
from codegen.drift.types import type_changed
from tests.support.tables import each_row

REQUEST = {
    "always": Covered(names=("always",), always=True, kinds=frozenset({"integer"})),
    "sometimes": Covered(
        names=("sometimes",), kinds=frozenset({"string"}), kinds_by_option={"object": 'form="object"'}
    ),
    "never": Covered(reason="Nobody needs it."),
}
REPLY = {
    "essential": Covered(names=("id",), always=True, kinds=frozenset({"string"})),
    "shown": Covered(names=("memo",), kinds=frozenset({"string", "integer"})),
    "unread": Covered(reason="It says nothing."),
    "data": Covered(holder="invoice", kinds=frozenset({"object", "string"})),
}
OPERATION = OperationCoverage("GET /a", "get_a", REQUEST, REPLY)


def side(name):
    operation = None if name.endswith(" of nobody") else OPERATION
    return Wrapper(Coverage(), operation, name.partition(" ")[0])


def field(key, *kinds, required=False, **said):
    return Field(key, key, frozenset(kinds or {"string"}), required, (), **said)


@each_row(
    ("where", "key", "required", "verdict"),
    [
        ("request", "always", True, "harmless"),
        ("request", "sometimes", False, "harmless"),
        ("request", "sometimes", True, "breaking"),
        ("request", "never", False, "harmless"),
        ("request", "never", True, "breaking"),
        ("request", "other", False, "wrapper"),
        ("request", "other", True, "breaking"),
        ("request of nobody", "other", False, "harmless"),
        ("request of nobody", "other", True, "breaking"),
        ("reply", "shown", True, "harmless"),
        ("reply", "unread", False, "harmless"),
        ("reply", "data", False, "harmless"),
        ("reply", "other", True, "wrapper"),
        ("reply of nobody", "other", False, "harmless"),
    ],
)
def test_a_field_that_is_new(where, key, required, verdict):
    assert field_added(side(where), field(key, required=required)).severity == verdict


@each_row(
    ("where", "key", "is_shown_only", "verdict"),
    [
        ("request", "sometimes", False, "breaking"),
        ("request", "never", False, "harmless"),
        ("request", "other", False, "harmless"),
        ("request of nobody", "other", False, "breaking"),
        ("reply", "essential", False, "breaking"),
        ("reply", "essential", True, "wrapper"),
        ("reply", "shown", False, "breaking"),
        ("reply", "shown", True, "wrapper"),
        ("reply", "data", False, "breaking"),
        ("reply", "unread", False, "harmless"),
        ("reply", "other", False, "harmless"),
        ("reply of nobody", "other", False, "breaking"),
        ("request", "always.part", False, "harmless"),
        ("reply", "essential.part", False, "harmless"),
    ],
)
def test_a_field_that_is_gone(where, key, is_shown_only, verdict):
    assert field_removed(side(where), field(key, is_shown_only=is_shown_only)).severity == verdict


@each_row(
    ("where", "key", "required", "verdict"),
    [
        ("request", "always", True, "harmless"),
        ("request", "sometimes", True, "breaking"),
        ("request", "other", True, "breaking"),
        ("request", "always.part", True, "breaking"),
        ("request", "always.part", False, "harmless"),
        ("reply", "essential.part", True, "wrapper"),
        ("reply", "essential.part", False, "harmless"),
        ("request", "(body)", True, "harmless"),
        ("request", "always", False, "harmless"),
        ("request of nobody", "(body)", True, "breaking"),
        ("reply", "essential", True, "harmless"),
        ("reply", "shown", True, "wrapper"),
        ("reply", "other", True, "wrapper"),
        ("reply", "essential", False, "wrapper"),
        ("reply", "data", False, "wrapper"),
        ("reply", "shown", False, "harmless"),
    ],
)
def test_a_field_that_became_required_or_optional(where, key, required, verdict):
    assert required_changed(side(where), field(key, required=required)).severity == verdict


@each_row(
    ("where", "key", "was", "now", "verdict"),
    [
        ("request", "always", ["integer"], ["integer", "null"], "harmless"),
        ("request", "always", ["integer"], ["number"], "harmless"),
        ("request", "always", ["integer"], ["string"], "breaking"),
        ("request", "always", ["number"], ["integer"], "wrapper"),
        ("request", "sometimes", ["string"], ["object"], "breaking"),
        ("request", "sometimes", ["string"], ["string", "object"], "harmless"),
        ("request", "sometimes", ["string", "object"], ["string"], "breaking"),
        ("request", "sometimes", ["string", "object"], ["object"], "breaking"),
        ("request", "sometimes", ["string", "array"], ["string"], "wrapper"),
        ("request", "sometimes.part", ["string"], ["object"], "breaking"),
        ("request", "never", ["string"], ["integer"], "wrapper"),
        ("request", "other", ["string"], ["integer"], "harmless"),
        ("request of nobody", "other", ["string"], ["integer"], "breaking"),
        ("reply", "shown", ["string", "null"], ["string"], "harmless"),
        ("reply", "shown", ["string"], ["integer"], "wrapper"),
        ("reply", "shown", ["string"], ["string", "null"], "wrapper"),
        ("reply", "shown", ["string"], ["object"], "breaking"),
        ("reply", "other", ["string"], ["object"], "harmless"),
        ("reply of nobody", "other", ["string"], ["object"], "breaking"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_a_type_that_changed(where, key, was, now, verdict):
    assert type_changed(side(where), field(key, *was), field(key, *now)).severity == verdict


@pytest.mark.parametrize(("form", "verdict"), [("json", "harmless"), ("date-time", "wrapper")])
def test_a_format_counts_only_if_it_generates_another_type(form, verdict):
    now = field("shown", keywords={"format": form})
    assert type_changed(side("reply"), field("shown"), now).severity == verdict


@pytest.mark.parametrize(
    ("where", "kind", "verdict"),
    [("request", "object", "wrapper"), ("request", "string", "harmless"), ("reply", "object", "harmless")],
)
def test_the_same_type_under_the_name_of_a_component(where, kind, verdict):
    now = field("sometimes", kind, component="A")
    assert type_changed(side(where), field("sometimes", kind), now).severity == verdict


def test_a_component_that_is_missing_stops_the_generation():
    now = field("sometimes", component="A", dangling="#/components/schemas/A")
    assert type_changed(side("request"), field("sometimes"), now).severity == "wrapper"


def test_what_an_example_shows_otherwise_is_harmless_if_the_wrapper_reads_it():
    now = field("shown", "integer", is_shown_only=True)
    assert type_changed(side("reply"), field("shown", is_shown_only=True), now).severity == "harmless"


def test_the_title_of_a_text_names_nothing():
    was, now = field("shown", keywords={"title": "A"}), field("shown", keywords={"title": "B"})
    (change,) = keyword_changes("reply", was, now)
    assert (change.group, change.verdict.severity) == ("texts", "harmless")


def test_the_title_of_an_object_names_its_class():
    was, now = (field("shown", "object", keywords={"title": title}) for title in "AB")
    (change,) = keyword_changes("reply", was, now)
    assert (change.group, change.verdict.severity) == ("other", "wrapper")


@each_row(
    ("side_of", "was", "now", "severity"),
    [
        ("request", ["a"], None, "harmless"),
        ("reply", ["a"], None, "harmless"),
        ("reply", ["a", "b"], ["a"], "harmless"),
        ("request", ["a"], ["b", "a"], "harmless"),
        ("request", ["a"], ["b"], "breaking"),
        ("request", None, ["a"], "breaking"),
        ("reply", None, ["a"], "wrapper"),
    ],
)
def test_a_list_of_values(side_of, was, now, severity):
    before, after = (field("shown", keywords={} if values is None else {"enum": values}) for values in (was, now))
    (change,) = keyword_changes(side_of, before, after)
    assert (change.group, change.verdict.severity) == ("enums", severity)


@pytest.mark.parametrize(("was", "now", "severity"), [(None, True, "wrapper"), (True, None, "harmless")])
def test_a_field_that_is_deprecated_and_one_that_no_longer_is(was, now, severity):
    before, after = (field("shown", keywords={} if said is None else {"deprecated": said}) for said in (was, now))
    (change,) = keyword_changes("request", before, after)
    assert change.verdict.severity == severity
