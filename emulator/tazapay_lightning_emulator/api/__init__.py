"""Tazapay's API: operations, credentials, request bodies and fields, and replies."""
