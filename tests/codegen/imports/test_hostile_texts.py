"""Whatever stands in a page, what an import says about it is short, plain lines: nothing steers the terminal."""

import json
import shutil

import pytest

import codegen.__main__ as command_line
import codegen.generate.regeneration
import codegen.importing
from codegen.layout import DOCUMENT, OVERLAY
from codegen.read.block_text import dumped
from tests.support.thorough import THOROUGH, sample

LONGEST_LINE = 2_000
STEERING = "\x1b[31m\x07red\r\n\u202eback\u2028\x9b1m\x7f`"
TEXTS = {"steering": f"/x{STEERING}", "long": f"/{'x' * (200_000 if THOROUGH else 20_000)}"}


def small_page(published):
    """A document with one operation, and most kinds of text."""
    schema = {"type": "object", "title": "Thing", "required": ["id"], "properties": {"id": {"$ref": "#/x-ids/id"}}}
    reply = {
        "description": "Done.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
    }
    operation = {
        "operationId": "make_thing",
        "summary": "Make it",
        "tags": ["things"],
        "parameters": [{"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["a"], "format": "b"}}],
        "requestBody": {"content": {"application/json": {"schema": {"allOf": [schema]}}}},
        "responses": {"200": reply},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "sandbox", "version": "3"},
        "servers": published["servers"],
        "security": published["security"],
        "tags": [{"name": "things"}],
        "paths": {"/v3/thing": {"post": operation}},
        "x-ids": {"id": {"type": "string", "example": {"a": ["b"]}}},
        "components": {"schemas": {"Thing": schema}, "securitySchemes": published["components"]["securitySchemes"]},
    }


def with_text(value, text):
    """Yield every copy of a value in which one text or one key is another one, and a name for it."""
    if isinstance(value, str):
        yield "", text
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from (
                (f"/{index}{place}", [*value[:index], changed, *value[index + 1 :]])
                for place, changed in with_text(element, text)
            )
    elif isinstance(value, dict):
        for key, member in value.items():
            yield f"/{key} (key)", {(text if each == key else each): inner for each, inner in value.items()}
            yield from ((f"/{key}{place}", value | {key: changed}) for place, changed in with_text(member, text))


@pytest.fixture
def imported(checkout, monkeypatch, capsys):
    """Imports a page in this process, with a generator that gives what is there; returns the code and all it said."""
    monkeypatch.setattr(command_line, "ROOT", checkout.root)
    monkeypatch.setattr(codegen.generate.regeneration, "read_configuration", lambda _path: None)
    monkeypatch.setattr(codegen.generate.regeneration, "check_package", lambda _package, _contents: None)
    monkeypatch.setattr(codegen.importing, "probe", lambda *_arguments: ())
    monkeypatch.setattr(
        codegen.generate.regeneration,
        "generate",
        lambda _document, _settings, output: shutil.copytree(checkout.package, output),
    )
    monkeypatch.chdir(checkout.root)
    shutil.rmtree(checkout.package)
    (checkout.package / "models").mkdir(parents=True)
    before = {name: (checkout.root / name).read_bytes() for name in (DOCUMENT, OVERLAY)}

    def run(name, content):
        (checkout.root / name).write_bytes(content)
        code = command_line.main(["--import", name])
        after = {file: (checkout.root / file).read_bytes() for file in before}
        for file, old in before.items():
            (checkout.root / file).write_bytes(old)
        said = capsys.readouterr()
        assert code in {0, 2, 3, 4}, said
        assert code != 2 or (after == before and not said.out), said.err[:1000]
        return code, said.out + said.err

    assert run("p.json", b"{}")[0] == 2
    return run


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_of_a_page_steers_the_terminal_or_floods_it(imported, published, text, form):
    page = small_page(published)
    code, said = imported("p.json", json.dumps(page).encode())
    assert code == 3, said
    places = list(with_text(page, text))
    assert len(places) > 70
    for place, hostile in sample(places, 25):
        content = json.dumps(hostile) if form == "json" else dumped(hostile)
        code, said = imported(f"p.{form}", content.encode("utf-8", "surrogatepass"))
        for line in said.split("\n"):
            assert line.isprintable(), f"{place}: {line[:300]!r}"
            assert len(line) <= LONGEST_LINE, f"{place}: {line[:300]!r}"
        assert "a defect of codegen" not in said, place
        assert code != 2 or f"p.{form}" in said or DOCUMENT in said, f"{place}: {said[:300]}"
