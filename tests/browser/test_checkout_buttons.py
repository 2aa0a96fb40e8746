"""What the buttons of the shop say and do: busy while a form is sent, and honest about what was copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import OpenShop

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NO_CLIPBOARD = """Object.defineProperty(navigator, "clipboard", { value: undefined });
document.execCommand = () => false;"""


def announced(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def send_to_nobody(page: Page) -> Locator:
    """Send the order form, and stay on its page, as when the sending is stopped; return its button."""
    page.route("**/orders", lambda route: route.fulfill(status=204))
    button = page.locator("main form button")
    with page.expect_request("**/orders"):
        button.click()
    return button


def is_usable(button: Locator) -> bool:
    return (
        button.is_enabled()
        and button.get_attribute("aria-busy") is None
        and button.inner_text() == "Order and pay with Lightning"
    )


def test_copy_puts_the_payment_request_on_the_clipboard_and_says_so(visit: OpenShop) -> None:
    shop = visit(permissions=["clipboard-read", "clipboard-write"])
    shop.order()
    shop.page.get_by_role("button", name="Copy").click()
    shop.page.get_by_role("button", name="Copied").wait_for()
    copied = shop.page.evaluate("navigator.clipboard.readText()")
    assert copied == shop.emulator.invoices()[0]["payment_request"]
    assert announced(shop.page) == "Copied"


def test_copy_works_without_the_clipboard_of_a_page_with_https(visit: OpenShop) -> None:
    shop = visit(permissions=["clipboard-read", "clipboard-write"])
    shop.order()
    read = shop.page.evaluate_handle("navigator.clipboard")
    shop.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shop.page.get_by_role("button", name="Copy").click()
    shop.page.get_by_role("button", name="Copied").wait_for()
    assert read.evaluate("clipboard => clipboard.readText()") == shop.emulator.invoices()[0]["payment_request"]


def test_where_nothing_can_be_copied_the_text_is_selected_and_the_keys_are_named(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.evaluate(NO_CLIPBOARD)
    shop.page.get_by_role("button", name="Copy").click()
    shop.page.get_by_role("button", name="Not copied: press Ctrl+C").wait_for()
    assert announced(shop.page) == "Not copied: press Ctrl+C"
    assert shop.page.evaluate("document.activeElement.id") == "request"
    selected = shop.page.evaluate("(it => it.value.slice(it.selectionStart, it.selectionEnd))(document.activeElement)")
    assert selected == shop.emulator.invoices()[0]["payment_request"]


def test_where_there_are_no_keys_the_customer_is_told_to_press_on_the_text(visit: OpenShop) -> None:
    shop = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    shop.order()
    shop.page.evaluate(NO_CLIPBOARD)
    shop.page.get_by_role("button", name="Copy").click()
    shop.page.get_by_role("button", name="Not copied: press on the text, and copy it").wait_for()


def test_the_copy_button_can_be_used_again_after_a_while(visit: OpenShop) -> None:
    shop = visit(permissions=["clipboard-read", "clipboard-write"])
    shop.page.clock.install()
    shop.order()
    shop.page.get_by_role("button", name="Copy").click()
    shop.page.get_by_role("button", name="Copied").wait_for()
    shop.page.clock.run_for(5_000)
    shop.page.get_by_role("button", name="Copy", exact=True).wait_for()


def test_a_button_is_busy_while_its_form_is_sent(visit: OpenShop) -> None:
    shop = visit()
    shop.page.goto(shop.shop)
    button = send_to_nobody(shop.page)
    assert button.is_disabled()
    assert button.get_attribute("aria-busy") == "true"
    assert button.inner_text() == announced(shop.page) == "Ordering …"


def test_a_button_can_be_used_again_when_its_page_is_back(visit: OpenShop) -> None:
    shop = visit()
    shop.page.goto(shop.shop)
    button = send_to_nobody(shop.page)
    assert not is_usable(button)
    shop.page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert is_usable(button)


def test_going_back_to_the_form_finds_it_usable(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.go_back()
    assert is_usable(shop.page.locator("main form button"))


def test_a_form_whose_sending_was_stopped_can_be_sent_again(visit: OpenShop) -> None:
    shop = visit()
    shop.page.clock.install()
    shop.page.goto(shop.shop)
    button = send_to_nobody(shop.page)
    shop.page.clock.run_for(10_000)
    assert is_usable(button)


def test_every_button_that_sends_a_form_says_what_it_is_doing(visit: OpenShop) -> None:
    shop = visit(poll_interval=0.1)
    shop.order()
    assert shop.page.locator("form button:not([data-busy])").count() == 0
    shop.page.get_by_role("button", name="Let it expire").click()
    shop.sees("The invoice expired")
    assert shop.page.locator("form button:not([data-busy])").count() == 0


def test_an_error_in_the_form_has_the_focus_and_is_read_with_its_field(visit: OpenShop) -> None:
    shop = visit()
    shop.page.goto(shop.shop)
    shop.page.get_by_label("Barista course").check()
    shop.page.get_by_label("Name on the order").fill("Ada\u202e")
    shop.page.get_by_role("button", name="Order and pay").click()
    field = shop.page.get_by_role("textbox", name="Name on the order", description="U+202E")
    # once the page is drawn
    shop.page.wait_for_function("it => it === document.activeElement", arg=field.element_handle())
    assert shop.page.get_by_label("Barista course").is_checked()
    shop.page.get_by_role("button", name="Order and pay").click()  # the character is left out
    shop.sees("Pay 123,456")
    shop.watch.forgive("status of 400")


def test_print_opens_the_printers_dialog(visit: OpenShop) -> None:
    shop = visit()
    shop.order()
    shop.page.get_by_role("button", name="Pay (emulator)").click()
    shop.sees("Paid. Thank you!")
    shop.page.evaluate("window.print = () => { document.title = 'printing'; }")
    shop.page.get_by_role("button", name="Print the receipt").click()
    assert shop.page.title() == "printing"
