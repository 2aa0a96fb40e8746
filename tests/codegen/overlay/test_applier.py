import copy

import pytest

from codegen.errors import CodegenError
from codegen.overlay.actions import read_overlay
from codegen.overlay.applier import apply_overlay
from tests.support.tables import each_row

REASON = "It is wrong in the document."


def apply(document, *actions):
    overlay = {
        "overlay": "1.0.0",
        "info": {"title": "Deviations", "version": "1"},
        "actions": [{"description": REASON} | action for action in actions],
    }
    return apply_overlay(document, read_overlay(overlay, "overlay.yaml"), "overlay.yaml")


def update(target, value):
    return {"target": target, "update": value}


def remove(target):
    return {"target": target, "remove": True}


@each_row(
    ("document", "action", "merged"),
    [
        pytest.param({"a": {}}, update("$.a", {"b": 1}), {"a": {"b": 1}}, id="a key is added"),
        pytest.param({"a": {"b": 1}}, update("$.a", {"b": 2}), {"a": {"b": 2}}, id="a scalar is replaced"),
        pytest.param({"a": {"b": 1}}, update("$.a", {"b": True}), {"a": {"b": True}}, id="true replaces 1"),
        pytest.param({"a": {"b": 1}}, update("$.a", {"b": None}), {"a": {"b": None}}, id="null is a value"),
        pytest.param(
            {"a": {"b": {"c": 1}}},
            update("$", {"a": {"b": {"d": 2}}}),
            {"a": {"b": {"c": 1, "d": 2}}},
            id="objects merge all the way",
        ),
        pytest.param({"a": [1]}, update("$.a", 2), {"a": [1, 2]}, id="a list is appended to"),
        pytest.param(
            {"a": [1]}, update("$", {"a": [2, 3]}), {"a": [1, 2, 3]}, id="a list inside an update is concatenated"
        ),
        pytest.param({"a": []}, update("$.a", None), {"a": [None]}, id="null is appended"),
        pytest.param({"a": [True]}, update("$.a", 1), {"a": [True, 1]}, id="1 is not true"),
        pytest.param(
            {"x": {"t": 1}, "y": {"t": 2}},
            update("$[?@.t]", {"u": 3}),
            {"x": {"t": 1, "u": 3}, "y": {"t": 2, "u": 3}},
            id="every match is updated",
        ),
        pytest.param({"a": 1, "b": 2}, remove("$.a"), {"b": 2}, id="a key is removed"),
        pytest.param(
            {"a": [1, 2, 3, 4]}, remove("$.a[0, 2]"), {"a": [2, 4]}, id="several elements of one list are removed"
        ),
        pytest.param(
            {"a": [1, 2, 3]}, remove("$.a[0, 0]"), {"a": [2, 3]}, id="an element that matches twice is removed once"
        ),
        pytest.param({"d": {"d": {"d": 1}, "e": 2}}, remove("$..d"), {}, id="matches inside matches are removed"),
        pytest.param(
            {"servers": [{"url": "a"}]},
            update("$.servers", {"url": "b"}),
            {"servers": [{"url": "a"}, {"url": "b"}]},
            id="another server",
        ),
        pytest.param(
            {"parameters": [{"name": "a", "in": "query"}]},
            update("$.parameters", {"name": "a", "in": "header"}),
            {"parameters": [{"name": "a", "in": "query"}, {"name": "a", "in": "header"}]},
            id="the same name elsewhere",
        ),
    ],
)
def test_an_action_that_fits_is_applied(document, action, merged):
    result = apply(document, action)
    assert result == merged
    assert repr(result) == repr(merged)  # also the types: True is not 1


def test_actions_build_on_each_other():
    assert apply({"a": 1}, remove("$.a"), update("$", {"a": 1}), update("$", {"a": 2})) == {"a": 2}


def test_the_document_that_was_given_stays_as_it_is():
    document = {"a": {"b": [1]}, "c": 1}
    before = copy.deepcopy(document)
    apply(document, update("$.a.b", 2), remove("$.c"))
    assert document == before


def test_matches_do_not_share_what_was_added():
    merged = apply({"x": {}, "y": {}}, update("$.*", {"new": {"list": []}}))
    merged["x"]["new"]["list"].append(1)
    assert merged["y"] == {"new": {"list": []}}


def test_the_overlay_does_not_share_what_was_added():
    value = {"new": {"list": []}}
    apply({}, update("$", value))["new"]["list"].append(1)
    assert value == {"new": {"list": []}}


@each_row(
    ("document", "action", "problem", "remedy"),
    [
        pytest.param(
            {"a": 1},
            update("$.b", {"c": 1}),
            "its target matches nothing",
            "correct the action",
            id="an update that matches nothing",
        ),
        pytest.param(
            {"a": 1},
            remove("$.b"),
            "is obsolete: the document no longer has what it removes",
            "delete the action",
            id="a removal that matches nothing",
        ),
        pytest.param(
            {"a": 1},
            remove("$..[?@.b].c"),
            "its target matches nothing",
            "correct the action",
            id="a filter that matches nothing",
        ),
        pytest.param(
            {"a": {"b": 1}},
            update("$.a", {"b": 1}),
            "is obsolete: the document now has all that it adds: $['a']['b']",
            "delete that part",
            id="an equal scalar",
        ),
        pytest.param(
            {"a": {"b": None}},
            update("$.a", {"b": None}),
            "$['a']['b']",
            "delete that part",
            id="an equal null",
        ),
        pytest.param(
            {"a": {"b": 1}},
            update("$.a", {"b": 1, "c": 2}),
            "$['a']['b']",
            "put this in its place",
            id="one equal leaf among new ones",
        ),
        pytest.param(
            {"a": {"b": {"c": {"d": "x"}}}},
            update("$", {"a": {"b": {"c": {"d": "x"}}}}),
            "$['a']['b']['c']['d']",
            "delete that part",
            id="a leaf deep inside",
        ),
        pytest.param(
            {"x": {"t": 1}, "y": {"t": 1, "u": 3}},
            update("$[?@.t]", {"u": 3}),
            "$['y']['u']",
            "delete that part",
            id="one match of several",
        ),
        pytest.param({"a": {}}, update("$.a", {}), "$['a']", "delete that part", id="an update of nothing"),
        pytest.param(
            {"a": {"b": {"c": 1}}},
            update("$.a", {"b": {}}),
            "$['a']['b']",
            "delete that part",
            id="an empty object where one is",
        ),
        pytest.param(
            {"a": {"b": [1]}},
            update("$.a", {"b": []}),
            "$['a']['b']",
            "delete that part",
            id="an empty list where one is",
        ),
        pytest.param({"a": [1, 2]}, update("$.a", 2), "$['a'][1]", "delete that part", id="an element that is there"),
        pytest.param(
            {"a": [{"b": [1.0]}]},
            update("$.a", {"b": [1]}),
            "$['a'][0]",
            "delete that part",
            id="an element that JSON takes for equal",
        ),
        pytest.param(
            {"a": [1]},
            update("$", {"a": [2, 1]}),
            "$['a'][0]",
            "put this in its place",
            id="one element of several",
        ),
        pytest.param(
            {"servers": [{"url": "u", "description": "d"}]},
            update("$.servers", {"url": "u"}),
            "$['servers'][0]",
            "delete that part",
            id="a server by its url",
        ),
        pytest.param(
            {"parameters": [{"name": "K", "in": "header", "required": True}]},
            update("$.parameters", {"name": "K", "in": "header"}),
            "$['parameters'][0]",
            "delete that part",
            id="a parameter by name and place",
        ),
        pytest.param(
            {"a": {"b": {"c": 1}}},
            update("$.a", {"b": 1}),
            "$['a']['b'] is an object but the update says 1",
            "correct the action",
            id="a scalar over an object",
        ),
        pytest.param(
            {"a": {"b": 1}},
            update("$.a", {"b": {"c": 1}}),
            "$['a']['b'] is 1 but the update says an object",
            "correct the action",
            id="an object over a scalar",
        ),
        pytest.param(
            {"a": {"b": [1]}},
            update("$.a", {"b": {"c": 1}}),
            "$['a']['b'] is a list but the update says an object",
            "correct the action",
            id="an object over a list",
        ),
        pytest.param(
            {"a": {"b": None}},
            update("$.a", {"b": [1]}),
            "$['a']['b'] is null but the update says a list",
            "correct the action",
            id="a list over null",
        ),
        pytest.param(
            {"a": {}},
            update("$.a", 1),
            "$['a'] is an object and the update 1",
            "correct the action",
            id="a scalar for an object",
        ),
        pytest.param(
            {"a": [1]},
            update("$.a", [2]),
            "$['a'] is a list and the update a list",
            "correct the action",
            id="a list for a list",
        ),
        pytest.param(
            {"a": 1},
            update("$.a", 2),
            "$['a'] is 1 and the update 2",
            "correct the action",
            id="a scalar as target",
        ),
        pytest.param(
            {"a": 1}, remove("$"), "it would remove the whole document", "correct the action", id="removing everything"
        ),
    ],
)
def test_an_action_that_does_not_fit_is_named_by_number_target_and_description(document, action, problem, remedy):
    harmless = update("$", {"x-harmless": 1})
    with pytest.raises(CodegenError) as caught:
        apply(document, harmless, action)
    message = str(caught.value)
    assert message.startswith("overlay.yaml does not fit the document:\n")
    assert "action 2: " in message
    assert f"target: {action['target']}\n" in message
    assert f"description: {REASON}\n" in message
    assert problem in message
    assert remedy in message or (remedy, "is obsolete: " in message) == ("delete that part", True)
    assert "action 1" not in message


def test_all_actions_that_do_not_fit_are_listed_at_once():
    with pytest.raises(CodegenError) as caught:
        apply({"a": 1, "b": 2}, remove("$.x"), remove("$.a"), update("$", {"b": 2}), remove("$.y"))
    numbers = [line.split(":")[0].strip() for line in str(caught.value).splitlines() if line.startswith("  action")]
    assert numbers == ["action 1", "action 3", "action 4"]
