"""Read the emulator's refusals, after everything that all of them have in common was found in place."""

from __future__ import annotations

from typing import Any

import httpx


def problems(reply: httpx.Response, status_code: int, code: int) -> list[dict[str, Any]]:
    """The `errors` of a reply with this status, each of which has this code."""
    assert reply.status_code == status_code
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert body.keys() == {"status", "message", "errors"}
    assert body["status"] == "error"
    assert body["message"]
    assert body["errors"]
    for error in body["errors"]:
        assert error.keys() == {"code", "message", "remarks"}
        assert (error["code"], type(error["code"])) == (code, int)
        assert error["message"]
        assert error["remarks"]
    errors: list[dict[str, Any]] = body["errors"]
    return errors


def refusal(reply: httpx.Response) -> str:
    """What a request that is refused with 400 for one thing would have needed."""
    [problem] = problems(reply, 400, 100)
    remarks: str = problem["remarks"]
    return remarks
