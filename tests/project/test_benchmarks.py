"""The benchmarks: what they conclude from figures, what they show, and that they run where the peers are missing."""

from __future__ import annotations

import asyncio
import datetime
import doctest
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.__main__ import FULL, checked, main, report, told
from benchmarks.bulk import bill_file, many_orders, write_killed_run, write_orders
from benchmarks.calls import PAYMENT_REQUEST, alternate, bare_webhook, webhook_payload
from benchmarks.concurrency import _timed
from benchmarks.emulator import BY_HTTPX, EMULATOR, FIXTURE, IN_PROCESS, STUB, fixtures, in_process, running_stub
from benchmarks.limits import LIMITS
from benchmarks.machine import Server, describe, running_server
from benchmarks.page import performance_page
from benchmarks.payload import AMOUNT, ARGUMENTS, BODY, CREDENTIALS, HEADERS, KEY, PATH, invoice_reply
from benchmarks.peers import ASYNCHRONOUS, HTTP_CLIENT, OURS, OURS_WITH_REQUEST, SYNCHRONOUS, THREADED
from benchmarks.processes import _printed
from benchmarks.results import read_results, write_results
from benchmarks.rounds import Limit, Measured, Verdict, judge, ratio_of
from benchmarks.scripts import clients_made_and_closed, idle_clients, kept_clients
from benchmarks.tables import as_markdown, as_text
from benchmarks.threads import threads, timed
from tazapay_lightning import LightningClient, WebhookSignatureError, sign_webhook, verify_webhook
from tests.support.tables import each_row

LIMIT = Limit("a call, of bare httpx", "B", "calls", "ours", "httpx", 1.2)
FLOOR = Limit("calls per second, of bare httpx", "C", "calls", "ours", "httpx", 5.0, at_least=True)


def calls(*ours: float) -> Measured:
    return {"calls": {"ours": list(ours), "httpx": [1.0] * len(ours)}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@each_row(
    ("limit", "measured", "word"),
    [
        (LIMIT, calls(1.0, 1.2, 1.4), "unclear"),
        (LIMIT, calls(1.19, 1.2, 1.21), "met"),
        (LIMIT, calls(1.18, 1.21, 1.22), "missed"),
        (LIMIT, calls(0.5, 0.9, 1.1), "met"),
        (LIMIT, calls(1.3, 2.0, 3.0), "missed"),
        (FLOOR, calls(5.1, 8.0, 11.0), "met"),
        (FLOOR, calls(4.9, 4.95, 4.96), "missed"),
        (FLOOR, calls(3.0, 5.5, 8.0), "unclear"),
        (LIMIT, {"calls": {"ours": [1.0]}}, "not measured"),
        (LIMIT, {}, "not measured"),
    ],
)
def test_a_limit_is_judged_by_the_median_unless_it_lies_within_a_wide_spread(
    limit: Limit, measured: Measured, word: str
) -> None:
    assert judge(limit, measured).word == word


def test_a_ratio_is_taken_within_each_round() -> None:
    assert ratio_of([1.0, 20.0, 300.0], [1.0, 10.0, 100.0]).median == 2.0


def test_a_ratio_next_to_its_limit_is_shown_closely_enough_to_tell_them_apart() -> None:
    assert judge(LIMIT, calls(1.2001)).shown == "1.2001 (1.2001 to 1.2001)"
    assert judge(LIMIT, calls(1.25)).shown == "1.25 (1.25 to 1.25)"


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio_of([1.0, 2.0], [1.0])


def test_a_value_without_a_base_is_judged_and_shown_in_its_unit() -> None:
    limit = Limit("growth", "E", "growth", "growth", None, 1024, unit="KiB")
    verdict = judge(limit, {"growth": {"growth": [2048.0]}})
    assert str(verdict) == "growth: missed, measured 2048 KiB, asked for at most 1024 KiB"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["met"], 0), (["met", "unclear"], 2), (["not measured"], 2), (["unclear", "missed"], 1)],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_the_gate_fails_with_a_sentence_for_each_limit_that_is_not_met(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = [Verdict(LIMIT, None if word == "not measured" else ratio_of([1.5]), word) for word in words]
    assert checked(verdicts) == code
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == sum(word != "met" for word in words)
    assert all(error.startswith("error: a call, of bare httpx: ") for error in errors)


def test_every_limit_is_measured_by_a_part_that_there_is() -> None:
    assert {limit.part for limit in LIMITS} == set(FULL)
    assert len({limit.sentence for limit in LIMITS}) == len(LIMITS)


def test_the_page_shows_a_missed_limit_as_missed_and_what_was_not_measured() -> None:
    about = dict.fromkeys(("machine", "system", "python", "versions", "date", "server"), "as told") | {"minutes": "7"}
    measured = {"calls": {"httpx": [1.0], OURS: [1.5], "stripe": [2.0]}}
    page = performance_page(measured, [judge(limit, measured) for limit in LIMITS], about, FULL)
    assert "| B | a call, of bare httpx | 1.50 (1.50 to 1.50) | at most 1.2 | MISSED |" in page
    assert "| B | a call, of stripe | 0.75 (0.75 to 0.75) | at most 0.65 | MISSED |" in page
    assert "about 7 minutes" in page
    assert page.count("Not measured.") == 28
    assert "{" not in page


def test_a_table_has_a_column_for_each_cell() -> None:
    rows = [("client", "us"), ("httpx", "320.0")]
    assert as_text(rows).splitlines() == ["client  us", "httpx   320.0"]
    assert as_markdown(rows).splitlines()[1] == "|---|---|"


def test_functions_are_measured_in_turns_as_often_as_asked() -> None:
    made: list[str] = []
    measured = alternate({"a": lambda: made.append("a"), "b": lambda: made.append("b")}, rounds=3, calls=2)
    assert {name: len(values) for name, values in measured.items()} == {"a": 3, "b": 3}
    assert made.count("a") == made.count("b") == 2 * (3 + 1)  # once more before, unmeasured


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    write_results(tmp_path / "new", calls(1.5), {"date": "2026-11-22"})
    assert read_results(tmp_path / "new") == (calls(1.5), {"date": "2026-11-22"})


def test_the_report_ends_with_the_verdicts_and_begins_with_the_machine() -> None:
    about = describe(datetime.date(2026, 11, 22), ["httpx", "no-such-package"])
    assert about["date"] == "2026-11-22"
    assert about["versions"].startswith("httpx 0.")
    assert "no-such-package" not in about["versions"]
    text = report({"calls": {"httpx": [1.0], OURS: [1.1]}}, [judge(LIMITS[4], {})], about)
    assert text.startswith(f"machine: {about['machine']}\n")
    assert "tazapay-lightning  1.1 us  1.10 (1.10 to 1.10)" in text
    assert text.splitlines()[-1].endswith("not measured")
    assert told({}) == "What it cost was not measured."


@pytest.mark.parametrize("name", [HTTP_CLIENT, "httpx", "generated client", OURS, OURS_WITH_REQUEST])
def test_the_server_answers_every_client_that_is_installed_with_the_amount(server: Server, name: str) -> None:
    call, close = SYNCHRONOUS[name](server.url)
    reply = call()
    close()
    assert str(AMOUNT) in repr(reply)


def test_the_server_echoes_the_amount_and_returns_a_payment_request_over_it(server: Server) -> None:
    with LightningClient(*CREDENTIALS, base_url=server.url) as client:
        assert client.create_invoice(amount_sats=654321).amount_sats == 654321
    with LightningClient(*CREDENTIALS, base_url=server.url + "/requested") as client:
        invoice = client.create_invoice(**ARGUMENTS)
    assert invoice.bolt11 is not None
    assert not invoice.differences


def test_the_server_tells_what_it_cost(server: Server) -> None:
    answered, seconds = server.cost()
    call, close = SYNCHRONOUS["httpx"](server.url)
    call()
    close()
    assert server.cost()[0] == answered + 1
    assert server.cost()[1] >= seconds > 0


def test_an_asynchronous_client_is_measured_like_the_others(server: Server) -> None:
    assert set(ASYNCHRONOUS) >= {"httpx", "aiohttp", OURS}
    wall, cpu = asyncio.run(_timed(OURS, server.url, in_flight=2, calls=4))
    assert wall > 0
    assert cpu > 0


def test_invoices_of_the_emulator_are_measured_in_process() -> None:
    measured = in_process(2, invoices=3)[IN_PROCESS]
    assert {name: len(rates) for name, rates in measured.items()} == {STUB: 2, EMULATOR: 2, BY_HTTPX: 2}
    assert min(rate for rates in measured.values() for rate in rates) > 0


def test_a_test_with_an_emulator_is_measured_in_steps() -> None:
    measured = fixtures(1)
    assert tuple(measured) == FIXTURE
    assert all(measured[step].keys() == {STUB, EMULATOR} for step in FIXTURE)
    assert all(len(seconds) == 1 for step in FIXTURE for seconds in measured[step].values())


def test_the_stub_is_one_that_a_client_is_content_with() -> None:
    with running_stub() as url, LightningClient(*CREDENTIALS, base_url=url) as client:
        ids = {client.create_invoice(**ARGUMENTS).id for _ in range(2)}
    assert len(ids) == 2


def test_threads_share_a_client_and_their_calls_are_counted_and_charged(server: Server) -> None:
    measured = threads(server, 1, numbers=[2], calls=8)
    assert set(measured) == {
        *("requests per second, threads", "CPU of a request, threads", "CPU of a request, threads, server"),
        "failed calls, threads",
    }
    for name, group in measured.items():
        assert set(group) == {f"{client} at 2" for client in (HTTP_CLIENT, "httpx", OURS)}
        assert all((value == 0) if "failed" in name else (value > 0) for [value] in group.values())


def test_a_call_that_fails_in_a_thread_is_made_again_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([*[None] * 4, OSError("closed by another thread"), *[None] * 4])

    def call() -> None:
        if (outcome := next(outcomes)) is not None:
            raise outcome

    monkeypatch.setitem(THREADED, "peer", lambda url: (call, lambda: None))
    assert timed("peer", "", threads=1, each=4)[2] == 1
    assert next(outcomes) is None


def test_threads_whose_calls_all_fail_end_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    def call() -> None:
        raise OSError("no service")

    monkeypatch.setitem(THREADED, "peer", lambda url: (call, lambda: None))
    with pytest.raises(OSError, match="no service"):
        timed("peer", "", threads=2, each=1)


def test_the_files_of_a_killed_run_are_what_a_real_run_writes_but_for_the_time(server: Server, tmp_path: Path) -> None:
    orders, real, made = write_orders(tmp_path / "orders.csv", 7), tmp_path / "real.jsonl", tmp_path / "made.jsonl"
    bill_file(server.url + "/bulk", orders, real, concurrency=1)
    write_killed_run(server.url + "/bulk", orders, made, done=5, in_flight=2)
    time = re.compile(r'(?<="at": )"[^"]+"|(?<="seconds_left": )[0-9.]+|(?<="salt": )"\w+"|(?<="account": )"\w+"')

    def lines(path: Path) -> list[str]:
        return time.sub("", path.read_text()).splitlines()

    assert lines(made) == lines(real)[:5]
    assert lines(Path(f"{made}.journal")) == lines(Path(f"{real}.journal"))


def test_bulk_is_measured_by_row_in_both_ways_and_until_a_killed_run_goes_on(server: Server) -> None:
    answered, _ = server.cost()
    measured = many_orders(server, 1, rows=3, resumed=8)
    assert set(measured["a row, clock"]) == set(measured["a row, CPU"]) == {"create_invoices", "bulk orders.csv"}
    assert measured["bytes of a row"]["results"][0] > measured["bytes of a row"]["journal"][0] > 200
    assert 0 < measured["resume"]["resume"][0] < 60
    assert server.cost()[0] > answered + 2 * 3


def test_what_peers_send_is_what_the_wrapper_sends() -> None:
    sent: list[httpx.Request] = []

    def service(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=invoice_reply(AMOUNT))

    with (
        httpx.Client(transport=httpx.MockTransport(service)) as http_client,
        LightningClient(*CREDENTIALS, http_client=http_client) as client,
    ):
        client.create_invoice(**ARGUMENTS, idempotency_key=KEY)
    (request,) = sent
    assert json.loads(request.content) == BODY
    assert request.url.path == PATH
    assert {name: request.headers[name] for name in HEADERS} == HEADERS


def test_bare_verification_accepts_what_the_wrapper_accepts_and_refuses_the_rest() -> None:
    payload = webhook_payload()
    signature = sign_webhook(payload, "whsec_example")
    assert bare_webhook(payload, signature, "whsec_example") == verify_webhook(payload, signature, "whsec_example").raw
    with pytest.raises(ValueError, match="not signed"):
        bare_webhook(payload, signature, "whsec_other")
    with pytest.raises(WebhookSignatureError):
        verify_webhook(payload, signature, "whsec_other")


def test_a_part_that_does_not_exist_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "A,Z"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--only takes A, B, C, D, E, F, G; got Z" in capsys.readouterr().err


def test_what_was_measured_last_is_judged_again_but_half_of_it_makes_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    monkeypatch.setattr("benchmarks.__main__.RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--again", "--check", "--write", str(page)])
    with pytest.raises(SystemExit):
        main()
    assert "nothing was measured yet" in capsys.readouterr().err
    write_results(tmp_path, {"calls": {"httpx": [1.0], OURS: [1.5], "stripe": [3.0]}}, {"date": "2026-11-22"})
    assert main() == 1
    shown = capsys.readouterr()
    assert "error: a call, of bare httpx: missed, measured 1.50 (1.50 to 1.50), asked for at most 1.2\n" in shown.err
    assert "performance.md is left as it is: not everything was measured\n" in shown.err
    assert not page.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["httpx", OURS, f"{OURS}, asynchronous"])
def test_the_programs_about_many_clients_run_and_tell_two_figures(server: Server, name: str) -> None:
    kept = kept_clients(server.url)[name]
    assert len(_printed(idle_clients(kept, number=2, seconds=0))) == 2
    assert len(_printed(clients_made_and_closed(kept, number=2, warm_up=2))) == 2


@each_row("module", ["__main__", "calls", "rounds", "server", "tables"])
def test_the_examples_of_the_harness_hold(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"benchmarks.{module}"))
    assert results.attempted > 0
    assert results.failed == 0


def test_the_payment_request_that_is_decoded_is_one_of_the_published_examples() -> None:
    vectors = (Path(__file__).resolve().parents[1] / "wrapper/bolt11/bolt11_vectors.json").read_text()
    assert f'"{PAYMENT_REQUEST}"' in vectors
