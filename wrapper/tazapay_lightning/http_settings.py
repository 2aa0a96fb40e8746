"""How an HTTP client of our own is set up: it keeps nothing, follows nothing, and verifies certificates."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, MutableMapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

from tazapay_lightning.configuration import Configuration

__all__ = ["advice_on", "forget_location", "forget_location_async", "is_distrust", "settings"]


class _Response(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


def settings(configuration: Configuration, response_hook: Callable[[Any], object]) -> dict[str, Any]:
    """Return the arguments for an httpx client."""
    return {
        # Certificates are verified. Where TLS has no part no authority is trusted, nor loaded, which takes 15 ms.
        "verify": True if configuration.is_encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
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


def is_distrust(failure: BaseException) -> bool:
    """Tell whether a connection failed because of the other side's certificate: it will fail again."""
    return any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(failure))


def advice_on(failure: BaseException) -> str:
    """Return the next step for the commonest ways not to reach a service, to end a message with; or nothing."""
    links = list(_chain(failure))
    if any(isinstance(link, ConnectionRefusedError) for link in links):
        return "; nothing listens there: check base_url, and whether the emulator or gateway that it names runs"
    if any(isinstance(link, socket.gaierror) for link in links):
        return "; the name of the host was not found: check base_url and the network"
    if is_distrust(failure):
        return "; its certificate is not trusted: check base_url, and SSL_CERT_FILE if the authority is your own"
    if any(isinstance(link, ssl.SSLError) for link in links):
        return "; it does not speak TLS as it should: an emulator on this machine is spoken to by http://"
    return ""


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
