from __future__ import annotations

import gzip
import json
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, Fault, create_app, running_emulator
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tests.support.emulator_faults import committed, until
from tests.support.plain_http import NO_TLS

if TYPE_CHECKING:
    from tests.emulator.conftest import RawClient, Received

Post = Callable[..., httpx.Response]


def amount_of(body: bytes) -> int:
    amount: int = json.loads(body)["data"]["amount"]
    return amount


def dechunked(received: Received) -> bytes:
    """The body without the chunks that it came in."""
    body, rest = bytearray(), received.body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return bytes(body)


def test_a_reset_before_the_commit_brings_nothing_and_stores_nothing(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("reset_before_commit")
    received = raw.create()
    assert (received.data, received.end) == (b"", "RST")
    assert emulator.invoices() == []
    assert committed(emulator) == [False]


def test_a_reset_after_the_commit_brings_nothing_and_the_invoice_is_stored(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("reset_after_commit")
    received = raw.create("order-1")
    assert (received.data, received.end) == (b"", "RST")
    [stored] = emulator.invoices()
    assert committed(emulator) == [True]
    assert json.loads(raw.create("order-1").body)["data"]["id"] == stored["id"]


def test_half_a_body_comes_and_then_the_end_and_the_invoice_is_stored(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("close_mid_body")
    received = raw.create("order-1")
    whole = raw.create("order-1").body
    assert (received.head[:15], received.end) == (b"HTTP/1.1 200 OK", "FIN")
    assert received.body == whole[: len(whole) // 2]
    assert received.header("content-length") == str(len(whole))
    assert [stored["replays"] for stored in emulator.invoices()] == [1]


@pytest.mark.parametrize("kind", ["delay_before_commit", "delay_after_commit"])
def test_a_delayed_reply_comes_whole_and_not_before_its_time(emulator: Emulator, raw: RawClient, kind: Any) -> None:
    emulator.fail_next(kind, seconds=0.2)
    began = time.monotonic()
    assert amount_of(raw.create().body) == 1
    assert time.monotonic() - began >= 0.2
    assert committed(emulator) == [True]


def test_nothing_is_stored_during_a_delay_before_the_commit(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("delay_before_commit", seconds=3600)
    raw.send(raw.connect())
    until(emulator.requests)
    raw.create("another")  # whatever the server had to do by now, it has done
    assert [stored["idempotency_key"] for stored in emulator.invoices()] == ["another"]


def test_the_invoice_is_stored_during_a_delay_after_the_commit(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("delay_after_commit", seconds=3600)
    raw.send(raw.connect())
    until(emulator.invoices)
    assert committed(emulator) == [True]


def test_a_delay_before_the_commit_stores_even_if_the_client_has_left(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("delay_before_commit", seconds=0.2)
    with raw.connect() as connection:
        raw.send(connection)
        until(emulator.requests)
    until(emulator.invoices)
    assert committed(emulator) == [True]


def test_a_delayed_connection_can_be_used_again(emulator: Emulator, client: httpx.Client, post: Post) -> None:
    emulator.fail_next("delay_after_commit", seconds=0)
    emulator.fail_next("drip", pause=0)
    emulator.fail_next("status_before_commit")
    connections = {post({"amount": 1}).extensions["network_stream"].get_extra_info("client_addr") for _ in range(4)}
    assert len(connections) == 1


@pytest.mark.parametrize("drip_head", [False, True])
def test_a_reply_drips_byte_by_byte(emulator: Emulator, raw: RawClient, drip_head: bool) -> None:
    emulator.fail_next("drip", pause=0.001, drip_head=drip_head)
    connection = raw.connect()
    raw.send(connection, "order-1")
    pieces = list(iter(lambda: connection.recv(65_536), b""))
    received = b"".join(pieces)
    head, _, body = received.partition(b"\r\n\r\n")
    assert body == raw.create("order-1").body
    assert len(pieces) > 20  # hundreds, unless a busy machine delivers some of them together
    assert (len(pieces[0]) >= len(head)) is not drip_head
    assert committed(emulator) == [True]


def test_a_drip_pauses_after_every_byte(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("drip", pause=0.001)
    began = time.monotonic()
    assert len(raw.create().body) * 0.001 <= time.monotonic() - began


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
@pytest.mark.parametrize(("kind", "stored"), [("status_before_commit", 0), ("status_after_commit", 1)])
def test_a_status_comes_before_the_commit_or_after_it(
    emulator: Emulator, post: Post, kind: Any, stored: int, status: int
) -> None:
    emulator.fail_next(kind, status=status)
    reply = post({"amount": 1})
    assert reply.status_code == status
    assert reply.json().keys() == {"status", "message", "errors"}
    assert reply.json()["errors"][0]["code"] == (110 if status == 429 else 100 if status < 500 else 101)
    assert "retry-after" not in reply.headers
    assert len(emulator.invoices()) == stored
    assert committed(emulator) == [bool(stored)]


def test_retry_after_can_be_asked_for_in_seconds(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("status_before_commit", status=429, retry_after=7)
    assert post({"amount": 1}).headers["retry-after"] == "7"


def test_retry_after_can_be_asked_for_as_a_date(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("status_before_commit", status=429, retry_after=7, retry_after_as_date=True)
    headers = post({"amount": 1}).headers
    assert headers["retry-after"].endswith(" GMT")
    wait = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    assert timedelta(seconds=7) <= wait <= timedelta(seconds=10)  # both have whole seconds, and Date may lag by one


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize(("kind", "stored"), [("html_before_commit", 0), ("html_after_commit", 1)])
def test_a_page_of_html_comes_before_the_commit_or_after_it(
    emulator: Emulator, post: Post, kind: Any, stored: int, status: int
) -> None:
    emulator.fail_next(kind, status=status)
    reply = post({"amount": 1})
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reply.text.startswith("<!DOCTYPE html>")
    assert len(emulator.invoices()) == stored


def test_truncated_json_is_half_of_the_reply_with_the_length_of_the_half(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("truncated_json")
    key = {"Idempotency-Key": "order-1"}
    cut, whole = post({"amount": 1}, headers=key), post({"amount": 1}, headers=key)
    assert (cut.status_code, cut.headers["content-type"]) == (200, "application/json")
    assert cut.content == whole.content[: len(whole.content) // 2]
    assert cut.headers["content-length"] == str(len(cut.content))
    with pytest.raises(ValueError, match="Unterminated|Expecting"):
        cut.json()
    assert committed(emulator) == [True]


def test_a_body_that_is_no_gzip_is_said_to_be_one(emulator: Emulator, raw: RawClient, post: Post) -> None:
    emulator.fail_next("bad_gzip", times=2)
    received = raw.create()
    assert received.header("content-encoding") == "gzip"
    assert amount_of(received.body) == 1
    with pytest.raises(httpx.DecodingError):
        post({"amount": 1})
    assert committed(emulator) == [True, True]


def test_a_gzip_can_end_half_way(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("bad_gzip", form="truncated")
    received = raw.create()
    assert received.header("content-encoding") == "gzip"
    assert received.header("content-length") == str(len(received.body))
    unzip = zlib.decompressobj(wbits=31)
    unzip.decompress(received.body)
    assert not unzip.eof
    with pytest.raises(EOFError):
        gzip.decompress(received.body)
    assert committed(emulator) == [True]


def test_a_body_can_end_before_the_length_that_was_said(emulator: Emulator, raw: RawClient, post: Post) -> None:
    emulator.fail_next("wrong_content_length", declared="too_long", times=2)
    received = raw.create()
    assert (received.header("content-length"), received.end) == (str(2 * len(received.body)), "FIN")
    assert amount_of(received.body) == 1
    with pytest.raises(httpx.RemoteProtocolError):
        post({"amount": 1})
    assert committed(emulator) == [True, True]


def test_a_body_can_go_on_after_the_length_that_was_said(emulator: Emulator, raw: RawClient, post: Post) -> None:
    emulator.fail_next("wrong_content_length", declared="too_short", times=2)
    received = raw.create()
    assert (received.header("content-length"), received.end) == (str(len(received.body) // 2), "FIN")
    assert amount_of(received.body) == 1
    with pytest.raises(ValueError, match="Unterminated|Expecting"):
        post({"amount": 1}).json()
    assert committed(emulator) == [True, True]


def test_a_huge_body_is_blanks_and_then_the_true_reply(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("huge_body", size=200_000)
    received = raw.create("order-1")
    body = dechunked(received)
    assert received.header("content-length") is None
    assert len(body) == 200_000
    assert body.lstrip() == raw.create("order-1").body


def test_a_gzip_bomb_is_small_and_expands_to_blanks_and_the_true_reply(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("gzip_bomb", size=20_000_000)
    received = raw.create("order-1")
    assert received.header("content-encoding") == "gzip"
    assert len(received.data) < 30_000
    body = gzip.decompress(dechunked(received))
    assert len(body) == 20_000_000
    assert body.lstrip() == raw.create("order-1").body


@pytest.mark.parametrize(
    ("fault", "read"),
    [(Fault("huge_body", size=150_000_000), 150_000_000), (Fault("gzip_bomb", size=200_000_000), 200_000)],
    ids=["huge_body", "gzip_bomb"],
)
def test_what_is_huge_is_never_in_the_emulators_memory(
    emulator: Emulator, raw: RawClient, fault: Fault, read: int
) -> None:
    emulator.fail_next(fault)
    connection, buffer, received = raw.connect(), bytearray(65_536), 0
    raw.send(connection)
    tracemalloc.start()
    try:
        while size := connection.recv_into(buffer):
            received += size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received > 0.9 * read
    assert peak < 4_000_000


def test_what_is_huge_ends_when_the_client_leaves(emulator: Emulator, raw: RawClient, post: Post) -> None:
    emulator.fail_next("huge_body", size=100_000_000_000)
    with raw.connect() as connection:
        raw.send(connection)
        assert connection.recv(100)
    began = time.monotonic()
    assert post({"amount": 1}).status_code == 200
    assert time.monotonic() - began < 5


def test_a_huge_body_does_not_keep_others_waiting(emulator: Emulator, raw: RawClient, post: Post) -> None:
    emulator.fail_next("huge_body", size=100_000_000_000)
    connection = raw.connect()
    raw.send(connection)
    assert connection.recv(100)  # and no more of it
    assert post({"amount": 1}).status_code == 200


@pytest.mark.parametrize("data_as_string", [False, True])
def test_a_stale_reply_is_that_of_another_invoice(data_as_string: bool) -> None:
    with running_emulator(data_as_string=data_as_string) as emulator:
        auth = (emulator.api_key, emulator.api_secret)
        with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False, verify=NO_TLS) as client:
            replies = [client.post("/v3/lightning_invoice_bolt11", json={"amount": it}) for it in (1, 2, 3)]
            emulator.fail_next("stale_reply")
            stale = client.post("/v3/lightning_invoice_bolt11", json={"amount": 3})
        assert stale.content == replies[1].content  # of the newest one with another amount
        assert [stored["amount"] for stored in emulator.invoices()] == [1, 2, 3, 3]


def test_a_stale_reply_has_another_amount_even_if_there_is_no_other_invoice(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("stale_reply")
    assert amount_of(post({"amount": 7}).content) == 8
    assert [stored["amount"] for stored in emulator.invoices()] == [7]


@pytest.mark.parametrize("data_as_string", [False, True])
def test_a_reply_can_have_another_amount_and_all_else_as_it_was(call_app: Post, data_as_string: bool) -> None:
    plan = FaultPlan(Fault("wrong_amount", difference=-3))
    app = create_app(data_as_string=data_as_string, faults=plan)
    key = {"Idempotency-Key": "order-1"}
    wrong, right = (call_app(app, json={"amount": 10}, headers=key).json() for _ in range(2))
    for envelope in (wrong, right):
        envelope["data"] = json.loads(envelope["data"]) if data_as_string else envelope["data"]
    assert wrong["data"].pop("amount") == 7
    assert right["data"].pop("amount") == 10
    assert wrong == right


def test_a_request_that_breaks_off_in_its_body_is_never_carried_out(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("status_after_commit")
    connection = raw.connect()
    raw.send(connection, cut=5)
    connection.shutdown(socket.SHUT_WR)
    raw.receive(connection)
    assert raw.create().head.startswith(b"HTTP/1.1 200 ")
    assert committed(emulator) == [False]


@pytest.mark.parametrize("kind", ["status_before_commit", "status_after_commit"])
def test_a_body_beyond_all_bounds_is_not_kept_by_a_fault_either(emulator: Emulator, post: Post, kind: Any) -> None:
    emulator.fail_next(kind)
    chunks = (b" " * 65_536 for _ in range(64))
    reply = post(content=chunks, headers={"Content-Type": "application/json"})
    assert reply.status_code == 503
    assert committed(emulator) == [False]


def test_nothing_under_the_control_path_ever_fails(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail_randomly(1, seed=1)
    for path in ("invoices", "faults", "requests"):
        assert client.get(f"/_emulator/{path}").status_code == 200
    assert emulator.requests() == []


def test_whatever_else_comes_can_fail_too(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail_next("status_before_commit", status=520)
    assert client.get("/v3/nothing").status_code == 520
    [record] = emulator.faults_injected()
    assert (record.method, record.path, record.committed) == ("GET", "/v3/nothing", False)


def test_two_keys_in_one_request_count_as_none(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("status_before_commit", idempotency_key="one")
    assert post({"amount": 1}, headers=[("Idempotency-Key", "one"), ("Idempotency-Key", "two")]).status_code == 400
    assert [record.idempotency_key for record in emulator.requests()] == [None]


def test_a_retry_after_as_a_date_is_by_the_emulators_clock(emulator: Emulator, post: Post) -> None:
    emulator.advance_clock(timedelta(days=400))
    emulator.fail_next("status_before_commit", retry_after=5, retry_after_as_date=True)
    headers = post({"amount": 1}).headers
    asked = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    assert timedelta(seconds=5) <= asked <= timedelta(seconds=6)


def test_a_foreign_reply_is_that_of_another_invoice_over_the_amount_asked_for(emulator: Emulator, post: Post) -> None:
    other = post({"amount": 1, "metadata": '{"order_id":"1"}'}).json()["data"]
    emulator.fail_next("foreign_reply")
    assert post({"amount": 7, "metadata": '{"order_id":"7"}'}).json()["data"] == {**other, "amount": 7}
    assert [stored["amount"] for stored in emulator.invoices()] == [1, 7]


def test_without_another_invoice_a_foreign_reply_is_the_true_one(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("foreign_reply")
    reply = post({"amount": 7}).json()["data"]
    assert [(stored["id"], stored["amount"]) for stored in emulator.invoices()] == [(reply["id"], 7)]


def test_what_is_answered_twice_comes_twice_on_a_connection_that_stays_open(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("answer_twice", pause=0)
    with raw.connect() as connection:
        raw.send(connection, last=False)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}}"):
            piece = connection.recv(65_536)
            assert piece, received
            received += piece
        raw.send(connection)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    first, second = (json.loads(body[body.index(b"{") :] + b"}}") for body in received.split(b"}}")[:2])
    assert first == second
    assert len(emulator.invoices()) == 2


def test_times_can_be_those_that_go_writes_for_times_not_set(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("zero_times")
    reply = post({"amount": 7}).json()["data"]
    assert (reply["created_at"], reply["updated_at"]) == ("0001-01-01T00:00:00Z",) * 2
    assert reply["amount"] == 7


def test_an_encoding_can_be_named_that_is_none(emulator: Emulator, post: Post) -> None:
    emulator.fail_next("odd_encoding", value="UTF-8")
    reply = post({"amount": 7})
    assert reply.headers["content-encoding"] == "UTF-8"
    assert reply.json()["data"]["amount"] == 7
