"""What a call loads it loads while no process forks, so that the child of a fork makes its own calls."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tazapay_lightning import LightningClient
from tazapay_lightning._loading import loading
from tests.support.bolt11_encoder import D, P, S, payment_request
from tests.support.service import envelope, invoice_object
from tests.support.wire import Recorder, reply

Listen = Callable[[Any], Any]

# needs all that is loaded for few replies: of BOLT11, dates, letters that HTML escapes, marks, and gzip
RARE = gzip.compress(
    b"\xef\xbb\xbf"  # a byte order mark
    + envelope(
        invoice_object(
            amount=1,
            d_tag_memo="A &amp; B",
            bolt11=payment_request(P, S, D),
            metadata={},
            created_at="Sun, 28 Sep 2025 08:15:30 GMT",
        )
    )
)
ASKED: dict[str, Any] = {"amount_sats": 1, "memo": "A & B", "idempotency_key": "k"}
FORKED = """
import json, os, signal, sys, threading, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # of Python 3.12 and later
from tazapay_lightning import LightningClient
base_url, asked, module = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
in_the_middle, forked = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == module and not in_the_middle.is_set():
            in_the_middle.set()
            forked.wait(0.2)  # as long as a slow disk takes; a fork that waits for the module does not come before

sys.meta_path.insert(0, Slow())
client = LightningClient("k", "s", base_url=base_url, check_echo=False)
calling = threading.Thread(target=client.create_invoice, kwargs=asked)
calling.start()
print(in_the_middle.wait(20))
sys.stdout.flush()
child = os.fork()
forked.set()
if not child:
    signal.alarm(5)
    os._exit(client.create_invoice(**asked).amount_sats)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
calling.join()
client.close()
"""
NOTED = """
import asyncio, json, sys
from functools import partial
from tazapay_lightning import AsyncLightningClient, LightningClient, TazapayError, bulk
from tazapay_lightning._loading import loading
base_url, asked, kind = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
unguarded = []

class Noting:
    def find_spec(self, name, path=None, target=None):
        if not loading._is_owned():
            unguarded.append(name)

async def call(backend):
    async with AsyncLightningClient("k", "s", base_url=base_url, check_echo=False, backend=backend) as client:
        sys.meta_path.insert(0, Noting())
        invoice = await client.create_invoice(**asked)
        await client.get_invoice(invoice.id)
        await client.update_invoice(invoice.id, metadata={})

async def bill():
    async with AsyncLightningClient("k", "s", base_url=base_url, check_echo=False) as client:
        sys.meta_path.insert(0, Noting())
        rows = [{"order_id": "7890", "amount_sats": 1}]
        async for result in bulk.create_invoices(client, rows, key=partial(bulk.idempotency_key, "shop-1")):
            assert result.state == "created", result

if kind in {"httpx", "aiohttp"}:
    asyncio.run(call(kind))
elif kind == "bulk":
    asyncio.run(bill())
else:
    base_url = base_url.replace("http", kind)
    with LightningClient("k", "s", base_url=base_url, check_echo=False, max_retries=0) as client:
        sys.meta_path.insert(0, Noting())
        try:
            invoice = client.create_invoice(**asked)
            client.get_invoice(invoice.id)
            client.update_invoice(invoice.id, metadata={})
        except TazapayError:
            assert kind == "https"  # the server speaks no TLS: by then all is loaded
print(unguarded)
"""


def run(program: str, listen: Listen, *arguments: str) -> str:
    recorder = Recorder(reply(RARE, b"Content-Encoding: gzip", b"Content-Type: application/json"))
    base_url = f"http://localhost:{listen(recorder).port}"  # a name is looked up
    command = [sys.executable, "-c", program, base_url, json.dumps(ASKED), *arguments]
    own = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
    return subprocess.run(command, env=own, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize(
    "module",
    [
        "tazapay_lightning_api.models.create_lightning_invoice_request",
        "tazapay_lightning.bolt11.decode",
        "dateutil.parser",
        "html",
        "gzip",
    ],
)
def test_a_child_makes_its_own_call_if_it_was_forked_while_a_thread_loads(module: str, listen: Listen) -> None:
    assert run(FORKED, listen, module) == "True\n1\n"


@pytest.mark.parametrize("kind", ["http", "https", "httpx", "aiohttp", "bulk"])
def test_calls_load_nothing_that_a_fork_does_not_wait_for(kind: str, listen: Listen) -> None:
    assert run(NOTED, listen, kind) == "[]\n"


def test_later_calls_take_no_lock_that_a_fork_may_hold(listen: Listen) -> None:
    base_url = f"http://127.0.0.1:{listen(Recorder(reply(RARE, b'Content-Encoding: gzip'))).port}"
    held, ended = threading.Event(), threading.Event()

    def hold() -> bool:
        with loading:
            held.set()
            return ended.wait(10)

    with (
        LightningClient("k", "s", base_url=base_url, check_echo=False) as client,
        ThreadPoolExecutor(1) as other,
    ):
        for is_later in (False, True):
            holding = other.submit(hold) if is_later else None
            assert holding is None or held.wait(10)
            invoice = client.create_invoice(**ASKED)
            client.get_invoice(invoice.id)
            client.update_invoice(invoice.id, metadata={})
        ended.set()
        assert holding is not None
        assert holding.result()
