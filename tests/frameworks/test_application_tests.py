"""The tests that guides show: run by the commands that they show, and the worker of Celery's guide."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tazapay_lightning import APITimeoutError, LightningClient
from tazapay_lightning_emulator import Emulator
from tests.frameworks.guides import ALL, File, guide
from tests.frameworks.projects import Project


def command(name: str, program: str) -> str | None:
    """Return the command of a guide that runs a program."""
    return next((step for step in guide(name).steps if isinstance(step, str) and step.startswith(program)), None)


def test_every_guide_is_run_as_a_server_or_by_its_tests() -> None:
    assert [name for name in ALL if not (guide(name).servers or command(name, "pytest"))] == []


@pytest.mark.parametrize("name", [name for name in ALL if command(name, "pytest")])
def test_the_tests_of_a_guide_pass_as_many_as_it_shows(name: str, tmp_path: Path) -> None:
    reader = Project(guide(name), tmp_path, {})
    reader.prepare()
    blocks = [step.text for step in reader.guide.steps if isinstance(step, File)]
    shown = sum(len(re.findall(r"^def test_", block, re.MULTILINE)) for block in blocks)
    done = reader.run(command(name, "pytest") or "")
    assert re.search(rf"^=+ {shown} passed in ", done.stdout, re.MULTILINE), done.stdout


def test_a_worker_without_credentials_does_not_start(tmp_path: Path) -> None:
    reader = Project(guide("celery"), tmp_path, {"BROKER_URL": "memory://"})
    reader.prepare()
    done = reader.run(command("celery", "celery") or "")
    assert (done.returncode, "TAZAPAY_API_KEY" in done.stdout) == (1, True), done.stdout


def test_under_a_frozen_clock_the_attempts_end_a_call_and_not_its_deadline(tazapay_emulator: Emulator) -> None:
    from freezegun import freeze_time

    tazapay_emulator.fail_next("delay_before_commit", seconds=60, times=3)
    credentials = tazapay_emulator.api_key, tazapay_emulator.api_secret
    began = time.monotonic()
    with (
        freeze_time("2030-02-01", real_asyncio=True),
        LightningClient(*credentials, base_url=tazapay_emulator.base_url, timeout=0.5, deadline=1.2) as client,
        pytest.raises(APITimeoutError) as caught,
    ):
        client.create_invoice(amount_sats=5000)
    assert caught.value.attempts == 3
    assert time.monotonic() - began > 1.2
