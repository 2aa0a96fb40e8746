import pytest

from codegen.errors import CodegenError
from codegen.overlay.actions import read_overlay
from tests.support.tables import each_row


def overlay(*actions, **changes):
    document = {"overlay": "1.0.0", "info": {"title": "Deviations", "version": "1"}, "actions": list(actions)}
    return {key: value for key, value in (document | changes).items() if value is not None}


def action(**changes):
    whole = {"target": "$.info", "description": "Because.", "update": {"title": "x"}}
    return {key: value for key, value in (whole | changes).items() if value is not None}


def test_actions_are_read_in_order_and_counted_from_one():
    actions = read_overlay(overlay(action(), action(update=None, remove=True)), "overlay.yaml")
    assert [(read.number, read.remove, read.update) for read in actions] == [
        (1, False, {"title": "x"}),
        (2, True, None),
    ]


@each_row(
    "document",
    [
        pytest.param(overlay(action(), overlay="1.0.7"), id="patch releases make no difference"),
        pytest.param(overlay(action(), **{"x-owner": {"a": 1}}), id="extensions of the overlay"),
        pytest.param(overlay(action(**{"x-ticket": 7})), id="extensions of an action"),
        pytest.param(overlay(action(), extends="openapi.yaml"), id="extends"),
        pytest.param(overlay(action(remove=False)), id="an update that says it does not remove"),
        pytest.param(overlay(action(update=[])), id="any JSON as update"),
    ],
)
def test_what_the_specification_allows_is_accepted(document):
    assert len(read_overlay(document, "overlay.yaml")) == 1


@each_row(
    ("document", "message"),
    [
        pytest.param(overlay(action(), overlay=None), "the overlay: 'overlay' is a required property", id="no version"),
        pytest.param(
            overlay(action(), overlay="1.1.0"),
            "overlay: must be 1.0.0 or another 1.0.x, in quotes",
            id="version 1.1",
        ),
        pytest.param(
            overlay(action(), overlay=1.0), "overlay: must be 1.0.0 or another 1.0.x", id="a version that is a number"
        ),
        pytest.param(overlay(action(), overlay="1.0.0-rc1"), "overlay: must be 1.0.0 or another 1.0.x", id="a draft"),
        pytest.param(overlay(action(), info=None), "the overlay: 'info' is a required property", id="no info"),
        pytest.param(overlay(action(), info="x"), "info: must be an object", id="info is text"),
        pytest.param(
            overlay(action(), info={"title": "x"}),
            "info: 'version' is a required property",
            id="no version of the overlay",
        ),
        pytest.param(
            overlay(action(), info={"title": " ", "version": "1"}), "info, title: must be text", id="a blank title"
        ),
        pytest.param(
            overlay(action(), info={"title": "x", "version": 1}),
            "info, version: must be text",
            id="a number as version",
        ),
        pytest.param(overlay(action(), extends=3), "extends: must be the address", id="extends is a number"),
        pytest.param(overlay(action(), action=[]), "the overlay: 'action' does not match any", id="an unknown key"),
        pytest.param(overlay(), "actions: must be a list that is not empty", id="no action"),
        pytest.param(overlay(actions={}), "actions: must be a list", id="actions are an object"),
        pytest.param(overlay("x"), "action 1: must be an object", id="an action that is text"),
        pytest.param(
            overlay(action(), action(target=None)), "action 2: 'target' is a required property", id="no target"
        ),
        pytest.param(overlay(action(target=7)), "action 1, target: must be a JSONPath query", id="a number as target"),
        pytest.param(
            overlay(action(target="info")), "action 1 (info), target: must be a JSONPath query", id="no JSONPath"
        ),
        pytest.param(
            overlay(action(target="$.a[")), "action 1 ($.a[), target: must be a JSONPath query", id="broken JSONPath"
        ),
        pytest.param(
            overlay(action(target="$.a[?f(@)]")), "target: must be a JSONPath query", id="an unknown function"
        ),
        pytest.param(
            overlay(action(description=None)), "action 1 ($.info): 'description' is a required property", id="no reason"
        ),
        pytest.param(
            overlay(action(description="  ")), "action 1 ($.info), description: must be text", id="a blank reason"
        ),
        pytest.param(overlay(action(update=None)), "exactly one of", id="neither update nor remove"),
        pytest.param(overlay(action(update=None, remove=False)), "exactly one of", id="remove: false alone"),
        pytest.param(overlay(action(remove=True)), "exactly one of", id="both update and remove"),
        pytest.param(overlay(action(update=None, remove="yes")), "exactly one of", id="remove is text"),
        pytest.param(
            overlay(action(copy="$.x")), "action 1 ($.info): 'copy' does not match any", id="copy, which is of 1.1"
        ),
        pytest.param(
            overlay(action(descripton="x")), "action 1 ($.info): 'descripton' does not match any", id="a typo"
        ),
    ],
)
def test_a_breach_is_named_with_its_action(document, message):
    with pytest.raises(CodegenError) as caught:
        read_overlay(document, "overlay.yaml")
    assert str(caught.value).startswith("overlay.yaml is not a valid overlay:\n")
    assert message in str(caught.value)


def test_all_breaches_are_listed_at_once():
    with pytest.raises(CodegenError) as caught:
        read_overlay(overlay(action(description=None), action(target="x"), overlay="2.0.0"), "overlay.yaml")
    assert len(str(caught.value).splitlines()) == 4
