"""Credentials, environments and addresses: complete and right, or refused by name when the client is made."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from tazapay_lightning import AsyncLightningClient, ConfigurationError, LightningClient
from tazapay_lightning.transport.settings import Credentials, Settings
from tests.support.settings import settings
from tests.support.tables import each_row

CLIENTS = [LightningClient, AsyncLightningClient]
both_clients = pytest.mark.parametrize("client", CLIENTS)
SECRET = "s3cret-canary"


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TAZAPAY_API_KEY", "key-of-environment")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "secret-of-environment")
    return monkeypatch


@both_clients
def test_what_is_not_an_argument_comes_from_the_environment(client: Any, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TAZAPAY_ENVIRONMENT", "production")
    assert repr(client()) == f"{client.__name__}(host='service.tazapay.com')"
    variables.setenv("TAZAPAY_BASE_URL", "https://gateway.example")
    assert repr(client()) == f"{client.__name__}(host='gateway.example')"


@both_clients
def test_an_argument_wins_over_the_environment(client: Any, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TAZAPAY_ENVIRONMENT", "production")
    assert "service-sandbox" in repr(client(environment="sandbox"))
    assert "127.0.0.1:8787" in repr(client(environment="sandbox", base_url="http://127.0.0.1:8787"))


SANDBOX, PRODUCTION = "https://service-sandbox.tazapay.com", "https://service.tazapay.com"
GATEWAY, EMULATOR = "https://gateway.example", "http://127.0.0.1:8787"
OWN = {"sandbox": SANDBOX, "production": PRODUCTION}
NAMED = (None, "sandbox", "production")
ADDRESSES = (None, SANDBOX, PRODUCTION, f"{PRODUCTION.upper()}.:443/", GATEWAY, EMULATOR)


def belongs_to(url: str) -> str | None:
    return {SANDBOX: "sandbox", PRODUCTION: "production"}.get(url.lower().removesuffix(".:443/"))


@each_row("argument", NAMED, ids="argument {}".format)
@each_row("variable", NAMED, ids="variable {}".format)
@each_row("url", ADDRESSES, ids=str)
def test_a_variable_never_leads_away_from_the_environment_that_was_named(
    argument: str | None, variable: str | None, url: str | None
) -> None:
    """The argument wins over the variable TAZAPAY_ENVIRONMENT; TAZAPAY_BASE_URL wins over neither in silence."""
    variables = {"TAZAPAY_ENVIRONMENT": variable, "TAZAPAY_BASE_URL": url}
    given = {name: value for name, value in variables.items() if value is not None}
    named = argument or variable or "sandbox"
    if url is None:
        made = configuration(environment=argument, variables=given)
        assert (made.base_url, made.environment) == (OWN[named], named)
        return
    own = belongs_to(url)
    if (argument and own != argument) or (variable and own and own != named):
        with pytest.raises(ConfigurationError, match=f'is "{named}", but TAZAPAY_BASE_URL is .*: unset one of them'):
            configuration(environment=argument, variables=given)
    else:
        made = configuration(environment=argument, variables=given)
        assert (made.base_url, made.environment) == (url.rstrip("/"), own or named)


@both_clients
def test_a_client_refuses_a_variable_that_leads_away(client: Any, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TAZAPAY_BASE_URL", GATEWAY)
    with pytest.raises(ConfigurationError, match='is "production", but TAZAPAY_BASE_URL is .*: unset one of them'):
        client(environment="production")


@each_row("argument", NAMED, ids="argument {}".format)
@each_row("variable", NAMED, ids="variable {}".format)
@each_row("url", ADDRESSES[1:], ids=str)
def test_an_address_that_is_an_argument_wins_over_everything(
    argument: str | None, variable: str | None, url: str
) -> None:
    given = {"TAZAPAY_BASE_URL": "https://elsewhere.example", **({"TAZAPAY_ENVIRONMENT": variable} if variable else {})}
    made = configuration(environment=argument, base_url=url, variables=given)
    assert (made.base_url, made.environment) == (url.rstrip("/"), belongs_to(url) or argument or variable or "sandbox")


@both_clients
def test_a_client_shows_the_environment_that_its_address_belongs_to(client: Any, variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TAZAPAY_BASE_URL", "https://elsewhere.example")
    variables.setenv("TAZAPAY_ENVIRONMENT", "sandbox")
    made = client(environment="sandbox", base_url=PRODUCTION)
    assert (made.base_url, made.environment) == (PRODUCTION, "production")


@both_clients
def test_the_sandbox_is_the_default(client: Any) -> None:
    assert repr(client("k", "s")) == f"{client.__name__}(host='service-sandbox.tazapay.com')"


def test_credentials_of_the_environment_are_sent(variables: pytest.MonkeyPatch) -> None:
    built = configuration(api_key=None, api_secret=None, variables={"TAZAPAY_API_KEY": "a", "TAZAPAY_API_SECRET": "b"})
    assert built.credentials.authorization() == "Basic YTpi"


def configuration(**arguments: Any) -> Settings:
    return settings(**{"api_key": "k", "api_secret": "s", **arguments})


@each_row(
    "url",
    [
        "https://service.tazapay.com", "https://service.tazapay.com/", "https://gateway.example:8443/tazapay",
        "http://127.0.0.1:8787", "http://127.8.9.1", "http://localhost:1", "http://[::1]:8787", "https://[2001:db8::1]",
    ],
)  # fmt: skip
def test_https_anywhere_and_http_on_loopback_are_accepted(url: str) -> None:
    assert configuration(base_url=url).base_url == url.rstrip("/")


ELSEWHERE = [
    "http://emulator:8787",
    "http://10.0.0.1",
    "http://0.0.0.0:80",
    "http://nottazapay.com",
    "http://[2001:db8::1]",
]


@each_row("url", ELSEWHERE)
@each_row(
    ("allowed", "arguments"),
    [
        (True, {"allow_http": True}),
        (True, {"variables": {"TAZAPAY_ALLOW_HTTP": "1"}}),
        (True, {"allow_http": False, "variables": {"TAZAPAY_ALLOW_HTTP": "1"}}),
        (False, {}),
        (False, {"allow_http": "yes"}),
        *((False, {"variables": {"TAZAPAY_ALLOW_HTTP": value}}) for value in ("", "0", "no", "11")),
    ],
    ids=str,
)
def test_http_leaves_this_machine_only_where_that_is_allowed(
    url: str, allowed: bool, arguments: dict[str, Any]
) -> None:
    if allowed:
        assert configuration(base_url=url, **arguments).base_url == url
        return
    with pytest.raises(ConfigurationError, match="allow_http=True or TAZAPAY_ALLOW_HTTP=1"):
        configuration(base_url=url, **arguments)


@each_row(
    "host",
    [
        "service.tazapay.com", "service-sandbox.tazapay.com", "SERVICE.Tazapay.COM", "service.tazapay.com.",
        "tazapay.com", "any.other.tazapay.com:8080", "service.tazapay.com.:80",
    ],
)  # fmt: skip
def test_tazapay_itself_is_never_spoken_to_in_plain(host: str) -> None:
    with pytest.raises(ConfigurationError, match="never for Tazapay's own"):
        configuration(base_url=f"http://{host}", allow_http=True, variables={"TAZAPAY_ALLOW_HTTP": "1"})


@both_clients
def test_both_clients_take_allow_http(client: Any) -> None:
    assert client("k", "s", base_url="http://emulator:8787", allow_http=True).base_url == "http://emulator:8787"


@pytest.mark.parametrize("scheme", ["ftp", "ws", "file"])
def test_allow_http_allows_no_other_scheme(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        configuration(base_url=f"{scheme}://emulator:8787", allow_http=True)


@each_row(
    ("arguments", "message"),
    [
        ({"api_key": None}, "no credentials.*TAZAPAY_API_KEY and TAZAPAY_API_SECRET.*api_key is missing"),
        ({"api_secret": None}, "no credentials.*TAZAPAY_API_KEY and TAZAPAY_API_SECRET.*api_secret is missing"),
        ({"api_key": ""}, "api_key is missing"),
        ({"api_secret": ""}, "api_secret is missing"),
        ({"api_key": None, "variables": {"TAZAPAY_API_KEY": ""}}, "api_key is missing"),
        (
            {"api_key": None, "variables": {"TAZAPAY_API_KEY": "k\n"}},
            r"^TAZAPAY_API_KEY \(environment variable\) .* line end",
        ),
        ({"api_key": b"key"}, r"^api_key \(argument\) must be a str; got bytes"),
        ({"api_secret": 1}, r"^api_secret \(argument\) must be a str; got int"),
        *(
            ({"api_secret": SECRET + end}, r"^api_secret \(argument\) must be visible ASCII")
            for end in ("\n", " ", "\x00", "é", "\r\nX: 1")
        ),
        ({"api_key": "key:more"}, "api_key.*must not hold a colon"),
        ({"environment": "live"}, '^environment.*must be "sandbox" or "production"; got \'live\''),
        ({"environment": "Production"}, "^environment"),
        *(({"environment": value}, "^environment") for value in (1, [], {}, 10**5000, "")),
        ({"variables": {"TAZAPAY_ENVIRONMENT": "prod"}}, "TAZAPAY_ENVIRONMENT.*got 'prod'"),
        ({"metadata_format": "json"}, '^metadata_format must be "string" or "object"; got'),
        *(({"metadata_format": value}, "^metadata_format") for value in (None, [], 10**5000, "")),
        ({"check_echo": None}, "^check_echo must be True or False"),
        ({"check_echo": 1}, "^check_echo must be True or False"),
        *(
            ({"base_url": url}, rf"^base_url \(or TAZAPAY_BASE_URL\) must be an https URL.*{why}")
            for url, why in (
                ("http://service.tazapay.com", "http is for loopback addresses"),
                ("http://localhost.example", "loopback"),
                ("http://127.0.0.1.example", "loopback"),
                ("http://127.0.0.256", "loopback"),
                ("http://127.0.0.01", "loopback"),
                ("ftp://127.0.0.1", "loopback"),
                ("file:///etc/passwd", "without a scheme or a host"),
                ("service.tazapay.com", "without a scheme or a host"),
                ("//service.tazapay.com", "https"),
                ("https://", "without a scheme or a host"),
                ("https:///path", "without a scheme or a host"),
                ("https://user:pass@service.tazapay.com", "without user name and password"),
                ("https://user@service.tazapay.com", "without user name and password"),
                ("https://service.tazapay.com?x=1", "without query or fragment"),
                ("https://service.tazapay.com/?", "without query or fragment"),
                ("https://service.tazapay.com#top", "without query or fragment"),
                ("https://service.tazapay.com/a/../b", "without dot segments"),
                ("https://service.tazapay.com:port", "[Pp]ort"),
                ("https://service.tazapay.com:99999", "[Pp]ort"),
                ("https://[::1", "IPv6"),
                ("https://a..b", "label"),
                (f"https://{'a' * 64}.example", "label"),
                ("https://service.tazapay.com\\@evil.example", "backslash"),
                ("https://service.tazapay.com/\r\nX-Injected: 1", "blank"),
                (" https://service.tazapay.com", "blank"),
                ("https://sérvice.example", "outside visible ASCII"),
                ("", "without a scheme or a host"),
                (1, "got int"),
                (b"https://service.tazapay.com", "got bytes"),
            )
        ),
        ({"variables": {"TAZAPAY_BASE_URL": "http://service.tazapay.com"}}, "TAZAPAY_BASE_URL"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){message}") as caught:
        configuration(**arguments)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@both_clients
def test_a_client_without_credentials_is_refused_when_it_is_made(client: Any) -> None:
    with pytest.raises(ConfigurationError, match="TAZAPAY_API_KEY and TAZAPAY_API_SECRET"):
        client()


@pytest.mark.parametrize(
    ("client", "own"),
    [(LightningClient, httpx.AsyncClient()), (AsyncLightningClient, httpx.Client()), (LightningClient, 1)],
)
def test_an_http_client_of_the_wrong_kind_is_refused(client: Any, own: object) -> None:
    with pytest.raises(ConfigurationError, match=r"http_client must be an httpx\.(Async)?Client; got"):
        client("k", "s", http_client=own)


@both_clients
def test_the_repr_of_a_client_shows_its_host_and_nothing_secret(client: Any) -> None:
    assert repr(client("my-key", SECRET)) == f"{client.__name__}(host='service-sandbox.tazapay.com')"


def test_credentials_show_nothing_and_do_not_travel() -> None:
    credentials = Credentials("my-key", SECRET)
    assert repr(credentials) == str(credentials) == "Credentials(...)"
    ways: list[Callable[[object], object]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for send in ways:
        with pytest.raises(TypeError, match="make a client in each process"):
            send(credentials)


def test_a_closed_client_says_so() -> None:
    client = LightningClient("k", "s")
    client.close()
    client.close()
    with pytest.raises(ConfigurationError, match="closed; make a new one"):
        client.create_invoice(amount_sats=1)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_closed_async_client_says_so(anyio_backend: str) -> None:
    client = AsyncLightningClient("k", "s")
    await client.aclose()
    await client.aclose()
    with pytest.raises(ConfigurationError, match="closed; make a new one"):
        await client.create_invoice(amount_sats=1)


@both_clients
@each_row(
    "url",
    ["https://xn--.com", "https://api.XN--.com", "https://xn--999999999.com", "https://xn--0azz.com", "https://[v1.a]"],
)
def test_an_address_that_http_cannot_use_is_refused_when_the_client_is_made(
    client: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # or httpx would be loaded, and refuse it
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="base_url"):
        client("k", "s", base_url=url)


@both_clients
@each_row("url", ["https://xn--fa-hia.de", "https://xn--bcher-kva.example/api"])
def test_an_address_with_an_encoded_name_is_accepted(client: Any, url: str) -> None:
    assert client("k", "s", base_url=url) is not None


@both_clients
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),  # needs a library that is not installed
        ("SSL_CERT_FILE", "nowhere.pem"),
    ],
)
def test_a_setting_of_the_environment_that_cannot_be_used_is_named(
    client: Any, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"no HTTP client can be made .*{variable}") as caught:
        client("k", "s")
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("url", ["https://a.example/!", "https://a.example/~", "https://a.example/X"])
def test_only_slashes_are_taken_off_the_end_of_an_address(url: str) -> None:
    assert configuration(base_url=url + "//").base_url == url


@each_row("path", ["/./a", "/a/../b", "/.", "/.."])
def test_dot_segments_are_refused_wherever_they_are(path: str) -> None:
    with pytest.raises(ConfigurationError, match="without dot segments in its path$"):
        configuration(base_url=f"https://a.example{path}")


@pytest.mark.parametrize("credential", ["!", "~", "!~"])
def test_every_visible_character_may_be_in_a_credential(credential: str) -> None:
    assert next(iter(configuration(api_key=credential).credentials)) == credential


@each_row(
    ("url", "network"),
    [(PRODUCTION, "bc"), (f"{PRODUCTION.upper()}.:443", "bc"), (SANDBOX, None), (GATEWAY, None), (EMULATOR, None)],
)
def test_only_tazapays_own_production_is_known_to_be_on_the_main_network(url: str, network: str | None) -> None:
    assert configuration(base_url=url, environment="production").network == network


@pytest.mark.parametrize(("url", "encrypted"), [("https://a.example", True), ("http://localhost:1", False)])
def test_only_https_is_encrypted(url: str, encrypted: bool) -> None:
    assert configuration(base_url=url).is_encrypted is encrypted


def test_credentials_say_in_these_words_that_they_do_not_travel() -> None:
    with pytest.raises(TypeError, match="^credentials are not pickled: make a client in each process$"):
        pickle.dumps(Credentials("k", "s"))


def test_a_label_that_encodes_nothing_is_named() -> None:
    with pytest.raises(ConfigurationError, match="the label xn-- of its host encodes no name$"):
        configuration(base_url="https://xn--.com")


def test_the_mark_of_a_key_tells_keys_apart_and_depends_on_the_salt() -> None:
    """The first 16 digits of SHA-256 of "salt:key", as journals hold it: another form would not be recognized again."""
    assert Credentials("key", "secret").mark("salt") == "c82b2df7a36eec83"
    assert len({Credentials(key, "secret").mark(salt) for key in ("a", "b") for salt in ("c", "d")}) == 4


@each_row(
    ("host", "is_name"),
    [
        *((host, False) for host in ("a..b", ".a", "a..", f"{'a' * 64}.example", f"example.{'a' * 64}")),
        *((host, True) for host in (f"{'a' * 63}.example", "example.", "a", "127.0.0.1")),
    ],
)
def test_a_host_is_refused_if_its_name_cannot_be_looked_up(host: str, is_name: bool) -> None:
    with nullcontext() if is_name else pytest.raises(ConfigurationError, match="empty, or longer than 63 characters$"):
        assert configuration(base_url=f"https://{host}").base_url == f"https://{host}"
    with nullcontext() if is_name else pytest.raises(UnicodeError):
        host.encode("idna")  # as every lookup does
