"""What the page shows of an emulator."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, FaultPlan, running_emulator
from tazapay_lightning_emulator.dashboard.fault_words import GROUPS
from tazapay_lightning_emulator.dashboard.page import MAX_INVOICES, MAX_REQUESTS, MAX_WEBHOOKS
from tazapay_lightning_emulator.faults.kinds import FaultKind
from tests.emulator.dashboard.conftest import Element, Look, read
from tests.support.emulator_receiver import Receiver
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row

Create = Callable[..., dict[str, Any]]


def card_of(page: Element, invoice: dict[str, Any]) -> Element:
    return page.one("li", id=invoice["id"])


def buttons_of(element: Element) -> list[str]:
    return [button.text for button in element.all("button")]


def test_an_empty_page_says_what_to_do_next(look: Look, emulator: Emulator) -> None:
    page = look()
    assert "tazapay-lightning create --amount-sats 5000" in page.one(id="example-command").text
    assert f"{emulator.base_url}/v3/lightning_invoice_bolt11" in page.one(id="example-curl").text
    assert "No request yet." in page.one(id="requests").text
    assert "No webhook yet. Give the address of your application" in page.one(id="webhooks").text
    assert "None planned" in page.one(id="faults").text


def test_the_curl_line_of_the_empty_page_creates_an_invoice(look: Look, emulator: Emulator) -> None:
    [command] = look().one(id="example-curl").children
    subprocess.run(["bash", "-c", f"{command} --silent --noproxy '*'"], check=True, capture_output=True)
    assert [each["amount"] for each in emulator.invoices()] == [5000]


def test_an_invoice_is_shown_with_satoshi_first(look: Look, create: Create) -> None:
    invoice = create(amount=123456, d_tag_memo="Order #7890", metadata={"order_id": "7890"})
    card = card_of(look(), invoice)
    assert card.one("h3").text == "123,456 sat 0.00123456 BTC"
    for part in (invoice["id"], "Order #7890", '{"order_id": "7890"}', "Waiting expires in"):
        assert part in card.text


def test_the_hash_stands_in_for_a_memo_that_was_not_sent(look: Look, create: Create) -> None:
    invoice = create(h_tag_memo="ab" * 32)
    assert "ab" * 32 in card_of(look(), invoice).text


def test_the_newest_invoice_comes_first(look: Look, create: Create) -> None:
    first, second = create(), create()
    cards = [each.attributes["id"] for each in look().one(id="invoices").all("li")]
    assert cards == [second["id"], first["id"]]


def test_the_key_of_an_invoice_is_shown_with_its_replays(look: Look, post: Any) -> None:
    for _ in range(3):
        reply = post({"amount": 1}, headers={"Idempotency-Key": "order-1"})
    assert "Key order-1 replayed 2×" in card_of(look(), reply.json()["data"]).text


def test_each_state_has_its_word_and_the_buttons_that_can_do_something(
    look: Look, create: Create, emulator: Emulator
) -> None:
    waiting, paid = create(expiry_interval=3600), create(expiry_interval=3600)
    expired, late = create(expiry_interval=10), create(expiry_interval=10)
    emulator.pay(paid["id"])
    emulator.advance_clock(11)
    emulator.pay(late["id"], even_if_expired=True)
    page = look()
    shown = {}
    for invoice in (waiting, paid, expired, late):
        card = card_of(page, invoice)
        words = [each.text for each in card.all("span", **{"class": "badge"})]
        shown[words[0]] = [name.replace(invoice["id"], "ID") for name in buttons_of(card)]
    assert shown == {
        "Waiting": ["Pay invoice ID", "Expire invoice ID, which moves the clock"],
        "Paid": [],
        "Expired": ["Pay late invoice ID"],
        "Paid late": [],
    }


def test_only_what_can_be_paid_has_a_qr_code(look: Look, create: Create, emulator: Emulator) -> None:
    waiting, paid = create(), create()
    emulator.pay(paid["id"])
    page = look()
    assert card_of(page, waiting).one("img").attributes["src"].endswith(f"/{waiting['id']}/qr.svg")
    assert card_of(page, paid).all("img") == []


def test_the_countdown_is_that_of_the_emulators_clock() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with running_emulator(now=lambda: noon) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            client.post("/v3/lightning_invoice_bolt11", json={"amount": 1, "expiry_interval": 900})
            emulator.advance_clock(60)
            page = read(client.get("/").text)
    left = page.one("span", **{"class": "left"})
    assert (left.text, float(left.attributes["data-until"])) == ("14:00", noon.timestamp() + 900)
    assert page.one(id="now").text == "2026-03-01 12:01:00"
    assert "1:00 ahead of this machine's." in page.one(id="clock").text


def test_requests_are_shown_with_status_key_and_fault(look: Look, post: Any, emulator: Emulator) -> None:
    emulator.fail_next("status_after_commit", status=504)
    post({"amount": 1}, headers={"Idempotency-Key": "order-1"})
    post({"amount": 0})
    refused, failed = look().one(id="requests").one("tbody").all("tr")
    assert "POST /v3/lightning_invoice_bolt11 key order-1 status_after_commit(status=504)" in failed.text
    assert "504" in failed.text
    assert "400" in refused.text


def test_a_request_without_a_reply_says_so(look: Look, post: Any, emulator: Emulator) -> None:
    emulator.fail_next("reset_after_commit")
    with pytest.raises(httpx.HTTPError):
        post({"amount": 1})
    [row] = look().one(id="requests").one("tbody").all("tr")
    assert "no reply" in row.text


def test_a_reply_that_breaks_off_has_the_status_that_was_sent(look: Look, post: Any, emulator: Emulator) -> None:
    emulator.fail_next("close_mid_body")
    with pytest.raises(httpx.HTTPError):
        post({"amount": 1})
    [row] = look().one(id="requests").one("tbody").all("tr")
    assert "200" in row.all("td")[2].text


def test_a_webhook_is_shown_whole(look: Look, create: Create, told: Emulator, receiver: Receiver) -> None:
    receiver.statuses.append(500)
    told.pay(create()["id"])
    [delivery] = told.wait_for_webhooks()
    card = look().one("li", id=delivery.event_id)
    for part in ("collect.succeeded", "Pending", receiver.url, "500", "next attempt in", delivery.signature):
        assert part in card.text
    assert delivery.body.decode() in card.one("details").all("code")[0].text
    assert buttons_of(card) == [f"Send again webhook {delivery.event_id}"]


def test_without_an_address_no_webhook_can_be_sent_again(look: Look, create: Create, told: Emulator) -> None:
    told.pay(create()["id"])
    [delivery] = told.wait_for_webhooks()
    told.send_webhooks_to(None)
    assert buttons_of(look().one("li", id=delivery.event_id)) == []


def test_the_faults_that_wait_are_shown(look: Look, emulator: Emulator) -> None:
    emulator.fail_next("drip", times=3, idempotency_key="order-1")
    emulator.fail_randomly(0.125, seed=7)
    planned = [each.text for each in look().one(id="faults").one("ul").all("li")]
    assert planned == ["drip for the next 3 with the key order-1", "12.5 % of requests, at random with seed 7"]


def test_every_kind_of_fault_can_be_chosen(look: Look) -> None:
    offered = [each.attributes["value"] for each in look().one("select").all("option")]
    assert sorted(offered) == sorted(get_args(FaultKind))
    assert sorted(offered) == sorted(kind for kinds in GROUPS.values() for kind in kinds)


def test_the_settings_point_to_the_address_that_was_visited(client: httpx.Client, emulator: Emulator) -> None:
    [shown] = read(client.get("/", headers={"Host": "localhost:8787"}).text).one(id="exports").children
    assert str(shown).splitlines() == [
        "export TAZAPAY_BASE_URL=http://localhost:8787",
        f"export TAZAPAY_API_KEY={emulator.api_key}",
        f"export TAZAPAY_API_SECRET={emulator.api_secret}",
        f"export TAZAPAY_WEBHOOK_SECRET={emulator.webhook_secret}",
    ]


def test_the_settings_for_another_container_allow_plain_http(client: httpx.Client) -> None:
    shown = read(client.get("/", headers={"Host": "emulator:8787"}).text).one(id="exports").text
    assert shown.endswith("export TAZAPAY_ALLOW_HTTP=1")


@each_row("path", ["/", "/favicon.ico", "/_emulator/page/static/page.js", "/_emulator/page/static/none"])
def test_a_visit_uses_up_no_fault_and_is_no_request(client: httpx.Client, emulator: Emulator, path: str) -> None:
    emulator.stop_failing()
    emulator.fail_next("status_before_commit")
    client.get(path)
    assert emulator.requests() == []
    assert "status_before_commit" in client.get("/").text


def test_a_page_of_a_full_emulator_is_bounded_and_says_how_much_more_there_is() -> None:
    plan = FaultPlan()
    for number in range(MAX_REQUESTS + 1_000):
        plan.arrived("GET", f"/{number}", None)
    with running_emulator(faults=plan) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            for _ in range(MAX_INVOICES + 3):
                client.post("/v3/lightning_invoice_bolt11", json={"amount": 1})
            page = read(client.get("/").text)
    assert len(page.one(id="invoices").all("li")) == MAX_INVOICES
    assert "3 more:" in page.one(id="invoices").text
    assert len(page.one(id="requests").one("tbody").all("tr")) == MAX_REQUESTS
    assert "1,053 more:" in page.one(id="requests").text


def test_the_newest_webhooks_are_shown(look: Look, create: Create, told: Emulator) -> None:
    for _ in range(MAX_WEBHOOKS + 2):
        told.pay(create()["id"])
    deliveries = told.wait_for_webhooks(timeout=30)
    section = look().one(id="webhooks")
    shown = [each.attributes["id"] for each in section.all("li")]
    assert shown == [each.event_id for each in deliveries[: -MAX_WEBHOOKS - 1 : -1]]
    assert "2 more:" in section.text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</textarea></bdi></code></li></main>",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "<!-- --> &lt;b&gt; &amp;",
]


@each_row("text", HOSTILE)
def test_texts_of_strangers_are_texts(look: Look, create: Create, post: Any, emulator: Emulator, text: str) -> None:
    invoice = create(d_tag_memo=text, metadata={text: text})
    post({"amount": 1}, headers={"Idempotency-Key": text})
    emulator.fail_next("drip", idempotency_key=text)
    page = look()
    assert text in card_of(page, invoice).text
    assert text in page.one(id="requests").text
    assert text in page.one(id="faults").text
    assert len(page.all("script")) == 1
    assert {each.attributes["src"][:17] for each in page.all("img")} <= {"/_emulator/page/s", "/_emulator/page/i"}
    assert page.all("svg") == []


@each_row("text", HOSTILE)
def test_paths_of_strangers_are_texts(look: Look, client: httpx.Client, text: str) -> None:
    client.get(httpx.URL(path=f"/v3/{text}"))
    page = look()
    assert f"/v3/{text}" in page.one(id="requests").text
    assert len(page.all("script")) == 1


@each_row(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("pay \u202e0001\u2066", "pay \\u202e0001\\u2066"),
        ("\x00\x9b\u2028", "\\x00\\x9b\\u2028"),
        ("👩\u200d👧 شكرا", "👩\u200d👧 شكرا"),
    ],
)
def test_characters_that_cannot_be_seen_are_shown_as_escapes(look: Look, create: Create, text: str, shown: str) -> None:
    invoice = create(d_tag_memo=text)
    assert card_of(look(), invoice).all("bdi")[0].children == [shown]


def test_a_long_text_is_cut_and_its_rest_counted(look: Look, create: Create, post: Any) -> None:
    invoice = create(metadata={"note": "x" * 10_000})
    post({"amount": 1}, headers={"Idempotency-Key": "k" * 10_000})
    page = look()
    assert "x" * 1_000 in card_of(page, invoice).text
    assert "more characters)" in card_of(page, invoice).text
    assert "… (1,000 more characters)" in page.one(id="requests").text
