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
    """Refuse what comes from a page of elsewhere, with status 403."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it is refused."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin", f"{scope['scheme']}://{host}")
        if (
            not is_own_host(host)
            or origin.lower() != f"{scope['scheme']}://{host}".lower()
            or headers.get("sec-fetch-site", "none") not in _HERE
        ):
            remarks = "open it by its own address, such as http://127.0.0.1:8000, and not from a page of elsewhere"
            problem = Problem(Code.BAD_JSON, "Host or Origin is not that of the emulator", remarks)
            raise RequestRefusedError(403, "the control is for this origin only", [problem])
        await self._app(scope, receive, send)


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
