"""A customer of the example shop without a browser, and what the shop's tests share."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
from attrs import frozen

from tazapay_lightning import sign_webhook

SECRET = "webhook-secret-of-the-tests"
PATIENCE_SECONDS = 20.0


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of a condition."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < ends, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.01)
    return value


def paid_event(collect_id: str) -> dict[str, Any]:
    """The body and headers of a webhook that tells of a payment, as httpx takes them."""
    body = {
        "type": "collect.succeeded",
        "id": f"evt_{collect_id}",
        "object": "event",
        "created_at": "2026-03-01T12:00:00Z",
        "data": {"id": collect_id, "object": "collect"},
    }
    content = json.dumps(body).encode()
    return {"content": content, "headers": {"signature": sign_webhook(content, SECRET)}}


@frozen
class Customer:
    """Somebody who looks at the shop's pages."""

    http: httpx.Client

    def form(self, product: str = "beans", name: str = "") -> dict[str, str]:
        """The filled-in form of one showing of the order page."""
        token = re.search(r'name="token" value="([0-9a-f]{32})"', self.http.get("/").text)
        assert token is not None
        return {"token": token[1], "product": product, "name": name}

    def order(self, product: str = "beans", name: str = "") -> str:
        """Order something; return the path of the order's page."""
        reply = self.http.post("/orders", data=self.form(product, name))
        assert reply.status_code == 200, reply.text
        return reply.url.path

    def state(self, order: str) -> str:
        return str(self.http.get(f"{order}/status").json()["state"])

    def wait_until(self, order: str, state: str) -> None:
        eventually(lambda: self.state(order) == state, f"{order} becomes {state}")

    def new_invoice(self, order: str, after: int = 1) -> httpx.Response:
        return self.http.post(f"{order}/invoices", data={"after": str(after)})
