"""Every exception that a public function of this package raises because of its arguments, the network or the service.

::

    TazapayError
    ├── ConfigurationError
    ├── InvalidArgumentError (also ValueError)         .argument
    │   └── InvalidBolt11Error
    ├── APIError                                       .idempotency_key .outcome_unknown .attempts .request_id
    │   ├── APIConnectionError
    │   │   └── APITimeoutError (also TimeoutError)
    │   ├── APIStatusError                             .status_code .code .message .errors .headers .body .retry_after
    │   │   ├── AuthenticationError      401
    │   │   ├── PermissionDeniedError    403
    │   │   ├── NotFoundError            404
    │   │   ├── RateLimitError           429
    │   │   ├── InvalidRequestError      every other 4xx
    │   │   └── ServerError              5xx and every other status
    │   ├── RequestFailedError                         .message .code .errors
    │   └── UnexpectedResponseError
    ├── InvoiceMismatchError                           .invoice .differences
    ├── InvoiceExpiredError                            .invoice
    ├── PaymentTimeoutError (also TimeoutError)        .invoice
    └── WebhookError
        ├── WebhookSignatureError
        └── WebhookPayloadError

One ``except TazapayError`` catches them all. Messages name the next step and hold no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for types only: three errors carry an invoice, and every room raises errors
    from tazapay_lightning.invoices.invoice import Difference, Invoice

_MAX_MESSAGE = 2000  # characters of a message: it may name what was refused, and that may be of any size


class TazapayError(Exception):
    """The root: whatever this package raises on purpose is one of these.

    Example:
        >>> from tazapay_lightning import TazapayError, btc_to_sats
        >>> try:
        ...     btc_to_sats("0.000000001")
        ... except TazapayError as error:
        ...     print(type(error).__name__)
        InvalidArgumentError
    """

    def __init__(self, message: str = "", /, **attributes: Any) -> None:
        super().__init__(message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}...")
        if unknown := [name for name in attributes if not hasattr(type(self), name)]:
            raise TypeError(f"{type(self).__name__} has no attribute {unknown[0]}")
        vars(self).update(attributes)


class ConfigurationError(TazapayError):
    """The client cannot work as it was set up: credentials, environment, base URL, time limits, or it is closed."""


class InvalidArgumentError(TazapayError, ValueError):
    """An argument was refused before anything was sent.

    Attributes:
        argument: the name of the argument that was refused.
    """

    argument: str = ""


class InvalidBolt11Error(InvalidArgumentError):
    """The text is not a BOLT11 payment request."""


class APIError(TazapayError):
    """A call did not end in a proven result.

    Attributes:
        idempotency_key: the key under which an invoice was asked for; None for calls that create nothing.
        outcome_unknown: True when this call may have made an invoice although no reply proved it. Calling
            ``create_invoice`` again with the same arguments and ``idempotency_key=error.idempotency_key`` is then the
            way on: the service answers with the first invoice if there is one, for 24 hours (Tazapay's documentation).
            False says nothing about earlier calls with the same key: what they left unknown stays so until a call
            with that key succeeds.
        attempts: how many requests were made, the first one included.
        request_id: the id that the service gave the last request, for its support; None where it gave none.
    """

    idempotency_key: str | None = None
    outcome_unknown: bool = False
    attempts: int = 0
    request_id: str | None = None

    def __str__(self) -> str:
        text = super().__str__()
        resume = f"call again with the same arguments and idempotency_key={self.idempotency_key!r}"
        return f"{text}; an invoice may exist: to resume, {resume}" if self.outcome_unknown else text


class APIConnectionError(APIError):
    """No complete reply: the host was not reached, or the connection broke. The cause is chained.

    Attributes:
        nothing_sent: True if it is certain that the service did not get the request.
        permanent: True if another attempt would fail in the same way, as with a certificate that is not trusted.
    """

    nothing_sent: bool = False
    permanent: bool = False


class APITimeoutError(APIConnectionError, TimeoutError):
    """No complete reply within the ``timeout`` of one attempt or the ``deadline`` of the whole call."""


class APIStatusError(APIError):
    """The service answered with a status that is not 2xx.

    Attributes:
        status_code: the HTTP status.
        code: Tazapay's own number for the error, from the first entry of ``errors``; None when it gave none.
        message: Tazapay's own words, credentials and submitted texts blanked; "" when it gave none.
        errors: Tazapay's list of errors, mappings with ``code``, ``message`` and ``remarks``, each of which may be
            missing; empty when it gave none.
        headers: the reply's headers, names in lower case, without those that carry credentials or cookies.
        body: the beginning of the reply's body if it is JSON, credentials and submitted texts blanked; "" of any other:
            a page can spell them in too many ways.
        retry_after: seconds after which the service asks to be called again; None when it did not say.
    """

    status_code: int = 0
    code: int | None = None
    message: str = ""
    errors: tuple[Mapping[str, object], ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    body: str = ""
    retry_after: float | None = None


class AuthenticationError(APIStatusError):
    """401: the credentials were not accepted. A sandbox key met the production host, or the reverse, says so too."""


class PermissionDeniedError(APIStatusError):
    """403: the credentials are right, but not for this."""


class NotFoundError(APIStatusError):
    """404: the service has nothing under this address or id."""


class InvalidRequestError(APIStatusError):
    """Every other 4xx: the service refused what it was sent, so repeating it unchanged will not help."""


class RateLimitError(APIStatusError):
    """429: too many requests; ``retry_after`` holds the seconds to wait, if the service said."""


class ServerError(APIStatusError):
    """5xx, and every status that has no class of its own, redirects included: they are never followed."""


class RequestFailedError(APIError):
    """The status was 2xx, but the envelope says that the request failed.

    Attributes:
        message: Tazapay's own words, credentials and submitted texts blanked; "" when it gave none.
        code: Tazapay's own number for the error; None when it gave none.
        errors: as on `APIStatusError`.
        with_data: True if the reply holds ``data`` nevertheless, so that an invoice may exist.
    """

    message: str = ""
    code: int | None = None
    errors: tuple[Mapping[str, object], ...] = ()
    with_data: bool = False


class UnexpectedResponseError(APIError):
    """The reply is 2xx and cannot be read: not JSON, not an object, too long, or without the invoice's id or amount."""


class InvoiceMismatchError(TazapayError):
    """The service answered with an invoice that is another order's, or over another amount. Do not show it to a payer.

    By its amount, id, memo, metadata or payment request: see `differences`. The connection that it came on is closed.
    Calling again with ``idempotency_key=error.invoice.idempotency_key`` gives the order its own invoice, unless that
    key was used for two orders.

    Attributes:
        invoice: the invoice as the service described it, with the idempotency key that was sent.
        differences: what was asked for and what came, per field.
    """

    invoice: Invoice | None = None
    differences: tuple[Difference, ...] = ()


class InvoiceExpiredError(TazapayError):
    """The invoice expired before it was paid.

    Attributes:
        invoice: the invoice as it was last seen.
    """

    invoice: Invoice | None = None


class PaymentTimeoutError(TazapayError, TimeoutError):
    """The wait for a payment ended before the invoice was paid or expired.

    Attributes:
        invoice: the invoice as it was last seen.
    """

    invoice: Invoice | None = None


class WebhookError(TazapayError):
    """A webhook was refused."""


class WebhookSignatureError(WebhookError):
    """The signature does not belong to this body and this secret: the sender is not proven."""


class WebhookPayloadError(WebhookError):
    """The body of a webhook cannot be read."""


def may_be_repeated(error: APIError) -> bool:
    """Tell whether another attempt may help; not a public name.

    It cannot harm: attempts to create share one idempotency key, and to fetch or to set twice is as good as once.
    """
    if isinstance(error, APIConnectionError):
        return not error.permanent
    if isinstance(error, APIStatusError):
        return error.status_code in {408, 429} or error.status_code >= 500
    return False
