from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import tazapay_lightning_emulator.api.operations
import tazapay_lightning_emulator.serving.uvicorn_thread
from tazapay_lightning_emulator import EmulatorError, RequestRecord, running_emulator, serve
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row
from tests.support.thorough import THOROUGH


def invoices_of(base_url: str) -> httpx.Response:
    return httpx.get(f"{base_url}/_emulator/invoices", trust_env=False, verify=NO_TLS)


def refuses_connections(base_url: str) -> bool:
    url = httpx.URL(base_url)
    try:
        socket.create_connection((url.host, url.port or 0), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_it_answers_as_soon_as_the_block_begins_and_no_longer_than_the_block() -> None:
    with running_emulator() as emulator:
        assert invoices_of(emulator.base_url).json() == []
    assert refuses_connections(emulator.base_url)


def test_many_of_them_in_a_row_leave_nothing_behind() -> None:
    def left_behind() -> tuple[int, int]:
        gc.collect()  # what earlier tests dropped must not count in one of the two sums only
        descriptors = Path("/proc/self/fd")
        return threading.active_count(), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0

    with running_emulator() as emulator:
        invoices_of(emulator.base_url)
    before = left_behind()
    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        for _ in range(200 if THOROUGH else 10):
            with running_emulator() as emulator:
                client.get(f"{emulator.base_url}/_emulator/invoices")  # and keeps its connection open
    assert left_behind() == before


def test_several_run_at_once_and_share_nothing() -> None:
    with ExitStack() as stack:
        emulators = [stack.enter_context(running_emulator()) for _ in range(10)]
        for amount, emulator in enumerate(emulators, start=1):
            httpx.post(
                f"{emulator.base_url}/v3/lightning_invoice_bolt11",
                auth=(emulator.api_key, emulator.api_secret),
                json={"amount": amount},
                trust_env=False,
                verify=NO_TLS,
            )
        assert [[each["amount"] for each in emulator.invoices()] for emulator in emulators] == [
            [n] for n in range(1, 11)
        ]
    assert all(refuses_connections(emulator.base_url) for emulator in emulators)


def test_it_runs_inside_the_thread_of_a_running_event_loop() -> None:
    async def use() -> int:
        with running_emulator() as emulator:
            async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
                replies = await asyncio.gather(
                    *(client.get(f"{emulator.base_url}/_emulator/invoices") for _ in range(10))
                )
        return sum(reply.status_code == 200 for reply in replies)

    assert asyncio.run(use()) == 10


def test_what_is_raised_in_the_block_comes_out_of_it_and_the_emulator_stops() -> None:
    with pytest.raises(KeyError, match="from the block"), running_emulator() as emulator:
        raise KeyError("from the block")
    assert refuses_connections(emulator.base_url)


UNFINISHED_HEAD = "POST /v3/lightning_invoice_bolt11 HTTP/1.1\r\nHost: emulator\r\n"
UNFINISHED_BODY = (
    f"{UNFINISHED_HEAD}Authorization: Basic {b64encode(b'emulator-api-key:emulator-api-secret').decode()}\r\n"
    "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


@pytest.mark.parametrize("sent", [UNFINISHED_HEAD, UNFINISHED_BODY], ids=["in its head", "in its body"])
def test_a_request_that_never_ends_does_not_hold_up_the_end_of_the_block(
    sent: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as stack:
        with running_emulator() as emulator:
            url = httpx.URL(emulator.base_url)
            connection = stack.enter_context(socket.create_connection((url.host, url.port or 0)))
            connection.sendall(sent.encode())
            invoices_of(emulator.base_url)
            ending = time.monotonic()
        assert time.monotonic() - ending < 5
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_reply_that_never_comes_does_not_hold_up_the_end_of_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = threading.Event()

    async def hang(*args: object) -> bytes:
        reached.set()
        await asyncio.sleep(3600)
        return b""

    monkeypatch.setattr(tazapay_lightning_emulator.api.operations, "read_object", hang)
    monkeypatch.setattr(tazapay_lightning_emulator.serving.uvicorn_thread, "_GRACE_SECONDS", 0.1)
    threads = threading.active_count()
    with ExitStack() as stack:
        with running_emulator() as emulator:
            url = httpx.URL(emulator.base_url)
            connection = stack.enter_context(socket.create_connection((url.host, url.port or 0)))
            connection.sendall(UNFINISHED_BODY.encode())
            assert reached.wait(timeout=30)
            ending = time.monotonic()
        assert time.monotonic() - ending < 5
    assert threading.active_count() <= threads


@each_row("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.com", "localhost.example.com"])  # noqa: S104 - that it is refused is the point
def test_a_host_that_is_not_loopback_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="host must be a loopback address"), running_emulator(host=host):
        pass


def test_every_address_is_served_when_that_is_asked_for() -> None:
    with running_emulator(host="0.0.0.0", for_other_machines=True) as emulator:  # noqa: S104 - on purpose
        assert emulator.base_url.startswith("http://127.0.0.1:")
        assert invoices_of(emulator.base_url).status_code == 200


@each_row("host", ["", "example.com", "localhost.example.com"])
def test_a_name_is_no_address_for_other_machines(host: str) -> None:
    with (
        pytest.raises(ValueError, match="host must be an address"),
        running_emulator(host=host, for_other_machines=True),
    ):
        pass


def test_the_program_that_runs_it_is_told_what_happens() -> None:
    heard: list[object] = []
    with running_emulator(on_activity=heard.append) as emulator:
        httpx.get(f"{emulator.base_url}/v3", trust_env=False, verify=NO_TLS)
        emulator.advance_clock(60)
    assert [each.status for each in heard if isinstance(each, RequestRecord)] == [404]
    assert None in heard


@pytest.mark.parametrize(
    ("host", "beginning"),
    [("127.0.0.1", "http://127.0.0.1:"), ("localhost", "http://127.0.0.1:"), ("::1", "http://[::1]:")],
)
def test_every_loopback_host_is_served(host: str, beginning: str) -> None:
    if host == "::1" and not has_ipv6_loopback():
        pytest.skip("this machine has no IPv6 loopback address")
    with running_emulator(host=host) as emulator:
        assert emulator.base_url.startswith(beginning)
        assert invoices_of(emulator.base_url).status_code == 200


def has_ipv6_loopback() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="port must be"), running_emulator(port=port):
        pass


def test_a_port_of_ones_own_choice_can_be_used_again_at_once() -> None:
    with running_emulator() as emulator:
        port = httpx.URL(emulator.base_url).port or 0
        invoices_of(emulator.base_url)
    with running_emulator(port=port) as emulator:
        assert emulator.base_url == f"http://127.0.0.1:{port}"
        assert invoices_of(emulator.base_url).status_code == 200


@pytest.mark.parametrize("start", [running_emulator, serve])
def test_a_taken_port_is_a_clear_error(start: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as stack:
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"port {port} of 127.0.0.1 is taken: .*choose another port"):
            stack.enter_context(start(port=port))  # serve raises before it returns None


@pytest.mark.parametrize("failure", [RuntimeError("no luck"), SystemExit(3)])
def test_a_failure_to_start_comes_out_in_the_caller(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    async def fail(*args: object, **kwargs: object) -> None:
        raise failure

    threads = threading.active_count()
    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with pytest.raises(EmulatorError, match="did not start") as raised, running_emulator():
        pass
    assert raised.value.__cause__ is failure
    assert threading.active_count() <= threads


def test_a_server_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dawdle(*args: object, **kwargs: object) -> None:
        await asyncio.sleep(0.5)

    monkeypatch.setattr("uvicorn.Server.startup", dawdle)
    monkeypatch.setattr(tazapay_lightning_emulator.serving.uvicorn_thread, "_START_TIMEOUT_SECONDS", 0.05)
    threads = threading.active_count()
    with pytest.raises(EmulatorError, match="did not start"), running_emulator():
        pass
    assert threading.active_count() <= threads


def test_it_leaves_signals_and_logging_of_the_process_alone(caplog: pytest.LogCaptureFixture) -> None:
    def arrangements() -> list[object]:
        loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error", "uvicorn.access")]
        return [
            [(logger.level, logger.handlers[:], logger.propagate, logger.disabled) for logger in loggers],
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        ]

    before = arrangements()
    caplog.set_level(logging.DEBUG)
    during_test = arrangements()
    with running_emulator() as emulator:
        invoices_of(emulator.base_url)
        assert arrangements() == during_test
    assert [record for record in caplog.records if record.name == "uvicorn.access"] == []
    assert before[1] == arrangements()[1]


def test_the_date_header_is_kept_current() -> None:
    with running_emulator() as emulator:
        first = invoices_of(emulator.base_url).headers["date"]
        deadline = time.monotonic() + 10
        while invoices_of(emulator.base_url).headers["date"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_reply_is_not_held_back_until_the_client_has_acknowledged_its_head() -> None:
    def one_request(client: httpx.Client) -> float:
        began = time.perf_counter()
        client.get("/_emulator/invoices")
        return time.perf_counter() - began

    with (
        running_emulator() as emulator,
        httpx.Client(base_url=emulator.base_url, trust_env=False, verify=NO_TLS) as client,
    ):
        assert min(one_request(client) for _ in range(20)) < 0.03  # systems put an acknowledgement off by 40 ms


def test_serve_tells_when_it_is_ready_and_returns_at_control_c() -> None:
    program = """
from tazapay_lightning_emulator import serve
serve(port=0, on_ready=lambda base_url: print(base_url, flush=True))
print("returned")
"""
    with subprocess.Popen([sys.executable, "-W", "error", "-c", program], stdout=-1, stderr=-1, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().strip()
            assert invoices_of(base_url).status_code == 200
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (0, "returned\n", "")
