"""The pytest fixture `tazapay_emulator`, available wherever the package is installed.

Pytest loads this module in every run, so the web framework and the database are imported only when a test uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import tazapay_lightning_emulator

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator


@pytest.fixture
def tazapay_emulator() -> Iterator[Emulator]:
    """A running emulator of Tazapay, a new and empty one for every test.

    Example::

        from tazapay_lightning import LightningClient

        def test_an_order_is_billed(tazapay_emulator):
            with LightningClient(
                api_key=tazapay_emulator.api_key,
                api_secret=tazapay_emulator.api_secret,
                base_url=tazapay_emulator.base_url,
            ) as client:
                client.create_invoice(amount_sats=123456, memo="Order 7890")
            [stored] = tazapay_emulator.invoices()
            assert stored["amount"] == 123456
    """
    try:
        running_emulator = tazapay_lightning_emulator.running_emulator
    except ModuleNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with running_emulator() as emulator:
        yield emulator
