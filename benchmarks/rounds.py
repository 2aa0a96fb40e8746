"""What rounds of measurements say: ratios with their spread, and whether a limit is kept. Pure.

Everything that is compared is measured in the same round, one after the other, so that whatever else the machine does
hits all of it alike; a ratio is taken within each round, and its median over the rounds is what counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["LOUD", "Limit", "Measured", "Ratio", "Verdict", "judge", "ratio_of"]

LOUD = 0.1  # quartiles that are further apart, in units of the median, and have the limit between them decide nothing

# For each group of measurements, by name: what was measured, one value for each round.
Measured = Mapping[str, Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class Ratio:
    """The median of some ratios, with the quartiles around it."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """How far the quartiles are apart, in units of the median."""
        return (self.high - self.low) / abs(self.median) if self.median else 0.0

    def to(self, digits: int) -> str:
        """Return it as a table shows it, with so many decimals."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"

    def __str__(self) -> str:
        return self.to(2)


@dataclass(frozen=True)
class Limit:
    """What a measurement must not exceed, or not fall below.

    Attributes:
        sentence: what is claimed, in words.
        part: the letter of the part of the benchmarks that measures it.
        group: where in `Measured` to look.
        name: what is judged there.
        base: what it is divided by, in the same group; None for a value that is judged as it is.
        bound: the limit.
        at_least: whether the limit is a lower one.
        unit: what a value without a base is in.
    """

    sentence: str
    part: str
    group: str
    name: str
    base: str | None
    bound: float
    at_least: bool = False
    unit: str = ""

    @property
    def asked(self) -> str:
        """The limit as a table shows it.

        Example:
            >>> Limit("", "A", "start", "ours", "httpx", 0.25).asked
            'at most 0.25'
        """
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}{self.unit and ' ' + self.unit}"


@dataclass(frozen=True)
class Verdict:
    """A limit with what was measured; None if it was not.

    Attributes:
        word: "met", "missed", "unclear" (too much noise to tell) or "not measured".
    """

    limit: Limit
    found: Ratio | None
    word: str

    @property
    def shown(self) -> str:
        """What was found as a table shows it: ratios to the hundredth, or closer to the limit to more; values whole."""
        if self.found is None:
            return "-"
        if self.limit.base is None:
            return f"{self.found.median:.0f} {self.limit.unit}"
        return self.found.to(2 if abs(self.found.median - self.limit.bound) >= 0.01 else 4)

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.limit.sentence}: not measured"
        return f"{self.limit.sentence}: {self.word}, measured {self.shown}, asked for {self.limit.asked}"


def ratio_of(values: Sequence[float], bases: Sequence[float] | None = None) -> Ratio:
    """Divide round by round, and take the median and the quartiles.

    Example:
        >>> ratio_of([2.0, 3.0, 40.0], [1.0, 1.5, 10.0])
        Ratio(median=2.0, low=2.0, high=3.0)
    """
    ratios = list(values) if bases is None else [value / base for value, base in zip(values, bases, strict=True)]
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, low, high)


def judge(limit: Limit, measured: Measured) -> Verdict:
    """Tell whether a limit is kept.

    Example:
        >>> limit = Limit("ours is not slower", "B", "calls", "ours", "httpx", 1.2)
        >>> judge(limit, {"calls": {"ours": [11.0, 12.0, 13.0], "httpx": [10.0, 10.0, 10.0]}}).word
        'met'
        >>> print(judge(limit, {"calls": {"ours": [13.0, 14.0, 15.0], "httpx": [10.0, 10.0, 10.0]}}))
        ours is not slower: missed, measured 1.40 (1.35 to 1.45), asked for at most 1.2
    """
    group = measured.get(limit.group, {})
    if limit.name not in group or (limit.base is not None and limit.base not in group):
        return Verdict(limit, None, "not measured")
    found = ratio_of(group[limit.name], None if limit.base is None else group[limit.base])
    if found.spread > LOUD and found.low < limit.bound < found.high:
        return Verdict(limit, found, "unclear")
    is_met = found.median >= limit.bound if limit.at_least else found.median <= limit.bound
    return Verdict(limit, found, "met" if is_met else "missed")
