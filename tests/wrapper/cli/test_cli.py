"""The command line: one JSON document on stdout, messages on stderr, and exit codes that a script can rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from tazapay_lightning import LightningClient, __version__, hash_memo
from tazapay_lightning.cli.app import app
from tests.support.service import OneReplyServer, envelope, invoice_object

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

DONE, REFUSED, USAGE, OUTCOME_UNKNOWN = 0, 1, 2, 3
SECRET = "secret-canary"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_demo_shows_an_invoice_readably() -> None:
    result = run("demo")
    assert result.exit_code == DONE
    for part in (
        "Lightning invoice l11_",
        "0.00123456 BTC (123,456 satoshi)",
        "Payment for order #7890",
        "active, unpaid",
    ):
        assert part in result.stdout
    assert result.stderr.startswith("emulator of Tazapay at http://127.0.0.1:")


def test_demo_with_json_prints_one_json_document_on_stdout() -> None:
    shown = json.loads(run("demo", "--json").stdout)
    assert (shown["amount_sats"], shown["amount_btc"], shown["metadata"]["order_id"]) == (123456, "0.00123456", "7890")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--amount-sats", "5"], {"amount_sats": 5, "memo": None, "metadata": {}, "expiry_interval": 3600}),
        (["--amount-btc", "0.00000005"], {"amount_sats": 5, "amount_btc": "0.00000005"}),
        (["--amount-sats", "5", "--memo", "Order"], {"memo": "Order", "memo_hash": None}),
        (["--amount-sats", "5", "--memo", "Order", "--memo-as-hash"], {"memo": None, "memo_hash": hash_memo("Order")}),
        (["--amount-sats", "5", "--memo-hash", "ab" * 32], {"memo": None, "memo_hash": "ab" * 32}),
        (["--amount-sats", "5", "--expires-in", "60"], {"expiry_interval": 60}),
        (
            ["--amount-sats", "5", "--metadata", "order_id=7890", "--metadata", "note=a=b"],
            {"metadata": {"order_id": "7890", "note": "a=b"}},
        ),
        (["--amount-sats", "5", "--idempotency-key", "order-1"], {"idempotency_key": "order-1"}),
    ],
)
@pytest.mark.usefixtures("emulator_of_the_environment")
def test_create_turns_each_option_into_its_argument(arguments: list[str], expected: dict[str, Any]) -> None:
    result = run("create", "--json", *arguments)
    assert result.exit_code == DONE
    shown = json.loads(result.stdout)
    assert {name: shown[name] for name in expected} == expected


@pytest.mark.usefixtures("emulator_of_the_environment")
def test_text_from_outside_is_not_read_as_markup() -> None:
    assert "[bold]Order[/bold]" in run("create", "--amount-sats", "5", "--memo", "[bold]Order[/bold]").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], 'error: an amount is needed: --amount-sats=123456 or --amount-btc="0.00123456"'),
        (["--amount-sats", "1", "--amount-btc", "1"], "error: give --amount-sats or --amount-btc, not both"),
        (["--amount-btc", "0.000000001"], "error: --amount-btc must be an exact number of BTC"),
        (["--amount-sats", "0"], "error: --amount-sats must be an int from 1"),
        (["--amount-sats", "1.5"], "Invalid value for '--amount-sats'"),
        (["--amount-sats", "1", "--metadata", "order"], "error: --metadata must be KEY=VALUE"),
        (["--amount-sats", "1", "--metadata", "=1"], "error: --metadata must be KEY=VALUE"),
        (
            ["--amount-sats", "1", "--metadata", "a=1", "--metadata", "a=2"],
            "error: --metadata must be KEY=VALUE, as in order_id=7890, with each key once; got 'a=2'",
        ),
        (["--amount-sats", "1", "--memo", "a" * 640], "error: --memo must be at most 639 bytes of UTF-8 (BOLT #11)"),
        (["--amount-sats", "1", "--memo", "a" * 640], "got 640. Pass --memo-as-hash to send its SHA-256"),
        (["--amount-sats", "1", "--memo-as-hash"], "error: --memo-as-hash needs the memo to hash"),
        (["--amount-sats", "1", "--memo-as-hash"], "pass --memo-hash alone"),
        (["--amount-sats", "1", "--memo-hash", "ab"], "error: --memo-hash must be 64 hex digits"),
        (["--amount-sats", "1", "--expires-in", "0"], "error: --expires-in must be an int from 1"),
        (["--amount-btc", "amount_sats"], "such as \"0.001\"; got 'amount_sats'"),
        (["--amount-sats", "1", "--idempotency-key", "a b"], "error: --idempotency-key must be"),
        (["--amount-sats", "1", "--api-key", "x"], "No such option"),
    ],
)
@pytest.mark.usefixtures("emulator_of_the_environment")
def test_a_bad_option_is_a_usage_error_and_nothing_is_created(
    arguments: list[str], message: str, tazapay_emulator: Emulator
) -> None:
    result = run("create", *arguments)
    assert result.exit_code == USAGE
    assert message in " ".join(result.stderr.split()).replace("│ ", "")
    assert (result.stdout, tazapay_emulator.invoices()) == ("", [])


def test_create_without_credentials_names_the_variables() -> None:
    result = run("create", "--amount-sats", "1")
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    expected = "error: no credentials: set TAZAPAY_API_KEY and TAZAPAY_API_SECRET (TAZAPAY_API_KEY is missing)\n"
    assert result.stderr == expected


@pytest.mark.usefixtures("emulator_of_the_environment")
def test_a_refusal_of_the_service_is_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAZAPAY_API_SECRET", SECRET)
    result = run("create", "--amount-sats", "1")
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert result.stderr.startswith("error: 401 Unauthorized")
    assert SECRET not in result.output


@pytest.mark.usefixtures("emulator_of_the_environment")
def test_another_amount_is_exit_3_with_id_and_key(tazapay_emulator: Emulator) -> None:
    run("create", "--amount-sats", "1", "--idempotency-key", "order-1")
    result = run("create", "--amount-sats", "2", "--idempotency-key", "order-1")
    assert (result.exit_code, result.stdout) == (OUTCOME_UNKNOWN, "")
    for part in ("do not show it to a payer", tazapay_emulator.invoices()[0]["id"], "--idempotency-key order-1"):
        assert part in result.stderr


def test_an_unknown_outcome_is_exit_3_and_prints_the_key_to_resume_with(
    one_reply_server: Callable[[bytes], OneReplyServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = one_reply_server(b"<html>")
    for name, value in (("KEY", "k"), ("SECRET", SECRET)):
        monkeypatch.setenv(f"TAZAPAY_API_{name}", value)
    result = run("create", "--amount-sats", "1", "--base-url", server.base_url, "--idempotency-key", "it's;7890")
    assert (result.exit_code, result.stdout) == (OUTCOME_UNKNOWN, "")
    error, advice = result.stderr.splitlines()
    assert error.startswith("error: expected JSON; ")
    assert advice == "an invoice may exist: to resume, repeat the command with --idempotency-key " + quote("it's;7890")
    assert SECRET not in result.output


INTERRUPTED = """if True:
    import os, signal, threading, httpx
    from tazapay_lightning.cli import app
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell that started the tests said
    real = httpx.HTTPTransport.handle_request
    def interrupted(self, request):
        real(self, request)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(30)
    httpx.HTTPTransport.handle_request = interrupted
    app.app(["create", "--amount-sats", "1", "--base-url", {base_url!r}, "--idempotency-key", "order-7890"])
"""


def test_an_interrupted_create_is_exit_3_and_prints_the_key_to_resume_with(
    one_reply_server: Callable[[bytes], OneReplyServer],
) -> None:
    server = one_reply_server(envelope(invoice_object(amount=1)))
    environment = {**os.environ, "TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s"}
    program = INTERRUPTED.format(base_url=server.base_url)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (OUTCOME_UNKNOWN, "")
    assert done.stderr == (
        "error: interrupted\nan invoice may exist: to resume, repeat the command with --idempotency-key order-7890\n"
    )


@pytest.mark.parametrize("memo", ["Z\u00fcrich", "\\ud800"])
def test_a_letter_that_the_terminal_cannot_show_is_escaped(
    memo: str, one_reply_server: Callable[[bytes], OneReplyServer]
) -> None:
    body = envelope(invoice_object(amount=1, d_tag_memo="MEMO")).replace(b"MEMO", memo.encode())
    environment = {
        **os.environ, "TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "tazapay_lightning", "create", "--amount-sats", "1"]
    done = subprocess.run(
        [*command, "--base-url", one_reply_server(body).base_url], capture_output=True, env=environment, check=False
    )
    assert done.returncode == DONE, done.stderr
    assert b"Lightning invoice l11_abc123xyz" in done.stdout


@pytest.mark.usefixtures("emulator_of_the_environment")
def test_control_characters_do_not_reach_the_terminal() -> None:
    result = run("create", "--amount-sats", "1", "--memo", "\x1b[2Jgone\x07")
    assert "[2Jgone" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"tazapay-lightning {__version__}\n"


@pytest.mark.parametrize("command", [["--help"], ["create", "--help"], ["emulator", "--help"], ["demo", "--help"]])
def test_help_offers_no_option_for_credentials(command: list[str]) -> None:
    result = run(*command)
    assert result.exit_code == DONE
    assert "--api" not in result.stdout
    assert "--secret" not in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo"],
        ["create", "--amount-sats", "1"],
        ["create", "--amount-sats", "1", "--json"],
        ["create", "--amount-sats", "0"],
        ["create", "--amount-sats", "1", "--base-url", "http://127.0.0.1:9"],
        ["create", "--amount-sats", "1", "--base-url", "nonsense"],
        ["get", "l11_abc123xyz"],
        ["get", "l11_another"],
        ["update", "l11_abc123xyz", "--metadata", "a=b"],
        ["wait", "l11_abc123xyz", "--timeout", "0.01", "--poll-interval", "0.01"],
        ["decode", "lnbc1"],
        ["create", "--help"],
        ["--help"],
        ["--version"],
        ["unknown"],
    ],
    ids=" ".join,
)
def test_no_command_prints_credentials(
    arguments: list[str], one_reply_server: Callable[..., OneReplyServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "key-canary"
    server = one_reply_server(envelope(invoice_object(amount=1)))
    monkeypatch.setenv("TAZAPAY_API_KEY", key)
    monkeypatch.setenv("TAZAPAY_API_SECRET", SECRET)
    monkeypatch.setenv("TAZAPAY_BASE_URL", server.base_url)
    result = run(*arguments)
    assert result.output
    canaries = (key, SECRET, b64encode(f"{key}:{SECRET}".encode()).decode())
    assert not [canary for canary in canaries if canary in result.output]


def test_python_m_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tazapay_lightning", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"tazapay-lightning {__version__}\n"


@pytest.mark.parametrize(("missing", "extra"), [("typer", "cli"), ("uvicorn", "emulator")])
def test_a_missing_extra_is_named(missing: str, extra: str) -> None:
    program = f"""if True:
        import sys
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == {missing!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        sys.meta_path.insert(0, Missing())
        sys.argv[1:] = ["demo"]
        from tazapay_lightning.__main__ import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    part = {"cli": "command line", "emulator": "emulator"}[extra]
    assert done.stderr == f'error: the {part} needs {missing}: pip install "tazapay-lightning[{extra}]"\n'


def test_the_emulator_command_serves_until_it_is_interrupted(tmp_path: Any) -> None:
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whatever started the tests said
        "from tazapay_lightning.cli import app\n"
        f"app.app(['emulator', '--port', '0', '--db', {str(tmp_path / 'invoices.db')!r}])"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            exported = dict(process.stdout.readline().removeprefix("export ").strip().split("=") for _ in range(4))
            with LightningClient(
                exported["TAZAPAY_API_KEY"], exported["TAZAPAY_API_SECRET"], base_url=exported["TAZAPAY_BASE_URL"]
            ) as client:
                assert client.create_invoice(amount_sats=7).amount_sats == 7
            assert exported["TAZAPAY_WEBHOOK_SECRET"]
            process.send_signal(signal.SIGINT)
            _, messages = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == DONE
    assert "Traceback" not in messages
    assert (tmp_path / "invoices.db").stat().st_size > 0


def test_the_emulator_command_says_if_its_port_is_taken(tazapay_emulator: Emulator) -> None:
    result = run("emulator", "--port", tazapay_emulator.base_url.rpartition(":")[2])
    assert result.exit_code == REFUSED
    assert result.stderr.startswith("error: ")
    assert "is taken" in result.stderr
