"""The command ``bulk``: one invoice for each order of a file, whatever was run before and however it ended."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tazapay_lightning import APITimeoutError, bulk, hash_memo
from tazapay_lightning.bulk.files.record import BulkRecord
from tazapay_lightning.cli.app import app
from tazapay_lightning.cli.bulk_run import _explain
from tazapay_lightning.transport.settings import Credentials, Settings
from tazapay_lightning_emulator import Fault
from tests.support.full_disk import files_end_at
from tests.support.served import HandlerServer
from tests.support.service import envelope, invoice_object

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, UNKNOWN = 0, 1, 2, 3
LOST = Fault("status_after_commit", status=500, retry_after=0)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


class Shop:
    """A folder with a file of orders, run against an emulator that the environment's variables point to."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.emulator = emulator
        self.orders = folder / "orders.csv"
        self.out = folder / "results.jsonl"
        self.journal = folder / "results.jsonl.journal"

    def write(self, *rows: str, header: str = "order_id,amount_sats") -> None:
        self.orders.write_text("\n".join([header, *rows]) + "\n")

    def run(self, *options: str) -> Result:
        return invoke("bulk", self.orders, "--out", self.out, *options)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def states(self) -> dict[str, str]:
        """The last line about an order counts."""
        return {line["order_id"]: line["state"] for line in self.lines()}

    def amounts(self) -> list[int]:
        return sorted(invoice["amount"] for invoice in self.emulator.invoices())


@pytest.fixture
def shop(tmp_path: Path, emulator_of_the_environment: Emulator) -> Shop:
    return Shop(tmp_path, emulator_of_the_environment)


def last_line(result: Result) -> str:
    return result.stderr.splitlines()[-1]


# A run


def test_every_order_gets_its_invoice_and_a_line(shop: Shop) -> None:
    shop.write("1,5000,Tea,c1", "2,6000,,", header="order_id,amount_sats,memo,metadata.customer_id")
    result = shop.run()
    assert (result.exit_code, result.stdout) == (DONE, "")
    assert last_line(result).startswith("2 orders: 2 created; ")
    assert last_line(result).endswith(f" s; emulator ({shop.emulator.base_url}); results in {shop.out}")
    first, _ = sorted(shop.lines(), key=lambda line: str(line["order_id"]))
    (stored,) = [invoice for invoice in shop.emulator.invoices() if invoice["amount"] == 5000]
    assert first["order_id"] == "1"
    assert first["state"] == "created"
    assert first["error"] is None
    assert first["idempotency_key"] == bulk.idempotency_key("orders", "1") == stored["idempotency_key"]
    assert (first["invoice"]["id"], first["invoice"]["memo"]) == (stored["id"], "Tea")
    assert first["invoice"]["metadata"] == {"customer_id": "c1"}


def test_the_journal_tells_what_was_asked_and_when(shop: Shop) -> None:
    shop.write("1,5000")
    before = datetime.now(UTC)
    shop.run("--namespace", "shop-1")
    header, sent = [json.loads(line) for line in shop.journal.read_text().splitlines()]
    assert header["namespace"] == "shop-1"
    assert header["base_url"] == shop.emulator.base_url
    assert len(header["account"]) == 16
    assert shop.emulator.api_key not in shop.journal.read_text()
    assert (sent["order_id"], sent["amount_sats"]) == ("1", 5000)
    assert sent["idempotency_key"] == bulk.idempotency_key("shop-1", "1")
    assert before <= datetime.fromisoformat(sent["at"]) <= datetime.now(UTC)


def test_with_json_the_summary_is_a_document_on_stdout(shop: Shop) -> None:
    shop.write("1,5000", "2,6000")
    summary = json.loads(shop.run("--json").stdout)
    assert summary.pop("seconds") >= 0
    assert summary == {
        "orders": 2,
        "created": 2,
        "created_before": 0,
        "refused": 0,
        "unknown": 0,
        "mismatch": 0,
        "not_reached": 0,
        "reasons": {},
        "differing": 0,
        "to_settle": 0,
        "unrecorded": 0,
        "not_sent": 0,
        "environment": "emulator",
        "results": str(shop.out),
    }


def test_jsonl_orders_concurrency_and_rate(shop: Shop) -> None:
    shop.orders = shop.orders.with_suffix(".jsonl")
    shop.orders.write_text('{"order_id": "1", "amount_btc": "0.00005", "metadata": {"a": [1]}}\n')
    assert shop.run("--concurrency", "1", "--rate", "100").exit_code == DONE
    assert shop.emulator.invoices()[0]["metadata"] == {"a": [1]}


def test_without_a_terminal_there_is_one_line_at_the_end(shop: Shop) -> None:
    shop.write("1,5000", "2,6000")
    assert len(shop.run().stderr.splitlines()) == 1


def answered(
    shop: Shop, server: HandlerServer, reply: Callable[[httpx.Request], httpx.Response], *options: str | Path
) -> Result:
    """Run against a service whose replies the test makes."""
    with server.serving(reply) as base_url:
        return shop.run("--base-url", base_url, *options)


def replying(**fields: Any) -> Callable[[httpx.Request], httpx.Response]:
    """Return a handler that makes what is asked for, but for some fields; an invoice has its amount for an id."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        made = {
            "id": f"l11_{asked['amount']}",
            "amount": asked["amount"],
            "d_tag_memo": asked.get("d_tag_memo"),
            "h_tag_memo": asked.get("h_tag_memo"),
            "metadata": asked.get("metadata"),
            "expiry_interval": asked.get("expiry_interval", 3600),
        }
        return httpx.Response(200, content=envelope(invoice_object(**{**made, **fields})))

    return reply


def test_an_invoice_with_another_expiry_is_counted_and_not_logged(shop: Shop, handler_server: HandlerServer) -> None:
    shop.write("1,5000,600", "2,6000,", header="order_id,amount_sats,expires_in")
    with handler_server.serving(replying(expiry_interval=3600)) as base_url:
        command = [sys.executable, "-m", "tazapay_lightning", "bulk", shop.orders, "--out", shop.out]
        done = subprocess.run([*command, "--base-url", base_url], capture_output=True, text=True, check=True)
    told, summary = done.stderr.splitlines()
    assert told == f"1 invoices are not quite what was asked for: see their differences in {shop.out}"
    assert summary.startswith("2 orders: 2 created; ")
    differences = {line["order_id"]: line["invoice"]["differences"] for line in shop.lines()}
    assert differences["1"] == [{"field": "expiry_interval", "asked": 600, "received": 3600}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(("lost", "code"), [(0, REFUSED), (3, UNKNOWN)], ids=["all created", "one in doubt"])
def test_a_report_that_cannot_be_printed_hides_nothing_that_is_in_doubt(shop: Shop, lost: int, code: int) -> None:
    shop.write("1,5000")
    if lost:
        shop.emulator.fail_next("reset_after_commit", times=lost)
    command = [sys.executable, "-m", "tazapay_lightning", "bulk", shop.orders, "--out", shop.out, "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert "error: the report cannot be printed: No space left on device\n" in done.stderr


# Results on stdout


@pytest.fixture
def kept(shop: Shop) -> Path:
    """Where the results are kept that go to stdout."""
    return shop.orders.with_name("orders.csv.results.jsonl")


def test_results_on_stdout_are_the_lines_that_are_kept_beside_the_orders(shop: Shop, kept: Path) -> None:
    shop.write("1,5000", "2,6000")
    result = invoke("bulk", shop.orders, "--out", "-")
    assert (result.exit_code, result.stdout) == (DONE, kept.read_text())
    assert {json.loads(line)["order_id"] for line in result.stdout.splitlines()} == {"1", "2"}
    assert last_line(result).endswith(f"; results in {kept}")


def test_the_same_command_again_goes_on_and_prints_what_is_new(shop: Shop, kept: Path) -> None:
    shop.write("1,5000")
    invoke("bulk", shop.orders, "--out", "-")
    shop.write("1,5000", "2,6000")
    result = invoke("bulk", shop.orders, "--out", "-")
    assert [json.loads(line)["order_id"] for line in result.stdout.splitlines()] == ["2"]
    assert shop.amounts() == [5000, 6000]
    assert len(kept.read_text().splitlines()) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(("orders", "code"), [(1, REFUSED), (40, REFUSED)], ids=["the last one", "one of many"])
def test_stdout_that_takes_nothing_ends_the_run_and_loses_no_result(
    shop: Shop, kept: Path, orders: int, code: int
) -> None:
    shop.write(*(f"{number},{5000 + number}" for number in range(orders)))
    command = [sys.executable, "-m", "tazapay_lightning", "bulk", shop.orders, "--out", "-", "--concurrency", "4"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert "error: the run ended early: a result cannot be printed: No space left on device\n" in done.stderr
    made = len(shop.emulator.invoices())
    assert made == len(kept.read_text().splitlines()) <= 8
    assert invoke("bulk", shop.orders, "--out", "-").exit_code == DONE
    assert len(shop.amounts()) == orders


def test_results_and_summary_do_not_both_fit_on_stdout(shop: Shop) -> None:
    shop.write("1,5000")
    result = invoke("bulk", shop.orders, "--out", "-", "--json")
    assert (result.exit_code, shop.emulator.requests()) == (USAGE, [])
    assert "error: --out - and --json both print on stdout: leave one of them out\n" in result.stderr


# Invoices that may be another's


@pytest.fixture
def cut(shop: Shop, handler_server: HandlerServer) -> Result:
    """A run whose first order has an invoice with a part of its memo."""
    shop.write("1,5000,Tea for two", "2,6000,Tea", header="order_id,amount_sats,memo")
    return answered(shop, handler_server, replying(d_tag_memo="Tea"), "--json")


def test_an_invoice_with_another_memo_is_named_counted_and_exit_3(shop: Shop, cut: Result) -> None:
    assert cut.exit_code == UNKNOWN
    assert "order 1 has invoice l11_5000, with another memo than was asked for\n" in cut.stderr
    assert last_line(cut).startswith("2 orders: 2 created; ")
    assert json.loads(cut.stdout)["differing"] == 1


def test_it_stays_so_until_a_person_accepts_it(shop: Shop, cut: Result, handler_server: HandlerServer) -> None:
    begun_at = json.loads(shop.journal.read_text().splitlines()[0])["base_url"]
    again = shop.run("--base-url", begun_at)
    assert again.exit_code == UNKNOWN
    assert "order 1 has invoice l11_5000, with another memo than was asked for\n" in again.stderr
    (line,) = [line for line in shop.lines() if line["order_id"] == "1"]
    line["invoice"]["differences"] = []
    with shop.out.open("a") as out:
        out.write(json.dumps(line) + "\n")
    assert shop.run("--base-url", begun_at).exit_code == DONE


@pytest.mark.parametrize("field", ["memo", "memo_hash", "metadata"])
def test_each_field_by_which_orders_are_told_apart_counts(shop: Shop, field: str) -> None:
    begun(shop)
    changed_by("out", '"differences": []', f'"differences": [{{"field": "{field}"}}]')(shop)
    result = shop.run()
    assert result.exit_code == UNKNOWN
    assert f", with another {field} than was asked for\n" in result.stderr


def test_one_invoice_for_two_orders_is_a_mismatch_that_names_both(shop: Shop, handler_server: HandlerServer) -> None:
    shop.write("1,5000", "2,5000")
    result = answered(shop, handler_server, replying(id="l11_1"), "--concurrency", "1")
    assert result.exit_code == UNKNOWN
    assert shop.states() == {"1": "created", "2": "mismatch"}
    assert "order 2 got the invoice of another: " in result.stderr


def test_one_invoice_for_two_orders_of_two_runs_is_a_mismatch(shop: Shop, handler_server: HandlerServer) -> None:
    with handler_server.serving(replying(id="l11_1")) as base_url:
        shop.write("1,5000")
        assert shop.run("--base-url", base_url).exit_code == DONE
        shop.write("2,5000")  # the other order is in no file any more
        result = shop.run("--base-url", base_url)
    assert result.exit_code == UNKNOWN
    assert "order 2 got the invoice of another: invoice l11_1 is that of order 1 already\n" in result.stderr
    assert shop.lines()[1]["error"]["message"] == "invoice l11_1 is that of order 1 already"
    assert shop.lines()[1]["invoice"] is None


def test_it_is_asked_for_again_and_may_get_its_own(shop: Shop, handler_server: HandlerServer) -> None:
    ids = iter(["l11_1", "l11_1", "l11_2"])
    with handler_server.serving(lambda request: replying(id=next(ids))(request)) as base_url:
        for order_id in ("1", "2"):
            shop.write(f"{order_id},5000")
            shop.run("--base-url", base_url)
        assert shop.run("--base-url", base_url).exit_code == DONE
    assert [(line["order_id"], line["state"]) for line in shop.lines()] == [
        ("1", "created"),
        ("2", "mismatch"),
        ("2", "created"),
    ]


@pytest.mark.parametrize(("hours", "requests"), [(1, 1), (24, 0)])
def test_results_that_hold_one_invoice_for_two_orders_are_asked_for_again_while_the_key_is_known(
    shop: Shop, hours: int, requests: int
) -> None:
    shop.write("1,5000", "2,5000")
    shop.run("--concurrency", "1")
    first, second = shop.lines()
    second["invoice"]["id"] = first["invoice"]["id"]  # as versions wrote it that did not look
    shop.out.write_text("".join(json.dumps(line) + "\n" for line in (first, second)))
    made_older(shop, hours)
    before = len(shop.emulator.requests())
    assert shop.run().exit_code == (DONE if requests else UNKNOWN)
    assert len(shop.emulator.requests()) - before == requests
    assert shop.amounts() == [5000, 5000]


@pytest.mark.parametrize(
    "fields",
    [{"id": "l11_\ud800"}, {"d_tag_memo": "\ud800"}, {"metadata": {"a": "\ud800"}}],
    ids=["id", "memo", "metadata"],
)
def test_what_no_file_or_terminal_can_show_ends_neither_this_run_nor_the_next(
    shop: Shop, handler_server: HandlerServer, fields: dict[str, Any]
) -> None:
    shop.write("1,5000,Tea", "2,6000,Tea", header="order_id,amount_sats,memo")
    with handler_server.serving(replying(**fields)) as base_url:
        for _ in range(2):
            assert shop.run("--base-url", base_url, "--concurrency", "1").exit_code in {DONE, UNKNOWN}
    assert set(shop.states()) == {"1", "2"}


def test_replies_nested_to_the_limit_end_neither_this_run_nor_the_next(
    shop: Shop, handler_server: HandlerServer
) -> None:
    depths = iter(range(800, 1001, 2))

    def reply(request: httpx.Request) -> httpx.Response:
        depth, amount = next(depths), json.loads(request.content)["amount"]
        nested = "[" * depth + "]" * depth
        data = f'{{"id": "l11_{amount}", "amount": {amount}, "nested": {nested}}}'
        return httpx.Response(200, content=f'{{"status": "success", "data": {data}}}'.encode())

    shop.write(*(f"{number},{5000 + number}" for number in range(49)))
    with handler_server.serving(reply) as base_url:
        for _ in range(2):
            assert shop.run("--base-url", base_url).exit_code in {DONE, UNKNOWN}
    assert set(shop.states().values()) <= {"created", "unknown"}
    assert len(shop.states()) == 49


def test_the_command_works_in_a_thread_where_signals_cannot_be_heeded(shop: Shop) -> None:
    shop.write("1,5000")
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(shop.run().exit_code))
    thread.start()
    thread.join(30)
    assert codes == [DONE]


def test_the_reasons_of_refusals_are_counted(shop: Shop) -> None:
    shop.write(*(f"{number},5000" for number in range(5)))
    shop.emulator.fail_next("status_before_commit", status=400, times=2)
    shop.emulator.fail_next("status_before_commit", status=402)
    result = shop.run("--concurrency", "1", "--json")
    assert "2 refused: 400 Bad Request\n1 refused: 402 Payment Required\n" in result.stderr
    assert last_line(result).startswith("5 orders: 2 created, 3 refused; ")
    assert json.loads(result.stdout)["reasons"] == {
        "refused: 400 Bad Request": 2,
        "refused: 402 Payment Required": 1,
    }


def test_orders_that_reached_nobody_are_not_called_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("TAZAPAY_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("random.uniform", lambda least, most: 0.0)  # no waits between attempts
    shop.write("1,5000", "2,6000")
    result = shop.run()
    assert result.exit_code == REFUSED
    assert f"2 not reached: no complete reply from http://127.0.0.1:{port}\n" in result.stderr
    assert last_line(result).startswith("2 orders: 2 not reached; ")
    assert set(shop.states().values()) == {"refused"}


def test_orders_that_never_got_their_turn_are_not_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_SECRET", "wrong")
    shop.write(*(f"{number},5000" for number in range(100)))
    result = shop.run("--rate", "5")
    assert "1 refused: 401 Unauthorized\n" in result.stderr
    assert last_line(result).startswith("100 orders: 1 refused, 99 not sent; ")
    assert len(shop.emulator.requests()) == 1


def test_the_reasons_of_the_service_are_in_the_results_without_what_was_submitted(
    shop: Shop, handler_server: HandlerServer
) -> None:
    entry = {"code": 1, "message": "bad memo: for Dr Jekyll", "remarks": "too long"}
    body = {"status": "error", "message": "invalid", "errors": [entry]}
    shop.write("1,5000,for Dr Jekyll", header="order_id,amount_sats,memo")
    answered(shop, handler_server, lambda request: httpx.Response(400, json=body))
    (line,) = shop.lines()
    assert "invalid" in line["error"]["message"]
    assert "bad memo: [redacted]: too long" in line["error"]["message"]


def test_a_memo_goes_out_as_its_hash_where_a_column_says_so(shop: Shop) -> None:
    shop.write("1,5000,Tea,true", "2,6000,Tea,", header="order_id,amount_sats,memo,memo_as_hash")
    assert shop.run().exit_code == DONE
    assert {invoice["amount"]: invoice.get("h_tag_memo") for invoice in shop.emulator.invoices()} == {
        5000: hash_memo("Tea"),
        6000: None,
    }
    shop.write("1,5000,Tea,", "2,6000,Tea,", header="order_id,amount_sats,memo,memo_as_hash")
    assert "and now asks for 5000 with another memo, metadata or expiry\n" in shop.run().stderr


def test_a_bug_in_the_run_is_told_with_what_is_in_flight(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tazapay_lightning.bulk.pacing.Pace.in_flight", property(lambda pace: 1 // 0))
    shop.write("1,5000")
    result = shop.run()
    assert result.exit_code == UNKNOWN
    assert "error: the run ended early: ZeroDivisionError\n" in result.stderr
    key = bulk.idempotency_key("orders", "1")
    assert f"order 1 is not in the results: its invoice may exist, its key is {key}\n" in result.stderr


def test_an_index_that_fails_during_the_run_is_told_and_leaves_nothing_untold(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    shop.write("1,5000", "2,6000", "3,7000")
    with monkeypatch.context() as patch:
        patch.setattr("tazapay_lightning.bulk.files.index.OrderIndex.noted", full)
        result = shop.run("--concurrency", "2")
    assert result.exit_code == UNKNOWN
    assert "error: the run ended early: OperationalError\n" in result.stderr
    assert result.stderr.count("is not in the results: its invoice may exist, its key is order-v1-") == 2
    assert shop.run().exit_code == DONE
    assert shop.amounts() == [5000, 6000, 7000]


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_results_and_journal_are_for_their_owner_alone(shop: Shop, mask: int) -> None:
    shop.write("1,5000")
    before = os.umask(mask)
    try:
        shop.run()
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (shop.out, shop.journal)] == [0o600, 0o600]


def test_the_mode_of_files_that_are_there_is_left_alone(shop: Shop) -> None:
    shop.write("1,5000")
    shop.out.touch()
    shop.out.chmod(0o640)
    shop.run()
    assert stat.S_IMODE(shop.out.stat().st_mode) == 0o640


# Once more


def test_the_same_command_again_sends_nothing(shop: Shop) -> None:
    shop.write("1,5000", "2,6000")
    shop.run()
    result = shop.run()
    assert result.exit_code == DONE
    assert result.stderr.startswith(
        "2 of 2 orders have their invoice from an earlier run\n2 orders: 2 created before; "
    )
    assert len(shop.emulator.requests()) == 2


def test_orders_that_were_added_are_sent(shop: Shop) -> None:
    shop.write("1,5000")
    shop.run()
    shop.write("2,6000", "1,5000")
    assert shop.run().exit_code == DONE
    assert shop.amounts() == [5000, 6000]


def test_a_refused_order_is_tried_again_and_may_be_changed(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next("status_before_commit", status=400)
    result = shop.run()
    assert (result.exit_code, shop.states()) == (REFUSED, {"1": "refused"})
    assert "1 orders: 1 refused; " in result.stderr
    (line,) = shop.lines()
    assert (line["error"]["type"], line["error"]["status_code"]) == ("InvalidRequestError", 400)
    assert (line["invoice"], line["unknown_since"]) == (None, None)
    shop.write("1,5500")
    assert shop.run().exit_code == DONE
    assert (shop.states(), shop.amounts()) == ({"1": "created"}, [5500])


def test_an_unknown_outcome_is_resumed_with_its_key(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next(LOST, times=3)
    result = shop.run()
    assert (result.exit_code, shop.states()) == (UNKNOWN, {"1": "unknown"})
    assert "to resume, run the same command again, within 23 hours\n1 orders: 1 unknown; " in result.stderr
    assert shop.run().exit_code == DONE
    assert (shop.states(), shop.amounts()) == ({"1": "created"}, [5000])


def test_a_refusal_does_not_make_an_unknown_outcome_known(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next(LOST, times=3)
    shop.run()
    shop.emulator.fail_next("status_before_commit", status=400)
    assert shop.run().exit_code == UNKNOWN
    first, second = shop.lines()
    assert second["state"] == "unknown"
    assert second["unknown_since"] == first["unknown_since"]


def test_an_invoice_over_another_amount_is_no_success(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next("wrong_amount")
    assert shop.run().exit_code == UNKNOWN
    assert shop.states() == {"1": "mismatch"}
    assert shop.run().exit_code == DONE
    assert (shop.states(), shop.amounts()) == ({"1": "created"}, [5000])


def test_what_was_sent_without_a_result_is_resumed_first(shop: Shop) -> None:
    shop.write("1,5000", "2,6000")
    shop.run()
    shop.out.write_text("".join(line for line in shop.out.read_text().splitlines(True) if '"order_id": "1"' in line))
    shop.write("3,7000", "1,5000", "2,6000")
    before = len(shop.emulator.requests())
    assert shop.run("--concurrency", "1").exit_code == DONE
    sent = [record.idempotency_key for record in shop.emulator.requests()[before:]]
    assert sent == [bulk.idempotency_key("orders", order_id) for order_id in ("2", "3")]
    assert shop.amounts() == [5000, 6000, 7000]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("1,5001,a",), "line 2: order 1 was sent over 5000 satoshi, and now asks for 5001\n"),
        (("1,5000,b",), "and now asks for 5000 with another memo, metadata or expiry\n"),
    ],
    ids=["amount", "memo"],
)
@pytest.mark.parametrize("ended", ["created", "unknown"])
def test_an_order_that_changed_since_it_was_sent_is_refused(
    shop: Shop, changed: tuple[str], told: str, ended: str
) -> None:
    shop.write("1,5000,a", header="order_id,amount_sats,memo")
    if ended == "unknown":
        shop.emulator.fail_next(LOST, times=3)
    shop.run()
    before = len(shop.emulator.requests())
    shop.write(*changed, header="order_id,amount_sats,memo")
    result = shop.run()
    assert result.exit_code == USAGE
    assert told in result.stderr
    assert (
        "error: nothing was sent: 1 of the rows changed since an invoice was asked for, which exists" in result.stderr
    )
    assert len(shop.emulator.requests()) == before


def made_older(shop: Shop, hours: int = 24) -> None:
    """Make what is in the files so much older."""
    for path in (shop.out, shop.journal):
        text = path.read_text()
        for line in text.splitlines():
            for name in ("at", "unknown_since"):
                if json.loads(line).get(name):
                    old = datetime.fromisoformat(json.loads(line)[name]) - timedelta(hours=hours)
                    text = text.replace(json.loads(line)[name], old.isoformat())
        path.write_text(text)


@pytest.fixture
def outlived(shop: Shop) -> Shop:
    """A shop with an order whose outcome has been unknown for longer than its key lives."""
    shop.write("1,5000")
    shop.emulator.fail_next(LOST, times=3)
    shop.run()
    made_older(shop)
    return shop


def test_an_unknown_outcome_of_the_future_is_left_to_a_person(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next(LOST, times=3)
    shop.run()
    made_older(shop, hours=-1)  # by a clock that was ahead, and has been put right: nobody knows how old it is
    before = len(shop.emulator.requests())
    result = shop.run()
    assert result.exit_code == UNKNOWN
    assert "order 1 was not sent again: an invoice over 5000 satoshi may exist since " in result.stderr
    assert "for 24 hours only (a time in the future comes from a wrong clock). Look for it" in result.stderr
    assert len(shop.emulator.requests()) == before


def test_an_unknown_outcome_older_than_its_key_is_left_to_a_person(outlived: Shop) -> None:
    before = len(outlived.emulator.requests())
    outlived.write("1,5000", "2,6000")
    result = outlived.run()
    assert result.exit_code == UNKNOWN
    assert "order 1 was not sent again: an invoice over 5000 satoshi may exist since " in result.stderr
    assert last_line(result).startswith("2 orders: 1 created, 1 to settle; ")
    assert len(outlived.emulator.requests()) == before + 1


@pytest.mark.parametrize(("state", "requests"), [("created", 0), ("refused", 1)])
def test_a_person_settles_it_with_the_line_that_was_printed(outlived: Shop, state: str, requests: int) -> None:
    said = outlived.run().stderr
    start = said.index('{"order_id": "1", "state": "' + state)
    with outlived.out.open("a") as out:
        out.write(said[start : said.index("}", start) + 1] + "\n")
    before = len(outlived.emulator.requests())
    assert outlived.run().exit_code == DONE
    assert len(outlived.emulator.requests()) - before == requests


def test_the_age_counts_from_the_first_sending(outlived: Shop) -> None:
    text = outlived.journal.read_text().splitlines()
    again = json.loads(text[-1])
    again.update(sending=2, at=datetime.now(UTC).isoformat())  # a run that was killed, an hour ago
    outlived.journal.write_text("\n".join([*text, json.dumps(again)]) + "\n")
    assert "order 1 was not sent again" in outlived.run().stderr


def test_only_the_first_twenty_to_settle_are_listed(shop: Shop) -> None:
    shop.write(*(f"{number},5000" for number in range(25)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[LOST])
    shop.run("--concurrency", "25")
    made_older(shop)
    said = shop.run().stderr
    assert said.count("was not sent again") == 20
    assert "... and 5 more\n" in said


# Bad orders


def test_all_bad_rows_are_told_before_anything_is_sent_or_written(shop: Shop) -> None:
    shop.write("1,5000", "2,0", "3,x", "1,5000")
    result = shop.run()
    assert result.exit_code == USAGE
    assert result.stderr.splitlines() == [
        f"{shop.orders}, line 3: order 2: amount_sats must be an int from 1 to 2100000000000000, in satoshi; got 0",
        f"{shop.orders}, line 4: amount_sats must be digits only, such as 5000; got 'x'",
        f"{shop.orders}, line 5: order 1 is on line 2 already",
        "error: nothing was sent: 3 of the rows cannot be sent",
    ]
    assert shop.emulator.requests() == []
    assert not shop.out.exists()
    assert not shop.journal.exists()


SPELLINGS = [
    ("caf\u00e9", "cafe\u0301"),
    ("\u212b", "\u00c5"),
    ("\u2126", "\u03a9"),
    ("\uac00", "\u1100\u1161"),
    ("a\u0323\u0307", "a\u0307\u0323"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS, ids=ascii)
def test_two_spellings_that_unicode_calls_equal_are_one_order(shop: Shop, one: str, other: str) -> None:
    shop.write(f"{one},5000", f"{other},5000")
    result = shop.run()
    assert result.exit_code == USAGE
    assert f"line 3: order {other} is on line 2 already, in a spelling that Unicode calls equal\n" in result.stderr
    assert shop.emulator.requests() == []


@pytest.mark.parametrize("ended", ["created", "unknown"])
def test_another_spelling_of_an_order_that_was_sent_is_refused(shop: Shop, ended: str) -> None:
    shop.write("caf\u00e9,5000")
    if ended == "unknown":
        shop.emulator.fail_next(LOST, times=3)
    shop.run()
    before = len(shop.emulator.requests())
    shop.write("cafe\u0301,5000")
    result = shop.run()
    assert (result.exit_code, len(shop.emulator.requests())) == (USAGE, before)
    assert "under the id 'cafe\\u0301', which is spelt otherwise\n" in result.stderr


def test_ids_that_only_look_alike_are_two_orders(shop: Shop) -> None:
    shop.write("a1,5000", "A1,6000", "\uff41\uff11,7000")  # the last one in full-width forms
    assert shop.run().exit_code == DONE
    assert len(shop.amounts()) == 3


def test_twenty_bad_rows_are_told_and_the_rest_counted(shop: Shop) -> None:
    shop.write(*(f"{number},0" for number in range(25)))
    said = shop.run().stderr.splitlines()
    assert said[-2:] == ["... and 5 more", "error: nothing was sent: 25 of the rows cannot be sent"]
    assert len(said) == 22


def test_a_file_that_cannot_be_used_is_a_usage_error(shop: Shop) -> None:
    result = shop.run()
    assert (result.exit_code, result.stderr) == (
        USAGE,
        f"error: {shop.orders} cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--namespace", ""], "namespace must be a str that is not empty"),
        (["--rate", "0"], "rate must be requests per second, a number greater than 0"),
        (["--rate", "-1"], "rate must be requests per second, a number greater than 0; got -1.0"),
        (["--rate", "inf"], "rate must be requests per second"),
        (["--rate", "nan"], "rate must be requests per second"),
        (["--environment", "live"], '--environment (or TAZAPAY_ENVIRONMENT) must be "sandbox" or "production"; got'),
        (["--base-url", "nonsense"], "--base-url (or TAZAPAY_BASE_URL) must be an https URL"),
        (["--backend", "curl"], '--backend must be "httpx" or "aiohttp"'),
        (["--concurrency", "0"], "concurrency"),
        (["--concurrency", "101"], "concurrency"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_cannot_be_used_is_a_usage_error(shop: Shop, options: list[str], problem: str) -> None:
    shop.write("1,5000")
    result = shop.run(*options)
    assert result.exit_code == USAGE
    assert problem in result.stderr
    assert not shop.out.exists()
    assert not shop.journal.exists()


def test_a_client_without_credentials_is_exit_1_and_nothing_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("1,5000")
    monkeypatch.delenv("TAZAPAY_API_SECRET")
    result = shop.run()
    assert (result.exit_code, shop.journal.exists()) == (REFUSED, False)


def test_orders_that_do_not_fit_the_temporary_index_are_told(shop: Shop) -> None:
    memo = "m" * 600
    shop.write(*(f"{number},5000,{memo}" for number in range(15_000)), header="order_id,amount_sats,memo")
    with files_end_at(20_000):
        result = shop.run()
    assert result.exit_code == REFUSED
    assert "error: the temporary index of the orders (its folder: SQLITE_TMPDIR or TMPDIR) failed: " in result.stderr


# Files that are not as a run leaves them


@pytest.mark.parametrize("which", ["out", "journal"])
def test_a_half_written_last_line_is_cut_off(shop: Shop, which: str) -> None:
    shop.write("1,5000")
    shop.run()
    path: Path = getattr(shop, which)
    whole = path.read_text()
    path.write_text(whole + whole.splitlines()[-1][:-9] + ("x" * 100_000 if which == "out" else ""))
    result = shop.run()
    assert result.exit_code == DONE
    assert result.stderr.startswith(f"the last line of {path} was half written, and was cut off\n")
    assert path.read_text() == whole


def test_a_last_line_that_lacks_only_its_end_is_kept(shop: Shop) -> None:
    shop.write("1,5000")
    shop.run()
    whole = shop.out.read_text()
    shop.out.write_text(whole.rstrip("\n"))
    assert shop.run().exit_code == DONE
    assert shop.out.read_text() == whole


def test_a_journal_killed_within_its_first_line_is_begun_anew(shop: Shop) -> None:
    shop.write("1,5000")
    shop.journal.write_text('{"format": "taza')
    assert shop.run().exit_code == DONE


def test_two_runs_at_once_are_refused(shop: Shop) -> None:
    shop.write("1,5000")
    with shop.journal.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        result = shop.run()
    assert (result.exit_code, shop.emulator.requests()) == (REFUSED, [])
    assert result.stderr == f"error: another run writes to {shop.out}: let it end, or name another file\n"


def by_a_symbolic_link(out: Path, name: Path) -> None:
    name.symlink_to(out)


def by_a_link_to_the_folder(out: Path, name: Path) -> None:
    name.parent.rmdir()
    name.parent.symlink_to(out.parent)


def by_a_hard_link(out: Path, name: Path) -> None:
    name.hardlink_to(out)


@pytest.mark.parametrize(
    ("other_name", "link"),
    [
        ("link.jsonl", by_a_symbolic_link),
        ("link.jsonl", by_a_hard_link),
        ("folder/results.jsonl", by_a_link_to_the_folder),
        ("folder/link.jsonl", by_a_symbolic_link),
    ],
    ids=["symbolic", "hard", "folder", "elsewhere"],
)
@pytest.mark.parametrize("with_results", [False, True], ids=["empty", "begun"])
def test_two_runs_at_once_by_two_names_are_refused(
    shop: Shop, other_name: str, link: Callable[[Path, Path], None], with_results: bool
) -> None:
    shop.write("1,5000")
    if with_results:
        shop.run()
    name = shop.out.parent / other_name
    name.parent.mkdir(exist_ok=True)
    settings = Settings.build(credentials=Credentials(None, None), environment=None, base_url=None)
    before = len(shop.emulator.requests())
    with closing(BulkRecord(shop.out, namespace="orders", settings=settings)):
        link(shop.out, name)
        if link is by_a_hard_link:
            name.with_name(name.name + ".journal").write_text(shop.journal.read_text() or "{}\n")
        result = invoke("bulk", shop.orders, "--out", name)
    assert (result.exit_code, len(shop.emulator.requests())) == (REFUSED, before)
    assert result.stderr == f"error: another run writes to {name}: let it end, or name another file\n"


def test_results_by_a_relative_path_are_the_same_file(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(shop)
    monkeypatch.chdir(shop.out.parent)
    assert "1 of 1 orders have their invoice" in invoke("bulk", shop.orders, "--out", "results.jsonl").stderr


def test_results_by_a_symbolic_link_have_their_journal_beside_the_file_itself(shop: Shop) -> None:
    begun(shop)
    link = shop.out.with_name("link.jsonl")
    link.symlink_to(shop.out)
    assert "1 of 1 orders have their invoice" in invoke("bulk", shop.orders, "--out", link).stderr
    assert not link.with_name("link.jsonl.journal").exists()


def test_a_journal_beside_a_symbolic_link_is_not_passed_over(shop: Shop) -> None:
    begun(shop)
    link = shop.out.with_name("link.jsonl")
    link.symlink_to(shop.out)
    shop.journal.rename(link.with_name("link.jsonl.journal"))  # as version 0.1.0 had it
    shop.out.write_text("")
    result = invoke("bulk", shop.orders, "--out", link)
    assert result.exit_code == REFUSED
    assert f"is there without {shop.journal}, which tells what was sent: put it back" in result.stderr


def test_where_files_cannot_be_locked_the_run_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    shop.write("1,5000")
    assert shop.run().exit_code == DONE


def begun(shop: Shop) -> None:
    shop.write("1,5000")
    shop.run()


def without_journal(shop: Shop) -> None:
    shop.journal.unlink()


def other_format(shop: Shop) -> None:
    shop.journal.write_text('{"format": "something else"}\n')


def other_address(shop: Shop) -> None:
    shop.journal.write_text(shop.journal.read_text().replace("127.0.0.1", "service.tazapay.com"))


def changed_by(path: str, old: str, new: str) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        file: Path = getattr(shop, path)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without_journal, "results.jsonl.journal, which tells what was sent: put it back, or name another file"),
        (other_format, "was begun with the format 'something else', not 'tazapay-lightning bulk journal 1'"),
        (other_address, "was begun with the base_url 'http://service.tazapay.com:"),
        (changed_by("journal", '"account": "', '"account": "x'), "was begun with another API key"),
        (changed_by("journal", '"account": "', '"no": "'), "was begun with another API key"),
        (changed_by("journal", '"salt": "', '"salt": "x'), "was begun with another API key"),
        (changed_by("journal", '"salt": "', '"no": "'), "was begun with another API key"),
        (changed_by("journal", '"base_url": "', '"no": "'), "was begun with the base_url None, not 'http://127.0.0.1:"),
        (changed_by("journal", '"namespace": "', '"no": "'), "was begun with the namespace None, not 'orders'"),
        (
            changed_by("journal", '"format": "', '"no": "'),
            "was begun with the format None, not 'tazapay-lightning bulk journal 1'",
        ),
        (changed_by("journal", "+00:00", ""), "is not what this command writes: at is '2"),
        (changed_by("out", '"state": "created"', '"state": "unknown"'), "writes: unknown_since is None; put it right"),
        (
            changed_by("out", '"state": "created", ', '"state": "mismatch", "unknown_since": "yesterday", "was": '),
            "line 1 of ",
        ),
        (changed_by("journal", '"orders"', '"shop-1"'), "was begun with the namespace 'shop-1', not 'orders'"),
        (changed_by("journal", '"at": "2', '"at": "x'), "line 2 of "),
        (changed_by("journal", '"amount_sats": 5000', '"amount_sats": -1'), "writes: amount_sats is -1; put it right"),
        (changed_by("out", '"state": "created"', '"state": "fine"'), "line 1 of "),
        (changed_by("out", '"sending": 1', '"sending": true'), "writes: sending is True; put it right"),
        (changed_by("out", '"order_id": "1"', '"order_id": 1'), "writes: order_id is 1; put it right"),
        (changed_by("out", '"order_id": "1"', '"order_id": "\\ud800"'), "writes: order_id is '\\ud800'; put it right"),
        (changed_by("journal", '"order_id": "1"', '"order_id": "\\ud800"'), "writes: order_id is '\\ud800'; put it"),
        (changed_by("out", '{"order_id"', '["order_id"'), "is not a JSON object; put it right, or remove it"),
    ],
    ids=[
        "no-journal",
        "format",
        "address",
        "account",
        "no-account",
        "salt",
        "no-salt",
        "no-address",
        "no-namespace",
        "no-format",
        "no-zone",
        "unknown-since-never",
        "mismatch-since-whenever",
        "namespace",
        "journal-time",
        "journal-amount",
        "state",
        "number",
        "order-id",
        "half-a-pair",
        "half-a-pair-in-the-journal",
        "not-json",
    ],
)
def test_files_of_another_run_or_program_are_refused_and_kept(
    shop: Shop, change: Callable[[Shop], None], problem: str
) -> None:
    begun(shop)
    change(shop)
    kept = shop.out.read_text()
    before = len(shop.emulator.requests())
    result = shop.run()
    assert result.exit_code == REFUSED
    assert problem in result.stderr
    assert shop.out.read_text() == kept
    assert len(shop.emulator.requests()) == before


def test_another_path_on_the_same_host_is_refused(shop: Shop) -> None:
    begun(shop)
    result = shop.run("--base-url", f"{shop.emulator.base_url}/tenant-2")
    assert result.exit_code == REFUSED
    assert f"was begun with the base_url '{shop.emulator.base_url}', not '" in result.stderr


def test_with_the_account_written_into_the_first_line_a_new_key_goes_on(shop: Shop) -> None:
    shop.write("1,5000")
    shop.emulator.fail_next(LOST, times=3)
    shop.run()
    changed_by("journal", '"account": "', '"account": "x')(shop)
    told = shop.run().stderr
    account = told[told.index('"account": "') :].split('" into')[0] + '"'
    shop.journal.write_text(re.sub(r'"account": "\w+"', account, shop.journal.read_text(), count=1))
    assert shop.run().exit_code == DONE
    assert shop.amounts() == [5000]


def with_another_key(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("TAZAPAY_API_KEY", "of-another-account")


def with_another_address(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("TAZAPAY_BASE_URL", f"{shop.emulator.base_url}/nowhere")


def with_another_namespace(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shop, "run", lambda *options: Shop.run(shop, "--namespace", "other", *options))
    shop.emulator.fail_next("status_before_commit", status=400, times=2)


MISTAKES = [with_another_key, with_another_address, with_another_namespace]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_run_begun_by_mistake_goes_on_with_the_right_settings(
    shop: Shop, mistake: Callable[[Shop, pytest.MonkeyPatch], None]
) -> None:
    shop.write("1,5000", "2,6000")
    with pytest.MonkeyPatch.context() as patch:
        mistake(shop, patch)
        assert shop.run().exit_code == REFUSED
    assert set(shop.states().values()) == {"refused"}
    assert shop.run().exit_code == DONE
    assert shop.run().exit_code == DONE
    assert shop.amounts() == [5000, 6000]
    with pytest.MonkeyPatch.context() as patch:  # and not back again
        mistake(shop, patch)
        result = shop.run()
    assert result.exit_code == REFUSED
    assert " was begun with " in result.stderr


@pytest.mark.parametrize("how", ["unknown", "killed", "mismatch"])
def test_a_run_with_an_invoice_that_may_exist_does_not_go_on_with_other_settings(
    shop: Shop, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("1,5000")
    if how == "unknown":
        shop.emulator.fail_next(LOST, times=3)
    if how == "mismatch":
        shop.emulator.fail_next("wrong_amount")
    shop.run()
    if how == "killed":
        shop.out.write_text("")
    monkeypatch.setenv("TAZAPAY_API_KEY", "of-another-account")
    result = shop.run()
    assert result.exit_code == REFUSED
    assert "was begun with another API key: go on with that" in result.stderr


def test_results_cannot_go_into_a_folder_or_a_missing_one(shop: Shop) -> None:
    shop.write("1,5000")
    folder = invoke("bulk", shop.orders, "--out", shop.orders.parent)
    assert folder.exit_code == REFUSED
    assert "is no file that results can be appended to: name another one" in folder.stderr
    missing = invoke("bulk", shop.orders, "--out", shop.orders.parent / "none/results.jsonl")
    assert missing.exit_code == REFUSED
    assert missing.stderr.endswith("none/results.jsonl.journal: No such file or directory\n")


def test_results_that_cannot_be_opened_give_the_lock_back(shop: Shop) -> None:
    shop.write("1,5000")
    shop.out.symlink_to(shop.orders.parent / "none/results.jsonl")
    assert shop.run().exit_code == REFUSED
    shop.out.unlink()
    assert shop.run().exit_code == DONE


def test_results_cannot_go_into_the_orders(shop: Shop) -> None:
    shop.write("1,5000")
    kept = shop.orders.read_text()
    result = invoke("bulk", shop.orders, "--out", shop.orders)
    assert (result.exit_code, shop.orders.read_text()) == (USAGE, kept)
    assert "--out names the orders" in result.stderr


# A full disk


def test_results_that_cannot_be_written_are_told_and_found_again(shop: Shop) -> None:
    shop.write(*(f"{number},{5000 + number}" for number in range(30)))
    with files_end_at(12_000):
        result = shop.run("--concurrency", "2")
    assert result.exit_code == UNKNOWN
    assert f"{shop.out} or its journal cannot be written: File too large\n" in result.stderr
    lost = [line for line in result.stderr.splitlines() if " is not in the results: its invoice is l11_" in line]
    assert 1 <= len(lost) <= 4
    assert all("its key is order-v1-" in line for line in lost)
    assert len(shop.emulator.invoices()) < 30
    again = shop.run()
    assert again.exit_code == DONE
    assert again.stderr.startswith(f"the last line of {shop.out} was half written, and was cut off\n")
    assert shop.amounts() == [5000 + number for number in range(30)]


def test_a_refusal_that_cannot_be_written_leaves_nothing_in_doubt(shop: Shop) -> None:
    shop.write("1,5000")
    shop.run()
    shop.write("2,6000")
    shop.emulator.fail_next("status_before_commit", status=400)
    with files_end_at(shop.out.stat().st_size + 50):
        result = shop.run()
    assert result.exit_code == REFUSED
    assert "cannot be written: File too large\n" in result.stderr
    assert last_line(result).startswith("1 orders: 1 refused; ")


def test_an_order_that_cannot_be_written_down_is_not_sent(shop: Shop) -> None:
    shop.write("1,5000", "2,6000")
    shop.run("--namespace", "orders")
    shop.write(*(f"{number},{5000 + number}" for number in range(3, 6)))
    shop.out.write_text("")
    with files_end_at(shop.journal.stat().st_size + 50):
        result = shop.run()
    assert result.exit_code == REFUSED
    assert "or its journal cannot be written: File too large\n" in result.stderr
    assert last_line(result).startswith("3 orders: 3 not sent; ")
    assert len(shop.emulator.requests()) == 2
    assert shop.run().exit_code == DONE


# Early ends


def test_refused_credentials_end_the_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_SECRET", "wrong")
    shop.write(*(f"{number},5000" for number in range(100)))
    result = shop.run("--concurrency", "4")
    assert result.exit_code == REFUSED
    assert "error: the run ended early: 401 Unauthorized: " in result.stderr
    assert "to resume, run the same command again" in result.stderr
    assert len(shop.emulator.requests()) <= 4


@contextmanager
def signals(shop: Shop, number: signal.Signals, *, times: int, after: int = 6) -> Iterator[None]:
    """Within the block, have signals sent to this process: the first one after some requests, others after it."""

    def send() -> None:
        deadline = time.monotonic() + 20
        while len(shop.emulator.requests()) < after and time.monotonic() < deadline:
            time.sleep(0.005)
        for _ in range(times):
            os.kill(os.getpid(), number)
            time.sleep(0.05)

    sending = threading.Thread(target=send)
    sending.start()
    yield
    sending.join()


@pytest.mark.parametrize(
    ("number", "code"),
    [(number, 128 + number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_a_signal_finishes_what_is_in_flight_and_starts_nothing(shop: Shop, number: signal.Signals, code: int) -> None:
    shop.write(*(f"{order},{5000 + order}" for order in range(40)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[Fault("delay_before_commit", seconds=0.3)])
    with signals(shop, number, times=1, after=8):
        result = shop.run("--concurrency", "4")
    assert result.exit_code == code
    # four, but for those that end while the signal is on its way
    assert re.search(r"stopping: [1-4] in flight .*; once more \(Ctrl-C\) abandons them\n", result.stderr)
    assert set(shop.states().values()) == {"created"}
    assert len(shop.states()) == len(shop.emulator.invoices()) < 40
    shop.emulator.stop_failing()
    assert shop.run("--concurrency", "40").exit_code == DONE
    assert shop.amounts() == [5000 + order for order in range(40)]


def test_a_signal_ends_a_run_that_is_always_refused_by_429(shop: Shop) -> None:
    shop.write(*(f"{order},5000" for order in range(40)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[Fault("status_before_commit", status=429, retry_after=60)])
    began = time.monotonic()
    with signals(shop, signal.SIGTERM, times=1, after=4):
        result = shop.run("--concurrency", "4")
    assert time.monotonic() - began < 20
    assert (result.exit_code, len(shop.emulator.requests())) == (128 + signal.SIGTERM, 4)
    assert set(shop.states().values()) == {"refused"}


def test_a_signal_with_an_outcome_in_doubt_is_exit_3(shop: Shop) -> None:
    shop.write(*(f"{order},5000" for order in range(40)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[LOST])
    with signals(shop, signal.SIGINT, times=1, after=4):
        result = shop.run("--concurrency", "4")
    assert result.exit_code == UNKNOWN
    assert len(shop.states()) < 40


def test_a_terminal_that_is_closed_ends_the_run_with_all_of_its_results(shop: Shop) -> None:
    shop.write(*(f"{order},5000" for order in range(40)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[LOST])
    terminal, its_end = pty.openpty()

    def own_terminal() -> None:
        fcntl.ioctl(its_end, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    command = [sys.executable, "-m", "tazapay_lightning", "bulk", shop.orders, "--out", shop.out, "--concurrency", "4"]
    streams = {"stdin": its_end, "stdout": its_end, "stderr": its_end}
    with subprocess.Popen(command, **streams, start_new_session=True, preexec_fn=own_terminal) as process:
        os.close(its_end)
        deadline = time.monotonic() + 20
        while len(shop.emulator.requests()) < 8 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.close(terminal)
        assert process.wait(30) == UNKNOWN
    states = list(shop.states().values())
    assert states.count("unknown") == len(shop.emulator.invoices()) < 40
    assert {*states} <= {"unknown", "refused"}, "refused is an order whose first attempt had to wait until then"


def test_a_hang_up_that_is_ignored_stays_ignored(shop: Shop) -> None:
    """As under nohup."""
    shop.write(*(f"{order},5000" for order in range(20)))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals(shop, signal.SIGHUP, times=1, after=4):
            assert shop.run("--concurrency", "1").exit_code == DONE
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_ctrl_c_abandons_what_is_in_flight(shop: Shop) -> None:
    shop.write(*(f"{order},{5000 + order}" for order in range(30)))
    shop.emulator.fail_randomly(1, seed=1, kinds=[Fault("delay_after_commit", seconds=2)])
    began = time.monotonic()
    with signals(shop, signal.SIGINT, times=2, after=25):
        result = shop.run("--concurrency", "25")
    assert time.monotonic() - began < 10
    assert result.exit_code == UNKNOWN
    assert result.stderr.count("is not in the results: its invoice may exist, its key is order-v1-") == 25
    assert last_line(result).startswith("30 orders: 25 unrecorded, 5 not sent; ")
    shop.emulator.stop_failing()
    assert shop.run().exit_code == DONE
    assert shop.amounts() == [5000 + order for order in range(30)]


def test_a_disk_that_fails_at_the_end_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    shop.write("1,5000")
    monkeypatch.setattr(os, "fsync", failing)
    result = shop.run()
    assert result.exit_code == DONE
    assert f"{shop.out} or its journal cannot be written: Input/output error\n" in result.stderr
    assert "to resume" not in result.stderr


def test_a_run_that_time_outs_ended_is_not_told_as_a_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    session: Any = SimpleNamespace(ended_by=APITimeoutError("no reply in time"), differing=0, unrecorded=[])
    _explain(session, Path("results.jsonl"))
    assert capsys.readouterr().err == "error: the run ended early: no reply in time\n"
