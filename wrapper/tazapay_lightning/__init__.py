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

from tazapay_lightning._version import __version__ as __version__

if TYPE_CHECKING:  # what type checkers and editors see; a test keeps it equal to _HOME
    from tazapay_lightning import bulk as bulk
    from tazapay_lightning.async_client import AsyncLightningClient as AsyncLightningClient
    from tazapay_lightning.bolt11 import Bolt11 as Bolt11
    from tazapay_lightning.bolt11 import decode_bolt11 as decode_bolt11
    from tazapay_lightning.client import LightningClient as LightningClient
    from tazapay_lightning.errors import APIConnectionError as APIConnectionError
    from tazapay_lightning.errors import APIError as APIError
    from tazapay_lightning.errors import APIStatusError as APIStatusError
    from tazapay_lightning.errors import APITimeoutError as APITimeoutError
    from tazapay_lightning.errors import AuthenticationError as AuthenticationError
    from tazapay_lightning.errors import ConfigurationError as ConfigurationError
    from tazapay_lightning.errors import InvalidArgumentError as InvalidArgumentError
    from tazapay_lightning.errors import InvalidBolt11Error as InvalidBolt11Error
    from tazapay_lightning.errors import InvalidRequestError as InvalidRequestError
    from tazapay_lightning.errors import InvoiceExpiredError as InvoiceExpiredError
    from tazapay_lightning.errors import InvoiceMismatchError as InvoiceMismatchError
    from tazapay_lightning.errors import NotFoundError as NotFoundError
    from tazapay_lightning.errors import PaymentTimeoutError as PaymentTimeoutError
    from tazapay_lightning.errors import PermissionDeniedError as PermissionDeniedError
    from tazapay_lightning.errors import RateLimitError as RateLimitError
    from tazapay_lightning.errors import RequestFailedError as RequestFailedError
    from tazapay_lightning.errors import ServerError as ServerError
    from tazapay_lightning.errors import TazapayError as TazapayError
    from tazapay_lightning.errors import UnexpectedResponseError as UnexpectedResponseError
    from tazapay_lightning.errors import WebhookError as WebhookError
    from tazapay_lightning.errors import WebhookPayloadError as WebhookPayloadError
    from tazapay_lightning.errors import WebhookSignatureError as WebhookSignatureError
    from tazapay_lightning.invoices.invoice import Difference as Difference
    from tazapay_lightning.invoices.invoice import Invoice as Invoice
    from tazapay_lightning.transport.replies import Reply as Reply
    from tazapay_lightning.values.amounts import MAX_SATS as MAX_SATS
    from tazapay_lightning.values.amounts import btc_to_sats as btc_to_sats
    from tazapay_lightning.values.amounts import format_btc as format_btc
    from tazapay_lightning.values.amounts import sats_to_btc as sats_to_btc
    from tazapay_lightning.values.json_fields import decode_json_field as decode_json_field
    from tazapay_lightning.values.json_fields import encode_json_field as encode_json_field
    from tazapay_lightning.values.memos import MAX_MEMO_BYTES as MAX_MEMO_BYTES
    from tazapay_lightning.values.memos import hash_memo as hash_memo
    from tazapay_lightning.values.memos import verify_memo as verify_memo
    from tazapay_lightning.webhooks import WebhookEvent as WebhookEvent
    from tazapay_lightning.webhooks import sign_webhook as sign_webhook
    from tazapay_lightning.webhooks import signature_header as signature_header
    from tazapay_lightning.webhooks import verify_webhook as verify_webhook
    from tazapay_lightning.webhooks import verify_webhook_request as verify_webhook_request

_HOME = {
    name: home
    for home, names in {
        "async_client": ["AsyncLightningClient"],
        "bolt11": ["Bolt11", "decode_bolt11"],
        "client": ["LightningClient"],
        "errors": [
            "APIConnectionError",
            "APIError",
            "APIStatusError",
            "APITimeoutError",
            "AuthenticationError",
            "ConfigurationError",
            "InvalidArgumentError",
            "InvalidBolt11Error",
            "InvalidRequestError",
            "InvoiceExpiredError",
            "InvoiceMismatchError",
            "NotFoundError",
            "PaymentTimeoutError",
            "PermissionDeniedError",
            "RateLimitError",
            "RequestFailedError",
            "ServerError",
            "TazapayError",
            "UnexpectedResponseError",
            "WebhookError",
            "WebhookPayloadError",
            "WebhookSignatureError",
        ],
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
    __all__ = sorted(["__version__", *_HOME])

    def __getattr__(name: str) -> object:
        if name == "bulk":  # a module of public names
            return importlib.import_module(f"{__name__}.bulk")
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # the next access does not come here
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
