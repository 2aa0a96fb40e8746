"""Sends a webhook over HTTP, once."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx

from tazapay_lightning_emulator.webhooks.event import WebhookDelivery

TIMEOUT_SECONDS = 10.0
"""The time limit of a receiver's whole reply (assumption); after that the attempt counts as not replied to."""

_logger = logging.getLogger("tazapay_lightning_emulator")

_MAX_REPLY_BYTES = 65_536  # a longer reply is cut off: only its status counts


@asynccontextmanager
async def posting() -> AsyncIterator[Callable[[WebhookDelivery], Awaitable[int | None]]]:
    """What sends a webhook and returns the status of the reply; None if there is none."""
    # no CA certificates: only http is accepted, and loading them is slow
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(
        verify=no_tls, timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
    ) as client:
        yield partial(_status_of, client)


async def _status_of(client: httpx.AsyncClient, delivery: WebhookDelivery) -> int | None:
    status = None
    headers = {
        "Content-Type": "application/json",
        "signature": delivery.signature,
        "Connection": "close",  # a receiver may restart between two events
    }
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            client.stream("POST", delivery.url, content=delivery.body, headers=headers) as reply,
        ):
            status = reply.status_code
            read = 0
            async for piece in reply.aiter_raw():  # else the receiver's write would fail
                read += len(piece)
                if read > _MAX_REPLY_BYTES:
                    break
    except (httpx.HTTPError, TimeoutError):
        pass  # no reply, or an incomplete one, whose status counts
    except Exception:
        _logger.exception("a webhook could not be sent")
    return status
