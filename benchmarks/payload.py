"""What all clients of the benchmarks send and are answered: one invoice with every usual argument, as all spell it."""

from __future__ import annotations

import base64
from typing import Any

__all__ = [
    "AMOUNT",
    "ARGUMENTS",
    "BODY",
    "CREDENTIALS",
    "HEADERS",
    "KEY",
    "PATH",
    "STRIPE_BODY",
    "invoice_id",
    "invoice_reply",
    "stripe_reply",
]

AMOUNT = 123456
CREDENTIALS = ("key-of-the-benchmark", "secret-of-the-benchmark")
KEY = "00000000-0000-4000-8000-000000000000"
PATH = "/v3/lightning_invoice_bolt11"
MEMO = "Payment for order #7890"
METADATA = {"order_id": "7890", "customer_id": "cust_456"}

ARGUMENTS: dict[str, Any] = {"amount_sats": AMOUNT, "memo": MEMO, "expires_in": 3600, "metadata": METADATA}
# What the wrapper makes of them. Peers get it ready made: they are not charged for encoding the metadata.
BODY: dict[str, Any] = {
    "amount": AMOUNT,
    "d_tag_memo": MEMO,
    "expiry_interval": 3600,
    "metadata": '{"order_id":"7890","customer_id":"cust_456"}',
}
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(":".join(CREDENTIALS).encode()).decode(),
    "Idempotency-Key": KEY,
}
STRIPE_BODY: dict[str, Any] = {"amount": AMOUNT, "currency": "usd", "description": MEMO, "metadata": METADATA}


def invoice_id(key: str) -> str:
    """Return the id of the invoice that has an idempotency key of its own, as long as any other."""
    return f"l11_{key[-20:]}"


def invoice_reply(amount: int, invoice_id: str = "l11_abc123xyz") -> dict[str, Any]:
    """Return a reply as Tazapay's page shows it."""
    return {
        "status": "success",
        "message": "",
        "data": {
            "id": invoice_id,
            "object": "lightning_invoice_bolt11",
            "amount": amount,
            "d_tag_memo": MEMO,
            "collect": "col_98765",
            "expiry_interval": 3600,
            "metadata": METADATA,
            "status": "active",
            "payment_status": "unpaid",
            "created_at": "2025-09-28T08:15:30Z",
            "updated_at": "2025-09-28T08:20:45Z",
        },
    }


def stripe_reply(amount: int) -> dict[str, Any]:
    """Return a payment intent with as many fields: the real one has three times as many, which would cost more."""
    return {
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "object": "payment_intent",
        "amount": amount,
        "amount_received": 0,
        "currency": "usd",
        "description": MEMO,
        "metadata": METADATA,
        "status": "requires_payment_method",
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "payment_method_types": ["card"],
        "created": 1759047330,
        "livemode": False,
    }
