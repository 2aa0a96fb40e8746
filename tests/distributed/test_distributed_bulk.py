"""Orders shared by worker processes that are killed with SIGKILL, over a real Redis and a real emulator."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from examples.distributed_bulk.asking import Asker, longest_pause
from examples.distributed_bulk.decisions import Asked, Decision
from examples.distributed_bulk.ledger import TwoInvoicesError
from examples.distributed_bulk.orders import sample_orders
from examples.distributed_bulk.pace import Pace
from examples.distributed_bulk.settings import ATTEMPTS_PER_DELIVERY
from tazapay_lightning import Invoice, LightningClient
from tazapay_lightning.bulk import idempotency_key

if TYPE_CHECKING:
    from tests.distributed.conftest import KilledRun, Site

REPOSITORY = Path(__file__).resolve().parents[2]


def until(true: Callable[[], object], *, within: float = 60.0) -> None:
    """Wait for a condition."""
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends, "it did not become true"
        time.sleep(0.02)


one_run = pytest.mark.xdist_group("killed_run")  # the fixture takes long: one worker makes it, once


@one_run
def test_each_order_has_exactly_one_invoice_though_both_workers_were_killed_at_work(killed_run: KilledRun) -> None:
    created = killed_run.site.created()
    assert set(created) == {idempotency_key("orders", order.order_id) for order in killed_run.orders}
    assert {len(ids) for ids in created.values()} == {1}
    assert [worker for worker, _ in killed_run.done.killed] == ["worker-1", "worker-2"]
    assert killed_run.done.stopped is None


@one_run
def test_faults_were_met_on_the_way(killed_run: KilledRun) -> None:
    assert len(killed_run.site.emulator.faults_injected()) > len(killed_run.orders) / 4


@one_run
def test_the_ledger_names_the_very_invoices_that_the_service_has(killed_run: KilledRun) -> None:
    invoices = killed_run.site.emulator.invoices()
    stored = {invoice["idempotency_key"]: (invoice["id"], invoice["amount"]) for invoice in invoices}
    for order, decision, invoice_id in killed_run.done.outcomes:
        assert decision is Decision.CREATED
        assert stored[idempotency_key("orders", order.order_id)] == (invoice_id, order.amount_sats)


@one_run
def test_the_same_run_again_asks_for_nothing(killed_run: KilledRun) -> None:
    before = len(killed_run.site.emulator.requests())
    again = killed_run.site.run(killed_run.orders)
    assert again.enqueued == 0
    assert again.outcomes == killed_run.done.outcomes
    assert len(killed_run.site.emulator.requests()) == before


@one_run
def test_no_credential_was_ever_written_to_redis(killed_run: KilledRun) -> None:
    site = killed_run.site
    written = b"".join(path.read_bytes() for path in site.folder.rglob("*.aof"))  # all that ever was, messages too
    assert b"tazapay_bulk.create_invoice" in written
    assert b"order-0001" in written
    basic = base64.b64encode(f"{site.emulator.api_key}:{site.emulator.api_secret}".encode())
    for secret in (site.emulator.api_secret.encode(), site.emulator.api_key.encode(), basic):
        assert secret not in written


def test_a_ledger_that_was_lost_doubles_nothing_within_a_day(site: Site) -> None:
    orders = list(sample_orders(10))
    first = site.run(orders)
    site.redis.flushall()
    assert site.run(orders).outcomes == first.outcomes
    assert len(site.emulator.invoices()) == 10


def test_a_message_comes_back_from_a_dead_machine_without_anybody_enqueuing_it_again(site: Site) -> None:
    from examples.distributed_bulk.fleet import Fleet
    from examples.distributed_bulk.queueing import Queue

    site = attrs.evolve(site, settings=attrs.evolve(site.settings, deadline=0.5, longest_wait=0.1))
    [order] = sample_orders(1)
    site.emulator.fail_next("delay_after_commit", seconds=0.4)
    queue = Queue(site.settings, site.redis)
    with Fleet(1, site.settings.to_environment() | site.credentials, site.log) as fleet:
        queue.put([order])
        until(lambda: fleet.catch_and_kill(site.ledger))
        until(lambda: site.ledger.record(order.order_id).invoice)
    queue.close()
    assert len(site.emulator.invoices()) == 1


def test_a_message_goes_back_at_once_when_only_the_process_that_had_it_is_killed(site: Site) -> None:
    from examples.distributed_bulk.fleet import Fleet
    from examples.distributed_bulk.queueing import Queue

    site = attrs.evolve(site, settings=attrs.evolve(site.settings, deadline=1.0, longest_wait=8.0))
    [order] = sample_orders(1)
    site.emulator.fail_next("delay_before_commit", seconds=0.9)
    queue = Queue(site.settings, site.redis)
    with Fleet(1, site.settings.to_environment() | site.credentials, site.log) as fleet:
        queue.put([order])
        until(site.emulator.requests)
        worker = fleet.workers[0].process.pid
        for child in Path(f"/proc/{worker}/task/{worker}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        until(lambda: site.ledger.record(order.order_id).invoice, within=site.settings.visibility_timeout / 2)
        assert fleet.dead() is None
    queue.close()
    assert len(site.emulator.invoices()) == 1


def test_a_message_is_handed_back_as_often_as_it_takes(site: Site) -> None:
    from examples.distributed_bulk.fleet import Fleet
    from examples.distributed_bulk.queueing import Queue

    [order] = sample_orders(1)
    longest_four_deliveries = 4 * ATTEMPTS_PER_DELIVERY * longest_pause(1)
    assert site.settings.lease > longest_four_deliveries, "Celery's own limit would have been met by then"
    queue = Queue(site.settings, site.redis)
    with Fleet(1, site.settings.to_environment() | site.credentials, site.log) as fleet:
        until(lambda: any(client["cmd"] == "brpop" for client in site.redis.client_list()))  # the worker is there
        site.redis.set(f"tazapay-bulk:orders:lease:{order.order_id}", "dead/1", px=int(site.settings.lease * 1000))
        queue.put([order])
        until(lambda: site.ledger.record(order.order_id).invoice, within=site.settings.visibility_timeout / 2)
        assert fleet.dead() is None
    queue.close()


def test_an_order_that_was_changed_since_is_refused_with_both_amounts(site: Site) -> None:
    [order] = sample_orders(1)
    site.run([order])
    before = len(site.emulator.requests())
    [(_, decision, words)] = site.run([attrs.evolve(order, amount_sats=2_000)]).outcomes
    assert decision is Decision.CHANGED
    assert words == "has an invoice already, over 1001 satoshi; now it is 2000"
    assert len(site.emulator.requests()) == before


def test_a_worker_refuses_a_changed_order_too_whoever_enqueued_it(site: Site) -> None:
    from examples.distributed_bulk.fleet import Fleet
    from examples.distributed_bulk.queueing import Queue

    first, second = sample_orders(2)
    queue = Queue(site.settings, site.redis)
    queue.put([first, attrs.evolve(first, amount_sats=2_000), second])
    with Fleet(1, site.settings.to_environment() | site.credentials, site.log):
        until(lambda: site.ledger.record(second.order_id).invoice)
    queue.close()
    assert [invoice["amount"] for invoice in site.emulator.invoices()] == [1_001, 1_002]
    assert len(site.emulator.requests()) == 2


def test_a_key_of_yesterday_is_not_used_but_told_to_a_person(site: Site) -> None:
    [order] = sample_orders(1)
    key = idempotency_key("orders", order.order_id)
    yesterday = site.ledger.now() - 86_401
    asked = Asked(fingerprint=order.fingerprint(), amount_sats=order.amount_sats, key=key, at=yesterday)
    site.redis.hset("tazapay-bulk:orders:asked", order.order_id, json.dumps(attrs.asdict(asked)))
    [(_, decision, words)] = site.run([order]).outcomes
    assert decision is Decision.HUMAN
    assert key in words
    assert site.emulator.requests() == []


def test_a_refused_order_gets_its_invoice_when_it_was_put_right(site: Site) -> None:
    good, other = sample_orders(2)
    wrong = attrs.evolve(good, memo="x" * 640)
    outcomes = site.run([wrong, other]).outcomes
    assert [decision for _, decision, _ in outcomes] == [Decision.REFUSED, Decision.CREATED]
    assert "639" in outcomes[0][2]
    assert site.run([good, other]).decisions == [Decision.CREATED, Decision.CREATED]


def test_wrong_credentials_stop_the_run_instead_of_failing_with_every_order(site: Site) -> None:
    done = site.run(list(sample_orders(50)), credentials=site.credentials | {"TAZAPAY_API_SECRET": "not-the-secret"})
    assert done.stopped is not None
    assert "not-the-secret" not in done.stopped
    assert len(site.emulator.requests()) <= 4
    assert site.run(list(sample_orders(2))).decisions == [Decision.CREATED, Decision.CREATED]


def test_workers_do_not_start_without_credentials(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from examples.distributed_bulk.running import WorkerEndedError

    for name in ("TAZAPAY_API_KEY", "TAZAPAY_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WorkerEndedError, match="TAZAPAY_API_KEY"):
        site.run(list(sample_orders(2)), credentials={})


def test_a_429_makes_all_workers_wait(site: Site) -> None:
    [order] = sample_orders(1)
    here: list[float] = []
    there: list[float] = []
    site.emulator.fail_next("status_before_commit", status=429, retry_after=30)
    with LightningClient(
        site.emulator.api_key, site.emulator.api_secret, base_url=site.emulator.base_url, max_retries=0
    ) as client:
        pace = Pace(site.redis, None, sleep=here.append)
        asker = Asker(client=client, ledger=site.ledger, pace=pace, settings=site.settings, worker="here")
        assert not asker.settle(order), "the message goes back, and the order is asked for later"
    assert here == pytest.approx([0, site.settings.longest_wait], abs=0.5)
    assert len(site.emulator.requests()) == 1
    assert Pace(site.redis, None, sleep=there.append).turn(within=60)
    assert there == pytest.approx([30], abs=5)


def test_turns_are_shared_by_all_workers(site: Site) -> None:
    waits: list[float] = []
    here, there = (Pace(site.redis, 0.5, sleep=waits.append) for _ in range(2))
    assert all(pace.turn(within=60) for pace in (here, there, here))
    assert waits == pytest.approx([0, 2, 4], abs=0.5)


def test_a_turn_that_is_too_far_away_is_not_taken(site: Site) -> None:
    waits: list[float] = []
    pace = Pace(site.redis, None, sleep=waits.append)
    pace.pause(30)
    assert not pace.turn(within=1)
    assert pace.turn(within=60)
    assert waits == pytest.approx([1, 30], abs=0.5)


def test_two_workers_never_hold_one_order(site: Site) -> None:
    with site.ledger.lease("7890", "here") as mine:
        with site.ledger.lease("7890", "there") as theirs:
            assert theirs is None
        assert mine is not None
        assert site.ledger.held() == {"7890": "here"}
    assert site.ledger.held() == {}


def test_only_who_holds_an_order_may_forget_that_it_was_asked_for(site: Site) -> None:
    [order] = sample_orders(1)
    with site.ledger.lease(order.order_id, "here") as proof:
        assert proof is not None
        assert site.ledger.begin(order, "key")
        site.ledger.forget(order.order_id, "somebody else's")
        assert site.ledger.record(order.order_id).asked is not None
        site.ledger.forget(order.order_id, proof)
        assert site.ledger.record(order.order_id).asked is None


def test_a_proven_invoice_is_never_replaced(site: Site) -> None:
    [order] = sample_orders(1)
    first, second = (Invoice.from_payload({"id": f"l11_{n}", "amount": order.amount_sats}) for n in (1, 2))
    site.ledger.prove(order, first)
    site.ledger.prove(order, first)
    with pytest.raises(TwoInvoicesError, match="l11_1 and l11_2"):
        site.ledger.prove(order, second)
    assert site.ledger.record(order.order_id).invoice["invoice_id"] == "l11_1"


def test_an_invoice_over_another_amount_is_for_a_person_and_stays_so(site: Site) -> None:
    [order] = sample_orders(1)
    site.emulator.fail_next("wrong_amount")
    assert site.run([order]).decisions == [Decision.HUMAN]
    assert site.run([order]).decisions == [Decision.HUMAN]
    assert len(site.emulator.requests()) == 1


def test_a_redis_that_forgets_is_refused(site: Site) -> None:
    from examples.distributed_bulk.running import ForgetfulRedisError, check_keeps_data

    with pytest.raises(ForgetfulRedisError, match="appendonly yes"):
        check_keeps_data(site.redis)
    site.redis.config_set("appendonly", "yes")
    check_keeps_data(site.redis)
    site.redis.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(ForgetfulRedisError, match="noeviction"):
        check_keeps_data(site.redis)


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TAZAPAY_", "BULK_"))}
    return subprocess.run(
        [sys.executable, "-m", "examples.distributed_bulk", *arguments],
        cwd=REPOSITORY,
        env=plain | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_command_runs_it_all(site: Site) -> None:
    done = command("--orders", "100", "--workers", "2", "--kill", "--faults", "0.3")
    assert done.returncode == 0, done.stderr
    assert "exactly 1" in done.stdout
    assert done.stdout.count("SIGKILL") == 2
    assert done.stderr == ""


def test_a_file_of_orders_is_billed_through_a_redis_that_was_named(site: Site, tmp_path: Path) -> None:
    site.redis.config_set("appendonly", "yes")
    file = tmp_path / "orders.jsonl"
    file.write_text("".join(f"{json.dumps(order.to_dict())}\n" for order in sample_orders(3)))
    done = command(str(file), BULK_REDIS_URL=site.settings.redis_url, **site.credentials)
    assert done.returncode == 0, done.stderr
    assert sorted(invoice["amount"] for invoice in site.emulator.invoices()) == [1_001, 1_002, 1_003]


def test_credentials_without_a_redis_are_no_practice(site: Site) -> None:
    done = command(**site.credentials)
    assert done.returncode == 1
    assert "BULK_REDIS_URL is not" in done.stderr
    assert site.emulator.requests() == []
