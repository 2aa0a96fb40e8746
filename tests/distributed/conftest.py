"""A Redis of our own, an emulator of Tazapay, and workers that really are processes.

Needs Celery (requirements/distributed.txt) and Debian's redis-server. Without them these tests are skipped, unless
DISTRIBUTED_TESTS=required says that they must run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from examples.distributed_bulk.ledger import Ledger
from examples.distributed_bulk.orders import Order, sample_orders
from examples.distributed_bulk.redis_server import RedisMissingError, running_redis
from examples.distributed_bulk.settings import Settings
from tazapay_lightning_emulator import Emulator, running_emulator

if TYPE_CHECKING:
    from redis import Redis

    from examples.distributed_bulk.running import Run

SECRET = "a-secret-that-must-stay-where-it-is"


def unavailable(reason: str) -> None:
    """Skip, or fail where these tests are required."""
    if os.environ.get("DISTRIBUTED_TESTS") == "required":
        pytest.fail(f"DISTRIBUTED_TESTS=required, but {reason}", pytrace=False)
    pytest.skip(reason)


@frozen
class Site:
    """Where workers work: a service, a Redis, settings."""

    emulator: Emulator
    redis: Redis
    folder: Path
    settings: Settings
    log: Path

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "TAZAPAY_API_KEY": self.emulator.api_key,
            "TAZAPAY_API_SECRET": self.emulator.api_secret,
            "TAZAPAY_BASE_URL": self.emulator.base_url,
        }

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.redis, self.settings.namespace, lease=self.settings.lease)

    def run(self, orders: Sequence[Order], **options: Any) -> Run:
        """Bill orders with two workers."""
        from examples.distributed_bulk.running import run

        defaults: dict[str, Any] = {"workers": 2, "credentials": self.credentials, "log": self.log}
        return run(orders, self.settings, **defaults | options)

    def created(self) -> dict[str, list[str]]:
        """Idempotency key -> ids of the invoices that the service has under it."""
        found: dict[str, list[str]] = {}
        for invoice in self.emulator.invoices():
            found.setdefault(invoice["idempotency_key"], []).append(invoice["id"])
        return found


@contextmanager
def open_site(log: Path, *, append_only: bool = False) -> Iterator[Site]:
    """Run all but the workers."""
    if find_spec("celery") is None or find_spec("redis") is None:
        unavailable("Celery is not installed: make distributed-test")
    try:
        with running_redis(append_only=append_only) as (url, folder), running_emulator(api_secret=SECRET) as emulator:
            from examples.distributed_bulk.running import connected

            settings = Settings(redis_url=url, deadline=4.0, longest_wait=1.0)
            with connected(settings) as redis:
                yield Site(emulator, redis, folder, settings, log)
    except RedisMissingError as error:
        unavailable(str(error))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path / "workers.log") as opened:
        yield opened


@frozen
class KilledRun:
    """A run at 30 % faults in which both workers were killed, and where it took place."""

    site: Site
    orders: list[Order]
    done: Run = field(repr=False)


@pytest.fixture(scope="session")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledRun]:
    with open_site(tmp_path_factory.mktemp("killed") / "workers.log", append_only=True) as site:
        site.emulator.fail_randomly(0.3, seed=6)
        orders = list(sample_orders(300))
        yield KilledRun(site, orders, site.run(orders, kills=2))
