"""An invoice paid from the command line: ``pay``, ``create --wait``, ``demo``, and the QR code in a file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tazapay_lightning import Invoice, LightningClient
from tazapay_lightning.cli.app import app
from tests.support.full_disk import files_end_at
from tests.support.served import HandlerServer
from tests.support.service import envelope, invoice_object
from tests.support.terminal import in_a_terminal

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, UNKNOWN = 0, 1, 2, 3
KEY = "order-7890"
CREATE = ["create", "--amount-sats", "5000", "--idempotency-key", KEY]
ADVICE = f"an invoice may exist: to resume, repeat the command with --idempotency-key {KEY}\n"
QUICKLY = ["--wait", "--poll-interval", "0.05"]


def run(*arguments: str | Path, color: bool = False) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False, color=color)


@pytest.fixture
def invoice(emulator_of_the_environment: Emulator) -> Invoice:
    with LightningClient() as client:
        return client.create_invoice(amount_sats=5000)


@contextmanager
def a_payer(emulator: Emulator) -> Iterator[None]:
    """Pay every invoice within the block as soon as it exists."""
    is_over = threading.Event()

    def pay() -> None:
        while not is_over.wait(0.02):
            for each in emulator.invoices():
                if each["payment_status"] == "unpaid":
                    emulator.pay(each["id"])

    paying = threading.Thread(target=pay)
    paying.start()
    try:
        yield
    finally:
        is_over.set()
        paying.join()


# pay


def test_pay_pays_an_invoice_of_the_emulator_and_shows_it(invoice: Invoice, tazapay_emulator: Emulator) -> None:
    result = run("pay", invoice.id, color=True)
    assert result.exit_code == DONE
    assert "  status           \x1b[32m\x1b[1mactive, paid\x1b[0m\n" in result.stdout
    assert tazapay_emulator.invoices()[0]["payment_status"] == "paid"


def test_pay_with_json_prints_the_paid_invoice(invoice: Invoice) -> None:
    shown = json.loads(run("pay", invoice.id, "--json").stdout)
    assert (shown["id"], shown["is_paid"], shown["environment"]) == (invoice.id, True, "emulator")


def test_an_invoice_is_paid_once(invoice: Invoice) -> None:
    run("pay", invoice.id)
    result = run("pay", invoice.id)
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert result.stderr.startswith("error: the emulator did not pay it: ")
    assert "paid already" in result.stderr


def test_an_unknown_invoice_cannot_be_paid(invoice: Invoice) -> None:
    result = run("pay", "l11_unknown")
    assert (result.exit_code, result.stderr[:22]) == (REFUSED, "error: 404 Not Found: ")


@pytest.mark.parametrize(
    "service",
    [["--environment", "sandbox"], ["--environment", "production"], ["--base-url", "https://X.tazapay.com./gateway"]],
    ids=" ".join,
)
def test_tazapay_itself_is_not_asked_to_pay(service: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: pytest.fail("the network was used"))
    result = run("pay", "l11_abc123xyz", *service)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert "is no emulator: an invoice of another service is paid by a wallet; nothing was sent\n" in result.stderr


@pytest.mark.parametrize(
    "reply",
    [
        (404, b"{}"), (200, b"<html>everything is found here</html>"), (200, b"[]"), (200, b'{"now": "2026"}'),
        (302, b""), (500, b"\xff"),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_control_of_an_emulator_is_sent_neither_credentials_nor_a_payment(
    reply: tuple[int, bytes], handler_server: HandlerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    asked: list[tuple[str, str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.headers.get("authorization")))
        return httpx.Response(reply[0], headers={"Location": "/elsewhere"}, stream=httpx.ByteStream(reply[1]))

    with handler_server.serving(answer) as base_url:
        result = run("pay", "l11_abc123xyz", "--base-url", base_url)
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert f"error: {base_url} is no emulator" in result.stderr
    assert [(method, path.rpartition("/_emulator")[2], token) for method, path, token in asked] == [
        ("GET", "/clock", None)
    ]


def test_an_emulator_that_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    result = run("pay", "l11_abc123xyz", "--base-url", "http://127.0.0.1:9")
    assert result.exit_code == REFUSED
    assert result.stderr == "error: no reply from http://127.0.0.1:9: Connection refused; is it running?\n"


# create --wait


def test_created_and_waited_for_it_is_shown_and_then_paid(emulator_of_the_environment: Emulator) -> None:
    with a_payer(emulator_of_the_environment):
        result = run(*CREATE, *QUICKLY, color=True)
    (stored,) = emulator_of_the_environment.invoices()
    assert (result.exit_code, result.stderr) == (DONE, "")
    assert result.stdout.startswith(f"Lightning invoice {stored['id']}\n")
    assert "\u2588" in result.stdout
    paid = f"\x1b[32m\x1b[1mpaid\x1b[0m: invoice {stored['id']}, 0.00005000 BTC (5,000 satoshi)\n"
    assert result.stdout.endswith(paid)


def test_with_json_it_is_one_document_and_a_payer_finds_the_request_on_stderr(
    emulator_of_the_environment: Emulator,
) -> None:
    with a_payer(emulator_of_the_environment):
        result = run(*CREATE, *QUICKLY, "--json")
    shown = json.loads(result.stdout)
    assert (result.exit_code, shown["is_paid"], shown["environment"]) == (DONE, True, "emulator")
    assert result.stderr == f"invoice {shown['id']}: {shown['lightning_uri']}\n"


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
def test_a_wait_that_is_over_is_exit_1(as_json: list[str], emulator_of_the_environment: Emulator) -> None:
    result = run(*CREATE, *QUICKLY, "--timeout", "0.1", *as_json)
    (stored,) = emulator_of_the_environment.invoices()
    assert result.exit_code == REFUSED
    assert result.stderr.splitlines()[-1].endswith("is over, it is not paid yet; it can still be paid until it expires")
    if as_json:
        document = json.loads(result.stdout)
        assert (document["exit_code"], document["error"]["type"]) == (REFUSED, "PaymentTimeoutError")
        assert document["invoice"]["id"] == stored["id"]


def test_interrupted_while_it_waits_the_document_has_the_invoice(emulator_of_the_environment: Emulator) -> None:
    with in_a_terminal(*CREATE, *QUICKLY, "--json", output=False) as terminal:
        terminal.read_until("expires in")
        terminal.process.send_signal(signal.SIGINT)
        printed, _ = terminal.process.communicate(timeout=30)
    document = json.loads(printed)
    (stored,) = emulator_of_the_environment.invoices()
    assert (terminal.process.returncode, document["exit_code"], document["invoice"]["id"]) == (130, 130, stored["id"])
    assert document["error"]["message"] == "interrupted; the invoice can still be paid"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--wait", "--timeout", "0"], "--timeout must be seconds, greater than 0 and at most 86400; got 0.0"),
        (["--wait", "--poll-interval", "-1"], "--poll-interval must be seconds, greater than 0"),
        (["--timeout", "5"], "error: --timeout is for --wait\n"),
        (["--poll-interval", "5"], "error: --poll-interval is for --wait\n"),
        (["--qr-file", "code.jpeg"], "Invalid value for '--qr-file': the file must end in .svg or .png\n"),
        (["--qr-file", "none/code.png"], "Invalid value for '--qr-file': no file can be written there: none/code.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_with_the_end_is_refused_before_an_invoice_is_created(
    options: list[str], message: str, emulator_of_the_environment: Emulator
) -> None:
    result = run(*CREATE, *options)
    assert (result.exit_code, result.stdout, emulator_of_the_environment.requests()) == (USAGE, "", [])
    assert message in result.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
def test_a_paid_invoice_that_cannot_be_shown_is_exit_3_with_its_key(
    as_json: list[str], emulator_of_the_environment: Emulator
) -> None:
    command = [sys.executable, "-m", "tazapay_lightning", *CREATE, *QUICKLY, *as_json]
    with a_payer(emulator_of_the_environment), Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    (stored,) = emulator_of_the_environment.invoices()
    assert done.returncode == UNKNOWN
    assert done.stderr.endswith(f"invoice {stored['id']} cannot be printed: No space left on device\n{ADVICE}")


# The QR code in a file


def test_a_qr_code_is_written_as_svg_or_png_by_its_suffix(invoice: Invoice, tmp_path: Path) -> None:
    for name in ("code.svg", "code.PNG"):
        assert run("get", invoice.id, "--qr-file", tmp_path / name).exit_code == DONE
    root = ET.fromstring((tmp_path / "code.svg").read_text())  # noqa: S314 - our own output
    assert root.tag == "{http://www.w3.org/2000/svg}svg", "a viewer of files needs the namespace"
    assert (tmp_path / "code.PNG").read_bytes() == invoice.qr_png()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code.PNG", "code.svg"]


def test_create_writes_it_beside_what_it_prints(emulator_of_the_environment: Emulator, tmp_path: Path) -> None:
    result = run(*CREATE, "--json", "--qr-file", tmp_path / "code.png")
    assert result.exit_code == DONE
    assert Invoice.from_payload(json.loads(result.stdout)["raw"]).qr_png() == (tmp_path / "code.png").read_bytes()


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(invoice: Invoice, tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "code.png")
    assert run("get", invoice.id, "--qr-file", tmp_path / "link.png").exit_code == DONE
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "code.png").read_bytes() == invoice.qr_png()


def test_a_file_that_cannot_be_written_is_exit_3_with_id_and_key_and_the_one_before_stays(
    emulator_of_the_environment: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(b"before")
    with files_end_at(100):
        result = run(*CREATE, "--json", "--qr-file", path)
    (stored,) = emulator_of_the_environment.invoices()
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (UNKNOWN, stored["id"])
    problem = f"the QR code of invoice {stored['id']} cannot be written to {path}: File too large"
    assert result.stderr == f"error: {problem}\n{ADVICE}"
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"before", [path])


def test_while_it_is_waited_for_a_file_that_cannot_be_written_leaves_a_document_with_the_invoice(
    emulator_of_the_environment: Emulator, tmp_path: Path
) -> None:
    with files_end_at(100):
        result = run(*CREATE, *QUICKLY, "--json", "--qr-file", tmp_path / "code.png")
    document = json.loads(result.stdout)
    (stored,) = emulator_of_the_environment.invoices()
    assert (result.exit_code, document["exit_code"], document["idempotency_key"]) == (UNKNOWN, UNKNOWN, KEY)
    assert document["invoice"]["id"] == stored["id"]


def test_an_invoice_without_a_payment_request_has_no_file_and_is_not_lost(
    handler_server: HandlerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    body = envelope(invoice_object(amount=5000))
    with handler_server.serving(lambda _: httpx.Response(200, stream=httpx.ByteStream(body))) as base_url:
        result = run(*CREATE, "--no-qr", "--base-url", base_url, "--qr-file", tmp_path / "code.png")
    assert (result.exit_code, list(tmp_path.iterdir())) == (UNKNOWN, [])
    assert result.stdout.startswith("Lightning invoice l11_abc123xyz\n")
    assert result.stderr.startswith("error: invoice l11_abc123xyz has no QR code: ")


def test_a_paid_invoice_needs_no_file(invoice: Invoice, tazapay_emulator: Emulator, tmp_path: Path) -> None:
    tazapay_emulator.pay(invoice.id)
    result = run("get", invoice.id, "--qr-file", tmp_path / "code.png")
    assert (result.exit_code, list(tmp_path.iterdir())) == (DONE, [])
    assert result.stderr == f"no QR code in {tmp_path / 'code.png'}: the invoice is paid\n"


# Where


@pytest.mark.parametrize(
    ("address", "environment", "shown"),
    [
        ("http://127.0.0.1:1", "production", "emulator"),
        ("https://gateway.example", "production", "production"),
        ("https://service.tazapay.com", None, "production"),
        ("https://service-sandbox.tazapay.com", None, "sandbox"),
    ],
    ids=str,
)
def test_the_environment_of_a_result_is_that_of_its_address(address: str, environment: Any, shown: str) -> None:
    from tazapay_lightning.cli.display import place_of

    with LightningClient("k", "s", environment=environment, base_url=address) as client:
        assert place_of(client) == f"{shown} ({address})"


# demo


def test_the_demo_ends_paid_and_says_what_comes_next(tmp_path: Path) -> None:
    result = run("demo", "--qr-file", tmp_path / "code.svg", color=True)
    assert result.exit_code == DONE
    assert "\x1b[32m\x1b[1mpaid\x1b[0m: invoice l11_" in result.stdout.splitlines()[-1]
    assert result.stderr.splitlines()[-2:] == [
        "next: run tazapay-lightning emulator, paste the lines that it prints into another terminal, and there:",
        "tazapay-lightning create --amount-sats 5000 --wait",
    ]
    assert (tmp_path / "code.svg").read_text().startswith("<svg xmlns=")


def test_the_demo_with_json_is_the_paid_invoice() -> None:
    assert json.loads(run("demo", "--json").stdout)["is_paid"] is True
