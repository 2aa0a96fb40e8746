"""What one call costs the processor, on a kept connection (part B), and what pure functions do (part D)."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import importlib
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from benchmarks.machine import Server
from benchmarks.peers import OURS, SYNCHRONOUS
from benchmarks.rounds import Measured

__all__ = ["PAYMENT_REQUEST", "alternate", "per_call", "pure_functions"]

# An example of BOLT #11 that both decoders accept, signature included.
PAYMENT_REQUEST = (
    "lnbc20m1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqf"
    "qqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqs9qrsgq7ea976txfraylvgzuxs8kgcw"
    "23ezlrszfnh8r6qtfpr6cxga50aj6txm9rxrydzd06dfeawfk6swupvz4erwnyutnjq7x39ymw6j38gp7ynn44"
)
SECRET = "whsec_benchmark"  # noqa: S105 - opens nothing


def per_call(server: Server, rounds: int, *, calls: int = 100) -> Measured:
    """Measure microseconds of the processor for each call, by client, and what the same call cost the server."""
    clients = {name: make(server.url) for name, make in SYNCHRONOUS.items()}
    costs: dict[str, list[float]] = {name: [] for name in clients}
    functions = {name: call for name, (call, _) in clients.items()}
    try:
        own = alternate(functions, rounds, calls, beside=lambda name: server.costs(costs[name]))
        return {"calls": own, "calls, server": costs}
    finally:
        for _, close in clients.values():
            close()


def pure_functions(rounds: int) -> Measured:
    """Measure microseconds for reading a payment request and verifying a webhook, by ours and by what it is held to."""
    from tazapay_lightning import decode_bolt11, sign_webhook, verify_webhook

    payload = webhook_payload()
    signature = sign_webhook(payload, SECRET)
    webhooks: dict[str, Callable[[], object]] = {
        "hmac + json.loads": lambda: bare_webhook(payload, signature, SECRET),
        OURS: lambda: verify_webhook(payload, signature, SECRET),
    }
    requests: dict[str, Callable[[], object]] = {OURS: lambda: decode_bolt11(PAYMENT_REQUEST)}
    try:
        decode = importlib.import_module("bolt11").decode
    except ImportError as error:
        print(f"PyPI's bolt11 is not compared: {error}", file=sys.stderr)
    else:
        requests["bolt11"] = lambda: decode(PAYMENT_REQUEST)
    return {"decode_bolt11": alternate(requests, rounds, 20), "verify_webhook": alternate(webhooks, rounds, 200)}


def alternate(
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    calls: int,
    beside: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> dict[str, list[float]]:
    """Measure functions in turns, in another order each round, and return microseconds of the processor for each call.

    What exists before is kept from the garbage collector, so that nobody pays for the objects of another.

    Args:
        functions: what is called, by name.
        rounds: how often it is a function's turn.
        calls: how many it makes then.
        beside: is given the name, and returns what measures something else during a function's turn.
    """
    for function in functions.values():
        for _ in range(calls):
            function()
    measured: dict[str, list[float]] = {name: [] for name in functions}
    order = list(functions)
    chance = random.Random(1)  # noqa: S311 - the same order in each run
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            function = functions[name]
            with beside(name):
                started = time.process_time()
                for _ in range(calls):
                    function()
                measured[name].append(1e6 * (time.process_time() - started) / calls)
    gc.unfreeze()
    return measured


def webhook_payload() -> bytes:
    """Return an event of about a kilobyte, as Tazapay describes it.

    Example:
        >>> 900 < len(webhook_payload()) < 1100
        True
    """
    metadata = {f"key_{number:02}": "a value of the order's" for number in range(21)}
    data = {"id": "col_98765", "object": "collect", "status": "succeeded", "amount": 123456, "metadata": metadata}
    event = {"id": "evt_1", "type": "collect.succeeded", "object": "event", "created_at": "2025-09-28T08:15:30Z"}
    return json.dumps(event | {"data": data}).encode()


def bare_webhook(payload: bytes, signature: str, secret: str) -> object:
    """Verify and read a webhook as briefly as Python allows, without a single check of what it says.

    Example:
        >>> from tazapay_lightning import sign_webhook
        >>> payload = webhook_payload()
        >>> bare_webhook(payload, sign_webhook(payload, "whsec_example"), "whsec_example")["id"]
        'evt_1'
    """
    event = json.loads(payload)
    signed = event["id"].encode() + payload + event["created_at"].encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise ValueError("not signed by this secret")
    return event
