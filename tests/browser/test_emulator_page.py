"""The emulator's page as a person meets it, in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from attrs import frozen

from tazapay_lightning import Invoice, LightningClient, ServerError
from tazapay_lightning_emulator import Emulator, running_emulator
from tests.browser.axe import violations
from tests.browser.conftest import SCREENSHOTS, Watch, unavailable
from tests.support.emulator_receiver import Receiver, receiving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

WITH_ALL_PICTURES = """Promise.all([...document.images].map(
    async picture => { picture.loading = "eager"; await picture.decode(); }))"""


@frozen
class Desk:
    """Somebody with a browser at the page, and an application that bills with the emulator."""

    emulator: Emulator
    client: LightningClient
    receiver: Receiver
    context: BrowserContext
    page: Page
    watch: Watch

    def bill(self, sats: int = 5000, memo: str = "Coffee beans", **arguments: Any) -> Invoice:
        return self.client.create_invoice(amount_sats=sats, memo=memo, **arguments)

    def card(self, invoice: Invoice) -> Locator:
        return self.page.locator(f"#{invoice.id}")

    def sees(self, text: str, *, within: Locator | None = None) -> None:
        (within or self.page.locator("body")).get_by_text(text, exact=True).first.wait_for()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def photograph(self, name: str, *, full_page: bool = True) -> None:
        self.page.evaluate(WITH_ALL_PICTURES)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"emulator-{name}.png", full_page=full_page)


OpenDesk = Callable[..., Desk]


@pytest.fixture
def desk(browser: Browser) -> Iterator[OpenDesk]:
    """Opens the page of a new emulator; the arguments are those of a browser context."""
    with ExitStack() as stack:

        def start(**options: Any) -> Desk:
            receiver = stack.enter_context(receiving())
            emulator = stack.enter_context(running_emulator())
            client = stack.enter_context(
                LightningClient(emulator.api_key, emulator.api_secret, base_url=emulator.base_url, max_retries=0)
            )
            settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
            context = stack.enter_context(browser.new_context(**settings))
            watch = Watch()
            context.on("page", lambda page: watch.follow(page))
            page = context.new_page()
            opened.append(Desk(emulator, client, receiver, context, page, watch))
            page.goto(emulator.base_url)
            if options.get("java_script_enabled", True):
                opened[-1].sees("Live")
            return opened[-1]

        opened: list[Desk] = []
        yield start
        for each in opened:
            hosts = {urlsplit(url).netloc for url in each.watch.requested}
            assert hosts == {urlsplit(each.emulator.base_url).netloc}, "the page asked another host"
            assert each.watch.errors == [], "the browser's console tells of errors"


def fill_with_every_state(desk: Desk) -> None:
    """Invoices in every state, requests with faults, webhooks delivered and pending, faults planned."""
    emulator = desk.emulator
    emulator.send_webhooks_to(desk.receiver.url)
    desk.receiver.statuses.append(500)
    late = desk.bill(10, "Espresso", expires_in=20, idempotency_key="order-7889")
    paid = desk.bill(123456, "Payment for order #7890", metadata={"order_id": "7890"}, idempotency_key="order-7890")
    expired = desk.bill(21000, "Coffee beans", expires_in=30, idempotency_key="order-7891")
    emulator.advance_clock(31)
    emulator.pay(late.id, even_if_expired=True)
    emulator.wait_for_webhooks()
    emulator.pay(paid.id)
    emulator.wait_for_webhooks()
    emulator.fail_next("status_after_commit")
    with pytest.raises(ServerError):
        desk.bill(35000, "Barista course", idempotency_key="order-7892")
    desk.bill(35000, "Barista course", idempotency_key="order-7892")
    emulator.fail_next("status_before_commit", status=429, retry_after=2, times=2)
    emulator.fail_randomly(0.3, seed=7)
    desk.sees("Expired", within=desk.card(expired))
    desk.sees("30 %")


def mark_document(page: Page) -> None:
    page.evaluate("document.documentElement.dataset.same = 'yes'")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.dataset.same === 'yes'"))


def focused(page: Page) -> dict[str, Any]:
    """What has the focus, and whether a person can see that."""
    found: dict[str, Any] = page.evaluate(
        """() => { const it = document.activeElement; const style = getComputedStyle(it);
        return { tag: it.tagName, id: it.id, text: it.textContent.trim(),
                 visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }; }"""
    )
    return found


def expect_in_view(element: Locator) -> None:
    box, viewport = element.bounding_box(), element.page.viewport_size
    assert box is not None
    assert viewport is not None
    assert 0 <= box["y"] < box["y"] + box["height"] <= viewport["height"]


def test_an_invoice_appears_without_a_reload_and_is_paid_by_mouse(desk: OpenDesk) -> None:
    it = desk()
    mark_document(it.page)
    invoice = it.bill(5000)
    card = it.card(invoice)
    it.sees("Waiting", within=card)
    assert "5,000 sat 0.00005000 BTC" in card.inner_text()
    it.photograph("waiting")
    it.press(f"Pay invoice {invoice.id}")
    it.sees("Paid", within=card)
    assert it.client.get_invoice(invoice.id).is_paid
    assert it.page.get_by_role("status").inner_text() == "Paid 5,000 sat."
    assert card.get_by_role("button").count() == 0
    assert is_marked(it.page)


def test_an_invoice_is_paid_by_keyboard_and_the_focus_stays_with_it(desk: OpenDesk) -> None:
    it = desk()
    invoice = it.bill()
    it.sees("Waiting", within=it.card(invoice))
    for _ in range(20):
        it.page.keyboard.press("Tab")
        here = focused(it.page)
        assert here["visible"], here
        if here["text"] == f"Pay invoice {invoice.id}":
            break
    it.page.keyboard.press("Enter")
    it.sees("Paid", within=it.card(invoice))
    assert it.client.get_invoice(invoice.id).is_paid
    it.page.wait_for_function("id => document.activeElement.id === id", arg=invoice.id)


def test_the_first_tab_leads_past_the_head_of_the_page(desk: OpenDesk) -> None:
    it = desk()
    it.page.keyboard.press("Tab")
    assert focused(it.page)["text"] == "Skip to the invoices"
    it.page.keyboard.press("Enter")
    assert focused(it.page)["id"] == "main"


def test_the_code_holds_the_payment_request(desk: OpenDesk) -> None:
    try:
        import zxingcpp
        from PIL import Image
    except ModuleNotFoundError:
        unavailable("zxing-cpp and pillow are not installed: make browser-test")
    it = desk(device_scale_factor=3, color_scheme="dark")
    invoice = it.bill()
    picture = it.card(invoice).get_by_role("img", name=f"QR code of the payment request of invoice {invoice.id}")
    picture.wait_for()
    it.page.evaluate(WITH_ALL_PICTURES)
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.screenshot())))
    assert invoice.bolt11 is not None
    assert code.text == f"LIGHTNING:{invoice.bolt11.upper()}"


def test_an_invoice_expires_and_is_paid_late(desk: OpenDesk) -> None:
    it = desk()
    invoice = it.bill(expires_in=900)
    card = it.card(invoice)
    card.get_by_role("button", name="Expire").click()
    it.sees("Expired", within=card)
    assert it.client.get_invoice(invoice.id).is_expired
    assert card.get_by_role("button").count() == 1
    it.photograph("expired")
    it.press(f"Pay late invoice {invoice.id}")
    it.sees("Paid late", within=card)
    assert it.client.get_invoice(invoice.id).payment_status == "paid"


def test_an_invoice_expires_before_the_eyes_of_who_watches_it(desk: OpenDesk) -> None:
    it = desk()
    invoice = it.bill(expires_in=2)
    it.sees("Expired", within=it.card(invoice))


def test_the_countdown_runs(desk: OpenDesk) -> None:
    it = desk()
    left = it.card(it.bill(expires_in=900)).locator(".left")
    before = left.inner_text()
    assert before in {"15:00", "14:59", "14:58"}
    it.page.wait_for_function("before => document.querySelector('.left').textContent !== before", arg=before)


def test_the_next_request_gets_the_fault_that_was_chosen(desk: OpenDesk) -> None:
    it = desk()
    it.page.get_by_label("Fault", exact=True).select_option("status_after_commit")
    it.page.get_by_label("Parameters").fill("status=502")
    it.press("Fail next")
    it.page.locator(".planned").get_by_text("status_after_commit").wait_for()
    with pytest.raises(ServerError):
        it.bill(idempotency_key="order-1")
    it.page.locator("#requests").get_by_text("status_after_commit(status=502)").wait_for()
    assert "502" in it.page.locator("#request-1").inner_text()
    it.sees("None planned: every request is answered as it should be.")


def test_a_rate_of_faults_is_set_and_cleared(desk: OpenDesk) -> None:
    it = desk()
    it.page.get_by_label("Percent").fill("100")
    it.press("Set the rate")
    it.sees("100 %")
    it.press("Clear all faults")
    it.sees("None planned: every request is answered as it should be.")
    assert it.bill().amount_sats == 5000


def test_the_clock_is_moved(desk: OpenDesk) -> None:
    it = desk()
    before = it.emulator.now()
    it.press("+15 min on the clock")
    it.sees("The clock was moved: +15 min.")
    assert 900 <= (it.emulator.now() - before).total_seconds() < 960


def test_what_a_reader_has_opened_stays_open_while_lines_come_and_go_before_it(desk: OpenDesk) -> None:
    it = desk()
    it.receiver.statuses.append(500)  # so that a line tells when the next attempt is, until that succeeds
    it.emulator.send_webhooks_to(it.receiver.url)
    it.emulator.pay(it.bill().id)
    [delivery] = it.emulator.wait_for_webhooks()
    card = it.page.locator(f"#{delivery.event_id}")
    card.get_by_text("next attempt in").wait_for()
    card.get_by_text("Body and signature").click()
    it.emulator.advance_clock(3600)
    it.sees("Delivered", within=card)
    assert not card.get_by_text("next attempt in").is_visible()
    assert card.get_by_text(delivery.signature).is_visible()


def test_a_webhook_is_shown_with_its_attempts_and_sent_again(desk: OpenDesk) -> None:
    it = desk()
    it.page.get_by_label("Send to").fill(it.receiver.url)
    it.press("Save the address for webhooks")
    it.page.get_by_text("Pay an invoice, and one is sent.").wait_for()
    it.emulator.pay(it.bill().id)
    [delivery] = it.emulator.wait_for_webhooks()
    card = it.page.locator(f"#{delivery.event_id}")
    it.sees("Delivered", within=card)
    card.get_by_text("Body and signature").click()
    assert delivery.signature in card.inner_text()
    it.press(f"Send again webhook {delivery.event_id}")
    it.page.wait_for_function("id => document.querySelectorAll(`#${id} tbody tr`).length === 2", arg=delivery.event_id)
    assert card.get_by_text(delivery.signature).is_visible(), "what was opened stays open"
    first, second = it.receiver.got
    assert first == second


def test_what_somebody_types_and_chooses_survives_a_change(desk: OpenDesk) -> None:
    it = desk()
    it.page.get_by_label("Fault", exact=True).select_option("gzip_bomb")
    key = it.page.get_by_label("Only with the key")
    key.press_sequentially("order-78")
    it.sees("Waiting", within=it.card(it.bill()))
    key.press_sequentially("90")
    assert focused(it.page)["id"] == "key"
    assert key.input_value() == "order-7890"
    assert it.page.get_by_label("Fault", exact=True).input_value() == "gzip_bomb"


def test_a_focused_button_stays_when_another_invoice_comes_before_it(desk: OpenDesk) -> None:
    it = desk()
    first = it.bill()
    button = it.page.get_by_role("button", name=f"Pay invoice {first.id}", exact=True)
    button.focus()
    it.sees("Waiting", within=it.card(it.bill()))
    assert focused(it.page)["text"] == f"Pay invoice {first.id}"
    assert button.evaluate("it => it === document.activeElement")


def test_a_form_that_is_not_accepted_says_why_and_keeps_what_was_typed(desk: OpenDesk) -> None:
    it = desk(viewport={"width": 390, "height": 600})
    parameters = it.page.get_by_label("Parameters")
    parameters.fill("status=200")
    parameters.press("Enter")
    alert = it.page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("Not accepted: ")
    expect_in_view(alert)
    assert parameters.input_value() == "status=200"
    assert focused(it.page)["id"] == "parameters"
    assert violations(it.page) == []
    it.photograph("not-accepted")
    it.press("+1 min on the clock")
    alert.wait_for(state="detached")
    it.watch.errors.clear()  # Chromium's console tells of the status 400 itself


def test_the_settings_are_copied(desk: OpenDesk) -> None:
    it = desk(permissions=["clipboard-read", "clipboard-write"])
    it.press("Copy the settings")
    it.sees("Copied.")
    copied = it.page.evaluate("navigator.clipboard.readText()")
    assert f"export TAZAPAY_BASE_URL={it.emulator.base_url}\n" in copied


def test_without_javascript_forms_and_a_link_do_all(desk: OpenDesk) -> None:
    it = desk(java_script_enabled=False)
    invoice = it.bill()
    it.page.get_by_role("link", name="Reload").click()
    it.press(f"Pay invoice {invoice.id}")
    assert it.client.get_invoice(invoice.id).is_paid
    assert it.page.url == f"{it.emulator.base_url}/#{invoice.id}"
    assert not it.page.get_by_role("button", name="Copy the settings").is_visible()
    it.page.get_by_label("Percent").fill("50")
    it.press("Set the rate")
    it.sees("50 %")
    it.photograph("without-javascript")


def test_a_lost_connection_is_told_and_comes_back(desk: OpenDesk) -> None:
    it = desk()
    with it.emulator.refuse_connections():
        it.emulator.advance_clock(60)
        it.sees("Connection lost, trying again")
        assert violations(it.page) == []
        it.photograph("connection-lost")
    it.sees("Live")
    assert set(it.watch.errors) == {"Failed to load resource: net::ERR_CONNECTION_REFUSED"}
    it.watch.errors.clear()


def test_a_page_that_is_open_finds_the_next_emulator_at_its_address(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with running_emulator() as emulator:
            page.goto(emulator.base_url)
            page.get_by_text("Live", exact=True).wait_for()
            mark_document(page)
        page.get_by_text("Connection lost, trying again").wait_for()
        with running_emulator(port=urlsplit(emulator.base_url).port or 0) as emulator:
            page.get_by_text("Live", exact=True).wait_for()
            emulator.advance_clock(3600)
            page.get_by_text("1:00:00 ahead of this machine's").wait_for()
            assert is_marked(page)


def test_a_tab_that_nobody_sees_takes_no_connection_and_catches_up_later(desk: OpenDesk) -> None:
    it = desk()
    hide = """hidden => { Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange")); }"""
    with it.page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        it.page.evaluate(hide, True)
    invoice = it.bill()
    it.page.evaluate(hide, False)
    it.sees("Waiting", within=it.card(invoice))


HOSTILE = (
    "</bdi><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'><svg onload=alert(2)> \u202e\x1b[2J"
)


def test_texts_of_strangers_are_shown_and_not_run(desk: OpenDesk) -> None:
    it = desk()
    invoice = it.bill(memo=HOSTILE, metadata={HOSTILE: HOSTILE})
    httpx.get(
        f"{it.emulator.base_url}/v3/%3Cimg%20src=x%20onerror=alert(3)%3E", headers={"Idempotency-Key": "<b>k</b>"}
    )
    it.sees("Waiting", within=it.card(invoice))
    assert "</bdi><script>" in it.card(invoice).inner_text()
    it.page.locator("#requests").get_by_text("<b>k</b>").wait_for()
    assert it.page.locator("main script, main img:not([src^='/_emulator/']), main b").count() == 0
    assert it.page.title() == "1 invoice: Tazapay emulator"


def foreign_page(it: Desk, body: str) -> Page:
    """A page of another host, open in the same browser."""
    page = it.context.new_page()
    page.route("http://shop.example/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("http://shop.example/")
    return page


def test_a_form_of_a_foreign_page_is_refused_in_words(desk: OpenDesk) -> None:
    it = desk()
    invoice = it.bill()
    action = f"{it.emulator.base_url}/_emulator/page/invoices/{invoice.id}/pay"
    page = foreign_page(it, f'<form method="post" action="{action}"><button>Win a prize</button></form>')
    page.get_by_role("button").click()
    page.get_by_role("heading", name="This was refused").wait_for()
    assert violations(page) == []
    assert not it.client.get_invoice(invoice.id).is_paid
    it.watch.errors.clear()  # Chromium's console tells of the status 403 itself
    it.watch.requested[:] = [url for url in it.watch.requested if "shop.example" not in url]


def test_a_link_of_a_foreign_page_may_lead_here(desk: OpenDesk) -> None:
    it = desk()
    page = foreign_page(it, f'<a href="{it.emulator.base_url}/">The emulator</a>')
    page.get_by_role("link").click()
    page.get_by_text("Live", exact=True).wait_for()
    it.watch.errors.clear()
    it.watch.requested[:] = [url for url in it.watch.requested if "shop.example" not in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_nothing_shuts_people_out(desk: OpenDesk, device: str, scheme: str) -> None:
    it = desk(color_scheme=scheme, **(PHONE if device == "phone" else {}))
    assert violations(it.page) == []
    it.photograph(f"empty-{device}-{scheme}")
    fill_with_every_state(it)
    assert violations(it.page) == []
    it.photograph(f"{device}-{scheme}")
    width = it.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_a_phone_has_buttons_for_thumbs_and_nothing_wider_than_itself(desk: OpenDesk) -> None:
    it = desk(**PHONE)
    it.bill(memo="m" * 200, idempotency_key="k" * 255, metadata={"m" * 300: "v"})
    fill_with_every_state(it)
    assert it.page.evaluate("document.documentElement.scrollWidth") == 390
    for button in it.page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_what_axe_is_to_find_it_finds(desk: OpenDesk) -> None:
    it = desk()
    it.page.evaluate("document.querySelector('label[for=percent]').remove()")
    [found] = violations(it.page)
    assert found.startswith("label: ")


def test_nothing_moves_for_those_who_do_not_want_it(desk: OpenDesk) -> None:
    it = desk()
    it.sees("Waiting", within=it.card(it.bill()))
    assert it.page.evaluate("document.getAnimations().length") == 0


def test_the_picture_for_the_documentation(desk: OpenDesk) -> None:
    it = desk(viewport={"width": 1120, "height": 720})
    fill_with_every_state(it)
    it.photograph("page", full_page=False)
    assert (SCREENSHOTS / "emulator-page.png").stat().st_size < 150_000
