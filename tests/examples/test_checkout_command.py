"""The shop as a command: one line starts it with an emulator, variables point it at Tazapay."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from examples.checkout.__main__ import main
from examples.checkout.app import WEBHOOK_PATH
from tazapay_lightning import sign_webhook
from tazapay_lightning_emulator import DEFAULT_WEBHOOK_SECRET, running_emulator
from tests.support.plain_http import NO_TLS
from tests.support.shop import SECRET, Customer

REPOSITORY = Path(__file__).resolve().parents[2]
Start = Callable[..., "tuple[subprocess.Popen[str], Customer]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the shop as a process of its own, on a free port, without variables of the developer."""
    with ExitStack() as stack:

        def run(*arguments: str, **variables: str) -> tuple[subprocess.Popen[str], Customer]:
            inherited = {name: value for name, value in os.environ.items() if not name.startswith("TAZAPAY_")}
            process = subprocess.Popen(
                [sys.executable, "-m", "examples.checkout", "--port", "0", *arguments],
                cwd=REPOSITORY,
                env=inherited | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(stop, process)
            assert process.stdout is not None
            said = process.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert url is not None, said
            http = httpx.Client(base_url=url[0], trust_env=False, verify=NO_TLS, follow_redirects=True, timeout=30)
            return process, Customer(stack.enter_context(http))

        yield run


def stop(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; return what the shop said on standard error."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=30)
    except ValueError:  # it was waited for already
        return ""
    return said


def test_one_command_gives_a_shop_in_which_an_order_can_be_paid_by_webhook(start: Start) -> None:
    process, customer = start()
    order = customer.order()
    customer.http.post(f"{order}/emulator/pay")
    customer.wait_until(order, "paid")
    said = stop(process)
    assert process.returncode == 0
    assert "release the goods" in said
    assert DEFAULT_WEBHOOK_SECRET not in said


def test_ctrl_c_ends_the_shop_although_a_page_is_open(start: Start) -> None:
    process, customer = start()
    with customer.http.stream("GET", f"{customer.order()}/events") as reply:
        lines = reply.iter_lines()
        assert next(lines) == "retry: 2000"
        stop(process)
        assert list(lines)  # the rest, and then an end without an error
    assert process.returncode == 0


def test_an_invoice_can_be_left_to_expire(start: Start) -> None:
    _, customer = start("--expires-in", "60")
    order = customer.order()
    customer.http.post(f"{order}/emulator/expire")
    customer.wait_until(order, "expired")


def test_variables_point_it_at_the_service(start: Start, tmp_path: Path) -> None:
    with running_emulator() as service:
        process, customer = start(
            *("--database", str(tmp_path / "orders.db")),
            TAZAPAY_API_KEY=service.api_key,
            TAZAPAY_API_SECRET=service.api_secret,
            TAZAPAY_BASE_URL=service.base_url,
        )
        page = customer.http.get(customer.order()).text
        [invoice] = service.invoices()
        assert invoice["payment_request"] in page
        assert "emulator" not in page
        assert "TAZAPAY_WEBHOOK_SECRET is not set" in stop(process)


def test_webhooks_are_verified_with_the_secret_of_the_variable(start: Start) -> None:
    body = b'{"type": "collect.failed", "id": "evt_1", "created_at": "2026-03-01T12:00:00Z", "data": {"id": "col_1"}}'
    with running_emulator() as service:
        process, customer = start(
            *("--database", ":memory:"),
            TAZAPAY_API_KEY=service.api_key,
            TAZAPAY_API_SECRET=service.api_secret,
            TAZAPAY_BASE_URL=service.base_url,
            TAZAPAY_WEBHOOK_SECRET=SECRET,
        )
        answers = [
            customer.http.post(
                WEBHOOK_PATH, content=body, headers={"signature": sign_webhook(body, secret)}
            ).status_code
            for secret in (DEFAULT_WEBHOOK_SECRET, SECRET)
        ]
        said = stop(process)
    assert answers == [400, 200]
    assert SECRET not in said


def test_a_key_without_its_secret_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAZAPAY_API_KEY", "key")
    monkeypatch.delenv("TAZAPAY_API_SECRET", raising=False)
    assert main(["--port", "0"]) == 1
    assert "TAZAPAY_API_SECRET" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", str(customer.http.base_url.port)]) == 1
    assert f"cannot listen on 127.0.0.1:{customer.http.base_url.port}" in capsys.readouterr().err


def test_a_database_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "key")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "secret")
    assert main(["--port", "0", "--database", str(tmp_path)]) == 1
    assert f"cannot use the database {tmp_path}" in capsys.readouterr().err


def test_an_emulator_whose_database_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("TAZAPAY_API_KEY", raising=False)
    monkeypatch.delenv("TAZAPAY_API_SECRET", raising=False)
    assert main(["--port", "0", "--database", str(tmp_path / "missing" / "orders.db")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_orders_with_the_emulator_survive_a_restart_if_they_have_a_file(start: Start, tmp_path: Path) -> None:
    file = str(tmp_path / "orders.db")
    process, customer = start("--database", file)
    order = customer.order()
    stop(process)
    _, customer = start("--database", file)
    customer.http.post(f"{order}/emulator/pay")
    customer.wait_until(order, "paid")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "1.5"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--port", port])
    assert exit_.value.code == 2
    assert "a whole number from 0 to 65535, please" in capsys.readouterr().err


@pytest.mark.parametrize("lifetime", ["29", "43201", "-60", "1e3", "soon"])
def test_a_lifetime_that_makes_no_sense_is_refused(lifetime: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--expires-in", lifetime])
    assert exit_.value.code == 2
    assert "whole seconds from 30 to 43200" in capsys.readouterr().err
