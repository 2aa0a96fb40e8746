"""The programs that whole processes run: start-up, construction, a first invoice, and memory.

The library under measurement is imported by each of them as its users would. What the interpreter has not installed in
a plain installation is made unavailable first: httpx imports click, rich and pygments for a command line of its own
where it finds them, which doubles what `import httpx` costs and would flatter whatever is measured in units of it.
"""

from __future__ import annotations

from benchmarks.payload import ARGUMENTS, BODY, CREDENTIALS, HEADERS, KEY, PATH
from benchmarks.peers import OURS, OURS_ON_AIOHTTP

__all__ = [
    "CONSTRUCTIONS",
    "CONSTRUCTIONS_OF_FILE",
    "IMPORTS",
    "NOTHING",
    "OF_FILE",
    "PLAIN",
    "PRINT_RESIDENT",
    "clients_made_and_closed",
    "first_invoices",
    "growth",
    "idle_clients",
    "kept_clients",
]

PLAIN = "import sys; sys.modules.update(click=None, rich=None, pygments=None)\n"
NOTHING = "nothing"
WARM_UP = 200  # calls, or clients

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
OF_FILE = ", SSL_CERT_FILE set"
CONSTRUCTIONS_OF_FILE = {name + OF_FILE: CONSTRUCTIONS[name] for name in ("httpx", OURS, f"{OURS}, asynchronous")}
"""Then the certificates are loaded at once, and a file that cannot be read is told."""


def first_invoices(url: str) -> dict[str, str]:
    """Return programs that create one invoice."""
    return {
        "httpx": f"""
import httpx
with httpx.Client() as client:
    client.post({url + PATH!r}, json={BODY!r}, headers={HEADERS!r}).json()
""",
        "httpx, with attrs loaded": f"""
import attrs, httpx
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
def resident():
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS:")))
"""
PRINT_RESIDENT = f"{RESIDENT}print(resident())\n"


def growth(url: str, *, calls: int) -> str:
    """Return a program that prints by how many KiB `calls` invoices make it grow, after some that warm it up."""
    return f"""
{RESIDENT}
from tazapay_lightning import LightningClient
with LightningClient(*{CREDENTIALS!r}, base_url={url!r}) as client:
    for _ in range({WARM_UP}):
        client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
    before = resident()
    for _ in range({calls}):
        client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})
    print(resident() - before)
"""


def kept_clients(url: str) -> dict[str, str]:
    """Return, by client, programs that define how one is made, with a call if it is told to make one, and closed."""
    post = f"client.post({url + PATH!r}, json={BODY!r}, headers={HEADERS!r})"
    create = f"client.create_invoice(**{ARGUMENTS!r}, idempotency_key={KEY!r})"
    like_httpx = ("import httpx", "httpx.Client()", f"{post}.json()", "client.close()")
    like_aiohttp = ("import aiohttp", "aiohttp.ClientSession()", f"await (await {post}).json()", "await client.close()")
    constructors = {
        OURS: f"LightningClient(*{CREDENTIALS!r}, base_url={url!r})",
        f"{OURS}, asynchronous": f"AsyncLightningClient(*{CREDENTIALS!r}, base_url={url!r})",
        OURS_ON_AIOHTTP: f"AsyncLightningClient(*{CREDENTIALS!r}, base_url={url!r}, backend='aiohttp')",
    }
    parts = {"httpx": like_httpx, "aiohttp": like_aiohttp} | {
        name: (
            "from tazapay_lightning import AsyncLightningClient, LightningClient",
            constructor,
            create if name == OURS else f"await {create}",
            "client.close()" if name == OURS else "await client.aclose()",
        )
        for name, constructor in constructors.items()
    }
    return {
        name: f"""
{imported}
async def make(calls):
    client = {construct}
    if calls:
        {call}
    return client
async def close(client):
    {ended}
"""
        for name, (imported, construct, call, ended) in parts.items()
    }


def clients_made_and_closed(kept: str, *, number: int, warm_up: int = WARM_UP) -> str:
    """Return a program that prints by how many KiB so many clients make it grow, and as many once more.

    Every hundredth makes a call. What waits for the garbage collector is collected before each look.
    """
    return f"""
import asyncio, gc
{RESIDENT}{kept}
def now():
    gc.collect()
    return resident()
async def main():
    sizes = []
    for each in range({warm_up} + 2 * {number} + 1):
        if each in ({warm_up}, {warm_up} + {number}, {warm_up} + 2 * {number}):
            sizes.append(now())
        await close(await make(each % 100 == 0))
    print(sizes[1] - sizes[0], sizes[2] - sizes[1])
asyncio.run(main())
"""


def idle_clients(kept: str, *, number: int, seconds: float = 6) -> str:
    """Return a program that prints the KiB that each of some clients holds after a call, and again after some seconds.

    What the allocator keeps without need is given back to the system before each look.
    """
    return f"""
import asyncio, ctypes, gc
{RESIDENT}{kept}
def now():
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", int)(0)
    return resident()
async def main():
    for _ in range(20):
        await close(await make(True))
    before = now()
    clients = [await make(True) for _ in range({number})]
    soon = now()
    await asyncio.sleep({seconds})
    print((soon - before) / {number}, (now() - before) / {number})
    for client in clients:
        await close(client)
asyncio.run(main())
"""
