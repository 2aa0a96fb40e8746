"""HTTP Basic authentication: the API key is the user name, the API secret the password (Tazapay's documentation)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from attrs import field, frozen

from tazapay_lightning_emulator.api.replies import Code, Problem, RequestRefusedError

DEFAULT_API_KEY = "emulator-api-key"
DEFAULT_API_SECRET = "emulator-api-secret"  # noqa: S105 - published on purpose: it opens nothing but an emulator


@frozen
class Credentials:
    """The one pair of key and secret that an emulator accepts.

    Raises:
        ValueError: one of them is empty, or the key holds a colon, which HTTP Basic cannot carry in a user name.

    Example:
        >>> Credentials("a-key", "a-secret")
        Credentials(api_key='a-key')
    """

    api_key: str = field()
    api_secret: str = field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse credentials that HTTP Basic cannot carry."""
        if not self.api_key or ":" in self.api_key:
            raise ValueError("api_key must be a string that is not empty and holds no colon")
        if not self.api_secret:
            raise ValueError("api_secret must be a string that is not empty")

    @property
    def caller(self) -> str:
        """The SHA-256 of the API key in hex digits: a file names the caller by it, so that it holds no key."""
        return hashlib.sha256(self.api_key.encode()).hexdigest()


def authenticate(headers: Sequence[str], accepted: Credentials) -> None:
    """Refuse a request whose Authorization header does not hold the accepted pair.

    Args:
        headers: the values of all Authorization headers of the request.
        accepted: the pair to compare with, in constant time.

    Raises:
        RequestRefusedError: 401 with code 109 (nothing given), 108 (not HTTP Basic) or 111 (another key or secret), as
            in Tazapay's documentation. That a wrong secret is 111 as well is an assumption.
    """
    match headers:
        case [] | [""]:
            raise _unauthorized(Code.EMPTY_BASIC_AUTH, "the Authorization header is missing or empty")
        case [header]:
            api_key, api_secret = _user_and_password(header)
        case _:
            raise _unauthorized(Code.BAD_BASIC_AUTH, "more than one Authorization header")
    # both comparisons always run, so that the duration does not reveal which of the two was wrong
    key_matches = hmac.compare_digest(api_key, accepted.api_key.encode())
    secret_matches = hmac.compare_digest(api_secret, accepted.api_secret.encode())
    if not (key_matches & secret_matches):
        raise _unauthorized(Code.BAD_API_KEY, "the API key or the API secret is not the one of this emulator")


def _user_and_password(header: str) -> tuple[bytes, bytes]:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        raise _unauthorized(Code.BAD_BASIC_AUTH, "the Authorization header is not HTTP Basic")
    if not token.strip():
        raise _unauthorized(Code.EMPTY_BASIC_AUTH, "HTTP Basic without credentials")
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
        raise _unauthorized(Code.BAD_BASIC_AUTH, "the HTTP Basic credentials are not Base64") from None
    if not colon:
        raise _unauthorized(Code.BAD_BASIC_AUTH, "the HTTP Basic credentials hold no colon")
    return user, password


def _unauthorized(code: Code, message: str) -> RequestRefusedError:
    remarks = "send HTTP Basic with the API key as user name and the API secret as password"
    challenge = {"WWW-Authenticate": 'Basic realm="tazapay-lightning-emulator"'}  # RFC 9110 asks for one with a 401
    return RequestRefusedError(401, "authentication failed", [Problem(code, message, remarks)], challenge)
