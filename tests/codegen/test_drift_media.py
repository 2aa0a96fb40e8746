"""Kinds of bodies: the wrapper sends JSON and reads JSON, wherever the document says that it may."""

import pytest

from codegen.drift.compare import compare
from codegen.overlay.actions import read_overlay
from tests.support.drift import OPERATION, at, changed, only

REPLY = (*OPERATION, "responses", "200")
BODY = (*OPERATION, "requestBody")


def kinds(document, place, *names):
    """The document with the same schema for other kinds of a body."""
    media = next(iter(at(document, *place, "content").values()))
    return changed(document, (*place, "content"), dict.fromkeys(names, media))


def told(drift):
    return [(change.severity, change.what) for change in drift.changes if "the body of" in change.what]


@pytest.mark.parametrize(
    ("place", "names", "severity"),
    [
        (BODY, ["application/xml"], "breaking"),
        (BODY, ["application/json", "application/xml"], "harmless"),
        (BODY, ["application/json; charset=utf-8"], "harmless"),
        (BODY, ["application/vnd.api+json"], "breaking"),
        (REPLY, ["application/xml"], "breaking"),
        (REPLY, ["text/html"], "breaking"),
        (REPLY, ["application/json", "application/xml"], "harmless"),
        (REPLY, ["application/json", "text/html"], "wrapper"),
        (REPLY, ["application/vnd.api+json"], "harmless"),
        (REPLY, ["APPLICATION/JSON; charset=utf-8"], "harmless"),
    ],
)
def test_a_kind_of_body_has_its_verdict(published, coverage, place, names, severity):
    ((found, what),) = told(compare(published, kinds(published, place, *names), coverage))
    side = "request" if place == BODY else "reply"
    assert (found, what.startswith(f"the body of the {side} may be ")) == (severity, True)


def test_a_reply_that_becomes_json_is_harmless(published, coverage):
    before = kinds(published, REPLY, "application/xml")
    assert told(compare(before, published, coverage))[0][0] == "harmless"


@pytest.mark.parametrize(("place", "target"), [(BODY, "requestBody"), (REPLY, "responses['200']")])
def test_a_kind_that_an_action_of_the_overlay_makes_json_is_harmless(published, coverage, place, target):
    action = {
        "target": f"$.paths.*.post.{target}.content",
        "description": "The service speaks JSON, whatever the document says.",
        "update": {"application/json": {"schema": {"type": "object"}}},
    }
    overlay = read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [action]}, "o")
    drift = compare(published, kinds(published, place, "application/xml"), coverage, overlay)
    assert [severity for severity, _ in told(drift)] == ["harmless"]


@pytest.mark.parametrize(
    ("place", "section"), [(BODY, "requestBodies"), (REPLY, "responses")], ids=["request", "reply"]
)
def test_the_kinds_of_a_body_in_a_component_are_compared(published, coverage, place, section):
    def in_component(document):
        moved = changed(document, ("components", section), {"A": at(document, *place)})
        return changed(moved, place, {"$ref": f"#/components/{section}/A"})

    after = in_component(kinds(published, place, "application/xml"))
    ((severity, _),) = told(compare(in_component(published), after, coverage))
    assert severity == "breaking"


def test_moving_a_body_into_a_component_changes_no_kind(published, coverage):
    moved = changed(published, ("components", "requestBodies"), {"A": at(published, *BODY)})
    drift = compare(published, changed(moved, BODY, {"$ref": "#/components/requestBodies/A"}), coverage)
    assert told(drift) == []
    assert only(drift).group == "other"
