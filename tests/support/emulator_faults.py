"""What tests of faults ask an emulator for."""

from __future__ import annotations

import time
from collections.abc import Callable

from tazapay_lightning_emulator import Emulator


def committed(emulator: Emulator) -> list[bool]:
    return [record.committed for record in emulator.faults_injected()]


def until(something: Callable[[], object]) -> None:
    """Wait until the emulator's thread has come so far."""
    deadline = time.monotonic() + 30
    while not something():
        assert time.monotonic() < deadline
        time.sleep(0.001)
