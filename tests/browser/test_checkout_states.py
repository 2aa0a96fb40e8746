"""Every state of the shop's pages, as it looks to people with different screens, and to those who cannot see one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from examples.checkout.fiat import FiatPrice
from tests.browser.axe import violations
from tests.browser.conftest import OpenShop, Visit

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

LOOKS: dict[str, tuple[ViewportSize, str]] = {
    "desktop": ({"width": 1280, "height": 800}, "light"),
    "dark": ({"width": 1280, "height": 800}, "dark"),
    "phone": ({"width": 390, "height": 844}, "light"),
    "phone-dark": ({"width": 390, "height": 844}, "dark"),
    "landscape": ({"width": 844, "height": 390}, "light"),
    "320": ({"width": 320, "height": 568}, "light"),
}


def euros(sats: int) -> FiatPrice:
    amount = (Decimal(60_000) * sats / 100_000_000).quantize(Decimal("0.01"))
    return FiatPrice(amount=amount, currency="EUR", rate=Decimal(60_000), at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


def form(shop: Visit) -> None:
    shop.page.goto(shop.shop)


def form_error(shop: Visit) -> None:
    shop.page.goto(shop.shop)
    shop.page.get_by_label("Coffee beans").check()
    shop.page.get_by_label("Name on the order").fill("Ada\u202e")
    shop.page.get_by_role("button", name="Order and pay").click()
    shop.page.get_by_text("cannot be part of a name").wait_for()
    shop.watch.forgive("status of 400")


def preparing(shop: Visit) -> None:
    shop.emulator.fail_next("status_before_commit", status=503, times=1_000)
    shop.page.goto(shop.shop)
    shop.page.get_by_label("Name on the order").fill("Ada")
    shop.page.get_by_role("button", name="Order and pay").click()
    shop.sees("Your invoice is being prepared")


def waiting(shop: Visit) -> None:
    shop.order(name="Ada")


def lost(shop: Visit) -> None:
    shop.order(name="Ada")
    shop.server.stop()
    shop.page.get_by_text("Connection lost").first.wait_for()


def expired(shop: Visit) -> None:
    shop.order()
    shop.emulator.advance_clock(901)
    shop.sees("The invoice expired")


def paid(shop: Visit) -> None:
    shop.order(name="Ada")
    shop.pay()
    shop.sees("Paid. Thank you!")


def held(shop: Visit) -> None:
    shop.order()
    shop.emulator.fail_next("wrong_amount", difference=-1, times=1_000)
    shop.pay()
    shop.sees("Your payment needs a look by our staff")


def not_found(shop: Visit) -> None:
    shop.page.goto(f"{shop.shop}/orders/{'0' * 32}")
    shop.sees("Not found")
    shop.watch.forgive("status of 404")


def service_down(shop: Visit) -> None:
    expired(shop)
    shop.emulator.fail_next("status_before_commit", status=503, times=1_000)
    shop.page.get_by_role("button", name="New invoice").click()
    shop.sees("Please try again")
    shop.watch.forgive("status of 503")


STATES: list[Callable[[Visit], None]] = [
    form,
    form_error,
    preparing,
    waiting,
    lost,
    expired,
    paid,
    held,
    not_found,
    service_down,
]


@contextmanager
def looked_at(shop: Visit, look: str) -> Iterator[int]:
    """See the page as it is now on another screen; yields its width."""
    size, scheme = LOOKS[look]
    shop.page.set_viewport_size(size)
    shop.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a Literal
    yield size["width"]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_state_shuts_nobody_out_on_any_screen(visit: OpenShop, state: Callable[[Visit], None]) -> None:
    shop = visit(poll_interval=0.1, settings={"fiat": euros, "patience": 0.5, "practice": None})
    state(shop)
    for look in LOOKS:
        with looked_at(shop, look) as width:
            shop.photograph(f"shop-{state.__name__}-{look}")
            assert violations(shop.page) == [], look
            assert shop.page.evaluate("document.documentElement.scrollWidth") <= width, look
            for control in shop.page.locator("main button:visible, main a.button:visible, main .choice").all():
                box = control.bounding_box()
                assert box is not None
                assert box["height"] >= 44, look  # for a thumb
    if state is lost:
        shop.watch.forgive("net::ERR_")


def test_the_emulators_buttons_shut_nobody_out_either(visit: OpenShop) -> None:
    shop = visit()
    waiting(shop)
    assert violations(shop.page) == []


def test_one_long_word_wraps_on_the_smallest_screen(visit: OpenShop) -> None:
    shop = visit(viewport={"width": 320, "height": 568})
    shop.order(name="m" * 60)
    assert shop.page.evaluate("document.documentElement.scrollWidth") <= 320
    shop.photograph("shop-waiting-320-long")
    shop.pay()
    shop.sees("Paid. Thank you!")
    assert shop.page.evaluate("document.documentElement.scrollWidth") <= 320
    shop.photograph("shop-paid-320-long")


def places(shop: Visit) -> dict[str, Any]:
    """Where the ways to pay are that can be seen."""
    found = {
        "wallet": shop.page.locator("a[href^='lightning:']:visible"),
        "code": shop.page.locator(".code"),
        "copy": shop.page.get_by_role("button", name="Copy"),
        "heading": shop.page.get_by_role("heading", level=1),
    }
    return {name: locator.bounding_box() for name, locator in found.items()}


def focus_order(shop: Visit) -> list[str]:
    """The ways to pay in the order in which the tabulator reaches them."""
    reached = []
    for _ in range(8):
        shop.page.keyboard.press("Tab")
        reached.append(shop.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    return [each for each in reached if each in {"copy", "request", "Open in your wallet"}]


def test_on_a_desktop_the_code_and_copy_come_first_beside_the_amount(visit: OpenShop) -> None:
    shop = visit(viewport={"width": 1280, "height": 800})
    shop.order()
    at = places(shop)
    assert at["code"]["x"] > at["heading"]["x"] + at["heading"]["width"] - 1
    assert at["code"]["y"] < at["copy"]["y"] < at["wallet"]["y"]
    assert focus_order(shop) == ["copy", "request", "Open in your wallet"]


@pytest.mark.parametrize(
    "screen",
    [
        {"viewport": {"width": 390, "height": 844}},
        {"viewport": {"width": 800, "height": 1200}, "has_touch": True, "is_mobile": True},
    ],
    ids=["narrow", "touched"],
)
def test_on_a_phone_the_wallet_comes_first(visit: OpenShop, screen: dict[str, Any]) -> None:
    shop = visit(**screen)
    shop.order()
    at = places(shop)
    assert at["wallet"]["y"] < at["copy"]["y"]
    assert at["wallet"]["y"] < at["code"]["y"] or at["wallet"]["x"] < at["code"]["x"]
    assert focus_order(shop) == ["Open in your wallet", "copy", "request"]


def test_on_a_phone_on_its_side_the_whole_code_can_be_seen(visit: OpenShop) -> None:
    screen = {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True}
    shop = visit(settings={"fiat": euros, "practice": None}, **screen)
    waiting(shop)
    shop.photograph("shop-waiting-phone-landscape", full_page=False)
    at = places(shop)
    assert at["code"]["y"] + at["code"]["height"] <= 390
    assert at["wallet"]["y"] + at["wallet"]["height"] <= 390
    assert at["code"]["x"] > at["wallet"]["x"]


def test_the_receipt_prints_without_what_only_a_screen_needs(visit: OpenShop) -> None:
    shop = visit(color_scheme="dark")
    paid(shop)
    shop.page.emulate_media(media="print")
    shop.photograph("shop-receipt-printed")
    visible = shop.page.locator("body").inner_text()
    assert "Receipt" in visible
    assert shop.emulator.invoices()[0]["id"] in visible
    assert shop.page.locator("button:visible, a:visible").count() == 0
    assert shop.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
