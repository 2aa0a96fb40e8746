"""The envelopes of replies, as pure functions.

Success and failure have one shape each (Tazapay's documentation)::

    {"status": "success", "message": "", "data": ...}
    {"status": "error", "message": ..., "errors": [{"code": ..., "message": ..., "remarks": ...}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum

from attrs import asdict, frozen


class Code(IntEnum):
    """The generic error codes of Tazapay's documentation that the emulator uses."""

    BAD_JSON = 100
    INTERNAL = 101
    ABSENT = 105
    BAD_BASIC_AUTH = 108
    EMPTY_BASIC_AUTH = 109
    TOO_MANY_REQUESTS = 110
    BAD_API_KEY = 111


@frozen
class Problem:
    """One entry of `errors`: what is wrong and, in `remarks`, what is accepted. It repeats no value of the request."""

    code: Code
    message: str
    remarks: str


class RequestRefusedError(Exception):
    """A request is refused: the reply is an error.

    Attributes:
        status_code: the HTTP status of the reply.
        message: the `message` of the envelope.
        problems: everything found wrong, at least one.
        headers: further headers of the reply.
    """

    def __init__(
        self, status_code: int, message: str, problems: Iterable[Problem], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


def refusal_because(error: Exception, status_code: int, code: Code, message: str) -> RequestRefusedError:
    """The refusal of a request that failed with this error, whose text becomes the remarks."""
    return RequestRefusedError(status_code, message, [Problem(code, message, str(error))])


def success_body(invoice: Mapping[str, object], *, data_as_string: bool) -> bytes:
    r"""The body of a 200 reply.

    Args:
        invoice: the invoice object.
        data_as_string: `data` becomes the JSON text of the object, which is how the published document types it;
            otherwise it is the object itself, which is what the published example shows.

    Example:
        >>> success_body({"id": "l11_1"}, data_as_string=False)
        b'{"status":"success","message":"","data":{"id":"l11_1"}}'
        >>> success_body({"id": "l11_1"}, data_as_string=True)
        b'{"status":"success","message":"","data":"{\\"id\\":\\"l11_1\\"}"}'
    """
    data = compact_json(invoice) if data_as_string else invoice
    return compact_json({"status": "success", "message": "", "data": data}).encode()


def error_body(message: str, problems: Iterable[Problem]) -> bytes:
    """The body of an error reply.

    Example:
        >>> error_body("not found", [Problem(Code.ABSENT, "no such path", "")])
        b'{"status":"error","message":"not found","errors":[{"code":105,"message":"no such path","remarks":""}]}'
    """
    return compact_json({"status": "error", "message": message, "errors": [asdict(each) for each in problems]}).encode()


def compact_json(value: object) -> str:
    """JSON without optional whitespace and without escaped characters.

    Example:
        >>> compact_json({"note": "Zürich"})
        '{"note":"Zürich"}'
    """
    return _encoder.encode(value)


# Made once: `json.dumps` makes a new one for each call that has any of these arguments.
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
