import pytest

from codegen.errors import CodegenError
from codegen.generate.document_checks import Operation, check_document
from codegen.read.documents import parse_document
from tests.support.tables import each_row


def document(operations, rest=""):
    head = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
    return parse_document((head + rest + "paths:\n" + operations).encode(), "openapi.yaml")


def schema(text):
    """A document whose only request has this schema."""
    return document(
        "  /a:\n    post:\n      requestBody:\n        content:\n          application/json:\n"
        f"            schema: {text}\n      responses: {{'200': {{description: ''}}}}\n",
        "components: {schemas: {A: {type: string}}}\n",
    )


OK = "responses: {'200': {description: ''}}"


def test_the_merged_document_of_the_repository_passes_and_its_operations_are_found(contents):
    assert {
        "CreateLightningInvoiceRequest",
        "CreateLightningInvoiceResponse",
        "GetLightningInvoiceResponse",
        "UpdateLightningInvoiceRequest",
        "UpdateLightningInvoiceResponse",
    } <= {*contents.models}
    assert {
        "POST /v3/lightning_invoice_bolt11  create_lightning_invoice",
        "GET /v3/lightning_invoice_bolt11/{id}  get_lightning_invoice",
        "PUT /v3/lightning_invoice_bolt11/{id}  update_lightning_invoice",
    } <= {str(operation) for operation in contents.operations}


def test_operations_come_in_the_order_of_the_document():
    paths = document(f"  /b: {{put: {{{OK}}}, get: {{{OK}}}}}\n  /a: {{summary: s, get: {{{OK}}}, x-a: {{}}}}\n")
    found = check_document(paths, "openapi.yaml")
    assert [(operation.method, operation.path) for operation in found.operations] == [
        ("put", "/b"),
        ("get", "/b"),
        ("get", "/a"),
    ]


@each_row(
    "checked",
    [
        pytest.param(schema("{$ref: '#/components/schemas/A'}"), id="a reference that leads somewhere"),
        pytest.param(schema("{type: object, properties: {default: {type: string}}}"), id="a property called default"),
        pytest.param(schema("{type: object, properties: {$ref: {type: string}}}"), id="a property called $ref"),
        pytest.param(
            schema("{type: object, properties: {properties: {type: object}}}"), id="a property called properties"
        ),
        pytest.param(schema("{type: object, example: {default: 1, $ref: x}}"), id="an example with any keys"),
        pytest.param(schema("{type: object, examples: [{default: 1}]}"), id="examples with any keys"),
        pytest.param(schema("{enum: [{default: 1}]}"), id="an enum with any values"),
        pytest.param(schema("{type: object, x-meta: {default: 1, $ref: x}}"), id="an extension with any keys"),
        pytest.param(document("  /a: {get: {responses: {default: {description: ''}}}}\n"), id="a default response"),
        pytest.param(
            document(f"  /a: {{get: {{{OK}}}}}\n", "servers: [{url: 'https://{h}', variables: {h: {default: x}}}]\n"),
            id="a default of a server variable",
        ),
    ],
)
def test_what_only_looks_like_a_fault_passes(checked):
    assert len(check_document(checked, "openapi.yaml").operations) == 1


@each_row(
    ("checked", "message"),
    [
        pytest.param(
            schema("{$ref: '#/components/schemas/B'}"),
            "refers to #/components/schemas/B, which the document does not hold",
            id="a dangling reference",
        ),
        pytest.param(
            schema("{$ref: '#/components/schemas/A', description: x, properties: {b: {$ref: '#/x'}}}"),
            "refers to #/x",
            id="a dangling reference beside a good one",
        ),
        pytest.param(
            schema("{$ref: 'http://127.0.0.1:9/a.yaml#/A'}"),
            "only references into the document",
            id="a reference to another host",
        ),
        pytest.param(
            schema("{$ref: './other.yaml'}"),
            "refers to './other.yaml', which is never fetched: only references into the document",
            id="a reference to a file",
        ),
        pytest.param(
            schema("{$ref: 7}"),
            "refers to 7, which is never fetched: only references",
            id="a reference that is a number",
        ),
        pytest.param(
            document(
                "  /a: {$ref: '#/components/pathItems/A'}\n", f"components: {{pathItems: {{A: {{get: {{{OK}}}}}}}}}\n"
            ),
            "#/paths/~1a is a reference: the generator would drop its operations",
            id="a path that is a reference",
        ),
        pytest.param(
            schema("{type: object, properties: {amount: {type: integer, default: 5}}}"),
            "#/paths/~1a/post/requestBody/content/application~1json/schema/properties/amount has a default",
            id="a default",
        ),
        pytest.param(
            schema("{type: object, properties: {default: {type: integer, default: 5}}}"),
            "/properties/default has a default",
            id="a default of a property called default",
        ),
        pytest.param(schema("{type: integer, default: '5'}"), "schema has a default", id="a default of the wrong type"),
        pytest.param(
            document(f"  /a:\n    get: {{operationId: x, {OK}}}\n    put: {{operationId: x, {OK}}}\n"),
            "Operation ID 'x' for 'put' in '/a' is not unique",
            id="an operationId twice",
        ),
        pytest.param(
            document(f"  /a/{{id}}: {{get: {{{OK}}}}}\n"), "'id'", id="a path parameter that is not described"
        ),
        pytest.param(
            document("  /a: {get: {responses: {'200': {}}}}\n"),
            "#/paths/~1a/get/responses/200: ",
            id="a response without description",
        ),
        pytest.param(document("  {}\n"), "defines no operation", id="no path"),
        pytest.param(document("  /a: {summary: s}\n"), "defines no operation", id="no operation"),
        pytest.param(
            {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "webhooks": {}},
            "defines no operation",
            id="no paths at all",
        ),
        pytest.param({"swagger": "2.0"}, "version null is not supported; 3.0.x and 3.1.x are", id="Swagger 2"),
        pytest.param({"openapi": "4.0.0"}, "version '4.0.0' is not supported", id="a version of the future"),
        pytest.param({"openapi": 3.1}, "version 3.1 is not supported", id="a version that is a number"),
        pytest.param({"openapi": "3.1.0", "paths": []}, "#/paths: ", id="paths that are a list"),
    ],
)
def test_a_fault_is_named_with_its_place(checked, message):
    with pytest.raises(CodegenError) as caught:
        check_document(checked, "openapi.yaml")
    assert str(caught.value).startswith("openapi.yaml ")
    assert message in str(caught.value)


def test_a_reference_to_another_host_is_refused_before_anything_could_fetch_it(monkeypatch):
    def refuse(*_arguments):
        pytest.fail("the network was used")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    with pytest.raises(CodegenError, match="only references into the document"):
        check_document(schema("{$ref: 'https://example.com/a.yaml#/A'}"), "openapi.yaml")


def test_what_an_operation_is_called_cannot_steer_a_terminal():
    hostile = Operation("/a", "get", "\x1b[31m" + "x" * 1000)
    assert str(hostile).startswith("GET /a  \\x1b[31mxxx")
    assert len(str(hostile)) < 200


def test_the_validator_alone_would_miss_a_dangling_reference():
    from openapi_spec_validator import OpenAPIV31SpecValidator

    dangling = schema("{properties: {a: {$ref: '#/components/schemas/B'}}}")
    assert not list(OpenAPIV31SpecValidator(dangling).iter_errors())
