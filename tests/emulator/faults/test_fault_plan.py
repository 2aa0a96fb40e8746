from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tazapay_lightning_emulator import FAULT_KINDS, Fault, FaultPlan, RequestRecord
from tazapay_lightning_emulator.faults import kinds as fault_kinds
from tazapay_lightning_emulator.faults import plan as faults
from tazapay_lightning_emulator.faults.actions import BELOW_HTTP, IN_HTTP
from tests.support.tables import each_row
from tests.support.thorough import sample

MANY = 10_000


def arrivals(plan: FaultPlan, keys: Iterable[str | None]) -> list[RequestRecord]:
    return [plan.arrived("POST", "/", key) for key in keys]


def outcomes(plan: FaultPlan, keys: Iterable[str | None]) -> list[str]:
    return [str(record.fault) for record in arrivals(plan, keys)]


def history(plan: FaultPlan, keys: Iterable[str | None]) -> dict[tuple[str | None, int], str]:
    """What became of each key's first, second, ... request."""
    numbers: Counter[str | None] = Counter()
    became = {}
    for key in keys:
        became[key, numbers[key]] = str(plan.arrived("POST", "/", key).fault)
        numbers[key] += 1
    return became


def test_a_plan_that_was_told_nothing_does_nothing() -> None:
    assert outcomes(FaultPlan(), ["a", None]) == ["None", "None"]


def test_queued_faults_are_done_in_order_and_once_each() -> None:
    plan = FaultPlan("drip", "bad_gzip")
    assert outcomes(plan, ["a", "b", "c"]) == ["drip(pause=0.01)", "bad_gzip(form=not_gzip)", "None"]


def test_a_fault_can_be_queued_for_several_requests() -> None:
    plan = FaultPlan()
    plan.fail_next("truncated_json", times=3)
    assert outcomes(plan, "abcd") == ["truncated_json"] * 3 + ["None"]


def test_a_fault_for_a_key_waits_for_that_key() -> None:
    plan = FaultPlan()
    plan.fail_next("truncated_json", idempotency_key="order-2", times=2)
    keys = ["order-1", None, "order-2", "ORDER-2", "order-2", "order-2"]
    assert outcomes(plan, keys) == ["None", "None", "truncated_json", "None", "truncated_json", "None"]


def test_of_several_entries_that_fit_the_oldest_is_done() -> None:
    plan = FaultPlan()
    plan.fail_next("truncated_json", idempotency_key="order-2")
    plan.fail_next("stale_reply")
    plan.fail_next("close_mid_body", idempotency_key="order-2")
    assert outcomes(plan, ["order-2", "order-2", "order-1", "order-2"]) == [
        "truncated_json",
        "stale_reply",
        "None",
        "close_mid_body",
    ]


def test_what_is_queued_comes_before_chance_and_does_not_shift_it() -> None:
    plain, queued = (FaultPlan(probability=0.5, seed=3) for _ in range(2))
    queued.fail_next("huge_body", idempotency_key="7")
    keys = [str(n % 20) for n in range(200)]
    first, second = history(plain, keys), history(queued, keys)
    assert second.pop(("7", 0)) == "huge_body(size=100000000)"
    first.pop(("7", 0))
    assert first == second


@pytest.mark.parametrize("shuffling", sample(range(5), 4))
def test_chance_does_not_depend_on_the_order_of_arrival(shuffling: int) -> None:
    keys = [f"order-{n % 100}" for n in range(500)]
    shuffled = random.Random(shuffling).sample(keys, k=len(keys))
    first, second = (history(FaultPlan(probability=0.4, seed=11), order) for order in (keys, shuffled))
    assert first == second
    assert len(set(first.values())) > 5  # and it is not that nothing ever happens


def test_chance_does_not_depend_on_which_thread_is_first() -> None:
    def run(workers: int) -> dict[str | None, Counter[str]]:
        plan = FaultPlan(probability=0.5, seed=5)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda n: plan.arrived("POST", "/", f"order-{n % 50}"), range(1000)))
        became: dict[str | None, Counter[str]] = {}
        for record in plan.requests():
            became.setdefault(record.idempotency_key, Counter())[str(record.fault)] += 1
        return became

    assert run(1) == run(16)


def test_requests_without_a_key_fail_by_their_running_number() -> None:
    keyless: list[str | None] = [None] * 200
    alone = outcomes(FaultPlan(probability=0.5, seed=1), keyless)
    mixed_keys = list(itertools.chain.from_iterable((None, f"order-{n}") for n in range(200)))
    mixed = outcomes(FaultPlan(probability=0.5, seed=1), mixed_keys)
    assert mixed[::2] == alone
    assert len(set(alone)) > 2


def test_another_seed_is_another_history() -> None:
    histories = [outcomes(FaultPlan(probability=0.5, seed=seed), map(str, range(100))) for seed in range(20)]
    assert len({tuple(each) for each in histories}) == 20


def test_the_same_seed_is_the_same_history_on_every_machine() -> None:
    plan = FaultPlan(probability=0.5, seed=7)
    kinds = [record.fault and record.fault.kind for record in arrivals(plan, ["order-1"] * 4 + [None] * 4)]
    recorded_once = [None, None, "close_mid_body", None, "reset_before_commit", None, None, "reset_after_commit"]
    assert kinds == recorded_once


@each_row("probability", [0.05, 0.3, 0.9])
@each_row("key", [None, "one-key", "key-{}"])
def test_the_share_that_fails_is_the_probability(probability: float, key: str | None) -> None:
    plan = FaultPlan(probability=probability, seed=1)
    keys = [key and key.format(n) for n in range(MANY)]
    failed = sum(each != "None" for each in outcomes(plan, keys))
    assert failed / MANY == pytest.approx(probability, abs=0.02)  # four standard deviations


def test_kinds_are_chosen_by_their_weights() -> None:
    plan = FaultPlan(probability=1, seed=1, kinds={"drip": 1, "stale_reply": 2, "truncated_json": 5})
    counts = Counter(outcomes(plan, map(str, range(MANY))))
    shares = {kind: count / MANY for kind, count in counts.items()}
    assert shares == pytest.approx({"drip(pause=0.01)": 1 / 8, "stale_reply": 2 / 8, "truncated_json": 5 / 8}, abs=0.02)


def test_kinds_without_weights_are_equally_likely() -> None:
    plan = FaultPlan(probability=1, seed=1, kinds=[Fault("drip", pause=0), "stale_reply"])
    counts = Counter(outcomes(plan, map(str, range(MANY))))
    assert counts["stale_reply"] / MANY == pytest.approx(0.5, abs=0.02)


def test_half_of_what_happens_by_default_happens_before_the_commit() -> None:
    plan = FaultPlan(probability=1, seed=1)
    counts = Counter(outcomes(plan, map(str, range(MANY))))
    before = counts["reset_before_commit"] + counts["status_before_commit(status=503)"]
    assert before / MANY == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("probability", "failing"), [(0, 0), (1, 1000)])
def test_never_and_always_are_exact(probability: float, failing: int) -> None:
    plan = FaultPlan(probability=probability, seed=1)
    assert sum(each != "None" for each in outcomes(plan, map(str, range(1000)))) == failing


def test_a_new_chance_takes_the_place_of_the_old_one_and_counts_anew() -> None:
    plan = FaultPlan(probability=0.5, seed=1)
    first = outcomes(plan, ["a"] * 50)
    plan.fail_randomly(0.5, seed=1)
    assert outcomes(plan, ["a"] * 50) == first


def test_stopping_forgets_the_queue_and_the_chance() -> None:
    plan = FaultPlan("drip", probability=1, seed=1)
    plan.stop_failing()
    assert outcomes(plan, "abc") == ["None"] * 3
    assert plan.to_dict() == {"next": [], "random": None}


def test_every_request_is_recorded_and_the_failed_ones_can_be_told() -> None:
    plan = FaultPlan("reset_after_commit")
    plan.arrived("POST", "/v3", "order-1").committed = True
    plan.arrived("GET", "/", None)
    unanswered = {"at": None, "status": None, "milliseconds": None}
    assert [record.to_dict() for record in plan.requests()] == [
        {
            "method": "POST",
            "path": "/v3",
            "idempotency_key": "order-1",
            "fault": {"kind": "reset_after_commit"},
            "committed": True,
            **unanswered,
        },
        {"method": "GET", "path": "/", "idempotency_key": None, "fault": None, "committed": False, **unanswered},
    ]
    [failed] = plan.faults_injected()
    assert (failed.idempotency_key, str(failed.fault)) == ("order-1", "reset_after_commit")


def test_a_record_of_a_long_path_and_key_is_short_and_the_fault_goes_by_the_whole_key() -> None:
    plan = FaultPlan()
    plan.fail_next("drip", idempotency_key="k" * 255)
    record = plan.arrived("GET", "/" * 60_000, "k" * 60_000)
    assert (len(record.path), len(record.idempotency_key or ""), record.fault) == (2_000, 2_000, None)


def test_the_newest_requests_come_last_first_with_the_number_of_all() -> None:
    plan = FaultPlan()
    for path in ("/1", "/2", "/3"):
        plan.arrived("GET", path, None)
    records, count = plan.newest(2)
    assert ([record.path for record in records], count) == (["/3", "/2"], 3)


def test_listeners_are_told_of_requests_and_of_the_plan() -> None:
    plan, heard = FaultPlan(), []
    with plan.activity.listened_by(heard.append):
        record = plan.arrived("GET", "/", None)
        plan.finished(record, seconds=0.0042)
        plan.fail_next("drip")
        plan.stop_failing()
    plan.fail_next("drip")
    assert [None if news is None else news.milliseconds for news in heard] == [None, 4, None, None]


def test_records_are_copies() -> None:
    plan = FaultPlan()
    plan.arrived("POST", "/", None)
    plan.requests()[0].committed = True
    assert [record.committed for record in plan.requests()] == [False]


def test_only_so_many_requests_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MAX_RECORDS", 3)
    plan = FaultPlan()
    outcomes(plan, "abcde")
    assert [record.idempotency_key for record in plan.requests()] == ["c", "d", "e"]


def test_a_plan_can_be_shown_as_json() -> None:
    plan = FaultPlan("truncated_json", probability=0.25, seed=9, kinds={"wrong_amount": 2})
    plan.fail_next("status_before_commit", status=429, times=2, idempotency_key="order-1")
    assert json.loads(json.dumps(plan.to_dict())) == {
        "next": [
            {"kind": "truncated_json", "times": 1, "idempotency_key": None},
            {
                "kind": "status_before_commit",
                "retry_after": None,
                "retry_after_as_date": False,
                "status": 429,
                "times": 2,
                "idempotency_key": "order-1",
            },
        ],
        "random": {
            "probability": 0.25,
            "seed": 9,
            "kinds": [{"kind": "wrong_amount", "difference": 1, "weight": 2.0}],
        },
    }


@each_row("kind", FAULT_KINDS)
def test_every_kind_is_written_and_read_again(kind: Any) -> None:
    assert Fault.from_dict(json.loads(json.dumps(Fault(kind).to_dict()))) == Fault(kind)


def test_equal_faults_are_one_choice() -> None:
    assert len({Fault("drip"), Fault("drip", pause=0.01), Fault("drip", pause=0.02)}) == 2


def test_every_kind_is_done_by_one_function() -> None:
    assert {*BELOW_HTTP, *IN_HTTP} == set(FAULT_KINDS)
    assert {*BELOW_HTTP} & {*IN_HTTP} == {"drip"}  # with its head, and without
    assert {kind for kind in FAULT_KINDS if Fault(kind).is_below_http} == {*BELOW_HTTP} - {"drip"}
    assert Fault("drip", drip_head=True).is_below_http


@each_row("kind", FAULT_KINDS)
def test_the_table_tells_of_every_kind_and_its_parameters(kind: Any) -> None:
    table = fault_kinds.__doc__ or ""
    assert f"\n{kind} " in table
    assert all(f"`{name}`" in table for name in Fault(kind).to_dict() if name != "kind")


BAD_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "explode"}, "kind: one of refuse, "),
    ({"kind": None}, "kind: one of"),
    ({"kind": ["drip"]}, "kind: one of"),
    ({}, "kind: one of"),
    ({"kind": "drip", "seconds": 1}, "parameters of drip: pause, drip_head"),
    ({"kind": "truncated_json", "size": 1}, "parameters of truncated_json: none"),
    ({"kind": "drip", "self": 1}, "parameters of drip"),
    *[({"kind": "drip", "pause": pause}, "pause: a number from 0") for pause in (-1, 3601, True, "1", None, [])],
    *[({"kind": "drip", "pause": float(pause)}, "pause: a number") for pause in ("nan", "inf", "-inf")],
    *[({"kind": "drip", "drip_head": flag}, "drip_head: true or false") for flag in (1, "true", None)],
    *[({"kind": "huge_body", "size": size}, "size: bytes") for size in (0, -1, 1.5, True, 10**12, "1")],
    *[({"kind": "status_after_commit", "status": it}, "status: an integer") for it in (200, 399, 600, 503.0, True)],
    *[({"kind": "html_after_commit", "status": it}, "status: 200, or") for it in (201, 204, 304, 600, "200")],
    *[({"kind": "status_before_commit", "retry_after": it}, "retry_after: seconds") for it in (-1, 1.5, "1", True)],
    ({"kind": "bad_gzip", "form": "brotli"}, "form: one of not_gzip, truncated"),
    ({"kind": "bad_gzip", "form": []}, "form: one of"),
    ({"kind": "wrong_content_length", "declared": "wrong"}, "declared: one of too_long, too_short"),
    *[({"kind": "wrong_amount", "difference": it}, "difference: satoshi") for it in (0, 1.5, True, None, 2**60)],
]


@each_row(("fields", "accepted"), sample(BAD_FAULTS, 3), ids=str)
def test_a_fault_that_cannot_be_is_refused_with_what_is_accepted(fields: dict[str, Any], accepted: str) -> None:
    with pytest.raises(ValueError, match=accepted):
        Fault.from_dict(fields)


@each_row(
    ("arguments", "accepted"),
    [
        ({"times": 0}, "times: an integer"),
        ({"times": True}, "times: an integer"),
        ({"times": 1.0}, "times: an integer"),
        ({"idempotency_key": ""}, "idempotency_key: a string"),
        ({"idempotency_key": "k" * 256}, "idempotency_key: a string"),
        ({"idempotency_key": 7}, "idempotency_key: a string"),
        ({"pause": "long"}, "pause: a number"),
        ({"kind": Fault("drip"), "pause": 1}, "parameters: none"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_and_not_queued(arguments: dict[str, Any], accepted: str) -> None:
    plan = FaultPlan()
    with pytest.raises(ValueError, match=accepted):
        plan.fail_next(**{"kind": "drip", **arguments})
    assert plan.to_dict()["next"] == []


@each_row(
    ("arguments", "accepted"),
    [
        *[({"probability": it}, "probability: a number from 0 to 1") for it in (-0.1, 1.1, True, "1", float("nan"))],
        *[({"seed": it}, "seed: an integer") for it in (None, "7", 1.0, True)],
        ({"kinds": []}, "kinds: at least one"),
        ({"kinds": {}}, "kinds: at least one"),
        ({"kinds": ["explode"]}, "kind: one of"),
        *[({"kinds": {"drip": it}}, "weight: a number") for it in (0, -1, "1", True, float("inf"), float("nan"))],
    ],
    ids=str,
)
def test_a_chance_that_cannot_be_is_refused_and_the_old_one_stays(arguments: dict[str, Any], accepted: str) -> None:
    plan = FaultPlan(probability=0.5, seed=1)
    before = plan.to_dict()
    with pytest.raises(ValueError, match=accepted):
        plan.fail_randomly(**{"probability": 0.3, "seed": 7, **arguments})
    assert plan.to_dict() == before
