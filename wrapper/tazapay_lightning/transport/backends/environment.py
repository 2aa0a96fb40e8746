"""The proxy and the certificates that the environment names."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tazapay_lightning._loading import load, loading
from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.transport.settings import Settings

if TYPE_CHECKING:  # loaded by the functions below, and not for a client that names no certificates and makes no call
    import ssl

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
    by_variable = any(name.lower().endswith("_proxy") for name in os.environ)
    if not settings.is_encrypted or not (by_variable or sys.platform in {"darwin", "win32"}):
        return None
    system = load("urllib.request")  # which takes a tenth of httpx's time to load
    named, address = system.getproxies(), urlsplit(settings.base_url)
    host, port = address.hostname or "", address.port or 443
    # the first reads what systems other than Linux say beside the environment
    if system.proxy_bypass(f"{host}:{port}") or _is_direct(host, port, named.get("no", "")):
        return None
    proxy = named.get("https") or named.get("all")
    if not proxy:
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    load("encodings.idna")
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


def authorities(default: Callable[[], ssl.SSLContext] | None = None) -> ssl.SSLContext | None:
    """Return the TLS settings with the authorities that the environment names, or those of `default` if it names none.

    All authorities take 15 ms and 700 KiB. Clients share them if the environment, and the file that it names, have not
    changed; those of a folder are loaded one by one when needed, and not shared.
    """
    file, folder, key_log = map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"))
    if not (file or folder or default):
        return None
    load("ssl")
    import ssl

    if folder and not file:
        return ssl.create_default_context(capath=folder)
    found = os.stat(file) if file else None  # noqa: PTH116 - pathlib is not loaded yet
    # the class: some libraries put another in its place, which trusts what the system trusts
    version = (ssl.SSLContext, found and (found.st_ino, found.st_size, found.st_mtime_ns), key_log)
    return _shared(file or default, version)


@lru_cache(maxsize=2)
def _shared(source: Any, _version: object) -> ssl.SSLContext:
    with loading:  # certifi loads what reads its file
        default = load("ssl").create_default_context
        made: ssl.SSLContext = default(cafile=source) if isinstance(source, str) else source()
    return made


def environment_names_proxy(settings: Settings) -> bool:
    """Tell whether the environment names a proxy, and load the authorities that it names, for the first call.

    Raises:
        ConfigurationError: they cannot be read, or the proxy is none.
    """
    if settings.is_encrypted:
        with setting_up(settings), loading:  # OpenSSL makes itself ready: see `_loading`
            authorities()
    return proxy_for(settings) is not None


@contextmanager
def setting_up(settings: Settings, *failures: type[Exception]) -> Iterator[None]:
    """Name what is wrong with the address, or with a proxy or certificates that the environment names."""
    expected: tuple[type[Exception], ...] = (ValueError, OSError, ImportError, *failures)
    try:
        yield
    except expected as error:
        see = "see base_url, and the environment variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
        raise ConfigurationError(f"no HTTP client can be made for {settings.base_url}: {error} ({see})") from error
