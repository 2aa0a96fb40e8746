"""Read the JSON body of a request, within bounds."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError
from tazapay_lightning_emulator.api.strict_json import NotStrictJSONError, read_json

MAX_BODY_BYTES = 1_048_576
"""The largest request body that is read (assumption)."""


async def read_body(request: Request) -> bytes:
    """The whole body of a request.

    Raises:
        RequestRefusedError: 400: it is longer than `MAX_BODY_BYTES`. Reading stops there, so memory stays bounded.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise bad_request("the body is too large", f"body: at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


async def read_object(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in the body of a request.

    Args:
        request: its body has not been read yet.
        optional: take an empty body for an object without fields.

    Raises:
        RequestRefusedError: 400: the body is too large, empty, not declared to be JSON, not JSON, or not an object.
    """
    body = await read_body(request)
    if not body and optional:
        return {}
    if not body:
        raise bad_request("the body is empty", "body: a JSON object")
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise bad_request("the body is not declared to be JSON", "Content-Type: application/json")
    try:
        value = read_json(body)
    except NotStrictJSONError as error:
        raise bad_request(f"the body is not JSON: {error}", "body: a JSON object in UTF-8") from None
    if not isinstance(value, dict):
        raise bad_request("the body is not an object", "body: a JSON object")
    return value


async def read_only_field(request: Request, name: str, *, refusal: str) -> Any:
    """The value of the one field that the JSON object in the body of a request has.

    Args:
        request: its body has not been read yet.
        name: of the field.
        refusal: the message of the error if the object has other fields, or not this one.

    Raises:
        RequestRefusedError: 400: as for `read_object`, or the fields are not just this one.
    """
    fields = await read_object(request)
    if fields.keys() != {name}:
        raise bad_request(refusal, f"fields: {name}, and nothing else")
    return fields[name]


def bad_request(message: str, remarks: str) -> RequestRefusedError:
    """The refusal of a request with one thing wrong."""
    return RequestRefusedError(400, "the request is not valid", [Problem(Code.BAD_JSON, message, remarks)])
