"""Create Lightning invoices with Tazapay, never over the wrong amount and never twice.

    from tazapay_lightning import LightningClient

    with LightningClient() as client:                       # TAZAPAY_API_KEY and TAZAPAY_API_SECRET
        invoice = client.create_invoice(amount_btc="0.00123456", memo="Order #7890")

Everything public is importable from here. Names are loaded when they are first used (PEP 562), so that importing the
package, or its pure functions, loads no HTTP library. Many invoices at once: `tazapay_lightning.bulk`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tazapay_lightning._version import __version__

if TYPE_CHECKING:  # what type checkers and editors see; a test keeps it equal to _HOME
    from tazapay_lightning import bulk as bulk
    from tazapay_lightning.async_client import AsyncLightningClient
    from tazapay_lightning.bolt11 import Bolt11, decode_bolt11
    from tazapay_lightning.client import LightningClient
    from tazapay_lightning.errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        ConfigurationError,
        InvalidArgumentError,
        InvalidBolt11Error,
        InvalidRequestError,
        InvoiceExpiredError,
        InvoiceMismatchError,
        NotFoundError,
        PaymentTimeoutError,
        PermissionDeniedError,
        RateLimitError,
        RequestFailedError,
        ServerError,
        TazapayError,
        UnexpectedResponseError,
        WebhookError,
        WebhookPayloadError,
        WebhookSignatureError,
    )
    from tazapay_lightning.invoices.invoice import Difference, Invoice
    from tazapay_lightning.transport.replies import Reply
    from tazapay_lightning.values.amounts import MAX_SATS, btc_to_sats, format_btc, sats_to_btc
    from tazapay_lightning.values.json_fields import decode_json_field, encode_json_field
    from tazapay_lightning.values.memos import MAX_MEMO_BYTES, hash_memo, verify_memo
    from tazapay_lightning.webhooks import (
        WebhookEvent,
        sign_webhook,
        signature_header,
        verify_webhook,
        verify_webhook_request,
    )


__all__ = [
    "MAX_MEMO_BYTES",
    "MAX_SATS",
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncLightningClient",
    "AuthenticationError",
    "Bolt11",
    "ConfigurationError",
    "Difference",
    "InvalidArgumentError",
    "InvalidBolt11Error",
    "InvalidRequestError",
    "Invoice",
    "InvoiceExpiredError",
    "InvoiceMismatchError",
    "LightningClient",
    "NotFoundError",
    "PaymentTimeoutError",
    "PermissionDeniedError",
    "RateLimitError",
    "Reply",
    "RequestFailedError",
    "ServerError",
    "TazapayError",
    "UnexpectedResponseError",
    "WebhookError",
    "WebhookEvent",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "__version__",
    "btc_to_sats",
    "decode_bolt11",
    "decode_json_field",
    "encode_json_field",
    "format_btc",
    "hash_memo",
    "sats_to_btc",
    "sign_webhook",
    "signature_header",
    "verify_memo",
    "verify_webhook",
    "verify_webhook_request",
]

_HOME = {
    name: home
    for home, names in {
        "async_client": ["AsyncLightningClient"],
        "bolt11": ["Bolt11", "decode_bolt11"],
        "client": ["LightningClient"],
        "errors": [name for name in __all__ if name.endswith("Error")],
        "invoices.invoice": ["Difference", "Invoice"],
        "transport.replies": ["Reply"],
        "values.amounts": ["MAX_SATS", "btc_to_sats", "format_btc", "sats_to_btc"],
        "values.json_fields": ["decode_json_field", "encode_json_field"],
        "values.memos": ["MAX_MEMO_BYTES", "hash_memo", "verify_memo"],
        "webhooks": ["WebhookEvent", "sign_webhook", "signature_header", "verify_webhook", "verify_webhook_request"],
    }.items()
    for name in names
}

if not TYPE_CHECKING:  # to a type checker a misspelt name is an error, and not whatever this returns

    def __getattr__(name: str) -> object:
        if name == "bulk":  # a module of public names
            return importlib.import_module(f"{__name__}.bulk")
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # the next access does not come here
        return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
