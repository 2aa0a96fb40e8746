import pytest

from codegen.errors import CodegenError
from codegen.read.documents import MAX_VALUES, Source, load_document, parse_document
from tests.support.tables import each_row


@each_row(
    ("source", "value"),
    [
        pytest.param(b"200: ok\non: 1\n", {"200": "ok", "on": 1}, id="keys are their text"),
        pytest.param(
            b"a: 2025-09-28T08:15:30Z\nb: 2025-09-28\n",
            {"a": "2025-09-28T08:15:30Z", "b": "2025-09-28"},
            id="timestamps are text",
        ),
        pytest.param(b"a: '12345600'\nb: 12345600\n", {"a": "12345600", "b": 12345600}, id="quoted digits are text"),
        pytest.param(
            b"a: true\nb: null\nc: 1.5\nd: yes\ne: ~\nf:\n",
            {"a": True, "b": None, "c": 1.5, "d": "yes", "e": None, "f": None},
            id="scalars of YAML 1.2",
        ),
        pytest.param(b"a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}, id="aliases are unfolded"),
        pytest.param(
            b'{"a": "\\ud83d\\ude00", "b": [1, 2.5, null, true]}',
            {"a": "\U0001f600", "b": [1, 2.5, None, True]},
            id="JSON",
        ),
        pytest.param(b"\xef\xbb\xbfa: 1\n", {"a": 1}, id="a byte order mark"),
        pytest.param(b"%YAML 1.2\n---\na: !!str 1\n", {"a": "1"}, id="a tag that JSON has"),
    ],
)
def test_a_document_is_read_into_plain_json_values(source, value):
    read = parse_document(source, "openapi.yaml")
    assert read == value
    assert repr(read) == repr(value)  # also the types: True is not 1


def test_an_alias_is_a_copy_so_that_a_change_in_one_place_stays_there():
    read = parse_document(b"a: &x {k: [1]}\nb: *x\n", "openapi.yaml")
    read["a"]["k"].append(2)
    assert read["b"] == {"k": [1]}


BOMB = b"a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 10)
)


@each_row(
    ("source", "message"),
    [
        pytest.param(b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' was already given on line 1", id="a key twice"),
        pytest.param(
            b"x:\n  200: 1\n  '200': 2\n",
            "line 3: the key '200' was already given on line 2",
            id="a key twice, once quoted",
        ),
        pytest.param(
            b'{"a": {"b": 1,\n"b": 2}}', "line 2: the key 'b' was already given on line 1", id="a key twice in JSON"
        ),
        pytest.param(
            b'{"a": {"b": 1, "b": 2, "c": "\\ud83d\\ude00"}}', "the key 'b' ", id="a key twice in JSON that is no YAML"
        ),
        pytest.param(b"a: [1\nb: 2\n", "line 2: not well-formed YAML", id="broken YAML"),
        pytest.param(b"a: 1\n\tb: 2\n", "line 2: not well-formed YAML", id="a tab"),
        pytest.param(b'{"a": 1,\n "b" 2}', "line 2: not well-formed JSON", id="broken JSON"),
        pytest.param(
            b"a: 1\n---\nb: 2\n", "line 2: not well-formed YAML: but found another document", id="two documents"
        ),
        pytest.param(b"a: \x01\n", "not well-formed YAML", id="a control character"),
        pytest.param(b"a: 1\nb: \xff\n", "line 2: the text is not UTF-8", id="not UTF-8"),
        pytest.param(b"a: *b\n", "line 1: not well-formed YAML", id="an alias of nothing"),
        pytest.param(b"a: &a\n  b: *a\n", "line 1: the document is nested too deeply", id="an alias to its holder"),
        pytest.param(BOMB, f"unfolds into more than {MAX_VALUES} values", id="an alias bomb"),
        pytest.param(
            b"b: {k: 1}\nc:\n  <<: {k: 2}\n", "line 3: a key must be plain text; merge keys", id="a merge key"
        ),
        pytest.param(b"? [a]\n: 1\n", "line 1: a key must be plain text", id="a list as key"),
        pytest.param(b"a: !!python/object:os.system x\n", "line 1: the tag", id="a tag of Python"),
        pytest.param(b"a: !!binary aGk=\n", "line 1: the tag", id="a binary"),
        pytest.param(b"a: !thing {b: 1}\n", "line 1: the tag", id="a tag on an object"),
        pytest.param(b"a: !!int x\n", "line 1: the number is infinite or not a number", id="a tag that lies"),
        pytest.param(b"a: .nan\n", "infinite or not a number", id="not a number"),
        pytest.param(b'{"a": 1e999}', "infinite or not a number", id="an infinite number"),
        pytest.param(b'{"a": "\\ud83d"}', "half of a surrogate pair", id="half a surrogate pair"),
        pytest.param(b"a: " + b"[" * 1500 + b"]" * 1500, "nested too deeply", id="deep nesting in YAML"),
        pytest.param(b'{"a": ' + b"[" * 90000 + b"]" * 90000 + b"}", "nested too deeply", id="deep nesting in JSON"),
        pytest.param(b"", "must be an object with keys, not null", id="nothing"),
        pytest.param(b"- a\n", "must be an object with keys, not a list", id="a list"),
        pytest.param(b"<html>", "must be an object with keys, not '<html>'", id="a text"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_by_name_and_line(source, message):
    with pytest.raises(CodegenError) as caught:
        parse_document(source, "openapi.yaml")
    assert str(caught.value).startswith("openapi.yaml")
    assert message in str(caught.value)


def test_lines_are_counted_from_where_the_document_starts_in_its_file():
    with pytest.raises(CodegenError, match="^page.md, line 13: the key 'a' was already given on line 11"):
        Source("page.md", b"a: 1\nb: 2\na: 3\n", first_line=11)


def test_anchors_are_refused_where_text_is_taken_over_as_it_stands():
    with pytest.raises(CodegenError, match="^page.md, line 2: the anchor &x: write out what it stands for"):
        Source("page.md", b"b: 1\na: &x [1]\nc: *x\n")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CodegenError, match=r"openapi\.yaml is missing"):
        load_document(tmp_path / "openapi.yaml", "openapi.yaml")
