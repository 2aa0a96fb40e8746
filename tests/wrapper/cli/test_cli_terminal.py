"""What the commands show on a terminal of a size: QR codes that fit, countdowns, spinners, colours, whole words."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tazapay_lightning import Invoice, LightningClient
from tazapay_lightning_emulator import Fault
from tests.support.served import HandlerServer
from tests.support.service import envelope, invoice_object
from tests.support.terminal import Screen, in_a_terminal

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 130
CODE = 61, 31
"""Columns and rows of the QR code of an invoice of the emulator."""
RED, GREEN = "\x1b[31m", "\x1b[32m"
QUICKLY = ("--poll-interval", "0.05")
VARIABLES = {"TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s"}


@pytest.fixture
def invoice(emulator_of_the_environment: Emulator) -> Invoice:
    with LightningClient() as client:
        return client.create_invoice(amount_sats=123456, memo="Order #7890")


def shown(*arguments: str, code: int = DONE, **options: Any) -> Screen:
    """Run a command in a terminal, and return its screen at the end."""
    with in_a_terminal(*arguments, **options) as terminal:
        screen = Screen(terminal.read_to_the_end())
        assert terminal.process.wait(30) == code
    return screen


def a_code_of(count: int) -> Callable[[str], bool]:
    """Return whether a QR code of so many rows is on the screen."""
    return lambda written: len(Screen(written).code()) == count


# The QR code


def test_a_qr_code_that_fits_columns_and_rows_is_shown_whole(invoice: Invoice) -> None:
    columns, rows = CODE
    code = shown("get", invoice.id, "--qr", columns=columns, rows=rows + 1).code()
    assert [len(row) for row in code] == [columns] * rows


@pytest.mark.parametrize(("columns", "rows"), [(60, 50), (61, 31), (80, 24)], ids=["columns", "rows", "as usual"])
def test_one_that_does_not_fit_is_one_line_that_says_how_to_see_it(invoice: Invoice, columns: int, rows: int) -> None:
    screen = shown("get", invoice.id, "--qr", columns=columns, rows=rows)
    told = (
        f"no QR code: it needs a window of 61 columns and 32 rows, and this one has {columns} and {rows}; "
        f"see it with tazapay-lightning get {invoice.id} --qr-file qr.png"
    )
    assert screen.code() == []
    assert told in " ".join(screen.lines())


def test_a_terminal_that_does_not_tell_its_size_gets_the_qr_code(invoice: Invoice) -> None:
    assert len(shown("get", invoice.id, "--qr", columns=0, rows=0).code()) == CODE[1]


@pytest.mark.parametrize(
    "variables",
    [{"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "cp1252"}, {"PYTHONIOENCODING": "ascii"}],
    ids=str,
)
@pytest.mark.parametrize("output", [True, False], ids=["terminal", "pipe"])
def test_there_is_none_where_the_encoding_has_no_blocks(
    invoice: Invoice, variables: dict[str, str], output: bool
) -> None:
    with in_a_terminal("get", invoice.id, "--qr", output=output, **variables) as terminal:
        if terminal.process.stdout is not None:
            assert "2588" not in ascii(terminal.process.stdout.read())
        written = terminal.read_to_the_end()
    assert "2588" not in ascii(written)
    see = f"see it with tazapay-lightning get {invoice.id} --qr-file qr.png"
    told = " ".join(Screen(written).lines())
    assert f"no QR code: the encoding of this output has no blocks for it; {see}" in told


@pytest.mark.parametrize("arguments", [["--help"], ["create", "--help"], ["get", "INVOICE"]], ids=" ".join)
def test_in_the_locale_c_everything_is_ascii(invoice: Invoice, arguments: list[str]) -> None:
    arguments = [invoice.id if each == "INVOICE" else each for each in arguments]
    with LightningClient() as client:
        client.update_invoice(invoice.id, metadata={"where": "Z\u00fcrich"})
    with in_a_terminal(*arguments, LC_ALL="C") as terminal:
        written = terminal.read_to_the_end()
        assert terminal.process.wait(30) == DONE
    assert written.isascii()
    assert "Z\\xfcrich" in written or "--help" in arguments


def test_who_says_utf_8_gets_it_in_the_locale_c_too(invoice: Invoice) -> None:
    assert shown("get", invoice.id, "--qr", LC_ALL="C", PYTHONIOENCODING="utf-8").code()


def test_no_color_keeps_the_black_and_white_of_the_qr_code_alone(invoice: Invoice, tazapay_emulator: Emulator) -> None:
    assert shown("get", invoice.id, "--qr", NO_COLOR="1").code()
    tazapay_emulator.pay(invoice.id)
    with in_a_terminal("get", invoice.id, NO_COLOR="1") as terminal:
        assert GREEN not in terminal.read_to_the_end()


# Waiting


@pytest.mark.parametrize(
    ("columns", "rows", "place"),
    [(101, 32, "beside"), (100, 32, "below"), (60, 50, "alone"), (80, 24, "alone")],
    ids=["wide", "narrow", "few columns", "few rows"],
)
def test_a_wait_shows_the_qr_code_beside_the_countdown_or_above_it_or_says_how_to_see_it(
    invoice: Invoice, tazapay_emulator: Emulator, columns: int, rows: int, place: str
) -> None:
    with in_a_terminal("wait", invoice.id, *QUICKLY, columns=columns, rows=rows) as terminal:
        terminal.read_until(lambda written: "expires in 0:59:5" in " ".join(Screen(written).lines()))
        if place != "alone":
            terminal.read_until(a_code_of(CODE[1]))
        lines = Screen(terminal.written).lines()
        tazapay_emulator.pay(invoice.id)
        screen = Screen(terminal.read_to_the_end())
        assert terminal.process.wait(30) == DONE
    (where,) = (number for number, line in enumerate(lines) if "expires in 0:59:5" in line)
    if place == "alone":
        assert where <= 1
        assert f"tazapay-lightning get {invoice.id} --qr-file qr.png" in " ".join(lines).replace("  ", " ")
    else:
        assert (where < CODE[1] and "\u2588" in lines[where]) is (place == "beside")
        assert (where == CODE[1]) is (place == "below")
    assert screen.code() == [], "nothing stays of it"


def test_a_wait_without_blocks_says_how_to_see_the_qr_code(invoice: Invoice) -> None:
    see = f"has no blocks for it; see it with tazapay-lightning get {invoice.id} --qr-file qr.png"
    with in_a_terminal("wait", invoice.id, LC_ALL="C") as terminal:
        terminal.read_until(see)


def test_a_wait_says_why_there_is_no_qr_code(handler_server: HandlerServer) -> None:
    soon = datetime.now(UTC).isoformat(timespec="seconds")
    body = envelope(invoice_object(created_at=soon))
    with (
        handler_server.serving(lambda _: httpx.Response(200, stream=httpx.ByteStream(body))) as base_url,
        in_a_terminal("wait", "l11_abc123xyz", "--base-url", base_url, **VARIABLES) as terminal,
    ):
        terminal.read_until("no QR code: invoice l11_abc123xyz has no payment request")


def test_a_wait_into_a_pipe_counts_down_on_the_terminal(invoice: Invoice, tazapay_emulator: Emulator) -> None:
    with in_a_terminal("wait", invoice.id, *QUICKLY, "--json", "--no-qr", output=False) as terminal:
        terminal.read_until(f"{invoice.id}: 0.00123456 BTC, unpaid, expires in 0:59:5")
        tazapay_emulator.pay(invoice.id)
        printed, _ = terminal.process.communicate(timeout=30)
    assert terminal.process.returncode == DONE
    assert json.loads(printed)["is_paid"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_wait_says_that_the_invoice_can_still_be_paid(invoice: Invoice, number: int) -> None:
    with in_a_terminal("wait", invoice.id, *QUICKLY) as terminal:
        terminal.read_until("expires in")
        terminal.process.send_signal(number)
        written = terminal.read_to_the_end()
        assert terminal.process.wait(30) == 128 + number
    assert "error: interrupted; the invoice can still be paid" in Screen(written).lines()
    assert written.endswith("\x1b[?25h") or written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l"), "a cursor again"


def test_created_and_waited_for_it_is_shown_first_and_paid_last(emulator_of_the_environment: Emulator) -> None:
    with in_a_terminal("create", "--amount-sats", "123456", "--memo", "Order #7890", "--wait", *QUICKLY) as terminal:
        terminal.read_until(a_code_of(CODE[1]))
        (stored,) = emulator_of_the_environment.invoices()
        emulator_of_the_environment.pay(stored["id"])
        written = terminal.read_to_the_end()
        assert terminal.process.wait(30) == DONE
    lines = Screen(written).lines()
    assert f"Lightning invoice {stored['id']}" in lines[0]
    assert any(line.startswith("lightning:lnbcrt1234560n1") for line in lines)
    assert f"paid: invoice {stored['id']}, 0.00123456 BTC (123,456 satoshi)" in lines
    assert f"{GREEN}\x1b[1mpaid\x1b[0m: " in written


def test_what_a_payer_reads_cannot_draw_beside_the_countdown(handler_server: HandlerServer) -> None:
    hostile = "l11_\x1b[2J\u202e\n[bold]"
    body = envelope(invoice_object(id=hostile, payment_status="\x1b[2Junpaid\n\u202e"))
    options = ["--amount-sats", "123456", "--wait", "--timeout", "0.2", "--no-qr"]
    with (
        handler_server.serving(lambda _: httpx.Response(200, stream=httpx.ByteStream(body))) as base_url,
        in_a_terminal("create", *options, "--base-url", base_url, **VARIABLES) as terminal,
    ):
        written = terminal.read_to_the_end()
    assert "l11_ [2J  [bold]" in written
    assert "\x1b[2J" not in written
    assert "\u202e" not in written


# Waiting for the network


class SlowService:
    """A service that answers when it may, and tells when a request is there."""

    def __init__(self) -> None:
        self.base_url = ""
        self.has_request, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.has_request.set()
        self.may_answer.wait(30)
        return httpx.Response(200, stream=httpx.ByteStream(envelope(invoice_object())))


@pytest.fixture
def slow_service(handler_server: HandlerServer) -> Iterator[SlowService]:
    service = SlowService()
    with handler_server.serving(service) as service.base_url:
        yield service
        service.may_answer.set()


@pytest.mark.parametrize(("locale", "frames"), [("C.UTF-8", "\u280b\u2819\u2839"), ("C", "-\\|/")], ids=["utf-8", "c"])
def test_a_spinner_says_what_is_waited_for_and_goes_away(slow_service: SlowService, locale: str, frames: str) -> None:
    spinning = f" looking at the invoice: emulator ({slow_service.base_url})"
    with in_a_terminal(
        "get", "l11_abc123xyz", "--base-url", slow_service.base_url, LC_ALL=locale, **VARIABLES
    ) as terminal:
        for frame in frames[:2]:
            terminal.read_until(frame + spinning)
        slow_service.may_answer.set()
        lines = Screen(terminal.read_to_the_end()).lines()
        assert terminal.process.wait(30) == DONE
    assert lines[0] == "Lightning invoice l11_abc123xyz"


@pytest.mark.parametrize("variables", [{"TAZAPAY_LOG": "info"}, {"TERM": "dumb"}], ids=str)
def test_nothing_spins_between_the_lines_of_a_log_or_on_a_terminal_that_cannot(
    slow_service: SlowService, variables: dict[str, str]
) -> None:
    slow_service.may_answer.set()
    arguments = ["get", "l11_abc123xyz", "--base-url", slow_service.base_url]
    with in_a_terminal(*arguments, **VARIABLES, **variables) as terminal:
        written = terminal.read_to_the_end()
    assert "\x1b" not in written
    assert "looking" not in written


def test_ctrl_c_while_it_spins_tells_the_key_and_leaves_a_cursor(slow_service: SlowService) -> None:
    arguments = ["create", "--amount-sats", "1", "--idempotency-key", "order-1", "--base-url", slow_service.base_url]
    with in_a_terminal(*arguments, **VARIABLES) as terminal:
        terminal.read_until("creating the invoice")
        assert slow_service.has_request.wait(30)
        terminal.process.send_signal(signal.SIGINT)
        written = terminal.read_to_the_end()
        assert terminal.process.wait(30) == UNKNOWN
    advice = "an invoice may exist: to resume, repeat the command with --idempotency-key order-1"
    assert [line for line in Screen(written).lines() if line] == ["error: interrupted", advice]
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l"), "a cursor again"


def test_a_terminal_that_is_closed_while_it_spins_is_exit_3(slow_service: SlowService) -> None:
    arguments = ["create", "--amount-sats", "1", "--idempotency-key", "order-1", "--base-url", slow_service.base_url]
    with in_a_terminal(*arguments, **VARIABLES) as terminal:
        terminal.read_until("creating the invoice")
        assert slow_service.has_request.wait(30)
        terminal.close()
        assert terminal.process.wait(30) == UNKNOWN


# Errors


def test_an_error_is_red_on_a_terminal(emulator_of_the_environment: Emulator) -> None:
    with in_a_terminal("get", "l11_unknown") as terminal:
        assert f"{RED}\x1b[1merror:\x1b[0m 404 Not Found: " in terminal.read_to_the_end()
        assert terminal.process.wait(30) == REFUSED


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_an_error_has_no_colour_where_none_is_wanted(
    emulator_of_the_environment: Emulator, variables: dict[str, str]
) -> None:
    with in_a_terminal("get", "l11_unknown", **variables) as terminal:
        assert RED not in terminal.read_to_the_end()


def test_an_error_is_broken_between_words_and_a_long_word_stays_whole(tmp_path: Path) -> None:
    long = f"{tmp_path}/{'long-' * 20}name.csv"
    screen = shown("bulk", long, "--out", "out", columns=50, code=USAGE, **VARIABLES)
    assert screen.lines()[:3] == ["error:", long, "cannot be read: No such file or directory"]


def test_a_wrong_option_names_the_command_that_helps() -> None:
    screen = shown("create", "--nonsense", code=USAGE)
    assert screen.lines()[:2] == ["error: No such option: --nonsense", "see: tazapay-lightning create --help"]


# Bulk


@pytest.fixture
def orders(tmp_path: Path) -> list[str]:
    """The arguments of a run over 40 orders."""
    path = tmp_path / "orders.csv"
    path.write_text("order_id,amount_sats\n" + "".join(f"{number},{5000 + number}\n" for number in range(40)))
    return ["bulk", str(path), "--out", str(tmp_path / "results.jsonl"), "--concurrency", "4"]


def test_a_bar_shows_rate_and_failures_and_goes_away(orders: list[str], emulator_of_the_environment: Emulator) -> None:
    with in_a_terminal(*orders) as terminal:
        written = terminal.read_to_the_end()
        assert terminal.process.wait(30) == DONE
    assert "/s, 0 failed" in written
    assert "/40" in written
    assert next(filter(None, Screen(written).lines())).startswith("40 orders: 40 created; ")


@pytest.mark.parametrize("columns", [120, 50])
def test_the_bar_says_for_how_long_the_service_has_the_run_pause(
    orders: list[str], emulator_of_the_environment: Emulator, columns: int
) -> None:
    emulator_of_the_environment.fail_next("status_before_commit", status=429, retry_after=2)
    with in_a_terminal(*orders, columns=columns) as terminal:
        for seconds in (2, 1):
            expected = f"paused by the service, {seconds} s"
            terminal.read_until(
                lambda written, text=expected: text in " ".join(" ".join(Screen(written).lines()).split())
            )
        terminal.read_to_the_end()
        assert terminal.process.wait(30) == DONE


def test_a_bar_has_no_colours_where_none_are_wanted(orders: list[str], emulator_of_the_environment: Emulator) -> None:
    with in_a_terminal(*orders, NO_COLOR="1") as terminal:
        written = terminal.read_to_the_end()
    assert "/40" in written
    assert not re.search(r"\x1b\[[\d;]*3\d[\d;]*m", written)


def test_results_on_the_terminal_have_no_bar_between_them(
    orders: list[str], emulator_of_the_environment: Emulator
) -> None:
    orders[orders.index("--out") + 1] = "-"
    with in_a_terminal(*orders) as terminal:
        *lines, summary = terminal.read_to_the_end().splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["created"] * 40
    assert summary.startswith("40 orders: 40 created; ")


def test_results_in_a_pipe_have_a_bar_on_the_terminal(orders: list[str], emulator_of_the_environment: Emulator) -> None:
    orders[orders.index("--out") + 1] = "-"
    with in_a_terminal(*orders, output=False) as terminal:
        printed, _ = terminal.process.communicate(timeout=30)
        assert "/40" in terminal.read_to_the_end()
    assert [json.loads(line)["state"] for line in printed.splitlines()] == ["created"] * 40


def test_the_stop_is_told_above_the_bar(orders: list[str], emulator_of_the_environment: Emulator) -> None:
    emulator_of_the_environment.fail_randomly(1, seed=1, kinds=[Fault("delay_before_commit", seconds=0.3)])
    with in_a_terminal(*orders) as terminal:
        terminal.read_until(lambda written: re.search(r" [1-9]\d*/40", written))
        terminal.process.send_signal(signal.SIGINT)
        lines = Screen(terminal.read_to_the_end()).lines()
        assert terminal.process.wait(30) == INTERRUPTED
    assert re.match(r"stopping: \d in flight are waited for; once more \(Ctrl-C\) abandons them", lines[0])
