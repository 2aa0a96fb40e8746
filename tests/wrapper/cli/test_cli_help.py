"""What `--help` shows, that its examples work, and what a shell completes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tazapay_lightning import LightningClient
from tazapay_lightning.cli.app import app

if TYPE_CHECKING:
    from tazapay_lightning_emulator import Emulator

COMMANDS = ["demo", "create", "get", "update", "wait", "pay", "bulk", "decode", "emulator"]
HELPS = [[], *([command] for command in COMMANDS)]
GROUPS = {
    "": {"Without an account", "Invoices", "Many orders"},
    "create": {"Amount", "Memo", "Order", "Waiting", "Service", "Output"},
    "get": {"Service", "Output"},
    "wait": {"Waiting", "Service", "Output"},
    "bulk": {"Pace", "Service", "Output"},
}
PROGRAM = Path(sys.executable).with_name("tazapay-lightning")


def help_of(*command: str, flag: str = "--help") -> str:
    result = CliRunner().invoke(
        app, [*command, flag], prog_name="tazapay-lightning", env={"COLUMNS": "200"}, catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


def examples_of(*command: str) -> list[str]:
    return re.findall(r"^ \$ (.*\S)", help_of(*command), re.MULTILINE)


@pytest.mark.parametrize("command", HELPS, ids=" ".join)
def test_a_short_h_is_help_too(command: list[str]) -> None:
    assert help_of(*command, flag="-h") == help_of(*command)


@pytest.mark.parametrize("command", HELPS, ids=" ".join)
def test_every_help_has_examples_of_its_command(command: list[str]) -> None:
    examples = examples_of(*command)
    assert examples
    assert all(example.startswith(" ".join(["tazapay-lightning", *command])) for example in examples)


@pytest.mark.parametrize("command", GROUPS)
def test_options_and_commands_are_in_groups(command: str) -> None:
    titles = set(re.findall(r"^╭─ ([^─]+) ─", help_of(*command.split()), re.MULTILINE))
    assert titles - {"Arguments", "Options"} == GROUPS[command]


def environment_with(**variables: str) -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}", **variables}


EXAMPLES = [example for command in HELPS for example in examples_of(*command) if "emulator" not in example]


@pytest.mark.parametrize("example", dict.fromkeys(EXAMPLES))
def test_every_example_works(example: str, emulator_of_the_environment: Emulator, tmp_path: Path) -> None:
    """Those of the emulator, which run until Ctrl-C, are in test_cli."""
    with LightningClient() as client:
        invoice = client.create_invoice(amount_sats=5000)
    tmp_path.joinpath("orders.csv").write_text("order_id,amount_sats\n7890,5000\n")
    tmp_path.joinpath("request.txt").write_text(f"{invoice.bolt11}\n")
    if "wait l11" in example:
        emulator_of_the_environment.pay(invoice.id)
    line = example.replace("l11_abc123xyz", invoice.id)
    if example.endswith(" --wait"):  # by whoever scans it: the example is for a person
        line += " --timeout 0.1 || [ $? = 1 ]"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=tmp_path, env=environment_with(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# Completion


def completed(words: str, shell: str = "bash") -> list[str]:
    variables = {"_TAZAPAY_LIGHTNING_COMPLETE": f"complete_{shell}", "COMP_WORDS": words}
    variables["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    done = subprocess.run([PROGRAM], env=environment_with(**variables), capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tazapay-lightning cr", ["create"]),
        ("tazapay-lightning create --amount", ["--amount-sats", "--amount-btc"]),
        ("tazapay-lightning create --environment ", ["sandbox", "production"]),
        ("tazapay-lightning create --environment p", ["production"]),
        ("tazapay-lightning bulk --backend a", ["aiohttp"]),
    ],
)
def test_commands_options_and_their_values_are_completed(words: str, expected: list[str]) -> None:
    assert completed(words) == expected


@pytest.mark.parametrize(
    ("shell", "path"),
    [("bash", ".bash_completions/tazapay-lightning.sh"), ("zsh", ".zfunc/_tazapay-lightning")],
)
def test_completion_is_shown_and_installed_for_the_shell_that_asks(tmp_path: Path, shell: str, path: str) -> None:
    calling = tmp_path / shell  # shellingham looks for the shell by the names of the processes above
    calling.symlink_to("/bin/bash")
    environment = environment_with(HOME=str(tmp_path))
    for option in ("--show-completion", "--install-completion"):
        done = subprocess.run(
            [calling, "-c", f"{PROGRAM} {option}; exit $?"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"complete_{shell}" in (done.stdout if option == "--show-completion" else (tmp_path / path).read_text())
