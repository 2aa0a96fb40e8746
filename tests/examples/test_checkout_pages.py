"""What a browser is given: escaped, bounded by headers, and of one piece without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import examples.checkout
from examples.checkout.fiat import FiatPrice
from examples.checkout.orders import Attempt, Order, State
from examples.checkout.pages import order_page
from tazapay_lightning import Invoice
from tazapay_lightning_emulator import Emulator
from tests.examples.conftest import OpenShop
from tests.support.elements import Elements
from tests.support.shop import Customer
from tests.support.tables import each_row

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NASTY = "<script>alert('x')</script>\"&"


@pytest.fixture
def pages(open_shop: OpenShop, emulator: Emulator) -> dict[str, str]:
    """One page of each kind, of an order with a nasty name."""
    customer = open_shop(poll_interval=0.05, patience=0.1)
    found = {"form": customer.http.get("/").text}
    with emulator.refuse_connections():
        waiting = customer.order(name=NASTY)
        found["asked"] = customer.http.get(waiting).text
    customer.wait_until(waiting, "waiting")
    found["waiting"] = customer.http.get(waiting).text
    paid = customer.order(name=NASTY)
    emulator.pay(emulator.invoices()[-1]["id"])
    customer.wait_until(paid, "paid")
    found["paid"] = customer.http.get(paid).text
    emulator.advance_clock(901)
    customer.wait_until(waiting, "expired")
    found["expired"] = customer.http.get(waiting).text
    found["missing"] = customer.http.get("/missing").text
    return found


def test_what_a_customer_wrote_is_text(pages: dict[str, str]) -> None:
    for kind, page in pages.items():
        assert NASTY not in page, kind
        scripts = [f"/static/{name}.js" for name in ("buttons", "order")]
        assert Elements(page).named("script") == [{"src": src, "type": "module"} for src in scripts], kind
    for kind in ("asked", "waiting", "paid"):
        assert NASTY in Elements(pages[kind]).text, kind


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: dict[str, str]) -> None:
    for kind, page in pages.items():
        for tag, attributes in Elements(page).found:
            assert tag != "style", kind
            assert not [name for name in attributes if name == "style" or name.startswith("on")], kind
            for name in ("src", "href", "action"):
                assert re.match(r"/(?!/)|lightning:lnbcrt", attributes.get(name) or "/"), (kind, tag, attributes)
    static = Path(examples.checkout.__file__).parent / "static"
    texts = [path.read_text() for path in static.iterdir()]
    assert len(texts) == 5
    assert not [text for text in texts if re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)]


def test_every_field_has_a_label_and_every_button_says_what_it_does(pages: dict[str, str]) -> None:
    for kind, page in pages.items():
        elements = Elements(page)
        labelled = {label.get("for") for label in elements.named("label")}
        for field in [*elements.named("input"), *elements.named("textarea")]:
            assert field.get("type") in {"hidden", "radio"} or field["id"] in labelled, kind
        assert all(text.strip() for text in re.findall(r"<button[^>]*>(.*?)</button>", page)), kind
        assert len(elements.named("h1")) == 1, kind
        assert elements.named("html") == [{"lang": "en"}], kind
        assert any(each.get("aria-live") == "polite" for each in elements.named("p")), kind


def test_open_orders_reload_themselves_without_javascript_and_finished_ones_do_not(pages: dict[str, str]) -> None:
    reloading = {kind for kind, page in pages.items() if '<noscript><meta http-equiv="refresh" content="5">' in page}
    assert reloading == {"asked", "waiting"}


@pytest.mark.parametrize("path", ["/", "/missing", "/static/checkout.css", "/static/order.js"])
def test_every_reply_limits_what_a_page_may_do(customer: Customer, path: str) -> None:
    headers = customer.http.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_pages_of_orders_are_not_kept(customer: Customer) -> None:
    order = customer.order()
    assert {customer.http.get(f"{order}{path}").headers["cache-control"] for path in ("", "/status")} == {"no-store"}


def test_static_files_lead_nowhere_else(customer: Customer) -> None:
    assert customer.http.get("/static/..%2fapp.py").status_code == 404
    assert customer.http.get("/static/%2e%2e/app.py").status_code == 404


def waiting_page(now: datetime, *, name: str = "", fiat: FiatPrice | None = None, **changes: Any) -> str:
    payload = {"id": "l11_1", "amount": 21_000, "created_at": NOW.isoformat(), "expiry_interval": 900}
    order = Order(id="a" * 32, title="Coffee beans", name=name, amount_sats=21_000, created_at=NOW)
    attempt = Attempt(
        order_id=order.id,
        number=1,
        key="key-1",
        expires_in=900,
        asked_at=NOW,
        state=State.WAITING,
        invoice=Invoice.from_payload(payload | changes),
        answered_at=NOW,
    )
    return order_page(order, attempt, now, with_emulator=False, fiat=fiat)


HOSTILE = [
    "</bdi></p><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    '"/><image href=x onerror=alert(1) />',
    "]]></svg><script>alert(1)</script>",
    "<!--",
    "&lt;b&gt; stays as it was written",
    "{{ 7 * 7 }} {% include 'layout.html' %}",
    "javascript:alert(1)",
    "\u2028\u2029\x0b",
    "\u202eright to left",
    "\U0001f469\u200d\U0001f4bb " * 20,
    "x" * 600,
]


@each_row("hostile", HOSTILE)
def test_no_text_of_others_breaks_out_of_its_place(hostile: str) -> None:
    harmless = Elements(waiting_page(NOW, memo="memo", name="name", id="id"))
    for changes in ({"d_tag_memo": hostile}, {"name": hostile}, {"id": hostile}):
        page = Elements(waiting_page(NOW, **changes))
        assert hostile in page.text
        assert [tag for tag, _ in page.found] == [tag for tag, _ in harmless.found]


def test_names_and_memos_of_others_keep_their_direction_to_themselves() -> None:
    page = waiting_page(NOW, d_tag_memo="قهوة")
    assert "<bdi>قهوة</bdi>" in page


def test_an_invoice_without_a_payment_request_says_whom_to_ask() -> None:
    page = waiting_page(NOW, id="l11_<b>", created_at=None)
    assert "nothing to scan for invoice l11_<b>" in Elements(page).text


def test_a_page_without_a_code_is_out_of_date_as_soon_as_there_is_one(customer: Customer, emulator: Emulator) -> None:
    customer.order()
    request = emulator.invoices()[0]["payment_request"]
    without, with_code = (
        Elements(waiting_page(NOW, **changes)).by_id("main")["data-version"]
        for changes in ({}, {"payment_request": request})
    )
    assert without != with_code


def test_an_invoice_whose_time_is_over_shows_no_code_to_scan() -> None:
    page = waiting_page(NOW + timedelta(hours=1))
    assert "Looking whether it was paid" in page
    assert "<svg" not in page


EUR = FiatPrice(amount=Decimal("12.60"), currency="EUR", rate=Decimal("60000"), at=NOW + timedelta(minutes=5))


def test_a_price_in_another_currency_comes_with_its_rate_and_time() -> None:
    text = " ".join(Elements(waiting_page(NOW, fiat=EUR)).text.split())
    assert "about 12.60 EUR at 60,000 EUR for 1 BTC, 2026-03-01 12:05 UTC" in text


def test_the_amounts_are_in_satoshi_first_and_in_bitcoin_second() -> None:
    heading = re.search(r"<h1.*?</h1>", waiting_page(NOW), re.DOTALL)
    assert heading is not None
    assert Elements(heading[0]).text.replace("\xa0", " ") == "Pay 21,000 sat 0.00021000 BTC"


def test_the_gallery_shows_every_picture_of_the_shop_and_each_is_small() -> None:
    docs = Path(examples.checkout.__file__).parents[2] / "docs"
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", (docs / "gallery.md").read_text()))
    pictures = {f"images/{path.name}": path.stat().st_size for path in (docs / "images").glob("checkout-*.png")}
    assert set(pictures) <= shown
    assert max(pictures.values()) < 120_000
