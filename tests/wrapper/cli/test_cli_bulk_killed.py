"""Exactly one invoice for each order, although 30 % of the requests fail and the command is killed again and again.

BULK_ROWS sets the number of orders: `make bulk-soak` takes 20,000, `make thorough` 400.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tazapay_lightning import bulk
from tazapay_lightning_emulator import Fault, running_emulator
from tests.support.thorough import THOROUGH

ROWS = int(os.environ.get("BULK_ROWS", "400" if THOROUGH else "150"))
KILLS = 4 if ROWS >= 400 else 2
FAULTS = {
    # half of the weight before the commit
    Fault("reset_before_commit"): 3,
    Fault("status_before_commit", status=503, retry_after=0): 1,
    Fault("status_before_commit", status=429, retry_after=0): 1,
    Fault("html_before_commit", status=502): 1,
    # and half after it
    Fault("reset_after_commit"): 2,
    Fault("close_mid_body"): 1,
    Fault("status_after_commit", status=500, retry_after=0): 1,
    Fault("status_after_commit", status=504, retry_after=0): 1,
    Fault("truncated_json"): 1,
}
DONE, UNKNOWN = 0, 3


def write_orders(path: Path) -> None:
    with path.open("w") as file:
        file.write("order_id,amount_sats,memo,metadata.customer_id\n")
        for number in range(ROWS):
            file.write(f"order-{number},{1000 + number},Order {number},c{number % 7}\n")


@pytest.mark.parametrize("seed", [7890])
def test_one_invoice_for_each_order(seed: int, tmp_path: Path) -> None:
    orders, out = tmp_path / "orders.csv", tmp_path / "results.jsonl"
    write_orders(orders)
    command = [sys.executable, "-m", "tazapay_lightning", "bulk", str(orders), "--out", str(out), "--concurrency", "32"]
    chance = random.Random(seed)
    with running_emulator() as emulator:
        emulator.fail_randomly(0.3, seed=seed, kinds=FAULTS)
        environment = {
            **os.environ,
            "TAZAPAY_API_KEY": emulator.api_key,
            "TAZAPAY_API_SECRET": emulator.api_secret,
            "TAZAPAY_BASE_URL": emulator.base_url,
        }

        def invoices() -> int:
            return len(out.read_bytes().splitlines()) if out.exists() else 0

        for _ in range(KILLS):
            wanted = invoices() + chance.randrange(1, ROWS // KILLS)
            with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
                deadline = time.monotonic() + 600
                while invoices() < wanted and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.01)  # until it is in the middle of its work
                process.send_signal(signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
        for _ in range(20):  # unknown outcomes are resumed by the same command; 30 % of the requests still fail
            code = subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False).returncode
            if code == DONE:
                break
            assert code == UNKNOWN
        assert code == DONE

        stored = {invoice["idempotency_key"]: invoice for invoice in emulator.invoices()}
        once = Counter(invoice["idempotency_key"] for invoice in emulator.invoices())
        assert once == Counter(bulk.idempotency_key("orders", f"order-{number}") for number in range(ROWS))
        if len(emulator.requests()) < 100_000:  # which is how many it remembers
            assert 0.25 < len(emulator.faults_injected()) / len(emulator.requests()) < 0.35

    last = {line["order_id"]: line for line in map(json.loads, out.read_text().splitlines())}
    assert {order_id: line["state"] for order_id, line in last.items()} == {
        f"order-{number}": "created" for number in range(ROWS)
    }
    for number in range(ROWS):
        line = last[f"order-{number}"]
        invoice = stored[line["idempotency_key"]]
        assert (line["invoice"]["id"], line["invoice"]["amount_sats"]) == (invoice["id"], 1000 + number)
