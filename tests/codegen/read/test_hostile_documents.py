"""Each refusal names the file and the line, in YAML, in JSON and inside a page."""

import os

import pytest

from codegen.errors import CodegenError
from codegen.read.documents import Source, parse_document
from codegen.read.sources import MAX_BYTES, MAX_LINES, read_source, read_sources
from codegen.read.values import MAX_LEVELS, MAX_NAME
from tests.support.tables import each_row

NO_NUMBER = "the number is infinite or not a number"
HALF = "a text holds half of a surrogate pair"
DEEP = "the document is nested too deeply"


def yaml(value):
    return f"openapi: 3.1.0\npaths: {{}}\nx:\n  a: {value}\n".encode(), 4


def json(value):
    return f'{{"openapi": "3.1.0",\n"paths": {{}},\n\n"x": [{{}},\n{value}]}}'.encode(), 5


def page(value):
    content, line = yaml(value)
    return b"# Title\n\n```yaml\n" + content + b"```\n", line + 3


FORMS = {"p.yaml": yaml, "p.json": json, "p.md": page}


@each_row("name", FORMS)
@each_row(
    ("value", "problem"),
    [
        pytest.param("1" * 5000, NO_NUMBER, id="thousands of digits"),
        pytest.param("1" * 400, NO_NUMBER, id="more than any double"),
        pytest.param("1e999", NO_NUMBER, id="an exponent"),
        pytest.param('"\\ud800"', HALF, id="half a pair"),
        pytest.param('{"\\udfff": 1}', HALF, id="half a pair in a key"),
        pytest.param("[" * MAX_LEVELS + "]" * MAX_LEVELS, DEEP, id="a level too many"),
        pytest.param("[" * 500 + "]" * 500, DEEP, id="hundreds of levels"),
        pytest.param("[" * 50_000 + "]" * 50_000, DEEP, id="thousands of levels"),
        pytest.param(f'{{"{"k" * (MAX_NAME + 1)}": 1}}', f"more than {MAX_NAME} characters", id="a long key"),
    ],
)
def test_what_no_document_has_is_refused_by_line(name, value, problem):
    content, line = FORMS[name](value)
    with pytest.raises(CodegenError) as caught:
        read_source(name, content)
    assert str(caught.value).startswith(f"{name}, line {line}: ")
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200


@each_row(
    ("name", "content", "message"),
    [
        pytest.param("p.json", json("NaN")[0], f"p.json, line 5: {NO_NUMBER}", id="NaN"),
        pytest.param("p.md", page(".nan")[0], f"p.md, line 7: {NO_NUMBER}", id=".nan"),
        pytest.param("p.yaml", yaml("-.inf")[0], f"p.yaml, line 4: {NO_NUMBER}", id="-.inf"),
        pytest.param("p.yaml", yaml("0x" + "f" * 9999)[0], f"p.yaml, line 4: {NO_NUMBER}", id="hexadecimal"),
        pytest.param("p.yaml", yaml(".nan")[0].replace(b"\n", b"\r"), f"p.yaml, line 4: {NO_NUMBER}", id="CR"),
        pytest.param("p.yaml", yaml(".nan")[0].replace(b"\n", b"\r\n"), f"p.yaml, line 4: {NO_NUMBER}", id="CRLF"),
        pytest.param("p.yaml", yaml("\0")[0], "p.yaml, line 4: not well-formed YAML: unacceptable", id="NUL"),
        pytest.param("p.yaml", yaml("!<%1b%5b31m> 1")[0], "p.yaml, line 4: the tag \\x1b[31m has no", id="a tag"),
        pytest.param(
            "p.json",
            json('{"a": 1,\n"b": "\\ud83d\\ude00",\n"a": 2}')[0],
            "p.json, line 7: the key 'a' was already given on line 5",
            id="a key twice in JSON that is no YAML",
        ),
        pytest.param("p.json", json("1 // one")[0], "p.json, line 5: not well-formed JSON", id="a comment in JSON"),
        pytest.param("p.yaml", b"# c\n- a\n", "p.yaml, line 2: the document must be an object", id="a list"),
        pytest.param(
            "p.json", b'\n\n[{"openapi": 1}]', "p.json, line 3: the document must be an object", id="JSON list"
        ),
        pytest.param("p.yaml", b"", "p.yaml, line 1: the document must be an object with keys, not null", id="nothing"),
        pytest.param("p.md", b"\n\n", "p.md, line 1: no fenced block holds", id="a blank page"),
        pytest.param("p.md", b"a\n\nb\n\n", "p.md, line 1: no fenced block holds", id="no block"),
        pytest.param("p.md", b"# t\n\n```\n```\n", "p.md, line 1: no fenced block holds", id="an empty block"),
        pytest.param(
            "p.md",
            b"```\nopenapi: 1\n```\n" * 9,
            "p.md: OpenAPI documents start on lines 1 and 4 and 7 and 10 and 13; a page must",
            id="many documents",
        ),
        pytest.param(
            "p.md", b"\n" * (MAX_LINES + 1), f"p.md, line {MAX_LINES + 1}: the page has more lines", id="lines"
        ),
        pytest.param(
            "p.yaml",
            b'swagger: "\\x1b[31m"\n',
            "p.yaml, line 1: swagger '\\x1b[31m': only",
            id="a version that steers a terminal",
        ),
    ],
)
def test_the_message_names_the_line(name, content, message):
    with pytest.raises(CodegenError) as caught:
        read_source(name, content)
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", FORMS)
def test_as_many_levels_as_allowed_are_read(name):
    content = b'{"a": ' + b"[" * (MAX_LEVELS - 1) + b"]" * (MAX_LEVELS - 1) + b"}\n"
    assert parse_document(content, name)["a"]


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    pipe = tmp_path / "p.yaml"
    os.mkfifo(pipe)
    with pytest.raises(CodegenError, match="line 1: the document must be an object with keys, not null"):
        read_sources([str(pipe)])


def test_a_device_without_an_end_is_too_big():
    with pytest.raises(CodegenError, match=f"^/dev/zero: more than {MAX_BYTES:,} bytes"):
        read_sources(["/dev/zero"])


def test_what_is_added_where_several_objects_end_goes_into_each_of_them():
    text = Source("p.yaml", b"a:\n  b:\n    c: 1\n").block
    edits = text.added((), "z: 1\n"), text.added(("a", "b"), "d: 2\n"), text.added(("a",), "y: 3\n")
    assert text.changed(*edits) == "a:\n  b:\n    c: 1\n    d: 2\n  y: 3\nz: 1\n"
