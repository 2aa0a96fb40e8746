"""All fields of an operation: what a request carries, and what a reply holds."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from codegen.drift.coverage import parameter_key
from codegen.drift.overlay_effects import Effects
from codegen.drift.parts import as_dict, as_list, key_step, kind_of
from codegen.drift.schemas import Field, Unfolding
from codegen.generate.package_checks import path_shape
from codegen.read.documents import JsonObject, JsonValue
from codegen.read.references import Location

_NOT_OPERATIONS = frozenset({"summary", "description", "servers", "parameters", "$ref"})
_JSON = "application/json"
_TEXT_OR_OBJECT = frozenset({"string", "object", "null"})


@dataclass(frozen=True)
class OperationPart:
    """One operation of a document."""

    method: str
    path: str
    said: JsonObject
    item: JsonObject
    """The path that it belongs to, which may hold parameters for all of its operations."""

    @property
    def name(self) -> str:
        """Method and path, the way people write them."""
        return f"{self.method.upper()} {self.path}"

    @property
    def location(self) -> Location:
        """Where it is in the document."""
        return ("paths", self.path, self.method)


def operations_of(document: JsonObject) -> Iterator[OperationPart]:
    """Yield the operations of a document, in its order."""
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if not isinstance(item, dict):
            continue
        for method, said in item.items():
            if isinstance(said, dict) and method not in _NOT_OPERATIONS and not method.startswith("x-"):
                yield OperationPart(method, path, said, item)


def shape_of(operation: OperationPart) -> tuple[str, str]:
    """Return method and shape of the path: they are what makes an operation the same."""
    return operation.method.lower(), path_shape(operation.path)


def by_shape(document: JsonObject) -> dict[tuple[str, str], OperationPart]:
    """Return the operations of a document, by method and shape of the path."""
    return {shape_of(each): each for each in operations_of(document)}


def request_fields(document: JsonObject, operation: OperationPart, effects: Effects) -> dict[str, Field]:
    """Return the parameters and the fields of the body, by key."""
    unfolding = Unfolding(document, effects)
    fields = {field.key: field for field in _parameters(unfolding, operation)}
    body, location = unfolding.resolve(operation.said.get("requestBody"), (*operation.location, "requestBody"))
    if isinstance(body, dict):
        media, place = json_media(body, location)
        found = unfolding.fields(
            media.get("schema"),
            (*place, "schema"),
            "(body)",
            name="the body",
            required=body.get("required") is True,
            required_place=(*location, "required"),
        )
        fields |= {field.key: field for field in found}
    return fields


def reply_fields(document: JsonObject, operation: OperationPart, effects: Effects) -> dict[str, Field]:
    """Return the fields of the reply that tells of success, by key, with those that only an example shows."""
    unfolding = Unfolding(document, effects)
    status = success_status(operation)
    reply, location = unfolding.resolve(
        as_dict(operation.said.get("responses")).get(status), (*operation.location, "responses", status)
    )
    media, place = json_media(as_dict(reply), location)
    if "schema" not in media:
        return {}
    found = unfolding.fields(media["schema"], (*place, "schema"), "(body)", name="the body", required=True)
    fields = {field.key: field for field in found}
    for sample, sample_place in _samples(media, place):
        fields = _shown(fields, sample, sample_place) | fields
    return fields


def success_status(operation: OperationPart) -> str:
    """Return the status of the reply that tells of success: the lowest 2xx, or "default"; empty if there is none."""
    statuses = sorted(str(status) for status in as_dict(operation.said.get("responses")))
    return next((status for status in statuses if status.startswith("2")), "default" if "default" in statuses else "")


def json_media(holder: JsonObject, location: Location) -> tuple[JsonObject, Location]:
    """Return what is said about JSON in a request body or a reply; of another kind if it has no JSON."""
    content = as_dict(holder.get("content"))
    chosen = _JSON if _JSON in content else next((kind for kind in sorted(content) if "json" in kind), None)
    chosen = chosen if chosen is not None else min(content, default="")
    return as_dict(content.get(chosen)), (*location, "content", chosen)


def _parameters(unfolding: Unfolding, operation: OperationPart) -> Iterator[Field]:
    listed = [
        (parameter, (*place, "parameters", index))
        for said, place in ((operation.said, operation.location), (operation.item, operation.location[:2]))
        for index, parameter in enumerate(as_list(said.get("parameters")))
    ]
    seen = set()
    for written, place in listed:
        parameter, location = unfolding.resolve(written, place)
        if not isinstance(parameter, dict):
            continue
        name, where = str(parameter.get("name")), str(parameter.get("in"))
        key = _parameter_key(operation.path, name, where)
        if key in seen:  # that of the operation overrides that of the path
            continue
        seen.add(key)
        label = f"{name} ({where})"
        schema = parameter.get("schema", json_media(parameter, location)[0].get("schema"))
        required = where == "path" or parameter.get("required") is True
        for field in unfolding.fields(
            schema, (*location, "schema"), key, name=label, required=required, required_place=(*location, "required")
        ):
            said = {keyword: value for keyword, value in parameter.items() if keyword in ("description", "deprecated")}
            if field.key != key:
                yield field
            else:
                field.keywords.update(said)
                field.places.update({keyword: (*location, keyword) for keyword in said})
                yield field


def _parameter_key(path: str, name: str, where: str) -> str:
    """Return the key of a parameter: in a path, its place matters and its name does not."""
    steps = [step[1:-1] for step in path.split("/") if step.startswith("{") and step.endswith("}")]
    if where == "path" and name in steps:
        return f"(path {steps.index(name) + 1})"
    return parameter_key(f"({key_step(where)} {key_step(name)})")


def _samples(media: JsonObject, location: Location) -> Iterator[tuple[JsonValue, Location]]:
    yield media.get("example"), (*location, "example")
    for name, example in as_dict(media.get("examples")).items():
        yield as_dict(example).get("value"), (*location, "examples", name, "value")


def _shown(fields: dict[str, Field], sample: JsonValue, location: Location) -> dict[str, Field]:
    """Return the fields that only an example shows: beside those of the schema, and in the JSON text that one holds.

    Not deeper: an example cannot tell the fields of an object from the keys of a map, such as metadata. An example that
    has nothing in common with the schema is of something else.
    """
    if not isinstance(sample, dict) or not any(key_step(name) in fields for name in sample):
        return {}
    by_a_schema = [key for key, field in fields.items() if not (field.is_shown_only or field.is_named_only)]
    described = {key.partition(".")[0] for key in by_a_schema if "." in key}
    shown = {}
    for name, value in sample.items():
        key = key_step(name)
        if key not in fields:
            shown[key] = _shown_field(key, value, (*location, name))
        elif key not in described and not fields[key].is_shown_only and fields[key].kinds <= _TEXT_OR_OBJECT:
            for inner, member in as_dict(_read(value)).items():
                inside = f"{key}.{key_step(inner)}"
                shown[inside] = _shown_field(inside, member, (*location, name, inner))
    return shown


def _shown_field(key: str, value: JsonValue, location: Location) -> Field:
    kinds = frozenset({kind_of(value)} - {"null"})
    return Field(key, key, kinds, required=False, location=location, is_shown_only=True)


def _read(value: JsonValue) -> JsonValue:
    """Return what a JSON text holds; the value itself if it is none."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        read: JsonValue = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return read
