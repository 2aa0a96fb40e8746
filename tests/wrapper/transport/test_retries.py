"""Which failures are tried again, with what waits, and what is known afterwards."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tazapay_lightning import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AsyncLightningClient,
    ConfigurationError,
    InvalidArgumentError,
    LightningClient,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
)
from tazapay_lightning.transport.exchange import Call, Request
from tazapay_lightning.transport.settings import Settings
from tazapay_lightning.values.durations import seconds
from tests.support.service import Answering, Create, create_async, create_sync, envelope, invoice_object
from tests.support.settings import settings

MAYBE, SURELY_NOT = True, False


def limits(**options: Any) -> Settings:
    return settings(**{"timeout": 10.0, "deadline": 100.0, **options})


def request(key: str | None = "key", **options: Any) -> Request:
    return Request(
        settings=limits(**options),
        method="POST",
        path="/v3/x",
        headers={},
        idempotency_key=key,
        parse=lambda status, envelope: None,
    )


def attempts(key: str | None = "key", jitter: Any = lambda most: most, **options: Any) -> Call:
    return Call(request(key, **options), 1000.0, jitter)


def busy(retry_after: float | None = None) -> ServerError:
    return ServerError("busy", status_code=503, retry_after=retry_after)


# The policy: pure


def test_waits_double_from_half_a_second_to_eight() -> None:
    course = attempts(max_retries=8)
    waits = []
    for _ in range(7):
        course.begin(1000.0)
        waits.append(course.failed(busy(), 1000.0))
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]


def test_a_wait_that_would_end_with_the_deadline_is_not_begun() -> None:
    course = attempts(deadline=100.0)
    course.begin(1000.0)
    assert course.failed(busy(8.0), 1091.75) == 8.0
    assert course.failed(busy(8.0), 1092.0) is None


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_jitter_is_full(seed: int, number: int) -> None:
    source = random.Random(seed)
    course = attempts(jitter=lambda most: source.uniform(0, most), max_retries=8)
    for _ in range(number):
        course.begin(1000.0)
        wait = course.failed(busy(), 1000.0)
    assert wait is not None
    assert 0 <= wait <= min(8, 0.5 * 2 ** (number - 1))


def test_waits_are_drawn_from_the_whole_range_when_nobody_says_otherwise() -> None:
    waits = []
    for _ in range(200):
        course = Call(request(), 1000.0)
        course.begin(1000.0)
        waits.append(course.failed(busy(), 1000.0))
    assert all(wait is not None and 0 <= wait <= 0.5 for wait in waits)
    assert len(set(waits)) > 100


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (0.5, 0.5), (0.1, 0.5), (0.0, 0.5), (None, 0.5)])
def test_the_wait_is_the_longer_of_what_the_service_asks_for_and_the_own(asked: float | None, wait: float) -> None:
    course = attempts()
    course.begin(1000.0)
    assert course.failed(busy(retry_after=asked), 1001.0) == wait


@given(st.integers(0, 2**32), st.lists(st.none() | st.floats(0, 0.01), min_size=20, max_size=20))
def test_a_service_that_asks_for_no_wait_does_not_get_all_attempts_at_once(
    seed: int, asked: list[float | None]
) -> None:
    source = random.Random(seed)
    course = attempts(jitter=lambda most: source.uniform(most / 2, most), max_retries=20, deadline=1000.0)
    now = 1000.0
    for each in asked:
        course.begin(now)
        wait = course.failed(busy(retry_after=each), now)
        assert wait is not None
        now += wait
    assert now - 1000.0 > 60


def test_an_attempt_ends_with_its_timeout_or_with_the_deadline() -> None:
    course = attempts(timeout=10, deadline=15)
    assert [course.begin(1000.0), course.begin(1009.0)] == [1010.0, 1015.0]


@given(st.floats(0, 200), st.floats(0, 200))
def test_nothing_waits_past_the_deadline(elapsed: float, asked: float) -> None:
    course = attempts(deadline=100)
    course.begin(1000.0)
    wait = course.failed(busy(retry_after=asked), 1000.0 + elapsed)
    assert (wait is None) == (1000.0 + elapsed + max(asked, 0.5) >= 1100.0)


def test_attempts_are_counted_on_the_error() -> None:
    course = attempts(max_retries=1)
    course.begin(1000.0)
    course.failed(busy(), 1000.0)
    course.begin(1001.0)
    error = busy()
    assert course.failed(error, 1001.0) is None
    assert (error.attempts, error.idempotency_key, error.outcome_unknown) == (2, "key", True)


def test_what_one_attempt_left_unknown_a_later_refusal_does_not_prove() -> None:
    course = attempts()
    course.begin(1000.0)
    course.failed(APITimeoutError("lost"), 1000.0)
    course.begin(1001.0)
    error = APIConnectionError("refused", nothing_sent=True)
    course.failed(error, 1001.0)
    assert error.outcome_unknown


def test_a_call_that_creates_nothing_never_has_an_unknown_outcome() -> None:
    course = attempts(key=None)
    course.begin(1000.0)
    error = busy()
    course.failed(error, 1000.0)
    assert (error.outcome_unknown, error.idempotency_key) == (False, None)


# The limits


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1.0), (0.5, 0.5), (timedelta(minutes=1), 60.0), (timedelta(milliseconds=1), 0.001)]
)
def test_a_time_limit_is_a_number_of_seconds_or_a_timedelta(value: object, expected: float) -> None:
    assert seconds(value, argument="timeout") == expected


def test_a_day_is_the_longest_limit_and_20_the_most_retries() -> None:
    built = limits(timeout=86_400, deadline=timedelta(days=1), max_retries=20)
    assert (built.timeout, built.deadline, built.max_retries) == (86_400.0, 86_400.0, 20)


@pytest.mark.parametrize(
    "value",
    [None, 0, -1, float("nan"), float("inf"), "1", True, 10**5000, 86_401, [], timedelta(0), timedelta.max],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_a_client_refuses_a_time_limit_that_is_none(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be seconds as a number, or a timedelta"):
        limits(**{name: value})


@pytest.mark.parametrize("value", [None, -1, 21, 1.0, "1", True, 10**5000], ids=lambda value: type(value).__name__)
def test_a_client_refuses_retries_that_are_no_small_number(value: object) -> None:
    with pytest.raises(ConfigurationError, match="^max_retries must be an int from 0 to 20"):
        limits(max_retries=value)


def test_none_is_refused_because_nothing_may_wait_for_ever() -> None:
    with pytest.raises(InvalidArgumentError, match="must be seconds.*; got None$"):
        seconds(None, argument="deadline")


# Through the clients


class Failing:
    """A handler that fails in the given ways, one request after the other, and then answers with an invoice."""

    def __init__(self, *failures: Exception | httpx.Response) -> None:
        self._failures: Iterator[Exception | httpx.Response] = iter(failures)
        self.keys: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["idempotency-key"])
        failure = next(self._failures, None)
        if isinstance(failure, Exception):
            raise failure
        return failure or httpx.Response(200, content=envelope(invoice_object()))


AT_ONCE = {"Retry-After": "0"}
NOTHING_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
LOST = [
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.CloseError("reset"),
    httpx.RemoteProtocolError("closed"),
    httpx.ReadTimeout("hangs"),
    httpx.WriteTimeout("hangs"),
    httpx.ProxyError("gone"),
    OSError("of an own transport"),
    TimeoutError(),
]


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 599])
def test_a_status_that_may_pass_is_tried_again_with_the_same_key(status: int, create: Create) -> None:
    handler = Failing(httpx.Response(status, headers=AT_ONCE), httpx.Response(status, headers=AT_ONCE))
    invoice = create(handler, amount_sats=123456)
    assert handler.keys == [invoice.idempotency_key] * 3


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 405, 409, 410, 422])
def test_a_status_that_will_not_pass_is_tried_once(status: int, create: Create) -> None:
    handler = Failing(httpx.Response(status, headers=AT_ONCE))
    with pytest.raises(APIError) as caught:
        create(handler, amount_sats=123456)
    assert (len(handler.keys), caught.value.attempts) == (1, 1)


@pytest.mark.usefixtures("quick_retries")
def test_it_is_over_a_socket_too(create_over_a_socket: Create) -> None:
    handler = Failing(httpx.Response(503, headers=AT_ONCE), httpx.Response(429, headers=AT_ONCE), httpx.Response(404))
    with pytest.raises(NotFoundError) as caught:
        create_over_a_socket(handler, amount_sats=123456, idempotency_key="order-1")
    assert (handler.keys, caught.value.attempts) == (["order-1"] * 3, 3)


# each failure once, since each is followed by a wait; both clients read them with the same function
@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("failure", [*NOTHING_SENT, *LOST], ids=lambda failure: type(failure).__name__)
def test_a_connection_that_fails_is_tried_again_with_the_same_key(failure: Exception) -> None:
    check_tried_again(failure, create_sync)


@pytest.mark.parametrize("failure", [NOTHING_SENT[0], LOST[0]], ids=lambda failure: type(failure).__name__)
def test_it_is_by_the_asynchronous_client_too(failure: Exception) -> None:
    check_tried_again(failure, create_async)


def check_tried_again(failure: Exception, create: Create) -> None:
    handler = Failing(failure)
    invoice = create(handler, client={"deadline": 20}, amount_sats=123456)
    assert handler.keys == [invoice.idempotency_key] * 2


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [*((failure, SURELY_NOT) for failure in NOTHING_SENT), *((failure, MAYBE) for failure in LOST)],
    ids=lambda value: type(value).__name__,
)
def test_a_failed_connection_tells_whether_an_invoice_may_exist(
    failure: Exception, outcome: bool, create: Create
) -> None:
    with pytest.raises(APIConnectionError) as caught:
        create(Failing(failure), client={"max_retries": 0}, amount_sats=123456, idempotency_key="order-1")
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (outcome, "order-1")
    assert ("idempotency_key='order-1'" in str(caught.value)) == outcome
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("t"), httpx.ConnectTimeout("t"), TimeoutError()])
def test_a_timeout_is_also_pythons_own_timeout_error(failure: Exception, create: Create) -> None:
    with pytest.raises(TimeoutError) as caught:
        create(Failing(failure), client={"max_retries": 0}, amount_sats=123456)
    assert isinstance(caught.value, APITimeoutError)


@pytest.mark.parametrize("failure", [httpx.UnsupportedProtocol("ftp"), httpx.InvalidURL("bad")])
def test_a_failure_that_stays_is_tried_once(failure: Exception, create: Create) -> None:
    handler = Failing(failure, failure)
    with pytest.raises(APIConnectionError):
        create(handler, amount_sats=123456)
    assert len(handler.keys) == 1


def test_a_certificate_that_is_not_trusted_is_not_tried_again(create: Create) -> None:
    distrust = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
    distrust.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    handler = Failing(distrust, distrust)
    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        create(handler, amount_sats=123456)
    assert (len(handler.keys), caught.value.outcome_unknown) == (1, False)


def test_a_host_whose_name_is_not_found_says_what_to_check(create: Create) -> None:
    unknown = httpx.ConnectError("[Errno -2] Name or service not known")
    unknown.__cause__ = socket.gaierror(-2, "Name or service not known")
    with pytest.raises(APIConnectionError, match="not known; the name of the host was not found: check base_url"):
        create(Failing(unknown), client={"max_retries": 0}, amount_sats=123456)


def test_a_wait_past_the_deadline_ends_the_call_at_once(create_everywhere: Create) -> None:
    handler = Failing(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError) as caught:
        create_everywhere(handler, amount_sats=123456)
    assert (caught.value.retry_after, caught.value.attempts, caught.value.outcome_unknown) == (3600.0, 1, False)


def test_the_wait_that_the_service_asks_for_is_kept(create: Create) -> None:
    handler = Failing(httpx.Response(503, headers={"Retry-After": "1"}))
    began = time.monotonic()
    create(handler, amount_sats=123456)
    assert time.monotonic() - began >= 1


def test_other_tasks_go_on_while_a_call_waits() -> None:
    handler = Failing(httpx.Response(503, headers={"Retry-After": "1"}))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    async def run() -> None:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
        async with http_client, AsyncLightningClient("k", "s", http_client=http_client) as client:
            ticking = asyncio.create_task(tick())
            await client.create_invoice(amount_sats=123456)
            ticking.cancel()

    asyncio.run(run())
    assert ticks > 10


def test_a_client_that_is_closed_during_a_wait_leaves_the_outcome_unknown() -> None:
    client = LightningClient("k", "s", http_client=(http_client := httpx.Client(transport=httpx.MockTransport(lose))))
    closing = threading.Timer(0.2, http_client.close)
    closing.start()
    with pytest.raises(APIConnectionError, match="closed meanwhile") as caught:
        client.create_invoice(amount_sats=123456, idempotency_key="order-1")
    closing.join()
    assert (caught.value.outcome_unknown, caught.value.idempotency_key) == (True, "order-1")


def lose(request: httpx.Request) -> httpx.Response:
    return httpx.Response(503, headers={"Retry-After": "1"})


def test_max_retries_0_makes_one_attempt(create_everywhere: Create) -> None:
    handler = Failing(httpx.Response(503, headers=AT_ONCE))
    with pytest.raises(ServerError):
        create_everywhere(handler, client={"max_retries": 0}, amount_sats=123456)
    assert len(handler.keys) == 1


def test_a_reply_that_cannot_be_read_is_not_tried_again(create_everywhere: Create) -> None:
    handler = Answering(200, b"not JSON")
    with pytest.raises(UnexpectedResponseError):
        create_everywhere(handler, amount_sats=123456)
    assert len(handler.requests) == 1


def test_each_attempt_is_a_line_of_debug_log_without_secrets(
    create_everywhere: Create, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="tazapay_lightning"):
        create_everywhere(
            Failing(httpx.Response(503, headers=AT_ONCE)),
            amount_sats=123456,
            memo="for your eyes only",
            idempotency_key="12345678-and-more",
        )
    lines = [record.getMessage() for record in caplog.records if record.levelname == "DEBUG"]
    lines = [line for line in lines if "lightning_invoice_bolt11 ->" in line]
    assert len(lines) == 2
    assert lines[0].startswith("POST /v3/lightning_invoice_bolt11 -> 503, attempt 1 of 3, ")
    assert lines[1].startswith("POST /v3/lightning_invoice_bolt11 -> 200, attempt 2 of 3, ")
    assert all(line.endswith("key 12345678-and-more") for line in lines)
    assert "eyes" not in "".join(lines)
