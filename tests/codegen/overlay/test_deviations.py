"""Every deviation from Tazapay's document, and nothing else, as far as invoices go."""

import re
from copy import deepcopy

import pytest
from ruamel.yaml import YAML

from codegen.errors import CodegenError
from codegen.generate.regeneration import merged_document
from codegen.merge.supplement import supplemented
from codegen.overlay.applier import apply_action, apply_overlay
from codegen.read.documents import load_document

POST = "/paths/~1v3~1lightning_invoice_bolt11/post"
BODY = f"{POST}/requestBody/content/application~1json/schema"
REPLY = f"{POST}/responses/200/content/application~1json/schema"
HEADER = f"{POST}/parameters/0"
ONE_INVOICE = "/paths/~1v3~1lightning_invoice_bolt11~1{id}"
ADDED_BODY = f"{ONE_INVOICE}/put/requestBody/content/application~1json/schema"


def added_operation(method, operation_id, reply):
    """The leaves of an operation that another page documents, without the descriptions."""
    operation = f"{ONE_INVOICE}/{method}"
    schema = f"{operation}/responses/200/content/application~1json/schema"
    return {
        f"{operation}/operationId": operation_id,
        f"{operation}/parameters/0/name": "id",
        f"{operation}/parameters/0/in": "path",
        f"{operation}/parameters/0/required": True,
        f"{operation}/parameters/0/schema/type": "string",
        f"{schema}/title": reply,
        f"{schema}/type": "object",
        f"{schema}/properties/status/type": "string",
        f"{schema}/properties/message/type": "string",
        f"{schema}/properties/data/type": "string",
        **({f"{schema}/properties/data/format": "json"} if method == "get" else {}),
    }


def leaves(value, pointer=""):
    """Every scalar and every empty container, by JSON pointer."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not members or not value:
        return {pointer: value}
    return {
        place: leaf
        for key, member in members
        for place, leaf in leaves(member, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}").items()
    }


def about_invoices(document):
    """The leaves of a document without those of operations that were imported, and of what these use."""
    others = re.compile(r"/paths/(?!~1v3~1lightning_invoice_bolt11)|/components/schemas/")
    return {place: leaf for place, leaf in leaves(document).items() if not others.match(place)}


@pytest.fixture
def published(repository):
    return load_document(repository / "openapi.yaml", "openapi.yaml")


@pytest.fixture
def rules(overlay):
    """The actions for the whole document."""
    return [action for action in overlay if action.may_match_nothing]


@pytest.fixture
def supplemented_document(repository, published):
    return supplemented(published, load_document(repository / "openapi.supplement.yaml", "supplement"))


@pytest.fixture
def merged(repository):
    return merged_document(repository)[0]


def test_the_merged_document_differs_from_the_published_one_in_exactly_these_places(published, merged):
    before, after = about_invoices(published), about_invoices(merged)
    removed = {place: leaf for place, leaf in before.items() if place not in after}
    changed = {place: (before[place], after[place]) for place in before.keys() & after if before[place] != after[place]}
    added = {place: leaf for place, leaf in after.items() if place not in before}
    assert removed == {
        f"{BODY}/properties/amount/default": "12345600",
        f"{BODY}/properties/d_tag_memo/default": "Payment for order #7890",
        f"{BODY}/properties/expiry_interval/default": "4800",
        f"{POST}/parameters": [],
    }
    assert changed == {
        "/info/title": ("sandbox", "Tazapay Lightning invoices"),
        f"{POST}/operationId": ("post_v3lightning_invoice_bolt11", "create_lightning_invoice"),
    }
    description = added.pop(f"{HEADER}/description")
    assert "255 characters" in description
    described = {place for place in added if place.startswith(ONE_INVOICE) and place.endswith("/description")}
    assert len(described) == 2 * (1 + 1 + 3) + 1  # twice a parameter, a reply and its fields; one field of a request
    added = {place: leaf for place, leaf in added.items() if place not in described}
    assert added == {
        f"{POST}/requestBody/required": True,
        f"{BODY}/title": "CreateLightningInvoiceRequest",
        f"{REPLY}/title": "CreateLightningInvoiceResponse",
        f"{HEADER}/name": "Idempotency-Key",
        f"{HEADER}/in": "header",
        f"{HEADER}/required": False,
        f"{HEADER}/schema/type": "string",
        f"{HEADER}/schema/minLength": 1,
        f"{HEADER}/schema/maxLength": 255,
        "/servers/1/url": "https://service.tazapay.com",
        **added_operation("get", "get_lightning_invoice", "GetLightningInvoiceResponse"),
        **added_operation("put", "update_lightning_invoice", "UpdateLightningInvoiceResponse"),
        f"{ONE_INVOICE}/put/requestBody/required": True,
        f"{ADDED_BODY}/title": "UpdateLightningInvoiceRequest",
        f"{ADDED_BODY}/type": "object",
        f"{ADDED_BODY}/properties/metadata/type": "string",
        f"{ADDED_BODY}/properties/metadata/format": "json",
        f"{ADDED_BODY}/required/0": "metadata",
    }


@pytest.mark.parametrize("place", [f"{BODY}/properties/metadata/type", f"{REPLY}/properties/data/type"])
def test_metadata_and_data_stay_strings(merged, place):
    assert leaves(merged)[place] == "string"


def test_the_order_of_what_is_published_stays(published, merged):
    def published_places(value):
        return [place for place in leaves(value) if place in leaves(published) and "parameters" not in place]

    assert published_places(merged) == [place for place in published_places(published) if place in leaves(merged)]


def test_every_deviation_is_an_action_with_a_reason(repository):
    overlay = YAML(typ="safe").load(repository / "openapi.overlay.yaml")
    assert all(len(action["description"].split()) >= 10 for action in overlay["actions"])


def test_an_action_that_the_document_made_obsolete_fails_and_names_itself(supplemented_document, overlay):
    for action in overlay:
        if not action.may_match_nothing:
            ahead = deepcopy(supplemented_document)
            assert apply_action(ahead, action) == []
            with pytest.raises(CodegenError) as caught:
                apply_overlay(ahead, overlay, "overlay")
            assert set(re.findall(r"action (\d+):", str(caught.value))) == {str(action.number)}


def test_a_rule_for_the_whole_document_is_never_obsolete(supplemented_document, rules):
    assert rules
    once = apply_overlay(supplemented_document, rules, "overlay")
    assert apply_overlay(once, rules, "overlay") == once


@pytest.mark.parametrize("schema", [{"type": "integer", "default": "1"}, {"type": ["string", "null"], "default": None}])
def test_a_sample_default_is_removed_wherever_a_page_gives_one(published, rules, schema):
    published["components"]["schemas"] = {"A": {"type": "object", "properties": {"type": dict(schema)}}}
    merged = apply_overlay(published, rules, "overlay")
    assert merged["components"]["schemas"]["A"]["properties"] == {"type": {"type": schema["type"]}}


def test_a_property_called_default_stays(published, rules):
    properties = {"type": {"type": "string"}, "default": {"type": "string"}}
    published["components"]["schemas"] = {"A": {"type": "object", "properties": properties}}
    published["paths"]["/a"] = {"get": {"responses": {"default": {"description": "any"}}}}
    assert apply_overlay(published, rules, "overlay")["components"]["schemas"]["A"]["properties"] == properties


def test_a_list_that_says_nothing_of_what_it_holds_holds_anything(published, rules):
    published["components"]["schemas"] = {"A": {"type": "array"}, "B": {"type": "array", "items": {"type": "string"}}}
    schemas = apply_overlay(published, rules, "overlay")["components"]["schemas"]
    assert schemas == {"A": {"type": "array", "items": {}}, "B": {"type": "array", "items": {"type": "string"}}}
