"""Nothing in a document makes anybody fetch anything: counted by a server that waits for it."""

import copy
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from codegen.errors import CodegenError
from codegen.generate.document_checks import check_document
from codegen.read.sources import read_source
from tests.support.tables import each_row
from tests.support.thorough import sample

TEXT = {"type": "string"}
REPLY = {"200": {"description": "", "content": {"a/b": {"schema": TEXT, "examples": {"e": {"value": {"a": {}}}}}}}}
SCHEMA = {
    "type": "object",
    "properties": {"a": TEXT, "list": {"type": "array", "items": TEXT}},
    "allOf": [{"type": "object"}],
    "discriminator": {"propertyName": "a", "mapping": {"m": "#/components/schemas/A"}},
    "example": {"a": {}},
    "examples": [{"a": {}}],
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://{h}", "variables": {"h": {"default": "a"}}}],
    "paths": {
        "/v3/x": {
            "parameters": [{"name": "q", "in": "query", "schema": TEXT}],
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                "responses": REPLY | {"400": {"$ref": "#/components/responses/R"}},
                "callbacks": {"c": {"{$request.body#/u}": {"post": {"responses": REPLY}}}},
                "x-a": {"b": {}},
            },
        }
    },
    "webhooks": {"w": {"post": {"responses": REPLY}}},
    "components": {
        "schemas": {"A": SCHEMA},
        "responses": {
            "R": {"description": "", "headers": {"h": {"schema": TEXT}}, "links": {"l": {"operationId": "x"}}}
        },
        "parameters": {"P": {"name": "q", "in": "query", "schema": TEXT}},
        "examples": {"E": {"value": {"a": 1}}},
        "requestBodies": {"B": {"content": {"a/b": {"schema": TEXT}}}},
        "pathItems": {"I": {"get": {"responses": REPLY}}},
    },
}


@pytest.fixture
def server():
    """A server with the paths that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "string"}')

        def log_message(self, *_arguments):
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/x", asked
    listening.shutdown()
    thread.join()
    listening.server_close()


def objects(value, steps=()):
    if isinstance(value, dict):
        yield steps
    for step, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from objects(member, (*steps, step))


def at(value, steps):
    for step in steps:
        value = value[step]
    return value


@pytest.mark.parametrize("keyword", ["$ref", "$id", "$schema", "$dynamicRef", "operationRef", "externalValue"])
def test_no_reference_in_any_place_is_ever_fetched(server, keyword):
    url, asked = server
    places = list(objects(DOCUMENT))
    assert len(places) > 90
    for steps in sample(places, 12):
        changed = copy.deepcopy(DOCUMENT)
        at(changed, steps)[keyword] = url
        for attempt in (
            lambda content=changed: read_source("p.json", json.dumps(content).encode()),
            lambda content=changed: check_document(content, "openapi.yaml"),
        ):
            with suppress(CodegenError):
                attempt()
            assert not asked, f"{keyword} in {steps}"


@each_row("holder", ["schemas", "responses", "examples", "parameters"])
@each_row("target", ["http://127.0.0.1:9/x", "file:///etc/hostname", "#/info"])
def test_a_reference_in_the_place_of_names_is_refused_by_line(holder, target):
    changed = copy.deepcopy(DOCUMENT)
    changed["components"][holder] = {"$ref": target}
    content = json.dumps(changed, indent=1)
    line = content[: content.index(f'"$ref": "{target}"')].count("\n") + 1
    with pytest.raises(CodegenError, match=rf"^p\.json, line {line}: refers to '{target}', which is never followed"):
        read_source("p.json", content.encode())
    with pytest.raises(CodegenError, match=f"#/components/{holder} refers to '{target}', which is never followed"):
        check_document(changed, "openapi.yaml")
