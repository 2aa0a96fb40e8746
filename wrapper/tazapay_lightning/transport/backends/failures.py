"""The one place that turns a library's failure into a documented error."""

from __future__ import annotations

import socket
import ssl

from tazapay_lightning.errors import APIConnectionError, APITimeoutError
from tazapay_lightning.transport.exchange import Request
from tazapay_lightning.transport.tracebacks import chain
from tazapay_lightning.values.safe_text import printable

_MAX_FAILURE_CHARACTERS = 300
_ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nothing listens there: check base_url, and whether the emulator or gateway runs"),
    (socket.gaierror, "the name of the host was not found: check base_url and the network"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted: check base_url, and SSL_CERT_FILE if it is yours"),
    (ssl.SSLError, "it does not speak TLS as it should: an emulator on this machine is spoken to by http://"),
)
"""The next step for the commonest failures; the first that is part of a failure counts."""


def documented(
    failure: Exception,
    request: Request,
    proxy: str | None,
    *,
    nothing_sent: bool,
    late: bool = False,
    final: bool = False,
) -> APIConnectionError:
    """Return the documented error that a failure of the connection amounts to.

    Args:
        failure: what the library raised.
        request: what was sent, or was to be.
        proxy: host and port of the proxy in between; None where there is none.
        nothing_sent: whether it is certain that the service did not get the request.
        late: whether the time was up, which a TimeoutError shows by itself.
        final: whether another attempt would fail in the same way.
    """
    links = list(chain(failure))
    # its message may repeat kilobytes of what came
    what = printable(request.redaction.text(str(failure)), most=_MAX_FAILURE_CHARACTERS) or type(failure).__name__
    message = f"no complete reply from {request.settings.base_url}"
    if proxy is not None:
        message += f" through the proxy {proxy} (HTTPS_PROXY, ALL_PROXY, NO_PROXY)"
    if late or isinstance(failure, TimeoutError):
        return APITimeoutError(f"{message} in time ({what})", nothing_sent=nothing_sent)
    # a proxy is what was not reached: only TLS is with the service itself
    known = [each for each in _ADVICE if proxy is None or issubclass(each[0], ssl.SSLError)]
    advice = next((f"; {text}" for kind, text in known if any(isinstance(link, kind) for link in links)), "")
    permanent = final or any(isinstance(link, ssl.SSLCertVerificationError) for link in links)
    return APIConnectionError(f"{message}: {what}{advice}", nothing_sent=nothing_sent, permanent=permanent)


def client_closed_error(*, nothing_sent: bool = True) -> APIConnectionError:
    """Return the error for a request that found its client closed."""
    return APIConnectionError("the client was closed meanwhile", nothing_sent=nothing_sent, permanent=True)
