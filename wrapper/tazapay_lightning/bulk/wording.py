"""Messages of the package in the words of the command line and its files: options, variables and columns."""

from __future__ import annotations

import re
from collections.abc import Callable

from tazapay_lightning.errors import APIStatusError, RequestFailedError

_ENDINGS = """\
`amount_sats`=123456[ (an int)] or `amount_btc`="0.00123456"[ (a str or a Decimal)]
give `amount_sats` or `amount_btc`, not both
[, as a Decimal, a str or an int] such as "0.001"
Pass `memo_as_hash`[=True] to send its SHA-256, which has no limit
to send a hash that you have, pass `memo_hash` alone
requests per second, a number greater than 0[, or None]
seconds[ as a number, or a timedelta], greater than 0 and at most 86400
[, or a timedelta of whole seconds]
visible ASCII characters, without blanks[, or a uuid.UUID]
[pass api_key and api_secret, or ]set TAZAPAY_API_KEY and TAZAPAY_API_SECRET (`api_key` is missing)
[pass api_key and api_secret, or ]set TAZAPAY_API_KEY and TAZAPAY_API_SECRET (`api_secret` is missing)
without user name and password: credentials are `api_key` and `api_secret`
with [allow_http=True or ]TAZAPAY_ALLOW_HTTP=1 for others too, but never for Tazapay's own
unset one of them, or pass `base_url`, which wins over both
`base_url` is the address of the service without /v3
; redirects are not followed: check `base_url`
too many requests: slow down[, or raise max_retries]
nothing listens there: check `base_url`, and whether the emulator or gateway runs
the name of the host was not found: check `base_url` and the network
its certificate is not trusted: check `base_url`, and SSL_CERT_FILE if it is yours\
""".splitlines()
"""Ends of messages: what is Python's is in brackets, and the names of its arguments are in backticks."""


_ADVISED = {404, 429, *range(300, 400)}
"""Statuses whose messages end with advice, and not with the service's own words."""


def worded(problem: BaseException, name: Callable[[str], str] = str) -> str:
    """Return the message of an error without what is Python's in it.

    Only what this package wrote is changed, and nobody else's words or names of files: the argument that was refused,
    where the message begins with it, and its own `_ENDINGS`, also before the value that was refused.

    Args:
        problem: the error.
        name: given an argument, returns what it is called here.

    Example:
        >>> from tazapay_lightning import InvalidArgumentError
        >>> worded(InvalidArgumentError("give amount_sats or amount_btc, not both"), "--{}".format)
        'give --amount_sats or --amount_btc, not both'
    """
    text, argument = str(*problem.args[:1]), getattr(problem, "argument", "")
    if isinstance(problem, APIStatusError | RequestFailedError) and getattr(problem, "status_code", 0) not in _ADVISED:
        return text
    parts = text.split("; got ", 1) if argument not in {"", "metadata"} else [text]  # before that, it names keys
    text = "; got ".join(_plain(part, name) for part in parts)
    if argument and text.startswith(argument):
        text = name(argument) + text.removeprefix(argument).removeprefix("=True")
    return text


def _plain(text: str, name: Callable[[str], str]) -> str:
    for ending in _ENDINGS:
        python = re.sub(r"[][`]", "", ending)
        if text.endswith(python):
            plain = re.sub(r"\[.*?\]", "", ending)
            return text.removesuffix(python) + re.sub("`(.*?)`", lambda found: name(found[1]), plain)
    return text
