"""The commands that show, change, wait for and decode: what they print and how they end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from tazapay_lightning import Invoice, LightningClient, decode_bolt11
from tazapay_lightning.cli.app import app
from tests.support.bolt11_encoder import D, P, S, field, of_bytes, payment_request
from tests.support.service import OneReplyServer, envelope, invoice_object

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, UNKNOWN = 0, 1, 2, 3
REQUEST = payment_request(P, S, D, prefix="lnbcrt1234560n")


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False, **options)


@pytest.fixture
def invoice(emulator_of_the_environment: Emulator) -> Invoice:
    """An unpaid invoice over 123456 satoshi with the emulator that the environment's variables point to."""
    with LightningClient() as client:
        return client.create_invoice(amount_sats=123456, memo="Order #7890")


def test_get_shows_an_invoice_readably(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    result = run("get", invoice.id)
    assert result.exit_code == DONE
    place = f"  environment      emulator ({emulator_of_the_environment.base_url})\n"
    for part in (f"Lightning invoice {invoice.id}", place, "0.00123456 BTC (123,456 satoshi)", "active, unpaid"):
        assert part in result.stdout


def test_get_with_json_prints_one_json_document(invoice: Invoice) -> None:
    shown = json.loads(run("get", invoice.id, "--json").stdout)
    assert (shown["id"], shown["amount_sats"], shown["is_paid"]) == (invoice.id, 123456, False)


def test_an_unknown_id_is_exit_1(emulator_of_the_environment: Emulator) -> None:
    result = run("get", "l11_unknown")
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert result.stderr.startswith("error: 404 Not Found: ")


@pytest.mark.parametrize("command", ["get", "update", "wait"])
@pytest.mark.usefixtures("emulator_of_the_environment")
def test_an_id_that_cannot_be_one_is_a_usage_error(command: str) -> None:
    options = ["--metadata", "a=b"] if command == "update" else []
    result = run(command, "../l11_1", *options)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert result.stderr.startswith("error: ID must be the id of an invoice")


def test_update_sets_the_metadata(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    result = run("update", invoice.id, "--metadata", "order_id=7890", "--metadata", "table=4", "--json")
    assert result.exit_code == DONE
    assert json.loads(result.stdout)["metadata"] == {"order_id": "7890", "table": "4"}
    assert emulator_of_the_environment.invoices()[0]["metadata"] == {"order_id": "7890", "table": "4"}


def test_update_without_metadata_is_a_usage_error(invoice: Invoice) -> None:
    result = run("update", invoice.id)
    assert result.exit_code == USAGE
    assert "Missing option '--metadata'" in result.stderr


# The QR code


def test_create_prints_the_qr_code_of_the_payment_request(emulator_of_the_environment: Emulator) -> None:
    result = run("create", "--amount-sats", "5", "--memo", "Order", color=True)
    with LightningClient() as client:
        created = client.get_invoice(emulator_of_the_environment.invoices()[0]["id"])
    assert result.stdout.endswith(created.qr_terminal())


@pytest.mark.parametrize("options", [["--no-qr"], ["--json"]], ids=" ".join)
@pytest.mark.usefixtures("emulator_of_the_environment")
def test_create_prints_no_qr_code_where_it_is_not_wanted(options: list[str]) -> None:
    assert "\u2588" not in run("create", "--amount-sats", "5", *options).stdout


def test_the_payment_request_is_on_a_line_of_its_own_to_be_copied(invoice: Invoice) -> None:
    assert invoice.lightning_uri in run("get", invoice.id).stdout.splitlines()


def test_get_prints_the_qr_code_when_asked(invoice: Invoice) -> None:
    assert "\u2588" not in run("get", invoice.id).stdout
    assert "\u2588" in run("get", invoice.id, "--qr").stdout


def test_get_refuses_to_print_a_dead_qr_code(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    emulator_of_the_environment.advance_clock(3600)
    result = run("get", invoice.id, "--qr")
    assert result.exit_code == REFUSED
    assert result.stderr == f"error: invoice {invoice.id} expired: make a new one to be paid\n"
    assert "expired, unpaid" in result.stdout
    assert "lightning:" not in result.stdout
    assert "\u2588" not in result.stdout


def test_a_paid_invoice_has_no_qr_code(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    emulator_of_the_environment.pay(invoice.id)
    result = run("get", invoice.id, "--qr")
    assert (result.exit_code, result.stderr) == (DONE, "no QR code: the invoice is paid\n")
    assert "\u2588" not in result.stdout


def test_create_says_why_there_is_no_qr_code(
    one_reply_server: Callable[[bytes], OneReplyServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    soon = datetime.now(UTC).isoformat(timespec="seconds")
    server = one_reply_server(envelope(invoice_object(created_at=soon)))
    result = run("create", "--amount-sats", "123456", "--base-url", server.base_url)
    assert result.exit_code == DONE
    assert result.stderr == ("no QR code: invoice l11_abc123xyz has no payment request; see Invoice.raw\n")


def test_a_missing_library_for_qr_codes_does_not_make_a_creation_fail(
    emulator_of_the_environment: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    result = run("create", "--amount-sats", "5")
    assert result.exit_code == DONE
    assert result.stderr == 'no QR code: QR codes need segno: pip install "tazapay-lightning[qr]"\n'
    assert len(emulator_of_the_environment.invoices()) == 1


def test_a_payment_request_that_no_qr_code_holds_does_not_make_a_creation_fail(
    emulator_of_the_environment: Emulator, one_reply_server: Callable[[bytes], OneReplyServer]
) -> None:
    now = int(datetime.now(UTC).timestamp())
    long = payment_request(P, S, D, *[field("g", [0] * 1000)] * 5, prefix="lnbcrt1234560n", timestamp=now)
    server = one_reply_server(
        envelope(invoice_object(payment_request=long, created_at=datetime.now(UTC).isoformat(timespec="seconds")))
    )
    result = run("create", "--amount-sats", "123456", "--base-url", server.base_url)
    assert result.exit_code == DONE
    assert f"lightning:{long}\n" in result.stdout
    assert result.stderr == f"no QR code: a payment request of {len(long)} characters is too long: show it as text\n"


def test_an_invoice_that_cannot_be_printed_is_told_with_its_key(emulator_of_the_environment: Emulator) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tazapay_lightning", "create", "--amount-sats", "5", "--idempotency-key", "order-7"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    (stored,) = emulator_of_the_environment.invoices()
    assert done.returncode == UNKNOWN
    assert done.stderr == (
        f"error: invoice {stored['id']} cannot be printed: No space left on device\n"
        "an invoice may exist: to resume, repeat the command with --idempotency-key order-7\n"
    )


# Waiting


def test_wait_for_a_paid_invoice_is_exit_0(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    emulator_of_the_environment.pay(invoice.id)
    result = run("wait", invoice.id, "--json")
    assert result.exit_code == DONE
    assert json.loads(result.stdout)["is_paid"] is True
    assert result.stderr == ""


def test_wait_for_an_expired_invoice_is_exit_1(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    emulator_of_the_environment.advance_clock(3600)
    result = run("wait", invoice.id)
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert "expired before it was paid" in result.stderr


def test_wait_until_the_time_is_up_is_exit_1(invoice: Invoice) -> None:
    result = run("wait", invoice.id, "--timeout", "0.05", "--poll-interval", "0.01")
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert "is over, it is not paid yet; it can still be paid until it expires" in result.stderr


@pytest.mark.parametrize("option", ["--timeout", "--poll-interval"])
def test_a_time_that_makes_no_sense_is_a_usage_error(option: str, invoice: Invoice) -> None:
    assert run("wait", invoice.id, option, "0").exit_code == USAGE


def test_without_a_terminal_there_is_no_countdown(invoice: Invoice, emulator_of_the_environment: Emulator) -> None:
    paying = threading.Timer(0.2, emulator_of_the_environment.pay, [invoice.id])
    paying.start()
    result = run("wait", invoice.id, "--poll-interval", "0.05")
    paying.join()
    assert (result.exit_code, result.stderr) == (DONE, "")


# Decoding


def test_decode_shows_a_payment_request_readably() -> None:
    result = run("decode", REQUEST)
    assert result.exit_code == DONE
    for part in (
        "bcrt (regtest)",
        "0.00123456 BTC (123,456,000 millisatoshi)",
        "Order #7890",
        "2023-11-14 22:13:20 UTC",
    ):
        assert part in result.stdout
    assert result.stderr == "the signature was not verified: anybody can have written this\n"


@pytest.mark.parametrize(
    ("prefix", "amount"),
    [
        ("lnbc", "whatever the payer chooses"),
        ("lnbc10p", "0.00000000001 BTC (1 millisatoshi)"),
        ("lnbc21000000", "21000000.00000000 BTC (2,100,000,000,000,000,000 millisatoshi)"),
        ("lnbc20999999999999999990p", "20999999.99999999999 BTC (2,099,999,999,999,999,999 millisatoshi)"),
    ],
)
def test_decode_shows_amounts_exactly(prefix: str, amount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert amount in run("decode", payment_request(P, S, D, prefix=prefix)).stdout


def test_decode_shows_a_hash_to_its_last_digit() -> None:
    shown = run("decode", REQUEST).stdout
    assert decode_bolt11(REQUEST).payment_hash in re.sub(r"[\s│]", "", shown)


def test_decode_with_json_prints_one_json_document() -> None:
    shown = json.loads(run("decode", "--json", f"lightning:{REQUEST.upper()}").stdout)
    assert (shown["raw"], shown["amount_msat"], shown["expiry"]) == (REQUEST, 123456000, 3600)
    assert (shown["timestamp"], shown["expires_at"]) == ("2023-11-14T22:13:20+00:00", "2023-11-14T23:13:20+00:00")


def test_decode_reads_stdin() -> None:
    assert json.loads(run("decode", "--json", "-", input=f"{REQUEST}\n").stdout)["description"] == "Order #7890"


def test_decode_says_if_stdin_is_closed() -> None:
    command = f"exec <&-; exec {quote(sys.executable)} -m tazapay_lightning decode -"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (USAGE, "error: nothing can be read from stdin: it is closed\n")


def test_what_is_no_payment_request_is_a_usage_error() -> None:
    result = run("decode", REQUEST[:-1])
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert result.stderr.startswith("error: TEXT is not a BOLT11 payment request: ")


def test_a_description_cannot_draw_on_the_terminal() -> None:
    hostile = field("d", of_bytes(b"\x1b[2J[bold]free[/bold]"))
    result = run("decode", payment_request(P, S, hostile, prefix="lnbc1n"), color=True)
    assert " [2J[bold]free[/bold]" in result.stdout
    assert "\x1b[2J" not in result.stdout
