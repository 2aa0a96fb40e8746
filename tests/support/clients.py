"""The clients with connections of their own: what is the same for all of them is one test with three kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tazapay_lightning import AsyncLightningClient, Invoice, LightningClient
from tests.support.service import API_KEY, API_SECRET

KINDS = ("sync", "async", "aiohttp")
ASYNC_KINDS = ("async", "aiohttp")

each_kind = pytest.mark.parametrize("kind", KINDS)
each_async_kind = pytest.mark.parametrize("kind", ASYNC_KINDS)


def async_client(kind: str, base_url: str, **options: Any) -> AsyncLightningClient:
    """Return a client of the kind "async" (which is httpx, the default) or "aiohttp"."""
    return AsyncLightningClient(
        options.pop("api_key", API_KEY),
        options.pop("api_secret", API_SECRET),
        base_url=base_url,
        **({} if kind == "async" else {"backend": kind}),
        **options,
    )


def call_kind(
    kind: str, base_url: str, method: str, *given: Any, client: dict[str, Any] | None = None, **arguments: Any
) -> Invoice:
    """Call a method of a new client, which is closed afterwards."""
    with caller(kind, base_url, **(client or {})) as call:
        invoice: Invoice = call(method, *given, **arguments)
        return invoice


def create_kind(kind: str, base_url: str, **options: Any) -> Invoice:
    """Create an invoice over one satoshi with a new client of these options."""
    return call_kind(kind, base_url, "create_invoice", client=options, amount_sats=1)


@contextmanager
def caller(kind: str, base_url: str, **options: Any) -> Iterator[Any]:
    """Within the block, call methods of one client, one after the other, as blocking code would."""
    if kind == "sync":
        options = {"api_key": API_KEY, "api_secret": API_SECRET, **options}
        with LightningClient(base_url=base_url, **options) as blocking:
            yield lambda method, *given, **arguments: getattr(blocking, method)(*given, **arguments)
        return
    with asyncio.Runner() as loop:
        waiting = async_client(kind, base_url, **options)
        try:
            yield lambda method, *given, **arguments: loop.run(_awaited(waiting, method, given, arguments))
        finally:
            loop.run(waiting.aclose())


async def _awaited(
    client: AsyncLightningClient, method: str, given: tuple[Any, ...], arguments: dict[str, Any]
) -> Invoice:
    invoice: Invoice = await getattr(client, method)(*given, **arguments)
    return invoice
