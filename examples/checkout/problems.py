"""The answers to what goes wrong: pages that say what happened, and what to do."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from examples.checkout import pages
from examples.checkout.security import SECURITY_HEADERS

__all__ = ["broken", "refused"]


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request that cannot be served."""
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type; Starlette chose by it
    title, advice = {
        404: ("Not found", "There is nothing at this address."),
        405: ("Not possible", "This address takes another kind of request."),
    }.get(error.status_code, ("That did not work", error.detail))
    if error.detail != HTTPStatus(error.status_code).phrase:  # ours, and not Starlette's
        advice = error.detail
    page = pages.problem_page(title, advice, final=error.status_code == 404)
    return HTMLResponse(page, error.status_code, error.headers)


async def broken(request: Request, error: Exception) -> Response:
    """Answer where the shop itself failed; Starlette raises the error again, for the log."""
    advice = "Something in this shop is broken. What you have paid is not lost. Please try again in a minute."
    is_order = request.method == "GET" and "order_id" in request.path_params
    page = pages.problem_page("That did not work", advice, looks_again=is_order)
    return HTMLResponse(page, 500, SECURITY_HEADERS)
