"""Whom the control answers: programs, and pages of the emulator's own origin.

A page of elsewhere, open in a browser on the same machine, can send a form to any address; and a name of its own may
lead there. So an Origin has to be that of the request, and a Host one that no foreign page can have: an address,
localhost, or a name without a dot, as containers have.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError

_HERE = {"same-origin", "none"}
"""What browsers say in `Sec-Fetch-Site` of a page's own requests, and of what somebody types as an address."""


class SameOrigin:
    """Refuse what comes from a page of elsewhere, with status 403.

    Args:
        app: the application.
        may_be_visited: take a GET that follows a link of another page, too: for a page that changes nothing.
    """

    def __init__(self, app: ASGIApp, *, may_be_visited: bool = False) -> None:
        self._app = app
        self._may_be_visited = may_be_visited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it is refused."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin", f"{scope['scheme']}://{host}")
        is_ours = headers.get("sec-fetch-site", "none") in _HERE or (self._may_be_visited and _is_visit(scope, headers))
        if not (is_ours and is_own_host(host) and origin.lower() == f"{scope['scheme']}://{host}".lower()):
            remarks = "open it by its own address, such as http://127.0.0.1:8000, and not from a page of elsewhere"
            problem = Problem(Code.BAD_JSON, "Host or Origin is not that of the emulator", remarks)
            raise RequestRefusedError(403, "the control is for this origin only", [problem])
        await self._app(scope, receive, send)


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Tell whether a browser opens this as a page of its own, and in no frame of another."""
    fetched = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
    return scope["method"] == "GET" and fetched == ("navigate", "document")


def is_own_host(host: str) -> bool:
    """Tell whether a Host is an address, localhost, or a name without a dot.

    Example:
        >>> [is_own_host(host) for host in ("127.0.0.1:8000", "[::1]", "localhost", "emulator:80")]
        [True, True, True, True]
        >>> [is_own_host(host) for host in ("shop.example", "127.0.0.1.shop.example", "", "[::1")]
        [False, False, False, False]
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # a bracket that is not closed
        return False
    if re.fullmatch(r"[a-z0-9_-]+|([a-z0-9_-]+\.)*localhost", name):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
