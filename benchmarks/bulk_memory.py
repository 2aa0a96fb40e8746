"""Measure whether the memory of a bulk run grows with its rows.

    python benchmarks/bulk_memory.py 1000000

Rows are generated on the fly; the client is a real one, its transport answers at once and keeps nothing. Growth is that
of the resident size from the first thousand rows to the last. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from functools import partial
from pathlib import Path

import httpx

from tazapay_lightning import AsyncLightningClient, bulk

WARM_UP = 1000
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mb() -> float:
    """Return the resident size of this process in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def answer(request: httpx.Request) -> httpx.Response:
    """Make the invoice that is asked for."""
    asked = json.loads(request.content)
    data = {"id": f"l11_{asked['amount']}", "amount": asked["amount"], "metadata": asked["metadata"]}
    return httpx.Response(200, json={"status": "success", "data": data})


async def measure(count: int) -> dict[str, object]:
    """Run so many rows and return what was measured."""
    created, before, highest, began = 0, 0.0, 0.0, time.perf_counter()
    rows = (
        bulk.Order(order_id=f"order-{number}", amount_sats=1 + number, metadata={"number": number})
        for number in range(count)
    )
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http_client,
        AsyncLightningClient("key", "secret", http_client=http_client) as client,
    ):
        async for result in bulk.create_invoices(client, rows, key=partial(bulk.idempotency_key, "memory")):
            created += result.is_created
            if created == WARM_UP:
                before = resident_mb()
            elif created % WARM_UP == 0:
                highest = max(highest, resident_mb())
    seconds = time.perf_counter() - began
    return {
        "created": created,
        "resident_mb": round(before, 1),
        "grown_mb": round(max(highest, resident_mb()) - before, 2),
        "seconds": round(seconds, 1),
        "rows_per_second": round(count / seconds),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
