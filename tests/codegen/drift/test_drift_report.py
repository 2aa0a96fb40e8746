"""Reports as they are read: whole, in files of their own. `GOLDEN=write pytest ...` writes them anew: read the diff."""

import json
import os

import pytest
from markdown_it import MarkdownIt

from codegen.drift.compare import Change, Drift, compare
from codegen.drift.report import FORMATS, render
from tests.support.checkout import REPOSITORY
from tests.support.drift import EXAMPLE, GONE, OPERATION, PATH, READ, REQUEST, SENT, changed, reordered

GOLDEN = REPOSITORY / "tests/codegen/drift/golden"
SUFFIXES = {"text": "txt", "json": "json", "markdown": "md"}
CHANGES = [
    ((*SENT, "d_tag_memo"), GONE),
    ((*SENT, "memo"), {"type": "string"}),
    ((*SENT, "amount", "type"), "string"),
    ((*SENT, "metadata", "oneOf"), [{"type": "string"}]),
    ((*REQUEST, "required"), ["amount", "metadata"]),
    ((*READ, "data", "type"), "object"),
    ((*EXAMPLE, "lnurl"), "lnurl1"),
    (("components", "securitySchemes", "sec0"), {"type": "http", "scheme": "bearer"}),
    (("paths", "/v3/balance"), {"get": {"operationId": "get_balance", "responses": {}}}),
]
HOSTILE = [
    ((*SENT, "`x` <b>|</b> \x1b[2J\u202e @everyone\n# h"), {"type": "`y`\n- [x](http://z)", "default": "``` @a"}),
    ((*SENT, "amount", "type"), "<script>alert(1)</script> ![i](http://x/y.png)" * 100),
    ((*SENT, "amount", "x-`@b`\x1b"), "`@c` \x07"),
    ((*SENT, "metadata"), {"$ref": "#/`\n# @d"}),
    ((*OPERATION, "servers"), [{"url": "`\n@e"}]),
    (("paths", "/`@f`\x1b[2J"), {"get": {"operationId": "\n# `@g`", "security": [{"`@h`": []}]}}),
    (("security",), [{"`@i`\x1b": []}]),
]


@pytest.fixture
def report(published, coverage):
    def write(changes, form):
        after = published
        for place, value in changes:
            after = changed(after, place, value)
        return render(compare(published, after, coverage, names=("HEAD~3", "openapi.yaml")), form)

    return write


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_reads_as_it_did(report, form):
    file = GOLDEN / f"report.{SUFFIXES[form]}"
    text = report(CHANGES, form) + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_first_line_says_which_side_is_old_and_which_new(report, form):
    first = report([], form).splitlines()[0]
    assert first.replace("`", "") == "old: HEAD~3, new: openapi.yaml"


def test_the_json_report_holds_both_sides_and_every_change_with_its_verdict(report):
    read = json.loads(report(CHANGES, "json"))
    severities = [change["severity"] for change in read["changes"]]
    assert (read["old"], read["new"], read["severity"]) == ("HEAD~3", "openapi.yaml", "breaking")
    assert read["counts"] == {severity: severities.count(severity) for severity in ("harmless", "wrapper", "breaking")}


def test_a_place_of_the_json_report_leads_to_what_changed(published, coverage):
    after = changed(published, (*SENT, "amount", "maximum"), 5)
    change = json.loads(render(compare(published, after, coverage), "json"))["changes"][0]
    value = after
    for step in change["place"].split("/")[1:]:
        value = value[step.replace("~1", "/").replace("~0", "~")]
    assert value == 5


def test_a_place_far_down_is_shown_to_its_end(published, coverage):
    steps = [each for number in range(12) for each in ("properties", f"field_{number}")]
    before = published
    for length in range(0, len(steps), 2):
        before = changed(before, (*REQUEST, *steps[: length + 1]), {steps[length + 1]: {}})
    after = changed(before, (*REQUEST, *steps, "not"), {})
    text = render(compare(before, after, coverage), "text")
    assert text.splitlines()[-1].endswith("/properties/field_11/not")


def test_nothing_of_a_document_becomes_markup_in_a_pull_request(report):
    html = MarkdownIt("commonmark").render(report(HOSTILE, "markdown"))
    for markup in ("<script", "<img", "<a ", "<b>"):
        assert markup not in html
    for letter in ("everyone", *"abcdefghi"):
        before, found, _ = html.partition(f"@{letter}")
        assert not found or before.count("<code>") > before.count("</code>"), f"@{letter} would notify people"
    assert {f"@{letter}" in html for letter in "abcdefgi"} == {True}


def test_nothing_of_a_document_steers_a_terminal_or_fills_it(report):
    lines = report(HOSTILE, "text").splitlines()
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 800


def test_a_pull_request_shows_the_worst_of_each_group_and_says_what_it_leaves_out():
    change = Change("types", "harmless", "GET /a", "reply", "a", "string", "it is the same")
    text = render(Drift((change,) * 201), "markdown")
    assert text.count("it is the same") == 200
    assert text.endswith("1 more: `./generate.sh --diff --format text` lists all of them.")


def test_a_format_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="text, json, markdown, and not html"):
        render(Drift(()), "html")


def test_the_same_changes_in_another_order_give_the_same_report(published, coverage):
    after = published
    for place, value in CHANGES:
        after = changed(after, place, value)
    assert compare(published, reordered(reordered(after)), coverage) == compare(published, after, coverage)
    assert PATH in render(compare(published, after, coverage), "text")
