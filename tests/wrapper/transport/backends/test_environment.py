"""Proxies and certificates of the environment, and the errors for those that cannot be used."""

from __future__ import annotations

import os
import socket
import ssl
import traceback
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import APIConnectionError, AsyncLightningClient, ConfigurationError, LightningClient
from tazapay_lightning.transport.backends.environment import _is_direct, environment_names_proxy, proxy_for
from tazapay_lightning.transport.backends.httpx import certificates
from tazapay_lightning.transport.settings import Settings
from tests.support.clients import create_kind, each_kind
from tests.support.settings import settings
from tests.support.tables import each_row
from tests.support.wire import Recorder, close

SECRET = "proxys-secret"
PROXIES = ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def an_empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def configuration(base_url: str = "https://service.example") -> Settings:
    return settings(base_url=base_url)


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"ALL_PROXY": "http://proxy.example"}, "http://proxy.example"),
        ({"all_proxy": "socks5://proxy.example"}, "socks5://proxy.example"),
        ({"HTTPS_PROXY": "https://one.example", "ALL_PROXY": "http://two.example"}, "https://one.example"),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"HTTPS_PROXY": "user:word@proxy.example:3128"}, "http://user:word@proxy.example:3128"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "http://[::1]:3128"),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTP_PROXY": "http://proxy.example"}, None),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "other.example, service.example"}, None),
        ({"HTTPS_PROXY": "http://proxy.example", "no_proxy": ".example"}, None),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "vice.example"}, "http://proxy.example"),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "10.0.0.0/8 *.example"}, None),
    ],
    ids=str,
)
def test_the_proxy_is_the_one_that_the_environment_names(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(configuration()) == proxy
    assert environment_names_proxy(configuration()) == (proxy is not None)
    assert proxy_for(configuration("http://127.0.0.1:8080")) is None


DIRECT, PROXIED = True, False
NO_PROXY = [
    ("service.example", "service.example", DIRECT),
    ("service.example", "SERVICE.Example", DIRECT),
    ("service.example", "example", DIRECT),
    ("service.example", ".example", DIRECT),
    ("service.example", "*.example", DIRECT),
    ("service.example", "https://service.example", DIRECT),
    ("service.example", "http://service.example", PROXIED),
    ("service.example", "other.example,\tservice.example ,", DIRECT),
    ("service.example", "localhost service.example", DIRECT),
    ("service.example", "localhost, *", DIRECT),
    ("service.example.", "service.example", DIRECT),
    ("service.example", "service.example.", DIRECT),
    ("service.example", "my.service.example", PROXIED),
    ("service.example", "ice.example", PROXIED),
    ("service.example", "service.example:443", DIRECT),
    ("service.example", "service.example:8443", PROXIED),
    ("service.example:8443", "service.example:8443", DIRECT),
    ("service.example:8443", ".example:443", PROXIED),
    ("service.example", ", . ,*., :443", PROXIED),
    ("service.example", "10.0.0.0/8", PROXIED),
    ("10.1.2.3", "10.1.2.3", DIRECT),
    ("10.1.2.3", "10.1.2.3:443", DIRECT),
    ("10.1.2.3", "10.1.2.3:80", PROXIED),
    ("10.1.2.3", "10.0.0.0/8", DIRECT),
    ("10.1.2.3", "10.9.9.9/8", DIRECT),
    ("10.1.2.3", "192.168.0.0/16, 172.16.0.0/12", PROXIED),
    ("10.1.2.3", "0.0.0.0/0", DIRECT),
    ("10.1.2.3", "10.0.0.0/33", PROXIED),
    ("10.1.2.3", "::/0", PROXIED),
    ("[fd00::5]", "fd00::/8", DIRECT),
    ("[fd00::5]", "fd00::5", DIRECT),
    ("[fd00::5]", "FD00:0:0::5", DIRECT),
    ("[fd00::5]", "fe80::/10", PROXIED),
    ("[::1]", "[::1]", DIRECT),
    ("[::1]", "::1", DIRECT),
    ("[::1]:8443", "[::1]:8443", DIRECT),
    ("[::1]:8443", "[::1]:443", PROXIED),
]


@each_row(("host", "entries", "direct"), NO_PROXY, ids=str)
def test_no_proxy_is_read_as_curl_and_go_read_it(
    host: str, entries: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", entries)
    assert (proxy_for(configuration(f"https://{host}")) is None) == direct


@given(st.ip_addresses(), st.integers(0, 128), st.sampled_from(["{}", "x.example, {}", "[{}]"]))
def test_an_address_goes_direct_if_it_lies_in_a_network_of_no_proxy(address: Any, prefix: int, form: str) -> None:
    network = ip_network(f"{address}/{prefix % (address.max_prefixlen + 1)}", strict=False)
    for each in (network[0], network[-1]):
        assert _is_direct(str(each), 443, form.format(network))
    outside = int(network.broadcast_address) + 1
    if outside < 2**address.max_prefixlen:
        assert not _is_direct(str(type(address)(outside)), 443, form.format(network))


def test_certificates_are_read_only_where_there_is_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/anywhere")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        environment_names_proxy(configuration())
    assert not environment_names_proxy(configuration("http://127.0.0.1:8080"))


NO_PROXIES = [
    f"http://user:{SECRET}@[::1", f"http://user:{SECRET}@proxy.example:99999", f"user:{SECRET}@proxy.example:port",
    f"ftp://user:{SECRET}@proxy.example", f"http://user:{SECRET}@", "://", "http://", "two words", "http://a\x01b",
    f"http://user:{SECRET}@{'a' * 64}.example",
]  # fmt: skip


@pytest.mark.parametrize("proxy", NO_PROXIES, ids=range(len(NO_PROXIES)))
@pytest.mark.parametrize(
    "open_client", [LightningClient, AsyncLightningClient, "aiohttp"], ids=["sync", "async", "aiohttp"]
)
def test_a_proxy_that_is_none_is_told_when_the_client_is_made(
    open_client: Any, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError) as caught:
        make(open_client)
    assert str(caught.value) == (
        "the environment names a proxy for https://service.example that is none (HTTPS_PROXY, ALL_PROXY): it must be a "
        "URL such as http://proxy.example:3128"
    )
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def make(open_client: Any) -> Any:
    if open_client == "aiohttp":
        return AsyncLightningClient("k", "s", base_url="https://service.example", backend="aiohttp")
    return open_client("k", "s", base_url="https://service.example")


def test_aiohttp_refuses_a_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://user:{SECRET}@proxy.example")
    with pytest.raises(
        ConfigurationError, match='speaks to http and https proxies only.*take backend="httpx"'
    ) as caught:
        make("aiohttp")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "open_client", [LightningClient, AsyncLightningClient, "aiohttp"], ids=["sync", "async", "aiohttp"]
)
@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "unreadable"])
def test_certificates_that_cannot_be_read_are_told_when_the_client_is_made(
    content: str | None, open_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "bad.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bad.pem"))
    with pytest.raises(
        ConfigurationError, match=r"^no HTTP client can be made for https://service.example: .*SSL_CERT_FILE"
    ):
        make(open_client)


def test_clients_share_what_they_trust_until_the_file_or_the_environment_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_httpx = certificates(configuration())
    assert certificates(configuration("https://other.example")) is of_httpx
    file = tmp_path / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    of_file = certificates(configuration())
    assert of_file is not of_httpx
    assert certificates(configuration()) is of_file
    trustme.CA().cert_pem.write_to_path(tmp_path / "newer.pem")
    (tmp_path / "newer.pem").replace(file)
    newer = certificates(configuration())
    assert newer.get_ca_certs() != of_file.get_ca_certs()
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert (certificates(configuration()).keylog_filename, newer.keylog_filename) == (str(tmp_path / "keys"), None)


def test_certificates_of_a_folder_are_read_anew_for_each_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert certificates(configuration()) is not certificates(configuration())


def test_what_took_the_place_of_pythons_certificates_is_used_by_the_next_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(certificates(configuration()), ssl.SSLContext)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr("httpx.create_ssl_context", lambda: made)  # Python's own does not find its class then
    monkeypatch.setattr(ssl, "SSLContext", type("OfTheSystem", (ssl.SSLContext,), {}))
    assert certificates(configuration()) is made


@each_kind
@pytest.mark.parametrize(
    ("user_info", "sent"),
    [
        ("user:p%40ss@", b"Basic dXNlcjpwQHNz"),
        ("user:%E2%82%AC@", b"Basic dXNlcjrigqw="),
        ("user@", b"Basic dXNlcjo="),
        ("", None),
    ],
    ids=["escaped", "beyond Latin 1", "no password", "none"],
)
def test_a_proxys_credentials_go_to_the_proxy_and_into_no_message(
    user_info: str, sent: bytes | None, kind: str, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Recorder(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", then=close)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{user_info}127.0.0.1:{listen(proxy).port}")
    with pytest.raises(APIConnectionError, match="407 Proxy Authentication Required") as caught:
        create_kind(kind, "https://service.example", max_retries=0)
    address = f"127.0.0.1:{os.environ['HTTPS_PROXY'].rpartition(':')[2]}"
    assert f"through the proxy {address} (HTTPS_PROXY, ALL_PROXY, NO_PROXY)" in str(caught.value)
    (request,) = proxy.requests
    lines = [line for line in request.split(b"\r\n") if line.lower().startswith(b"proxy-authorization: ")]
    assert lines == ([b"Proxy-Authorization: " + sent] if sent else [])
    assert b"authorization: basic" not in request.lower().replace(b"proxy-authorization", b"")
    chain = everything_shown(caught.value)
    for secret in [part for part in (user_info.rstrip("@"), "dXNlcj", "p@ss") if part]:
        assert secret not in chain


@each_kind
def test_a_proxy_that_is_not_reached_is_named_without_its_credentials(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@{address}")
    with pytest.raises(APIConnectionError) as caught:
        create_kind(kind, "https://service.example", max_retries=0)
    assert f"from https://service.example through the proxy {address} (HTTPS_PROXY" in str(caught.value)
    assert "check base_url" not in str(caught.value)
    assert SECRET not in everything_shown(caught.value)


def everything_shown(error: BaseException | None) -> str:
    """Return what trackers of errors would keep of an error and of its causes."""
    parts = []
    while error is not None:
        parts += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)
