"""What is claimed of speed and size, as limits in units of what a user would take instead."""

from __future__ import annotations

from benchmarks.bulk import FILE, FUNCTION, RESUME
from benchmarks.concurrency import LEVELS
from benchmarks.peers import OURS, OURS_ON_AIOHTTP, OURS_WITH_REQUEST
from benchmarks.processes import GROWTH
from benchmarks.rounds import Limit

__all__ = ["LIMITS"]

_PER_SECOND = "requests per second"

LIMITS = (
    Limit("`import tazapay_lightning`, of `import httpx`", "A", "start", f"import {OURS}", "import httpx", 0.25),
    Limit("import and construction, of `import httpx`", "A", "start", f"construct {OURS}", "import httpx", 1.35),
    Limit("start to first invoice, of bare httpx", "A", "first, CPU", OURS, "httpx", 1.15),
    Limit("start to first invoice over https, of bare httpx", "A", "first-https, CPU", OURS, "httpx", 1.15, known=1.35),
    Limit("a call, of bare httpx", "B", "calls", OURS, "httpx", 1.20),
    Limit(
        "a call whose reply has a payment request, of bare httpx",
        "B",
        "calls",
        OURS_WITH_REQUEST,
        "httpx",
        1.2,
        known=1.35,
    ),
    Limit("a call, of stripe", "B", "calls", OURS, "stripe", 0.65),
    *(
        Limit(
            f"requests per second with {level} in flight, of bare httpx",
            "C",
            _PER_SECOND,
            f"{OURS} at {level}",
            f"httpx at {level}",
            1.0,
            at_least=True,
        )
        for level in LEVELS
    ),
    Limit(
        'requests per second with 50 in flight, `backend="aiohttp"`, of bare httpx',
        "C",
        _PER_SECOND,
        f"{OURS_ON_AIOHTTP} at 50",
        "httpx at 50",
        5.0,
        at_least=True,
    ),
    Limit(
        'requests per second with 500 in flight, `backend="aiohttp"`, of its own with 10',
        "C",
        _PER_SECOND,
        f"{OURS_ON_AIOHTTP} at 500",
        f"{OURS_ON_AIOHTTP} at 10",
        0.8,
        at_least=True,
    ),
    Limit("PyPI's bolt11, of `decode_bolt11`", "D", "decode_bolt11", "bolt11", OURS, 5.0, at_least=True),
    Limit("`verify_webhook`, of bare hmac and json.loads", "D", "verify_webhook", OURS, "hmac + json.loads", 2.0),
    Limit("resident size after a first invoice, of bare httpx", "E", "resident", OURS, "httpx", 1.15),
    Limit("growth over 10,000 invoices", "E", GROWTH, GROWTH, None, 1024, unit="KiB"),
    Limit("a row of the file that `bulk` is given, of `create_invoices`", "G", "a row, clock", FILE, FUNCTION, 1.3),
    Limit(
        "start to first request of a million rows, half billed when it was killed",
        "G",
        RESUME,
        RESUME,
        None,
        10,
        unit="s",
    ),
)
