"""Reports as they are read: whole, in files of their own. `GOLDEN=write pytest ...` writes them anew: read the diff."""

import copy
import json
import os

import pytest
from markdown_it import MarkdownIt

from codegen.drift.compare import Change, Drift, compare
from codegen.drift.report import FORMATS, render
from codegen.read.documents import parse_document
from codegen.read.published_page import extract_document
from tests.support.checkout import REPOSITORY
from tests.support.drift import GONE, METADATA, OPERATION, PATH, REPLY, REQUEST, SENT, SHOWN, changed

GOLDEN = REPOSITORY / "tests/codegen/golden"
SUFFIXES = {"text": "txt", "json": "json", "markdown": "md"}
FETCH = {
    "get": {
        "operationId": "get_v3lightning_invoice_bolt11{id}",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "default": "l11_abc123xyz"}}
        ],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}},
    }
}
SCENARIOS = {
    "nothing": [],
    "additive": [
        ((*SHOWN, "lnurl"), "lnurl1dp68gurn8ghj7"),
        ((*SENT, "payer_email"), {"type": "string", "description": "Where to send the receipt"}),
        ((*SENT, "expiry_interval", "default"), "7200"),
        (("paths", f"{PATH}/{{id}}"), FETCH),
    ],
    "metadata": [(METADATA, {"$ref": "#/components/schemas/MetadataInput"})],
    "breaking": [
        ((*SENT, "d_tag_memo"), GONE),
        ((*SENT, "memo"), {"type": "string", "maxLength": 639}),
        ((*SENT, "amount", "type"), "string"),
        ((*REQUEST, "required"), ["amount", "metadata"]),
        ((*REPLY, "properties", "data"), {"type": "array", "items": {"type": "object"}}),
        ((*REPLY, "properties", "status", "enum"), ["success", "failure"]),
        (("components", "securitySchemes", "sec0"), {"type": "http", "scheme": "bearer"}),
        (("servers",), [{"url": "https://service.example"}]),
    ],
    "hostile": [
        ((*SENT, "`x` <b>|</b> \x1b[2J\u202e @everyone\n# h"), {"type": "`y`\n- [x](http://z)", "default": "``` @a"}),
        ((*OPERATION, "summary"), "<script>alert(1)</script> ![i](http://x/y.png)"),
    ],
}


@pytest.fixture
def report(published, coverage, overlay):
    def write(scenario, form):
        after = published
        for place, value in SCENARIOS[scenario]:
            after = changed(after, place, value)
        return render(compare(published, after, coverage, overlay), form)

    return write


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_report_reads_as_it_did(report, scenario, form):
    file = GOLDEN / f"{scenario}.{SUFFIXES[form]}"
    text = report(scenario, form) + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_every_golden_report_belongs_to_a_scenario():
    expected = {f"{scenario}.{suffix}" for scenario in SCENARIOS for suffix in SUFFIXES.values()}
    assert {file.name for file in GOLDEN.iterdir()} == expected


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_json_report_holds_every_change_with_its_verdict(report, scenario):
    read = json.loads(report(scenario, "json"))
    severities = [change["severity"] for change in read["changes"]]
    assert read["counts"] == {severity: severities.count(severity) for severity in ("harmless", "wrapper", "breaking")}
    assert read["severity"] == next(
        (each for each in ("breaking", "wrapper", "harmless") if each in severities), "none"
    )


def test_a_place_of_the_json_report_leads_to_what_changed(published, coverage):
    after = changed(published, (*SENT, "amount", "maximum"), 5)
    change = json.loads(render(compare(published, after, coverage), "json"))["changes"][0]
    value = after
    for step in change["place"].split("/")[1:]:
        value = value[step.replace("~1", "/").replace("~0", "~")]
    assert value == 5


def test_nothing_of_a_document_becomes_markup_in_a_pull_request(report):
    html = MarkdownIt("commonmark").render(report("hostile", "markdown"))
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert "<b>" not in html
    for text in ("@everyone", "@a"):
        before = html.partition(text)[0]
        assert before.count("<code>") > before.count("</code>"), f"{text} would notify people"


def test_nothing_of_a_document_steers_a_terminal(report):
    text = report("hostile", "text")
    assert all(line.isprintable() for line in text.splitlines())


def test_a_pull_request_shows_the_worst_of_each_group_and_says_what_it_leaves_out():
    change = Change("types", "harmless", "GET /a", "reply", "a", "string", "it is the same")
    text = render(Drift((change,) * 201), "markdown")
    assert text.count("it is the same") == 200
    assert text.endswith("1 more: `./generate.sh --diff --format text` lists all of them.")


def test_a_format_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="text, json, markdown, and not html"):
        render(Drift(()), "html")


def test_the_page_that_is_committed_is_no_drift_of_the_document_that_is_committed(published, coverage):
    page = (REPOSITORY / "tests/pages/create-a-lightning-invoice.md").read_bytes()
    document = parse_document(extract_document(page, "page"), "page")
    assert compare(published, document, coverage) == Drift(())


def test_the_same_changes_in_another_order_give_the_same_report(published, coverage, overlay):
    def reversed_keys(value):
        return {key: reversed_keys(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    after = copy.deepcopy(published)
    for place, value in SCENARIOS["breaking"]:
        after = changed(after, place, value)
    assert compare(published, reversed_keys(after), coverage, overlay) == compare(published, after, coverage, overlay)
