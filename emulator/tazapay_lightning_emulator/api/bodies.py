"""Read the JSON body of a request, within bounds."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError
from tazapay_lightning_emulator.api.strict_json import NotStrictJSONError, read_json

MAX_BODY_BYTES = 1_048_576
"""The largest request body that is read (assumption)."""


async def read_body(request: Request) -> bytes:
    """The whole body, as long as it stays within bounds: nobody can make the emulator fill the memory."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise bad_request("the body is too large", f"body: at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


def read_json_body(content_type: str, body: bytes) -> object:
    """The value that the body denotes.

    Raises:
        RequestRefusedError: 400: the body is empty, not declared to be JSON, or not JSON.
    """
    if not body:
        raise bad_request("the body is empty", "body: a JSON object")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise bad_request("the body is not declared to be JSON", "Content-Type: application/json")
    try:
        return read_json(body)
    except NotStrictJSONError as error:
        raise bad_request(f"the body is not JSON: {error}", "body: a JSON object in UTF-8") from None


def read_object(request: Request, body: bytes) -> dict[str, Any]:
    """The object that the body of a request denotes.

    Raises:
        RequestRefusedError: 400: as for `read_json_body`, or the body denotes no object.
    """
    value = read_json_body(request.headers.get("content-type", ""), body)
    if not isinstance(value, dict):
        raise bad_request("the body is not an object", "body: a JSON object")
    return value


def bad_request(message: str, remarks: str) -> RequestRefusedError:
    """The refusal of a request with one thing wrong."""
    return RequestRefusedError(400, "the request is not valid", [Problem(Code.BAD_JSON, message, remarks)])
