"""Faults at random, the same in every run and independent of the order in which requests arrive. Pure."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from tazapay_lightning_emulator.faults.kinds import Fault, FaultKind, number

Kinds = Mapping[FaultKind | Fault, float] | Mapping[FaultKind, float] | Iterable[FaultKind | Fault]
"""Kinds (with their default parameters) or faults to choose from: equally likely, or with weights."""

DEFAULT_KINDS: Mapping[FaultKind | Fault, float] = {
    "reset_before_commit": 3,
    "status_before_commit": 3,
    "reset_after_commit": 2,
    "close_mid_body": 2,
    Fault("status_after_commit", status=504): 2,
}
"""The default choice: faults without delay, half of them before the commit and half after it."""


@frozen
class Chance:
    """Chooses faults at random, and counts the requests of each idempotency key.

    Attributes:
        probability: above 0, at most 1.
        seed: together with the key and the number of requests with it so far, it determines the choice.
        choices: faults with their weights.
    """

    probability: float
    seed: int
    choices: tuple[tuple[Fault, float], ...]
    _seen: Counter[str | None] = field(factory=Counter, init=False)

    @classmethod
    def checked(cls, probability: float, seed: int, kinds: Kinds) -> Chance | None:
        """Validate the arguments; None if the probability is 0.

        Raises:
            ValueError: an argument is not accepted; the message says what is.
        """
        if not number(probability, 0, 1):
            raise ValueError("probability: a number from 0 to 1")
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError("seed: an integer")  # noqa: TRY004 - every refusal of a plan is a ValueError
        weighted = kinds.items() if isinstance(kinds, Mapping) else [(kind, 1) for kind in kinds]
        choices = tuple((Fault.of(kind), _weight(weight)) for kind, weight in weighted)
        if not choices:
            raise ValueError("kinds: at least one")
        return cls(probability, seed, choices) if probability else None

    def draw(self, idempotency_key: str | None) -> Fault | None:
        """The fault of the next request with this key, or None.

        Example:
            >>> def drawn(keys: str) -> list[str]:
            ...     chance = Chance.checked(0.5, 7, ["drip", "bad_gzip"])
            ...     return sorted(f"{key} {fault and fault.kind}" for key in keys for fault in [chance.draw(key)])
            >>> drawn("aabb") == drawn("baba")
            True
        """
        before = self._seen[idempotency_key]
        self._seen[idempotency_key] += 1
        # the key comes last, after a prefix of its own, so that different requests have different texts
        text = f"{self.seed}:{before}:" + ("" if idempotency_key is None else f"key:{idempotency_key}")
        digest = hashlib.sha256(text.encode()).digest()
        if _fraction(digest[:8]) >= self.probability:
            return None
        point = _fraction(digest[8:16]) * sum(weight for _, weight in self.choices)
        for fault, weight in self.choices:
            point -= weight
            if point < 0:
                return fault
        return self.choices[-1][0]  # reached only through rounding errors

    def to_dict(self) -> dict[str, Any]:
        """All arguments, JSON-ready."""
        kinds = [{**fault.to_dict(), "weight": weight} for fault, weight in self.choices]
        return {"probability": self.probability, "seed": self.seed, "kinds": kinds}


def _weight(weight: object) -> float:
    if not isinstance(weight, int | float) or not number(weight, 0, 1e9) or weight == 0:
        raise ValueError("weight: a number greater than 0, at most 1000000000")
    return float(weight)


def _fraction(eight_bytes: bytes) -> float:
    """A number from 0 to just below 1, of 53 bits: a double holds no more, and rounding up could give 1."""
    return math.ldexp(int.from_bytes(eight_bytes, "big") >> 11, -53)
