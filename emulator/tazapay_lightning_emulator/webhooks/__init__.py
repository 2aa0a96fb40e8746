"""Webhooks: the event that an invoice was paid, and its delivery."""
