"""What `--help` shows of each command beside its options: the group that it is in, and examples, which a test runs."""

from __future__ import annotations

_INVOICES, _MANY, _OFFLINE = "Invoices", "Many orders", "Without an account"

GROUPS = {
    "demo": _OFFLINE,
    "emulator": _OFFLINE,
    "pay": _OFFLINE,
    "create": _INVOICES,
    "get": _INVOICES,
    "update": _INVOICES,
    "wait": _INVOICES,
    "decode": _INVOICES,
    "bulk": _MANY,
}
_LINES = {
    "": ["demo", "create --amount-sats 5000 --memo 'Order 7890'", "bulk orders.csv --out results.jsonl"],
    "demo": ["demo", "demo --json"],
    "emulator": ["emulator", "emulator --port 0 --db invoices.db"],
    "pay": ["pay l11_abc123xyz"],
    "create": [
        "create --amount-sats 5000 --memo 'Order 7890' --idempotency-key order-7890",
        "create --amount-btc 0.00005 --expires-in 900 --wait",
        "create --amount-sats 5000 --qr-file qr.png --json > invoice.json",
    ],
    "get": ["get l11_abc123xyz --qr", "get l11_abc123xyz --qr-file qr.svg"],
    "update": ["update l11_abc123xyz --metadata order_id=7890 --metadata table=4"],
    "wait": ["wait l11_abc123xyz && echo paid", "wait l11_abc123xyz --timeout 600 --json"],
    "decode": ["decode - < request.txt"],
    "bulk": [
        "bulk orders.csv --out results.jsonl --rate 10",
        "bulk orders.csv --out - > results.jsonl",
    ],
}


def examples_of(command: str) -> str:
    """Return the examples of a command as `--help` shows them; those of the program for an empty name."""
    return "\n".join(["Examples:", *(f"$ tazapay-lightning {line}" for line in _LINES[command])])
