"""A customer with a browser: orders, reads the page, scans its code."""

from __future__ import annotations

import re
from typing import Any

import httpx
from attrs import frozen

from tazapay_lightning import Bolt11, decode_bolt11

_SCALE = 4  # pixels for a module of the code


@frozen
class Customer:
    """Somebody in a shop, with one browser.

    Attributes:
        browser: knows the shop's address, and follows redirects.
        framework: whose guide the shop is from.
    """

    browser: httpx.Client
    framework: str

    def order(self) -> str:
        """Order coffee without looking at the page that follows, and return the path of the order."""
        if self.framework == "django":
            form = self.browser.get("/").text
            [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
            answer = self.browser.post("/", data={"csrfmiddlewaretoken": token, "product": "coffee"})
        else:
            answer = self.browser.post("/orders/coffee")
        assert answer.status_code in {302, 303}, answer.text
        return answer.headers["location"]

    def look(self, order: str) -> httpx.Response:
        """Load the page of an order."""
        return self.browser.get(order)

    def is_paid(self, order: str) -> bool:
        """Tell what the page of an order says."""
        page = self.look(order)
        assert page.status_code == 200, page.text
        assert ("Paid" in page.text) != ("<svg" in page.text), page.text
        return "Paid" in page.text

    def scan(self, order: str) -> Bolt11:
        """Scan the code on the page of an order, with a library that has nothing to do with its making."""
        page = self.look(order).text
        text = read_code(page)
        assert f'href="{text.lower()}"' in page
        return decode_bolt11(text.lower().removeprefix("lightning:"))


def order_id(order: str) -> str:
    """Return the id of the order at a path."""
    return order.rpartition("/")[2]


def read_code(page: str) -> str:
    """Return the text of the QR code that a page draws as an SVG: strokes of a module's height."""
    import zxingcpp  # here, since this module is also loaded where the frameworks are not installed
    from PIL import Image, ImageDraw

    [(size, drawing)] = re.findall(r'<svg viewBox="0 0 (\d+) \d+">.* stroke="#000" d="([^"]+)"', page)
    picture = Image.new("L", (_SCALE * int(size),) * 2, "white")
    draw = ImageDraw.Draw(picture)
    x = y = 0.0
    for step, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", drawing):
        if step == "h":
            box: Any = [_SCALE * x, _SCALE * (y - 0.5), _SCALE * (x + float(first)) - 1, _SCALE * (y + 0.5) - 1]
            draw.rectangle(box, fill="black")
            x += float(first)
        elif step == "M":
            x, y = float(first), float(second)
        else:
            x, y = x + float(first), y + float(second)
    [code] = zxingcpp.read_barcodes(picture)
    return str(code.text)
