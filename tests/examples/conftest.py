"""The shop as a customer meets it, over a real socket and against a real emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from examples.checkout.app import Settings, create_shop
from examples.checkout.server import running_shop
from tazapay_lightning import AsyncLightningClient
from tazapay_lightning_emulator import Emulator, running_emulator
from tests.support.plain_http import NO_TLS
from tests.support.shop import SECRET, Customer

OpenShop = Callable[..., Customer]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def open_shop(emulator: Emulator) -> Iterator[OpenShop]:
    """Opens a shop that bills with the emulator, and lets a customer in; settings as for `Settings`."""
    with ExitStack() as stack:

        def start(client: AsyncLightningClient | None = None, **settings: Any) -> Customer:
            tazapay = client or AsyncLightningClient(
                emulator.api_key, emulator.api_secret, base_url=emulator.base_url, max_retries=0, timeout=5
            )
            # an hour between polls: what a test sees comes from elsewhere, unless it asks for polls
            defaults: dict[str, Any] = {"webhook_secret": SECRET, "poll_interval": 3600}
            url = stack.enter_context(running_shop(create_shop(tazapay, Settings(**defaults | settings))))
            http = stack.enter_context(
                httpx.Client(base_url=url, trust_env=False, verify=NO_TLS, follow_redirects=True, timeout=30)
            )
            return Customer(http)

        yield start


@pytest.fixture
def customer(open_shop: OpenShop) -> Customer:
    return open_shop()
