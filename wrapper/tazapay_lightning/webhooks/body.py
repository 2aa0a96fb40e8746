"""The body of a webhook: read strictly, because the signature can be checked only after reading it.

The scheme forces that order: Tazapay signs ``id`` + body + ``created_at``, and the id and the moment stand inside the
body. So the body of an unknown sender is parsed, within bounds that are set here: its length, its form, and the
characters of the two texts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tazapay_lightning.errors import WebhookPayloadError
from tazapay_lightning.values.json_fields import parse_json
from tazapay_lightning.values.refusals import refused
from tazapay_lightning.values.safe_text import kind

MAX_BODY_BYTES = 1_048_576
"""The longest body that is parsed: 1 MiB. The limit is ours; Tazapay states none."""

_RAW_BODY = (
    "the raw body as bytes, before any JSON parsing: `await request.body()` (Starlette, FastAPI), "
    "`request.get_data()` (Flask), `request.body` (Django), `await request.read()` (aiohttp)"
)

# Nothing separates the three signed parts. A sender that gets an object of its own into a genuine event, as metadata
# perhaps, could present that object as the body of another one, with an id and a moment that hold all that stood around
# it: the signed bytes would be the same. If the id holds neither brace nor blank, the body begins at the first of
# those, and so ends with the object that begins there; and if the moment does not begin with a blank, there is one way
# to cut them.
_ID = re.compile(r"[!-z|~]+", re.ASCII)
_CREATED_AT = re.compile(r"[!-~][ -~]*", re.ASCII)


class Body(NamedTuple):
    """A body that can be read; its sender is not proven yet."""

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
        raise refused("payload", _RAW_BODY, type(payload).__name__)
    if len(payload) > MAX_BODY_BYTES:
        raise WebhookPayloadError(f"the body has {len(payload)} bytes; at most {MAX_BODY_BYTES} are read")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:  # raised here, because the original keeps the whole body in an attribute
        raise WebhookPayloadError("the body is not UTF-8")
    event = parse_json(text, error=WebhookPayloadError)
    if not isinstance(event, dict):
        raise WebhookPayloadError(f"the body must be a JSON object; it is {kind(event)}")
    name, created_at = _id(event), _created_at(event)
    return Body(event, name, b"".join((name.encode(), payload, created_at.encode())))


def _id(event: dict[str, object]) -> str:
    value = event.get("id")
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    accepted = "visible ASCII characters without braces such as 'evt_1'"
    raise WebhookPayloadError(f"the event must have an `id`, {accepted}; it is {kind(value)}")


def _created_at(event: dict[str, object]) -> str:
    value = event.get("created_at")
    # A positive integer has one spelling in JSON, so `str` gives back the literal text. Zero has two ("0" and "-0"),
    # floats have many; neither is documented.
    if type(value) is int and value > 0:
        return str(value)
    if isinstance(value, str) and _CREATED_AT.fullmatch(value):
        return value
    accepted = "a text such as '2025-09-28T08:15:30Z' or an integer greater than 0"
    raise WebhookPayloadError(f"the event must have a `created_at`, {accepted}; it is {kind(value)}")
