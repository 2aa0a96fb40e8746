"""openapi-spec-validator, with the schema of OpenAPI 3.1 gone through once instead of at every reference.

That schema has a `$dynamicRef` for each schema of a document, and jsonschema finds what such a reference means by going
through all of the schema it was given, each time: half of the time that a validation takes. Here the schema is gone
through once and kept in a registry, and what is given to jsonschema only refers to it. What is found is the same.

It is always jsonschema that validates: openapi-spec-validator would take jsonschema-rs wherever that happens to be
installed, which says the same in other words.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it brings no types
from jsonschema.validators import validator_for  # type: ignore[import-untyped]  # as above
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v30, schema_v31
from referencing import Registry, Resource


def _gone_through(schema: Mapping[str, Any]) -> Any:
    registry: Registry[Any] = Registry().with_resource(schema["$id"], Resource.from_contents(schema)).crawl()
    return Draft202012Validator({"$schema": schema["$schema"], "$ref": schema["$id"]}, registry=registry)


class _OpenAPIV30SpecValidator(OpenAPIV30SpecValidator):
    schema_validator = validator_for(dict(schema_v30))(dict(schema_v30))


class _OpenAPIV31SpecValidator(OpenAPIV31SpecValidator):
    schema_validator = _gone_through(dict(schema_v31))


VALIDATORS = {"3.0": _OpenAPIV30SpecValidator, "3.1": _OpenAPIV31SpecValidator}
"""What finds the places where a document breaks the specification, by the version of OpenAPI."""
