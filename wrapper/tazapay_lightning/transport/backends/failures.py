"""What a failure of a library means: the one place that turns it into a documented error."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from tazapay_lightning.errors import APIConnectionError, APITimeoutError
from tazapay_lightning.transport.exchange import Request
from tazapay_lightning.transport.redaction import Redaction
from tazapay_lightning.values.safe_text import printable

__all__ = ["not_reached"]

_MOST_WORDS = 300
_ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nothing listens there: check base_url, and whether the emulator or gateway runs"),
    (socket.gaierror, "the name of the host was not found: check base_url and the network"),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted: check base_url, and SSL_CERT_FILE if the authority is your own",
    ),
    (ssl.SSLError, "it does not speak TLS as it should: an emulator on this machine is spoken to by http://"),
)
"""The next step for the commonest failures; the first that is part of a failure counts."""


def not_reached(
    failure: BaseException, words: str, request: Request, *, late: bool, nothing_sent: bool, permanent: bool
) -> APIConnectionError:
    """Return the documented error that a failure of the connection amounts to.

    Args:
        failure: what the library raised.
        words: what it says; it may repeat whole kilobytes of what came.
        request: what was sent, or was to be.
        late: whether the time was up.
        nothing_sent: whether it is certain that the service did not get the request.
        permanent: whether another attempt would fail in the same way.
    """
    what = printable(request.redaction.text(words), most=_MOST_WORDS) or type(failure).__name__
    _clean(failure, request.redaction)
    if late:
        return APITimeoutError(f"no complete reply from {request.base_url} in time ({what})", nothing_sent=nothing_sent)
    links = list(_chain(failure))
    advice = next((f"; {step}" for kind, step in _ADVICE if any(isinstance(link, kind) for link in links)), "")
    return APIConnectionError(
        f"no complete reply from {request.base_url}: {what}{advice}",
        nothing_sent=nothing_sent,
        permanent=permanent or any(isinstance(link, ssl.SSLCertVerificationError) for link in links),
    )


def _clean(failure: BaseException, redaction: Redaction) -> None:
    """Take out of a failure and its causes, which a traceback shows, what a peer may have sent back of what it got."""
    for link in _chain(failure):
        link.args = tuple(redaction.text(each) if isinstance(each, str) else each for each in link.args)
        if isinstance(getattr(link, "message", None), str):  # aiohttp's show this and not their arguments
            link.message = redaction.text(link.message)  # type: ignore[attr-defined]  # it was just seen to be there


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
