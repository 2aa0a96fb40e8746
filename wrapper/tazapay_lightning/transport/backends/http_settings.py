"""How the service is reached, and what it means when it is not, whichever library carries the requests."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tazapay_lightning.errors import APIConnectionError, APITimeoutError, ConfigurationError
from tazapay_lightning.transport.exchange import Request
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.transport.settings import Configuration
from tazapay_lightning.values.safe_text import printable

__all__ = ["advice_on", "is_distrust", "is_told_by_the_environment", "not_reached", "proxy_for"]

_PROXIES = frozenset({"http", "https", "socks5", "socks5h"})
_LONGEST_WORDS = 300


def proxy_for(configuration: Configuration) -> str | None:
    """Return the URL of the proxy that the environment names for the service (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

    An emulator on this machine, the only one to speak plain http, is not looked for behind a proxy.

    Raises:
        ConfigurationError: what they name is no proxy's URL. It is not shown: credentials may be part of it.
    """
    address = urlsplit(configuration.base_url)
    if not configuration.is_encrypted or proxy_bypass(f"{address.hostname}:{address.port or 443}"):
        return None
    named = getproxies()
    proxy = named.get("https") or named.get("all")
    if not proxy:
        return None
    return _checked_proxy(proxy if "://" in proxy else f"http://{proxy}", configuration)


def _checked_proxy(url: str, configuration: Configuration) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # reading it is what checks it
        host.encode("idna")
    except ValueError:
        host = ""
    if not host or not host.isprintable() or " " in host or parts.scheme not in _PROXIES:
        raise ConfigurationError(
            f"the environment names a proxy for {configuration.base_url} that is none (HTTPS_PROXY, ALL_PROXY): it "
            "must be a URL such as http://proxy.example:3128"
        )
    return url


def is_told_by_the_environment(configuration: Configuration) -> bool:
    """Tell whether the environment names a proxy or certificates: what it says is tried at once, and not at night."""
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or proxy_for(configuration)
    return configuration.is_encrypted and bool(told)


def not_reached(
    failure: BaseException, words: str, request: Request, *, late: bool, nothing_sent: bool, permanent: bool
) -> APIConnectionError:
    """Return the documented error that a failure of the connection amounts to.

    Args:
        failure: what the library raised.
        words: what it says; it may repeat whole kilobytes of what came.
        request: what was sent, or was to be.
        late: whether the time was up.
        nothing_sent: whether it is certain that the service did not get the request.
        permanent: whether another attempt would fail in the same way.
    """
    what = printable(request.redaction.text(words), most=_LONGEST_WORDS) or type(failure).__name__
    _clean(failure, request.redaction)
    if late:
        return APITimeoutError(f"no complete reply from {request.base_url} in time ({what})", nothing_sent=nothing_sent)
    return APIConnectionError(
        f"no complete reply from {request.base_url}: {what}{advice_on(failure)}",
        nothing_sent=nothing_sent,
        permanent=permanent or is_distrust(failure),
    )


def _clean(failure: BaseException, redaction: Redaction) -> None:
    """Take out of a failure and its causes, which a traceback shows, what a peer may have sent back of what it got."""
    for link in _chain(failure):
        link.args = tuple(redaction.text(each) if isinstance(each, str) else each for each in link.args)
        if isinstance(getattr(link, "message", None), str):  # aiohttp's show this and not their arguments
            link.message = redaction.text(link.message)  # type: ignore[attr-defined]  # it was just seen to be there


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
