"""The example shop as a person meets it, in a real browser."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import SCREENSHOTS, OpenShop, unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Page


def read_code(page: Page) -> str:
    """Scan the QR code from the picture of the page, with a library that has nothing to do with its making."""
    try:
        import zxingcpp
        from PIL import Image
    except ModuleNotFoundError:
        unavailable("zxing-cpp and pillow are not installed: make browser-test")
    picture = Image.open(io.BytesIO(page.locator(".code").screenshot()))
    [code] = zxingcpp.read_barcodes(picture)
    return str(code.text)


def stays_in_the_same_document(page: Page) -> None:
    page.evaluate("document.documentElement.dataset.sameDocument = 'yes'")


def is_the_same_document(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.dataset.sameDocument === 'yes'"))


def announced(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def test_paid_by_webhook_the_page_changes_by_itself(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    stays_in_the_same_document(shop.page)
    shop.emulator.pay(shop.emulator.invoices()[0]["id"])
    shop.sees("Paid. Thank you!")
    assert is_the_same_document(shop.page)
    assert announced(shop.page) == "Paid. Thank you!"
    assert shop.page.title().startswith("Paid. Thank you!")


def test_paid_by_polling_when_webhooks_go_nowhere(visit: OpenShop) -> None:
    shop = visit(webhooks=False, poll_interval=0.1)
    shop.order()
    stays_in_the_same_document(shop.page)
    shop.emulator.pay(shop.emulator.invoices()[0]["id"])
    shop.sees("Paid. Thank you!")
    assert is_the_same_document(shop.page)


def test_a_browser_whose_stream_is_cut_off_asks_instead(visit: OpenShop) -> None:
    shop = visit()
    shop.page.route("**/events", lambda route: route.abort())
    with shop.page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        shop.order()
    shop.emulator.pay(shop.emulator.invoices()[0]["id"])
    shop.sees("Paid. Thank you!")
    assert shop.watch.errors
    assert {"Failed to load resource: net::ERR_FAILED"} == set(shop.watch.errors)
    shop.watch.errors.clear()


def test_the_emulators_button_pays(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.get_by_role("button", name="Pay (emulator)").click()
    shop.sees("Paid. Thank you!")
    assert shop.emulator.invoices()[0]["payment_status"] == "paid"


def test_an_expired_invoice_gives_way_to_a_new_one(visit: OpenShop) -> None:
    shop = visit(poll_interval=0.1)
    address = shop.order()
    shop.page.get_by_role("button", name="Let it expire").click()
    shop.sees("The invoice expired")
    assert shop.page.locator(".code").count() == 0
    shop.page.get_by_role("button", name="New invoice").click()
    shop.sees("Pay ")
    assert shop.page.url == address
    first, second = shop.emulator.invoices()
    assert read_code(shop.page) == f"LIGHTNING:{second['payment_request'].upper()}"
    assert first["payment_request"] != second["payment_request"]
    shop.page.get_by_role("button", name="Pay (emulator)").click()
    shop.sees("Paid. Thank you!")


def test_a_double_click_orders_once(visit: OpenShop) -> None:
    shop = visit()
    shop.page.goto(shop.shop)
    shop.page.get_by_role("button", name="Order and pay").dblclick()
    shop.sees("Pay ")
    assert len(shop.emulator.invoices()) == 1


def test_a_double_click_makes_one_new_invoice(visit: OpenShop) -> None:
    shop = visit(poll_interval=0.1)
    shop.order()
    shop.page.get_by_role("button", name="Let it expire").click()
    shop.page.get_by_role("button", name="New invoice").dblclick()
    shop.sees("Pay ")
    assert len(shop.emulator.invoices()) == 2


def test_two_tabs_make_one_new_invoice_and_both_show_it(visit: OpenShop) -> None:
    shop = visit(poll_interval=0.1)
    address = shop.order()
    other = shop.context.new_page()
    other.goto(address)
    shop.page.get_by_role("button", name="Let it expire").click()
    for tab in (shop.page, other):
        shop.sees("The invoice expired", page=tab)
    tabs = (shop.page, other)
    for tab in tabs:  # the forms are sent before either page can learn of the other's click
        tab.route("**/status", lambda route: None)
        tab.evaluate("document.querySelector('main form').submit()")
    for tab in tabs:
        tab.unroute("**/status")
        shop.sees("Pay ", page=tab)
    newest = shop.emulator.invoices()[-1]
    assert len(shop.emulator.invoices()) == 2
    assert [tab.get_by_label("Payment request", exact=True).input_value() for tab in tabs] == [
        newest["payment_request"]
    ] * 2


def test_a_reload_shows_the_same_invoice(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    before = shop.page.get_by_label("Payment request", exact=True).input_value()
    shop.page.reload()
    assert shop.page.get_by_label("Payment request", exact=True).input_value() == before
    assert len(shop.emulator.invoices()) == 1


def test_going_back_and_ordering_again_is_another_order(visit: OpenShop) -> None:
    shop = visit()
    first = shop.order()
    shop.page.go_back()
    shop.page.get_by_label("Espresso").check()
    shop.page.get_by_role("button", name="Order and pay").click()
    shop.sees("Pay 3,500")
    assert shop.page.url != first


def test_the_picture_for_the_readme_shows_an_invoice(visit: OpenShop) -> None:
    shop = visit(viewport={"width": 440, "height": 808}, device_scale_factor=1.25)
    shop.order()
    shop.photograph("checkout", full_page=False)
    assert (SCREENSHOTS / "checkout.png").stat().st_size < 100_000


def test_the_code_the_link_and_the_text_hold_the_same_payment_request(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    [invoice] = shop.emulator.invoices()
    request = invoice["payment_request"]
    assert request.startswith("lnbcrt210u")
    assert read_code(shop.page) == f"LIGHTNING:{request.upper()}"
    assert shop.page.get_by_role("link", name="Open in your wallet").get_attribute("href") == f"lightning:{request}"
    assert shop.page.get_by_label("Payment request", exact=True).input_value() == request


def test_both_units_and_the_memo_are_shown(visit: OpenShop) -> None:
    shop = visit()
    shop.order("Barista course", "Ada")
    text = shop.page.get_by_role("main").inner_text()
    assert "123,456\xa0sat 0.00123456\xa0BTC" in text
    assert shop.emulator.invoices()[0]["d_tag_memo"] in text


def test_the_countdown_runs(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    left = shop.page.get_by_role("timer")
    before = left.inner_text()
    assert before.startswith(("15:00", "14:"))
    shop.page.wait_for_function("before => document.getElementById('left').textContent !== before", arg=before)


def focused(page: Page) -> dict[str, Any]:
    """What has the focus, and whether a person can see that."""
    found: dict[str, Any] = page.evaluate(
        """() => { const it = document.activeElement; const style = getComputedStyle(it);
        return { tag: it.tagName, id: it.id, text: it.textContent.trim(),
                 visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }; }"""
    )
    return found


def tab_to(page: Page, text: str) -> None:
    """Press the tabulator until the focus is on what has this text or id, and see it."""
    passed = []
    for _ in range(15):
        page.keyboard.press("Tab")
        here = focused(page)
        passed.append(here)
        if here["tag"] != "BODY":
            assert here["visible"], here
        if text in (here["id"], here["text"]):
            return
    raise AssertionError(f"{text} is not reached by keyboard: {passed}")


def test_everything_can_be_done_with_the_keyboard_alone(visit: OpenShop) -> None:
    shop = visit(poll_interval=0.1, permissions=["clipboard-read", "clipboard-write"])
    page, keyboard = shop.page, shop.page.keyboard
    page.goto(shop.shop)
    keyboard.press("Tab")  # the shop's name
    keyboard.press("Tab")  # the products
    assert focused(page)["visible"]
    keyboard.press("ArrowDown")
    tab_to(page, "name")
    keyboard.type("Ada")
    tab_to(page, "Order and pay with Lightning")
    keyboard.press("Enter")
    shop.sees("Pay 21,000")

    tab_to(page, "Copy")
    keyboard.press("Enter")
    page.get_by_role("button", name="Copied").wait_for()
    tab_to(page, "request")
    tab_to(page, "Open in your wallet")

    tab_to(page, "Let it expire (emulator)")
    keyboard.press("Space")
    shop.sees("The invoice expired")
    tab_to(page, "New invoice")
    keyboard.press("Enter")
    shop.sees("Pay 21,000")
    tab_to(page, "Pay (emulator)")
    keyboard.press("Enter")
    shop.sees("Paid. Thank you!")


def test_the_focus_goes_to_the_heading_when_what_had_it_is_gone(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.get_by_role("button", name="Copy").focus()
    shop.emulator.pay(shop.emulator.invoices()[0]["id"])
    shop.sees("Paid. Thank you!")
    assert focused(shop.page)["tag"] == "H1"


def test_the_dark_page_is_dark_and_its_code_can_be_scanned(visit: OpenShop) -> None:
    shop = visit(color_scheme="dark")
    shop.order()
    background = shop.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(23, 19, 15)"
    assert read_code(shop.page) == f"LIGHTNING:{shop.emulator.invoices()[0]['payment_request'].upper()}"


def test_without_javascript_everything_works_and_the_page_looks_by_itself(visit: OpenShop) -> None:
    shop = visit(java_script_enabled=False)
    shop.order()
    assert not shop.page.get_by_role("button", name="Copy").is_visible()
    shop.emulator.pay(shop.emulator.invoices()[0]["id"])
    shop.sees("Paid. Thank you!")


def test_without_javascript_an_order_waits_for_a_service_that_is_down(visit: OpenShop) -> None:
    shop = visit(java_script_enabled=False, poll_interval=0.1, settings={"patience": 0.5})
    shop.emulator.fail_next("status_before_commit", status=503, times=1_000)
    shop.page.goto(shop.shop)
    shop.page.get_by_role("button", name="Order and pay").click()
    shop.sees("Your invoice is being prepared")
    shop.emulator.stop_failing()
    shop.sees("Pay 3,500")


def test_without_javascript_an_expired_invoice_gives_way_to_a_new_one(visit: OpenShop) -> None:
    shop = visit(java_script_enabled=False, poll_interval=0.1)
    shop.order()
    shop.page.get_by_role("button", name="Let it expire").click()
    shop.sees("The invoice expired")
    shop.page.get_by_role("button", name="New invoice").click()
    shop.sees("Pay 21,000")


def test_what_a_customer_wrote_is_shown_and_not_run(visit: OpenShop) -> None:
    shop = visit()
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    shop.order(name=nasty)
    assert nasty in shop.page.get_by_role("main").inner_text()
    assert shop.page.locator("main img, main script").count() == 0


def test_a_page_brings_everything_along_and_asks_nobody_else(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    paths = {url.removeprefix(shop.shop) for url in shop.watch.requested}
    assert {"/static/checkout.css", "/static/order.js", "/static/buttons.js", "/static/icon.svg"} <= paths
    assert not [path for path in paths if not path.startswith("/")]
