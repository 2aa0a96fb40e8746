from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tazapay_lightning_emulator import DEFAULT_API_KEY, DEFAULT_API_SECRET, Emulator, running_emulator

INVOICES = "/v3/lightning_invoice_bolt11"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    """Sends over a real socket, with the emulator's credentials."""
    auth = (emulator.api_key, emulator.api_secret)
    with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False) as connected:
        yield connected


@pytest.fixture
def post(client: httpx.Client) -> Callable[..., httpx.Response]:
    """POST to the one operation; a mapping goes as JSON, everything else as httpx takes it."""

    def send(json: Any = None, **kwargs: Any) -> httpx.Response:
        return client.post(INVOICES, **({"json": json} if json is not None else {}), **kwargs)

    return send


@pytest.fixture
def call_app() -> Callable[..., httpx.Response]:
    """One request to an application without a server, for what no server lets one arrange."""

    def call(app: Starlette, method: str = "POST", path: str = INVOICES, **kwargs: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as connected:
                kwargs.setdefault("auth", (DEFAULT_API_KEY, DEFAULT_API_SECRET))
                return await connected.request(method, path, **kwargs)

        return asyncio.run(send())

    return call
