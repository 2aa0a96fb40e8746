"""A page that is open in somebody's browser must not pay an invoice, and no name of elsewhere leads to the control."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator
from tests.support.tables import each_row

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@each_row(
    "headers",
    [
        pytest.param({"Origin": "https://shop.example"}, id="a foreign page"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port"),
        pytest.param({"Origin": "null"}, id="a page of a file"),
        pytest.param({"Origin": ""}, id="an empty origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a navigation from a foreign page"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a navigation from another port"),
        pytest.param({"Host": "shop.example"}, id="a name of elsewhere that leads here"),
        pytest.param({"Host": "127.0.0.1.shop.example:80"}, id="a name that begins like an address"),
        pytest.param({"Host": "localhost.shop.example"}, id="a name that begins like ours"),
        pytest.param({"Host": ""}, id="no name"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_from_elsewhere_is_refused_and_does_nothing(
    client: httpx.Client, create: Any, emulator: Emulator, method: str, headers: dict[str, str]
) -> None:
    invoice = create()
    path = "/_emulator/invoices" if method == "GET" else f"/_emulator/invoices/{invoice['id']}/pay"
    reply = client.request(method, path, headers={**(FORM if method == "POST" else {}), **headers})
    assert (reply.status_code, reply.json()["message"]) == (403, "the control is for this origin only")
    assert emulator.invoices()[0]["payment_status"] == "unpaid"


@each_row(
    "host",
    [
        *("localhost:80", "LOCALHOST", "a.localhost", "127.0.0.1", "[::1]:8000", "192.168.0.7:80", "testserver"),
        pytest.param("emulator:8080", id="the name of a container"),
    ],
)
def test_its_own_names_are_taken_with_their_own_origin(client: httpx.Client, host: str) -> None:
    assert client.get("/_emulator/clock", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200
    assert client.get("/_emulator/clock", headers={"Host": host, "Sec-Fetch-Site": "none"}).status_code == 200


def test_operations_of_the_api_are_not_for_browsers_and_take_any_host(client: httpx.Client) -> None:
    reply = client.post("/v3/lightning_invoice_bolt11", json={"amount": 1}, headers={"Host": "service.tazapay.com"})
    assert reply.status_code == 200
