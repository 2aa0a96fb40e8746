"""The proxy and the certificates that the environment names."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.settings import Settings

_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
_VISIBLE = re.compile(rb"[!-~]+")


def proxy_for(settings: Settings) -> str | None:
    """Return the URL of the proxy that the environment names for the service (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

    Plain http, which is for emulators, on this machine or in another container, never goes through a proxy.

    Raises:
        ConfigurationError: they name something else. It is not shown: credentials may be part of it.
    """
    address = urlsplit(settings.base_url)
    if not settings.is_encrypted or proxy_bypass(f"{address.hostname}:{address.port or 443}"):
        return None
    named = getproxies()
    proxy = named.get("https") or named.get("all")
    if not proxy:
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
        if parts.scheme in _SCHEMES and _VISIBLE.fullmatch((parts.hostname or "").encode("idna")):
            return url
    problem = f"the environment names a proxy for {settings.base_url} that is none (HTTPS_PROXY, ALL_PROXY)"
    raise ConfigurationError(f"{problem}: it must be a URL such as http://proxy.example:3128")


def environment_names_proxy_or_certificates(settings: Settings) -> bool:
    """Tell whether the environment names a proxy or certificates, which are tried at construction."""
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or proxy_for(settings)
    return settings.is_encrypted and bool(told)
