"""Where to call and as whom, from arguments and environment variables, checked before the first request."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Literal, NoReturn, get_args
from urllib.parse import urlsplit

from attrs import field, frozen

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.values.safe_text import shown

__all__ = ["Configuration", "Credentials", "Environment", "MetadataFormat"]

Environment = Literal["sandbox", "production"]
MetadataFormat = Literal["string", "object"]

_HOSTS: Mapping[str, str] = {
    "sandbox": "https://service-sandbox.tazapay.com",
    "production": "https://service.tazapay.com",
}


class Credentials:
    """An API key and its secret, which no ``repr``, ``str``, ``vars`` or pickle of this object shows."""

    __slots__ = ("_key", "_secret", "_token")

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret
        self._token = base64.b64encode(f"{key}:{secret}".encode()).decode()

    def authorization(self) -> str:
        """Return the value of the ``Authorization`` header: HTTP Basic (RFC 7617), key as user, secret as password."""
        return "Basic " + self._token

    def secrets(self) -> tuple[str, ...]:
        """Return every text that must never be repeated."""
        return (self._key, self._secret, self._token)

    def mark(self, salt: str) -> str:
        """Return what tells this API key from others without telling the key: 16 hex digits of a salted hash."""
        return hashlib.sha256(f"{salt}:{self._key}".encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return "Credentials(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: make a client in each process")


@frozen(kw_only=True)
class Configuration:
    """A client's settings, complete and valid."""

    base_url: str
    credentials: Credentials = field(repr=False)
    metadata_format: MetadataFormat
    check_echo: bool

    @property
    def host(self) -> str:
        """Host and port, to be shown."""
        return urlsplit(self.base_url).netloc

    @property
    def network(self) -> str | None:
        """The Bitcoin network of its payment requests, as BOLT #11 names it; None where nobody says."""
        return "bc" if self.base_url == _HOSTS["production"] else None

    @property
    def is_encrypted(self) -> bool:
        """True for https; False for plain http, which only addresses of this machine may use."""
        return urlsplit(self.base_url).scheme == "https"

    @classmethod
    def build(
        cls,
        *,
        api_key: object,
        api_secret: object,
        environment: object,
        base_url: object,
        metadata_format: object,
        check_echo: object,
        variables: Mapping[str, str],
    ) -> Configuration:
        """Complete the arguments of a client from the environment's variables, and validate them.

        Args:
            api_key: or the variable TAZAPAY_API_KEY.
            api_secret: or the variable TAZAPAY_API_SECRET.
            environment: "sandbox" or "production"; or the variable TAZAPAY_ENVIRONMENT; or "sandbox".
            base_url: or the variable TAZAPAY_BASE_URL; or what belongs to the environment.
            metadata_format: "string" or "object".
            check_echo: whether an invoice over another amount is an error.
            variables: `os.environ`.

        Raises:
            ConfigurationError: naming the argument, the variable and what would be accepted, and no secret.
        """
        if not isinstance(metadata_format, str) or metadata_format not in get_args(MetadataFormat):
            raise ConfigurationError(f'metadata_format must be "string" or "object"; got {shown(metadata_format)}')
        if not isinstance(check_echo, bool):
            raise ConfigurationError(f"check_echo must be True or False; got {type(check_echo).__name__}")
        return cls(
            base_url=_base_url(environment, base_url, variables),
            credentials=Credentials(
                _credential(api_key, "api_key", "TAZAPAY_API_KEY", variables),
                _credential(api_secret, "api_secret", "TAZAPAY_API_SECRET", variables),
            ),
            metadata_format=metadata_format,  # type: ignore[arg-type]  # mypy does not narrow by `in get_args()`
            check_echo=check_echo,
        )


def _credential(value: object, argument: str, variable: str, variables: Mapping[str, str]) -> str:
    where = f"{argument} (argument)" if value is not None else f"{variable} (environment variable)"
    if value is None:
        value = variables.get(variable)
    if value is None or value == "":
        raise ConfigurationError(
            f"no credentials: pass api_key and api_secret, or set TAZAPAY_API_KEY and TAZAPAY_API_SECRET "
            f"({argument} is missing)"
        )
    if not isinstance(value, str):
        raise ConfigurationError(f"{where} must be a str; got {type(value).__name__}")
    if not all("!" <= character <= "~" for character in value):
        raise ConfigurationError(
            f"{where} must be visible ASCII without blanks; a line end or a blank is often copied along with it"
        )
    if argument == "api_key" and ":" in value:
        raise ConfigurationError(f"{where} must not hold a colon: HTTP Basic ends the user name there (RFC 7617)")
    return value


def _base_url(environment: object, base_url: object, variables: Mapping[str, str]) -> str:
    if environment is None:
        environment = variables.get("TAZAPAY_ENVIRONMENT") or "sandbox"
    if not isinstance(environment, str) or environment not in _HOSTS:
        raise ConfigurationError(
            f'environment (or TAZAPAY_ENVIRONMENT) must be "sandbox" or "production"; got {shown(environment)}'
        )
    given = base_url if base_url is not None else variables.get("TAZAPAY_BASE_URL") or None
    return _HOSTS[environment] if given is None else _checked_url(given)


def _checked_url(url: object) -> str:
    wanted = "base_url (or TAZAPAY_BASE_URL) must be an https URL such as https://service.tazapay.com"
    if not isinstance(url, str):
        raise ConfigurationError(f"{wanted}; got {type(url).__name__}")
    if not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise ConfigurationError(f"{wanted}; got one with a blank, a backslash or a character outside visible ASCII")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port is what checks it
        (host or "").encode("idna")  # labels that are empty or too long would fail only when the name is looked up
        _check_encoded_labels(host or "")
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
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigurationError(f"{wanted}; http is for loopback addresses only, got {parts.scheme}://{host}")
    return url.rstrip("/")


def _check_encoded_labels(host: str) -> None:
    """Refuse a label that says to hold an encoded name and does not (RFC 5890): not every HTTP library looks at it."""
    for label in host.lower().split("."):
        if label.startswith("xn--") and not label.removeprefix("xn--").encode().decode("punycode"):
            raise ValueError(f"the label {label} of its host encodes no name")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
