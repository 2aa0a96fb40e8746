"""However a command ends, an invoice that exists or may exist is told: shown, or its id or key is on stderr, exit 3."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from tazapay_lightning import LightningClient
from tazapay_lightning.cli.app import app
from tests.support.bolt11_encoder import D, P, S, payment_request
from tests.support.served import HandlerServer
from tests.support.service import envelope, invoice_object

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, UNKNOWN = 0, 1, 2, 3
KEY = "order-7890"
ADVICE = f"an invoice may exist: to resume, repeat the command with --idempotency-key {KEY}\n"
CREATE = ["create", "--amount-sats", "1", "--idempotency-key", KEY]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
ID = "l11_abc123xyz"
REQUEST = payment_request(P, S, D, prefix="lnbcrt1234560n")

each_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: signal.Signals(number).name)


class Service:
    """Plays the service: answers when it is told to, and tells when a request is there."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.status, self.headers = status, headers
        self.has_request, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers.get("idempotency-key", KEY) == KEY
        self.has_request.set()
        self.may_answer.wait(30)
        body = envelope(invoice_object(amount=1)) if self.status == 200 else b"{}"
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(body))


@pytest.fixture
def service(request: pytest.FixtureRequest, handler_server: HandlerServer) -> Iterator[Service]:
    played: Service = getattr(request, "param", None) or Service()
    played.has_request.clear()
    played.may_answer.clear()
    with handler_server.serving(played) as played.base_url:  # type: ignore[attr-defined]  # for the tests alone
        yield played
        played.may_answer.set()


def environment_of(service: Any, **variables: str) -> dict[str, str]:
    own = {"TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s", "TAZAPAY_BASE_URL": service.base_url, "COLUMNS": "80"}
    return {**os.environ, **own, **variables}


@contextmanager
def started(arguments: list[str], environment: dict[str, str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a shell does in the foreground: with no signal ignored, whatever started the tests."""

    def as_a_shell_does() -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    command = [sys.executable, "-m", "tazapay_lightning", *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": as_a_shell_does, **options}
    with subprocess.Popen(command, env=environment, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    return process.returncode, stdout, stderr


# Signals


@each_signal
def test_a_signal_while_the_service_has_the_request_is_exit_3_with_the_key(number: int, service: Service) -> None:
    with started(CREATE, environment_of(service)) as process:
        assert service.has_request.wait(30)
        process.send_signal(number)
        assert end(process) == (UNKNOWN, "", f"error: interrupted\n{ADVICE}")


@each_signal
@pytest.mark.parametrize(
    ("service", "may_exist"),
    [(Service(503, **{"Retry-After": "60"}), True), (Service(429, **{"Retry-After": "60"}), False)],
    indirect=["service"],
    ids=["failed", "refused"],
)
def test_a_signal_while_the_next_attempt_waits_is_exit_3_with_the_key_if_an_invoice_may_exist(
    number: int, service: Service, may_exist: bool
) -> None:
    service.may_answer.set()
    with started(CREATE, environment_of(service, TAZAPAY_LOG="info")) as process:
        assert process.stderr is not None
        assert "trying again in 60" in process.stderr.readline()
        process.send_signal(number)
        expected = (UNKNOWN, ADVICE) if may_exist else (128 + number, "")
        assert end(process) == (expected[0], "", f"error: interrupted\n{expected[1]}")


IN_A_PROGRAM = """if True:
    import os, signal, sys
    from tazapay_lightning.cli import app
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    {setup}
    app.app({arguments!r})
"""
WHILE_LOADING = """
    class Interrupting:
        def find_spec(self, name, path=None, target=None):
            if name == "httpx":
                os.kill(os.getpid(), {number})
    sys.meta_path.insert(0, Interrupting())
"""
WHILE_SHOWING = """
    class Interrupting:
        def __getattr__(self, name):
            return getattr(sys.__stdout__, name)
        def write(self, text):
            os.kill(os.getpid(), {number})
            os.kill(os.getpid(), {number})
            return sys.__stdout__.write(text)
    sys.stdout = Interrupting()
"""


FAILING_TO_SHOW = """
    class Failing:
        def __getattr__(self, name):
            return getattr(sys.__stdout__, name)
        def write(self, text):
            raise RecursionError("as if {number}")
    sys.stdout = Failing()
"""


def run_in_a_program(setup: str, number: int, service: Service) -> tuple[int, str, str]:
    program = IN_A_PROGRAM.format(setup=setup.format(number=int(number)), arguments=CREATE)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment_of(service), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@each_signal
def test_a_signal_before_the_request_leaves_nothing_in_doubt(number: int, service: Service) -> None:
    assert run_in_a_program(WHILE_LOADING, number, service) == (128 + number, "", "error: interrupted\n")
    assert not service.has_request.is_set()


@each_signal
def test_a_signal_while_the_invoice_is_shown_tells_its_id_and_its_key(number: int, service: Service) -> None:
    """And a second one does not keep that from being told."""
    service.may_answer.set()
    code, _, stderr = run_in_a_program(WHILE_SHOWING, number, service)
    assert (code, stderr) == (UNKNOWN, f"error: interrupted; invoice {ID} exists\n{ADVICE}")


def test_whatever_else_keeps_an_invoice_from_being_shown_is_told_with_its_key(service: Service) -> None:
    service.may_answer.set()
    assert run_in_a_program(FAILING_TO_SHOW, 1, service) == (UNKNOWN, "", f"error: as if 1\n{ADVICE}")


def test_a_signal_that_is_ignored_stays_ignored(service: Service) -> None:
    """As SIGHUP is by nohup."""
    ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731 - what runs in the new process
    with started([*CREATE, "--json"], environment_of(service), preexec_fn=ignoring) as process:
        assert service.has_request.wait(30)
        process.send_signal(signal.SIGHUP)
        service.may_answer.set()
        code, stdout, stderr = end(process)
    assert (code, json.loads(stdout)["id"], stderr) == (DONE, ID, "")


def test_ctrl_c_on_a_terminal_is_exit_3_with_the_key(service: Service) -> None:
    master, slave = pty.openpty()

    def own_terminal() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with started(
        CREATE, environment_of(service), stdin=slave, start_new_session=True, preexec_fn=own_terminal
    ) as process:
        assert service.has_request.wait(30)
        os.write(master, b"\x03")
        assert end(process) == (UNKNOWN, "", f"error: interrupted\n{ADVICE}")
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("command", "number"),
    [(["get", ID], signal.SIGINT), (["update", ID, "--metadata", "a=b"], signal.SIGINT), (["get", ID], signal.SIGTERM)],
)
def test_a_signal_leaves_nothing_in_doubt_where_nothing_is_created(
    command: list[str], number: int, service: Service
) -> None:
    with started(command, environment_of(service)) as process:
        assert service.has_request.wait(30)
        process.send_signal(number)
        code, stdout, stderr = end(process)
    assert (code, stdout) in [(128 + number, ""), (-number, "")]  # killed by it, which a shell tells as the former
    assert KEY not in stderr


# Stdout that takes nothing

GONE = {
    "closed": ("exec >&-;", "stdout is closed"),
    "full": ("exec >/dev/full;", os.strerror(errno.ENOSPC)),
    "not open for writing": ("exec 1</dev/null;", os.strerror(errno.EBADF)),
}


def in_a_shell(before: str, arguments: list[str]) -> tuple[int, str]:
    command = " ".join(map(quote, [sys.executable, "-m", "tazapay_lightning", *arguments]))
    done = subprocess.run(["bash", "-c", f"{before} {command}"], stderr=subprocess.PIPE, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(("gone", "options"), [*((gone, []) for gone in GONE), ("full", ["--json"])], ids=str)
def test_an_invoice_that_cannot_be_shown_is_exit_3_with_id_and_key(
    gone: str, options: list[str], emulator_of_the_environment: Emulator
) -> None:
    before, reason = GONE[gone]
    code, stderr = in_a_shell(before, [*CREATE, *options])
    (stored,) = emulator_of_the_environment.invoices()
    assert (code, stderr) == (UNKNOWN, f"error: invoice {stored['id']} cannot be printed: {reason}\n{ADVICE}")


@pytest.mark.parametrize("gone", ["exec >&- 2>&-;", "exec >/dev/full 2>/dev/full;", "exec >/dev/full 2>&-;"])
def test_the_exit_code_is_right_without_stderr_too(gone: str, emulator_of_the_environment: Emulator) -> None:
    assert in_a_shell(gone, CREATE) == (UNKNOWN, "")
    assert len(emulator_of_the_environment.invoices()) == 1


@pytest.mark.parametrize("gone", ["exec 2>&-;", "exec 2>/dev/full;"])
def test_an_invoice_that_was_shown_is_done_without_stderr_too(gone: str, tmp_path: Path, service: Service) -> None:
    service.may_answer.set()  # an invoice without a payment request, so there is something to say
    shown = tmp_path / "shown"
    command = " ".join(map(quote, [sys.executable, "-m", "tazapay_lightning", *CREATE]))
    line = f"{gone} {command} >{quote(str(shown))}"
    assert subprocess.run(["bash", "-c", line], env=environment_of(service), check=False).returncode == DONE
    assert ID in shown.read_text()


def test_a_reader_that_was_never_there_is_told(emulator_of_the_environment: Emulator) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started(CREATE, dict(os.environ), stdout=writing) as process:
        os.close(writing)
        code, _, stderr = end(process)
    (stored,) = emulator_of_the_environment.invoices()
    assert (code, stderr) == (UNKNOWN, f"error: invoice {stored['id']} cannot be printed: Broken pipe\n{ADVICE}")


def test_a_reader_that_goes_away_between_the_lines_is_told(emulator_of_the_environment: Emulator) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)  # less than the QR code, which waits for the reader then
    with started(CREATE, dict(os.environ), stdout=writing) as process:
        os.close(writing)
        assert os.read(reading, 1) == b"L"
        os.close(reading)
        code, _, stderr = end(process)
    (stored,) = emulator_of_the_environment.invoices()
    assert (code, stderr) == (UNKNOWN, f"error: invoice {stored['id']} cannot be printed: Broken pipe\n{ADVICE}")


def test_both_streams_into_a_pipe_without_a_reader_is_exit_3(emulator_of_the_environment: Emulator) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started(CREATE, dict(os.environ), stdout=writing, stderr=writing) as process:
        os.close(writing)
        assert process.wait(30) == UNKNOWN
    assert len(emulator_of_the_environment.invoices()) == 1


@pytest.mark.parametrize(
    ("gone", "command", "options"),
    [("closed", "get", []), ("full", "update", ["--metadata", "a=b"]), ("full", "wait", [])],
)
def test_what_cannot_be_shown_and_was_not_created_is_exit_1(
    gone: str, command: str, options: list[str], emulator_of_the_environment: Emulator
) -> None:
    with LightningClient() as client:
        invoice_id = client.create_invoice(amount_sats=1).id
    emulator_of_the_environment.pay(invoice_id)
    before, reason = GONE[gone]
    code, stderr = in_a_shell(before, [command, invoice_id, *options])
    assert (code, stderr) == (REFUSED, f"error: invoice {invoice_id} cannot be printed: {reason}\n")


def test_the_demo_that_cannot_be_shown_is_exit_1() -> None:
    code, stderr = in_a_shell("exec >/dev/full;", ["demo"])
    assert code == REFUSED
    assert stderr.endswith(" cannot be printed: No space left on device\n")


@pytest.mark.parametrize("gone", [">/dev/full", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("arguments", [[], ["--version"], ["--help"], ["create", "--help"]], ids=" ".join)
def test_help_and_version_that_cannot_be_shown_are_exit_1(gone: str, arguments: list[str]) -> None:
    code, stderr = in_a_shell(f"exec {gone};", arguments)
    assert code == REFUSED
    assert re.fullmatch("" if "2>" in gone else r"error: .*cannot be printed: No space left on device\n", stderr)


@pytest.mark.parametrize("gone", GONE)
def test_an_emulator_whose_settings_cannot_be_shown_is_exit_1(gone: str) -> None:
    before, reason = GONE[gone]
    code, stderr = in_a_shell(before, ["emulator", "--port", "0"])
    assert code == REFUSED
    assert stderr.endswith(f"error: the settings cannot be printed: {reason}\n")


def test_a_payment_request_that_cannot_be_shown_is_exit_1() -> None:
    code, stderr = in_a_shell("exec >/dev/full;", ["decode", REQUEST])
    assert (code, stderr) == (REFUSED, "error: the payment request cannot be printed: No space left on device\n")


# Stdin


@pytest.mark.parametrize(
    "given",
    [
        "lnbc1".encode("utf-16"), "lnbc1".encode("utf-16-le"), "lnbc1\u00e9".encode("latin-1"), b"\xff\xfe",
        b"\x00" * 9, b"", b"\n", b"lnbc1\x00", b"lnbc1" + b"q" * 100_000, bytes(range(256)) * 100,
        "\ufefflnbc1".encode(),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_text_on_stdin_is_one_message(given: bytes) -> None:
    result = CliRunner().invoke(app, ["decode", "-"], input=given, catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert re.fullmatch(r"error: TEXT is not a BOLT11 payment request: [^\n]{1,300}\n", result.stderr)


@pytest.mark.parametrize(("stdin", "reason"), [("<&-", "it is closed"), ("0>/dev/null", os.strerror(errno.EBADF))])
def test_stdin_that_cannot_be_read_is_one_message(stdin: str, reason: str) -> None:
    code, stderr = in_a_shell(f"exec {stdin};", ["decode", "-"])
    assert (code, stderr) == (USAGE, f"error: nothing can be read from stdin: {reason}\n")


# What messages say

PYTHON = re.compile(
    r"\b(amount_sats|amount_btc|memo_as_hash|memo_hash|expires_in|idempotency_key|base_url|api_key|api_secret|allow_http|"
    r"max_retries|poll_interval|invoice_id|a Decimal|timedelta|uuid)\b"
)


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        (["get", ID, "--environment", "live"], {}, "--environment (or TAZAPAY_ENVIRONMENT) must be"),
        (["get", ID, "--base-url", "nonsense"], {}, "--base-url (or TAZAPAY_BASE_URL) must be an https URL"),
        (["get", ID, "--base-url", "https://a@b.example"], {}, "are TAZAPAY_API_KEY and TAZAPAY_API_SECRET"),
        (["get", ID, "--base-url", "http://emulator"], {}, "with TAZAPAY_ALLOW_HTTP=1 for others too"),
        (["get", ID, "--base-url", "http://127.0.0.1:9"], {}, "nothing listens there: check --base-url, and whether"),
        (["create", "--amount-sats", "1", "--expires-in", "0"], {}, "--expires-in must be an int from 1 to"),
        (["create", "--amount-sats", "1", "--idempotency-key", "a b"], {}, "characters, without blanks; got 'a b'"),
        (["create", "--amount-sats", "1", "--memo-as-hash"], {}, "--memo-as-hash needs the memo to hash; to send a"),
        (["create"], {}, 'error: an amount is needed: --amount-sats=123456 or --amount-btc="0.00123456"\n'),
        (["emulator", "--port", "0", "--webhook-url", "https://a.b"], {}, "error: --webhook-url: http:// and a loop"),
        (["emulator", "--port", "0", "--webhook-secret", ""], {}, "error: --webhook-secret must be a string"),
        (
            ["create", "--amount-sats", "1", "--environment", "production"],
            {"TAZAPAY_BASE_URL": "http://127.0.0.1:8787"},
            'is "production", but TAZAPAY_BASE_URL is http://127.0.0.1:8787: unset one of them, or pass --base-url',
        ),
        (["get", ID, "--environment", "sandbox"], {"TAZAPAY_BASE_URL": "https://gateway.example"}, "unset one of them"),
        (["get", ID], {"TAZAPAY_API_KEY": "a:b"}, "TAZAPAY_API_KEY (environment variable) must not hold a colon"),
        (["get", ID], {"TAZAPAY_API_SECRET": ""}, "and TAZAPAY_API_SECRET (TAZAPAY_API_SECRET is missing)"),
        (["wait", ID, "--timeout", "0"], {}, "--timeout must be seconds, greater than 0 and at most 86400; got 0.0"),
        (["wait", ID, "--poll-interval", "-1"], {}, "--poll-interval must be seconds, greater than 0"),
        (["decode", "lnbc1"], {}, "TEXT is not a BOLT11 payment request"),
        (["bulk", "orders.txt", "--out", "out"], {}, "ORDERS must be a .csv or .jsonl file"),
        (["bulk", "orders.csv", "--out", "out", "--rate", "0"], {}, "--rate must be requests per second"),
        (["bulk", "orders.csv", "--out", "out", "--namespace", ""], {}, "--namespace must be"),
        (["bulk", "orders.csv", "--out", "out", "--backend", "requests"], {}, '--backend must be "httpx" or "aiohttp"'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_message_names_options_and_variables(
    arguments: list[str], variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s", **variables}.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code in {REFUSED, USAGE}
    assert expected in result.stderr
    assert not PYTHON.search(result.stderr)


WORDS = [
    "base_url", "check base_url and the network", "memo_as_hash=True", "idempotency_key (a str)", "orders must be",
    "slow down, or raise max_retries", "give amount_sats or amount_btc, not both", "x; got base_url, or a uuid.UUID",
    "environment base_url amount_sats memo text invoice_id", "must be seconds as a number, or a timedelta, so",
]  # fmt: skip
"""What others may write that reads like this package's own words."""

each_word = pytest.mark.parametrize("word", WORDS)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code in {REFUSED, USAGE}
    return result.stderr


@each_word
@pytest.mark.usefixtures("credentials")
def test_the_name_of_a_file_is_told_as_it_is(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        said("bulk", f"{word}.csv", "--out", "out") == f"error: {word}.csv cannot be read: No such file or directory\n"
    )
    Path(f"{word}.csv").write_text("order_id,amount_sats\n1,0\n")
    assert said("bulk", f"{word}.csv", "--out", "out").startswith(f"{word}.csv, line 2: order 1: amount_sats must be")
    assert f"{word!r}" in said("bulk", word, "--out", "out")


@each_word
@pytest.mark.usefixtures("credentials")
def test_a_value_that_was_refused_is_told_as_it_is(word: str) -> None:
    shown = repr(word)
    assert said("get", ID, "--environment", word).endswith(f'must be "sandbox" or "production"; got {shown}\n')
    assert said("create", "--amount-btc", word).endswith(f'such as "0.001"; got {shown}\n')


@pytest.mark.parametrize("path", ["base_url", "amount_sats/memo_as_hash=True"])
@pytest.mark.usefixtures("credentials")
def test_an_address_is_told_as_it_is(path: str) -> None:
    expected = f"error: no complete reply from http://127.0.0.1:9/{path}: "
    assert said("get", ID, "--base-url", f"http://127.0.0.1:9/{path}").startswith(expected)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 200], ids=str)
@pytest.mark.usefixtures("credentials")
def test_the_services_words_are_told_as_they_are(handler_server: HandlerServer, status: int) -> None:
    bodies = (httpx.ByteStream(json.dumps({"status": "error", "message": word}).encode()) for word in WORDS)

    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"Retry-After": "200"}, stream=next(bodies))

    with handler_server.serving(reply) as base_url:
        for word in WORDS:
            told = said("get", ID, "--base-url", base_url)
            assert re.match(rf"error: [^:]+: {re.escape(word)}[;\n]", told)
            assert not PYTHON.search(told.replace(word, ""))


# Errors as documents


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["get", "l11_unknown"], REFUSED, "NotFoundError"),
        (["get", "../l11"], USAGE, "InvalidArgumentError"),
        (["get", ID, "--environment", "live"], USAGE, "InvalidArgumentError"),
        (["get", ID, "--base-url", "http://127.0.0.1:9"], REFUSED, "APIConnectionError"),
        (["create"], USAGE, "InvalidArgumentError"),
        (["create", "--amount-sats", "1.5"], USAGE, None),
        (["create", "--nonsense"], USAGE, None),
        (["--nonsense"], USAGE, None),
        (["update", ID], USAGE, None),
        (
            ["pay", ID, "--environment", "sandbox", "--base-url", "https://service.tazapay.com"],
            USAGE,
            "InvalidArgumentError",
        ),
        (["create", "--amount-sats", "5", "--qr-file", "code.gif"], USAGE, None),
        (["emulator"], USAGE, None),
        (["nonsense"], USAGE, None),
        (["update", ID, "--metadata", "a"], USAGE, "InvalidArgumentError"),
        (["decode", "lnbc1"], USAGE, "InvalidBolt11Error"),
        (["bulk", "none.csv", "--out", "out"], USAGE, "InvalidArgumentError"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("emulator_of_the_environment")
def test_with_json_an_error_is_a_document_on_stdout(arguments: list[str], code: int, kind: str | None) -> None:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert (result.exit_code, document["exit_code"], document["error"]["type"]) == (code, code, kind)
    assert (document["idempotency_key"], document["invoice"]) == (None, None)
    message = document["error"]["message"]
    assert message.split()[0] in result.stderr
    assert kind is None or result.stderr == f"error: {message}\n"


def test_a_document_of_an_error_holds_the_invoice_and_the_key(emulator_of_the_environment: Emulator) -> None:
    for amount in ("1", "2"):
        options = ["--amount-sats", amount, "--idempotency-key", KEY, "--json"]
        result = CliRunner().invoke(app, ["create", *options], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert (result.exit_code, document["exit_code"], document["idempotency_key"]) == (UNKNOWN, UNKNOWN, KEY)
    assert document["error"]["type"] == "InvoiceMismatchError"
    (stored,) = emulator_of_the_environment.invoices()
    assert (document["invoice"]["id"], document["invoice"]["amount_sats"]) == (stored["id"], 1)


def test_a_document_of_an_expired_invoice_holds_it(emulator_of_the_environment: Emulator) -> None:
    with LightningClient() as client:
        invoice_id = client.create_invoice(amount_sats=1).id
    emulator_of_the_environment.advance_clock(3600)
    result = CliRunner().invoke(app, ["wait", invoice_id, "--json"], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert (document["error"]["type"], document["invoice"]["id"]) == ("InvoiceExpiredError", invoice_id)


def test_a_document_of_an_interrupted_creation_holds_its_key(service: Service) -> None:
    with started([*CREATE, "--json"], environment_of(service)) as process:
        assert service.has_request.wait(30)
        process.send_signal(signal.SIGTERM)
        code, stdout, _ = end(process)
    document = json.loads(stdout)
    assert (code, document["exit_code"], document["idempotency_key"]) == (UNKNOWN, UNKNOWN, KEY)
    assert document["error"]["message"] == "interrupted"


# What is logged


def test_a_mismatch_is_told_once_and_not_logged(emulator_of_the_environment: Emulator) -> None:
    for amount in ("1", "2"):
        code, stderr = in_a_shell("", ["create", "--amount-sats", amount, "--idempotency-key", KEY, "--no-qr"])
    assert code == UNKNOWN
    error, advice = stderr.splitlines(keepends=True)
    assert error.startswith("error: asked for 2 satoshi with the idempotency key")
    assert advice == ADVICE


def test_what_else_differs_is_shown_and_not_logged(handler_server: HandlerServer) -> None:
    body = envelope(invoice_object(amount=1, expiry_interval=60))
    with handler_server.serving(lambda _: httpx.Response(200, stream=httpx.ByteStream(body))) as base_url:
        service = SimpleNamespace(base_url=base_url)
        with started([*CREATE, "--expires-in", "600", "--no-qr"], environment_of(service)) as process:
            code, stdout, stderr = end(process)
    assert (code, stderr) == (DONE, "")
    assert "  not as asked     expiry_interval: 60 instead of 600\n" in stdout


def test_the_services_own_reasons_are_in_the_message_as_it_wrote_them(
    handler_server: HandlerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = {"code": 1101, "message": "amount_sats is too low (a str)", "remarks": "idempotency_key, or a number; see"}
    body = json.dumps({"status": "error", "message": "Invalid request", "errors": [reason]}).encode()
    monkeypatch.setenv("TAZAPAY_API_KEY", "k")
    monkeypatch.setenv("TAZAPAY_API_SECRET", "s")
    with handler_server.serving(lambda _: httpx.Response(400, stream=httpx.ByteStream(body))) as base_url:
        result = CliRunner().invoke(app, [*CREATE, "--base-url", base_url], catch_exceptions=False)
    assert result.exit_code == REFUSED
    said = "Invalid request (code 1101); amount_sats is too low (a str): idempotency_key, or a number; see"
    assert result.stderr == f"error: 400 Bad Request: {said}\n"
