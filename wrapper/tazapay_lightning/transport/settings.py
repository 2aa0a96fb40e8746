"""A client's settings, from arguments and environment variables, checked before the first request."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from ipaddress import IPv6Address
from typing import Any, Literal, NoReturn, get_args
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from tazapay_lightning._loading import load
from tazapay_lightning.errors import ConfigurationError, InvalidArgumentError
from tazapay_lightning.transport.logs import log_as_the_environment_says
from tazapay_lightning.values.durations import seconds
from tazapay_lightning.values.refusals import check_int, refused
from tazapay_lightning.values.safe_text import shown

Environment = Literal["sandbox", "production"]
MetadataFormat = Literal["string", "object"]

_HOSTS: Mapping[Environment, str] = {"sandbox": "service-sandbox.tazapay.com", "production": "service.tazapay.com"}
_LOOPBACK = r"localhost|::1|127(?:\.(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3}"
_HEADER_NAME = r"(?a)[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER_VALUE = re.compile(r"[\t -~]*", re.ASCII)
_HEADERS_OF_THE_CLIENT = (
    "accept-encoding|authorization|connection|content-.*|expect|host|idempotency-key|keep-alive|proxy-.*|te|trailer|"
    "transfer-encoding|upgrade"
)


class Credentials:
    """An API key and its secret, which no ``repr``, ``str``, ``vars`` or pickle of this object shows.

    Args:
        key: as the caller gave it, like the secret; None for what the environment has.
        secret: checked by `complete`, so that no frame holds them in plain.
    """

    __slots__ = ("_key", "_secret", "_token")

    def __init__(self, key: Any, secret: Any) -> None:
        self._key, self._secret, self._token = key, secret, ""

    def complete(self, variables: Mapping[str, str]) -> None:
        """Take what was not given from the environment's variables, and check both."""
        self._key = _credential(self._key, "api_key", "TAZAPAY_API_KEY", variables)
        self._secret = _credential(self._secret, "api_secret", "TAZAPAY_API_SECRET", variables)
        self._token = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()

    def authorization(self) -> str:
        """Return the value of the ``Authorization`` header: HTTP Basic (RFC 7617), key as user, secret as password."""
        return "Basic " + self._token

    def __iter__(self) -> Iterator[str]:
        """Yield every text that must never be repeated."""
        return iter((self._key, self._secret, self._token))

    def mark(self, salt: str) -> str:
        """Return 16 hex digits of a salted hash of the API key, by which it can be told from others."""
        sha256 = load("hashlib").sha256  # as in `values.memos`
        return str(sha256(f"{salt}:{self._key}".encode()).hexdigest()[:16])

    def __repr__(self) -> str:
        return "Credentials(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: make a client in each process")


@frozen(kw_only=True, eq=False, repr=False)
class Settings:
    """A client's settings, or those of one call: complete and valid."""

    base_url: str
    environment: Environment
    credentials: Credentials = field(repr=False)  # rich shows fields of classes without a repr, too
    timeout: float = 30.0
    """Seconds that one attempt may take."""
    deadline: float = 90.0
    """Seconds that a whole call may take."""
    max_retries: int = 2
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """What goes along with every request, each name with capitals as in ``User-Agent``."""
    metadata_format: MetadataFormat = "string"
    check_echo: bool = True

    @property
    def network(self) -> str | None:
        """The Bitcoin network of its payment requests, as BOLT #11 names it; None where that is not known."""
        return "bc" if _environment_of(self.base_url) == "production" else None

    @property
    def is_encrypted(self) -> bool:
        """True for https; False for plain http, which is for emulators: see `allow_http` of the clients."""
        return urlsplit(self.base_url).scheme == "https"

    @classmethod
    def build(
        cls,
        *,
        credentials: Credentials,
        environment: object,
        base_url: object,
        allow_http: object = False,
        variables: Mapping[str, str] = os.environ,
        **options: object,
    ) -> Settings:
        """Complete the arguments of a client from the environment's variables, and validate them.

        Args:
            credentials: as given; completed by the variables TAZAPAY_API_KEY and TAZAPAY_API_SECRET.
            environment: "sandbox" or "production"; or the variable TAZAPAY_ENVIRONMENT; or "sandbox".
            base_url: or the variable TAZAPAY_BASE_URL; or what belongs to the environment.
            allow_http: whether `base_url` may be plain http to another machine; or the variable TAZAPAY_ALLOW_HTTP=1.
            variables: those of the process; TAZAPAY_LOG is among them.
            options: those that `changed` takes; the defaults of a client where they are left out.

        Raises:
            ConfigurationError: naming the argument, the variable and what would be accepted, and no secret.
        """
        log_as_the_environment_says(variables)
        try:
            checked: dict[str, Any] = {name: _CHECKS[name](value) for name, value in options.items()}
            named = environment if environment is not None else variables.get("TAZAPAY_ENVIRONMENT") or "sandbox"
            named = _one_of(named, argument="environment (or TAZAPAY_ENVIRONMENT)", accepted=get_args(Environment))
        except InvalidArgumentError as error:
            raise ConfigurationError(str(error)) from None
        address = base_url if base_url is not None else variables.get("TAZAPAY_BASE_URL") or f"https://{_HOSTS[named]}"
        url = _checked_url(address, allow_http=allow_http is True or variables.get("TAZAPAY_ALLOW_HTTP") == "1")
        own = _environment_of(url)
        # an argument that somebody wrote gives way to no variable, and of two variables neither to the other
        is_said = environment is not None or (own and variables.get("TAZAPAY_ENVIRONMENT"))
        if base_url is None and is_said and own != named:
            problem = f'environment (or TAZAPAY_ENVIRONMENT) is "{named}", but TAZAPAY_BASE_URL is {url}'
            raise ConfigurationError(f"{problem}: unset one of them, or pass base_url, which wins over both")
        credentials.complete(variables)
        return cls(base_url=url, environment=own or named, credentials=credentials, **checked)

    def changed(self, **options: object) -> Settings:
        """Return these settings with other options; those that are None stay, and headers are added.

        Args:
            options: `timeout` and `deadline` in seconds, `max_retries`, `headers`, `metadata_format`, `check_echo`.

        Raises:
            InvalidArgumentError: naming the option and what would be accepted.
        """
        checked: dict[str, Any] = {name: _CHECKS[name](value) for name, value in options.items() if value is not None}
        if "headers" in checked:
            checked["headers"] = {**self.headers, **checked["headers"]}
        return evolve(self, **checked) if checked else self

    def within(self, seconds: float) -> Settings:
        """Return these settings for a call that may take no longer than so many seconds."""
        return evolve(self, deadline=min(self.deadline, seconds))


def _one_of(value: object, *, argument: str, accepted: tuple[Any, ...]) -> Any:
    for each in accepted:
        if isinstance(value, type(each)) and value == each:
            return each
    choices = (f'"{each}"' if isinstance(each, str) else str(each) for each in accepted)
    raise refused(argument, " or ".join(choices), shown(value))


def _headers(value: object) -> Mapping[str, str]:
    """Check headers (RFC 9110, section 5): no value is shown, since it may be a secret."""
    accepted = "a mapping of names to values, both str"
    if not isinstance(value, Mapping):
        raise refused("headers", accepted, type(value).__name__)
    for name, text in value.items():
        if not isinstance(name, str) or not re.fullmatch(_HEADER_NAME, name):
            raise refused("headers", accepted, f"{shown(name)}, which is no name of a header")
        if re.fullmatch(_HEADERS_OF_THE_CLIENT, name.lower()):
            raise refused("headers", "those of the caller", f"{name}, which the client itself sets")
        header_value(text, name=name)
    return {name.title(): text for name, text in value.items()}


def header_value(value: object, *, name: str = "a header") -> str:
    """Return a value that every backend sends as it is. Any other is refused, and not shown."""
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value) or value != value.strip():
        raise refused("headers", "texts", f"a value of {name} that is not visible ASCII without blanks around it")
    return value


_CHECKS: Mapping[str, Callable[[object], object]] = {
    "timeout": partial(seconds, argument="timeout"),
    "deadline": partial(seconds, argument="deadline"),
    "max_retries": partial(check_int, argument="max_retries", least=0, most=20),
    "headers": _headers,
    "metadata_format": partial(_one_of, argument="metadata_format", accepted=get_args(MetadataFormat)),
    "check_echo": partial(_one_of, argument="check_echo", accepted=(True, False)),
}
"""How each option is checked."""


def _credential(value: object, argument: str, variable: str, variables: Mapping[str, str]) -> str:
    where = f"{argument} (argument)" if value is not None else f"{variable} (environment variable)"
    value = variables.get(variable) if value is None else value
    if value is None or value == "":
        ways = "pass api_key and api_secret, or set TAZAPAY_API_KEY and TAZAPAY_API_SECRET"
        raise ConfigurationError(f"no credentials: {ways} ({argument} is missing)")
    if not isinstance(value, str):
        raise ConfigurationError(f"{where} must be a str; got {type(value).__name__}")
    if not all("!" <= character <= "~" for character in value):
        cause = "a line end or a blank is often copied along with it"
        raise ConfigurationError(f"{where} must be visible ASCII without blanks; {cause}")
    if argument == "api_key" and ":" in value:
        raise ConfigurationError(f"{where} must not hold a colon: HTTP Basic ends the user name there (RFC 7617)")
    return value


def _checked_url(url: object, *, allow_http: bool) -> str:
    wanted = "base_url (or TAZAPAY_BASE_URL) must be an https URL such as https://service.tazapay.com"
    if not isinstance(url, str):
        raise ConfigurationError(f"{wanted}; got {type(url).__name__}")
    if not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise ConfigurationError(f"{wanted}; got one with a blank, a backslash or a character outside visible ASCII")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # reading the port is what checks it
        _check_labels(host)
        if "[" in parts.netloc:
            IPv6Address(host)  # Python takes addresses of versions to come, too
    except ValueError as error:
        raise ConfigurationError(f"{wanted}; {error}") from None
    if not host:
        raise ConfigurationError(f"{wanted}; got one without a scheme or a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{wanted}, without user name and password: credentials are api_key and api_secret")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"{wanted}, without query or fragment")
    if {".", ".."} & set(parts.path.split("/")):
        raise ConfigurationError(f"{wanted}, without dot segments in its path")
    may_be_plain = allow_http and not f".{host.rstrip('.')}".endswith(".tazapay.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and (may_be_plain or re.fullmatch(_LOOPBACK, host))):
        but = "with allow_http=True or TAZAPAY_ALLOW_HTTP=1 for others too, but never for Tazapay's own"
        raise ConfigurationError(f"{wanted}; http is for loopback addresses, {but}; got {parts.scheme}://{host}")
    return url.rstrip("/")


@lru_cache(maxsize=64)  # asked for with every reply
def _environment_of(url: str) -> Environment | None:
    """Return the environment that an address of Tazapay's belongs to; None for a gateway or an emulator."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return next((environment for environment, own in _HOSTS.items() if own == host), None)


def _check_labels(host: str) -> None:
    """Refuse a name that no lookup takes (RFC 1035), or that only some HTTP libraries refuse (RFC 5890)."""
    *labels, last = host.lower().split(".")
    if "" in labels or max(map(len, (*labels, last))) > 63:
        raise ValueError("a label of its host is empty, or longer than 63 characters")
    for label in (*labels, last):
        if label.startswith("xn--") and not label.removeprefix("xn--").encode().decode("punycode"):
            raise ValueError(f"the label {label} of its host encodes no name")
