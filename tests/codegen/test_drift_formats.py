"""Formats: how large a number may be, and how a text has to look."""

import pytest

from codegen.drift.compare import compare
from codegen.drift.coverage import Covered
from codegen.drift.formats import format_changed
from codegen.drift.schemas import Field
from tests.support.drift import METADATA, REPLY, SENT, changed, only
from tests.support.tables import each_row

JSON_TEXT = Covered(("metadata",), kinds=frozenset({"string"}), kinds_by_option={"object": "a=1"})
TEXT = Covered(("memo",), kinds=frozenset({"string"}))


def field(kind, form):
    return Field("a", "a", frozenset({kind}), False, (), {} if form is None else {"format": form})


@each_row(
    ("side", "kind", "was", "now", "severity"),
    [
        ("request", "integer", "int64", "int32", "breaking"),
        ("request", "integer", None, "int32", "breaking"),
        ("request", "integer", "int32", "int64", "harmless"),
        ("request", "integer", "int32", None, "harmless"),
        ("request", "integer", None, "int64", "harmless"),
        ("request", "integer", "int64", "uint8", "wrapper"),
        ("request", "number", None, "float", "wrapper"),
        ("request", "number", "float", "double", "harmless"),
        ("reply", "integer", "int32", "int64", "harmless"),
        ("reply", "integer", "int64", "int32", "harmless"),
        ("reply", "number", None, "double", "harmless"),
        ("reply", "number", "double", "float", "wrapper"),
        ("reply", "integer", None, 5, "wrapper"),
        ("request", "string", None, "byte", "wrapper"),
        ("request", "string", "byte", None, "wrapper"),
        ("request", "string", None, "email", "wrapper"),
        ("request", "string", "email", None, "harmless"),
        ("request", "string", None, "password", "harmless"),
        ("request", "string", None, "json", "wrapper"),
        ("reply", "string", None, "json", "harmless"),
        ("reply", "string", None, "uri", "harmless"),
        ("reply", "string", None, "byte", "wrapper"),
        ("reply", "string", "byte", None, "wrapper"),
        ("reply", "string", None, "bolt11", "wrapper"),
    ],
)
def test_a_format_has_its_verdict(side, kind, was, now, severity):
    assert format_changed(side, TEXT, field(kind, was), field(kind, now)).severity == severity


def test_a_field_into_which_the_wrapper_writes_json_may_say_so():
    assert format_changed("request", JSON_TEXT, field("string", None), field("string", "json")).severity == "harmless"


@pytest.mark.parametrize(
    ("place", "now", "severity", "why"),
    [
        pytest.param((*SENT, "amount"), "int32", "breaking", "beyond 2147483647", id="a narrow amount"),
        pytest.param((*SENT, "d_tag_memo"), "byte", "wrapper", "look at what is sent", id="an encoded memo"),
        pytest.param((*SENT, "d_tag_memo"), "binary", "wrapper", "send it otherwise", id="a memo that is a file"),
        pytest.param(METADATA, "byte", "wrapper", "look at what is sent", id="encoded metadata"),
        pytest.param(METADATA, "caf\xe9", "wrapper", "look at what is sent", id="a format that is not shown"),
        pytest.param((*REPLY, "properties", "data"), "byte", "wrapper", "passes it on", id="encoded data"),
        pytest.param((*REPLY, "properties", "message"), "byte", "harmless", "type is the same", id="what nobody reads"),
        pytest.param((*REPLY, "properties", "message"), [5], "wrapper", "passes it on", id="a format that is no text"),
    ],
)
def test_a_format_of_the_document_has_its_verdict(published, coverage, place, now, severity, why):
    change = only(compare(published, changed(published, (*place, "format"), now), coverage))
    assert (change.group, change.severity) == ("types", severity)
    assert why in change.why


def test_another_type_and_another_format_have_the_worse_verdict(published, coverage):
    before = changed(published, (*SENT, "amount", "type"), "number")
    after = changed(published, (*SENT, "amount", "format"), "int32")
    change = only(compare(before, after, coverage))
    assert (change.severity, "2147483647" in change.why) == ("breaking", True)
