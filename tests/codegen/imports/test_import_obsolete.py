"""Which actions of an overlay a change of the document makes obsolete, and what is left of the others."""

import pytest

from codegen.errors import CodegenError
from codegen.overlay.actions import read_overlay
from codegen.overlay.additions import missing_definitions
from codegen.overlay.applier import fit_overlay
from codegen.read.documents import Source, parse_document
from tests.support.tables import each_row


def actions(*given):
    listed = [{"description": "Because.", **action} for action in given]
    return read_overlay({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": listed}, "own.yaml")


def dropped(document, *given):
    fitted = fit_overlay(document, actions(*given), "own.yaml", drop=True)
    return [action.number for action in fitted.obsolete], fitted.document


REMOVE = {"target": "$.a.default", "remove": True}
UPDATE = {"target": "$.a", "update": {"x": 1, "y": {"z": [1]}}}


@each_row(
    ("document", "action"),
    [
        pytest.param({"a": {}}, REMOVE, id="what it removes is gone"),
        pytest.param({"a": {"x": 1, "y": {"z": [2, 1], "w": 3}}}, UPDATE, id="all that it adds is there"),
        pytest.param({"a": [2, {"x": 1}]}, {"target": "$.a", "update": {"x": 1}}, id="the list has the entry"),
        pytest.param(
            {"parameters": [{"name": "idempotency-key", "in": "header"}]},
            {"target": "$.parameters", "update": {"name": "Idempotency-Key", "in": "header", "description": "Ours."}},
            id="the header has the same name in another case, and words of its own",
        ),
        pytest.param(
            {"a": {"x": 1}, "b": {"x": 1}}, {"target": "$.*", "update": {"x": 1}}, id="all of its targets have it"
        ),
    ],
)
def test_an_action_whose_content_the_document_has_is_dropped_and_nothing_else_happens(document, action):
    assert dropped(document, action) == ([1], document)


@pytest.mark.parametrize(
    ("document", "action"),
    [
        pytest.param({"a": {"default": 1}}, REMOVE, id="it still removes something"),
        pytest.param(
            {"a": {"x": 1, "y": {"z": [1]}, "v": 1}}, {"target": "$.a", "update": {"v": 2}}, id="another value"
        ),
        pytest.param({"a": {"x": True}}, {"target": "$.a", "update": {"x": 1}}, id="true is not 1"),
    ],
)
def test_an_action_that_still_changes_something_is_kept(document, action):
    numbers, changed = dropped(document, action)
    assert numbers == []
    assert repr(changed) != repr(document)


@each_row(
    ("document", "action", "message"),
    [
        pytest.param({"b": {}}, REMOVE, "its target matches nothing", id="the holder of what it removes is gone too"),
        pytest.param({"b": {}}, UPDATE, "its target matches nothing", id="what it adds to is gone"),
        pytest.param({"a": {"x": 1}}, UPDATE, "is obsolete in part: adds what is already there", id="a part is there"),
        pytest.param(
            {"a": {"x": 1}, "b": {}},
            {"target": "$.*", "update": {"x": 1}},
            "adds what is already there",
            id="one of its targets has it",
        ),
        pytest.param(
            {"parameters": [{"name": "id", "in": "path"}]},
            {"target": "$", "update": {"parameters": [{"name": "id", "in": "path", "required": True}]}},
            "is not required, which cannot be added",
            id="the same parameter with other words",
        ),
    ],
)
def test_an_action_that_has_to_be_corrected_by_hand_is_not_dropped(document, action, message):
    with pytest.raises(CodegenError) as caught:
        dropped(document, action)
    assert message in str(caught.value)


def test_of_an_action_that_is_obsolete_in_part_the_rest_is_shown_ready_to_be_pasted():
    with pytest.raises(CodegenError) as caught:
        dropped(
            {"a": {"x": 1, "y": {"k": {"$ref": "#/b"}}}},
            {"target": "$.a", "update": {"x": 1, "y": {"k": {"t": 1}, "z": [1]}}},
        )
    assert str(caught.value).endswith(
        "put this in its place:\n      - target: $.a\n        description: Because.\n        update:\n          y:\n"
        "            z:\n              - 1"
    )


def test_without_the_option_every_obsolete_action_is_named_with_what_to_do():
    with pytest.raises(CodegenError) as caught:
        fit_overlay({"a": {"x": 1, "y": {"z": [1]}}}, actions(REMOVE, UPDATE), "own.yaml", drop=False)
    message = str(caught.value)
    assert message.startswith("own.yaml does not fit the document:\n")
    assert "action 1: is obsolete: the document no longer has what it removes" in message
    assert "action 2: is obsolete: the document now has all that it adds" in message
    assert message.count("what to do: delete the action, or import again with --drop-obsolete") == 2


def test_a_stub_is_obsolete_as_soon_as_the_schema_is_defined_in_whatever_way():
    stub = {"target": "$", "update": {"components": {"schemas": {"A": {"type": "string", "format": "json"}}}}}
    document = {"components": {"schemas": {"A": {"type": "object"}}}}
    assert dropped(document, stub) == ([1], document)
    assert dropped({}, stub) == ([], stub["update"])


OVERLAY = """\
# what this is
actions:
  # about one
  - target: $.one
    # inside
    remove: true

  - target: $.two
    remove: true

  # not about three

  - target: $.three
    remove: true
"""


@each_row(
    ("indexes", "gone"),
    [
        ([0], "  # about one\n  - target: $.one\n    # inside\n    remove: true\n\n"),
        ([1], "  - target: $.two\n    remove: true\n\n"),
        ([2], "  - target: $.three\n    remove: true\n"),
        ([1, 2], "  - target: $.two\n    remove: true\n\n|  - target: $.three\n    remove: true\n"),
    ],
    ids=["with the comment on it", "in the middle", "at the end", "two of them"],
)
def test_an_action_goes_with_the_comment_right_above_it_and_everything_else_stays(indexes, gone):
    block = Source("own.yaml", OVERLAY.encode()).block
    edits = [block.deleted(("actions", index)) for index in indexes]
    expected = OVERLAY
    for part in gone.split("|"):
        expected = expected.replace(part, "")
    assert block.changed(*edits) == expected


def test_an_action_is_added_behind_the_last_even_if_that_goes():
    block = Source("own.yaml", OVERLAY.encode()).block
    [addition] = missing_definitions({"paths": {"/a": {"get": {"$ref": "#/components/schemas/A"}}}})
    edits = block.deleted(("actions", 2)), block.added(("actions",), "\n" + addition.action)
    changed = parse_document(block.changed(*edits).encode(), "own.yaml")
    assert [action["target"] for action in changed["actions"]] == ["$.one", "$.two", "$"]
