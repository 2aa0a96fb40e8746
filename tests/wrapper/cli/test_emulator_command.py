"""The command `emulator`: what it prints where, whom it lets in, and the page that it opens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import httpx
from attrs import evolve, field, frozen
from typer.testing import CliRunner

from tazapay_lightning.cli.app import app
from tazapay_lightning.cli.emulator_command import _request_line, _webhook_line
from tazapay_lightning_emulator import Fault, RequestRecord
from tazapay_lightning_emulator.webhooks.event import collect_succeeded
from tests.support.emulator_receiver import receiving
from tests.support.plain_http import NO_TLS
from tests.support.tables import each_row

INVOICES = "/v3/lightning_invoice_bolt11"
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whatever started the tests said
    "import sys; from tazapay_lightning.cli import app\n"
    "app.app(['emulator', '--port', '0', *sys.argv[1:]])"
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@frozen
class Command:
    """The command as it runs: what it exported, and a client of the emulator.

    `rest` is what was not read of stderr, once the command has ended.
    """

    exported: dict[str, str]
    client: httpx.Client
    stderr: IO[str]
    rest: list[str] = field(factory=list)

    def says(self, part: str) -> str:
        """Wait for the line on stderr that holds this."""
        return next(line for line in self.stderr if part in line)

    def create(self, key: str = "order-7890") -> httpx.Response:
        return self.client.post(INVOICES, json={"amount": 21}, headers={"Idempotency-Key": key})


@contextmanager
def running(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Command]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(4)]
            exported = dict(line.split("=") for line in lines)
            auth = (exported["TAZAPAY_API_KEY"], exported["TAZAPAY_API_SECRET"])
            url = exported["TAZAPAY_BASE_URL"]
            with httpx.Client(base_url=url, auth=auth, trust_env=False, verify=NO_TLS) as client:
                command = Command(exported, client, process.stderr)
                yield command
            process.send_signal(signal.SIGINT)
            command.rest.append(process.stderr.read())
            assert process.stdout.read() == "", "stdout has the settings and nothing else"
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


def test_a_request_is_one_line_on_stderr() -> None:
    with running() as command:
        command.create("order-7890-of-a-customer")
        words = command.says("POST").split()
        assert words[1:4] == ["POST", INVOICES, "200"]
        assert words[5:] == ["ms", "key=order-7890-o..."]


def test_a_request_that_met_a_fault_names_it() -> None:
    with running() as command:
        command.client.post("/_emulator/faults", json={"kind": "status_before_commit", "status": 429})
        command.create()
        assert " 429 " in (line := command.says("POST"))
        assert "fault=status_before_commit(status=429)" in line


def test_an_attempt_of_a_webhook_is_one_line_on_stderr() -> None:
    with receiving(500) as receiver, running("--webhook-url", receiver.url) as command:
        invoice = command.create().json()["data"]["id"]
        command.client.post(f"/_emulator/invoices/{invoice}/pay")
        line = command.says("webhook")
        assert line.endswith(f" {receiver.url} 500\n")
        assert "collect.succeeded evt_" in line


def test_ctrl_c_while_the_settings_are_printed_ends_it_as_ever() -> None:
    interrupts = "import signal, sys; sys.stdout.write = lambda text: signal.raise_signal(signal.SIGINT)\n"
    ended = subprocess.run([sys.executable, "-c", interrupts + PROGRAM], capture_output=True, timeout=30, check=False)
    assert ended.returncode == 0


def test_visits_of_the_page_are_no_lines() -> None:
    with running() as command:
        command.client.get("/")
        command.client.get("/favicon.ico")
        command.client.get("/_emulator/invoices")
        command.create()
        assert "POST" in command.says("ms")


def test_quiet_has_no_line_for_requests() -> None:
    with running("--quiet") as command:
        command.create()
    assert "POST" not in command.rest[0]
    assert command.rest[0].startswith("emulator of Tazapay at ")


def test_lines_hold_no_control_characters() -> None:
    hostile = "\x1b]0;title\x07\x9b2J\u202e\r\n"
    record = RequestRecord("G\x1bT", f"/v3/{hostile}", hostile, Fault("drip"), at=NOON, status=200, milliseconds=1)
    delivery = collect_succeeded("col_1", NOON, url=f"http://127.0.0.1/{hostile}", secret="s").attempted(None)
    assert _request_line(record).isprintable()
    assert _webhook_line(delivery).isprintable()


def test_lines_are_short_however_long_path_and_key_are() -> None:
    record = RequestRecord("GET", "/" * 10_000, "k" * 10_000, None, at=NOON, status=404, milliseconds=1)
    assert len(_request_line(record)) < 200
    assert len(_request_line(evolve(record, idempotency_key=None))) < 200


def test_an_attempt_without_an_answer_says_so() -> None:
    delivery = collect_succeeded("col_1", NOON, url="http://127.0.0.1:1/", secret="s").attempted(None)
    assert _webhook_line(delivery) == (
        f"12:00:00 webhook collect.succeeded {delivery.event_id} http://127.0.0.1:1/ no answer"
    )


def test_every_address_can_be_listened_on_with_a_warning() -> None:
    with running("--host", "0.0.0.0") as command:  # noqa: S104 - what the option is for
        assert "whoever can reach 0.0.0.0 can read and pay everything here" in command.says("warning")
        assert command.exported["TAZAPAY_BASE_URL"].startswith("http://127.0.0.1:")
        assert command.create().status_code == 200
        host = {"Host": "emulator:8787"}  # as another container calls it
        assert command.client.get("/", headers=host).status_code == 200
        assert command.client.get("/", headers={"Host": "shop.example"}).status_code == 403


def test_an_address_of_this_machine_is_no_reason_for_a_warning() -> None:
    with running("--host", "localhost") as command:
        assert command.create().status_code == 200
    assert "warning" not in command.rest[0]


@each_row("host", ["emulator", "shop.example", "", "300.0.0.1"])
def test_a_host_that_is_no_address_is_refused_by_the_name_of_its_option(host: str) -> None:
    result = CliRunner().invoke(app, ["emulator", "--port", "0", "--host", host])
    assert result.exit_code == 2
    assert "--host must be an address" in result.stderr
    assert result.stdout == ""


def test_open_opens_the_page_in_a_browser() -> None:
    tells_its_address = {"BROWSER": "sh -c 'echo opened $0 >&2' %s"}
    with running("--open", environment=tells_its_address) as command:
        assert command.says("opened") == f"opened {command.exported['TAZAPAY_BASE_URL']}\n"


def test_where_no_browser_can_be_opened_a_line_says_so_and_it_goes_on(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path), "BROWSER": str(tmp_path / "none"), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    with running("--open", environment=nothing) as command:
        assert command.says("no browser can be opened here") == (
            f"no browser can be opened here: open {command.exported['TAZAPAY_BASE_URL']} in one\n"
        )
        assert command.create().status_code == 200
