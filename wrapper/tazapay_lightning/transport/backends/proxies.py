"""The proxy and the certificates that the environment names."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.settings import Settings

_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
_VISIBLE = rb"[!-~]+"
# an address of IPv6 has colons of its own, and brackets where a port follows it
_DIRECT = r"(?:(?:all|https)://)?[*.]*(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?"


def proxy_for(settings: Settings) -> str | None:
    """Return the URL of the proxy that the environment names for the service (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

    Plain http, which is for emulators, on this machine or in another container, never goes through a proxy.

    Raises:
        ConfigurationError: they name something else. It is not shown: credentials may be part of it.
    """
    named, address = getproxies(), urlsplit(settings.base_url)
    host, port = address.hostname or "", address.port or 443
    # the first reads what systems other than Linux say beside the environment
    if not settings.is_encrypted or proxy_bypass(f"{host}:{port}") or _is_direct(host, port, named.get("no", "")):
        return None
    proxy = named.get("https") or named.get("all")
    if not proxy:
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
        if parts.scheme in _SCHEMES and re.fullmatch(_VISIBLE, (parts.hostname or "").encode("idna")):
            return url
    problem = f"the environment names a proxy for {settings.base_url} that is none (HTTPS_PROXY, ALL_PROXY)"
    raise ConfigurationError(f"{problem}: it must be a URL such as http://proxy.example:3128")


def proxy_address(settings: Settings) -> str | None:
    """Return host and port of that proxy, to be shown."""
    proxy = proxy_for(settings)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None


def _is_direct(host: str, port: int, entries: str) -> bool:
    """Tell whether NO_PROXY names a host, by what curl, Go and httpx have in common.

    An entry is ``*``, a name (which stands for all names below it too), an address, or a network such as 10.0.0.0/8;
    there may be a port after it.
    """
    for entry in entries.lower().replace(",", " ").split():
        found = re.fullmatch(_DIRECT, entry)
        if entry == "*" or (found and int(found[2] or port) == port and _covers(found[1].strip("[]."), host)):
            return True
    return False


def _covers(name: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(name.replace("]", ""), strict=False)
    except ValueError:
        return bool(name) and f".{host.rstrip('.')}".endswith(f".{name}")


def environment_names_proxy_or_certificates(settings: Settings) -> bool:
    """Tell whether the environment names a proxy or certificates, which are tried at construction."""
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or proxy_for(settings)
    return settings.is_encrypted and bool(told)
