"""The examples that BOLT #11 publishes, valid and invalid, read from bolt11_vectors.json."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tazapay_lightning import Bolt11, InvalidBolt11Error, decode_bolt11
from tazapay_lightning.bolt11.decode import RouteHop
from tests.support.tables import each_row

VECTORS = json.loads(Path(__file__).with_name("bolt11_vectors.json").read_text(encoding="utf-8"))
READ = VECTORS["valid"] + VECTORS["refused_only_by_a_payer"]
LIST_OF_THINGS = (
    "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, "
    "one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon"
)


def title(vector: dict[str, Any]) -> str:
    return str(vector["title"])


def expected(vector: dict[str, Any]) -> Bolt11:
    holds = VECTORS["common"] | vector["expected"]
    return Bolt11(
        **holds
        | {
            "raw": vector["request"].lower(),
            "timestamp": datetime.fromtimestamp(holds["timestamp"], UTC),
            "features": tuple(holds["features"]),
            "fallbacks": tuple((version, program) for version, program in holds["fallbacks"]),
            "routes": tuple(tuple(RouteHop(**hop) for hop in route) for route in holds["routes"]),
        }
    )


def test_the_data_holds_every_published_example() -> None:
    counted = [len(VECTORS[part]) for part in ("valid", "invalid", "refused_only_by_a_payer")]
    assert counted == [16, 8, 2]
    assert len({vector["request"] for part in (READ, VECTORS["invalid"]) for vector in part}) == 26


@each_row("vector", READ, ids=title)
def test_a_published_example_is_read_as_the_standard_breaks_it_down(vector: dict[str, Any]) -> None:
    assert decode_bolt11(vector["request"]) == expected(vector)


@each_row("vector", VECTORS["invalid"], ids=title)
def test_a_published_invalid_example_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(InvalidBolt11Error, match=vector["refused_because"]):
        decode_bolt11(vector["request"])


def test_the_description_hash_of_the_examples_is_that_of_their_list() -> None:
    hashes = {vector["expected"].get("description_hash") for vector in VECTORS["valid"]} - {None}
    assert hashes == {hashlib.sha256(LIST_OF_THINGS.encode()).hexdigest()}
