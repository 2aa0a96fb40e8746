"""What no rule of the report knows is never called harmless, and steers no reader."""

from copy import deepcopy

import pytest

from codegen.drift.compare import compare
from codegen.drift.report import render
from codegen.errors import CodegenError
from codegen.generate.document_checks import check_document

PATH = "/v3/lightning_invoice_bolt11"


def body(document):
    return document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]


def require_what_is_no_property(document):
    body(document)["required"].append("customer")


def move_to_another_server(document):
    document["paths"][PATH]["servers"] = [{"url": "https://lightning.example"}]


def serialise_otherwise(document):
    document["paths"][PATH]["parameters"] = [
        {"name": "a", "in": "query", "schema": {"type": "array"}, "style": "pipeDelimited"}
    ]


@pytest.mark.parametrize("change", [require_what_is_no_property, move_to_another_server, serialise_otherwise])
@pytest.mark.parametrize("with_a_word", [False, True])
def test_what_no_rule_knows_is_not_harmless(published, coverage, change, with_a_word):
    before = deepcopy(published)
    if change is serialise_otherwise:
        before["paths"][PATH]["parameters"] = [{"name": "a", "in": "query", "schema": {"type": "array"}}]
    after = deepcopy(before)
    change(after)
    if with_a_word:
        after["paths"][PATH]["post"]["summary"] = "Create an invoice"
    assert compare(before, after, coverage).exit_code in {3, 4}


def test_words_and_examples_alone_are_harmless(published, coverage):
    after = deepcopy(published)
    after["paths"][PATH]["post"]["description"] = "Creates an invoice."
    after["paths"][PATH]["post"]["x-readme"] = {"explorer-enabled": True}
    after["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]["examples"] = {}
    assert compare(published, after, coverage).exit_code == 0


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_keyword_neither_steers_a_terminal_nor_becomes_markup(published, coverage, form):
    after = deepcopy(published)
    keyword = "x-\x1b]0;pwned\a @octocat <img src=http://e/x.png>\n# h"
    body(after)["properties"]["amount"][keyword] = 1
    after["paths"][PATH]["post"][keyword] = 1
    report = render(compare(published, after, coverage), form)
    assert "\x1b" not in report
    assert "\n# h" not in report
    for line in report.splitlines():
        assert "@octocat" not in "".join(line.split("`")[::2])


@pytest.mark.parametrize(
    "components",
    [
        {"schemas": None},
        {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}},
    ],
    ids=["null", "circle"],
)
def test_what_the_validator_stumbles_over_is_refused_with_a_message(published, components):
    with pytest.raises(CodegenError, match="openapi.yaml cannot be generated from"):
        check_document({**published, "components": {**published["components"], **components}}, "openapi.yaml")
