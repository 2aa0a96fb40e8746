"""The page is for its own host and origin, and lets nothing of elsewhere in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator
from tests.emulator.dashboard.conftest import Look, read
from tests.support.tables import each_row

Create = Callable[..., dict[str, Any]]
FOREIGN = [
    pytest.param({"Origin": "http://shop.example"}, id="a foreign page"),
    pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port"),
    pytest.param({"Origin": "null"}, id="a page of a file, or in a sandbox"),
    pytest.param({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, id="a form of a foreign page"),
    pytest.param({"Host": "shop.example"}, id="a name of elsewhere that leads here"),
    pytest.param(
        {"Host": "shop.example", "Origin": "http://shop.example", "Sec-Fetch-Site": "same-origin"}, id="DNS rebinding"
    ),
]
FOLLOWED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def assert_is_refused_in_words(reply: httpx.Response) -> None:
    assert reply.status_code == 403
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = read(reply.text)
    assert page.one("h1").text == "This was refused"
    assert "open it by its own address" in page.text


@each_row("headers", FOREIGN)
def test_a_form_from_elsewhere_is_refused_in_words_and_does_nothing(
    client: httpx.Client, create: Create, emulator: Emulator, headers: dict[str, str]
) -> None:
    invoice = create()["id"]
    assert_is_refused_in_words(client.post(f"/_emulator/page/invoices/{invoice}/pay", headers=headers))
    assert {each["payment_status"] for each in emulator.invoices()} == {"unpaid"}


@each_row("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/_emulator/page/events", "/_emulator/page/static/page.css"])
def test_a_foreign_page_reads_nothing(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert_is_refused_in_words(client.get(path, headers=headers))


def test_a_link_of_a_foreign_page_may_lead_to_the_page(client: httpx.Client) -> None:
    assert client.get("/", headers=FOLLOWED).status_code == 200


@each_row(
    ("path", "headers"),
    [
        ("/", {**FOLLOWED, "Sec-Fetch-Dest": "iframe"}),
        ("/", {**FOLLOWED, "Sec-Fetch-Mode": "no-cors"}),
        ("/", {**FOLLOWED, "Host": "shop.example"}),
        ("/_emulator/page/events", FOLLOWED),
        ("/_emulator/invoices", FOLLOWED),
    ],
)
def test_but_nowhere_else_and_into_no_frame(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert client.get(path, headers=headers).status_code == 403


@each_row("host", ["127.0.0.1:8787", "localhost", "[::1]:8787", "emulator:8787"])
def test_its_own_names_are_taken(client: httpx.Client, host: str) -> None:
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.post("/_emulator/page/clock", data={"seconds": "1"}, headers=own).status_code == 303


@each_row(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/_emulator/page/static/page.js", 200),
        ("GET", "/_emulator/page/static/page.css", 200),
        ("GET", "/_emulator/page/static/icon.svg", 200),
        ("POST", "/_emulator/page/faults/clear", 303),
        ("POST", "/_emulator/page/clock", 400),
        ("POST", "/_emulator/page/invoices/l11_none/pay", 404),
    ],
)
def test_every_reply_limits_what_it_may_do(client: httpx.Client, method: str, path: str, status: int) -> None:
    reply = client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"


def test_the_refusal_itself_is_limited_too(client: httpx.Client) -> None:
    assert "content-security-policy" in client.get("/", headers={"Host": "shop.example"}).headers


def test_the_page_loads_its_own_files_and_holds_no_script_or_style(look: Look, create: Create) -> None:
    create()
    page = look()
    addresses = [each.attributes[name] for name in ("src", "href") for each in page.all() if name in each.attributes]
    assert all(address.startswith(("/_emulator/page/", "#", "/")) and "//" not in address for address in addresses)
    assert all(each.children == [] for each in page.all("script"))
    assert page.all("style") == []
    assert [name for each in page.all() for name in each.attributes if name == "style" or name.startswith("on")] == []


@each_row("name", ["none", "../page.py", "..%2Fpage.py", "page.css%00", ""])
def test_no_other_file_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/_emulator/page/static/{name}").status_code == 404


def test_the_code_of_an_invoice_is_an_image_and_nothing_more(client: httpx.Client, create: Create) -> None:
    reply = client.get(f"/_emulator/page/invoices/{create()['id']}/qr.svg")
    assert reply.headers["content-type"] == "image/svg+xml"
    assert {each.tag for each in read(reply.text).all()} == {"svg", "path"}
    assert client.get("/_emulator/page/invoices/l11_none/qr.svg").status_code == 404
