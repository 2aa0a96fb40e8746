from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tazapay_lightning_emulator import Emulator, Fault, create_app
from tazapay_lightning_emulator.faults.plan import FaultPlan
from tests.support.emulator_faults import committed, until
from tests.support.thorough import sample

if TYPE_CHECKING:
    from tests.emulator.conftest import RawClient

Post = Callable[..., httpx.Response]

NEVER_SENT = ["refuse", "reset_before_commit", "status_before_commit", "html_before_commit"]
WHOLE_REPLY = ["delay_before_commit", "delay_after_commit", "drip", "huge_body", "gzip_bomb"]
QUICKLY: dict[str, dict[str, Any]] = {
    "refuse": {"seconds": 0},
    "delay_before_commit": {"seconds": 0},
    "delay_after_commit": {"seconds": 0},
    "drip": {"pause": 0},
    "huge_body": {"size": 1000},
    "gzip_bomb": {"size": 1000},
}


def every_fault() -> list[Fault]:
    return [
        *[Fault(kind, **QUICKLY.get(kind, {})) for kind in QUICKLY],
        *[Fault(kind) for kind in NEVER_SENT[1:]],
        Fault("reset_after_commit"),
        Fault("close_mid_body"),
        Fault("drip", pause=0, drip_head=True),
        Fault("status_after_commit"),
        Fault("html_after_commit"),
        Fault("truncated_json"),
        Fault("bad_gzip"),
        Fault("bad_gzip", form="truncated"),
        Fault("wrong_content_length"),
        Fault("wrong_content_length", declared="too_short"),
        Fault("stale_reply"),
        Fault("foreign_reply"),
        Fault("answer_twice", pause=0),
        Fault("wrong_amount"),
        Fault("zero_times"),
        Fault("odd_encoding"),
    ]


@pytest.mark.parametrize("fault", sample(every_fault(), 3), ids=str)
def test_after_every_fault_the_same_key_gets_one_invoice(
    emulator: Emulator, raw: RawClient, post: Post, fault: Fault
) -> None:
    emulator.fail_next(fault)
    raw.create("order-1", amount=5)
    emulator.stop_failing()
    reply = post({"amount": 5}, headers={"Idempotency-Key": "order-1"})
    [stored] = emulator.invoices()
    assert reply.json()["data"]["id"] == stored["id"]
    before = fault.kind in NEVER_SENT
    assert stored["replays"] == (0 if before else 1)
    assert [record.committed for record in emulator.requests()] == [not before, True]


@pytest.mark.parametrize("fault", sample(every_fault(), 4), ids=str)
def test_under_no_fault_is_a_refused_request_carried_out(
    emulator: Emulator, raw: RawClient, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    emulator.fail_next(fault)
    received = raw.create(amount=0)
    emulator.stop_failing()
    assert emulator.invoices() == []
    assert committed(emulator) == [False]
    if fault.kind in WHOLE_REPLY:
        assert received.head.startswith(b"HTTP/1.1 400 ")
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize("fault", sample(every_fault(), 3), ids=str)
def test_a_client_that_leaves_before_the_fault_is_no_failure(
    emulator: Emulator, raw: RawClient, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    emulator.fail_next(fault)
    with raw.connect() as connection:
        raw.send(connection)
    until(emulator.requests)
    emulator.stop_failing()
    assert raw.create().head.startswith(b"HTTP/1.1 200 ")
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize("fault", [fault for fault in every_fault() if fault.is_below_http], ids=str)
def test_another_server_says_that_it_cannot_do_what_lies_below_http(call_app: Post, fault: Fault) -> None:
    app = create_app(faults=FaultPlan(fault))
    reply = call_app(app, json={"amount": 1})
    assert reply.status_code == 501
    assert "running_emulator()" in reply.json()["errors"][0]["remarks"]
    assert call_app(app, "GET", "/_emulator/invoices").json() == []


@pytest.mark.parametrize("fault", [fault for fault in every_fault() if not fault.is_below_http], ids=str)
def test_another_server_does_what_can_be_said_in_asgi(call_app: Post, fault: Fault) -> None:
    app = create_app(faults=FaultPlan(fault))
    if fault == Fault("bad_gzip"):
        with pytest.raises(httpx.DecodingError):
            call_app(app, json={"amount": 1})
    else:
        assert call_app(app, json={"amount": 1}).status_code != 501
    stored = call_app(app, "GET", "/_emulator/invoices").json()
    assert len(stored) == (0 if fault.kind in NEVER_SENT else 1)


def test_a_program_that_does_it_all_ends_without_a_warning() -> None:
    program = """
import httpx
from tazapay_lightning_emulator import FAULT_KINDS, Fault, FaultPlan, running_emulator

quickly = {"drip": {"pause": 0}, "refuse": {"seconds": 0.01}, "huge_body": {"size": 1000}, "gzip_bomb": {"size": 1000}}
quickly |= dict.fromkeys(["delay_before_commit", "delay_after_commit"], {"seconds": 0})
kinds = [Fault(kind, **quickly.get(kind, {})) for kind in FAULT_KINDS]
with running_emulator(faults=FaultPlan(probability=1, seed=1, kinds=kinds)) as emulator:
    auth = (emulator.api_key, emulator.api_secret)
    with httpx.Client(base_url=emulator.base_url, auth=auth, trust_env=False) as client:
        for _ in range(200):
            try:
                client.post("/v3/lightning_invoice_bolt11", json={"amount": 1})
            except httpx.HTTPError:
                pass
    print({record.fault.kind for record in emulator.faults_injected()} == set(FAULT_KINDS))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program], capture_output=True, text=True, check=False
    )
    # development mode also tells which callbacks took long, which is the business of the machine
    warnings = [
        line for line in done.stderr.splitlines() if not re.fullmatch(r"Executing <.* took [\d.]+ seconds", line)
    ]
    assert (done.returncode, done.stdout, warnings) == (0, "True\n", [])
