"""Applications made of the guides of docs/frameworks, running over an emulator of Tazapay.

Needs what requirements/frameworks.txt lists. Without it these tests are skipped, unless FRAMEWORKS_TESTS=required says
that they must run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from attrs import define, field

from tazapay_lightning_emulator import Emulator, running_emulator
from tests.frameworks.customers import Customer
from tests.frameworks.guides import ALL, guide
from tests.frameworks.projects import PATIENCE, Project

SECRET = "a-secret-that-must-stay-where-it-is"
WEBHOOK_SECRET = "whsec-that-must-stay-where-it-is"
NEEDED = ("celery", "django", "fastapi", "flask", "freezegun", "gunicorn", "mypy", "PIL", "respx", "zxingcpp")
SERVERS = [
    pytest.param((name, server), id=f"{name} by {server.split()[0]}") for name in ALL for server in guide(name).servers
]


@pytest.fixture(scope="session", autouse=True)
def frameworks() -> None:
    """Skip where they are not installed, or fail where these tests are required."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing and os.environ.get("FRAMEWORKS_TESTS") == "required":
        pytest.fail(f"FRAMEWORKS_TESTS=required, but {missing[0]} is not installed", pytrace=False)
    if missing:
        pytest.skip(f"{missing[0]} is not installed: make frameworks-test")


def variables(emulator: Emulator) -> Mapping[str, str]:
    """Return what an application of a guide finds in its environment."""
    return {
        "TAZAPAY_API_KEY": emulator.api_key,
        "TAZAPAY_API_SECRET": emulator.api_secret,
        "TAZAPAY_BASE_URL": emulator.base_url,
        "TAZAPAY_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


@define
class Shop:
    """The application of a guide, running.

    Attributes:
        project: what it runs from.
        emulator: the service that it asks.
        address: its own.
        log: what it wrote to its terminal.
        customer: somebody who orders there.
        service_is_behind: by how much the service's clock differs from ours.
    """

    project: Project
    emulator: Emulator
    log: Path
    address: str = ""
    customer: Customer = field(init=False)
    service_is_behind: timedelta = timedelta()

    def deliver(self, body: bytes, signature: str) -> int:
        """Send a webhook, and return the status of the answer."""
        headers = {"Content-Type": "application/json", "Signature": signature}
        return httpx.post(
            f"{self.address}/webhooks/tazapay", content=body, headers=headers, timeout=PATIENCE
        ).status_code


@contextmanager
def open_shop(name: str, server: str, folder: Path) -> Iterator[Shop]:
    """Serve the application of a guide as one of its commands does."""
    behind: list[Shop] = []

    def now() -> datetime:
        return datetime.now(UTC) - (behind[0].service_is_behind if behind else timedelta())

    with running_emulator(api_secret=SECRET, webhook_secret=WEBHOOK_SECRET, now=now) as emulator:
        shop = Shop(Project(guide(name), folder, variables(emulator)), emulator, folder / "server.log")
        behind.append(shop)
        shop.project.prepare()
        each_its_own = httpx.Limits(max_keepalive_connections=0)  # servers close connections after an error
        with (
            shop.project.serving(server, shop.log) as shop.address,
            httpx.Client(base_url=shop.address, limits=each_its_own, timeout=PATIENCE) as browser,
        ):
            shop.customer = Customer(browser, name)
            emulator.send_webhooks_to(f"{shop.address}/webhooks/tazapay")
            yield shop


@pytest.fixture(scope="session", params=SERVERS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for many tests: each orders anew, and plans faults for its own order."""
    name, server = request.param
    with open_shop(name, server, tmp_path_factory.mktemp(name)) as opened:
        yield opened


@pytest.fixture(params=[name for name in ALL if guide(name).servers])
def project(request: pytest.FixtureRequest, tmp_path: Path, tazapay_emulator: Emulator) -> Project:
    """A shop's project that nobody serves yet."""
    made = Project(guide(request.param), tmp_path, variables(tazapay_emulator))
    made.prepare()
    return made
