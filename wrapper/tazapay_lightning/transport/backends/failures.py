"""The one place that turns a library's failure into a documented error."""

from __future__ import annotations

import socket
import ssl
from typing import NoReturn

from tazapay_lightning.errors import APIConnectionError, APITimeoutError
from tazapay_lightning.transport.exchange import Request
from tazapay_lightning.transport.tracebacks import chain
from tazapay_lightning.values.safe_text import printable

_MOST_WORDS = 300
_ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nothing listens there: check base_url, and whether the emulator or gateway runs"),
    (socket.gaierror, "the name of the host was not found: check base_url and the network"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted: check base_url, and SSL_CERT_FILE if it is yours"),
    (ssl.SSLError, "it does not speak TLS as it should: an emulator on this machine is spoken to by http://"),
)
"""The next step for the commonest failures; the first that is part of a failure counts."""


def raise_documented(
    failure: Exception, request: Request, *, nothing_sent: bool, closed: bool, late: bool = False, final: bool = False
) -> NoReturn:
    """Raise the documented error that a failure of the connection amounts to.

    Args:
        failure: what the library raised. A RuntimeError is raised again, unless the client was closed: libraries raise
            it then.
        request: what was sent, or was to be.
        nothing_sent: whether it is certain that the service did not get the request.
        closed: whether the client was closed.
        late: whether the time was up, which a TimeoutError shows by itself.
        final: whether another attempt would fail in the same way.
    """
    if isinstance(failure, RuntimeError):
        if not closed:
            raise failure
        raise client_closed_error(nothing_sent=False) from failure
    links = list(chain(failure))
    # its message may repeat kilobytes of what came
    what = printable(request.redaction.text(str(failure)), most=_MOST_WORDS) or type(failure).__name__
    message = f"no complete reply from {request.base_url}"
    if late or isinstance(failure, TimeoutError):
        raise APITimeoutError(f"{message} in time ({what})", nothing_sent=nothing_sent) from failure
    advice = next((f"; {step}" for kind, step in _ADVICE if any(isinstance(link, kind) for link in links)), "")
    permanent = final or any(isinstance(link, ssl.SSLCertVerificationError) for link in links)
    raise APIConnectionError(f"{message}: {what}{advice}", nothing_sent=nothing_sent, permanent=permanent) from failure


def client_closed_error(*, nothing_sent: bool = True) -> APIConnectionError:
    """Return the error for a request that found its client closed."""
    return APIConnectionError("the client was closed meanwhile", nothing_sent=nothing_sent, permanent=True)
