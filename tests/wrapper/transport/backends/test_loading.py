"""What is loaded when: HTTP libraries and generated code for the first request, aiohttp for those who ask for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tazapay_lightning import AsyncLightningClient, ConfigurationError, LightningClient
from tazapay_lightning.transport.calls import Calls
from tests.support.clients import each_async_kind
from tests.support.tables import each_row

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

CLEAN = """if True:
    import os, sys
    for name in list(os.environ):
        if name.upper() in {"HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}:
            del os.environ[name]
"""
LAZY = (
    CLEAN
    + """
    from tazapay_lightning import AsyncLightningClient, LightningClient
    heavy = ("httpx", "httpcore", "aiohttp", "tazapay_lightning_api", "dateutil", "typer", "rich", "segno")
    with LightningClient("k", "s"):
        AsyncLightningClient("k", "s")
        print([name for name in heavy if name in sys.modules])
"""
)
WITHOUT_AIOHTTP = (
    CLEAN
    + """
    sys.modules["aiohttp"] = None
    from tazapay_lightning import AsyncLightningClient, ConfigurationError
    try:
        AsyncLightningClient("k", "s", backend="aiohttp")
    except ConfigurationError as error:
        print(error)
"""
)
AT_ONCE = (
    CLEAN
    + """
    import threading
    from concurrent.futures import ThreadPoolExecutor
    from tazapay_lightning import LightningClient
    together = threading.Barrier(16)
    with LightningClient(*sys.argv[2:4], base_url=sys.argv[1]) as client, ThreadPoolExecutor(16) as threads:
        assert "httpx" not in sys.modules
        def create(sats):
            together.wait()
            return client.create_invoice(amount_sats=sats).amount_sats
        print(sorted(threads.map(create, range(1, 17))) == list(range(1, 17)))
"""
)


def python(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_client_that_has_sent_nothing_has_loaded_no_library() -> None:
    assert python(LAZY) == "[]"


def test_16_threads_may_make_the_first_request_at_once(tazapay_emulator: Emulator) -> None:
    emulator = tazapay_emulator
    assert python(AT_ONCE, emulator.base_url, emulator.api_key, emulator.api_secret) == "True"
    assert len(emulator.invoices()) == 16


def test_without_aiohttp_the_extra_is_named() -> None:
    assert python(WITHOUT_AIOHTTP) == 'backend="aiohttp" needs aiohttp: pip install "tazapay-lightning[aiohttp]"'


def test_whatever_part_of_aiohttp_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tazapay_lightning.transport.backends.aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "yarl", None)
    with pytest.raises(ConfigurationError, match=r"needs yarl: pip install"):
        AsyncLightningClient("k", "s", backend="aiohttp")


@each_row(
    ("backend", "got"), [("x", "'x'"), (None, "None"), (["httpx"], "['httpx']"), ("AIOHTTP", "'AIOHTTP'")], ids=str
)
def test_another_backend_is_refused(backend: Any, got: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AsyncLightningClient("k", "s", backend=backend)
    assert str(caught.value) == f'backend must be "httpx" or "aiohttp"; got {got}'


def test_an_httpx_client_is_refused_for_aiohttp() -> None:
    with pytest.raises(ConfigurationError, match='leave it out, or take backend="httpx"'):
        AsyncLightningClient("k", "s", backend="aiohttp", http_client=httpx.AsyncClient())


def test_threads_that_load_at_once_use_the_same_connections() -> None:
    together = threading.Barrier(16)
    with LightningClient("k", "s", base_url="http://127.0.0.1:9") as client, ThreadPoolExecutor(16) as threads:

        def load(_: int) -> object:
            together.wait()
            return client._calls._backend()

        assert len(set(threads.map(load, range(16)))) == 1


def test_a_client_may_be_closed_before_its_first_request_and_twice() -> None:
    client = LightningClient("k", "s")
    client.close()
    client.close()
    with pytest.raises(ConfigurationError, match="this client is closed"):
        client.create_invoice(amount_sats=1)


@each_async_kind
def test_so_may_an_asynchronous_one(kind: str) -> None:
    async def run() -> None:
        client = AsyncLightningClient("k", "s", backend="httpx" if kind == "async" else "aiohttp")
        await client.aclose()
        await client.aclose()
        with pytest.raises(ConfigurationError, match="this client is closed"):
            await client.create_invoice(amount_sats=1)

    asyncio.run(run())


def test_a_client_that_is_closed_while_its_library_is_loaded_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a signal handler, which runs in the very thread that loads."""
    from tazapay_lightning.transport.backends import httpx as _httpx

    client = LightningClient("k", "s", base_url="http://127.0.0.1:9")
    api = client._calls
    assert isinstance(api, Calls)

    class Interrupted(_httpx.BlockingHttpx):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            api.close()

    monkeypatch.setattr(_httpx, "BlockingHttpx", Interrupted)
    assert api._backend()._connections.is_closed
