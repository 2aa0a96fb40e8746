"""Prove that a webhook is from Tazapay, and read it. Pure."""

from tazapay_lightning.webhooks.event import WebhookEvent
from tazapay_lightning.webhooks.signature import signature_header
from tazapay_lightning.webhooks.verify import sign_webhook, verify_webhook, verify_webhook_request

__all__ = ["WebhookEvent", "sign_webhook", "signature_header", "verify_webhook", "verify_webhook_request"]
