"""What merges, what does not, and how the text of the document follows."""

import itertools

import pytest

from codegen.errors import CodegenError
from codegen.merge.merging import merge, rewritten
from codegen.read.documents import Source, parse_document
from codegen.read.units import canonical
from tests.support.tables import each_row

HEAD = """\
openapi: 3.1.0
info:
  title: sandbox
  version: '3'
servers:
  - url: https://a.example
security:
  - s: []
"""
SCHEME = "  securitySchemes:\n    s:\n      type: http\n      scheme: basic\n"
SHARED = "  schemas:\n    Shared:\n      type: string\n"
CHANGED = SHARED.replace("string", "object")


def operation(path, method, operation_id="", uses="", more=""):
    lines = [f"  {path}:", f"    {method}:", f"      operationId: {operation_id or method + path}"]
    if uses:
        lines.append(f"      requestBody: {{$ref: '#/components/schemas/{uses}'}}")
    return "\n".join([*lines, "      responses: {}", more.rstrip("\n")]).rstrip("\n") + "\n"


def text(*paths, components=SCHEME, head=HEAD):
    return f"{head}paths:\n{''.join(paths)}components:\n{components}"


def source(name, content):
    return Source(name, content.encode())


def merged(current, *contents):
    old = source("openapi.yaml", current)
    result = merge(old, [source(f"{chr(ord('a') + index)}.yaml", content) for index, content in enumerate(contents)])
    return rewritten(old, result)[0] if result.changed else current


ONE, OTHER = operation("/one", "post"), operation("/other", "get")
CURRENT = text(ONE, OTHER)


def test_an_operation_is_replaced_in_its_place():
    new = operation("/one", "post", "renamed")
    assert merged(CURRENT, text(new)) == text(new, OTHER)


def test_an_operation_is_added_behind_the_others():
    new = operation("/two", "put")
    assert merged(CURRENT, text(new)) == text(ONE, OTHER, new)


def test_an_operation_joins_the_others_of_its_path():
    new = operation("/one", "get")
    assert merged(CURRENT, text(new)) == text(ONE + new.partition("\n")[2], OTHER)


def test_operations_of_one_new_path_may_come_from_several_pages():
    put, get = operation("/two", "put"), operation("/two", "get")
    expected = text(ONE, OTHER, get + put.partition("\n")[2])
    assert merged(CURRENT, text(put), text(get)) == merged(CURRENT, text(get), text(put)) == expected


def test_components_are_merged_with_those_that_are_there():
    page = text(operation("/two", "put", uses="Shared"), components=SHARED + SCHEME)
    assert merged(CURRENT, page).endswith(f"components:\n{SCHEME}{SHARED}")


def test_whatever_the_order_of_the_pages_the_text_is_the_same():
    pages = [
        text(operation("/z", "get", uses="Shared"), components=SCHEME + SHARED),
        text(operation("/y", "get", uses="Shared"), components=SCHEME + SHARED.replace("string", "'string' # quoted")),
        text(operation("/z", "put").replace("responses: {}", "responses: {  }")),
        text(operation("/z", "put")),
    ]
    assert len({merged(CURRENT, *ordered) for ordered in itertools.permutations(pages)}) == 1


def test_comments_quotes_and_blank_lines_of_what_is_untouched_survive():
    current = f"# top\n{CURRENT}".replace("title: sandbox", 'title: "sandbox"  # the name').replace(
        "  /other:", "\n  # about the other\n  /other:"
    )
    new = operation("/one", "post", more="      # as published\n      summary: 'quoted'\n")
    assert merged(current, text(new)) == current.replace(ONE, new)


@each_row(
    "value",
    ["''", "''   # nothing", "|\n        a\n\n        b", "|+\n        a\n\n", ">-\n        # no comment\n        b"],
)
def test_the_last_line_of_an_operation_is_found_whatever_it_is(value):
    new = operation("/one", "post", more=f"      summary: {value}\n")
    assert merged(CURRENT, text(new)) == text(new, OTHER)
    assert merged(text(new, OTHER), CURRENT) == CURRENT


def test_other_indentation_is_adapted():
    wide = HEAD.replace("  ", "    ") + "paths:\n    /one:\n        post:\n            operationId: renamed\n"
    wide += "            summary: |\n                a\n                  b\n"
    result = merged(CURRENT, wide)
    expected = "  /one:\n    post:\n        operationId: renamed\n        summary: |\n            a\n              b\n"
    assert result == CURRENT.replace(ONE, expected)


def test_line_ends_follow_the_document_that_is_there():
    result = merged(CURRENT.replace("\n", "\r\n"), text(operation("/two", "put")))
    assert result.count("\r\n") == result.count("\n")
    assert merged(CURRENT, text(operation("/two", "put")).replace("\n", "\r\n")).count("\r") == 0


@each_row(
    "current",
    [
        pytest.param(
            CURRENT.replace(f"\n{SCHEME}", " {securitySchemes: {s: {type: http, scheme: basic}}}\n"),
            id="components in one line",
        ),
        pytest.param(CURRENT.replace(ONE + OTHER, "  {/one: {post: {operationId: 'x'}}}\n"), id="paths in one line"),
        pytest.param(CURRENT.replace(ONE, "  /one: {post: {operationId: 'x'}}\n"), id="a path in one line"),
        pytest.param(canonical(parse_document(CURRENT.encode(), "x")), id="JSON"),
        pytest.param(CURRENT.rstrip("\n"), id="no line break at the end"),
    ],
)
def test_what_is_not_written_in_blocks_is_written_anew(current):
    page = text(operation("/one", "post", uses="Shared"), components=SCHEME + SHARED)
    result = parse_document(merged(current, page).encode(), "x")
    assert result["paths"]["/one"]["post"]["operationId"] == "post/one"
    assert result["components"].keys() == {"securitySchemes", "schemas"}


@each_row(
    ("pages", "messages"),
    [
        pytest.param(
            [text(operation("/x", "get"), components=SCHEME + shared) for shared in (SHARED, CHANGED)],
            ["a.yaml, line 20 and b.yaml, line 20 say different things about #/components/schemas/Shared"],
            id="a component that two sources define differently",
        ),
        pytest.param(
            [text(operation("/x", "get")), text(operation("/x", "get", "other"))],
            ["a.yaml, line 11 and b.yaml, line 11 say different things about GET /x"],
            id="an operation that two sources define differently",
        ),
        pytest.param(
            [text(operation("/x", "get", "same")), text(operation("/y", "get", "same"))],
            ["GET /x (a.yaml, line 11) and GET /y (b.yaml, line 11) have the same operationId 'same'"],
            id="an operationId of two sources",
        ),
        pytest.param(
            [text(operation("/x", "get", "post/one"))],
            ["POST /one (openapi.yaml, line 11) and GET /x (a.yaml, line 11)", "delete it from openapi.yaml first"],
            id="an operationId that is there",
        ),
        pytest.param(
            [CURRENT.replace("https://a.example", "https://b.example")],
            [
                "a.yaml, line 5 says otherwise about servers than openapi.yaml, line 5; if that is true for every",
            ],
            id="other servers",
        ),
        pytest.param(
            [CURRENT.replace("  - s: []", "  - {}")],
            ["a.yaml, line 7 says otherwise about security than openapi.yaml, line 7"],
            id="other security",
        ),
        pytest.param(
            [CURRENT.replace("security:\n  - s: []\n", "")], ["says otherwise about security than"], id="no security"
        ),
        pytest.param(
            [CURRENT.replace("scheme: basic", "scheme: bearer")],
            ["a.yaml, line 20 says otherwise about #/components/securitySchemes/s than openapi.yaml, line 20"],
            id="another security scheme",
        ),
        pytest.param(
            [CURRENT.replace("3.1.0", "3.0.3")],
            ["a.yaml, line 1 says otherwise about openapi than openapi.yaml, line 1"],
            id="another version of OpenAPI",
        ),
        pytest.param(
            [text(operation("/x/{a}", "get")), text(operation("/x/{b}", "put"))],
            [
                "GET /x/{a} (a.yaml, line 11) and PUT /x/{b} (b.yaml, line 11) have one path with two names",
            ],
            id="one path with two names for its parameter",
        ),
        pytest.param(
            [CURRENT.replace("sandbox", "live"), CURRENT.replace("sandbox", "demo")],
            ["say different things about info"],
            id="two titles",
        ),
    ],
)
def test_a_conflict_is_explained_by_file_and_line(pages, messages):
    with pytest.raises(CodegenError) as caught:
        merged(CURRENT, *pages)
    assert str(caught.value).startswith(", ".join(f"{chr(ord('a') + index)}.yaml" for index in range(len(pages))))
    assert " cannot be merged into openapi.yaml:\n" in str(caught.value)
    for message in messages:
        assert message in str(caught.value)


def test_all_conflicts_are_listed_at_once():
    page = CURRENT.replace("https://a.example", "https://b.example").replace("scheme: basic", "scheme: bearer")
    with pytest.raises(CodegenError) as caught:
        merged(CURRENT, page)
    assert len(str(caught.value).splitlines()) == 3


SHARING = text(operation("/x", "get", uses="Shared"), operation("/y", "get", uses="Shared"), components=SCHEME + SHARED)


def test_a_component_changes_if_every_operation_that_uses_it_is_imported():
    pages = [text(operation(path, "get", uses="Shared"), components=SCHEME + CHANGED) for path in ("/x", "/y")]
    assert merged(SHARING, *pages) == SHARING.replace(SHARED, CHANGED)


@pytest.mark.parametrize(
    "through", ["", "    Outer:\n      $ref: '#/components/schemas/Shared'\n"], ids=["itself", "another"]
)
def test_a_component_that_an_operation_uses_which_is_not_imported_does_not_change(through):
    current = SHARING
    if through:
        y = operation("/y", "get", uses="Shared")
        current = SHARING.replace(y, y.replace("Shared", "Outer")) + through
    with pytest.raises(
        CodegenError, match=r"GET /y \(openapi\.yaml, line \d+\) uses #/components/schemas/Shared.*import its page too"
    ):
        merged(current, text(operation("/x", "get", uses="Shared"), components=SCHEME + CHANGED))


def test_a_component_that_was_missing_may_come_with_any_page():
    y = operation("/y", "get", uses="Shared")
    assert SHARED in merged(text(ONE, y), text(ONE, components=SCHEME + SHARED))


def test_what_a_path_says_for_all_its_operations_does_not_change_for_one_of_them():
    current = text(ONE + operation("/one", "get").partition("\n")[2])
    page = text(ONE + "    parameters: []\n")
    with pytest.raises(CodegenError, match=r"GET /one .* uses parameters of /one"):
        merged(current, page)
    assert "parameters: []" in merged(CURRENT, page)


def test_a_newer_patch_release_of_openapi_is_taken_over_and_an_older_one_is_not():
    assert merged(CURRENT, CURRENT.replace("3.1.0", "3.1.1")).startswith("openapi: 3.1.1\n")
    assert merged(CURRENT.replace("3.1.0", "3.1.1"), CURRENT) == CURRENT.replace("3.1.0", "3.1.1")


def test_what_is_no_operation_and_no_component_is_taken_over_as_a_whole():
    current = CURRENT.replace("paths:", "tags:\n  - name: a\n  - name: b\npaths:")
    page = CURRENT.replace("paths:", "tags:\n  - name: b\n    description: new\n  - name: c\npaths:")
    assert merged(current, page) == page
    assert merged(CURRENT, page) == CURRENT + page[page.index("tags:") : page.index("paths:")]


def test_the_text_of_the_document_is_left_alone_where_only_the_order_of_keys_differs():
    page = CURRENT.replace("  title: sandbox\n  version: '3'\n", "  version: '3'\n  title: sandbox\n")
    assert merged(CURRENT, page) == CURRENT
