"""How an HTTP client of our own is set up: it keeps nothing, follows nothing, and verifies certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable, MutableMapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

from tazapay_lightning.configuration import Configuration

__all__ = ["forget_location", "forget_location_async", "is_distrust", "settings"]


class _Response(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


def settings(configuration: Configuration, response_hook: Callable[[Any], object]) -> dict[str, Any]:
    """Return the arguments for an httpx client. Verifying certificates is its default."""
    return {
        # An emulator on this machine, the only one to speak plain http, is not looked for behind a proxy.
        "trust_env": configuration.is_encrypted,
        # Cookies would go out again with the next call, which nobody asked for.
        "cookies": CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        "event_hooks": {"response": [response_hook]},
    }


def forget_location(response: _Response) -> None:
    """Keep httpx from reading where a redirect leads: it is not followed, and may be no address at all."""
    response.headers.pop("location", None)


async def forget_location_async(response: _Response) -> None:
    """Do the same for the asynchronous client, whose hooks are awaited."""
    forget_location(response)


def is_distrust(failure: BaseException | None) -> bool:
    """Tell whether a connection failed because of the other side's certificate: it will fail again."""
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        failure = failure.__cause__ or failure.__context__
    return False
