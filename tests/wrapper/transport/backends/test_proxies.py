"""Proxies and certificates of the environment, and the errors for those that cannot be used."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from tazapay_lightning import APIConnectionError, AsyncLightningClient, ConfigurationError, LightningClient
from tazapay_lightning.transport.backends.proxies import environment_names_proxy_or_certificates, proxy_for
from tazapay_lightning.transport.settings import Settings
from tests.support.clients import create_kind, each_kind
from tests.support.settings import settings
from tests.support.wire import Recorder, close

SECRET = "proxys-secret"
PROXIES = ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def an_empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
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
    ],
    ids=str,
)
def test_the_proxy_is_the_one_that_the_environment_names(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(configuration()) == proxy
    assert environment_names_proxy_or_certificates(configuration()) == (proxy is not None)
    assert proxy_for(configuration("http://127.0.0.1:8080")) is None


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_are_told_where_there_is_tls(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/anywhere")
    assert environment_names_proxy_or_certificates(configuration())
    assert not environment_names_proxy_or_certificates(configuration("http://127.0.0.1:8080"))


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
    (request,) = proxy.requests
    lines = [line for line in request.split(b"\r\n") if line.lower().startswith(b"proxy-authorization: ")]
    assert lines == ([b"Proxy-Authorization: " + sent] if sent else [])
    assert b"authorization: basic" not in request.lower().replace(b"proxy-authorization", b"")
    chain = everything_shown(caught.value)
    for secret in [part for part in (user_info.rstrip("@"), "dXNlcj", "p@ss") if part]:
        assert secret not in chain


def everything_shown(error: BaseException | None) -> str:
    """Return what trackers of errors would keep of an error and of its causes."""
    parts = []
    while error is not None:
        parts += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)
