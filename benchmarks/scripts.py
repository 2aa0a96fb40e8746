"""The programs that whole processes run: start-up, construction, a first invoice, and memory.

The library under measurement is imported by each of them as its users would. What the interpreter has not installed in
a plain installation is made unavailable first: httpx imports click, rich and pygments for a command line of its own
where it finds them, which doubles what `import httpx` costs and would flatter whatever is measured in units of it.
"""

from __future__ import annotations

from benchmarks.payload import ARGUMENTS, BODY, CREDENTIALS, HEADERS, KEY, PATH
from benchmarks.peers import OURS

__all__ = ["CONSTRUCTIONS", "FIRST_INVOICE", "IMPORTS", "NOTHING", "PLAIN", "first_invoices", "growth"]

PLAIN = "import sys; sys.modules.update(click=None, rich=None, pygments=None)\n"
NOTHING = "nothing"
FIRST_INVOICE = "first invoice"

IMPORTS = {
    "httpx": "import httpx",
    "generated client": "from tazapay_lightning_api.api.default import create_lightning_invoice",
    "stripe": "import stripe",
    "openai": "import openai",
    OURS: "import tazapay_lightning",
}
CONSTRUCTIONS = {
    "httpx": "import httpx; httpx.Client()",
    "generated client": IMPORTS["generated client"]
    + "; from tazapay_lightning_api.client import Client; Client(base_url='https://service.example').get_httpx_client()",
    "stripe": "import stripe; stripe.StripeClient('sk_test_benchmark')",
    "openai": "import openai; openai.OpenAI(api_key='benchmark')",
    OURS: "import tazapay_lightning; tazapay_lightning.LightningClient('key', 'secret')",
    f"{OURS}, asynchronous": "import tazapay_lightning; tazapay_lightning.AsyncLightningClient('key', 'secret')",
}


def first_invoices(url: str) -> dict[str, str]:
    """Return programs that create one invoice."""
    return {
        "httpx": f"""
import httpx
with httpx.Client() as client:
    client.post({url + PATH!r}, json={BODY!r}, headers={HEADERS!r}).json()
""",
        "generated client": f"""
from tazapay_lightning_api.api.default import create_lightning_invoice
from tazapay_lightning_api.client import Client
from tazapay_lightning_api.models import CreateLightningInvoiceRequest
with Client(base_url={url!r}, headers={{"Authorization": {HEADERS["Authorization"]!r}}}) as client:
    create_lightning_invoice.sync(
        client=client, body=CreateLightningInvoiceRequest(**{BODY!r}), idempotency_key={KEY!r}
    )
""",
        OURS: f"""
from tazapay_lightning import LightningClient
with LightningClient(*{CREDENTIALS!r}, base_url={url!r}) as client:
    client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
""",
        "httpx, asynchronous": f"""
import asyncio, httpx
async def main():
    async with httpx.AsyncClient() as client:
        (await client.post({url + PATH!r}, json={BODY!r}, headers={HEADERS!r})).json()
asyncio.run(main())
""",
        f"{OURS}, asynchronous": f"""
import asyncio
from tazapay_lightning import AsyncLightningClient
async def main():
    async with AsyncLightningClient(*{CREDENTIALS!r}, base_url={url!r}) as client:
        await client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
asyncio.run(main())
""",
    }


RESIDENT = """
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmRSS:")))
"""


def growth(url: str, *, before: int, calls: int) -> str:
    """Return a program that prints by how many KiB `calls` invoices make it grow, after some that warm it up."""
    return f"""
from tazapay_lightning import LightningClient
def resident():
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS:")))
with LightningClient(*{CREDENTIALS!r}, base_url={url!r}) as client:
    for _ in range({before}):
        client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
    before = resident()
    for _ in range({calls}):
        client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
    print(resident() - before)
"""
