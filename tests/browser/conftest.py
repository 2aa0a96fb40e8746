"""A real browser in front of the example shop and of the emulator's page.

Needs Playwright (requirements/browser.txt) and Debian's Chromium, or another one whose path the variable CHROMIUM
holds. Without them these tests are skipped, unless BROWSER_TESTS=required says that they must run. Screenshots go to
the folder that the variable SCREENSHOTS names, or to screenshots/.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from attrs import define, field

from examples.checkout.app import WEBHOOK_PATH, Practice, Settings, create_shop
from examples.checkout.server import running_shop
from tazapay_lightning import AsyncLightningClient
from tazapay_lightning_emulator import DEFAULT_WEBHOOK_SECRET, Emulator, running_emulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from starlette.applications import Starlette

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or Path(__file__).resolve().parents[2] / "screenshots")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def unavailable(reason: str) -> None:
    """Skip, or fail where the tests in a browser are required."""
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(f"BROWSER_TESTS=required, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        unavailable("Playwright is not installed: make browser-test")
    if not Path(CHROMIUM).exists():
        unavailable(f"there is no Chromium at {CHROMIUM}: apt-get install chromium, or set CHROMIUM to the path of one")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@define
class Watch:
    """What went wrong in the browser without anybody looking."""

    errors: list[str] = field(factory=list)
    requested: list[str] = field(factory=list)

    def forgive(self, *expected: str) -> None:
        """Forget the errors that a test provoked; what is none of them is still told at the end."""
        self.errors = [error for error in self.errors if not any(words in error for words in expected)]

    def follow(self, page: Page) -> None:
        page.on("console", lambda message: message.type in {"error", "warning"} and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requested.append(request.url))


@define
class Server:
    """A shop that can be stopped, and started again at the same address."""

    emulator: Emulator
    settings: Settings
    url: str = ""
    app: Starlette | None = None
    _running: ExitStack = field(factory=ExitStack)

    def start(self) -> None:
        client = AsyncLightningClient(
            self.emulator.api_key, self.emulator.api_secret, base_url=self.emulator.base_url, max_retries=0, timeout=5
        )
        self.app = create_shop(client, self.settings)
        self.url = self._running.enter_context(running_shop(self.app, port=urlsplit(self.url).port or 0))

    def stop(self) -> None:
        self._running.close()

    def open_streams(self) -> int:
        """How many pages listen for changes now."""
        assert self.app is not None
        return sum(len(listeners) for listeners in self.app.state.changes._listeners.values())


@define
class Visit:
    """A customer with a browser in the shop, and the emulator that the shop bills with."""

    shop: str
    server: Server
    emulator: Emulator
    context: BrowserContext
    page: Page
    watch: Watch

    def order(self, product: str = "Coffee beans", name: str = "") -> str:
        """Order something; return the address of the order."""
        self.page.goto(self.shop)
        self.page.get_by_label(product).check()
        self.page.get_by_label("Name on the order").fill(name)
        self.page.get_by_role("button", name="Order and pay").click()
        self.sees("Pay ")
        return self.page.url

    def pay(self, number: int = -1) -> None:
        """Pay an invoice, as a wallet would."""
        self.emulator.pay(self.emulator.invoices()[number]["id"])

    def sees(self, heading: str, *, page: Page | None = None) -> None:
        """Wait until the page has this heading, and all of its files."""
        looked_at = page or self.page
        looked_at.get_by_role("heading", level=1, name=heading).wait_for(timeout=20_000)
        looked_at.wait_for_load_state("load")

    def photograph(self, name: str, *, full_page: bool = True) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)


OpenShop = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[OpenShop]:
    """Opens a shop over an emulator and a browser in front of it.

    Webhooks reach the shop unless `webhooks` is False; the shop polls only if it is told an interval. `settings` are
    those of `Settings`, and the other arguments those of a browser context.
    """
    with ExitStack() as stack:

        def start(
            *,
            webhooks: bool = True,
            poll_interval: float = 3600,
            settings: dict[str, Any] | None = None,
            **options: Any,
        ) -> Visit:
            emulator = stack.enter_context(running_emulator())
            defaults: dict[str, Any] = {
                "webhook_secret": DEFAULT_WEBHOOK_SECRET,
                "poll_interval": poll_interval,
                "practice": Practice(emulator.pay, emulator.advance_clock),
            }
            server = Server(emulator, Settings(**defaults | (settings or {})))
            stack.callback(server.stop)
            server.start()
            if webhooks:
                emulator.send_webhooks_to(f"{server.url}{WEBHOOK_PATH}")
            context = stack.enter_context(browser.new_context(**{"viewport": {"width": 900, "height": 900}} | options))
            watch = Watch()
            context.on("page", lambda page: watch.follow(page))
            visits.append(Visit(server.url, server, emulator, context, context.new_page(), watch))
            return visits[-1]

        visits: list[Visit] = []
        yield start
        for each in visits:
            hosts = {urlsplit(url).netloc for url in each.watch.requested}
            assert hosts <= {urlsplit(each.shop).netloc}, "a page asked another host"
            assert each.watch.errors == [], "the browser's console tells of errors"
