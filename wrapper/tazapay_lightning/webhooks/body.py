"""The body of a webhook: read strictly, because the signature can be checked only after reading it.

The scheme forces that order: Tazapay signs ``id`` + body + ``created_at``, and the id and the moment stand inside the
body. So a stranger's body is parsed before anything is known about the stranger, and what bounds that is here: its
length, its form, and the characters of the two texts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tazapay_lightning.errors import InvalidArgumentError, WebhookPayloadError
from tazapay_lightning.values.json_fields import parse_json

__all__ = ["MAX_BODY_BYTES", "Body", "read_body"]

MAX_BODY_BYTES = 1_048_576
"""The longest body that is parsed: 1 MiB. The limit is ours; Tazapay states none."""

# Nothing separates the three signed parts. Whoever gets an object of theirs into a genuine event, as metadata perhaps,
# could present that object as the body of another one, with an id and a moment that hold all that stood around it: the
# signed bytes would be the same. If the id holds neither brace nor blank, the body begins at the first of those, and so
# ends with the object that begins there; and if the moment does not begin with a blank, there is one way to cut them.
_ID = re.compile(r"[!-z|~]+", re.ASCII)
_CREATED_AT = re.compile(r"[!-~][ -~]*", re.ASCII)


class Body(NamedTuple):
    """A body that can be read, from whomever it came."""

    event: dict[str, object]
    """The event, complete."""

    id: str
    """The event's id."""

    signed: bytes
    """What its signature is made over."""


def read_body(payload: object) -> Body:
    r"""Read the body of a webhook, up to what its signature needs.

    Args:
        payload: the raw body, bytes or bytearray.

    Raises:
        InvalidArgumentError: if it is not bytes.
        WebhookPayloadError: if it is longer than `MAX_BODY_BYTES`, not a JSON object in UTF-8 (see `parse_json`),
            or has no ``id`` or ``created_at`` that can be signed.

    Example:
        >>> read_body(b'{"id": "evt_1", "created_at": 7}').signed
        b'evt_1{"id": "evt_1", "created_at": 7}7'
    """
    if not isinstance(payload, bytes | bytearray):
        raise InvalidArgumentError(
            "payload must be the raw body as bytes, before any JSON parsing: `await request.body()` (Starlette, "
            "FastAPI), `request.get_data()` (Flask), `request.body` (Django), `await request.read()` (aiohttp); "
            f"got {type(payload).__name__}",
            argument="payload",
        )
    if len(payload) > MAX_BODY_BYTES:
        raise WebhookPayloadError(f"the body has {len(payload)} bytes; at most {MAX_BODY_BYTES} are read")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        position = error.start
    else:
        return _body_of(payload, parse_json(text, error=WebhookPayloadError))
    # Out here, because the original keeps the whole body in an attribute, and so would whoever keeps our error.
    raise WebhookPayloadError(f"the body is not UTF-8 at byte {position}")


def _body_of(payload: bytes | bytearray, event: object) -> Body:
    if not isinstance(event, dict):
        raise WebhookPayloadError(f"the body must be a JSON object; it is of type {type(event).__name__}")
    name, created_at = _id(event), _created_at(event)
    return Body(event, name, b"".join((name.encode(), payload, created_at.encode())))


def _id(event: dict[str, object]) -> str:
    value = event.get("id")
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise WebhookPayloadError(
            "the event must have an `id`, a text of visible ASCII characters without braces such as 'evt_1'; it is "
            f"{_kind(value)}"
        )
    return value


def _created_at(event: dict[str, object]) -> str:
    value = event.get("created_at")
    # A positive integer has one spelling in JSON, so `str` gives back the literal text. Zero has two ("0" and "-0"),
    # floats have many; neither is documented.
    if type(value) is int and value > 0:
        return str(value)
    if not isinstance(value, str) or not _CREATED_AT.fullmatch(value):
        raise WebhookPayloadError(
            "the event must have a `created_at`, a text such as '2025-09-28T08:15:30Z' or an integer greater than 0; "
            f"it is {_kind(value)}"
        )
    return value


def _kind(value: object) -> str:
    """Name the kind of a value without repeating it."""
    if isinstance(value, str):
        return f"another text of {len(value)} characters"
    return "missing or null" if value is None else f"of type {type(value).__name__}"
