"""Whatever a page holds, an import says in one message what is wrong and where, and writes nothing."""

import json

import pytest

from codegen.errors import CodegenError
from codegen.layout import DOCUMENT, OVERLAY
from codegen.read.sources import MAX_BYTES, read_source
from tests.support.tables import each_row

START = b"# Title\n\n````yaml post /v3/x\n"
BOMB = b"a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 10)
)


@pytest.fixture
def new_checkout(new_warm_checkout):
    return new_warm_checkout


def document(paths=b"  /v3/x: {post: {responses: {'200': {description: ''}}}}\n", first=b"openapi: 3.1.0\n"):
    return first + b"info: {title: t, version: '3'}\npaths:\n" + paths


def page(content):
    return START + content + b"\n````\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "p.md", b"# Title\n", "p.md, line 1: no fenced block holds an OpenAPI document", id="no fenced block"
        ),
        pytest.param("p.md", b"", "p.md, line 1: no fenced block holds", id="an empty page"),
        pytest.param(
            "p.md",
            page(document()) * 2,
            "p.md: OpenAPI documents start on lines 3 and 12",
            id="two documents in a page",
        ),
        pytest.param(
            "p.yaml",
            document() + b"---\n" + document(),
            "p.yaml, line 5: not well-formed YAML: but found another",
            id="two documents in a file",
        ),
        pytest.param("p.md", START + document(), "p.md, line 3: the block is never closed", id="cut short"),
        pytest.param("p.md", page(document() + BOMB), "p.md, line 8: the anchor &a0: write out", id="a YAML bomb"),
        pytest.param(
            "p.md", page(document(b"  /v3/x: &x {}\n")), "p.md, line 7: the anchor &x: write out", id="an anchor"
        ),
        pytest.param(
            "p.md",
            page(document() + b"x:\n  <<: {a: 1}\n"),
            "p.md, line 9: a key must be plain text; merge keys",
            id="a merge key",
        ),
        pytest.param("p.md", page(document(b"\t/v3/x: {}\n")), "p.md, line 7: not well-formed YAML", id="a tab"),
        pytest.param(
            "p.md",
            page(document() + b"info: {}\n"),
            "p.md, line 8: the key 'info' was already given on line 5",
            id="a key twice",
        ),
        pytest.param(
            "p.json",
            b'{"openapi": "3.1.0",\n"paths": {},\n"paths": {}}',
            "p.json, line 3: the key 'paths' was already given on line 2",
            id="a key twice in JSON",
        ),
        pytest.param("p.json", b'{"openapi": "3.1.0",\n', "p.json, line 2: not well-formed JSON", id="half of JSON"),
        pytest.param("p.md", page(b"openapi: \xff"), "p.md, line 4: the text is not UTF-8", id="not UTF-8"),
        pytest.param(
            "p.yaml", b"a: 1\nb: \xff", "p.yaml, line 2: the text is not UTF-8", id="a file that is not UTF-8"
        ),
        pytest.param(
            "p.md",
            page(document(first=b"swagger: '2.0'\n")),
            "p.md, line 4: swagger '2.0': only OpenAPI 3.0.x",
            id="Swagger 2",
        ),
        pytest.param(
            "p.md",
            page(document(first=b"openapi: 3.2.0\n")),
            "p.md, line 4: openapi '3.2.0': only OpenAPI 3.0.x",
            id="OpenAPI 3.2",
        ),
        pytest.param(
            "p.md",
            page(document(first=b"openapi: 4.0.0\n")),
            "p.md, line 4: openapi '4.0.0': only OpenAPI 3.0.x",
            id="OpenAPI 4",
        ),
        pytest.param(
            "p.md",
            page(document(first=b"openapi: 3.1\n")),
            "p.md, line 4: openapi 3.1: only OpenAPI 3.0.x",
            id="a version that YAML takes for a number",
        ),
        pytest.param(
            "p.yaml", b"info: {}\n", "p.yaml, line 1: there is no key `openapi`: only OpenAPI 3.0.x", id="no OpenAPI"
        ),
        pytest.param("p.yaml", b"- a\n", "p.yaml, line 1: the document must be an object with keys", id="a list"),
        pytest.param(
            "p.md", page(b"openapi: 3.1.0\n"), "p.md, line 4: the document defines no operation", id="no paths"
        ),
        pytest.param(
            "p.md",
            page(b"openapi: 3.1.0\npaths: {}\n"),
            "p.md, line 5: the document defines no operation",
            id="no path",
        ),
        pytest.param(
            "p.md", page(document(b"  /v3/x:\n")), "p.md, line 7: /v3/x must hold operations", id="an empty path"
        ),
        pytest.param(
            "p.md", page(document(b"  /v3/x: abc\n")), "line 7: /v3/x must hold operations, not 'abc'", id="text"
        ),
        pytest.param(
            "p.md",
            page(document(b"  /v3/x:\n    $ref: https://example.com/x.yaml\n")),
            "p.md, line 8: refers to 'https://example.com/x.yaml', which is never fetched",
            id="a remote reference",
        ),
        pytest.param(
            "p.md",
            page(document(b"  /v3/x:\n    post:\n      x: [{$ref: ../../secret.yaml#/a}]\n")),
            "p.md, line 9: refers to '../../secret.yaml#/a', which is never fetched",
            id="a reference to a file",
        ),
        pytest.param(
            "p.md",
            page(document() + b"components: {schemas: {A: {$ref: 7}}}\n"),
            "p.md, line 8: refers to 7",
            id="a reference that is a number",
        ),
    ],
)
def test_a_bad_page_is_one_message_with_file_and_line(checkout, name, content, message):
    (checkout.root / name).write_bytes(content)
    before = {file: (checkout.root / file).read_bytes() for file in (DOCUMENT, OVERLAY)} | checkout.tree()
    done = checkout.run("--import", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {name}")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {file: (checkout.root / file).read_bytes() for file in (DOCUMENT, OVERLAY)} | checkout.tree() == before


@each_row(
    "path",
    [
        "/v3/../admin",
        "/v3/%2e%2E/admin",
        "/..",
        "/v3/./x",
        "v3/x",
        "//example.com/x",
        "/v3//x",
        "https://example.com/x",
    ],
)
def test_a_path_that_climbs_out_or_is_none_is_refused(path):
    with pytest.raises(CodegenError, match=r"^p\.md, line 7: the path '.*' must start with / and go straight down"):
        read_source("p.md", page(document(f"  {path}: {{get: {{}}}}\n".encode())))


@each_row("path", ["/v3/x?a=b", "'/v3/x#y'", "/v3\\x", "/v3/a b", "/v3/a%20b", '"/v3/\\n"', '"/v3/\\u202e"'])
def test_a_path_with_a_character_that_no_path_has_is_refused(path):
    with pytest.raises(CodegenError, match=r"^p\.md, line 7: the path .* has a character that no path may have"):
        read_source("p.md", page(document(f"  {path}: {{get: {{}}}}\n".encode())))


@each_row("path", ["/", "x-owner", "/v3/x/", "/v3/{id}/...", "/v3/ü", "/v3/x.json"])
def test_every_other_path_is_accepted(path):
    paths = f"  /v3/a: {{get: {{}}}}\n  {path}: {{get: {{}}}}\n".encode()
    assert path in read_source("p.md", page(document(paths))).document["paths"]


def test_operation_ids_and_tags_that_climb_out_stay_in_the_package(checkout):
    climbing = "../../../../outside"
    text = (checkout.root / DOCUMENT).read_text()
    operation = text[text.index("    post:") : text.index("components:")]
    operation = operation.replace("post_v3lightning_invoice_bolt11", climbing).replace("default: ", "example: ")
    operation = operation.replace("      parameters: []\n", f"      tags: ['{climbing}']\n")
    operation = operation.replace("schema:\n", f"schema:\n{' ' * 16}title: '{climbing} THING'\n", 1)
    (checkout.root / "p.yaml").write_text(
        text.replace(text[text.index("  /v3/") : text.index("components:")], "  /v3/x:\n" + operation)
    )

    def files():
        return {
            path
            for path in checkout.root.parent.rglob("*")
            if checkout.package not in path.parents and path.name != ".venv-codegen.lock"
        }

    before = files()
    done = checkout.run("--import", "p.yaml")
    assert done.returncode in {2, 3}, done.stderr
    assert files() == before


def test_a_page_of_20_megabytes_is_refused_before_it_is_parsed(checkout):
    (checkout.root / "p.md").write_bytes(START + b"x" * 20_000_000)
    done = checkout.run("--import", "p.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: p.md: more than {MAX_BYTES:,} bytes, which is more than a document of an API can have\n"
    )


@each_row(
    ("name", "content"),
    [
        pytest.param("stdin", page(document()), id="a page"),
        pytest.param("p.MD", page(document()), id="a page by its ending"),
        pytest.param("stdin", document(), id="YAML"),
        pytest.param(
            "stdin", b"# see\n" + document() + b"x-a: |\n  ```\n  openapi: 1\n  ```\n", id="YAML with a fence in it"
        ),
        pytest.param("stdin", b"```yaml\n" + document() + b"```\n", id="nothing but a block"),
        pytest.param("stdin", json.dumps({"openapi": "3.1.0", "paths": {"/v3/x": {"post": {}}}}).encode(), id="JSON"),
        pytest.param("stdin", b"\xef\xbb\xbf" + document(), id="a byte order mark"),
        pytest.param("p.txt", page(document()).replace(b"\n", b"\r\n"), id="line ends of Windows"),
    ],
)
def test_pages_and_documents_are_told_apart(name, content):
    assert list(read_source(name, content).document["paths"]) == ["/v3/x"]
