"""Runs the documents: every block of README.md, CONTRIBUTING.md and docs/ is an example that has to work.

Python blocks run against an emulator that the environment's variables point to; functions in them that are named
``test_...`` are called as pytest would. Console blocks run in a copy of the repository, except the commands that CI or
another test runs as they stand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from tazapay_lightning import __version__
from tazapay_lightning_emulator import running_emulator
from tests.support.checkout import Checkout, documented_repository

REPOSITORY = Path(__file__).parent
VARIABLES = ("TAZAPAY_API_KEY", "TAZAPAY_API_SECRET", "TAZAPAY_BASE_URL")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts its background jobs like that, and every program that a test starts would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

RUN_ELSEWHERE = {
    "make demo": (".ci/run", "\nmake demo\n"),
    "make test": (".ci/run", "\nmake test\n"),
    "make check": (".ci/run", " check\n"),
    'pip install ".[all]"': ("tests/project/test_packaging.py", 'f"{wheel}[all]"'),
    'pip install "tazapay-lightning[all] @ git+ADDRESS"': (
        "tests/project/test_packaging.py",
        'f"tazapay-lightning[all] @ git+{address}/clone.git"',
    ),
    f'pip install "dist/tazapay_lightning-{__version__}-py3-none-any.whl[all]"': (
        "tests/project/test_packaging.py",
        'f"{wheel}[all]"',
    ),
}


def run_python(example: Example) -> None:
    """Run a block, and then the test functions that it defined."""
    before = set(example.namespace)
    PythonEvaluator()(example)
    for name in sorted(set(example.namespace) - before):
        if name.startswith("test_"):
            with pytest.MonkeyPatch.context() as nowhere_else:
                for variable in VARIABLES:  # a reader who copies the test has none, or those of another service
                    nowhere_else.delenv(variable)
                example.namespace[name](tazapay_emulator=example.namespace["documented_service"])


def run_console(example: Example) -> None:
    """Run the lines of a block that begin with a prompt."""
    for line in example.parsed.splitlines():
        assert line.startswith("$ "), f"not a command: {line}"
        command = line.removeprefix("$ ")
        if command in RUN_ELSEWHERE:
            file, line = RUN_ELSEWHERE[command]
            assert line in (REPOSITORY / file).read_text()
            continue
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=example.namespace["documented_checkout"].root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture
def documented_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An emulator, where the variables of the environment point to."""
    with running_emulator() as emulator:
        for variable, value in zip(VARIABLES, (emulator.api_key, emulator.api_secret, emulator.base_url), strict=True):
            monkeypatch.setenv(variable, value)
        yield emulator


@pytest.fixture
def documented_checkout(tmp_path: Path) -> Checkout:
    """A copy of the repository, to run commands in."""
    return documented_repository(tmp_path / "repository")


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser(language="python", evaluator=run_python),
        CodeBlockParser(language="console", evaluator=run_console),
    ],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md"],  # not docs/frameworks: `make frameworks-test` runs those
    fixtures=["documented_service", "documented_checkout"],
).pytest()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in which order the tests ran, in quiet runs too: `make test ARGS=--randomly-seed=...` repeats it."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"the order of the tests: --randomly-seed={seed}")
