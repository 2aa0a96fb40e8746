"""Measure how the code generation copes with large documents.

    make bench-codegen              30, 100 and 300 operations
    make bench-codegen ARGS="10"    others

For each size it makes a copy of the repository, and imports so many operations as Tazapay publishes them: one page for
each, all of which refer to the same components. Then one field of each request changes, and one
component that all of them use, and the two states are compared.

Seconds are those of the processor, children included, so that other work on the machine counts little. `generator` is
openapi-python-client with its formatter, which a team would run in any case. `checks` is what nothing is replaced
without: openapi-spec-validator over the document, and every generated module compiled and imported. `probe` calls the
wrapper and every operation. `ours` is everything else of the import: reading pages, merging, rewriting, the overlay,
the report, the swap.
"""

import io
import json
import os
import shutil
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from codegen.drift.compare import compare
from codegen.drift.coverage import Coverage
from codegen.generate.document_checks import check_document
from codegen.generate.generator import generate, read_configuration
from codegen.generate.package_checks import check_package
from codegen.generate.probe import probe
from codegen.generate.regeneration import merged_document
from codegen.importing import import_pages
from codegen.layout import CONFIGURATION, DOCUMENT, EMULATOR, PACKAGE, TEMPLATES, WRAPPER
from codegen.options import Options
from codegen.read.documents import JsonObject
from codegen.team import documents

ROOT = Path(__file__).resolve().parent.parent
SIZES = (30, 100, 300)
FIELDS = 12
RESOURCES = "/v3/resource_"


def document_of(numbers: range) -> Any:
    """Return a document with an operation for each number: parameters, a request, a reply, shared components."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "sandbox", "version": "3"},
        "servers": [{"url": "https://service-sandbox.tazapay.com"}],
        "security": [{"sec0": []}],
        "paths": {f"{RESOURCES}{number:03}/{{id}}": {"post": _operation(number)} for number in numbers},
        "components": {
            "securitySchemes": {"sec0": {"type": "http", "scheme": "basic"}},
            "schemas": {
                "MetadataInput": {"type": "string", "format": "json", "description": "Key-value pairs"},
                "Money": {
                    "type": "object",
                    "properties": {"amount": {"type": "integer"}, "currency": {"type": "string"}},
                    "required": ["amount"],
                },
            },
        },
    }


def _operation(number: int) -> Any:
    fields: dict[str, Any] = {
        f"field_{index}": {"type": "string", "description": f"Field {index} of resource {number}"}
        for index in range(FIELDS)
    }
    fields |= {
        "metadata": {"$ref": "#/components/schemas/MetadataInput"},
        "price": {"$ref": "#/components/schemas/Money"},
    }
    request = {"title": f"Request{number:03}", "type": "object", "properties": fields, "required": ["field_0"]}
    envelope = {
        "title": f"Response{number:03}",
        "type": "object",
        "properties": {"status": {"type": "string"}, "data": {"type": "string", "format": "json"}},
    }
    example = {"status": "success", "data": {"id": f"res_{number}", "amount": 1, "status": "active"}}
    return {
        "operationId": f"post_resource_{number:03}",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": envelope, "examples": {"OK": {"value": example}}}},
            }
        },
    }


def changed(document: Any) -> Any:
    """Return the document with a field of each request and a component of all of them changed."""
    document = deepcopy(document)
    for path, item in document["paths"].items():
        if not path.startswith(RESOURCES):
            continue
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema["properties"]["field_1"]["type"] = "integer"
    document["components"]["schemas"]["Money"]["properties"]["currency"]["maxLength"] = 3
    return document


def measure(size: int, folder: Path) -> dict[str, float]:
    """Return seconds for each step at one size."""
    repository = folder / f"repository-{size}"
    (repository / "codegen").mkdir(parents=True)
    for file in (CONFIGURATION, "codegen/wrapper_coverage.yaml", *documents(ROOT)):
        shutil.copy(ROOT / file, repository / file)
    shutil.copytree(ROOT / CONFIGURATION.rpartition("/")[0] / TEMPLATES, repository / "codegen" / TEMPLATES)
    for package in (WRAPPER, EMULATOR):
        (repository / package).symlink_to(ROOT / package)
    pages = []
    for number in range(size):
        page = repository / f"page-{number:03}.md"
        page.write_text(f"# Resource {number}\n\n````yaml\n{_yaml(document_of(range(number, number + 1)))}````\n")
        pages.append(str(page))

    started = processor_seconds()
    import_pages(repository, Options(pages=pages))
    whole = processor_seconds() - started

    document, _overlays = merged_document(repository)
    assert len(paths_of(document)) == size, "the import lost operations"  # noqa: S101 - a wrong result is no measurement
    other = changed(document)
    started = processor_seconds()
    drift = compare(document, other, Coverage())
    diff = processor_seconds() - started
    assert len(drift.changes) == 2 * size, "the comparison lost changes"  # noqa: S101 - as above

    started = processor_seconds()
    configuration = read_configuration(repository / CONFIGURATION)
    scratch = repository / "scratch"
    scratch.mkdir()
    generate(document, configuration, scratch / Path(PACKAGE).name)
    generator = processor_seconds() - started
    started = processor_seconds()
    contents = check_document(document, DOCUMENT)
    check_package(scratch / Path(PACKAGE).name, contents)
    checks = processor_seconds() - started
    started = processor_seconds()
    probe(repository, scratch / Path(PACKAGE).name, document, contents.operations)
    probed = processor_seconds() - started
    ours = whole - generator - checks - probed
    return {"import": whole, "generator": generator, "checks": checks, "probe": probed, "ours": ours, "diff": diff}


def processor_seconds() -> float:
    """Return what this process and its children have used so far."""
    return sum(os.times()[:4])


def paths_of(document: JsonObject) -> list[str]:
    """Return the paths of a document that are the benchmark's."""
    paths = document["paths"]
    return [path for path in paths if path.startswith(RESOURCES)] if isinstance(paths, dict) else []


def _yaml(document: Any) -> str:
    stream = io.StringIO()
    yaml = YAML()
    yaml.dump(json.loads(json.dumps(document)), stream)
    return stream.getvalue()


def main() -> None:
    """Print a table, and fail if our own share is larger than the generator's."""
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    steps = ("import", "generator", "checks", "probe", "ours", "diff")
    print("operations" + "".join(f"{step:>12}" for step in steps) + "   ours each   diff each")
    too_slow = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            seconds = measure(size, Path(folder))
            columns = [f"{seconds[step]:>10.2f} s" for step in steps]
            columns += [f"{1000 * seconds[step] / size:>9.1f} ms" for step in ("ours", "diff")]
            print(f"{size:>10}" + "".join(columns), flush=True)
            too_slow += [size] if seconds["ours"] >= seconds["generator"] else []
    if too_slow:
        sys.exit(f"our own share is larger than the generator's at {', '.join(map(str, too_slow))} operations")


if __name__ == "__main__":
    main()
