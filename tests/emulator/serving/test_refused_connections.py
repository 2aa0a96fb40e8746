from __future__ import annotations

import asyncio
import gc
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette

from tazapay_lightning_emulator import Emulator, EmulatorError, running_emulator
from tazapay_lightning_emulator.serving.listening import hold_port, listening
from tazapay_lightning_emulator.serving.uvicorn_thread import _Server
from tests.support.plain_http import NO_TLS
from tests.support.thorough import THOROUGH

if TYPE_CHECKING:
    from tests.emulator.conftest import RawClient


def is_refused(emulator: Emulator) -> bool:
    url = httpx.URL(emulator.base_url)
    try:
        socket.create_connection((url.host, url.port or 0), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


def until_accepted(emulator: Emulator) -> None:
    deadline = time.monotonic() + 30
    while is_refused(emulator):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_connections_are_refused_in_the_block_and_accepted_after_it(emulator: Emulator, raw: RawClient) -> None:
    with emulator.refuse_connections():
        assert is_refused(emulator)
        assert is_refused(emulator)
    assert raw.create().head.startswith(b"HTTP/1.1 200 ")


def test_connections_are_accepted_again_when_the_time_is_over(emulator: Emulator, raw: RawClient) -> None:
    began = time.monotonic()
    emulator.refuse_connections(0.2)
    assert is_refused(emulator)
    until_accepted(emulator)
    assert time.monotonic() - began >= 0.2
    assert raw.create().head.startswith(b"HTTP/1.1 200 ")


def test_httpx_sees_a_failure_to_connect(emulator: Emulator, client: httpx.Client) -> None:
    with emulator.refuse_connections(), pytest.raises(httpx.ConnectError):
        client.get("/")


def test_a_connection_that_was_kept_open_is_no_way_in(emulator: Emulator, client: httpx.Client) -> None:
    assert client.get("/_emulator/invoices").status_code == 200
    with emulator.refuse_connections(), pytest.raises(httpx.ConnectError):
        client.get("/_emulator/invoices")
    assert client.get("/_emulator/invoices").status_code == 200


def test_what_is_under_way_still_gets_its_reply(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("delay_after_commit", seconds=0.2)
    connection = raw.connect()
    raw.send(connection, last=False)
    while not emulator.invoices():
        time.sleep(0.001)
    with emulator.refuse_connections():
        received = raw.receive(connection)
        assert (received.head[:15], received.end) == (b"HTTP/1.1 200 OK", "FIN")


def test_refusing_twice_counts_from_the_second_time(emulator: Emulator) -> None:
    emulator.refuse_connections(3600)
    began = time.monotonic()
    emulator.refuse_connections(0.1)
    until_accepted(emulator)
    assert time.monotonic() - began >= 0.1


def test_a_time_that_was_set_is_forgotten_when_the_next_has_none(emulator: Emulator) -> None:
    emulator.refuse_connections(0.05)
    with emulator.refuse_connections():
        time.sleep(0.1)
        assert is_refused(emulator)


def test_going_away_and_coming_back_can_be_repeated(emulator: Emulator, client: httpx.Client) -> None:
    for _ in range(50):
        with emulator.refuse_connections():
            assert is_refused(emulator)
        assert client.get("/_emulator/invoices").status_code == 200


def test_stop_failing_comes_back(emulator: Emulator) -> None:
    emulator.refuse_connections()
    emulator.stop_failing()
    assert not is_refused(emulator)


def test_to_come_back_without_having_left_does_nothing(emulator: Emulator, client: httpx.Client) -> None:
    emulator.stop_failing()
    assert client.get("/_emulator/invoices").status_code == 200


def test_a_port_that_somebody_took_meanwhile_is_a_clear_error_until_it_is_free_again(emulator: Emulator) -> None:
    port = httpx.URL(emulator.base_url).port or 0
    emulator.refuse_connections()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EmulatorError, match=f"port {port} was taken"):
        emulator.stop_failing()
    emulator.stop_failing()
    assert httpx.get(f"{emulator.base_url}/_emulator/invoices", trust_env=False, verify=NO_TLS).json() == []


def test_a_port_that_somebody_took_when_the_time_is_over_is_logged(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    port = httpx.URL(emulator.base_url).port or 0
    emulator.refuse_connections(0.1)
    with socket.create_server(("127.0.0.1", port)):
        deadline = time.monotonic() + 30
        while not caplog.records:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert [record.getMessage() for record in caplog.records] == ["the emulator still refuses connections"]


def test_a_port_that_somebody_took_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EmulatorError, match="was taken"):
        hold_port(socket.AF_INET, taken.getsockname())


def test_an_ipv6_listener_comes_back_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    with running_emulator(host="::1") as emulator:
        with emulator.refuse_connections():
            assert is_refused(emulator)
        assert not is_refused(emulator)


def test_a_request_can_take_the_listener_away(emulator: Emulator, raw: RawClient) -> None:
    emulator.fail_next("refuse", seconds=3600, idempotency_key="order-2")
    raw.create("order-1")
    received = raw.create("order-2")
    assert (received.data, received.end) == (b"", "RST")
    assert is_refused(emulator)
    assert [stored["idempotency_key"] for stored in emulator.invoices()] == ["order-1"]
    emulator.stop_failing()
    assert raw.create("order-2").head.startswith(b"HTTP/1.1 200 ")


def test_another_process_can_take_the_listener_away_for_a_time(emulator: Emulator, client: httpx.Client) -> None:
    reply = client.post("/_emulator/refusals", json={"seconds": 0.3})
    assert (reply.status_code, reply.json()) == (200, {"seconds": 0.3})
    assert is_refused(emulator)
    until_accepted(emulator)


@pytest.mark.parametrize("seconds", [-1, 3601, float("nan"), True, "1"])
def test_a_time_that_cannot_be_is_refused_and_nothing_happens(emulator: Emulator, seconds: Any) -> None:
    with pytest.raises(ValueError, match="seconds: a number from 0 to 3600"):
        emulator.refuse_connections(seconds)
    assert not is_refused(emulator)


def test_an_emulator_that_has_stopped_says_so() -> None:
    with running_emulator() as emulator:
        pass
    with pytest.raises(EmulatorError, match="has stopped"):
        emulator.refuse_connections()


@pytest.mark.parametrize("seconds", [None, 3600, 0.001])
def test_an_emulator_that_stops_while_it_is_away_leaves_nothing_behind(seconds: float | None) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open descriptors are counted in /proc")

    def go_away() -> None:
        with running_emulator() as emulator:
            emulator.refuse_connections(seconds)

    go_away()
    gc.collect()
    before = len(list(descriptors.iterdir()))
    for _ in range(30 if THOROUGH else 5):
        go_away()
    gc.collect()
    assert len(list(descriptors.iterdir())) == before


def test_a_refusal_that_comes_while_the_emulator_stops_opens_nothing() -> None:
    async def run() -> socket.socket | None:
        with listening("127.0.0.1", 0) as listener:
            server = _Server(Starlette(), listener)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await asyncio.wrap_future(server.ready)
            server.stop()
            await serving
            await server.refuse(0.01)  # as a connection does whose request came last
            return server._held_port

    with ThreadPoolExecutor(1) as threads:  # uvicorn takes the signals of a main thread
        assert threads.submit(asyncio.run, run()).result() is None
