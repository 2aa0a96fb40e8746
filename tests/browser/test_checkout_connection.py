"""The page of an order while its connection comes and goes: it never leaves a payer with what is no longer true."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import OpenShop, Visit
from tests.support.shop import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

LOST = "Connection lost. Trying again"
NETWORK_ERRORS = ("net::ERR_", "status of 50")


def hide(page: Page, *, hidden: bool = True) -> None:
    """Tell a page that its tab went to the background, or came back: the driver keeps all tabs in front."""
    page.evaluate(
        """hidden => { Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange")); }""",
        hidden,
    )


def announced(page: Page, words: str) -> None:
    page.get_by_role("status").filter(has_text=words).wait_for()


def is_payable(page: Page) -> bool:
    """Whether anything is shown that could be paid: code, link or text."""
    return any(
        element.is_visible()
        for element in [
            *page.locator(".code").all(),
            *page.locator("a[href^='lightning:']").all(),
            *page.locator("#request").all(),
        ]
    )


def is_lost(shop: Visit) -> None:
    shop.page.get_by_text(LOST).first.wait_for()
    announced(shop.page, LOST)


def asks_nothing_any_more(shop: Visit) -> None:
    before = len(shop.watch.requested)
    shop.page.clock.install()
    shop.page.clock.run_for(60_000)
    hide(shop.page, hidden=False)
    shop.page.evaluate("window.dispatchEvent(new Event('online'))")
    shop.page.evaluate("fetch(location.href)")  # the only request that may come
    assert len(shop.watch.requested) == before + 1


def fail_pages(shop: Visit, times: int) -> list[str]:
    """Let fetches of an order's page fail so many times; return those that failed, as they come."""
    failed: list[str] = []

    def answer(route: Route) -> None:
        if route.request.resource_type == "fetch" and len(failed) < times:
            failed.append(route.request.url)
            route.fulfill(status=502, body="no shop here")
        else:
            route.continue_()

    shop.page.route(shop.page.url, answer)
    return failed


def test_a_page_whose_fetch_failed_after_the_event_looks_until_it_shows_the_state(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    eventually(shop.server.open_streams, "the page listens")
    failed = fail_pages(shop, times=2)
    shop.pay()
    shop.sees("Paid. Thank you!")
    assert len(failed) == 2
    shop.watch.forgive(*NETWORK_ERRORS)


def test_a_page_that_cannot_be_fetched_for_long_says_so_and_offers_nothing_to_pay(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    eventually(shop.server.open_streams, "the page listens")
    fail_pages(shop, times=1_000)
    shop.pay()
    is_lost(shop)
    assert not is_payable(shop.page)
    shop.watch.forgive(*NETWORK_ERRORS)


def test_while_the_shop_is_away_nothing_can_be_paid_and_it_comes_back_with_the_shop(
    visit: OpenShop, tmp_path: Path
) -> None:
    shop = visit(settings={"database": tmp_path / "orders.db"})
    shop.order()
    assert is_payable(shop.page)
    shop.server.stop()
    is_lost(shop)
    assert not is_payable(shop.page)
    shop.server.start()
    announced(shop.page, "Connected again")
    assert is_payable(shop.page)
    assert not shop.page.get_by_text(LOST).first.is_visible()
    eventually(shop.server.open_streams, "the page listens again")
    shop.pay()
    shop.sees("Paid. Thank you!")
    shop.watch.forgive(*NETWORK_ERRORS)


def test_a_payment_while_the_shop_was_away_is_shown_when_it_is_back(visit: OpenShop, tmp_path: Path) -> None:
    shop = visit(webhooks=False, poll_interval=0.1, settings={"database": tmp_path / "orders.db"})
    shop.order()
    shop.server.stop()
    shop.pay()
    is_lost(shop)
    shop.server.start()
    shop.sees("Paid. Thank you!")
    shop.watch.forgive(*NETWORK_ERRORS)


def test_a_device_that_goes_offline_says_so_and_looks_at_once_when_it_is_online(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.context.set_offline(True)
    is_lost(shop)
    assert not is_payable(shop.page)
    shop.pay()
    shop.context.set_offline(False)
    shop.sees("Paid. Thank you!")
    shop.watch.forgive(*NETWORK_ERRORS)


def test_a_shop_that_takes_requests_and_never_answers_is_lost_too(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.route("**/status", lambda route: None)
    shop.page.evaluate("window.dispatchEvent(new Event('online'))")
    is_lost(shop)
    assert not is_payable(shop.page)


def test_the_pauses_between_looks_that_fail_grow_to_a_quarter_of_a_minute(visit: OpenShop) -> None:
    shop = visit()
    shop.page.clock.install()
    shop.page.add_init_script(
        """window.looks = []; const fetch = window.fetch;
        window.fetch = (...request) => { window.looks.push(performance.now() / 1000); return fetch(...request); }"""
    )
    shop.order()
    shop.page.route("**/status", lambda route: route.fulfill(status=503))
    shop.page.route("**/events", lambda route: route.fulfill(status=503))
    shop.page.evaluate("window.dispatchEvent(new Event('online'))")
    shop.page.wait_for_load_state("networkidle")  # the looks that this asks for are no part of the pauses
    shop.page.evaluate("window.looks.length = 0")
    for _ in range(70):
        shop.page.clock.run_for(1_000)
        shop.page.wait_for_load_state("networkidle")
    looks = shop.page.evaluate("window.looks")
    pauses = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert len(pauses) >= 5
    assert all(0.9 <= pause <= 16.5 for pause in pauses), pauses
    assert pauses[-1] >= 7
    assert len({round(pause % 1, 2) for pause in pauses}) > 1
    shop.watch.forgive(*NETWORK_ERRORS)


def test_when_the_countdown_ends_there_is_nothing_left_to_pay(visit: OpenShop) -> None:
    shop = visit()
    shop.page.clock.install()
    shop.order()
    shop.page.clock.fast_forward(901_000)
    announced(shop.page, "The time for this invoice is over")
    shop.page.get_by_text("Looking whether it was paid").wait_for()
    assert not is_payable(shop.page)


def test_a_device_that_slept_learns_from_the_shop_how_much_time_is_left(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    status = {"version": "waiting-1", "state": "waiting", "seconds_left": 2}
    shop.page.route("**/status", lambda route: route.fulfill(json=status))
    shop.page.evaluate("window.dispatchEvent(new Event('online'))")
    announced(shop.page, "The time for this invoice is over")
    assert not is_payable(shop.page)


def test_a_broken_page_of_an_order_becomes_the_order_when_the_shop_is_repaired(visit: OpenShop, tmp_path: Path) -> None:
    shop = visit(settings={"database": tmp_path / "orders.db"})
    shop.order()
    with closing(sqlite3.connect(tmp_path / "orders.db")) as database:
        database.execute("ALTER TABLE attempts RENAME TO gone")
        shop.page.reload()
        shop.sees("That did not work")
        database.execute("ALTER TABLE gone RENAME TO attempts")
    shop.sees("Pay ")
    assert is_payable(shop.page)
    shop.watch.forgive(*NETWORK_ERRORS)


def test_a_stream_that_never_answers_does_not_hide_the_payment(visit: OpenShop) -> None:
    shop = visit()
    shop.page.route("**/events", lambda route: None)
    with shop.page.expect_request("**/events"):
        shop.order()
    shop.pay()
    shop.sees("Paid. Thank you!")


def test_a_tab_in_the_background_closes_its_stream_and_looks_at_once_when_it_is_back(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    eventually(shop.server.open_streams, "the page listens")
    hide(shop.page)
    eventually(lambda: shop.server.open_streams() == 0, "the stream is closed")
    shop.pay()
    hide(shop.page, hidden=False)
    shop.sees("Paid. Thank you!")
    eventually(lambda: shop.server.open_streams() == 0, "there is nothing left to listen for")


def test_eight_tabs_of_one_browser_all_answer(visit: OpenShop) -> None:
    shop = visit()
    address = shop.order()
    tabs = [shop.page]
    for _ in range(7):
        hide(tabs[-1])
        tabs.append(shop.context.new_page())
        tabs[-1].goto(address)
    shop.sees("Pay ", page=tabs[-1])
    eventually(lambda: shop.server.open_streams() == 1, "only the tab in front listens")
    shop.pay()
    shop.sees("Paid. Thank you!", page=tabs[-1])
    for tab in tabs[:-1]:
        hide(tab, hidden=False)
        shop.sees("Paid. Thank you!", page=tab)


def test_an_order_that_is_gone_is_the_end_and_says_so(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.server.stop()
    shop.server.start()  # with nothing but its memory, which is empty now
    shop.sees("Not found")
    announced(shop.page, "Not found")
    assert "please show our staff the payment in your wallet" in shop.page.get_by_role("main").inner_text()
    assert not is_payable(shop.page)
    asks_nothing_any_more(shop)
    shop.watch.forgive(*NETWORK_ERRORS, "status of 404")


def test_a_404_of_another_server_is_not_the_end(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    away = [True]

    def answer(route: Route) -> None:
        if away[0] and route.request.resource_type in {"fetch", "eventsource"}:
            route.fulfill(status=404, body="<main>default backend</main>")
        else:
            route.continue_()

    shop.page.route("**/orders/**", answer)
    shop.page.evaluate("window.dispatchEvent(new Event('online'))")
    is_lost(shop)
    away[0] = False
    announced(shop.page, "Connected again")
    shop.watch.forgive("status of 404")


def test_a_paid_order_is_the_end(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.pay()
    shop.sees("Paid. Thank you!")
    eventually(lambda: shop.server.open_streams() == 0, "the stream is closed")
    asks_nothing_any_more(shop)
