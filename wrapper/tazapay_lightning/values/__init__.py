"""Amounts, memos, JSON, durations, moments, and how they are refused and shown in messages. Pure."""
