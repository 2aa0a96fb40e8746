"""Bulk runs: bounded, in constant memory, honest about each row, and clean however they end."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tazapay_lightning import (
    APIConnectionError,
    AsyncLightningClient,
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidRequestError,
    InvoiceMismatchError,
    LightningClient,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    bulk,
    hash_memo,
)
from tazapay_lightning.bulk.workers import Run, results_of
from tests.support.bulk import Service, amount_in, client_of, key, made, rows, run
from tests.support.service import envelope, invoice_object
from tests.support.thorough import THOROUGH

REPOSITORY = Path(__file__).parents[3]

# Keys


@pytest.mark.parametrize(
    ("namespace", "order_id", "digest"),
    [
        ("shop-1", "7890", "d90261c1948d60e512b0a024f39c00264727d3e72f8c5c4b6b393da1fee485f6"),
        ("orders", "1", "c5f5d1367873819ecf495300309c8629557006e09025111df863d268d01d7d8a"),
        ("ä", "☕ 7", "e9a1e3385f84b6599f94cfe70a6542cbed1ed316a082c5e3d8471b5eb32c60e8"),
    ],
    ids=["ascii", "default-namespace", "utf-8"],
)
def test_a_key_is_the_same_for_ever(namespace: str, order_id: str, digest: str) -> None:
    assert bulk.idempotency_key(namespace, order_id) == f"order-v1-{digest}"


def test_no_two_pairs_share_a_key() -> None:
    pairs = [("a", "bc"), ("ab", "c"), ("a,1:b", "c"), ("a", "b,1:c"), ("A", "bc"), ("a ", "bc"), ("bc", "a")]
    assert len({bulk.idempotency_key(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("namespace", "order_id", "problem"),
    [
        ("", "1", "namespace must be a str that is not empty; got an empty one"),
        ("a", "", "order_id must be a str that is not empty; got an empty one"),
        ("a", 7890, "order_id must be a str that is not empty; got int"),
        (None, "1", "namespace must be a str that is not empty; got NoneType"),
        ("a", "\ud800", "order_id holds half of a surrogate pair at position 0, which UTF-8 cannot write"),
    ],
    ids=["no-namespace", "no-order", "int", "none", "surrogate"],
)
def test_what_no_key_can_be_made_of_is_refused(namespace: Any, order_id: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        bulk.idempotency_key(namespace, order_id)
    assert str(caught.value) == problem


# Rows and results


def test_every_row_gets_its_invoice_over_its_own_amount() -> None:
    ended = run(Service(), rows(50))
    assert {order_id: result.invoice.amount_sats for order_id, result in ended.results.items() if result.invoice} == {
        str(number): 1000 + number for number in range(50)
    }
    assert ended.error is None


def test_a_row_says_all_that_create_invoice_takes() -> None:
    service = Service()
    order = bulk.Order(
        order_id="7890",
        amount_btc=Decimal("0.00005000"),
        memo="Order #7890",
        metadata={"customer_id": "cust_456"},
        expires_in=timedelta(minutes=15),
    )
    result = run(service, [order]).results["7890"]
    (request,) = service.requests
    assert json.loads(request.content) == {
        "amount": 5000,
        "d_tag_memo": "Order #7890",
        "expiry_interval": 900,
        "metadata": '{"customer_id":"cust_456"}',
    }
    assert request.headers["Idempotency-Key"] == result.idempotency_key == key("7890")
    assert (result.order, result.row, result.is_created, result.outcome_unknown) == (order, order, True, False)


def test_a_bad_row_is_its_own_result_and_sends_nothing() -> None:
    service = Service()
    bad: list[Any] = [
        {"order_id": "zero", "amount_sats": 0},
        {"order_id": "both", "amount_sats": 1, "amount_btc": "1"},
        {"order_id": 7890, "amount_sats": 1},
        {"amount_sats": 1},
        {"order_id": "x", "amount": 1},
        ["7890", 1],
    ]
    ended = run(service, [*bad, *rows(1)])
    errors = {repr(r.row): str(r.error) for r in ended.results.values() if r.error}
    assert len(errors) == len(bad)
    assert errors[repr(bad[2])] == "order_id must be text that is not empty; got 7890"
    assert errors[repr(bad[3])] == "a row has no order_id"
    assert errors[repr(bad[4])].startswith("a row has 'amount', which is not one of order_id, amount_sats, ")
    assert errors[repr(bad[5])] == "a row must be a bulk.Order or a mapping; got list"
    assert all(isinstance(r.error, InvalidArgumentError) for r in ended.results.values() if r.error)
    assert service.amounts() == [1000]


def test_a_refused_row_is_a_result_and_the_others_go_on() -> None:
    refused = httpx.Response(400, json={"status": "error", "message": "amount too small"})
    ended = run(Service(lambda request: refused if amount_in(request) == 1003 else None), rows(10))
    assert [order_id for order_id, state in ended.states().items() if state != "created"] == ["3"]
    assert isinstance(ended.results["3"].error, InvalidRequestError)
    assert ended.results["3"].state == "refused"


def test_an_unknown_outcome_is_told_with_its_key() -> None:
    ended = run(Service(lambda request: httpx.Response(500) if amount_in(request) == 1003 else None), rows(10))
    result = ended.results["3"]
    assert (result.state, result.outcome_unknown, result.idempotency_key) == ("unknown", True, key("3"))


def test_another_amount_than_was_asked_for_is_a_mismatch() -> None:
    other = httpx.Response(200, content=envelope(invoice_object(amount=1)))
    result = run(Service(lambda request: other), rows(1)).results["0"]
    assert (result.state, result.invoice, result.outcome_unknown) == ("mismatch", None, False)
    assert isinstance(result.error, InvoiceMismatchError)


def test_a_row_without_a_name_of_its_own_is_shown_without_what_is_private() -> None:
    text = repr(run(Service(), [{"order_id": "1", "amount_sats": 5, "memo": "for Dr Jekyll"}]).results["1"])
    assert "Jekyll" not in text


def test_rows_may_be_asynchronous() -> None:
    async def asynchronous() -> AsyncIterator[Any]:
        for row in rows(5):
            await asyncio.sleep(0)
            yield row

    assert set(run(Service(), asynchronous()).states()) == {"0", "1", "2", "3", "4"}


def test_no_rows_are_no_results() -> None:
    ended = run(Service(), [])
    assert (ended.results, ended.error) == ({}, None)


# Bounds


def test_as_many_rows_are_in_flight_as_asked_for_and_no_more() -> None:
    class Gate(Service):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            await barrier.wait()  # for seven of them: with fewer in flight, none would be answered
            self.in_flight -= 1
            return made(request)

    barrier = asyncio.Barrier(7)
    service = Gate()
    ended = run(service, rows(21), concurrency=7, client={"timeout": 20})
    assert set(ended.states().values()) == {"created"}
    assert service.most_in_flight == 7


def test_rows_are_taken_no_more_than_concurrency_ahead_of_the_results_fetched() -> None:
    taken = 0

    def counted() -> Iterator[Any]:
        nonlocal taken
        for row in rows(100):
            taken += 1
            yield row

    async def slow_consumer() -> None:
        fetched = 0
        async with client_of(Service()) as client:
            async for _ in bulk.create_invoices(client, counted(), key=key, concurrency=5):
                fetched += 1
                for _ in range(20):
                    await asyncio.sleep(0)
                assert taken - fetched <= 5

    asyncio.run(slow_consumer())
    assert taken == 100


def test_nothing_is_taken_before_the_first_result_is_asked_for() -> None:
    def never() -> Iterator[Any]:
        pytest.fail("taken")
        yield

    async def unused() -> None:
        async with client_of(Service()) as client:
            await bulk.create_invoices(client, never(), key=key).aclose()

    asyncio.run(unused())


def test_memory_does_not_grow_with_the_rows() -> None:
    count = os.environ.get("BULK_MEMORY_ROWS", "10000" if THOROUGH else "3000")
    command = [sys.executable, "-m", "benchmarks.bulk", count]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    measured = json.loads(done.stdout)
    assert measured["created"] == int(count)
    assert measured["grown_mb"] < 5  # as many results, if they were kept, are more than 50; of 3,000 rows more than 10


# 429 and rates


def test_a_429_puts_the_row_back_and_pauses_the_whole_run() -> None:
    met: list[float] = []
    sent: list[float] = []

    def limited(request: httpx.Request) -> httpx.Response | None:
        now = asyncio.get_running_loop().time()
        if not met:
            met.append(now)
            return httpx.Response(429, headers={"Retry-After": "1"})
        sent.append(now)
        return None

    service = Service(limited)
    ended = run(service, rows(10), concurrency=2)
    assert set(ended.states().values()) == {"created"}
    assert len(service.requests) == 11
    during_the_pause = [moment for moment in sent if met[0] + 0.1 < moment < met[0] + 0.9]
    assert during_the_pause == []
    assert max(sent) - met[0] >= 0.99


def test_what_was_put_back_keeps_its_key_and_what_was_unknown_about_it() -> None:
    replies = iter([httpx.Response(500), httpx.Response(429, headers={"Retry-After": "0"}), httpx.Response(400)])
    service = Service(lambda request: next(replies))
    result = run(service, rows(1), client={"max_retries": 1, "deadline": 60}).results["0"]
    assert len(service.requests) == 3
    assert {request.headers["Idempotency-Key"] for request in service.requests} == {key("0")}
    assert (result.state, str(result.error)[:3]) == ("unknown", "400")


def test_a_row_that_is_put_back_is_not_given_another_key() -> None:
    numbers = iter(range(100))
    replies = iter([httpx.Response(429, headers={"Retry-After": "0"})] * 3)
    service = Service(lambda request: next(replies, None))
    run(service, rows(1), key=lambda order_id: f"{order_id}-{next(numbers)}")
    assert {request.headers["Idempotency-Key"] for request in service.requests} == {"0-0"}
    assert len(service.requests) == 4


def test_a_pause_that_does_not_fit_the_deadline_does_not_fail_the_row() -> None:
    replies = iter([httpx.Response(429, headers={"Retry-After": "1"})])
    service = Service(lambda request: next(replies, None))
    ended = run(service, rows(1), client={"max_retries": 2, "deadline": 0.2})
    assert ended.states() == {"0": "created"}


def test_a_pause_of_the_run_that_outlasts_the_deadline_of_another_row_ends_its_attempts() -> None:
    unavailable = iter([httpx.Response(503, headers={"Retry-After": "0"})])

    def answer(request: httpx.Request) -> httpx.Response | None:
        if amount_in(request) == 1000:
            return next(unavailable, None)
        return httpx.Response(429, headers={"Retry-After": "700"})

    ended = run(Service(answer), rows(2), client={"max_retries": 2, "deadline": 5}, concurrency=2)
    assert isinstance(ended.error, RateLimitError)
    assert ended.results["0"].state in {"unknown", "created"}


def test_to_be_asked_to_wait_for_longer_than_ten_minutes_ends_the_run() -> None:
    service = Service(lambda request: httpx.Response(429, headers={"Retry-After": "3600"}))
    ended = run(service, rows(1000), concurrency=4)
    assert isinstance(ended.error, RateLimitError)
    assert ended.error.retry_after == 3600
    assert len(ended.results) <= 4
    assert set(ended.states().values()) == {"refused"}


def test_a_429_lowers_what_is_in_flight() -> None:
    limited = iter([httpx.Response(429, headers={"Retry-After": "0"})])
    seen: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        seen.append(service.in_flight)
        return next(limited, None)

    service = Service(answer, pause=0.001)
    run(service, rows(60), concurrency=16)
    assert max(seen[32:40]) <= 9


def test_other_failures_slow_nothing_down() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "30"})
    began = time.monotonic()
    ended = run(Service(lambda request: busy if amount_in(request) == 1000 else None), rows(20), concurrency=1)
    assert time.monotonic() - began < 20
    assert [order_id for order_id, state in ended.states().items() if state != "created"] == ["0"]


def test_a_rate_counts_attempts() -> None:
    replies = iter([httpx.Response(503, headers={"Retry-After": "0"})] * 3)
    sent: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        sent.append(asyncio.get_running_loop().time())
        return next(replies, None)

    start = time.monotonic()  # what the loop's time is
    run(Service(answer), rows(7), rate=50, client={"max_retries": 3, "deadline": 60})
    assert len(sent) == 10
    assert all(moment - start >= slot / 50 - 0.001 for slot, moment in enumerate(sent))


# How runs end


def everything(status: int) -> Service:
    return Service(lambda request: httpx.Response(status))


def test_refused_credentials_end_the_run_once_what_is_in_flight_is_told() -> None:
    service = everything(401)
    ended = run(service, rows(1000), concurrency=4)
    assert isinstance(ended.error, AuthenticationError)
    assert len(service.requests) <= len(ended.results) <= 4
    sent = [result for result in ended.results.values() if isinstance(result.error, AuthenticationError)]
    assert len(sent) == len(service.requests)
    assert {str(result.error) for result in ended.results.values()} - {str(result.error) for result in sent} <= {
        "not sent: the run was stopped before"
    }


@pytest.mark.parametrize(
    ("status", "error"), [(403, PermissionDeniedError), (404, NotFoundError), (503, ServerError)], ids=str
)
def test_fifty_failures_in_a_row_that_are_not_about_the_rows_end_the_run(status: int, error: type) -> None:
    service = everything(status)
    ended = run(service, rows(1000), concurrency=4)
    assert isinstance(ended.error, error)
    assert 50 <= len(ended.results) <= 53


def test_with_much_in_flight_it_takes_twice_as_many_failures() -> None:
    ended = run(everything(503), rows(1000), concurrency=100)
    assert 200 <= len(ended.results) <= 300


@pytest.mark.parametrize("between", [200, 400])
def test_one_word_about_a_row_shows_that_the_service_works(between: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response | None:
        if amount_in(request) % 10:
            return httpx.Response(503)
        return None if between == 200 else httpx.Response(400)

    ended = run(Service(answer), rows(200))
    assert (len(ended.results), ended.error) == (200, None)


def test_amounts_that_never_agree_end_the_run() -> None:
    other = Service(lambda request: httpx.Response(200, content=envelope(invoice_object(amount=1))))
    ended = run(other, rows(1000), concurrency=4)
    assert isinstance(ended.error, InvoiceMismatchError)
    assert len(ended.results) <= 53


def test_a_closed_client_ends_the_run() -> None:
    async def closed() -> tuple[list[bulk.Result], Exception | None]:
        results = []
        async with client_of(Service()) as client:
            await client.aclose()
            try:
                async for result in bulk.create_invoices(client, rows(100), key=key, concurrency=3):
                    results.append(result)  # noqa: PERF401 - what came before the error counts
            except ConfigurationError as error:
                return results, error
        return results, None

    results, error = asyncio.run(closed())
    assert "this client is closed" in str(error)
    assert len(results) <= 3
    assert not any(result.is_created for result in results)


def test_a_client_that_is_closed_meanwhile_does_not_hide_what_is_unknown() -> None:
    async def closed() -> bulk.Result:
        replies = iter([httpx.Response(500), httpx.Response(429, headers={"Retry-After": "1"})])
        async with client_of(Service(lambda request: next(replies)), max_retries=1) as client:
            results = bulk.create_invoices(client, rows(1), key=key)

            async def close() -> None:
                await asyncio.sleep(0.7)
                await client.aclose()

            closing = asyncio.create_task(close())
            result = await anext(results)
            await closing
            with pytest.raises((ConfigurationError, APIConnectionError)):
                await anext(results)
            return result

    assert asyncio.run(closed()).state == "unknown"


def test_a_certificate_that_is_not_trusted_ends_the_run() -> None:
    service = Service(lambda request: (_ for _ in ()).throw(httpx.UnsupportedProtocol("no such protocol")))
    ended = run(service, rows(1000), concurrency=4)
    assert isinstance(ended.error, APIConnectionError)
    assert len(ended.results) <= 4


def test_rows_that_cannot_be_read_any_further_end_the_run_once_what_is_in_flight_is_told() -> None:
    def broken() -> Iterator[Any]:
        yield from rows(10)
        raise OSError("the database is gone")

    ended = run(Service(pause=0.001), broken())
    assert str(ended.error) == "the database is gone"
    assert set(ended.states().values()) == {"created"}
    assert len(ended.results) == 10


LIMITED, FAILED = httpx.Response(429, headers={"Retry-After": "30"}), httpx.Response(500, headers={"Retry-After": "0"})


@pytest.mark.parametrize(
    ("replies", "requests", "state"),
    [
        ([None], 1, "created"),
        ([LIMITED, None], 1, "refused"),
        ([FAILED, None], 2, "created"),
        ([FAILED, FAILED, None], 3, "created"),
        ([FAILED, LIMITED, None], 2, "unknown"),
    ],
    ids=["answered", "429", "500", "500 twice", "500 and 429"],
)
def test_once_a_run_is_stopped_only_what_is_in_doubt_is_tried_again(
    replies: list[httpx.Response | None], requests: int, state: str
) -> None:
    left = iter(replies)

    async def stopped_by_the_first_request() -> dict[str, str]:
        def answer(request: httpx.Request) -> httpx.Response | None:
            started.stop()
            return next(left)

        service = Service(answer)
        async with client_of(service, max_retries=4) as client:
            started = Run(client, rows(10), key, 1, None)
            states = {str(each.row["order_id"]): each.state async for each in results_of(lambda: started)}  # type: ignore[index]  # rows of the test
        assert len(service.requests) == requests
        return states

    assert asyncio.run(stopped_by_the_first_request()) == {"0": state}


def test_a_run_that_has_to_end_does_not_wait_for_a_row_that_never_comes() -> None:
    async def one_and_then_silence() -> AsyncIterator[Any]:
        yield rows(1)[0]
        await asyncio.sleep(3600)

    ended = run(everything(401), one_and_then_silence())
    assert isinstance(ended.error, AuthenticationError)
    assert len(ended.results) == 1


def test_a_bug_in_the_key_function_ends_the_run_and_is_raised() -> None:
    def broken(order_id: str) -> str:
        raise LookupError(order_id)

    service = Service()
    ended = run(service, rows(100), key=broken, concurrency=4)
    assert isinstance(ended.error, LookupError)
    assert len(ended.results) <= 4
    assert set(ended.states().values()) == {"refused"}
    assert service.requests == []


class Broken(dict[str, Any]):
    """A mapping that cannot be read."""

    def items(self) -> Any:
        raise LookupError("of the caller")

    def __iter__(self) -> Iterator[str]:
        raise LookupError("of the caller")


@pytest.mark.parametrize(
    ("row", "state", "sent_with"),
    [
        ({"order_id": "broken", "amount_sats": 5, "metadata": Broken(a=1)}, "unknown", key("broken")),
        (Broken(order_id="broken", amount_sats=5), "refused", None),
    ],
    ids=["metadata", "row"],
)
def test_an_exception_of_another_kind_is_the_result_of_its_row(row: Any, state: str, sent_with: str | None) -> None:
    ended = run(Service(), [*rows(3), row, *rows(6)[3:]], concurrency=2)
    (result,) = [each for each in ended.results.values() if each.error is not None]
    assert (result.state, result.idempotency_key) == (state, sent_with)
    assert str(result.error).startswith("the order could not be billed: LookupError")
    assert isinstance(result.error and result.error.__cause__, LookupError)
    assert (len(ended.results), ended.error) == (7, None)


@pytest.mark.parametrize("raised", [LookupError, RecursionError, OverflowError, asyncio.CancelledError], ids=str)
def test_what_a_hook_of_the_http_client_raises_is_the_result_of_its_row(raised: type[BaseException]) -> None:
    def answer(request: httpx.Request) -> httpx.Response | None:
        if amount_in(request) == 1003:
            raise raised
        return None

    ended = run(Service(answer), rows(10), concurrency=3)
    assert {order_id: state for order_id, state in ended.states().items() if state != "created"} == {"3": "unknown"}
    assert ended.results["3"].idempotency_key == key("3")
    assert (len(ended.results), ended.error) == (10, None)


def test_exceptions_of_another_kind_in_a_row_end_the_run() -> None:
    ended = run(Service(), ({"order_id": str(n), "amount_sats": 5, "metadata": Broken(a=1)} for n in range(1000)))
    assert isinstance(ended.error, UnexpectedResponseError)
    assert 50 <= len(ended.results) <= 70


def test_a_memo_can_go_out_as_its_hash() -> None:
    service = Service()
    run(service, [{"order_id": "1", "amount_sats": 5, "memo": "m" * 5000, "memo_as_hash": True}])
    (request,) = service.requests
    assert json.loads(request.content) == {"amount": 5, "h_tag_memo": hash_memo("m" * 5000)}


def test_a_key_that_cannot_travel_is_the_rows_result() -> None:
    ended = run(Service(), rows(1), key=lambda order_id: "with a blank")
    assert "idempotency_key must be" in str(ended.results["0"].error)


async def left_early(how: str) -> tuple[int, set[str]]:
    """Leave a run early and return how many requests were then still in flight, and which tasks were left."""
    service = Service(lambda request: None, pause=0.01)
    async with client_of(service) as client:
        results = bulk.create_invoices(client, rows(1000), key=key)
        if how == "aclosing":
            async with aclosing(results):
                async for _ in results:
                    break
        elif how == "exception":
            with suppress(LookupError):
                async with aclosing(results):
                    async for _ in results:
                        raise LookupError
        elif how == "cancelled":

            async def consume() -> None:
                async for _ in results:
                    pass

            consuming = asyncio.create_task(consume())
            await asyncio.sleep(0.03)
            consuming.cancel()
            with pytest.raises(asyncio.CancelledError):
                await consuming
        else:
            async for _ in results:
                break
            del results
            gc.collect()
            for _ in range(20):
                await asyncio.sleep(0)
    tasks = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    return service.in_flight, tasks


@pytest.mark.parametrize("how", ["aclosing", "exception", "cancelled", "break"])
def test_leaving_early_leaves_nothing_in_flight_and_no_task(how: str, caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(left_early(how)) == (0, set())
    gc.collect()
    # what was never retrieved, or destroyed while pending
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_a_cancelled_consumer_is_not_kept_by_its_own_clean_up() -> None:
    async def scenario() -> None:
        service = Service(pause=10)
        async with client_of(service) as client, asyncio.timeout(5):
            results = bulk.create_invoices(client, rows(5), key=key)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(results)
        assert service.in_flight == 0

    asyncio.run(scenario())


def test_a_bug_of_ours_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tazapay_lightning.bulk.pacing.Pace.in_flight", property(lambda pace: 1 // 0))
    ended = run(Service(), rows(3))
    assert isinstance(ended.error, ExceptionGroup)


def test_without_asyncio_the_run_says_what_it_needs() -> None:
    client = AsyncLightningClient("k", "s")
    results = bulk.create_invoices(client, rows(1), key=key)
    with pytest.raises(ConfigurationError, match="bulk runs need asyncio"):
        results.asend(None).send(None)
    asyncio.run(client.aclose())


# Arguments


@pytest.mark.parametrize(
    ("argument", "value", "problem"),
    [
        ("rows", "7890", "rows must be an iterable of orders, plain or asynchronous; got str"),
        ("rows", {"order_id": "1"}, "rows must be an iterable of orders, plain or asynchronous; got dict"),
        ("rows", 5, "rows must be an iterable of orders, plain or asynchronous; got int"),
        ("key", None, 'key must be a function such as partial(bulk.idempotency_key, "shop-1"); got NoneType'),
        ("key", "order", 'key must be a function such as partial(bulk.idempotency_key, "shop-1"); got str'),
        ("concurrency", 0, "concurrency must be an int from 1 to 100; got 0"),
        ("concurrency", 101, "concurrency must be an int from 1 to 100; got 101"),
        ("concurrency", True, "concurrency must be an int from 1 to 100; got True"),
        ("concurrency", 2.0, "concurrency must be an int from 1 to 100; got 2.0"),
        ("rate", 0, "rate must be requests per second, a number greater than 0, or None; got 0"),
        ("rate", float("nan"), "rate must be requests per second, a number greater than 0, or None; got nan"),
        ("rate", float("inf"), "rate must be requests per second, a number greater than 0, or None; got inf"),
        ("rate", True, "rate must be requests per second, a number greater than 0, or None; got True"),
        ("rate", "5", "rate must be requests per second, a number greater than 0, or None; got '5'"),
        ("client", None, "client must be an AsyncLightningClient; got NoneType"),
        ("client", LightningClient, "client must be an AsyncLightningClient; got type"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value)[:20],
)
def test_arguments_that_cannot_be_used_are_refused_at_once(argument: str, value: Any, problem: str) -> None:
    client = AsyncLightningClient("k", "s")
    arguments: dict[str, Any] = {"client": client, "rows": rows(1), "key": key, argument: value}
    with pytest.raises(InvalidArgumentError) as caught:
        bulk.create_invoices(arguments.pop("client"), arguments.pop("rows"), **arguments)
    assert (str(caught.value), caught.value.argument) == (problem, argument)
    asyncio.run(client.aclose())


def test_the_service_of_these_tests_makes_what_is_asked() -> None:
    request = httpx.Request("POST", "https://service", json={"amount": 7})
    assert json.loads(made(request).content)["data"]["amount"] == 7
