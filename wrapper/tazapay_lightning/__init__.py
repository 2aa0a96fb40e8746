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
    from tazapay_lightning.values.amounts import MAX_SATS, btc_to_sats, format_btc, sats_to_btc
    from tazapay_lightning.values.json_fields import decode_json_field, encode_json_field
    from tazapay_lightning.values.memos import MAX_MEMO_BYTES, hash_memo, verify_memo
    from tazapay_lightning.webhooks import WebhookEvent, sign_webhook, signature_header, verify_webhook

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
]

# Every name that does not say otherwise is an exception.
_HOME = dict.fromkeys((name for name in __all__ if name.endswith("Error")), "errors") | {
    "MAX_MEMO_BYTES": "values.memos",
    "MAX_SATS": "values.amounts",
    "AsyncLightningClient": "async_client",
    "Bolt11": "bolt11",
    "Difference": "invoices.invoice",
    "Invoice": "invoices.invoice",
    "LightningClient": "client",
    "WebhookEvent": "webhooks",
    "btc_to_sats": "values.amounts",
    "decode_bolt11": "bolt11",
    "decode_json_field": "values.json_fields",
    "encode_json_field": "values.json_fields",
    "format_btc": "values.amounts",
    "hash_memo": "values.memos",
    "sats_to_btc": "values.amounts",
    "sign_webhook": "webhooks",
    "signature_header": "webhooks",
    "verify_memo": "values.memos",
    "verify_webhook": "webhooks",
}


def __getattr__(name: str) -> object:
    if name == "bulk":  # a module of public names
        return importlib.import_module(f"{__name__}.bulk")
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
